//! The scenario with a client behind one of its boxes and a STUN server on its internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};

use crate::base::{Limits, NodeId, SimDuration};
use crate::discover::Patience;
use crate::plan::graph::PUBLIC_REALM;
use crate::plan::{
    Clat, Element, HostCandidates, IceTransportPolicy, Link, Listen, Peer, Plan, Server, StackKind, Topology,
};

/// Where the server listens; it answers from the next port too.
const PORT: u16 = 3478;
/// Where scenarios have their public addresses (RFC 5737, RFC 2544). What is added takes the last free ones, so that it is
/// found in none of the usual places.
const PUBLIC: [Ipv4Net; 4] = [
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(203, 0, 113, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 51, 100, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 0, 0), 15),
];
/// The links of both. They are good: what is to be found out is what the scenario has.
const SERVER_DELAY: SimDuration = SimDuration::from_millis(5);
const PROBE_DELAY: SimDuration = SimDuration::from_millis(1);
/// One way; beyond it an answer may come later than [`Patience::SHORT`] waits for it.
const LONG_WAY: SimDuration = SimDuration::from_millis(400);

/// A plan with a client and a server.
pub(super) struct Stage {
    pub(super) plan: Plan,
    pub(super) probe: NodeId,
    pub(super) server: SocketAddr,
}

impl Stage {
    /// A client behind `node`; the error says why there can be none.
    pub(super) fn new(plan: &Plan, node: NodeId, limits: &Limits) -> Result<Self, &'static str> {
        let mut plan = plan.clone();
        plan.calls.clear();
        plan.expectations.clear();
        // What is to be found out is the network as it begins.
        plan.events.clear();
        // It ends when the client is done: nothing else happens.
        plan.duration = Some(limits.virtual_time);
        let topology = &mut plan.topology;
        let internet = topology.find(Topology::INTERNET).unwrap_or_default();
        let primary = free_on_the_internet(topology).ok_or("the internet has no address left")?;
        let named = |what: &str, topology: &Topology| fresh_name(topology, what);
        let name = named("discovery-server", topology);
        let server = Element::Server(Server { stun: vec![Listen::udp(PORT)], turn: None, up: true });
        let server = topology.add(internet, name, server, vec![primary], Link::with_delay(SERVER_DELAY));
        let other = free_on_the_internet(topology).ok_or("the internet has no second address left")?;
        topology.node_mut(server).addresses.push(other);
        let name = named("discovery-client", topology);
        let (parent, address) = match translator(topology, node) {
            // What is behind a NAT64 is found out through a translator: it changes addresses one by one.
            Some(clat) => {
                let (name, own) = (Clat::name(&name), vec![clat.address.into()]);
                let link = Link::with_delay(SimDuration::ZERO);
                (topology.add(node, name, Element::Clat(clat), own, link), Clat::HOST.into())
            }
            None => (node, free_behind(topology, node)?),
        };
        let probe = topology.add(parent, name, client(), vec![address], Link::with_delay(PROBE_DELAY));
        Ok(Self { plan, probe, server: SocketAddr::new(primary, PORT) })
    }

    /// How long to wait for answers: as RFC 8489 wants where packets are lost or slow.
    pub(super) fn patience(&self) -> Patience {
        let way: Vec<&Link> = self.way().collect();
        let delay = way.iter().fold(SimDuration::ZERO, |sum, link| sum + link.delay + link.jitter);
        let lossy = way.iter().any(|link| link.may_lose());
        if lossy || delay > LONG_WAY { Patience::LONG } else { Patience::SHORT }
    }

    /// The links between the client and the internet.
    fn way(&self) -> impl Iterator<Item = &Link> {
        let topology = &self.plan.topology;
        let nodes = std::iter::once(self.probe).chain(topology.ancestors(self.probe));
        nodes.filter_map(|node| topology.uplink(node))
    }
}

/// Nobody calls; the peer is only there to have an address and a link.
fn client() -> Element {
    Element::Peer(Peer {
        agent: StackKind::Is,
        ice_servers: Vec::new(),
        ice_transport_policy: IceTransportPolicy::All,
        port_mapping: None,
        proxy: None,
        ice_lite: false,
        host_candidates: HostCandidates::Visible,
    })
}

/// A name that nobody has.
fn fresh_name(topology: &Topology, what: &str) -> String {
    let numbered = (2..).map(|number| format!("{what}-{number}"));
    std::iter::once(what.to_owned())
        .chain(numbered)
        .find(|name| topology.find(name).is_none())
        .unwrap_or_default()
}

/// What gives a client IPv4 where there is none; `None`: there is some.
fn translator(topology: &Topology, node: NodeId) -> Option<Clat> {
    let realm = topology.node(node).inner_realm;
    let nat = topology.nodes().find_map(|(_, node)| match &node.element {
        Element::Nat(nat) if node.inner_realm == realm => Some(nat),
        _ => None,
    })?;
    let prefix = nat.nat64.filter(|nat64| nat64.ipv6_only)?.prefix;
    let network = u128::from(nat.ipv6.as_ref()?.prefix.network());
    let free = |address: &Ipv6Addr| topology.owner(realm, (*address).into()).is_none();
    let address =
        (2..=u128::from(u16::MAX)).rev().map(|number| Ipv6Addr::from(network | number)).find(free)?;
    Some(Clat { prefix, address })
}

/// The last free address behind `node`.
fn free_behind(topology: &Topology, node: NodeId) -> Result<IpAddr, &'static str> {
    let realm = topology.node(node).inner_realm;
    if realm == PUBLIC_REALM {
        return free_on_the_internet(topology).ok_or("the internet has no address left");
    }
    let inside = topology.nodes().find_map(|(_, node)| match &node.element {
        Element::Nat(nat) if node.inner_realm == realm => nat.ipv4_inside(),
        _ => None,
    });
    match inside {
        Some(IpNet::V4(inside)) => last_free(inside, |address| topology.owner(realm, address).is_none())
            .ok_or("its inside network has no address left for a client"),
        _ => Err("it has no IPv4 inside"),
    }
}

/// The last free public address that no NAT takes for one of its inside.
fn free_on_the_internet(topology: &Topology) -> Option<IpAddr> {
    let is_inside = |address: IpAddr| {
        topology.nodes().any(|(_, node)| match &node.element {
            Element::Nat(nat) => nat.ipv4_inside().is_some_and(|inside| inside.contains(&address)),
            _ => false,
        })
    };
    let is_free = |address| topology.owner(PUBLIC_REALM, address).is_none() && !is_inside(address);
    PUBLIC.iter().find_map(|network| last_free(*network, is_free))
}

fn last_free(network: Ipv4Net, is_free: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let (first, last) = (u32::from(network.network()) + 1, u32::from(network.broadcast()));
    (first..last).rev().map(|number| IpAddr::V4(Ipv4Addr::from(number))).find(|address| is_free(*address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{self, Overrides, Source};

    fn stage_behind(text: &str, name: &str) -> Result<Stage, &'static str> {
        let source = Source::new("test", text);
        let plan = scenario::load(&source, &Overrides::default(), &Limits::DEFAULT).expect("a scenario");
        let node = plan.topology.find(name).expect("a node");
        Stage::new(&plan, node, &Limits::DEFAULT)
    }

    fn addresses(stage: &Stage, name: &str) -> Vec<String> {
        let node = stage.plan.topology.find(name).expect("a node");
        stage.plan.topology.node(node).addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn client_and_server_take_names_and_addresses_that_nobody_has() {
        let text = "
            nats: { home: { type: full-cone, inside: 10.0.0.0/29 } }
            servers: { discovery-server: { stun: [3478/udp], address: 192.0.2.254 } }
            peers: { alice: { behind: home, address: 10.0.0.6 }, bob: {} }
            calls: [alice -> bob]";
        let stage = stage_behind(text, "home").expect("a stage");
        assert_eq!(addresses(&stage, "discovery-server-2"), ["192.0.2.253", "192.0.2.252"]);
        assert_eq!(addresses(&stage, "discovery-client"), ["10.0.0.5"]);
    }

    #[test]
    fn a_full_inside_has_no_place_for_a_client() {
        let text = "
            nats: { home: { type: full-cone, inside: 10.0.0.0/30 } }
            peers: { alice: { behind: home }, bob: {} }
            calls: [alice -> bob]";
        assert_eq!(
            stage_behind(text, "home").err(),
            Some("its inside network has no address left for a client")
        );
    }

    #[test]
    fn behind_a_firewall_the_client_is_in_the_network_before_it() {
        let text = "
            nats: { home: { type: full-cone } }
            firewalls: { inner: { behind: home }, outer: {} }
            peers: { alice: { behind: inner }, bob: { behind: outer } }
            calls: [alice -> bob]";
        let inner = stage_behind(text, "inner").expect("a stage");
        assert_eq!(addresses(&inner, "discovery-client"), ["10.0.1.254"]);
        let outer = stage_behind(text, "outer").expect("a stage");
        assert_eq!(addresses(&outer, "discovery-client"), ["192.0.2.252"]);
    }
}
