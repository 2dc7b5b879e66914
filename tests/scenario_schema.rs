//! The schema for editors agrees with the reader: it takes every scenario, and sees the mistakes that need no second look.

mod common;

use std::path::{Path, PathBuf};

use common::scenario_files;
use jsonschema::Validator;
use punchlab::base::Limits;
use punchlab::scenario::{self, Overrides, Source};
use serde_json::Value;

#[test]
fn every_scenario_is_valid() {
    let validator = validator();
    for file in scenario_files().into_iter().chain(files("scenarios/cases")) {
        let value = value(&file).expect("YAML");
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
    }
}

/// Bounds and lists, where a schema is easily stricter than the reader.
#[test]
fn what_the_reader_takes_at_its_bounds_is_valid() {
    let validator = validator();
    let longest = "n".repeat(Limits::DEFAULT.name_bytes);
    for (what, text) in [
        ("ports", "servers: { s: { stun: [1/udp, 65535/udp], relay-port-range: 10 - 65534, turn: 9/udp } }"),
        ("a long name", &format!("nats: {{ {longest}: symmetric }}")),
        ("empty lists", "tags: []\nfirewalls: { f: { outbound: { default: deny, allow: [] } } }"),
        ("the version", "version: 1"),
        ("values that look alike", "matrix: { m: [1, \"01\"] }\nname: \"${{ matrix.m }}\""),
    ] {
        let text = format!(
            "peers: {{ a: {{ ice-servers: [] }}, b: {{}} }}\ncalls: [a -> b, a -> b: {{ at: 1s }}]\n{text}\n"
        );
        assert_valid(&validator, what, &text);
    }
    let urls = "servers: { s: { stun: 3478/udp, turn: 3478/udp } }\n\
                peers: { a: { ice-servers: [{ urls: [STUN:s, turn:s] }] }, b: {} }\ncalls: a -> b\n";
    assert_valid(&validator, "several URIs", urls);
}

fn assert_valid(validator: &Validator, what: &str, text: &str) {
    let cases = scenario::cases(&Source::new("a", text), &Overrides::default(), &Limits::DEFAULT);
    for case in cases.unwrap_or_else(|rejection| panic!("{rejection}")) {
        let plan = scenario::load(&Source::new("a", text), &case.overrides, &Limits::DEFAULT);
        plan.unwrap_or_else(|rejection| panic!("{what}: {rejection}"));
    }
    let value: Value = serde_yaml::from_str(text).expect("YAML");
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

/// What is left to the reader, as a list to look at: names that lead nowhere, values that contradict each other, and the like.
#[test]
fn mistakes_of_spelling_and_kind_are_seen_while_one_types() {
    let validator = validator();
    let (mut seen, mut unseen) = (0, Vec::new());
    for file in files("tests/rejected") {
        // What is no YAML, an editor sees without a schema.
        let Some(value) = value(&file) else { continue };
        if validator.is_valid(&value) {
            unseen.push(file.file_stem().expect("a name").to_string_lossy().replace(".nat", ""));
        } else {
            seen += 1;
        }
    }
    assert!(seen > unseen.len() / 2, "{seen} of {}", seen + unseen.len());
    insta::assert_snapshot!(unseen.join("\n"));
}

fn validator() -> Validator {
    jsonschema::validator_for(&scenario::schema()).expect("a schema")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn value(file: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(file).expect("a text");
    // YAML 1.2, in which `off` is a word.
    let options = serde_yaml::options! { strict_booleans: true };
    serde_yaml::from_str_with_options(&text, options).ok()
}
