//! RFC 4787 §4.2, RFC 6888, RFC 7857 §3.

use super::*;
use crate::base::PortRange;
use crate::plan::{ConflictBehavior, PortAssignment, PortPolicy};

const REMOTE: &str = "192.0.2.1:1000";

fn policy(assignment: PortAssignment, on_conflict: ConflictBehavior, first: u16, last: u16) -> PortPolicy {
    let range = PortRange::new(first, last).expect("a range");
    PortPolicy { assignment, on_conflict, range, ..port_restricted().ports }
}

fn lab(ports: PortPolicy) -> Lab {
    Lab::new(NatBehavior { ports, ..port_restricted() })
}

/// The external ports of these internal endpoints, in turn.
fn ports_of(lab: &mut Lab, internal: &[&str]) -> Vec<u16> {
    internal.iter().map(|internal| lab.sent(internal, REMOTE).port()).collect()
}

#[test]
fn preservation_keeps_the_internal_port_if_it_is_free() {
    let mut lab = lab(policy(PortAssignment::Preservation, ConflictBehavior::Sequential, 1_024, 65_535));
    assert_eq!(ports_of(&mut lab, &["10.0.0.2:5000", "10.0.0.3:6000"]), [5_000, 6_000]);
}

#[test]
fn on_conflict_the_next_free_port_is_used_or_a_random_one_or_none() {
    let taken = ["10.0.0.2:5000", "10.0.0.3:5000", "10.0.0.4:5000"];
    let with = |on_conflict| lab(policy(PortAssignment::Preservation, on_conflict, 1_024, 65_535));

    assert_eq!(ports_of(&mut with(ConflictBehavior::Sequential), &taken), [5_000, 5_001, 5_002]);
    let random = ports_of(&mut with(ConflictBehavior::Random), &taken);
    assert!(random[1] >= 1_024 && random[1] != 5_001 && !random[2..].contains(&random[1]), "{random:?}");
    let mut dropping = with(ConflictBehavior::Drop);
    dropping.sent(taken[0], REMOTE);
    let drop = dropping.send(taken[1], REMOTE).expect_err("the port is taken");
    assert_eq!(drop.reason, DropReason::NatPortsExhausted);
}

#[test]
fn a_search_for_the_next_port_goes_round_at_the_end_of_the_range() {
    let mut lab = lab(policy(PortAssignment::Preservation, ConflictBehavior::Sequential, 5_000, 5_002));
    assert_eq!(
        ports_of(&mut lab, &["10.0.0.2:5002", "10.0.0.3:5002", "10.0.0.4:5002"]),
        [5_002, 5_000, 5_001]
    );
}

#[test]
fn preservation_keeps_well_known_ports_below_1024_and_others_above() {
    let mut lab = lab(policy(PortAssignment::Preservation, ConflictBehavior::Random, 1, 65_535));
    for _ in 0..3 {
        for host in 2..9 {
            let low = lab.sent(&format!("10.0.0.{host}:53"), REMOTE).port();
            let high = lab.sent(&format!("10.0.0.{host}:2000"), REMOTE).port();
            assert!((1..=1_023).contains(&low) && high >= 1_024, "{low} {high}");
        }
        lab.wait(secs(31));
    }
}

#[test]
fn well_known_ports_go_up_where_the_range_has_nothing_below_1024() {
    let mut lab = lab(policy(PortAssignment::Preservation, ConflictBehavior::Sequential, 1_024, 65_535));
    assert_eq!(ports_of(&mut lab, &["10.0.0.2:53"]), [1_024]);
}

#[test]
fn sequential_assignment_gives_the_port_after_the_last_one() {
    let mut lab = lab(policy(PortAssignment::Sequential, ConflictBehavior::Sequential, 40_000, 40_002));
    assert_eq!(
        ports_of(&mut lab, &["10.0.0.2:5000", "10.0.0.2:5001", "10.0.0.2:5002"]),
        [40_000, 40_001, 40_002]
    );
    lab.wait(secs(31));
    assert_eq!(ports_of(&mut lab, &["10.0.0.2:5003"]), [40_000]);
}

#[test]
fn random_assignment_reaches_every_port_of_its_range_and_no_other() {
    let mut lab = lab(policy(PortAssignment::Random, ConflictBehavior::Random, 40_000, 40_007));
    let mut given = ports_of(
        &mut lab,
        &[
            "10.0.0.2:1",
            "10.0.0.2:2",
            "10.0.0.2:3",
            "10.0.0.2:4",
            "10.0.0.2:5",
            "10.0.0.2:6",
            "10.0.0.2:7",
            "10.0.0.2:8",
        ],
    );
    assert!(!given.is_sorted(), "{given:?} looks sequential");
    given.sort_unstable();
    assert_eq!(given, (40_000..=40_007).collect::<Vec<_>>());
}

#[test]
fn a_nat_without_ports_left_drops_says_so_and_evicts_nobody() {
    for assignment in PortAssignment::ALL.iter().filter(|it| **it != PortAssignment::Overloading) {
        let mut lab = lab(policy(*assignment, ConflictBehavior::Random, 5_000, 5_001));
        let first = lab.sent("10.0.0.2:5000", REMOTE);
        lab.sent("10.0.0.2:5001", REMOTE);
        let drop = lab.send("10.0.0.3:5000", REMOTE).expect_err("no port is left");
        assert_eq!(drop.reason, DropReason::NatPortsExhausted, "{assignment}");
        assert!(matches!(drop.rule, Rule::PortPolicy { .. }));
        assert_eq!(lab.errors(), [(PortId::new(2), IcmpKind::AdministrativelyProhibited)]);
        assert_eq!(lab.receive(REMOTE, first), Ok(at("10.0.0.2:5000")));
        assert_eq!(lab.rows().len(), 2);
    }
}

#[test]
fn parity_keeps_even_ports_even_and_odd_ports_odd() {
    for assignment in PortAssignment::ALL {
        let mut policy = policy(*assignment, ConflictBehavior::Random, 5_000, 5_100);
        policy.parity = true;
        let mut lab = lab(policy);
        for internal in [6_000, 6_001, 7_000, 7_001, 8_001] {
            for host in 2..6 {
                let external = lab.sent(&format!("10.0.0.{host}:{internal}"), REMOTE).port();
                assert_eq!(external % 2, internal % 2, "{assignment}");
            }
        }
    }
}

#[test]
fn ports_of_the_wrong_parity_are_no_ports() {
    let mut policy = policy(PortAssignment::Sequential, ConflictBehavior::Random, 5_001, 5_001);
    policy.parity = true;
    let mut lab = lab(policy);
    let drop = lab.send("10.0.0.2:6000", REMOTE).expect_err("5001 is odd");
    assert_eq!(drop.reason, DropReason::NatPortsExhausted);
    assert_eq!(lab.sent("10.0.0.2:6001", REMOTE).port(), 5_001);
}

#[test]
fn a_host_over_its_quota_is_told_and_keeps_what_it_has() {
    let mut policy = policy(PortAssignment::Preservation, ConflictBehavior::Random, 1_024, 65_535);
    policy.max_per_host = Some(2);
    let mut lab = lab(policy);
    let first = lab.sent("10.0.0.2:5000", REMOTE);
    lab.sent("10.0.0.2:5001", REMOTE);
    let drop = lab.send("10.0.0.2:5002", REMOTE).expect_err("over quota");
    assert_eq!(drop.reason, DropReason::NatQuota);
    assert_eq!(drop.rule.to_string(), "10.0.0.2 holds all of its 2 external ports");
    assert_eq!(lab.errors(), [(PortId::new(1), IcmpKind::HostUnreachable)]);
    assert_eq!(lab.receive(REMOTE, first), Ok(at("10.0.0.2:5000")));
    assert!(lab.send("10.0.0.3:5002", REMOTE).is_ok(), "another host has a quota of its own");
    lab.wait(secs(30));
    assert!(lab.send("10.0.0.2:5002", REMOTE).is_ok(), "expired mappings count no more");
}

#[test]
fn a_nat_holds_no_more_mappings_than_its_limit() {
    let limits = Limits { mappings_per_nat: 2, ..Limits::DEFAULT };
    let mut lab = Lab::with(full_cone(), &[OUTSIDE], &limits);
    lab.sent("10.0.0.2:5000", REMOTE);
    lab.sent("10.0.0.2:5001", REMOTE);
    let drop = lab.send("10.0.0.2:5002", REMOTE).expect_err("the table is full");
    assert_eq!(drop.reason, DropReason::NatPortsExhausted);
}

#[test]
fn a_nat_tracks_no_more_flows_than_its_limit() {
    let limits = Limits { mappings_per_nat: 1, ..Limits::DEFAULT };
    let mut lab = Lab::with(full_cone(), &[OUTSIDE], &limits);
    for remote in 1..=16 {
        lab.sent("10.0.0.2:5000", &format!("192.0.2.1:{remote}"));
    }
    let drop = lab.send("10.0.0.2:5000", "192.0.2.1:17").expect_err("the tracker is full");
    assert_eq!(drop.reason, DropReason::NatPortsExhausted);
    assert!(lab.send("10.0.0.2:5000", "192.0.2.1:16").is_ok(), "known flows go on");
}

fn overloading(on_conflict: ConflictBehavior) -> Lab {
    lab(policy(PortAssignment::Overloading, on_conflict, 1_024, 65_535))
}

#[test]
fn overloaded_hosts_share_a_port_and_answers_find_them_by_their_remotes() {
    let mut lab = overloading(ConflictBehavior::Sequential);
    let a = lab.sent("10.0.0.2:5000", "192.0.2.1:1000");
    let b = lab.sent("10.0.0.3:5000", "192.0.2.2:1000");
    assert_eq!(a, b);
    assert_eq!(lab.receive("192.0.2.1:1000", a), Ok(at("10.0.0.2:5000")));
    assert_eq!(lab.receive("192.0.2.2:1000", a), Ok(at("10.0.0.3:5000")));
    assert_eq!(lab.refused("192.0.2.3:1000", a), DropReason::NatFiltered);
}

#[test]
fn overloaded_hosts_that_meet_at_one_remote_get_different_ports() {
    let mut lab = overloading(ConflictBehavior::Sequential);
    let a = lab.sent("10.0.0.2:5000", REMOTE);
    let b = lab.sent("10.0.0.3:5000", REMOTE);
    assert_eq!((a.port(), b.port()), (5_000, 5_001));
    assert_eq!(lab.receive(REMOTE, b), Ok(at("10.0.0.3:5000")));
    assert_eq!(lab.sent("10.0.0.3:5000", "192.0.2.9:9"), b, "the port it got is used for later flows too");
}

#[test]
fn a_flow_that_clashes_later_moves_alone() {
    let mut lab = overloading(ConflictBehavior::Sequential);
    let shared = lab.sent("10.0.0.2:5000", "192.0.2.1:1000");
    lab.sent("10.0.0.3:5000", "192.0.2.2:1000");
    let moved = lab.sent("10.0.0.3:5000", "192.0.2.1:1000");
    assert_ne!(moved, shared);
    assert_eq!(lab.sent("10.0.0.3:5000", "192.0.2.2:1000"), shared, "its first flow stays");
    assert_eq!(lab.sent("10.0.0.3:5000", "192.0.2.3:1000"), moved, "its later flows follow the new port");
}

#[test]
fn a_clash_without_alternative_is_dropped() {
    let mut lab = overloading(ConflictBehavior::Drop);
    lab.sent("10.0.0.2:5000", REMOTE);
    assert_eq!(lab.send("10.0.0.3:5000", REMOTE).expect_err("clash").reason, DropReason::NatPortsExhausted);
    lab.wait(secs(30));
    assert!(lab.send("10.0.0.3:5000", REMOTE).is_ok(), "the other's flow is over");
}
