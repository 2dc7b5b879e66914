//! RFC 4787 REQ-12, RFC 5508 §4.

use super::*;

const REMOTE: &str = "192.0.2.1:1000";

/// An error about a packet of 10.0.0.2:5000 to [`REMOTE`], from a router on the way.
fn error_from_outside(lab: &mut Lab) -> Packet {
    let mut packet = udp("10.0.0.2:5000", REMOTE);
    lab.handle(PortId::new(1), &mut packet);
    packet.icmp_error(ip("203.0.113.99"), IcmpKind::TimeExceeded).expect("an error")
}

#[test]
fn an_error_from_anywhere_reaches_the_sender_with_the_flow_it_knows() {
    let mut lab = Lab::new(port_restricted());
    let mut error = error_from_outside(&mut lab);
    assert_eq!(lab.handle(PortId::UPLINK, &mut error), Verdict::Forward(PortId::new(1)));
    assert_eq!(error.flow, Flow::new(at("203.0.113.99:0"), at("10.0.0.2:0")));
    let Body::Icmp(icmp) = &error.body else { panic!("not ICMP") };
    assert_eq!(icmp.quoted, Flow::new(at("10.0.0.2:5000"), at(REMOTE)));
    assert_eq!(error.trail.destination_rewrites, 1);
    assert_eq!(error.hop_limit, 63);
}

#[test]
fn an_error_neither_refreshes_nor_ends_a_mapping() {
    let mut lab = Lab::new(port_restricted());
    let mut error = error_from_outside(&mut lab);
    let before = lab.rows();
    lab.wait(secs(20));
    lab.handle(PortId::UPLINK, &mut error);
    assert_eq!(lab.rows(), before);
}

#[test]
fn an_error_about_no_known_flow_is_dropped() {
    let mut lab = Lab::new(full_cone());
    let mut error = error_from_outside(&mut lab);
    let Body::Icmp(icmp) = &mut error.body else { panic!("not ICMP") };
    icmp.quoted.destination = at("192.0.2.1:9");
    let Verdict::Drop(drop) = lab.handle(PortId::UPLINK, &mut error) else { panic!("forwarded") };
    assert_eq!(drop.reason, DropReason::NatNoMapping);
}

#[test]
fn an_error_about_an_expired_flow_is_dropped_as_expired() {
    let mut lab = Lab::new(full_cone());
    let mut error = error_from_outside(&mut lab);
    lab.wait(secs(31));
    let Verdict::Drop(drop) = lab.handle(PortId::UPLINK, &mut error) else { panic!("forwarded") };
    assert_eq!(drop.reason, DropReason::NatExpired);
}

#[test]
fn an_error_from_inside_leaves_with_the_flow_its_receiver_knows() {
    let mut lab = Lab::new(full_cone());
    let external = lab.sent("10.0.0.2:5000", REMOTE);
    let mut packet = Packet::udp(Flow::new(at("203.0.113.7:4000"), external), &b"in"[..]);
    lab.handle(PortId::UPLINK, &mut packet);
    let mut error = packet.icmp_error(ip("10.0.0.2"), IcmpKind::PortUnreachable).expect("an error");

    assert_eq!(lab.handle(PortId::new(1), &mut error), Verdict::Forward(PortId::UPLINK));
    assert_eq!(error.flow, Flow::new(SocketAddr::new(external.ip(), 0), at("203.0.113.7:0")));
    let Body::Icmp(icmp) = &error.body else { panic!("not ICMP") };
    assert_eq!(icmp.quoted, Flow::new(at("203.0.113.7:4000"), external));
    assert_eq!(error.trail.source_rewrites, 1);
}

#[test]
fn an_error_from_inside_about_nothing_known_is_dropped() {
    let mut lab = Lab::new(full_cone());
    let mut error =
        udp(REMOTE, "10.0.0.2:5000").icmp_error(ip("10.0.0.2"), IcmpKind::PortUnreachable).expect("an error");
    let Verdict::Drop(drop) = lab.handle(PortId::new(1), &mut error) else { panic!("forwarded") };
    assert_eq!(drop.reason, DropReason::NatNoMapping);
}
