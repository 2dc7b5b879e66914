//! RFC 4787 §6.

use super::*;
use crate::plan::Hairpinning;

fn lab(hairpinning: Hairpinning, filtering: FilteringBehavior) -> Lab {
    Lab::new(NatBehavior { hairpinning, ..behavior(MappingBehavior::EndpointIndependent, filtering) })
}

/// Host 10.0.0.3 sends to host 10.0.0.2's external endpoint.
fn hairpin(lab: &mut Lab) -> (Verdict, Packet) {
    lab.sent("10.0.0.2:5000", "192.0.2.1:3478");
    let mut packet = udp("10.0.0.3:6000", "198.51.100.1:5000");
    let verdict = lab.handle(PortId::new(2), &mut packet);
    (verdict, packet)
}

#[test]
fn a_hairpinned_packet_bears_the_senders_external_source() {
    let mut lab = lab(Hairpinning::ExternalSource, FilteringBehavior::EndpointIndependent);
    let (verdict, packet) = hairpin(&mut lab);
    assert_eq!(verdict, Verdict::Forward(PortId::new(1)));
    assert_eq!(packet.flow, Flow::new(at("198.51.100.1:6000"), at("10.0.0.2:5000")));
    assert_eq!((packet.trail.source_rewrites, packet.trail.destination_rewrites), (1, 1));
    assert_eq!(packet.hop_limit, 63);
}

#[test]
fn some_nats_hairpin_with_the_senders_internal_source() {
    let mut lab = lab(Hairpinning::InternalSource, FilteringBehavior::EndpointIndependent);
    let (verdict, packet) = hairpin(&mut lab);
    assert_eq!(verdict, Verdict::Forward(PortId::new(1)));
    assert_eq!(packet.flow, Flow::new(at("10.0.0.3:6000"), at("10.0.0.2:5000")));
    assert_eq!((packet.trail.source_rewrites, packet.trail.destination_rewrites), (0, 1));
}

#[test]
fn a_nat_that_does_not_hairpin_drops_and_maps_nothing() {
    let mut lab = lab(Hairpinning::Off, FilteringBehavior::EndpointIndependent);
    let (verdict, packet) = hairpin(&mut lab);
    assert_eq!(verdict, Verdict::drop(DropReason::NatHairpinOff));
    assert_eq!(packet.flow, udp("10.0.0.3:6000", "198.51.100.1:5000").flow);
    assert_eq!(lab.rows().len(), 1);
}

#[test]
fn the_filter_applies_to_hairpinned_packets_by_their_external_source() {
    for style in [Hairpinning::ExternalSource, Hairpinning::InternalSource] {
        let mut lab = lab(style, FilteringBehavior::AddressAndPortDependent);
        let (verdict, _) = hairpin(&mut lab);
        let Verdict::Drop(drop) = verdict else { panic!("{verdict:?}") };
        assert_eq!(drop.reason, DropReason::NatFiltered);

        let mut answer = udp("10.0.0.2:5000", "198.51.100.1:6000");
        let verdict = lab.handle(PortId::new(1), &mut answer);
        assert_eq!(verdict, Verdict::Forward(PortId::new(2)), "the sender's own packet opened its filter");
        let (verdict, _) = hairpin(&mut lab);
        assert_eq!(verdict, Verdict::Forward(PortId::new(1)), "and the answer opened the other");
    }
}

#[test]
fn a_hairpinned_packet_to_no_mapping_dies() {
    let mut lab = lab(Hairpinning::ExternalSource, FilteringBehavior::EndpointIndependent);
    let mut packet = udp("10.0.0.3:6000", "198.51.100.1:9");
    let external = at("198.51.100.1:9");
    assert_eq!(
        lab.handle(PortId::new(2), &mut packet),
        Verdict::drop_by(DropReason::NatNoMapping, Rule::NoMapping { external })
    );
}

#[test]
fn errors_about_hairpinned_packets_are_hairpinned() {
    let mut lab = lab(Hairpinning::ExternalSource, FilteringBehavior::EndpointIndependent);
    let (_, received) = hairpin(&mut lab);
    let mut error = received.icmp_error(ip("10.0.0.2"), IcmpKind::PortUnreachable).expect("an error");
    assert_eq!(lab.handle(PortId::new(1), &mut error), Verdict::Forward(PortId::new(2)));
    assert_eq!(error.flow, Flow::new(at("198.51.100.1:0"), at("10.0.0.3:0")));
    let Body::Icmp(icmp) = &error.body else { panic!("not ICMP") };
    assert_eq!(icmp.quoted, Flow::new(at("10.0.0.3:6000"), at("198.51.100.1:5000")));
}
