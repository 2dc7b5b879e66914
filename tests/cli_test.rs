//! `test` on the command line: which cases are run, what they come to, and what is written about them.
#![cfg(feature = "cli")]

mod common;

use std::process::Output;

use common::program::{Scratch, code, command, stderr, stdout};
use serde_json::Value;

const RELAYED: &str = "name: relayed
nats: { nat-a: symmetric, nat-b: symmetric }
servers: { stun: { stun: [3478/udp] }, turn: { turn: [3478/udp] } }
peers: { alice: { behind: nat-a }, bob: { behind: nat-b } }
calls: [alice -> bob]
expect:
  path: relay
";

#[test]
fn every_scenario_of_a_folder_is_a_case_and_made_folders_are_left_out() {
    let suite = Suite::new("discover");
    suite.write("a.nat.yaml", RELAYED);
    suite.write("deep/er/b.nat.yaml", RELAYED);
    suite.write("target/c.nat.yaml", RELAYED);
    suite.write(".hidden/d.nat.yaml", RELAYED);
    suite.write("other.yaml", RELAYED);

    let output = suite.run(&["--list"]);

    assert_eq!(lines(&output), ["a.nat.yaml", "deep/er/b.nat.yaml"]);
    assert_eq!(
        lines(&suite.run(&["--list", "target/c.nat.yaml", "deep"])),
        ["deep/er/b.nat.yaml", "target/c.nat.yaml"]
    );
}

#[test]
fn where_nothing_matches_the_exit_code_is_4_and_a_path_that_is_none_is_2() {
    let suite = Suite::new("nothing");
    assert_eq!(code(&suite.run(&[])), 4);
    suite.write("a.nat.yaml", RELAYED);
    let unmatched = suite.run(&["--filter", "nothing-like-it"]);
    assert_eq!(code(&unmatched), 4);
    assert!(stderr(&unmatched).contains("no scenario matches; 1 were found"), "{}", stderr(&unmatched));
    assert_eq!(code(&suite.run(&["nowhere"])), 2);
}

#[test]
fn a_case_that_disappoints_tells_its_line_its_verdict_and_how_to_see_it_again() {
    let suite = Suite::new("disappoints");
    suite.write("a.nat.yaml", &RELAYED.replace("path: relay", "path: stun"));
    suite.write("b.nat.yaml", RELAYED);

    let output = suite.run(&["--set", "signalling.delay=20ms"]);

    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    for told in [
        "FAIL a.nat.yaml  relay",
        "✗ path: wanted stun, got relay  (line 7)",
        "RELAY  alice → bob",
        "nat-filtered",
        "again: punchlab run a.nat.yaml --set signalling.delay=20ms",
        "1 passed, 1 failed",
    ] {
        assert!(text.contains(told), "{told} is missing in\n{text}");
    }
    assert!(!text.contains("PASS"), "{text}");
    assert!(stdout(&suite.run(&["-v"])).contains("PASS b.nat.yaml  relay"));
}

#[test]
fn a_file_that_is_rejected_does_not_keep_others_from_running() {
    let suite = Suite::new("rejected");
    suite.write("an a.nat.yaml", "nats: [");
    suite.write("b.nat.yaml", RELAYED);
    let output = suite.run(&[]);
    assert_eq!(code(&output), 2);
    let text = stdout(&output);
    for told in
        ["error[bad-yaml]", "again: punchlab check 'an a.nat.yaml'\n", "1 passed, 0 failed, 1 rejected"]
    {
        assert!(text.contains(told), "{told} is missing in\n{text}");
    }
}

#[test]
fn shards_share_the_cases_and_miss_none() {
    let suite = Suite::new("shards");
    for name in ["a", "b", "c", "d", "e"] {
        suite.write(&format!("{name}.nat.yaml"), RELAYED);
    }
    let mut all: Vec<String> = ["1/3", "2/3", "3/3"]
        .iter()
        .flat_map(|shard| lines(&suite.run(&["--list", "--shard", shard])))
        .collect();
    all.sort();
    assert_eq!(all, lines(&suite.run(&["--list"])));
    assert_eq!(code(&suite.run(&["--shard", "4/3"])), 2);
}

#[test]
fn what_failed_last_can_be_run_alone() {
    let suite = Suite::new("last-failed");
    suite.write("a.nat.yaml", &RELAYED.replace("path: relay", "path: stun"));
    suite.write("b.nat.yaml", RELAYED);
    assert_eq!(code(&suite.run(&[])), 1);
    assert_eq!(lines(&suite.run(&["--last-failed", "--list"])), ["a.nat.yaml"]);
    suite.write("a.nat.yaml", RELAYED);
    assert_eq!(code(&suite.run(&["--last-failed"])), 0);
    let again = suite.run(&["--last-failed", "--list"]);
    assert_eq!(lines(&again).len(), 2, "nothing failed, so everything is run");
    assert!(stderr(&again).contains("nothing failed last time"), "{}", stderr(&again));
}

#[test]
fn after_the_first_failure_nothing_new_begins_if_so_wished() {
    let suite = Suite::new("fail-fast");
    suite.write("a.nat.yaml", &RELAYED.replace("path: relay", "path: stun"));
    suite.write("b.nat.yaml", RELAYED);
    suite.write("c.nat.yaml", RELAYED);
    let output = suite.run(&["--fail-fast", "-j", "1"]);
    assert!(stdout(&output).contains("0 passed, 1 failed, 2 skipped"), "{}", stdout(&output));
}

#[test]
fn seeds_that_disagree_are_a_failure_and_are_named() {
    let suite = Suite::new("repeat");
    // The answer is lost every second time.
    suite.write(
        "a.nat.yaml",
        "peers: { alice: {}, bob: {} }\ncalls: [alice -> bob]\nsignalling: { loss: 30% }\n",
    );
    let output = suite.run(&["--repeat", "12"]);
    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    assert!(text.contains("the outcome depends on the seed: direct with"), "{text}");
    assert!(text.contains("failed with"), "{text}");
    assert!(text.contains("again: punchlab run a.nat.yaml --seed "), "{text}");
    suite.write("a.nat.yaml", RELAYED);
    assert_eq!(code(&suite.run(&["--repeat", "5"])), 0);
}

#[cfg(feature = "rtc")]
#[test]
fn several_stacks_make_several_cases() {
    let suite = Suite::new("stacks");
    suite.write("a.nat.yaml", RELAYED);
    let output = suite.run(&["--agent", "is", "--agent", "rtc", "-v"]);
    assert_eq!(code(&output), 0);
    for id in ["a.nat.yaml@is", "a.nat.yaml@rtc"] {
        assert!(stdout(&output).contains(id), "{}", stdout(&output));
    }
}

/// One file of two cases, of which one disappoints.
fn cases() -> String {
    let call = RELAYED.replace("nat-b: symmetric", "nat-b: \"${{ matrix.b }}\"");
    format!("tags: [slow]\nmatrix: {{ b: [symmetric, full-cone] }}\n{call}")
}

#[test]
fn every_case_of_a_matrix_is_a_case_and_says_how_to_run_it_alone() {
    let suite = Suite::new("cases");
    suite.write("a.nat.yaml", &cases());

    let output = suite.run(&["--verbose"]);

    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    for told in [
        "PASS a.nat.yaml[b=symmetric]  relay",
        "FAIL a.nat.yaml[b=full-cone]  stun",
        "again: punchlab run a.nat.yaml --set matrix.b=full-cone",
        "1 passed, 1 failed",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
    let again = suite.punchlab(&["run", "a.nat.yaml", "--set", "matrix.b=full-cone", "--format", "json"]);
    assert!(stdout(&again).contains("[b=full-cone]"), "{}", stdout(&again));
    suite.run(&["--update"]);
    assert!(suite.exists("a.nat.yaml[b=symmetric].snap") && suite.exists("a.nat.yaml[b=full-cone].snap"));
}

#[test]
fn run_and_check_go_through_all_cases_but_write_one_page_only_for_one() {
    let suite = Suite::new("cases-run");
    suite.write("a.nat.yaml", &cases());

    let run = suite.punchlab(&["run", "a.nat.yaml", "--show", "title"]);
    let page = suite.punchlab(&["run", "a.nat.yaml", "--html", "page.html"]);

    assert_eq!(code(&run), 1);
    assert!(
        stdout(&run).contains("[b=symmetric]") && stdout(&run).contains("[b=full-cone]"),
        "{}",
        stdout(&run)
    );
    assert_eq!(
        lines(&suite.punchlab(&["check", "a.nat.yaml"])),
        ["a.nat.yaml[b=symmetric]: ok, 7 nodes, 1 call", "a.nat.yaml[b=full-cone]: ok, 7 nodes, 1 call"]
    );
    assert_eq!(code(&page), 2);
    assert!(
        stderr(&page).contains("--html writes one page, and a.nat.yaml holds 2 cases"),
        "{}",
        stderr(&page)
    );
    assert!(!suite.exists("page.html"));
}

#[test]
fn a_mistake_that_cases_share_is_told_once() {
    let suite = Suite::new("cases-mistakes");
    suite.write(
        "a.nat.yaml",
        &cases().replace("full-cone]", "full-con]").replace("path: relay", "path: rilay"),
    );

    let [check, run, test] = ["check", "run", "test"].map(|command| suite.punchlab(&[command, "a.nat.yaml"]));

    for (output, text) in [(&check, stderr(&check)), (&run, stderr(&run))] {
        assert_eq!((code(output), stdout(output).as_str()), (2, ""));
        let count = |mistake: &str| text.matches(&format!("cannot be `{mistake}`")).count();
        assert_eq!((count("rilay"), count("full-con")), (1, 1), "{text}");
    }
    assert_eq!(code(&test), 2);
    suite.write("a.nat.yaml", &cases().replace("path: relay", "path: rilay"));
    let text = stdout(&suite.run(&[]));
    assert_eq!(text.matches("cannot be `rilay`").count(), 1, "{text}");
    assert!(text.contains("✗ the same as with a.nat.yaml[b=symmetric]  (line 9)"), "{text}");
    assert!(text.contains("0 passed, 0 failed, 2 rejected"), "{text}");
}

#[test]
fn files_are_chosen_by_their_tags() {
    let suite = Suite::new("tags");
    suite.write("a.nat.yaml", &cases());
    suite.write("b.nat.yaml", RELAYED);

    assert_eq!(lines(&suite.run(&["--list", "--tag", "slow", "--tag", "other"])).len(), 2);
    assert_eq!(code(&suite.run(&["--tag", "other"])), 4);
}

#[test]
fn a_snapshot_is_made_by_update_compared_afterwards_and_reviewed() {
    let suite = Suite::new("snapshots");
    suite.write("a.nat.yaml", RELAYED);
    assert_eq!(code(&suite.run(&[])), 0);
    assert!(!suite.exists("a.nat.yaml.snap"), "nothing is made unasked");
    assert_eq!(code(&suite.run(&["--update"])), 0);
    let first = suite.read("a.nat.yaml.snap");

    // Another NAT, the same expectation.
    suite.write("a.nat.yaml", &RELAYED.replace("nat-b: symmetric", "nat-b: port-restricted-cone"));
    let output = suite.run(&[]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("✗ the snapshot differs: a.nat.yaml.snap"), "{}", stdout(&output));
    assert!(suite.exists("a.nat.yaml.snap.new"));

    let shown = suite.punchlab(&["review"]);
    assert_eq!(code(&shown), 1, "there is something to review");
    assert!(stdout(&shown).contains("+ ") && stdout(&shown).contains("- "), "{}", stdout(&shown));
    assert_eq!(code(&suite.punchlab(&["review", "--reject"])), 0);
    assert!(!suite.exists("a.nat.yaml.snap.new"));
    assert_eq!(suite.read("a.nat.yaml.snap"), first);

    assert_eq!(code(&suite.run(&[])), 1);
    assert_eq!(code(&suite.punchlab(&["review", "--accept", "a.nat.yaml"])), 0);
    assert_ne!(suite.read("a.nat.yaml.snap"), first);
    assert_eq!(code(&suite.run(&[])), 0);
    assert_eq!(stdout(&suite.punchlab(&["review"])), "nothing to review\n");
}

/// Another delay changes no decision.
#[test]
fn times_are_compared_only_where_the_snapshot_has_them() {
    let suite = Suite::new("times");
    let slower = format!("{RELAYED}signalling: {{ delay: 51ms }}\n");
    for (options, expected) in [(&["--update"][..], 0), (&["--update", "--times"], 1)] {
        suite.write("a.nat.yaml", RELAYED);
        assert_eq!(code(&suite.run(options)), 0);
        suite.write("a.nat.yaml", &slower);
        assert_eq!(code(&suite.run(&[])), expected, "{options:?}");
    }
}

#[test]
fn in_ci_a_difference_fails_and_nothing_is_written() {
    let suite = Suite::new("ci");
    suite.write("a.nat.yaml", RELAYED);
    suite.write("a.nat.yaml.snap", "something else\n");
    let output = suite.command(&["test"]).env("CI", "true").output().expect("output");
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("- something else"), "{}", stdout(&output));
    assert!(!suite.exists("a.nat.yaml.snap.new"));
}

/// A snapshot is about the file as it is written.
#[test]
fn a_changed_run_is_not_held_against_the_snapshot() {
    let suite = Suite::new("changed");
    suite.write("a.nat.yaml", RELAYED);
    suite.write("a.nat.yaml.snap", "something else\n");
    for arguments in
        [&["--seed", "9"][..], &["--set", "signalling.delay=1ms"], &["--agent", "is"], &["--repeat", "2"]]
    {
        assert_eq!(code(&suite.run(arguments)), 0, "{arguments:?}");
    }
}

#[test]
fn all_reports_are_written_in_one_run_and_agree() {
    let suite = Suite::new("reports");
    suite.write("a.nat.yaml", &RELAYED.replace("path: relay", "path: stun"));
    suite.write("sub/b.nat.yaml", RELAYED);
    let output = suite.run(&[
        "--junit", "j.xml", "--tap", "t.tap", "--json", "r.json", "--jsonl", "r.jsonl", "--md", "r.md",
        "--html", "pages", "--pcap", "captures",
    ]);
    assert_eq!(code(&output), 1);

    let json: Value = serde_json::from_str(&suite.read("r.json")).expect("JSON");
    assert_eq!(json["summary"]["passed"], 1);
    assert_eq!(json["cases"][0]["problems"][0]["line"], 7);
    assert_eq!(json["cases"][1]["calls"][0]["path"], "relay");
    let lines = suite.read("r.jsonl");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(
        (lines.len(), &lines[0]["id"], &lines[2]["ok"]),
        (3, &json["cases"][0]["id"], &Value::Bool(false))
    );
    assert!(suite.read("t.tap").starts_with("TAP version 13\n1..2\nnot ok 1 - a.nat.yaml\n"));
    assert!(suite.read("t.tap").contains("\nok 2 - sub/b.nat.yaml\n"));
    assert!(suite.read("r.md").contains("| ❌ | a.nat.yaml | relay |"), "{}", suite.read("r.md"));
    let junit = suite.read("j.xml");
    let document = roxmltree::Document::parse(&junit).expect("XML");
    let failures = document.descendants().filter(|node| node.has_tag_name("failure")).count();
    assert_eq!((failures, document.root_element().attribute("tests")), (1, Some("2")));
    let index = suite.read("pages/index.html");
    for number in ["0000-a", "0001-sub-b"] {
        assert!(index.contains(&format!("href=\"{number}.html\"")), "{index}");
        assert!(suite.read(&format!("pages/{number}.html")).contains("report-data"));
        assert!(suite.exists(&format!("captures/{number}.pcapng")));
    }
}

#[test]
fn a_report_on_standard_output_takes_the_place_of_the_one_to_read() {
    let suite = Suite::new("stdout");
    suite.write("a.nat.yaml", RELAYED);
    let output = stdout(&suite.run(&["--json", "-"]));
    let json: Value = serde_json::from_str(&output).expect("nothing but JSON");
    assert_eq!(json["ok"], true);
}

#[test]
fn options_that_make_no_sense_are_refused_and_nothing_is_run() {
    let suite = Suite::new("mistakes");
    suite.write("a.nat.yaml", RELAYED);
    for (arguments, told) in [
        (
            &["--junit", "-", "--tap", "-"][..],
            "--junit and --tap would both write to standard output; give each a file of its own",
        ),
        (
            &["--json", "r", "--md", "r"],
            "--json and --md would both write to `r`; give each a file of its own",
        ),
        (&["--html", "-"], "--html makes a folder of pages, which standard output cannot hold; name one"),
        (&["--pcap", "-"], "--pcap makes a folder of captures, which standard output cannot hold; name one"),
        (&["--agent", "is", "--agent", "is"], "--agent names is twice"),
    ] {
        let output = suite.run(arguments);
        assert_eq!((code(&output), stdout(&output).as_str()), (2, ""), "{arguments:?}");
        assert!(stderr(&output).starts_with(&format!("error: {told}")), "{}", stderr(&output));
    }
    assert!(!suite.exists("-") && !suite.exists("r"));
}

#[test]
fn on_github_failing_lines_are_annotated_and_the_summary_is_written() {
    let suite = Suite::new("github");
    suite.write("a.nat.yaml", &RELAYED.replace("path: relay", "path: stun"));
    let mut command = suite.command(&["test"]);
    let output = command
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", suite.folder.path("summary.md"))
        .output()
        .expect("output");
    let annotation = "::error file=a.nat.yaml,line=7,title=a.nat.yaml::path: wanted stun, got relay\n";
    assert!(stdout(&output).contains(annotation), "{}", stdout(&output));
    assert!(suite.read("summary.md").starts_with("## ❌ punchlab: 0 passed, 1 failed"));
}

#[test]
fn results_are_the_same_with_any_number_of_jobs() {
    let suite = Suite::new("jobs");
    for name in ["a", "b", "c", "d"] {
        suite.write(&format!("{name}.nat.yaml"), RELAYED);
    }
    let [one, many] = ["1", "4"].map(|jobs| stdout(&suite.run(&["-j", jobs, "--json", "-"])));
    assert_eq!(one, many);
}

/// A folder of scenarios.
struct Suite {
    folder: Scratch,
}

impl Suite {
    fn new(name: &str) -> Self {
        Self { folder: Scratch::new(&format!("test-{name}")) }
    }

    fn write(&self, file: &str, text: &str) {
        let path = std::path::PathBuf::from(self.folder.path(file));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    fn exists(&self, file: &str) -> bool {
        std::path::Path::new(&self.folder.path(file)).exists()
    }

    /// `punchlab test` in the folder.
    fn run(&self, arguments: &[&str]) -> Output {
        self.punchlab(&[&["test"], arguments].concat())
    }

    fn punchlab(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// The program in the folder, on no CI server.
    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = command(arguments);
        command.current_dir(self.folder.path("")).env_remove("CI").env_remove("GITHUB_ACTIONS");
        command
    }
}

fn lines(output: &Output) -> Vec<String> {
    stdout(output).lines().map(str::to_owned).collect()
}
