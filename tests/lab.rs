//! The library's front door: what a test that uses it sees, where it holds and where it fails.

use std::panic::catch_unwind;

use punchlab::lab::{Error, Finished, Scenario};
use punchlab::plan::{Needs, Path, StackKind};

const CALL: &str = "scenarios/port-restricted-x-symmetric.nat.yaml";

#[test]
fn a_file_is_run_as_it_is_written() {
    let call = run(&Scenario::file(CALL).expect("a file"));
    call.assert_expected();
    call.assert_path("alice -> bob", Path::Relay);
    assert_eq!(call.call("alice->bob").needs, Some(Needs::Turn));
    assert_eq!(call.plan().calls.len(), 1);
    assert!(call.run().trace.is_some());
}

#[test]
fn a_finished_run_is_a_snapshot_that_reads_well() {
    insta::assert_snapshot!(run(&Scenario::file(CALL).expect("a file")));
}

#[test]
fn changes_are_those_of_the_command_line() {
    let call = Scenario::file(CALL).expect("a file").set("nats.nat-a.filtering", "address-dependent").seed(7);
    run(&call).assert_path("alice -> bob", Path::Stun);
    assert_eq!(run(&call).to_string(), run(&call).to_string());
    #[cfg(feature = "rtc")]
    {
        let other = call.agent(StackKind::Is).agent_of("bob", StackKind::Rtc);
        run(&other).assert_path("alice -> bob", Path::Stun);
    }
}

#[test]
fn a_finished_run_is_written_in_every_form_the_program_has() {
    let call = run(&Scenario::file(CALL).expect("a file"));
    let outcome: serde_json::Value = serde_json::from_str(&call.json()).expect("JSON");
    assert_eq!(outcome["calls"][0]["path"], "relay");
    assert!(call.jsonl().lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    assert!(call.ladder().contains("Packets of alice → bob"));
    assert_eq!(call.capture()[..4], [0x0a, 0x0d, 0x0d, 0x0a], "a pcapng section header");
}

#[test]
fn a_matrix_is_several_scenarios() {
    let cases = Scenario::file("scenarios/cases/nat-pairs.nat.yaml").expect("a file").cases().expect("cases");
    assert_eq!(cases.len(), 6);
    cases.iter().for_each(|case| run(case).assert_expected());
}

#[test]
fn a_failed_assertion_shows_the_cause_and_the_packets() {
    let call = run(&Scenario::file(CALL).expect("a file").set("expect.path", "stun"));
    let message = panic_of(&|| call.assert_expected());
    for told in ["an expectation does not hold", "wanted stun, got relay", "nat-filtered", "Binding request"]
    {
        assert!(message.contains(told), "{told}\n{message}");
    }
    let message = panic_of(&|| call.assert_path("alice -> bob", Path::Direct));
    assert!(message.contains("alice -> bob: wanted direct, got relay"), "{message}");
    let message = panic_of(&|| {
        let _ = call.call("alice -> carol");
    });
    assert_eq!(message, "no call is named `alice -> carol`; there is `alice -> bob`");
}

/// What the program cannot know, a text of the test, is no command.
#[test]
fn a_failed_assertion_says_how_to_see_the_run_again() {
    let file = Scenario::file(CALL).expect("a file");
    let text = Scenario::text("open", "peers: { alice: {}, bob: {} }\ncalls: [alice -> bob]\n");
    let case = Scenario::file("scenarios/cases/nat-pairs.nat.yaml").expect("a file").cases().expect("cases");
    for (scenario, told) in [
        (
            file.set("nats.nat-a.outside", "[203.0.113.1, 203.0.113.2]").seed(7),
            "punchlab run scenarios/port-restricted-x-symmetric.nat.yaml \
             --set 'nats.nat-a.outside=[203.0.113.1, 203.0.113.2]' --seed 7",
        ),
        (
            case[1].clone(),
            "punchlab run scenarios/cases/nat-pairs.nat.yaml \
             --set matrix.a=full-cone --set matrix.b=symmetric --seed 1",
        ),
        (text.set("name", "two hosts"), "this test, whose scenario has --set 'name=two hosts' --seed 1"),
    ] {
        let call = run(&scenario);
        let message = panic_of(&|| call.assert_path("alice -> bob", Path::Failed));
        assert!(message.ends_with(&format!("\nagain: {told}\n")), "{told}\n{message}");
    }
}

#[cfg(feature = "html")]
#[test]
fn a_failed_assertion_leaves_a_page() {
    let call = run(&Scenario::file(CALL).expect("a file"));
    let message = panic_of(&|| call.assert_path("alice -> bob", Path::Direct));
    let path = message.lines().find_map(|line| line.strip_prefix("The page of this run: ")).expect("a page");
    assert_eq!(std::fs::read_to_string(path).expect("a page"), call.html());
}

#[test]
fn what_is_no_scenario_is_an_error_that_teaches() {
    let error =
        Scenario::text("typo", "peers: { a: {}, b: {} }\ncalls: [a -> c]\n").run().expect_err("a mistake");
    assert!(matches!(error, Error::Rejected(_)));
    assert!(error.to_string().contains("--> typo:2:"), "{error}");
}

fn run(scenario: &Scenario) -> Finished {
    scenario.run().unwrap_or_else(|error| panic!("{error}"))
}

fn panic_of(doing: &dyn Fn()) -> String {
    let caught = catch_unwind(std::panic::AssertUnwindSafe(doing)).expect_err("a panic");
    caught.downcast_ref::<String>().expect("a message").clone()
}
