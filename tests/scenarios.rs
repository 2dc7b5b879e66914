//! Every file under `scenarios/` is a test by its mere presence: its expectations hold, and what it shows to a reader
//! (verdict, cause, candidates, NAT tables, drops) is the snapshot.

use punchlab::base::Limits;
use punchlab::engine::RunOptions;
use punchlab::outcome::simulate;
use punchlab::report::Report;
use punchlab::report::human::{self, Options, Part};
use punchlab::scenario::{self, Overrides, Source};

/// The ladder is left out: it would make every snapshot a page longer, and the byte-level promise is held elsewhere.
const PARTS: [Part; 7] = [
    Part::Title,
    Part::Verdict,
    Part::Events,
    Part::Candidates,
    Part::NatTables,
    Part::Drops,
    Part::Expectations,
];

#[test]
fn every_scenario_shows_what_it_teaches() {
    insta::glob!("../scenarios", "*.nat.yaml", |path| {
        let limits = Limits::DEFAULT;
        let text = std::fs::read_to_string(path).expect("a readable scenario");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let source = Source { name, text };
        let plan =
            scenario::load(&source, &Overrides::default(), &limits).unwrap_or_else(|error| panic!("{error}"));
        let options = RunOptions { record: true, skip_rest: plan.is_long(), limits, ..RunOptions::default() };
        let (run, outcome) = simulate(&plan, &options).expect("a finished run");
        let report = Report { plan: &plan, run: &run, outcome: &outcome };
        let text = human::write_parts(report, &PARTS, Options { full: true, ..Options::default() });
        insta::assert_snapshot!(text);
        assert!(outcome.ok, "{}: an expectation failed\n{text}", source.name);
    });
}

/// Of files with a matrix only what each case comes to: the cases differ in nothing else that is worth a page.
#[test]
fn every_case_of_a_matrix_is_a_scenario() {
    insta::glob!("../scenarios/cases", "*.nat.yaml", |path| {
        let limits = Limits::DEFAULT;
        let text = std::fs::read_to_string(path).expect("a readable scenario");
        let source = Source { name: "scenario".into(), text };
        let cases = scenario::cases(&source, &Overrides::default(), &limits)
            .unwrap_or_else(|error| panic!("{error}"));
        let mut lines = String::new();
        for case in &cases {
            let plan =
                scenario::load(&source, &case.overrides, &limits).unwrap_or_else(|error| panic!("{error}"));
            let (_, outcome) = simulate(&plan, &RunOptions::default()).expect("a finished run");
            assert!(outcome.ok, "{}: an expectation failed", plan.name);
            assert!(plan.name.ends_with(&format!("[{}]", case.label)), "{}", plan.name);
            let paths: Vec<String> = outcome.calls.iter().map(|call| call.path.to_string()).collect();
            lines.push_str(&format!("{}: {}\n", plan.name, paths.join(", ")));
        }
        assert!(cases.len() > 1);
        insta::assert_snapshot!(lines);
    });
}
