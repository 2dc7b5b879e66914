//! RFC 4787 §4.3.

use super::*;
use crate::plan::{Protocol, RefreshDirection};

const REMOTE: &str = "192.0.2.1:1000";

fn lab(refresh: RefreshDirection) -> Lab {
    let mut behavior = port_restricted();
    behavior.lifetimes.refresh = refresh;
    Lab::new(behavior)
}

#[test]
fn an_unreplied_mapping_lives_for_its_lifetime_and_no_longer() {
    for (after, alive) in [(29_999, true), (30_000, false), (30_001, false)] {
        let mut lab = lab(RefreshDirection::Outbound);
        let external = lab.sent("10.0.0.2:5000", REMOTE);
        lab.wait(millis(after));
        assert_eq!(lab.rows().len(), usize::from(alive));
        assert_eq!(lab.receive(REMOTE, external).is_ok(), alive, "after {after} ms");
    }
}

#[test]
fn a_replied_mapping_lives_for_the_longer_lifetime_from_its_last_outbound_packet() {
    for (after, alive) in [(119_999, true), (120_000, false)] {
        let mut lab = lab(RefreshDirection::Outbound);
        let external = lab.sent("10.0.0.2:5000", REMOTE);
        lab.wait(secs(10));
        lab.receive(REMOTE, external).expect("admitted");
        lab.wait(millis(after - 10_000));
        assert_eq!(lab.receive(REMOTE, external).is_ok(), alive, "after {after} ms");
    }
}

#[test]
fn outbound_packets_refresh_a_mapping() {
    let mut lab = lab(RefreshDirection::Outbound);
    let external = lab.sent("10.0.0.2:5000", REMOTE);
    for _ in 0..10 {
        lab.wait(secs(29));
        assert_eq!(lab.sent("10.0.0.2:5000", REMOTE), external);
    }
    assert_eq!(lab.rows()[0].created, SimTime::ZERO);
    assert_eq!(lab.rows()[0].expires, lab.now + secs(30));
}

#[test]
fn inbound_packets_refresh_a_mapping_only_where_configured() {
    for (refresh, alive) in [
        (RefreshDirection::Outbound, false),
        (RefreshDirection::Inbound, true),
        (RefreshDirection::Both, true),
    ] {
        let mut lab = lab(refresh);
        let external = lab.sent("10.0.0.2:5000", REMOTE);
        lab.receive(REMOTE, external).expect("admitted");
        lab.wait(secs(100));
        lab.receive(REMOTE, external).expect("admitted");
        lab.wait(secs(100));
        assert_eq!(lab.receive(REMOTE, external).is_ok(), alive, "{refresh}");
    }
}

#[test]
fn with_inbound_refresh_alone_outbound_packets_keep_nothing_alive() {
    let mut lab = lab(RefreshDirection::Inbound);
    lab.sent("10.0.0.2:5000", REMOTE);
    lab.wait(secs(29));
    lab.sent("10.0.0.2:5000", REMOTE);
    lab.wait(secs(1));
    assert_eq!(lab.rows(), []);
}

#[test]
fn a_filtered_packet_refreshes_nothing_and_is_no_reply() {
    let mut lab = lab(RefreshDirection::Both);
    let external = lab.sent("10.0.0.2:5000", REMOTE);
    lab.wait(secs(29));
    assert_eq!(lab.refused("192.0.2.9:1", external), DropReason::NatFiltered);
    assert_eq!(lab.rows()[0].expires, SimTime::from_millis(30_000));
}

#[test]
fn a_late_packet_learns_that_the_mapping_expired_and_when() {
    let mut lab = lab(RefreshDirection::Outbound);
    let external = lab.sent("10.0.0.2:5000", REMOTE);
    lab.wait(secs(42));
    let drop = lab.receive(REMOTE, external).expect_err("too late");
    assert_eq!(drop.reason, DropReason::NatExpired);
    assert_eq!(drop.rule, Rule::Expired { external, ago: secs(12) });
    assert_eq!(lab.refused(REMOTE, at("198.51.100.1:9")), DropReason::NatNoMapping);
}

#[test]
fn the_end_of_a_mapping_is_reported_at_its_time_and_its_port_is_free_again() {
    let mut lab = lab(RefreshDirection::Outbound);
    let external = lab.sent("10.0.0.2:5000", REMOTE);
    lab.wait(secs(20));
    lab.sent("10.0.0.2:5000", REMOTE);
    lab.out.changes.clear();

    let early = lab.nat.next_timeout().expect("a timer");
    assert!(early <= SimTime::ZERO + secs(50));
    lab.nat.handle_timeout(early, &mut lab.out);
    assert_eq!(lab.out.changes, [], "the mapping was refreshed");
    let due = lab.nat.next_timeout().expect("a timer");
    assert_eq!(due, SimTime::ZERO + secs(50));
    lab.nat.handle_timeout(due, &mut lab.out);

    let (protocol, internal) = (Protocol::Udp, at("10.0.0.2:5000"));
    assert_eq!(lab.out.changes, [StateChange::MappingExpired { protocol, internal, external }]);
    assert_eq!(lab.nat.next_timeout(), None);
    lab.now = due;
    assert_eq!(lab.sent("10.0.0.3:5000", REMOTE), external);
}

#[test]
fn a_replied_lifetime_shorter_than_the_unreplied_one_counts_from_the_next_refresh() {
    let mut behavior = port_restricted();
    behavior.lifetimes.udp = secs(10);
    let mut lab = Lab::new(behavior);
    let external = lab.sent("10.0.0.2:5000", REMOTE);
    lab.wait(secs(15));
    lab.receive(REMOTE, external).expect("a reply shortens no life");
    lab.sent("10.0.0.2:5000", REMOTE);
    lab.wait(millis(9_999));
    lab.receive(REMOTE, external).expect("still alive");
    lab.wait(millis(1));
    assert_eq!(lab.refused(REMOTE, external), DropReason::NatExpired);
    lab.nat.handle_timeout(SimTime::ZERO + secs(30), &mut lab.out);
    assert_eq!(lab.nat.next_timeout(), None, "no timer is left of the longer life");
}
