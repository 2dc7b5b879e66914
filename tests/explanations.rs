//! Explanations: what stands in them for every scenario is a snapshot, each flip is the outcome of a real run, and no
//! change of the catalogue is one that could not be made.

mod common;

use common::scenario_files;
use punchlab::base::Limits;
use punchlab::engine::RunOptions;
use punchlab::explain::{Depth, Experiment, Explanation, Flip, changes, explain};
use punchlab::outcome::simulate;
use punchlab::report::explanation;
use punchlab::report::human::Options;
use punchlab::report::json::{self, Layout};
use punchlab::scenario::{self, Overrides, Source};

#[test]
fn every_scenario_is_explained() {
    insta::glob!("../scenarios", "*.nat.yaml", |path| {
        let source = Source::read(path, &Limits::DEFAULT).expect("a readable scenario");
        let explanation = explained(&source, Depth::Singles);
        insta::assert_snapshot!(explanation::write(&explanation, Options::default()));
    });
}

#[test]
fn pairs_of_changes_that_help_where_no_single_one_does() {
    let source = read("scenarios/symmetric-without-turn.nat.yaml");
    let explanation = explained(&source, Depth::Pairs);
    insta::assert_snapshot!(explanation::write(&explanation, Options::default()));
}

/// What a flip promises is what the scenario gives when its changes are made as `--set` makes them.
#[test]
fn every_flip_is_the_outcome_of_a_real_run() {
    for file in scenario_files() {
        let source = Source::read(&file, &Limits::DEFAULT).expect("a readable scenario");
        let explanation = explained(&source, Depth::Singles);
        let flips = &explanation.flips;
        for flip in flips.better.iter().chain(&flips.worse).chain(&flips.mixed) {
            assert_is_real(&source, flip);
        }
    }
}

#[test]
fn every_change_of_the_catalogue_can_be_made() {
    for file in scenario_files() {
        let source = Source::read(&file, &Limits::DEFAULT).expect("a readable scenario");
        let (overrides, limits) = (Overrides::default(), Limits::DEFAULT);
        let plan = scenario::load(&source, &overrides, &limits).expect("a plan");
        for change in changes(&plan) {
            let overrides = overrides_of(std::slice::from_ref(&change));
            let changed = scenario::load(&source, &overrides, &limits);
            assert!(changed.is_ok(), "{}: {}\n{}", file.display(), change.what, changed.unwrap_err());
        }
    }
}

#[test]
fn an_explanation_is_the_same_twice() {
    let source = read("scenarios/port-restricted-x-symmetric.nat.yaml");
    let [one, two] = [(); 2].map(|()| json::text(&explained(&source, Depth::Singles), Layout::Pretty));
    assert_eq!(one, two);
}

/// Every key of the JSON form stands in the documentation.
#[test]
fn the_documentation_names_every_key() {
    let explanation = explained(&read("scenarios/port-restricted-x-symmetric.nat.yaml"), Depth::Singles);
    let documented = std::fs::read_to_string("docs/explain.md").expect("the page");
    let mut values = vec![serde_json::to_value(&explanation).expect("JSON")];
    let mut keys = std::collections::BTreeSet::new();
    while let Some(value) = values.pop() {
        match value {
            serde_json::Value::Object(object) => {
                for (key, value) in object {
                    keys.insert(key);
                    values.push(value);
                }
            }
            serde_json::Value::Array(list) => values.extend(list),
            _ => {}
        }
    }
    assert!(keys.len() > 30, "{keys:?}");
    let missing: Vec<_> = keys.iter().filter(|key| !documented.contains(&format!("`{key}"))).collect();
    assert!(missing.is_empty(), "docs/explain.md does not name {missing:?}");
}

fn assert_is_real(source: &Source, flip: &Flip) {
    let plan = scenario::load(source, &overrides_of(&flip.changes), &Limits::DEFAULT).expect("a plan");
    let (_, outcome) = simulate(&plan, &RunOptions::default()).expect("a run");
    for (promised, real) in flip.trial.calls.iter().zip(&outcome.calls) {
        assert_eq!((promised.path, promised.settled_ms), (real.path, real.settled_ms), "{:?}", flip.changes);
    }
}

fn overrides_of(changes: &[punchlab::explain::Change]) -> Overrides {
    let set = changes.iter().flat_map(|change| &change.set);
    Overrides { set: set.map(|one| (one.path.clone(), one.value.clone())).collect(), ..Overrides::default() }
}

fn explained(source: &Source, depth: Depth) -> Explanation {
    let (overrides, limits) = (Overrides::default(), Limits::DEFAULT);
    let plan = scenario::load(source, &overrides, &limits).expect("a plan");
    let (run, outcome) =
        simulate(&plan, &RunOptions { record: true, ..RunOptions::default() }).expect("a run");
    let experiment = Experiment { source, overrides: &overrides, limits: &limits };
    explain(&plan, &run, &outcome, &experiment, depth).expect("an explanation")
}

fn read(path: &str) -> Source {
    Source::read(std::path::Path::new(path), &Limits::DEFAULT).expect("a readable scenario")
}
