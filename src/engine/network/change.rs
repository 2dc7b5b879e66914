//! What changes in the network while it runs. Nothing but [`Network::apply`] changes a link or a device's configuration.

use super::{Machine, Network};
use crate::base::{LimitReached, Limits, LinkId, NodeId, Random, SimTime};
use crate::device::nat::Nat;
use crate::device::server::Server;
use crate::plan::{Action, Element, Topology};

/// What devices are made from, and what changes with them.
pub struct Ground<'g> {
    /// The network with its links, addresses and servers as they are at this moment; their changes are made here too.
    pub topology: &'g mut Topology,
    /// The seed of the run.
    pub seed: u64,
    /// The bounds of the run.
    pub limits: &'g Limits,
    /// How many times the server of the action was started, this time included.
    pub starts: usize,
}

/// Two parts of the internet that cannot reach each other, each by the node at which it hangs on the internet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) between: (NodeId, NodeId),
    pub(super) since: SimTime,
}

impl Network {
    /// Changes what `action` changes.
    ///
    /// # Errors
    /// When a limit is reached.
    pub fn apply(
        &mut self,
        now: SimTime,
        action: &Action,
        ground: &mut Ground<'_>,
    ) -> Result<(), LimitReached> {
        match action {
            Action::SetLink(links) => {
                for (id, link) in links {
                    *ground.topology.link_mut(*id) = link.clone();
                    for channel in &mut self.channels[channels_of(*id)] {
                        channel.set(now, link);
                    }
                }
            }
            Action::SetNat(nats) => {
                for (node, behavior) in nats {
                    if let Some(nat) = nat(&mut self.nodes[node.index()].machine) {
                        nat.reconfigure(behavior);
                    }
                }
            }
            Action::SetFirewall(firewalls) => {
                for (node, rules) in firewalls {
                    if let Machine::Firewall(firewall) = &mut self.nodes[node.index()].machine {
                        firewall.set_rules(rules);
                    }
                }
            }
            Action::NatReboot(node) => {
                if let Some(nat) = nat(&mut self.nodes[node.index()].machine) {
                    nat.reboot(now, &mut self.outbox);
                }
                self.follow_up(now, *node)?;
            }
            Action::Renumber(nats) => self.renumber(now, nats, ground.topology)?,
            Action::ServerDown(node) => self.start_server(now, *node, false, ground)?,
            Action::ServerUp(node) | Action::ServerRestart(node) => {
                self.start_server(now, *node, true, ground)?;
            }
            Action::Partition(pairs) => {
                self.cuts.extend(pairs.iter().map(|between| Cut { between: *between, since: now }));
            }
            Action::Heal(pairs) => self.cuts.retain(|cut| !pairs.contains(&cut.between)),
            Action::InterfaceDown(node) => self.set_interface(now, *node, false, ground.topology),
            Action::InterfaceUp(node) => self.set_interface(now, *node, true, ground.topology),
            // What agents do is no change of the network.
            Action::IceRestart(_) | Action::HangUp(_) | Action::Expect(_) => {}
        }
        Ok(())
    }

    fn set_interface(&mut self, now: SimTime, node: NodeId, up: bool, topology: &mut Topology) {
        if let Some(interface) = &mut topology.node_mut(node).interface {
            interface.up = up;
        }
        if let Machine::Host(host) = &mut self.nodes[node.index()].machine
            && !up
        {
            host.forget_streams();
        }
        let Some(uplink) = topology.node(node).ports.first().map(|port| port.link) else { return };
        let link = topology.link_mut(uplink);
        link.up = up;
        for channel in &mut self.channels[channels_of(uplink)] {
            channel.set(now, link);
        }
    }

    /// The cut a packet would have to pass that comes to the internet from one neighbour and leaves for another.
    pub(super) fn cut_between(&self, from: NodeId, to: NodeId) -> Option<Cut> {
        let pairs = [(from, to), (to, from)];
        self.cuts.iter().find(|cut| pairs.contains(&cut.between)).copied()
    }

    fn renumber(
        &mut self,
        now: SimTime,
        nats: &[(NodeId, Vec<std::net::IpAddr>)],
        topology: &mut Topology,
    ) -> Result<(), LimitReached> {
        for (node, addresses) in nats {
            topology.node_mut(*node).addresses = addresses.clone();
            if let Some(nat) = nat(&mut self.nodes[node.index()].machine) {
                nat.renumber(now, addresses, &mut self.outbox);
            }
            self.follow_up(now, *node)?;
        }
        for (index, station) in self.nodes.iter_mut().enumerate() {
            let routes = || topology.routes(NodeId::new(index as u32));
            match &mut station.machine {
                Machine::Router(router) => router.set_routes(routes()),
                Machine::Firewall(firewall) => firewall.set_routes(routes()),
                Machine::Nat(nat) => nat.set_routes(routes()),
                Machine::Host(_) | Machine::Server(_) | Machine::Clat(_) => {}
            }
        }
        Ok(())
    }

    /// Puts a server that remembers nothing in the place of one that did. Its randomness is another one, lest nonces and
    /// relayed ports come again.
    fn start_server(
        &mut self,
        now: SimTime,
        node: NodeId,
        up: bool,
        ground: &mut Ground<'_>,
    ) -> Result<(), LimitReached> {
        let place = ground.topology.node_mut(node);
        let Element::Server(config) = &mut place.element else { return Ok(()) };
        config.up = up;
        let random = Random::stream(ground.seed, &place.name, &format!("server-{}", ground.starts));
        let server = Server::new(config, &place.addresses, ground.limits, self.tcp.mtu, random);
        self.nodes[node.index()].machine = Machine::Server(Box::new(server));
        if config.turn.is_some() {
            self.outbox.note(|| crate::plan::StateChange::Forgot);
        }
        self.follow_up(now, node)
    }
}

const fn nat(machine: &mut Machine) -> Option<&mut Nat> {
    match machine {
        Machine::Nat(nat) => Some(nat),
        _ => None,
    }
}

/// Both directions of a link.
const fn channels_of(link: LinkId) -> std::ops::Range<usize> {
    2 * link.index()..2 * link.index() + 2
}
