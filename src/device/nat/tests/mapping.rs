//! RFC 4787 §4.1.

use super::*;
use crate::plan::{Accepts, Protocol, ReplyMapping};

/// The external ports of packets to Y1:y1, Y1:y2 and Y2:y1, and of a second packet to Y1:y1.
fn external_ports(mapping: MappingBehavior) -> [u16; 4] {
    let mut lab = Lab::new(behavior(mapping, FilteringBehavior::AddressAndPortDependent));
    ["192.0.2.1:1000", "192.0.2.1:2000", "192.0.2.2:1000", "192.0.2.1:1000"]
        .map(|remote| lab.sent("10.0.0.2:5000", remote).port())
}

#[test]
fn endpoint_independent_mapping_reuses_the_mapping_for_every_remote() {
    let [first, same_address, other_address, again] = external_ports(MappingBehavior::EndpointIndependent);
    assert_eq!([same_address, other_address, again], [first; 3]);
}

#[test]
fn address_dependent_mapping_reuses_the_mapping_for_the_same_address_regardless_of_port() {
    let [first, same_address, other_address, again] = external_ports(MappingBehavior::AddressDependent);
    assert_eq!([same_address, again], [first; 2]);
    assert_ne!(other_address, first);
}

#[test]
fn address_and_port_dependent_mapping_reuses_the_mapping_for_the_same_address_and_port_only() {
    let [first, same_address, other_address, again] =
        external_ports(MappingBehavior::AddressAndPortDependent);
    assert_eq!(again, first);
    assert!(first != same_address && first != other_address && same_address != other_address);
}

#[test]
fn different_internal_endpoints_never_share_a_mapping() {
    let mut lab = Lab::new(full_cone());
    let external = ["10.0.0.2:5000", "10.0.0.2:5001", "10.0.0.3:5000"]
        .map(|internal| lab.sent(internal, "192.0.2.1:1000"));
    assert!(external[0] != external[1] && external[0] != external[2] && external[1] != external[2]);
}

#[test]
fn protocols_have_mappings_of_their_own() {
    let mut lab = Lab::new(full_cone());
    let external = lab.sent("10.0.0.2:5000", "192.0.2.1:1000");
    let mut segment = tcp("10.0.0.3:5000", "192.0.2.1:1000");
    assert_eq!(lab.handle(PortId::new(2), &mut segment), Verdict::Forward(PortId::UPLINK));
    assert_eq!(segment.flow.source, external, "UDP's port 5000 does not keep TCP from it");
    assert_eq!(lab.rows().iter().map(|row| row.protocol).collect::<Vec<_>>(), [Protocol::Udp, Protocol::Tcp]);
    assert_eq!(lab.receive("192.0.2.1:1000", external), Ok(at("10.0.0.2:5000")));
}

#[test]
fn a_mapping_and_its_filter_are_reported_as_they_come_to_be() {
    let mut lab = Lab::new(port_restricted());
    let external = lab.sent("10.0.0.2:5000", "192.0.2.1:1000");
    let row = MappingRow {
        explicit: false,
        protocol: Protocol::Udp,
        phase: None,
        internal: at("10.0.0.2:5000"),
        external,
        for_remote: None,
        accepts: Some(Accepts::default()),
        created: SimTime::ZERO,
        expires: SimTime::from_millis(30_000),
    };
    let opened =
        StateChange::FilterOpened { protocol: Protocol::Udp, external, remote: at("192.0.2.1:1000") };
    assert_eq!(lab.out.changes, [StateChange::MappingCreated(Box::new(row.clone())), opened]);
    let accepts = Some(Accepts::from_remotes([at("192.0.2.1:1000")]));
    assert_eq!(lab.rows(), [MappingRow { accepts, ..row }]);
}

#[test]
fn mappings_are_listed_in_the_order_of_their_creation_even_if_places_are_reused() {
    let mut lab = Lab::new(full_cone());
    lab.sent("10.0.0.2:1", "192.0.2.1:1000");
    lab.wait(secs(10));
    lab.sent("10.0.0.2:2", "192.0.2.1:1000");
    lab.wait(secs(25));
    lab.sent("10.0.0.2:3", "192.0.2.1:1000");
    let internal: Vec<_> = lab.rows().iter().map(|row| row.internal.port()).collect();
    assert_eq!(internal, [2, 3]);
}

/// An APDM NAT with open filtering: S was sent to, then P is admitted through S's mapping.
fn admitted_through_another_mapping(reply: ReplyMapping) -> (Lab, SocketAddr) {
    let mut lab = Lab::new(NatBehavior {
        reply_mapping: reply,
        ..behavior(MappingBehavior::AddressAndPortDependent, FilteringBehavior::EndpointIndependent)
    });
    let external = lab.sent("10.0.0.2:5000", "192.0.2.1:3478");
    lab.receive("203.0.113.7:4000", external).expect("EIF admits anybody");
    (lab, external)
}

#[test]
fn a_reply_leaves_from_the_mapping_through_which_the_remotes_packet_was_admitted() {
    let (mut lab, external) = admitted_through_another_mapping(ReplyMapping::Admitting);
    assert_eq!(lab.sent("10.0.0.2:5000", "203.0.113.7:4000"), external);
    assert_ne!(lab.sent("10.0.0.2:5000", "203.0.113.7:4001"), external, "another port is another remote");
}

#[test]
fn the_latest_admission_decides_where_a_reply_leaves() {
    let (mut lab, first) = admitted_through_another_mapping(ReplyMapping::Admitting);
    let second = lab.sent("10.0.0.2:5000", "192.0.2.2:3478");
    lab.receive("203.0.113.7:4000", second).expect("EIF admits anybody");
    assert_eq!(lab.sent("10.0.0.2:5000", "203.0.113.7:4000"), second);
    lab.receive("203.0.113.7:4000", first).expect("EIF admits anybody");
    assert_eq!(lab.sent("10.0.0.2:5000", "203.0.113.7:4000"), first);
}

#[test]
fn once_the_admitting_mapping_is_gone_the_mapping_rule_decides() {
    let (mut lab, external) = admitted_through_another_mapping(ReplyMapping::Admitting);
    lab.wait(secs(121));
    let fresh = lab.sent("10.0.0.2:5000", "203.0.113.7:4000");
    assert_eq!(lab.rows()[0].for_remote, Some(at("203.0.113.7:4000")));
    assert_eq!(fresh, external, "port preservation gives the freed port again");
}

#[test]
fn by_destination_a_reply_leaves_from_the_mapping_of_its_destination() {
    let (mut lab, external) = admitted_through_another_mapping(ReplyMapping::ByDestination);
    let reply = lab.sent("10.0.0.2:5000", "203.0.113.7:4000");
    assert_ne!(reply, external);
    assert_eq!(lab.rows()[1].for_remote, Some(at("203.0.113.7:4000")));
}
