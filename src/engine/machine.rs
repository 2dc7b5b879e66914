//! What a node of the network is: one of the devices, or a host.

use super::host::Host;
use super::streams::TcpSettings;
use crate::base::{Limits, NodeId, PortId, Random, SimTime};
use crate::device::clat::Clat;
use crate::device::firewall::Firewall;
use crate::device::nat::Nat;
use crate::device::router::Router;
use crate::device::server::Server;
use crate::device::{Device, Outbox, Verdict};
use crate::plan::{Element, Node, Plan};
use crate::wire::Packet;

/// What stands at a node.
pub(super) enum Machine {
    Host(Host),
    Router(Router),
    Firewall(Box<Firewall>),
    Nat(Box<Nat>),
    Server(Box<Server>),
    Clat(Clat),
}

impl Machine {
    pub(super) fn new(plan: &Plan, id: NodeId, node: &Node, limits: &Limits, tcp: TcpSettings) -> Self {
        let seed = tcp.seed;
        let routes = || plan.topology.routes(id);
        match &node.element {
            Element::Router => Self::Router(Router::new(routes())),
            Element::Firewall(firewall) => {
                let random = Random::stream(seed, &node.name, "proxy");
                let firewall = Firewall::new(firewall, routes(), limits);
                Self::Firewall(Box::new(firewall.with_proxy(&node.addresses, tcp.mtu, tcp.limit, random)))
            }
            Element::Nat(nat) => {
                let random = Random::stream(seed, &node.name, "nat");
                Self::Nat(Box::new(Nat::new(nat, &node.addresses, routes(), limits, random)))
            }
            Element::Server(server) => {
                let random = Random::stream(seed, &node.name, "server");
                Self::Server(Box::new(Server::new(server, &node.addresses, limits, tcp.mtu, random)))
            }
            Element::Clat(clat) => Self::Clat(Clat::new(clat.clone())),
            Element::Peer(peer) => Self::Host(Host::new(node.addresses.clone(), peer.proxy)),
        }
    }

    pub(super) fn handle(
        &mut self,
        now: SimTime,
        port: PortId,
        packet: &mut Packet,
        out: &mut Outbox,
    ) -> Verdict {
        match self {
            Self::Host(host) => host.handle(now, port, packet, out),
            Self::Router(router) => router.handle(now, port, packet, out),
            Self::Firewall(firewall) => firewall.handle(now, port, packet, out),
            Self::Nat(nat) => nat.handle(now, port, packet, out),
            Self::Server(server) => server.handle(now, port, packet, out),
            Self::Clat(clat) => clat.handle(now, port, packet, out),
        }
    }

    pub(super) fn next_timeout(&self) -> Option<SimTime> {
        match self {
            Self::Router(_) | Self::Clat(_) => None,
            Self::Host(host) => host.next_timeout(),
            Self::Firewall(firewall) => firewall.next_timeout(),
            Self::Nat(nat) => nat.next_timeout(),
            Self::Server(server) => server.next_timeout(),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: SimTime, out: &mut Outbox) {
        match self {
            Self::Router(_) | Self::Clat(_) => {}
            Self::Host(host) => host.handle_timeout(now, out),
            Self::Firewall(firewall) => firewall.handle_timeout(now, out),
            Self::Nat(nat) => nat.handle_timeout(now, out),
            Self::Server(server) => server.handle_timeout(now, out),
        }
    }
}
