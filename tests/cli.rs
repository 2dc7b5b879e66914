//! The command line: streams, exit codes, files. What the documentation shows is run by `tests/docs.rs`.
#![cfg(feature = "cli")]

mod common;

use std::process::Output;

use common::program::{Scratch, code, command, punchlab, stderr, stdout};

#[test]
fn a_scenario_that_holds_exits_with_0_and_reports_to_standard_output() {
    let output = punchlab(&["run", SCENARIO]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("RELAY  alice → bob"), "{}", stdout(&output));
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_failed_expectation_exits_with_1_and_names_its_line() {
    let output = punchlab(&["run", SCENARIO, "--set", "nats.nat-b=full-cone"]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("✗ path: wanted relay, got stun"), "{}", stdout(&output));
}

#[test]
fn a_rejected_scenario_exits_with_2_and_complains_on_standard_error() {
    let output = punchlab(&["check", SCENARIO, "--set", "peers.alice.behind=nat-aa"]);
    assert_eq!(code(&output), 2);
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).contains("error[unknown-node]"), "{}", stderr(&output));
    assert!(stderr(&output).contains("nat-a"), "{}", stderr(&output));
}

#[test]
fn a_file_that_is_not_there_exits_with_2() {
    let output = punchlab(&["run", "scenarios/no-such-file.nat.yaml"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("no-such-file.nat.yaml"), "{}", stderr(&output));
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in
        [&["rum"][..], &["run"], &["run", SCENARIO, "--sed", "3"], &["run", SCENARIO, "--set", "x"]]
    {
        let output = punchlab(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(stderr(&output).contains("error"), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn values_that_cannot_be_used_are_explained() {
    for (arguments, explanation) in [
        (&["run", SCENARIO, "--seed", "-1"][..], "a whole number from 0 to"),
        (&["matrix", "--seed", "-1"], "a whole number from 0 to"),
        (&["run", SCENARIO, "--pcap", "-"], "a file is wanted here"),
        (&["run", SCENARIO, "--html", "-"], "a file is wanted here"),
        (&["graph", SCENARIO, "-o", "-"], "a file is wanted here"),
        (&["run", SCENARIO, "--agent", "alise=is"], "did you mean `alice`?"),
        (&["run", SCENARIO, "--agent", "=is"], "write PEER=STACK"),
        (&["run", SCENARIO, "--agent", "is", "--agent", "is"], "gives every peer a stack twice"),
        (&["check", SCENARIO, "--agent", "bob=is", "--agent", "bob=is"], "gives `bob` a stack twice"),
        (&["run", SCENARIO, "--log", "is=loud"], "write a level such as `debug`"),
        (&["run", SCENARIO, "--limit", "events=-1"], "not a whole number from 0 to"),
        (&["run", SCENARIO, "--pcap", SCENARIO, "--force"], "would replace the scenario itself"),
    ] {
        let output = punchlab(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(stderr(&output).contains(explanation), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_capture_that_cannot_be_written_says_what_helps() {
    let folder = Scratch::new("no-capture");
    let existing = folder.path("old.pcapng");
    std::fs::write(&existing, "old").expect("written");
    for (path, explanation) in [
        (folder.path("missing/call.pcapng"), "its folder does not exist"),
        (folder.path("."), "it is a directory"),
        (existing, "`--force` replaces it"),
    ] {
        let output = punchlab(&["run", SCENARIO, "--show", "title", "--pcap", &path]);
        assert_eq!(code(&output), 3, "{path}");
        assert!(stderr(&output).contains(explanation), "{path}: {}", stderr(&output));
    }
}

#[test]
fn a_limit_that_is_reached_exits_with_3_and_says_how_to_raise_it() {
    let output = punchlab(&["run", SCENARIO, "--limit", "events=50"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("--limit events=N"), "{}", stderr(&output));
}

#[test]
fn an_unknown_profile_exits_with_4_and_suggests_one() {
    let output = punchlab(&["profiles", "symetric"]);
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("did you mean `symmetric`?"), "{}", stderr(&output));
}

#[test]
fn names_that_would_colour_the_terminal_are_written_out() {
    let output = punchlab(&["profiles", "\u{1b}[31mx"]);
    assert_eq!(code(&output), 4);
    assert!(
        !stderr(&output).contains('\u{1b}') && !stderr(&output).contains("did you mean"),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&punchlab(&["profiles", "SYMMETRIC"])).contains("did you mean `symmetric`?"));
}

#[cfg(unix)]
#[test]
fn file_names_that_would_colour_the_terminal_are_cleaned() {
    let folder = Scratch::new("coloured");
    let file = folder.path("\u{1b}[31m.nat.yaml");
    std::fs::copy(SCENARIO, &file).expect("copied");
    for arguments in
        [&["check", &file][..], &["run", &file, "--show", "title"], &["run", &file, "--limit", "events=9"]]
    {
        let output = punchlab(arguments);
        assert!(!(stdout(&output) + &stderr(&output)).contains('\u{1b}'), "{arguments:?}");
    }
}

#[test]
fn help_begins_with_examples_and_ends_with_exit_codes() {
    let output = punchlab(&["--help"]);
    assert_eq!(code(&output), 0);
    let help = stdout(&output);
    assert!(help.starts_with("Examples:"), "{help}");
    assert!(help.contains("4  nothing matched"), "{help}");
}

#[test]
fn of_several_files_the_worst_result_is_the_exit_code_and_all_are_reported() {
    let output = punchlab(&["run", "scenarios/open-x-open.nat.yaml", "scenarios/nowhere.nat.yaml", SCENARIO]);
    assert_eq!(code(&output), 2);
    let text = stdout(&output);
    assert!(text.contains("DIRECT alice → bob") && text.contains("RELAY  alice → bob"), "{text}");
}

#[test]
fn json_is_one_object_and_json_lines_are_objects() {
    let json = punchlab(&["run", SCENARIO, "--format", "json"]);
    let object: serde_json::Value = serde_json::from_str(&stdout(&json)).expect("JSON");
    assert_eq!(object["calls"][0]["path"], "relay");
    assert_eq!(object["calls"][0]["needs"], "turn");
    assert_eq!(object["file"], SCENARIO);
    let lines = punchlab(&["run", SCENARIO, "--format", "jsonl"]);
    assert!(stdout(&lines).lines().count() > 100);
    for line in stdout(&lines).lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON on every line");
        assert!(value["event"].is_string(), "{line}");
    }
}

#[test]
fn another_seed_gives_other_ports_and_the_same_path() {
    let [one, two] =
        ["1", "2"].map(|seed| stdout(&punchlab(&["run", SCENARIO, "--format", "json", "--seed", seed])));
    assert_ne!(one, two);
    assert!(one.contains("\"path\": \"relay\"") && two.contains("\"path\": \"relay\""));
}

#[test]
fn two_processes_print_and_capture_the_same_bytes() {
    let folder = Scratch::new("processes");
    let runs = ["one.pcapng", "two.pcapng"].map(|name| {
        let file = folder.path(name);
        let output = punchlab(&["run", SCENARIO, "--format", "jsonl", "--pcap", &file]);
        assert_eq!(code(&output), 0);
        (output.stdout, std::fs::read(&file).expect("a capture"))
    });
    assert!(runs[0].0.len() > 1_000 && runs[0].1.len() > 1_000);
    assert!(runs[0] == runs[1]);
}

#[test]
fn a_capture_never_overwrites_a_file_unless_it_must() {
    let folder = Scratch::new("capture");
    let file = folder.path("call.pcapng");
    assert_eq!(code(&punchlab(&["run", SCENARIO, "--pcap", &file])), 0);
    let first = std::fs::read(&file).expect("a capture");
    assert_eq!(&first[..4], &[0x0a, 0x0d, 0x0d, 0x0a], "a pcapng section header");
    let refused = punchlab(&["run", SCENARIO, "--pcap", &file]);
    assert_eq!(code(&refused), 3);
    assert!(stderr(&refused).contains("call.pcapng"), "{}", stderr(&refused));
    assert_eq!(code(&punchlab(&["run", SCENARIO, "--pcap", &file, "--force"])), 0);
    assert_eq!(std::fs::read(&file).expect("a capture"), first);
    let several = punchlab(&["run", SCENARIO, SCENARIO, "--pcap", &folder.path("two.pcapng")]);
    assert_eq!(code(&several), 2);
}

#[test]
fn colour_is_used_only_where_it_is_wanted() {
    let has_colour = |output: &Output| stdout(output).contains('\u{1b}');
    assert!(!has_colour(&punchlab(&["run", SCENARIO])), "a pipe is no terminal");
    assert!(has_colour(&punchlab(&["run", SCENARIO, "--color", "always"])));
    let forced = command(&["run", SCENARIO]).env("CLICOLOR_FORCE", "1").output().expect("output");
    assert!(has_colour(&forced));
    let refused = command(&["run", SCENARIO]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output();
    assert!(!has_colour(&refused.expect("output")));
}

#[cfg(feature = "rtc")]
#[test]
fn the_stack_can_be_chosen_for_everybody_or_for_one_peer() {
    let agents = |arguments: &[&str]| {
        let output = punchlab(&[&["run", SCENARIO, "--format", "json"], arguments].concat());
        let object: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        let agents = &object["calls"][0]["agents"];
        [agents["alice"].clone(), agents["bob"].clone()]
    };
    assert_eq!(agents(&[]), ["is", "is"]);
    assert_eq!(agents(&["--agent", "rtc"]), ["rtc", "rtc"]);
    assert_eq!(agents(&["--agent", "bob=rtc"]), ["is", "rtc"]);
}

const SCENARIO: &str = "scenarios/symmetric-x-symmetric.nat.yaml";
