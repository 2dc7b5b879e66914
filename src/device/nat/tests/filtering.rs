//! RFC 4787 §5.

use super::*;
use crate::plan::{Accepts, FilterScope};

/// Which of the same endpoint, another port of its address, and another address may answer.
fn admitted(filtering: FilteringBehavior) -> [bool; 3] {
    let mut lab = Lab::new(behavior(MappingBehavior::EndpointIndependent, filtering));
    let external = lab.sent("10.0.0.2:5000", "192.0.2.1:1000");
    ["192.0.2.1:1000", "192.0.2.1:2000", "192.0.2.2:1000"]
        .map(|remote| lab.receive(remote, external) == Ok(at("10.0.0.2:5000")))
}

#[test]
fn endpoint_independent_filtering_admits_anybody() {
    assert_eq!(admitted(FilteringBehavior::EndpointIndependent), [true, true, true]);
}

#[test]
fn address_dependent_filtering_admits_every_port_of_an_address_that_was_sent_to() {
    assert_eq!(admitted(FilteringBehavior::AddressDependent), [true, true, false]);
}

#[test]
fn address_and_port_dependent_filtering_admits_only_endpoints_that_were_sent_to() {
    assert_eq!(admitted(FilteringBehavior::AddressAndPortDependent), [true, false, false]);
}

#[test]
fn a_filtered_packet_is_told_what_would_have_been_accepted() {
    let mut lab =
        Lab::new(behavior(MappingBehavior::EndpointIndependent, FilteringBehavior::AddressDependent));
    let external = lab.sent("10.0.0.2:5000", "192.0.2.1:1000");
    let drop = lab.receive("192.0.2.2:1000", external).expect_err("filtered");
    assert_eq!(drop.reason, DropReason::NatFiltered);
    let accepts = Accepts::from_remotes([at("192.0.2.1:0")]);
    let filtering = FilteringBehavior::AddressDependent;
    assert_eq!(drop.rule, Rule::Filter { filtering, external, accepts });
}

#[test]
fn with_a_filter_per_mapping_a_remote_is_admitted_only_where_it_was_sent_to() {
    let (mut lab, to_server, to_peer) = two_mappings(FilterScope::Mapping);
    assert_eq!(lab.refused("203.0.113.7:4000", to_server), DropReason::NatFiltered);
    assert_eq!(lab.receive("203.0.113.7:4000", to_peer), Ok(at("10.0.0.2:5000")));
}

#[test]
fn with_a_filter_per_endpoint_a_remote_is_admitted_at_every_mapping_of_the_endpoint() {
    let (mut lab, to_server, _) = two_mappings(FilterScope::Endpoint);
    assert_eq!(lab.receive("203.0.113.7:4000", to_server), Ok(at("10.0.0.2:5000")));
    let other = lab.sent("10.0.0.2:5001", "192.0.2.1:3478");
    assert_eq!(lab.refused("203.0.113.7:4000", other), DropReason::NatFiltered, "another endpoint");
}

#[test]
fn a_filter_entry_of_an_endpoint_goes_with_the_mapping_that_opened_it() {
    let (mut lab, to_server, _) = two_mappings(FilterScope::Endpoint);
    lab.wait(secs(20));
    lab.sent("10.0.0.2:5000", "192.0.2.1:3478");
    lab.wait(secs(20));
    let drop = lab.receive("203.0.113.7:4000", to_server).expect_err("filtered");
    assert_eq!(
        drop.rule.to_string().split(" (").next(),
        Some("198.51.100.1:5000 accepts only 192.0.2.1:3478")
    );
}

/// An APDM NAT, and the external endpoints of one internal endpoint towards a server and towards a peer.
fn two_mappings(filter_scope: FilterScope) -> (Lab, SocketAddr, SocketAddr) {
    let mut lab = Lab::new(NatBehavior {
        filter_scope,
        ..behavior(MappingBehavior::AddressAndPortDependent, FilteringBehavior::AddressAndPortDependent)
    });
    let to_server = lab.sent("10.0.0.2:5000", "192.0.2.1:3478");
    let to_peer = lab.sent("10.0.0.2:5000", "203.0.113.7:4000");
    assert_ne!(to_server, to_peer);
    (lab, to_server, to_peer)
}
