//! What the writers make of results, and that nothing in a result can get out of its place.

use super::*;
use crate::plan::{Needs, Path};

const HOSTILE: &str = "dir/a#1|<b>,x: 50%\u{202e}.nat.yaml";

fn results() -> Vec<CaseResult> {
    let passed = CaseResult {
        scenario: "two homes".into(),
        seeds: vec![1],
        calls: vec![CallLine {
            from: "alice".into(),
            to: "bob".into(),
            path: Path::Stun,
            needs: Some(Needs::Stun),
        }],
        ..CaseResult::new("dir/home.nat.yaml".into(), "dir/home.nat.yaml".into())
    };
    let mut failed =
        CaseResult { reproduce: "punchlab run x".into(), details: "```\nFAILED\n".into(), ..passed.clone() };
    (failed.id, failed.file) = (HOSTILE.into(), HOSTILE.into());
    failed.add(Problem {
        kind: ProblemKind::Expectation,
        what: "path: wanted relay, got stun\n::error::& <script>\u{1b}[31m".into(),
        line: Some(7),
    });
    vec![passed, failed, CaseResult::skipped("late.nat.yaml".into(), "late.nat.yaml".into())]
}

#[test]
fn a_summary_counts_every_case_once() {
    let summary = Summary::of(&results());
    assert_eq!((summary.passed, summary.failed, summary.skipped, summary.cases()), (1, 1, 1, 3));
    assert_eq!(summary.to_string(), "1 passed, 1 failed, 1 skipped");
}

#[test]
fn the_worst_problem_decides_and_a_case_is_rejected_only_once() {
    let problem = |kind| Problem { kind, what: String::new(), line: None };
    let mut result = results().remove(0);
    result.add(problem(ProblemKind::Broken));
    result.add(problem(ProblemKind::Snapshot));
    assert_eq!((result.status, result.problems.len()), (Status::Broken, 2));
}

#[test]
fn tap_keeps_descriptions_on_their_line_and_out_of_directives() {
    let text = tap::write(&results());
    assert!(
        text.starts_with("TAP version 13\n1..3\nok 1 - dir/home.nat.yaml\nnot ok 2 - dir/a\\#1|"),
        "{text}"
    );
    assert!(text.ends_with("ok 3 - late.nat.yaml # SKIP an earlier case failed\n"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("  ...")).count(), 1);
}

#[test]
fn annotations_cannot_become_commands() {
    let text = github::annotations(&results());
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("::error file=dir/a#1|<b>%2Cx%3A 50%25"), "{text}");
    assert!(text.contains("::path: wanted relay, got stun%0A::error::"), "{text}");
}

#[test]
fn markdown_obeys_nothing_in_a_name_or_a_detail() {
    let text = markdown::write(&results());
    assert!(text.contains(r"| ❌ | dir/a\#1\|\<b\>,x: 50%"), "{text}");
    assert!(text.contains("````text\n"), "the fence is longer than the one in the details: {text}");
    assert!(!text.contains("<script>\n") && !text.contains('\u{202e}'), "{text}");
}

#[test]
fn an_index_is_well_formed_and_its_links_lead_to_pages() {
    let text = index::write(&results(), |index| (index < 2).then(|| format!("000{index} a&b.html")));
    assert!(text.contains("<a href=\"0000%20a%26b.html\"><bdi>dir/home.nat.yaml</bdi></a>"), "{text}");
    assert!(text.contains("&lt;b&gt;") && !text.contains("<b>,"), "{text}");
    assert!(!text.contains("<script") && text.contains("default-src 'none'"), "{text}");
}

#[test]
fn junit_holds_one_suite_a_folder_and_no_character_xml_forbids() {
    let text = junit::write(&results());
    let document = roxmltree::Document::parse(&text).expect("well-formed XML");
    let suites: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("testsuite"))
        .map(|s| s.attribute("name"))
        .collect();
    assert_eq!(suites, [Some("dir"), Some(".")]);
    assert_eq!(document.root_element().attribute("skipped"), None, "Jenkins' schema does not know it there");
}

#[test]
fn json_lines_are_the_cases_of_the_object_and_the_summary() {
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    let (object, lines) = (value(&json::write(&results())), json::write_lines(&results()));
    let lines: Vec<_> = lines.lines().map(value).collect();
    assert_eq!(object["cases"].as_array().expect("cases").as_slice(), &lines[..3]);
    assert_eq!(object["summary"], lines[3]["summary"]);
}

#[test]
fn what_is_read_shows_what_is_wrong_and_hides_the_rest() {
    let quiet = human::write(&results(), false, crate::report::text::Style::Plain);
    assert!(
        quiet.starts_with("FAIL dir/a#1") && quiet.ends_with("1 passed, 1 failed, 1 skipped\n"),
        "{quiet}"
    );
    assert!(!quiet.contains('\u{1b}') && !quiet.contains("PASS"), "{quiet}");
    let verbose = human::write(&results(), true, crate::report::text::Style::Plain);
    assert!(
        verbose.contains("PASS dir/home.nat.yaml  stun") && verbose.contains("SKIP late.nat.yaml"),
        "{verbose}"
    );
}
