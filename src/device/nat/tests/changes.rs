//! What may change about a NAT while it runs. RFC 4787 knows of no such thing but a reboot (§4.3, RFC 7857 §8).

use super::*;
use crate::base::PortRange;

const REMOTE: &str = "192.0.2.1:1000";
const OTHER: &str = "192.0.2.9:1000";

#[test]
fn a_reboot_forgets_every_mapping_and_filter_entry() {
    let mut lab = Lab::new(port_restricted());
    let external = lab.sent("10.0.0.2:5000", REMOTE);

    lab.nat.reboot(lab.now, &mut lab.out);

    assert!(lab.rows().is_empty());
    assert_eq!(lab.refused(REMOTE, external), DropReason::NatNoMapping);
    assert_eq!(lab.out.changes.last(), Some(&StateChange::Forgot));
}

#[test]
fn after_a_reboot_the_same_endpoint_gets_its_port_again_where_ports_are_preserved() {
    let mut lab = Lab::new(port_restricted());
    let external = lab.sent("10.0.0.2:5000", REMOTE);

    lab.nat.reboot(lab.now, &mut lab.out);

    assert_eq!(lab.sent("10.0.0.2:5000", REMOTE), external);
    lab.receive(REMOTE, external).expect("its own packet has opened the filter");
}

#[test]
fn a_renumbered_nat_maps_to_its_new_address_and_has_no_old_one() {
    let mut lab = Lab::new(port_restricted());
    let before = lab.sent("10.0.0.2:5000", REMOTE);

    lab.nat.renumber(lab.now, &[ip("198.51.100.7")], &mut lab.out);

    assert_eq!(lab.refused(REMOTE, before), DropReason::NoRoute);
    assert_eq!(lab.sent("10.0.0.2:5000", REMOTE).ip(), ip("198.51.100.7"));
}

#[test]
fn a_mapping_outlives_a_change_of_the_mapping_rule() {
    let mut lab = Lab::new(port_restricted());
    let external = lab.sent("10.0.0.2:5000", REMOTE);
    let symmetric =
        behavior(MappingBehavior::AddressAndPortDependent, FilteringBehavior::AddressAndPortDependent);

    lab.nat.reconfigure(&symmetric);

    assert_eq!(lab.sent("10.0.0.2:5000", REMOTE), external, "a known flow");
    assert_ne!(lab.sent("10.0.0.2:5000", OTHER), external, "a new one");
}

#[test]
fn a_new_filter_applies_to_the_next_packet() {
    let mut lab = Lab::new(port_restricted());
    let external = lab.sent("10.0.0.2:5000", REMOTE);
    assert_eq!(lab.refused(OTHER, external), DropReason::NatFiltered);
    let open = behavior(MappingBehavior::EndpointIndependent, FilteringBehavior::EndpointIndependent);

    lab.nat.reconfigure(&open);

    lab.receive(OTHER, external).expect("anybody may enter");
}

#[test]
fn a_new_lifetime_counts_from_the_next_refresh() {
    let mut lab = Lab::new(port_restricted());
    lab.sent("10.0.0.2:5000", REMOTE);
    let mut short = port_restricted();
    (short.lifetimes.udp, short.lifetimes.udp_unreplied) = (secs(10), secs(10));

    lab.nat.reconfigure(&short);

    assert_eq!(lab.rows()[0].expires, lab.now + secs(30));
    lab.sent("10.0.0.2:5000", REMOTE);
    assert_eq!(lab.rows()[0].expires, lab.now + secs(10));
}

#[test]
fn ports_taken_outside_a_new_range_leave_all_of_the_range_free() {
    let mut lab = Lab::new(port_restricted());
    for port in [5000, 5001] {
        lab.sent(&format!("10.0.0.2:{port}"), REMOTE);
    }
    let mut narrow = port_restricted();
    narrow.ports.range = PortRange::new(6000, 6001).expect("a range");

    lab.nat.reconfigure(&narrow);

    let ports: Vec<u16> =
        [5002, 5003].map(|port| lab.sent(&format!("10.0.0.2:{port}"), REMOTE).port()).to_vec();
    assert!(ports.iter().all(|port| (6000..=6001).contains(port)), "{ports:?}");
    assert_eq!(lab.send("10.0.0.2:5004", REMOTE).expect_err("full").reason, DropReason::NatPortsExhausted);
}
