//! The schemas of the JSON forms accept what is written, and refuse what is not.
#![cfg(feature = "cli")]

mod common;

use common::program::{punchlab, stdout};
use common::scenario_files;
use punchlab::suite::schema;
use serde_json::{Value, json};

#[test]
fn every_outcome_discovery_explanation_and_result_follows_its_schema() {
    for file in scenario_files() {
        let file = file.display().to_string();
        assert_valid(&schema::of_outcome(), &["run", &file, "--format", "json"]);
        assert_valid(&schema::of_discoveries(), &["discover", &file, "--lifetime", "--format", "json"]);
        assert_valid(&schema::of_explanation(), &["explain", &file, "--singles", "--format", "json"]);
    }
    assert_valid(&schema::of_results(), &["test", "scenarios", "--json", "-"]);
    assert_valid(&schema::of_results(), &["test", "scenarios", "--set", "expect.path=direct", "--json", "-"]);
}

#[test]
fn a_word_that_is_none_is_refused_and_every_key_is_described() {
    let schema = schema::of_outcome();
    let mut outcome = json_of(&["run", "scenarios/same-lan.nat.yaml", "--format", "json"]);
    outcome["calls"][0]["path"] = json!("sideways");
    assert!(!jsonschema::is_valid(&schema, &outcome));
    for schema in [
        schema,
        schema::of_discoveries(),
        schema::of_measurement(),
        schema::of_explanation(),
        schema::of_results(),
    ] {
        let undescribed = undescribed(&schema);
        assert!(undescribed.is_empty(), "{undescribed:?}");
    }
}

fn assert_valid(schema: &Value, arguments: &[&str]) {
    let value = json_of(arguments);
    if let Err(error) = jsonschema::validate(schema, &value) {
        panic!("{arguments:?}: {error} at {}", error.instance_path);
    }
}

fn json_of(arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&punchlab(arguments))).expect("JSON")
}

/// The names of properties without a description.
fn undescribed(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut values = vec![schema];
    while let Some(value) = values.pop() {
        if let Some(properties) = value["properties"].as_object() {
            let bare = properties.iter().filter(|(_, property)| !property["description"].is_string());
            found.extend(bare.map(|(name, _)| name.clone()));
        }
        match value {
            Value::Object(object) => values.extend(object.values()),
            Value::Array(list) => values.extend(list),
            _ => {}
        }
    }
    found
}
