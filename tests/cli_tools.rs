//! `new`, `schema`, `completions` and `man` on the command line.
#![cfg(feature = "cli")]

mod common;

use common::program::{Scratch, code, punchlab, stderr, stdout};
use serde_json::Value;

#[test]
fn a_new_scenario_names_itself_and_passes_its_own_test() {
    let scratch = Scratch::new("new");
    for template in ["call", "carrier", "office", "cases"] {
        let file = scratch.path(&format!("{template}.nat.yaml"));
        let made = punchlab(&["new", template, "-o", &file]);
        assert_eq!(code(&made), 0, "{}", stderr(&made));
        assert!(!std::fs::read_to_string(&file).expect("a file").contains("FILE"));
        let tested = punchlab(&["test", &file]);
        assert_eq!(code(&tested), 0, "{}", stdout(&tested));
    }
    assert!(
        std::fs::read_to_string(scratch.path("call.nat.yaml")).expect("a file").contains("call.nat.yaml")
    );
    let again = punchlab(&["new", "-o", &scratch.path("call.nat.yaml")]);
    assert_eq!(code(&again), 3);
    assert!(stderr(&again).contains("--force"), "{}", stderr(&again));
}

#[test]
fn schemas_are_draft_7() {
    for of in ["scenario", "outcome", "explanation", "results"] {
        let schema: Value = serde_json::from_slice(&punchlab(&["schema", of]).stdout).expect("JSON");
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#", "{of}");
        jsonschema::draft7::meta::validate(&schema).unwrap_or_else(|error| panic!("{of}: {error}"));
    }
    assert_eq!(punchlab(&["schema"]).stdout, punchlab(&["schema", "scenario"]).stdout);
}

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = punchlab(&["completions", shell]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        for word in ["explain", "matrix", "last-failed"] {
            assert!(stdout(&output).contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn every_command_has_a_page() {
    let scratch = Scratch::new("man");
    let folder = scratch.path("man1");
    let written = punchlab(&["man", "-o", &folder]);
    assert_eq!(code(&written), 0, "{}", stderr(&written));

    let page = std::fs::read_to_string(format!("{folder}/punchlab-explain.1")).expect("a page");
    assert_eq!(page, stdout(&punchlab(&["man", "explain"])));
    assert!(page.contains(".TH punchlab-explain 1"), "{page}");

    let mut pages: Vec<_> =
        std::fs::read_dir(&folder).expect("a folder").map(|page| page.expect("a page").file_name()).collect();
    pages.sort();
    for command in punchlab::cli::command().get_subcommands() {
        assert!(
            pages.contains(&format!("punchlab-{}.1", command.get_name()).into()),
            "{}",
            command.get_name()
        );
    }
    let unknown = punchlab(&["man", "explian"]);
    assert_eq!(code(&unknown), 4);
    assert!(stderr(&unknown).contains("did you mean `explain`?"), "{}", stderr(&unknown));
}
