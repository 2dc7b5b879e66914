//! The schema for editors agrees with the reader: it takes every scenario, and sees the mistakes that need no second look.

mod common;

use std::path::{Path, PathBuf};

use common::scenario_files;
use jsonschema::Validator;
use punchlab::scenario;
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
