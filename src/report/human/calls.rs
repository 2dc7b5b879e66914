//! Many calls: a line each, and the cause of one of each kind.

use super::Options;
use super::table;
use crate::outcome::CallOutcome;
use crate::plan::Path;
use crate::report::Report;
use crate::report::text::{Role, Text, milliseconds};

/// How many calls are told of one by one, unless the full report is asked for.
pub(super) const MANY: usize = 12;

/// True if there are so many calls that the report sums them up.
pub(super) fn are_many(report: Report<'_>, options: Options) -> bool {
    report.outcome.calls.len() > MANY && !options.full
}

/// `15 calls: 10 relay, 5 failed`, then a line for each, those that failed first.
pub(super) fn write(text: &mut Text, report: Report<'_>, options: Options) {
    let calls = &report.outcome.calls;
    let counts: Vec<String> = Path::ALL
        .iter()
        .map(|path| (path, calls.iter().filter(|call| call.path == *path).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(path, count)| format!("{count} {path}"))
        .collect();
    text.paint(Role::Strong, &format!("{} calls: {}", calls.len(), counts.join(", ")));
    text.end_line();
    let mut sorted: Vec<&CallOutcome> = calls.iter().collect();
    sorted.sort_by_key(|call| call.path != Path::Failed);
    let header = ["path", "call", "connected", "pair", "round trip"];
    table::write(text, &header, sorted.into_iter().map(row).collect(), options.full);
}

/// The first call of each path: what stands for the others.
pub(super) fn examples(calls: &[CallOutcome]) -> impl Iterator<Item = &CallOutcome> {
    let is_first = |index: usize, path: Path| !calls[..index].iter().any(|earlier| earlier.path == path);
    calls.iter().enumerate().filter(move |(index, call)| is_first(*index, call.path)).map(|(_, call)| call)
}

fn row(call: &CallOutcome) -> Vec<String> {
    let pair = call.selected.get(&call.from);
    vec![
        call.path.to_string(),
        format!("{} → {}", call.from, call.to),
        call.connected_ms.map_or_else(|| call.state.to_string(), milliseconds),
        pair.map_or_else(String::new, |pair| format!("{} / {}", pair.local.kind, pair.remote.kind)),
        call.rtt_ms.map_or_else(String::new, milliseconds),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::{Part, write_parts};
    use super::*;
    use crate::plan::IceState;
    use crate::report::fixture::Fixture;

    /// The fixture's call this many times, the last one without success.
    fn verdict(count: usize, full: bool) -> String {
        let mut fixture = Fixture::relay();
        let call = fixture.outcome.calls[0].clone();
        let mut last = call.clone();
        (last.path, last.state, last.connected_ms, last.why) =
            (Path::Failed, IceState::Failed, None, "Nothing worked.".into());
        fixture.outcome.calls = vec![call; count - 1];
        fixture.outcome.calls.push(last);
        write_parts(fixture.report(), &[Part::Verdict], Options { full, ..Options::default() })
    }

    #[test]
    fn many_calls_are_a_table_and_one_cause_of_each_kind() {
        insta::assert_snapshot!(verdict(MANY + 1, false));
    }

    #[test]
    fn few_calls_and_full_reports_tell_every_cause() {
        for (count, full) in [(MANY, false), (MANY + 1, true)] {
            assert_eq!(verdict(count, full).matches("RELAY ").count(), count - 1);
        }
    }
}
