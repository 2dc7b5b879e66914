//! `discover` on the command line: what it chooses, what it refuses, and that it is never surprised.
#![cfg(feature = "cli")]

mod common;

use common::program::{code, punchlab, stderr, stdout};
use common::scenario_files;
use serde_json::Value;

const NINE: &str = "scenarios/discovery-nine-nats.nat.yaml";

#[test]
fn every_scenario_is_found_out_or_it_is_known_why_not() {
    for file in scenario_files() {
        let file = file.display().to_string();
        let output = punchlab(&["discover", &file, "--lifetime"]);
        assert_eq!(code(&output), 0, "{file}: {}{}", stdout(&output), stderr(&output));
    }
}

#[test]
fn one_box_is_asked_behind_if_one_is_named_and_its_answer_is_the_same() {
    let boxes = |arguments: &[&str]| {
        let arguments = [&["discover", NINE, "--format", "json"], arguments].concat();
        let json: Value = serde_json::from_str(&stdout(&punchlab(&arguments))).expect("JSON");
        json["boxes"].as_array().expect("boxes").clone()
    };
    let (all, some) = (boxes(&[]), boxes(&["--nat", "firewall", "--nat", "eim-adf"]));
    assert_eq!(all.len(), 11);
    // In the order of the file.
    assert_eq!(some, [all[1].clone(), all[9].clone()]);
}

#[test]
fn a_scenario_without_boxes_has_nothing_to_find_out() {
    let output = punchlab(&["discover", "scenarios/open-x-open.nat.yaml"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("there is nothing to find out"));
}

#[test]
fn a_changed_nat_is_found_out_as_it_is() {
    let change = "nats.eim-eif={ mapping: adm, filtering: adf, port-assignment: random }";
    let output = punchlab(&["discover", NINE, "--nat", "eim-eif", "--set", change]);
    assert!(
        stdout(&output).contains("  eim-eif  ADM-ADF     ADM-ADF   ADM-ADF        symmetric  symmetric\n")
    );
}

#[test]
fn what_makes_no_sense_is_explained() {
    for (arguments, exit, explanation) in [
        (&["discover", NINE, "--nat", "eim-epdf"][..], 4, "did you mean `eim-apdf`?"),
        (&["discover", NINE, "--nat", "alice"], 4, "`alice` is no NAT or firewall but a peer"),
        (&["discover", NINE, "--nat", "a\u{1b}[2J"], 4, "`a\\u{1b}[2J`"),
        (&["discover", "scenarios/nowhere.nat.yaml"], 2, "nowhere.nat.yaml"),
        (&["discover", NINE, "--set", "nats.routed=nome"], 2, "did you mean `none`?"),
        (&["discover", "scenarios/cases/nat-pairs.nat.yaml"], 2, "one has to be chosen"),
        (&["discover", NINE, "--limit", "events=20"], 3, "--limit events=N"),
        (
            &["discover", NINE, "--set", "nats.routed={ type: full-cone, inside: 10.9.0.0/31 }"],
            2,
            "10.9.0.0/31",
        ),
    ] {
        let output = punchlab(arguments);
        assert_eq!(code(&output), exit, "{arguments:?}: {}{}", stdout(&output), stderr(&output));
        assert!(stderr(&output).contains(explanation), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_nat_whose_inside_is_full_cannot_be_asked_behind() {
    let full = "nats.eim-apdf={ type: full-cone, inside: 10.9.0.0/30 }";
    let output = punchlab(&["discover", NINE, "--nat", "eim-apdf", "--set", full]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("`eim-apdf` cannot be asked: its inside network has no address left"));
}

#[test]
fn too_little_time_is_said_to_be_the_reason() {
    let output = punchlab(&["discover", NINE, "--nat", "eim-eif", "--limit", "virtual-time=1"]);
    assert!(stdout(&output).contains("--limit virtual-time=N"), "{}", stdout(&output));
}
