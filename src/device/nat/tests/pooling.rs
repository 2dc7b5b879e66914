//! RFC 4787 REQ-2, RFC 7857 §4.

use std::collections::BTreeSet;

use super::*;
use crate::base::PortRange;
use crate::plan::Pooling;

const POOL: [&str; 3] = ["203.0.113.10", "203.0.113.11", "203.0.113.12"];
const REMOTE: &str = "192.0.2.1:1000";

fn lab(pooling: Pooling, last_port: u16) -> Lab {
    let mut behavior = NatBehavior { pooling, ..port_restricted() };
    behavior.ports.range = PortRange::new(5_000, last_port).expect("a range");
    Lab::with(behavior, &POOL, &Limits::DEFAULT)
}

/// The outside addresses the mappings of one host get.
fn addresses_of(lab: &mut Lab, host: u16) -> BTreeSet<IpAddr> {
    (5_000..5_020).map(|port| lab.sent(&format!("10.0.0.{host}:{port}"), REMOTE).ip()).collect()
}

#[test]
fn paired_pooling_gives_all_mappings_of_a_host_one_address() {
    let mut lab = lab(Pooling::Paired, 65_535);
    let addresses: Vec<_> = (2..6).map(|host| addresses_of(&mut lab, host)).collect();
    assert!(addresses.iter().all(|of_host| of_host.len() == 1));
    let used: BTreeSet<_> = addresses.into_iter().flatten().collect();
    assert_eq!(used.len(), POOL.len(), "hosts are spread over the pool");
}

#[test]
fn a_pair_outlives_its_mappings() {
    let mut lab = lab(Pooling::Paired, 65_535);
    lab.sent("10.0.0.2:5000", REMOTE);
    let before = lab.sent("10.0.0.3:5000", REMOTE).ip();
    lab.wait(secs(60));
    assert_eq!(lab.sent("10.0.0.3:5001", REMOTE).ip(), before);
}

#[test]
fn a_host_whose_paired_address_has_no_ports_left_gets_no_other() {
    let mut lab = lab(Pooling::Paired, 5_001);
    lab.sent("10.0.0.2:5000", REMOTE);
    lab.sent("10.0.0.2:5001", REMOTE);
    let drop = lab.send("10.0.0.2:5002", REMOTE).expect_err("the paired address is full");
    assert_eq!(drop.reason, DropReason::NatPortsExhausted);
    assert!(lab.send("10.0.0.3:5000", REMOTE).is_ok(), "others have other addresses");
}

#[test]
fn arbitrary_pooling_gives_each_mapping_any_address() {
    let mut lab = lab(Pooling::Arbitrary, 65_535);
    assert_eq!(addresses_of(&mut lab, 2).len(), POOL.len());
}

#[test]
fn arbitrary_pooling_uses_every_port_of_every_address() {
    let mut lab = lab(Pooling::Arbitrary, 5_001);
    let external: BTreeSet<_> = (1..=6).map(|port| lab.sent(&format!("10.0.0.2:{port}"), REMOTE)).collect();
    assert_eq!(external.len(), 6);
    assert_eq!(
        lab.send("10.0.0.2:7", REMOTE).expect_err("all are taken").reason,
        DropReason::NatPortsExhausted
    );
}

#[test]
fn an_endpoint_independent_mapping_is_one_even_with_arbitrary_pooling() {
    let mut lab = lab(Pooling::Arbitrary, 65_535);
    let external: BTreeSet<_> =
        (1..20).map(|port| lab.sent("10.0.0.2:5000", &format!("192.0.2.1:{port}"))).collect();
    assert_eq!(external.len(), 1);
}

#[test]
fn a_family_without_outside_address_has_no_route() {
    let mut lab = Lab::new(port_restricted());
    let mut packet = udp("[fd00::2]:5000", "[2001:db8::1]:1000");
    let verdict = lab.handle(PortId::new(1), &mut packet);
    let destination = ip("2001:db8::1");
    assert_eq!(verdict, Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination }));
    assert_eq!(lab.errors(), [(PortId::new(1), IcmpKind::NetworkUnreachable)]);
}
