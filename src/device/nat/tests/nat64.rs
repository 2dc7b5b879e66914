//! NAT64: RFC 6146's rules, and that no packet ever mixes families.

use super::*;
use crate::plan::{Hairpinning, Ipv6Side, Nat64, Nat64Prefix, Unsolicited};

const OUT: Verdict = Verdict::Forward(PortId::UPLINK);
const ALICE: &str = "[2001:db8:a::10]:5000";
const BOB: &str = "[2001:db8:a::11]:5000";
const SERVER: &str = "192.0.2.1:3478";

/// An endpoint as hosts inside write it.
fn inside(ipv4: &str) -> SocketAddr {
    Nat64Prefix::WELL_KNOWN.embed_socket(at(ipv4))
}

/// 2001:db8:a::10 and ::11 behind a NAT64 with an outside address, on its ports 1 and 2.
fn lab_with(behavior: NatBehavior, prefix: Nat64Prefix) -> Lab {
    let side = Ipv6Side {
        prefix: "2001:db8:a::/64".parse().expect("a network"),
        gateway: "2001:db8:a::1".parse().expect("an address"),
        filtering: FilteringBehavior::AddressAndPortDependent,
        udp_lifetime: secs(300),
        tcp: plan::TcpLifetimes::DEFAULT,
    };
    let config = plan::Nat {
        behavior,
        inside: "10.0.0.0/24".parse().expect("a network"),
        gateway: ip("10.0.0.1"),
        ipv6: Some(side),
        nat64: Some(Nat64 { prefix, ipv6_only: true }),
        label: None,
    };
    let mut topology = Topology::new();
    let link = || plan::Link::with_delay(millis(1));
    let outside = vec![ip(OUTSIDE)];
    let id = topology.add(NodeId::new(0), "nat", Element::Nat(config.clone()), outside.clone(), link());
    for host in [ALICE, BOB] {
        let element = Element::Server(plan::Server { stun: Vec::new(), turn: None, up: true });
        topology.add(id, host, element, vec![at(host).ip()], link());
    }
    let random = Random::stream(1, "nat", "ports");
    let nat = Nat::new(&config, &outside, topology.routes(id), &Limits::DEFAULT, random);
    Lab { nat, now: SimTime::ZERO, out: Outbox::new(true) }
}

fn lab(filtering: FilteringBehavior) -> Lab {
    lab_with(behavior(MappingBehavior::EndpointIndependent, filtering), Nat64Prefix::WELL_KNOWN)
}

impl Lab {
    /// A packet from inside to an IPv4 endpoint; its flow outside.
    fn out64(&mut self, from: &str, to: &str) -> Flow {
        let mut packet = Packet::udp(Flow::new(at(from), inside(to)), &b"out"[..]);
        assert_eq!(self.handle(host_port(from), &mut packet), OUT);
        packet.flow
    }

    /// A packet from outside; its flow inside, or why it died.
    fn in64(&mut self, from: &str, to: SocketAddr) -> Result<Flow, DropReason> {
        let mut packet = Packet::udp(Flow::new(at(from), to), &b"in"[..]);
        match self.handle(PortId::UPLINK, &mut packet) {
            Verdict::Forward(port) => {
                assert_ne!(port, PortId::UPLINK);
                Ok(packet.flow)
            }
            Verdict::Drop(drop) => Err(drop.reason),
            Verdict::Deliver => panic!("a NAT takes nothing"),
        }
    }
}

fn host_port(host: &str) -> PortId {
    PortId::new(if host == ALICE { 1 } else { 2 })
}

#[test]
fn both_addresses_change_on_the_way_out_and_in_and_it_counts_as_one_nat() {
    let mut lab = lab(FilteringBehavior::AddressDependent);
    let mut packet = Packet::udp(Flow::new(at(ALICE), inside(SERVER)), &b"out"[..]);
    assert_eq!(lab.handle(host_port(ALICE), &mut packet), OUT);
    let external = packet.flow.source;
    assert_eq!((external.ip(), packet.flow.destination), (ip(OUTSIDE), at(SERVER)));
    assert_eq!((packet.trail.source_rewrites, packet.trail.destination_rewrites), (1, 0));

    let mut answer = Packet::udp(Flow::new(at(SERVER), external), &b"in"[..]);
    assert_eq!(lab.handle(PortId::UPLINK, &mut answer), Verdict::Forward(host_port(ALICE)));
    assert_eq!(answer.flow, Flow::new(inside(SERVER), at(ALICE)));
    assert_eq!((answer.trail.source_rewrites, answer.trail.destination_rewrites), (0, 1));
}

#[test]
fn mappings_do_not_depend_on_the_destination() {
    let mut lab = lab(FilteringBehavior::AddressDependent);
    assert_eq!(lab.out64(ALICE, SERVER).source, lab.out64(ALICE, "203.0.113.9:7").source);
    assert_ne!(lab.out64(ALICE, SERVER).source, lab.out64(BOB, SERVER).source);
}

#[test]
fn filtering_is_by_ipv4_address_or_none() {
    let mut strict = lab(FilteringBehavior::AddressDependent);
    let external = strict.out64(ALICE, SERVER).source;
    assert_eq!(strict.in64("203.0.113.9:7", external), Err(DropReason::NatFiltered));
    assert!(strict.in64("192.0.2.1:9", external).is_ok());

    let mut open = lab(FilteringBehavior::EndpointIndependent);
    let external = open.out64(ALICE, SERVER).source;
    let flow = open.in64("203.0.113.9:7", external);
    assert_eq!(flow, Ok(Flow::new(inside("203.0.113.9:7"), at(ALICE))));
}

/// RFC 6052 §3.1.
#[test]
fn private_addresses_have_no_place_behind_the_well_known_prefix() {
    let mut lab = lab(FilteringBehavior::EndpointIndependent);
    for private in ["10.0.0.9:1", "192.168.1.1:1", "100.64.0.1:1"] {
        let flow = Flow::new(at(ALICE), inside(private));
        let mut packet = Packet::udp(flow, &b"out"[..]);
        let Verdict::Drop(drop) = lab.handle(host_port(ALICE), &mut packet) else {
            panic!("{private} passed")
        };
        assert_eq!((drop.reason, packet.flow), (DropReason::NoRoute, flow));
        assert!(drop.rule.to_string().contains("global"), "{}", drop.rule);
    }
}

#[test]
fn a_prefix_of_its_own_may_stand_for_private_addresses() {
    let prefix = Nat64Prefix::new("2001:db8:64::/96".parse().expect("a network")).expect("a prefix");
    let mut lab = lab_with(full_cone(), prefix);
    let flow = Flow::new(at(ALICE), prefix.embed_socket(at("192.168.9.9:1")));
    let mut packet = Packet::udp(flow, &b"out"[..]);
    assert_eq!(lab.handle(host_port(ALICE), &mut packet), OUT);
    assert_eq!(packet.flow.destination, at("192.168.9.9:1"));
}

/// RFC 6146 §3.8.
#[test]
fn hairpinned_packets_come_from_the_external_endpoint() {
    let hairpins = |filtering| {
        let mut behavior = behavior(MappingBehavior::EndpointIndependent, filtering);
        behavior.hairpinning = Hairpinning::ExternalSource;
        let mut lab = lab_with(behavior, Nat64Prefix::WELL_KNOWN);
        let bob = lab.out64(BOB, SERVER).source;
        let alice = lab.out64(ALICE, SERVER).source;
        let flow = Flow::new(at(ALICE), inside(&bob.to_string()));
        let mut packet = Packet::udp(flow, &b"turn round"[..]);
        let verdict = lab.handle(host_port(ALICE), &mut packet);
        (verdict, packet, inside(&alice.to_string()))
    };

    let (verdict, packet, alice) = hairpins(FilteringBehavior::EndpointIndependent);
    assert_eq!(verdict, Verdict::Forward(host_port(BOB)));
    assert_eq!(packet.flow, Flow::new(alice, at(BOB)));
    assert_eq!((packet.trail.source_rewrites, packet.trail.destination_rewrites), (1, 1));

    let (verdict, packet, _) = hairpins(FilteringBehavior::AddressDependent);
    let Verdict::Drop(drop) = verdict else { panic!("{verdict:?}") };
    assert_eq!((drop.reason, packet.flow.source), (DropReason::NatFiltered, at(ALICE)));
}

#[test]
fn who_is_turned_away_by_a_hairpin_is_told_by_ipv6() {
    for unsolicited in [Unsolicited::Icmp, Unsolicited::Rst] {
        let mut behavior =
            behavior(MappingBehavior::EndpointIndependent, FilteringBehavior::AddressDependent);
        behavior.hairpinning = Hairpinning::ExternalSource;
        behavior.unsolicited = unsolicited;
        let mut lab = lab_with(behavior, Nat64Prefix::WELL_KNOWN);
        let bob = inside(&lab.out64(BOB, SERVER).source.to_string());
        let nobody = inside("198.51.100.1:9").to_string();
        for mut packet in [Packet::udp(Flow::new(at(ALICE), bob), &b"x"[..]), tcp(ALICE, &nobody)] {
            assert!(matches!(lab.handle(host_port(ALICE), &mut packet), Verdict::Drop(_)));
        }
        lab.wait(secs(6));
        lab.nat.handle_timeout(lab.now, &mut lab.out);
        assert!(!lab.out.packets.is_empty(), "{unsolicited}");
        for answer in &lab.out.packets {
            assert_eq!(answer.port, host_port(ALICE));
            assert!(answer.packet.flow.source.is_ipv6() && answer.packet.flow.destination.is_ipv6());
        }
    }
}

#[test]
fn no_hairpinning_means_none() {
    let mut behavior = full_cone();
    behavior.hairpinning = Hairpinning::Off;
    let mut lab = lab_with(behavior, Nat64Prefix::WELL_KNOWN);
    let mut packet = Packet::udp(Flow::new(at(ALICE), inside("198.51.100.1:9")), &b"x"[..]);
    let verdict = lab.handle(host_port(ALICE), &mut packet);
    assert_eq!(verdict, Verdict::drop(DropReason::NatHairpinOff));
}

#[test]
fn errors_from_outside_quote_what_the_host_sent() {
    let mut lab = lab(FilteringBehavior::AddressDependent);
    let sent = lab.out64(ALICE, SERVER);
    let packet = Packet::udp(sent, &b"out"[..]);
    let mut error = packet.icmp_error(ip("203.0.113.77"), IcmpKind::HostUnreachable).expect("an error");

    assert_eq!(lab.handle(PortId::UPLINK, &mut error), Verdict::Forward(host_port(ALICE)));

    assert_eq!(error.flow, Flow::new(inside("203.0.113.77:0"), at("[2001:db8:a::10]:0")));
    let Body::Icmp(icmp) = &error.body else { panic!("no error") };
    assert_eq!(icmp.quoted, Flow::new(at(ALICE), inside(SERVER)));
    assert!(!error.to_bytes().is_empty());
}

#[test]
fn errors_from_inside_quote_what_the_remote_sent() {
    let mut lab = lab(FilteringBehavior::AddressDependent);
    let external = lab.out64(ALICE, SERVER).source;
    let came = lab.in64(SERVER, external).expect("it is let in");
    let packet = Packet::udp(came, &b"in"[..]);
    let mut error = packet.icmp_error(at(ALICE).ip(), IcmpKind::PortUnreachable).expect("an error");

    assert_eq!(lab.handle(host_port(ALICE), &mut error), OUT);

    assert_eq!(error.flow, Flow::new(at("198.51.100.1:0"), at("192.0.2.1:0")));
    let Body::Icmp(icmp) = &error.body else { panic!("no error") };
    assert_eq!(icmp.quoted, Flow::new(at(SERVER), external));
}

#[test]
fn a_hop_limit_that_runs_out_is_told_by_ipv6() {
    let mut lab = lab(FilteringBehavior::AddressDependent);
    let mut packet = Packet::udp(Flow::new(at(ALICE), inside(SERVER)), &b"out"[..]);
    packet.hop_limit = 1;
    assert_eq!(lab.handle(host_port(ALICE), &mut packet), Verdict::drop(DropReason::TtlExpired));
    assert_eq!(lab.out.packets[0].packet.flow.source.ip(), ip("2001:db8:a::1"));
}

#[test]
fn a_quota_that_is_used_up_is_told_by_ipv6() {
    let mut behavior = full_cone();
    behavior.ports.max_per_host = Some(1);
    let mut lab = lab_with(behavior, Nat64Prefix::WELL_KNOWN);
    lab.out64(ALICE, SERVER);
    let flow = Flow::new(at("[2001:db8:a::10]:5001"), inside(SERVER));
    let mut packet = Packet::udp(flow, &b"out"[..]);
    let Verdict::Drop(drop) = lab.handle(host_port(ALICE), &mut packet) else { panic!("it passed") };
    assert_eq!((drop.reason, packet.flow), (DropReason::NatQuota, flow));
    assert_eq!(lab.out.packets[0].packet.flow.source.ip(), ip("2001:db8:a::1"));
}

#[test]
fn nobody_outside_is_at_an_address_that_stands_for_another() {
    let mut lab = lab(FilteringBehavior::EndpointIndependent);
    let mut packet = Packet::udp(Flow::new(at("[2001:db8:5::1]:1"), inside(SERVER)), &b"in"[..]);
    let Verdict::Drop(drop) = lab.handle(PortId::UPLINK, &mut packet) else { panic!("it passed") };
    assert_eq!(drop.reason, DropReason::NoRoute);
}

#[test]
fn ipv6_to_ipv6_is_not_translated() {
    let mut lab = lab(FilteringBehavior::AddressDependent);
    let flow = Flow::new(at(ALICE), at("[2001:db8:5::1]:3478"));
    let mut packet = Packet::udp(flow, &b"out"[..]);
    assert_eq!(lab.handle(host_port(ALICE), &mut packet), OUT);
    assert_eq!((packet.flow, packet.trail.source_rewrites), (flow, 0));
}
