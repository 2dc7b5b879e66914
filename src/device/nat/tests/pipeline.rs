//! What a NAT does besides translating, and NATs in a row.

use super::*;

const REMOTE: &str = "192.0.2.1:1000";

#[test]
fn inside_hosts_are_switched_without_translation_or_hop() {
    let mut lab = Lab::new(port_restricted());
    let mut packet = udp("10.0.0.2:5000", "10.0.0.3:6000");
    let before = packet.clone();
    assert_eq!(lab.handle(PortId::new(1), &mut packet), Verdict::Forward(PortId::new(2)));
    assert_eq!(packet, before);
    assert_eq!(lab.rows(), []);
}

#[test]
fn an_inside_address_nobody_has_is_not_looked_for_outside() {
    let mut lab = Lab::new(port_restricted());
    let destination = ip("10.0.0.77");
    assert_eq!(
        lab.handle(PortId::new(1), &mut udp("10.0.0.2:5000", "10.0.0.77:1")),
        Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination })
    );
}

#[test]
fn the_gateway_offers_no_service() {
    let mut lab = Lab::new(port_restricted());
    let destination = at("10.0.0.1:53");
    assert_eq!(
        lab.handle(PortId::new(1), &mut udp("10.0.0.2:5000", "10.0.0.1:53")),
        Verdict::drop_by(DropReason::HostPortClosed, Rule::PortClosed { destination })
    );
    assert_eq!(lab.errors(), [(PortId::new(1), IcmpKind::PortUnreachable)]);
    assert_eq!(lab.out.packets[0].packet.flow.source.ip(), ip("10.0.0.1"));
}

#[test]
fn a_packet_from_outside_to_an_inside_address_has_no_route() {
    let mut lab = Lab::new(full_cone());
    let drop = lab.receive(REMOTE, at("10.0.0.2:5000")).expect_err("not ours");
    assert_eq!(drop.reason, DropReason::NoRoute);
}

#[test]
fn translation_costs_a_hop_and_is_written_in_the_trail() {
    let mut lab = Lab::new(full_cone());
    let mut packet = udp("10.0.0.2:5000", REMOTE);
    lab.handle(PortId::new(1), &mut packet);
    assert_eq!((packet.hop_limit, packet.trail.source_rewrites), (63, 1));
    let mut answer = Packet::udp(packet.flow.reversed(), &b"in"[..]);
    lab.handle(PortId::UPLINK, &mut answer);
    assert_eq!((answer.hop_limit, answer.trail.destination_rewrites), (63, 1));
}

#[test]
fn a_packet_at_its_last_hop_dies_with_an_error_and_changes_nothing() {
    let mut lab = Lab::new(full_cone());
    let mut packet = Packet { hop_limit: 1, ..udp("10.0.0.2:5000", REMOTE) };
    assert_eq!(lab.handle(PortId::new(1), &mut packet), Verdict::drop(DropReason::TtlExpired));
    assert_eq!(lab.rows(), []);

    let external = lab.sent("10.0.0.2:5000", REMOTE);
    let before = lab.rows();
    let mut answer = Packet::udp(Flow::new(at(REMOTE), external), &b"in"[..]);
    answer.hop_limit = 1;
    assert_eq!(lab.handle(PortId::UPLINK, &mut answer), Verdict::drop(DropReason::TtlExpired));
    assert_eq!(lab.rows(), before);
    let expected = [(PortId::new(1), IcmpKind::TimeExceeded), (PortId::UPLINK, IcmpKind::TimeExceeded)];
    assert_eq!(lab.errors(), expected);
}

#[test]
fn nats_in_a_row_translate_one_after_the_other() {
    let mut home = Lab::with(port_restricted(), &["100.64.0.2"], &Limits::DEFAULT);
    let mut carrier = carrier_with_customer("100.64.0.2");

    let mut packet = udp("10.0.0.2:5000", REMOTE);
    assert_eq!(home.handle(PortId::new(1), &mut packet), Verdict::Forward(PortId::UPLINK));
    assert_eq!(packet.flow.source, at("100.64.0.2:5000"));
    let mut out = Outbox::new(false);
    let to_carrier = carrier.handle(SimTime::ZERO, PortId::new(1), &mut packet, &mut out);
    assert_eq!(to_carrier, Verdict::Forward(PortId::UPLINK));
    assert_eq!(packet.flow.source.ip(), ip("203.0.113.10"));
    assert_eq!((packet.trail.source_rewrites, packet.hop_limit), (2, 62));

    let mut answer = Packet::udp(packet.flow.reversed(), &b"in"[..]);
    let to_home = carrier.handle(SimTime::ZERO, PortId::UPLINK, &mut answer, &mut out);
    assert_eq!(to_home, Verdict::Forward(PortId::new(1)));
    assert_eq!(home.handle(PortId::UPLINK, &mut answer), Verdict::Forward(PortId::new(1)));
    assert_eq!(answer.flow, Flow::new(at(REMOTE), at("10.0.0.2:5000")));
    assert_eq!(answer.trail.destination_rewrites, 2);
}

/// A carrier's NAT with one customer behind it.
fn carrier_with_customer(customer: &str) -> Nat {
    let config = plan::Nat {
        behavior: full_cone(),
        inside: "100.64.0.0/10".parse().expect("a network"),
        gateway: ip("100.64.0.1"),
        ipv6: None,
        nat64: None,
        label: None,
    };
    let mut topology = Topology::new();
    let link = || plan::Link::with_delay(SimDuration::from_millis(1));
    let outside = vec![ip("203.0.113.10")];
    let id = topology.add(NodeId::new(0), "carrier", Element::Nat(config.clone()), outside.clone(), link());
    topology.add(id, "home", Element::Router, vec![ip(customer)], link());
    let random = Random::stream(1, "carrier", "ports");
    Nat::new(&config, &outside, topology.routes(id), &Limits::DEFAULT, random)
}
