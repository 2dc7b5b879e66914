//! `graph` and `ladder` on the command line: calls, times, files.
#![cfg(feature = "cli")]

mod common;

use common::program::{Scratch, code, punchlab, stderr, stdout};

const SCENARIO: &str = "scenarios/symmetric-x-symmetric.nat.yaml";

#[test]
fn every_format_begins_as_its_readers_expect() {
    for (arguments, beginning) in [
        (&["graph", SCENARIO][..], "<svg "),
        (&["graph", SCENARIO, "--format", "dot"], "graph \""),
        (&["graph", SCENARIO, "--format", "mermaid"], "flowchart TB\n"),
        (&["ladder", SCENARIO], "Packets of alice → bob\n"),
        (&["ladder", SCENARIO, "--format", "svg"], "<svg "),
        (&["ladder", SCENARIO, "--format", "mermaid"], "sequenceDiagram\n"),
    ] {
        let output = punchlab(arguments);
        assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
        assert!(stdout(&output).starts_with(beginning), "{arguments:?}: {}", stdout(&output));
    }
}

#[test]
fn a_call_is_named_or_numbered_and_a_part_of_it_is_chosen_by_time() {
    let whole = stdout(&punchlab(&["ladder", SCENARIO]));
    for call in ["alice->bob", "alice -> bob", "0"] {
        assert_eq!(stdout(&punchlab(&["ladder", SCENARIO, "--call", call])), whole, "{call}");
    }
    let part = stdout(&punchlab(&["ladder", SCENARIO, "--from", "16ms", "--until", "50ms"]));
    let first_numbers = part.lines().filter_map(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    let times: Vec<f64> = first_numbers.collect();
    assert!(times.len() > 3 && times.iter().all(|time| (16.0..=50.0).contains(time)), "{part}");
}

#[test]
fn what_cannot_be_drawn_is_explained() {
    for (arguments, exit, explanation) in [
        (
            &["ladder", SCENARIO, "--call", "bob->alice"][..],
            2,
            "there is no call `bob->alice`; there are:\n  0  alice->bob",
        ),
        (&["ladder", SCENARIO, "--call", "1"], 2, "there is no call `1`"),
        (&["ladder", SCENARIO, "--from", "2s", "--until", "1s"], 2, "--until 1s is before --from 2s"),
        (&["ladder", SCENARIO, "--from", "100"], 2, "it has no unit; write `100ms`"),
        (&["ladder", SCENARIO, "--from", "1h"], 4, "nothing began after 3600s; the run ended at"),
        (&["ladder", SCENARIO, "--limit", "events=9"], 3, "--limit events=N"),
        (&["graph", SCENARIO, "--set", "peers.alice.behind=nowhere"], 2, "error[unknown-node]"),
        (&["graph", SCENARIO, "-o", SCENARIO, "--force"], 2, "would replace the scenario itself"),
        (&["graph", SCENARIO, "--force"], 2, "--output"),
        (&["graph", SCENARIO, "-o", "no/such/folder.svg"], 3, "its folder does not exist"),
    ] {
        let output = punchlab(arguments);
        assert_eq!(code(&output), exit, "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(stderr(&output).contains(explanation), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_ladder_that_lacks_its_end_says_so() {
    let output = punchlab(&["ladder", SCENARIO, "--limit", "trace-bytes=20000"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).starts_with("Packets of"), "{}", stdout(&output));
    assert!(stderr(&output).contains("later events are not drawn; raise it with"), "{}", stderr(&output));
}

#[test]
fn of_several_calls_one_is_chosen() {
    let two = ["ladder", SCENARIO, "--set", "calls=['alice -> bob', 'bob -> alice']"];
    let output = punchlab(&two);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("there are 2 calls; choose one with --call:"), "{}", stderr(&output));
    let output = punchlab(&[&two[..], &["--call", "bob->alice"]].concat());
    assert!(
        stdout(&output).starts_with("Packets of bob → alice\n"),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
}

#[test]
fn a_file_is_not_overwritten_unless_it_must() {
    let folder = Scratch::new("pictures");
    let file = folder.path("graph.svg");
    let printed = stdout(&punchlab(&["graph", SCENARIO]));
    assert_eq!(stdout(&punchlab(&["graph", SCENARIO, "-o", &file])), "");
    assert_eq!(std::fs::read_to_string(&file).expect("a picture"), printed);
    let refused = punchlab(&["ladder", SCENARIO, "-o", &file]);
    assert_eq!(code(&refused), 3);
    assert!(stderr(&refused).contains("`--force` replaces it"), "{}", stderr(&refused));
    assert_eq!(code(&punchlab(&["ladder", SCENARIO, "-o", &file, "--force", "--color", "always"])), 0);
    let written = std::fs::read_to_string(&file).expect("a ladder");
    assert!(written.starts_with("Packets of") && !written.contains('\u{1b}'), "{written}");
}
