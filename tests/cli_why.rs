//! `report` and `explain` on the command line: files, exit codes, what both must agree on.
#![cfg(feature = "cli")]

mod common;

use common::program::{Scratch, code, punchlab, stderr, stdout};
use serde_json::Value;

const SCENARIO: &str = "scenarios/port-restricted-x-symmetric.nat.yaml";
const WITHOUT_TURN: &str = "scenarios/symmetric-without-turn.nat.yaml";

#[test]
fn a_page_is_written_once_and_replaced_only_by_force() {
    let folder = Scratch::new("page");
    let file = folder.path("call.html");
    assert_eq!(code(&punchlab(&["report", SCENARIO, "-o", &file])), 0);
    let page = std::fs::read_to_string(&file).expect("a page");
    assert!(page.starts_with("<!doctype html>") && page.contains("<strong>RELAY</strong>"));
    let refused = punchlab(&["report", SCENARIO, "-o", &file]);
    assert_eq!(code(&refused), 3);
    assert!(stderr(&refused).contains("`--force` replaces it"), "{}", stderr(&refused));
    assert_eq!(code(&punchlab(&["report", SCENARIO, "-o", &file, "--force"])), 0);
    assert_eq!(stdout(&punchlab(&["report", SCENARIO])), page);
    assert_eq!(code(&punchlab(&["run", SCENARIO, "--html", &file, "--force", "--show", "title"])), 0);
    assert_eq!(std::fs::read_to_string(&file).expect("a page"), page);
}

#[test]
fn a_page_of_a_run_that_disappoints_is_written_all_the_same() {
    let folder = Scratch::new("disappointing");
    let file = folder.path("call.html");
    let output = punchlab(&["report", SCENARIO, "--set", "nats.nat-b=full-cone", "-o", &file]);
    assert_eq!(code(&output), 1);
    assert!(std::fs::read_to_string(&file).expect("a page").contains("path: wanted relay, got stun"));
}

#[test]
fn files_that_make_no_sense_are_explained() {
    for (arguments, explanation) in [
        (&["report", SCENARIO, "-o", SCENARIO, "--force"][..], "would replace the scenario itself"),
        (&["run", SCENARIO, "--html", SCENARIO, "--force"], "--html would replace the scenario itself"),
        (&["run", SCENARIO, SCENARIO, "--html", "x.html"], "--html writes one page"),
        (&["run", SCENARIO, "--force"], "give one of them"),
        (&["report", "scenarios/nowhere.nat.yaml"], "nowhere.nat.yaml"),
        (&["explain", "scenarios/nowhere.nat.yaml"], "nowhere.nat.yaml"),
        (&["explain", SCENARIO, "--set", "nats.nat-a=symetric"], "did you mean `symmetric`?"),
    ] {
        let output = punchlab(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(explanation), "{arguments:?}: {}", stderr(&output));
    }
    for command in ["report", "explain"] {
        let output = punchlab(&[command, SCENARIO, "--limit", "events=50"]);
        assert_eq!(code(&output), 3, "{command}");
        assert!(stderr(&output).contains("--limit events=N"), "{command}: {}", stderr(&output));
    }
}

/// What an explanation promises for a set of options is what `run` gives with them.
#[test]
fn run_gives_what_explain_promises() {
    let explanation = json(&["explain", WITHOUT_TURN, "--format", "json"]);
    let flips = explanation["flips"]["better"].as_array().expect("flips");
    let of_size =
        |size: usize| flips.iter().find(|flip| flip["changes"].as_array().map(Vec::len) == Some(size));
    for flip in [of_size(1).expect("a single change"), of_size(2).expect("a pair of changes")] {
        let changes = flip["changes"].as_array().expect("changes");
        let sets = changes.iter().flat_map(|change| change["set"].as_array().expect("a set"));
        let sets: Vec<String> = sets
            .map(|set| {
                format!(
                    "--set={}={}",
                    set["path"].as_str().expect("text"),
                    set["value"].as_str().expect("text")
                )
            })
            .collect();
        let mut arguments = vec!["run", WITHOUT_TURN, "--format", "json"];
        arguments.extend(sets.iter().map(String::as_str));
        let outcome = json(&arguments);
        for key in ["path", "settled_ms"] {
            assert_eq!(outcome["calls"][0][key], flip["calls"][0][key], "{flip}");
        }
    }
}

#[test]
fn explain_judges_no_expectations_and_finds_the_same_on_any_number_of_cores() {
    let arguments = ["explain", "scenarios/symmetric-x-symmetric.nat.yaml", "--set", "expect.path=direct"];
    let [one, many] = [Some("1"), None].map(|threads| {
        let mut command = common::program::command(&arguments);
        if let Some(threads) = threads {
            command.env("RAYON_NUM_THREADS", threads);
        }
        command.output().expect("the program runs")
    });
    assert_eq!(code(&one), 0);
    assert_eq!(stdout(&one), stdout(&many));
    assert_eq!(stderr(&one), "");
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&punchlab(arguments))).expect("JSON")
}
