//! The IPv6 side of a NAT box: RFC 6092's simple security.

use super::*;
use crate::plan::{Accepts, Ipv6Side, TcpLifetimes};

const REMOTE: &str = "[2001:db8:5::1]:3478";
const INSIDE: &str = "[2001:db8:a::10]:5000";
const NEIGHBOUR: &str = "[2001:db8:a::11]:5000";
const OUT: Verdict = Verdict::Forward(PortId::UPLINK);
const IN: Verdict = Verdict::Forward(PortId::new(1));

/// A symmetric NAT with 2001:db8:a::10 and ::11 behind it, on its ports 1 and 2.
fn lab(filtering: FilteringBehavior) -> Lab {
    let side = Ipv6Side {
        prefix: "2001:db8:a::/64".parse().expect("a network"),
        gateway: "2001:db8:a::1".parse().expect("an address"),
        filtering,
        udp_lifetime: secs(300),
        tcp: TcpLifetimes::established(secs(600)),
    };
    let both = FilteringBehavior::AddressAndPortDependent;
    let config = plan::Nat {
        behavior: behavior(MappingBehavior::AddressAndPortDependent, both),
        inside: "10.0.0.0/24".parse().expect("a network"),
        gateway: ip("10.0.0.1"),
        ipv6: Some(side),
        nat64: None,
        label: None,
    };
    let mut topology = Topology::new();
    let link = || plan::Link::with_delay(millis(1));
    let outside = vec![ip(OUTSIDE)];
    let id = topology.add(NodeId::new(0), "nat", Element::Nat(config.clone()), outside.clone(), link());
    for host in [INSIDE, NEIGHBOUR] {
        let element = Element::Server(plan::Server { stun: Vec::new(), turn: None, up: true });
        topology.add(id, host, element, vec![at(host).ip()], link());
    }
    let random = Random::stream(1, "nat", "ports");
    let nat = Nat::new(&config, &outside, topology.routes(id), &Limits::DEFAULT, random);
    Lab { nat, now: SimTime::ZERO, out: Outbox::new(true) }
}

fn strict() -> Lab {
    lab(FilteringBehavior::AddressAndPortDependent)
}

fn leave(lab: &mut Lab, from: &str, to: &str) -> Verdict {
    lab.handle(PortId::new(1), &mut udp(from, to))
}

fn enter(lab: &mut Lab, from: &str, to: &str) -> Verdict {
    lab.handle(PortId::UPLINK, &mut udp(from, to))
}

fn drop_of(verdict: Verdict) -> plan::Drop {
    match verdict {
        Verdict::Drop(drop) => *drop,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_translated() {
    let mut lab = strict();
    let mut packet = udp(INSIDE, REMOTE);
    assert_eq!(lab.handle(PortId::new(1), &mut packet), OUT);
    assert_eq!((packet.flow, packet.hop_limit), (Flow::new(at(INSIDE), at(REMOTE)), 63));
    assert_eq!(packet.trail, Default::default());
    assert!(lab.rows().is_empty(), "and nothing is mapped");
}

/// RFC 6092 REC-17 and REC-18, by the words RFC 4787 §5 has for them.
#[test]
fn only_answers_come_in_by_the_filtering_behaviour() {
    use FilteringBehavior as F;
    let remotes = [REMOTE, "[2001:db8:5::1]:9", "[2001:db8:5::9]:3478"];
    for (filtering, expected) in [
        (F::EndpointIndependent, [true, true, true]),
        (F::AddressDependent, [true, true, false]),
        (F::AddressAndPortDependent, [true, false, false]),
    ] {
        let mut lab = lab(filtering);
        assert!(remotes.iter().all(|remote| enter(&mut lab, remote, INSIDE) != IN), "nothing was asked for");
        assert_eq!(leave(&mut lab, INSIDE, REMOTE), OUT);
        assert_eq!(remotes.map(|remote| enter(&mut lab, remote, INSIDE) == IN), expected, "{filtering}");
    }
}

#[test]
fn what_nobody_asked_for_dies_at_the_firewall_and_says_who_would_have_come_in() {
    let mut lab = strict();
    leave(&mut lab, INSIDE, REMOTE);
    let drop = drop_of(enter(&mut lab, "[2001:db8:b::10]:1", INSIDE));
    let accepts = Accepts::from_remotes([at(REMOTE)]);
    let filtering = FilteringBehavior::AddressAndPortDependent;
    assert_eq!(drop.reason, DropReason::FirewallInbound);
    assert_eq!(drop.rule, Rule::Unsolicited { filtering, accepts });
}

/// RFC 6092 REC-14 and REC-16.
#[test]
fn a_flow_lives_300_s_from_its_last_outbound_packet() {
    let mut lab = strict();
    leave(&mut lab, INSIDE, REMOTE);
    lab.wait(millis(299_999));
    assert_eq!(enter(&mut lab, REMOTE, INSIDE), IN);
    lab.wait(millis(1));
    assert_eq!(drop_of(enter(&mut lab, REMOTE, INSIDE)).reason, DropReason::FirewallInbound);
}

#[test]
fn neighbours_are_switched_without_rules() {
    let mut lab = strict();
    let mut packet = udp(NEIGHBOUR, INSIDE);
    assert_eq!(lab.handle(PortId::new(2), &mut packet), IN);
    assert_eq!(packet.hop_limit, 64);
}

#[test]
fn an_address_of_the_prefix_that_nobody_has_is_neither_inside_nor_outside() {
    let mut lab = strict();
    let nobody = "[2001:db8:a::99]:1";
    assert_eq!(drop_of(leave(&mut lab, INSIDE, nobody)).reason, DropReason::NoRoute);
    assert_eq!(drop_of(enter(&mut lab, REMOTE, nobody)).reason, DropReason::NoRoute);
    assert!(lab.out.changes.is_empty(), "nothing was opened");
}

#[test]
fn the_box_itself_offers_nothing_and_tells_so_inside_only() {
    let mut lab = strict();
    let gateway = "[2001:db8:a::1]:53";
    assert_eq!(drop_of(leave(&mut lab, INSIDE, gateway)).reason, DropReason::HostPortClosed);
    assert_eq!(lab.errors(), [(PortId::new(1), IcmpKind::PortUnreachable)]);
    assert_eq!(drop_of(enter(&mut lab, REMOTE, gateway)).reason, DropReason::FirewallInbound);
    assert_eq!(lab.errors().len(), 1);
}

/// RFC 6092 REC-10.
#[test]
fn icmp_errors_about_known_flows_come_in() {
    let mut lab = strict();
    leave(&mut lab, INSIDE, REMOTE);
    let error =
        |packet: Packet| packet.icmp_error(ip("2001:db8:5::9"), IcmpKind::TimeExceeded).expect("an error");
    assert_eq!(lab.handle(PortId::UPLINK, &mut error(udp(INSIDE, REMOTE))), IN);
    let unknown = lab.handle(PortId::UPLINK, &mut error(udp(INSIDE, "[2001:db8:5::9]:1")));
    assert_eq!(drop_of(unknown).reason, DropReason::FirewallInbound);
}

#[test]
fn a_packet_whose_hops_run_out_is_answered_and_opens_nothing() {
    let mut lab = strict();
    let mut last = Packet { hop_limit: 1, ..udp(INSIDE, REMOTE) };
    assert_eq!(lab.handle(PortId::new(1), &mut last), Verdict::drop(DropReason::TtlExpired));
    let [emitted] = &lab.out.packets[..] else { panic!("{:?}", lab.out.packets) };
    assert_eq!(emitted.packet.flow.source, at("[2001:db8:a::1]:0"));
    assert_eq!(drop_of(enter(&mut lab, REMOTE, INSIDE)).reason, DropReason::FirewallInbound);
}

#[test]
fn ipv4_goes_its_own_way() {
    let mut lab = Lab::new(port_restricted());
    assert_eq!(lab.sent("10.0.0.2:5000", "192.0.2.1:3478").ip(), ip(OUTSIDE));
    let mut lab = strict();
    assert_eq!(
        drop_of(enter(&mut lab, "192.0.2.1:3478", "198.51.100.1:5000")).reason,
        DropReason::NatNoMapping
    );
}

#[test]
fn a_reboot_forgets_who_was_asked() {
    let mut lab = strict();
    leave(&mut lab, INSIDE, REMOTE);
    assert_eq!(enter(&mut lab, REMOTE, INSIDE), IN);
    lab.nat.reboot(lab.now, &mut lab.out);
    assert_eq!(drop_of(enter(&mut lab, REMOTE, INSIDE)).reason, DropReason::FirewallInbound);
}

#[test]
fn a_connection_is_remembered_for_as_long_as_the_side_says() {
    for (idle, expected) in [(599, true), (600, false)] {
        let mut lab = strict();
        let segment = |lab: &mut Lab, outbound: bool, syn: bool, ack: bool| {
            let flags = TcpFlags { syn, ack, ..TcpFlags::default() };
            let (from, to) = if outbound { (INSIDE, REMOTE) } else { (REMOTE, INSIDE) };
            let mut packet =
                Packet::tcp(Flow::new(at(from), at(to)), TcpSegment { flags, ..TcpSegment::default() });
            lab.handle(PortId::new(u16::from(outbound)), &mut packet)
        };
        segment(&mut lab, true, true, false);
        segment(&mut lab, false, true, true);
        segment(&mut lab, true, false, true);
        lab.wait(secs(idle));
        assert_eq!(segment(&mut lab, false, false, true) == IN, expected, "after {idle} s");
    }
}
