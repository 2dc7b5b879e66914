//! Blocks of ports: RFC 6888 §5.

use std::collections::BTreeSet;

use super::*;
use crate::base::PortRange;
use crate::plan::{Pooling, PortAssignment, PortBlock, PortPolicy};

const REMOTE: &str = "192.0.2.1:1000";

/// Ports 5000 to `last` in blocks of four, given in turn.
fn policy(last: u16) -> PortPolicy {
    let range = PortRange::new(5_000, last).expect("a range");
    PortPolicy { assignment: PortAssignment::Sequential, range, block: Some(4), ..port_restricted().ports }
}

fn lab(ports: PortPolicy) -> Lab {
    Lab::new(NatBehavior { ports, ..port_restricted() })
}

/// The external ports of so many internal ports of a host, from 1 on.
fn ports_of(lab: &mut Lab, host: u16, count: u16) -> Vec<u16> {
    (1..=count).map(|port| lab.sent(&format!("10.0.0.{host}:{port}"), REMOTE).port()).collect()
}

/// The blocks given and returned so far: the host and the first port.
fn log(lab: &Lab) -> Vec<(&'static str, IpAddr, u16)> {
    let entry = |change: &StateChange| match change {
        StateChange::PortBlockGiven(PortBlock { host, ports, .. }) => Some(("given", *host, ports.first())),
        StateChange::PortBlockReturned(PortBlock { host, ports, .. }) => {
            Some(("returned", *host, ports.first()))
        }
        _ => None,
    };
    lab.out.changes.iter().filter_map(entry).collect()
}

#[test]
fn the_ports_of_a_host_lie_in_blocks_of_its_own() {
    let mut lab = lab(policy(5_015));
    assert_eq!(ports_of(&mut lab, 2, 2), [5_000, 5_001]);
    assert_eq!(ports_of(&mut lab, 3, 2), [5_004, 5_005]);
    assert_eq!(ports_of(&mut lab, 2, 4), [5_000, 5_001, 5_002, 5_003]);
}

#[test]
fn a_host_whose_block_is_full_gets_another_one() {
    let mut lab = lab(policy(5_015));
    assert_eq!(ports_of(&mut lab, 2, 5), [5_000, 5_001, 5_002, 5_003, 5_004]);
    let host = ip("10.0.0.2");
    assert_eq!(log(&lab), [("given", host, 5_000), ("given", host, 5_004)]);
}

#[test]
fn a_quota_allows_no_more_blocks_than_it_takes() {
    let quota = |quota| PortPolicy { max_per_host: Some(quota), ..policy(5_015) };

    let mut one = lab(quota(4));
    ports_of(&mut one, 2, 4);
    let drop = one.send("10.0.0.2:5", REMOTE).expect_err("the block is full");
    assert_eq!(drop.reason, DropReason::NatQuota);

    let mut part = lab(quota(3));
    ports_of(&mut part, 2, 3);
    let drop = part.send("10.0.0.2:4", REMOTE).expect_err("a part of a block");
    assert_eq!(drop.rule.to_string(), "10.0.0.2 holds all of its 3 external ports");

    let mut two = lab(quota(5));
    assert_eq!(ports_of(&mut two, 2, 5), [5_000, 5_001, 5_002, 5_003, 5_004]);
}

#[test]
fn a_block_whose_free_ports_do_not_fit_counts_towards_the_quota() {
    let mut lab = lab(PortPolicy { parity: true, max_per_host: Some(4), ..policy(5_015) });
    assert_eq!(
        [lab.sent("10.0.0.2:2", REMOTE).port(), lab.sent("10.0.0.2:4", REMOTE).port()],
        [5_000, 5_002]
    );
    let drop = lab.send("10.0.0.2:6", REMOTE).expect_err("only odd ports are left");
    assert_eq!(drop.reason, DropReason::NatQuota);
    let text = "no port of 10.0.0.2's blocks is free, and 4 ports take no more blocks";
    assert_eq!(drop.rule.to_string(), text);
    assert_eq!(lab.errors(), [(PortId::new(1), IcmpKind::HostUnreachable)]);
}

#[test]
fn what_is_left_at_the_end_of_the_range_is_no_block() {
    let mut lab = lab(policy(5_006));
    ports_of(&mut lab, 2, 4);
    let drop = lab.send("10.0.0.3:1", REMOTE).expect_err("three ports are no block");
    assert_eq!(drop.reason, DropReason::NatPortsExhausted);
    let text = "no external port is left for 10.0.0.3:1 (ports 5000-5006 in blocks of 4, all given)";
    assert_eq!(drop.rule.to_string(), text);
}

#[test]
fn a_block_is_returned_with_its_last_mapping() {
    let mut lab = lab(policy(5_003));
    ports_of(&mut lab, 2, 1);
    lab.wait(secs(20));
    lab.sent("10.0.0.2:2", REMOTE);
    lab.wait(secs(20));
    assert!(lab.send("10.0.0.3:1", REMOTE).is_err(), "one mapping of the other host lives on");
    lab.wait(secs(10));
    assert_eq!(lab.sent("10.0.0.3:1", REMOTE).port(), 5_000);
    let (first, second) = (ip("10.0.0.2"), ip("10.0.0.3"));
    assert_eq!(log(&lab), [("given", first, 5_000), ("returned", first, 5_000), ("given", second, 5_000)]);
}

#[test]
fn a_block_is_returned_when_its_ports_have_rested_and_not_before() {
    let mut lab = lab(PortPolicy { quarantine: secs(120), ..policy(5_003) });
    ports_of(&mut lab, 2, 1);
    lab.wait(secs(30) + millis(119_999));
    let drop = lab.send("10.0.0.3:1", REMOTE).expect_err("the block's port rests");
    assert_eq!(drop.reason, DropReason::NatPortsExhausted);
    lab.wait(millis(1));
    assert_eq!(lab.sent("10.0.0.3:1", REMOTE).port(), 5_000);
}

#[test]
fn a_block_serves_every_protocol_of_its_host() {
    let mut lab = lab(policy(5_007));
    lab.sent("10.0.0.2:1", REMOTE);
    let mut packet = tcp("10.0.0.2:1", REMOTE);
    lab.handle(PortId::new(1), &mut packet);
    assert_eq!(log(&lab).len(), 1, "one block for both");
    let mut packet = tcp("10.0.0.3:1", REMOTE);
    lab.handle(PortId::new(2), &mut packet);
    assert_eq!(packet.flow.source.port(), 5_004);
}

#[test]
fn preservation_prefers_the_block_the_internal_port_lies_in() {
    let mut lab = lab(PortPolicy { assignment: PortAssignment::Preservation, ..policy(5_015) });
    assert_eq!(lab.sent("10.0.0.2:5009", REMOTE).port(), 5_009);
    let moved = lab.sent("10.0.0.3:5010", REMOTE).port();
    assert!((5_000..5_004).contains(&moved), "{moved}: the lowest free block");
}

#[test]
fn random_assignment_takes_any_block() {
    let random = PortPolicy { assignment: PortAssignment::Random, ..policy(5_031) };
    let mut lab = lab(random);
    let blocks: Vec<u16> = (2..10).map(|host| ports_of(&mut lab, host, 1)[0] / 4).collect();
    assert_eq!(blocks.iter().collect::<BTreeSet<_>>().len(), 8, "eight hosts, eight blocks");
    assert!(!blocks.is_sorted(), "{blocks:?} look sequential");
}

#[test]
fn with_arbitrary_pooling_a_host_goes_on_where_it_has_a_block() {
    let ports = PortPolicy { max_per_host: Some(4), ..policy(5_003) };
    let behavior = NatBehavior { ports, pooling: Pooling::Arbitrary, ..port_restricted() };
    let mut lab = Lab::with(behavior, &[OUTSIDE, "198.51.100.2"], &Limits::DEFAULT);
    let external: BTreeSet<_> = (1..=4).map(|port| lab.sent(&format!("10.0.0.2:{port}"), REMOTE)).collect();
    assert_eq!(external.len(), 4);
    assert_eq!(external.iter().map(SocketAddr::ip).collect::<BTreeSet<_>>().len(), 1, "one block is enough");
}
