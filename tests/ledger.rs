//! Invariants over the recorded runs of every scenario: no packet is lost from the books, time runs forward, and every
//! hop is a link of the topology.

mod common;

use std::collections::BTreeMap;

use common::{plan_of_file, scenario_files};
use punchlab::base::{PacketId, PortId, SimTime};
use punchlab::engine::{Run, RunOptions, run};
use punchlab::plan::{Element, Plan};
use punchlab::trace::{EventKind, Hop, Place, Trace};

/// INV-01: every packet ends exactly once: delivered, dropped, or still on its way at the end.
#[test]
fn every_packet_ends_in_exactly_one_way() {
    for_every_run(|name, _, run, trace| {
        let mut ends: BTreeMap<PacketId, u32> = BTreeMap::new();
        let mut departures: BTreeMap<PacketId, i64> = BTreeMap::new();
        for event in &trace.events {
            match &event.kind {
                EventKind::Delivered { packet, .. } | EventKind::Dropped { packet, .. } => {
                    *ends.entry(*packet).or_default() += 1;
                }
                EventKind::Departed(hop) => *departures.entry(hop.packet).or_default() += 1,
                EventKind::Arrived(hop) => *departures.entry(hop.packet).or_default() -= 1,
                _ => {}
            }
        }
        assert_eq!(trace.packets.len() as u64, run.packets, "{name}: all packets are recorded");
        for id in (0..run.packets).map(PacketId::new) {
            let ended = ends.get(&id).copied().unwrap_or(0);
            let on_a_link = departures.get(&id).copied().unwrap_or(0) > 0;
            assert!(ended == 1 || (ended == 0 && on_a_link), "{name}: packet {id} ended {ended} times");
        }
    });
}

/// INV-02: time never runs backwards.
#[test]
fn time_never_runs_backwards() {
    for_every_run(|name, _, run, trace| {
        let mut now = SimTime::ZERO;
        for event in &trace.events {
            assert!(event.at >= now, "{name}: {} after {now}", event.at);
            now = event.at;
        }
        assert!(now <= run.ended_at, "{name}");
    });
}

/// INV-03: a packet moves along links of the topology, and takes at least each link's delay.
#[test]
fn a_packet_moves_along_links_and_takes_their_delay() {
    for_every_run(|name, plan, _, trace| {
        let mut left: BTreeMap<PacketId, (SimTime, Hop)> = BTreeMap::new();
        for event in &trace.events {
            match &event.kind {
                EventKind::Departed(hop) => {
                    left.insert(hop.packet, (event.at, *hop));
                }
                EventKind::Duplicated { packet, copy, .. } => {
                    let original = left[packet];
                    left.insert(*copy, original);
                }
                EventKind::Arrived(hop) => {
                    let (at, from) = left[&hop.packet];
                    let port = plan.topology.node(from.node).ports[from.port.index()];
                    assert_eq!(port.neighbor, hop.node, "{name}: packet {}", hop.packet);
                    let delay = plan.topology.link(port.link).delay;
                    assert!(event.at.since(at) >= delay, "{name}: packet {} was too fast", hop.packet);
                    assert_eq!(hop.flow, from.flow, "{name}: a link changes no header");
                }
                _ => {}
            }
        }
    });
}

/// INV-06: the hop limit falls by one at everything that forwards between networks, and never rises.
#[test]
fn the_hop_limit_never_rises() {
    for_every_run(|name, _, _, trace| {
        let mut limits: BTreeMap<PacketId, u8> = BTreeMap::new();
        for event in &trace.events {
            if let EventKind::Departed(hop) = &event.kind {
                let before = limits.insert(hop.packet, hop.hop_limit).unwrap_or(u8::MAX);
                assert!(hop.hop_limit <= before, "{name}: packet {}", hop.packet);
            }
        }
    });
}

/// INV-14: no address of a NAT's inside leaves on its outside as a source.
#[test]
fn no_inside_address_leaves_a_nat_as_a_source() {
    for_every_run(|name, plan, _, trace| {
        for event in &trace.events {
            let EventKind::Departed(hop) = &event.kind else { continue };
            let Element::Nat(nat) = &plan.topology.node(hop.node).element else { continue };
            if hop.port == PortId::UPLINK {
                let source = hop.flow.source.ip();
                assert!(!nat.inside.contains(&source), "{name}: {source} left {}", plan.name_of(hop.node));
            }
        }
    });
}

/// INV-28: the drop counts are those of the events.
#[test]
fn drop_counts_are_those_of_the_events() {
    for_every_run(|name, _, run, trace| {
        let mut counted = BTreeMap::new();
        for event in &trace.events {
            if let EventKind::Dropped { place, drop, .. } = &event.kind {
                *counted.entry((*place, drop.reason)).or_insert(0) += 1;
            }
        }
        let reported: BTreeMap<(Place, _), u64> =
            run.drops.iter().map(|drop| ((drop.place, drop.reason), drop.count)).collect();
        assert_eq!(counted, reported, "{name}");
    });
}

fn for_every_run(check: impl Fn(&str, &Plan, &Run, &Trace)) {
    for file in scenario_files() {
        for seed in 1..=3 {
            let plan = plan_of_file(&file, seed);
            let run =
                run(&plan, &RunOptions { record: true, ..RunOptions::default() }).expect("a finished run");
            let trace = run.trace.as_ref().expect("a recorded run");
            assert_eq!(trace.truncated, 0);
            check(&format!("{} with seed {seed}", file.display()), &plan, &run, trace);
        }
    }
}
