//! What `docs/determinism.md` promises, held by running everything twice.

mod common;

use std::path::PathBuf;

use common::{plan_of_file, plan_of_text, scenario_files};
use punchlab::engine::{Run, RunOptions};
use punchlab::outcome::{Outcome, simulate};
use punchlab::plan::{Element, Plan, StackKind};
use punchlab::report::json::{self, Layout};
use punchlab::report::{Report, capture, jsonl};
use punchlab::trace::EventKind;

#[test]
fn the_same_scenario_and_seed_give_the_same_bytes() {
    for file in scenario_files() {
        for seed in [1, 2] {
            let plan = plan_of_file(&file, seed);
            let (first, second) = (simulated(&plan), simulated(&plan));
            let name = file.display();
            assert_eq!(json(&first.1), json(&second.1), "{name}: outcome");
            if uses_only_is(&plan) {
                assert_eq!(jsonl(&plan, &first), jsonl(&plan, &second), "{name}: JSON Lines");
                assert!(capture(&plan, &first.0) == capture(&plan, &second.0), "{name}: capture");
            } else {
                assert_eq!(shape(&first.0), shape(&second.0), "{name}: packets and their timing");
            }
        }
    }
}

/// With `is` on both ends another seed gives other ports and ids.
#[test]
fn another_seed_gives_another_run() {
    let file = PathBuf::from("scenarios/hole-punching.nat.yaml");
    let [one, two] = [1, 2].map(|seed| {
        let plan = plan_of_file(&file, seed);
        jsonl(&plan, &simulated(&plan))
    });
    assert_ne!(one, two);
}

#[test]
fn an_unrelated_host_changes_nothing_else() {
    let text = std::fs::read_to_string("scenarios/hole-punching.nat.yaml").expect("the scenario");
    let crowded = text.replace("  bob: { behind: nat-b }\n", "  bob: { behind: nat-b }\n  carol: {}\n");
    assert_ne!(text, crowded);
    let [alone, together] = [text, crowded].map(|text| {
        let (run, outcome) = simulated(&plan_of_text(&text, 1));
        (shape(&run), outcome.calls)
    });
    assert_eq!(alone, together);
}

#[test]
fn recording_changes_nothing() {
    for file in scenario_files() {
        let plan = plan_of_file(&file, 1);
        let quiet = punchlab::engine::run(&plan, &RunOptions::default()).expect("a run");
        let recorded = simulated(&plan).0;
        let summary =
            |run: &Run| (run.packets, run.events, run.ended_at, run.drops.clone(), run.nat_tables.clone());
        assert_eq!(summary(&quiet), summary(&recorded), "{}", file.display());
    }
}

fn simulated(plan: &Plan) -> (Run, Outcome) {
    simulate(plan, &RunOptions { record: true, ..RunOptions::default() }).expect("a finished run")
}

fn json(outcome: &Outcome) -> String {
    json::text(outcome, Layout::Pretty)
}

fn jsonl(plan: &Plan, (run, outcome): &(Run, Outcome)) -> String {
    written(|out| jsonl::write(out, Report { plan, run, outcome }))
}

fn capture(plan: &Plan, run: &Run) -> Vec<u8> {
    let mut bytes = Vec::new();
    capture::write(&mut bytes, plan, run.seed, run.trace.as_ref().expect("a trace")).expect("writable");
    bytes
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).expect("memory is writable");
    String::from_utf8(bytes).expect("UTF-8")
}

fn uses_only_is(plan: &Plan) -> bool {
    plan.topology.nodes().all(|(_, node)| match &node.element {
        Element::Peer(peer) => peer.agent == StackKind::Is,
        _ => true,
    })
}

/// When which packet left which node, and how long it was: everything but its bytes.
fn shape(run: &Run) -> Vec<(u64, usize, usize)> {
    let trace = run.trace.as_ref().expect("a recorded run");
    let departures = trace.events.iter().filter_map(|event| match &event.kind {
        EventKind::Departed(hop) => {
            Some((event.at.as_nanos(), hop.node.index(), trace.packets.get(hop.packet)?.len))
        }
        _ => None,
    });
    departures.collect()
}
