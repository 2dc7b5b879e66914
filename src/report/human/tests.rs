//! The report of the fixture, whole and in parts.

use super::*;
use crate::base::{SessionId, SimTime};
use crate::plan::{Assumption, Protocol, TcpPhase};
use crate::report::fixture::Fixture;
use crate::report::text::is_hidden;
use crate::trace::{AgentEvent, Event, EventKind};

#[test]
fn the_whole_report_reads_from_verdict_to_assumptions() {
    let fixture = Fixture::relay();

    insta::assert_snapshot!(write(fixture.report(), Options::default()));
}

#[test]
fn a_way_that_turns_back_at_a_shared_nat_is_drawn_over_all_its_columns() {
    let fixture = Fixture::cgn();

    insta::assert_snapshot!(write(fixture.report(), Options::default()));
}

#[test]
fn a_colourful_report_differs_from_the_plain_one_in_nothing_but_colours() {
    let fixture = Fixture::relay();
    let plain = write(fixture.report(), Options::default());

    let ansi = write(fixture.report(), Options { style: Style::Ansi, ..Options::default() });

    assert!(ansi.contains("\x1b[1;33mRELAY\x1b[0m"), "{ansi}");
    let pieces =
        ansi.split('\x1b').map(|piece| match piece.strip_prefix('[').and_then(|p| p.split_once('m')) {
            Some((_, rest)) => rest,
            None => piece,
        });
    assert_eq!(pieces.collect::<String>(), plain);
}

#[test]
fn two_peers_two_nats_and_two_servers_fit_a_hundred_columns() {
    let report = write(Fixture::relay().report(), Options::default());

    for line in report.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn no_text_of_a_scenario_reaches_the_terminal_unfiltered() {
    let mut fixture = Fixture::cgn();
    let hostile = "x\x1b[2J\u{202e}y\u{9b}31m\r";
    fixture.outcome.scenario = hostile.into();
    fixture.outcome.calls[0].why = hostile.into();
    fixture.plan.assumptions = vec![Assumption { key: hostile.into(), value: hostile.into() }];
    for session in &mut fixture.run.sessions {
        session.troubles = vec![hostile.into()];
    }

    let report = write(fixture.report(), Options::default());

    let hidden: Vec<char> = report.chars().filter(|c| *c != '\n' && is_hidden(*c)).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
    assert_eq!(report.matches("x[2Jy31m").count(), 6);
}

#[test]
fn a_long_ladder_loses_its_middle_and_says_how_to_see_it() {
    let mut fixture = Fixture::cgn();
    let trace = fixture.run.trace.as_mut().expect("a trace");
    let trouble = |ms| {
        let event = AgentEvent::Trouble(format!("at {ms}"));
        Event { at: SimTime::from_millis(ms), kind: EventKind::Agent { session: SessionId::new(0), event } }
    };
    trace.events = (0..100).map(trouble).collect();

    let parts = |full| write_parts(fixture.report(), &[Part::Ladder], Options { full, ..Options::default() });

    let (cut, full) = (parts(false), parts(true));
    let rows = |report: &str| report.matches("in trouble").count();
    assert_eq!((rows(&cut), rows(&full)), (60, 100));
    assert!(cut.contains("… 40 more lines; --full shows everything"), "{cut}");
    assert!(cut.contains("trouble: at 47\n") && cut.contains("trouble: at 88\n"), "{cut}");
    assert!(!full.contains("--full"));
}

#[test]
fn the_full_report_shows_repetitions_too() {
    let fixture = Fixture::relay();

    let full = write_parts(fixture.report(), &[Part::Ladder], Options { full: true, ..Options::default() });

    assert_eq!(full.matches("x nat-filtered").count(), 4);
}

#[test]
fn a_large_nat_table_is_cut() {
    let mut fixture = Fixture::relay();
    let row = fixture.run.nat_tables[0].1[0].clone();
    fixture.run.nat_tables[0].1 = vec![row; 25];

    let report = write_parts(fixture.report(), &[Part::NatTables], Options::default());

    assert_eq!(report.matches("203.0.113.1:40001").count(), 20);
    assert!(report.contains("… 5 more rows; --full"), "{report}");
}

#[test]
fn without_a_trace_there_is_no_ladder_and_the_rest_is_there() {
    let mut fixture = Fixture::relay();
    fixture.run.trace = None;

    let report = write(fixture.report(), Options::default());

    assert!(!report.contains("Packets of"), "{report}");
    assert!(report.contains("nat-b nat-filtered: 4 packets"), "{report}");
}

#[test]
fn a_trace_that_was_cut_says_so() {
    let mut fixture = Fixture::relay();
    fixture.run.trace.as_mut().expect("a trace").truncated = 9;

    let report = write_parts(fixture.report(), &[Part::Ladder], Options::default());

    assert!(report.contains("9 later events are not in it"), "{report}");
}

#[test]
fn with_several_calls_candidates_stand_under_their_call() {
    let mut fixture = Fixture::relay();
    fixture.plan.calls.push(fixture.plan.calls[0].clone());
    let again = fixture.run.sessions.clone();
    fixture.run.sessions.extend(again);

    let report = write_parts(fixture.report(), &[Part::Candidates], Options::default());

    assert_eq!(report.matches("Candidates of alice → bob\n").count(), 2, "{report}");
}

#[test]
fn a_mapping_that_accepts_many_counts_them_unless_all_is_asked_for() {
    let mut fixture = Fixture::relay();
    let accepts = fixture.run.nat_tables[0].1[0].accepts.as_mut().expect("a filter");
    accepts.remotes = (1..=5).map(|port| ([198, 51, 100, 7], port).into()).collect();
    accepts.more = 2;

    let table =
        |full| write_parts(fixture.report(), &[Part::NatTables], Options { full, ..Options::default() });

    assert!(table(false).contains("  198.51.100.7:1 and 6 more  "), "{}", table(false));
    assert!(table(false).lines().all(|line| line.chars().count() <= 100), "{}", table(false));
    assert!(table(true).contains("198.51.100.7:5 and 2 more"), "{}", table(true));
}

#[test]
fn a_long_title_leaves_its_numbers_to_the_next_line() {
    let mut fixture = Fixture::relay();
    fixture.outcome.scenario = "x".repeat(90);

    let report = write_parts(fixture.report(), &[Part::Title], Options::default());

    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines[0], "x".repeat(90));
    assert!(lines[1].starts_with("  seed 1, ") && lines.len() == 2, "{report}");
}

#[test]
fn a_tcp_mapping_tells_how_far_its_connection_has_come() {
    let mut fixture = Fixture::relay();
    let row = &mut fixture.run.nat_tables[0].1[0];
    (row.protocol, row.phase) = (Protocol::Tcp, Some(TcpPhase::Closing));

    let report = write_parts(fixture.report(), &[Part::NatTables], Options::default());

    assert!(report.contains("tcp closing  10.0.1.2"), "{report}");
}
