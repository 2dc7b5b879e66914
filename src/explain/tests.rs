//! Flips against real runs, minimal sets, and a catalogue whose changes can all be made.

use super::*;
use crate::base::Limits;
use crate::engine::RunOptions;
use crate::outcome::simulate;
use crate::plan::Path;
use crate::scenario::{Overrides, Source, load};

#[test]
fn a_flip_is_what_a_run_of_the_changed_scenario_gives() {
    let source = scenario("symmetric", "port-restricted-cone");
    let explanation = explained(&source, Depth::Singles);

    assert!(!explanation.flips.better.is_empty());
    for flip in explanation.flips.better.iter().chain(&explanation.flips.worse) {
        let set = flip.changes.iter().flat_map(|change| &change.set);
        let overrides = Overrides {
            set: set.map(|one| (one.path.clone(), one.value.clone())).collect(),
            ..Overrides::default()
        };
        let plan = load(&source, &overrides, &Limits::DEFAULT).expect("a changed plan");
        let (_, outcome) = simulate(&plan, &RunOptions::default()).expect("a run");
        assert_eq!(outcome.calls[0].path, flip.trial.calls[0].path, "{:?}", flip.changes);
        assert_eq!(outcome.calls[0].settled_ms, flip.trial.calls[0].settled_ms, "{:?}", flip.changes);
    }
}

#[test]
fn relaxing_one_filter_or_one_mapping_saves_a_symmetric_call_the_relay() {
    let explanation = explained(&scenario("symmetric", "port-restricted-cone"), Depth::Singles);
    let sets: Vec<String> =
        explanation.flips.better.iter().map(|flip| flip.changes[0].set[0].to_string()).collect();

    for expected in [
        "--set nats.nat-a.mapping=endpoint-independent",
        "--set nats.nat-b.filtering=address-dependent",
        "--set nats.nat-b.filtering=endpoint-independent",
    ] {
        assert!(sets.iter().any(|set| set == expected), "{expected}: {sets:?}");
    }
    assert!(explanation.flips.better.iter().all(|flip| flip.trial.calls[0].path == Path::Stun));
}

#[test]
fn pairs_are_minimal() {
    let explanation = explained(&scenario("symmetric", "symmetric"), Depth::Pairs);
    let flips = &explanation.flips;
    let singles: Vec<&Change> =
        flips.better.iter().filter(|flip| flip.changes.len() == 1).map(|flip| &flip.changes[0]).collect();
    let pairs: Vec<&Flip> = flips.better.iter().filter(|flip| flip.changes.len() == 2).collect();

    assert!(!pairs.is_empty(), "{flips:?}");
    for pair in pairs {
        assert!(pair.changes.iter().all(|change| !singles.contains(&change)), "{pair:?}");
    }
}

#[test]
fn without_servers_the_call_is_run_again() {
    let explanation = explained(&scenario("symmetric", "symmetric"), Depth::Singles);
    let told: Vec<(&str, Path)> =
        explanation.counterfactuals.iter().map(|one| (one.what.as_str(), one.trial.calls[0].path)).collect();

    assert_eq!(
        told,
        [
            ("without TURN", Path::Failed),
            ("without STUN", Path::Relay),
            ("without STUN and TURN", Path::Failed)
        ]
    );
}

#[test]
fn every_change_of_the_catalogue_can_be_made() {
    let source = scenario("symmetric", "{ type: port-restricted-cone, outside: [203.0.113.7, 203.0.113.8] }");
    let (overrides, limits) = (Overrides::default(), Limits::DEFAULT);
    let plan = load(&source, &overrides, &limits).expect("a plan");
    let experiment = Experiment { source: &source, overrides: &overrides, limits: &limits };

    let changes = catalogue::changes(&plan);

    assert!(changes.len() > 40, "{}", changes.len());
    for change in &changes {
        assert!(experiment.run(&[change]).is_some(), "{change:?}");
    }
}

/// A profile gives a firewall a label, as a nickname does, but its changes stand below `firewalls`.
#[test]
fn every_change_of_a_firewall_with_a_profile_can_be_made() {
    let text = "nats: { home: symmetric }
firewalls: { office: { profile: corporate, link: { delay: 5ms, loss: 10% } } }
servers: { stun: { stun: [3478/udp] }, turn: { turn: [3478/udp] } }
peers: { alice: { behind: office }, bob: { behind: home } }
calls: [alice -> bob]
";
    let source = Source::new("call.nat.yaml", text);
    let (overrides, limits) = (Overrides::default(), Limits::DEFAULT);
    let plan = load(&source, &overrides, &limits).expect("a plan");
    let experiment = Experiment { source: &source, overrides: &overrides, limits: &limits };

    let changes = catalogue::changes(&plan);

    let paths: Vec<&str> =
        changes.iter().flat_map(|change| &change.set).map(|one| one.path.as_str()).collect();
    assert!(paths.contains(&"firewalls.office.link.loss"), "{paths:?}");
    assert!(paths.contains(&"firewalls.office.outbound"), "{paths:?}");
    for change in &changes {
        assert!(experiment.run(&[change]).is_some(), "{change:?}");
    }
}

fn explained(source: &Source, depth: Depth) -> Explanation {
    let (overrides, limits) = (Overrides::default(), Limits::DEFAULT);
    let plan = load(source, &overrides, &limits).expect("a plan");
    let options = RunOptions { record: true, ..RunOptions::default() };
    let (run, outcome) = simulate(&plan, &options).expect("a run");
    let experiment = Experiment { source, overrides: &overrides, limits: &limits };
    explain(&plan, &run, &outcome, &experiment, depth).expect("an explanation")
}

fn scenario(caller: &str, callee: &str) -> Source {
    let text = format!(
        "nats: {{ nat-a: {caller}, nat-b: {callee} }}
servers: {{ stun: {{ stun: [3478/udp] }}, turn: {{ turn: [3478/udp] }} }}
peers: {{ alice: {{ behind: nat-a }}, bob: {{ behind: nat-b }} }}
calls: [alice -> bob]
"
    );
    Source::new("call.nat.yaml", text)
}
