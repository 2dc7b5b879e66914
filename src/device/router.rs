//! A router: forwards by destination and nothing else. It has no address, so it dies in silence.

use super::group::is_link_local;
use super::{Device, Outbox, Verdict};
use crate::base::{PortId, SimTime};
use crate::plan::graph::RouteTable;
use crate::plan::{DropReason, Rule};
use crate::wire::Packet;

/// A router.
#[derive(Debug, Clone)]
pub struct Router {
    routes: RouteTable,
}

impl Router {
    /// A router with these routes.
    pub fn new(routes: RouteTable) -> Self {
        Self { routes }
    }

    /// These are its routes from now on.
    pub fn set_routes(&mut self, routes: RouteTable) {
        self.routes = routes;
    }
}

impl Device for Router {
    fn handle(&mut self, _now: SimTime, _port: PortId, packet: &mut Packet, _out: &mut Outbox) -> Verdict {
        let destination = packet.flow.destination.ip();
        // Groups of a link are not routed (RFC 5771 §4, RFC 4291 §2.7).
        let port = self.routes.port_for(destination).filter(|_| !is_link_local(destination));
        let Some(port) = port else {
            return Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination });
        };
        if packet.hop_limit <= 1 {
            return Verdict::drop(DropReason::TtlExpired);
        }
        packet.hop_limit -= 1;
        Verdict::Forward(port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{NodeId, SimDuration};
    use crate::plan::{Element, Link, Topology};
    use crate::wire::Flow;

    /// A router behind the internet, with 192.0.2.1 behind it on port 1.
    fn router() -> Router {
        let mut topology = Topology::new();
        let link = || Link::with_delay(SimDuration::from_millis(1));
        let id = topology.add(NodeId::new(0), "router", Element::Router, Vec::new(), link());
        let address = "192.0.2.1".parse().expect("address");
        topology.add(id, "host", Element::Router, vec![address], link());
        Router::new(topology.routes(id))
    }

    fn forward(router: &mut Router, to: &str, hop_limit: u8) -> (Verdict, u8, Outbox) {
        let source = "203.0.113.9:1".parse().expect("address");
        let mut packet = Packet::udp(Flow::new(source, to.parse().expect("address")), &b"x"[..]);
        packet.hop_limit = hop_limit;
        let mut out = Outbox::new(true);
        let verdict = router.handle(SimTime::ZERO, PortId::UPLINK, &mut packet, &mut out);
        (verdict, packet.hop_limit, out)
    }

    #[test]
    fn packets_follow_the_exact_route_and_otherwise_the_default() {
        let mut router = router();
        let (known, hops, _) = forward(&mut router, "192.0.2.1:1", 64);
        assert_eq!((known, hops), (Verdict::Forward(PortId::new(1)), 63));
        let (unknown, ..) = forward(&mut router, "192.0.2.99:1", 64);
        assert_eq!(unknown, Verdict::Forward(PortId::UPLINK));
    }

    #[test]
    fn without_a_default_an_unknown_destination_has_no_route() {
        let mut internet = Router::new(Topology::new().routes(NodeId::new(0)));
        let destination = "192.0.2.1".parse().expect("address");
        let (verdict, _, out) = forward(&mut internet, "192.0.2.1:1", 64);
        assert_eq!(verdict, Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination }));
        assert!(out.packets.is_empty());
    }

    #[test]
    fn a_group_of_the_link_is_not_routed() {
        let destination = "224.0.0.251".parse().expect("address");
        let (verdict, _, out) = forward(&mut router(), "224.0.0.251:5353", 255);
        assert_eq!(verdict, Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination }));
        assert!(out.packets.is_empty());
    }

    #[test]
    fn the_last_hop_ends_a_packet_in_silence() {
        for (hop_limit, verdict) in
            [(2, Verdict::Forward(PortId::new(1))), (1, Verdict::drop(DropReason::TtlExpired))]
        {
            let (got, _, out) = forward(&mut router(), "192.0.2.1:1", hop_limit);
            assert_eq!(got, verdict, "hop limit {hop_limit}");
            assert!(out.packets.is_empty());
        }
    }
}
