//! The packets of a call, or of all endpoints, between their nodes, in time: one column a node, one row a packet.
//!
//! Here is what a ladder says; how it looks is the business of its writers. Labels are whole here, and a writer that
//! has little room takes the brief ones.

pub(crate) mod collapse;
pub(crate) mod columns;
pub mod mermaid;
pub(crate) mod news;
pub(crate) mod rows;
pub mod svg;
pub(crate) mod track;

pub use collapse::{Line, Repeats, collapse};
pub use columns::columns;
pub use news::News;
pub use rows::{Row, Shape, rows};
pub use track::{Mark, Side, Spot, Track};

use super::Report;
use super::journey::Journey;
use crate::base::{NodeId, SimTime};

/// How many lines a ladder has before its middle is left out, unless all of it is asked for.
const MAX_LINES: usize = 60;
/// How many of them come from its end: that is where the call settles or fails.
const LAST_LINES: usize = 12;

/// Everything a writer needs to know about one call, or about the packets of the endpoints.
#[derive(Debug)]
pub struct Ladder<'a> {
    /// What it is part of.
    pub report: Report<'a>,
    /// Whose packets these are: caller and callee, or the peers with endpoints. The first stands on the left, the last
    /// on the right.
    pub ends: Vec<NodeId>,
    /// The nodes from left to right.
    pub columns: Vec<NodeId>,
    /// What happened, in order of time.
    pub rows: Vec<Row<'a>>,
    is_call: bool,
    whole_milliseconds: bool,
}

impl<'a> Ladder<'a> {
    /// The ladder of the call with this index; `journeys` are those of the whole run. `None` if there is no such call,
    /// or if the run kept no trace.
    pub fn new(report: Report<'a>, journeys: &'a [Journey<'a>], call: usize) -> Option<Self> {
        let call_ends = report.plan.calls.get(call)?;
        Self::of(report, journeys, Some(call), vec![call_ends.from, call_ends.to])
    }

    /// The ladder of everything that endpoints sent and got. `None` if there are none, or if the run kept no trace.
    pub fn of_endpoints(report: Report<'a>, journeys: &'a [Journey<'a>]) -> Option<Self> {
        let ends: Vec<NodeId> = report.run.endpoints.iter().map(|endpoint| endpoint.node).collect();
        if ends.is_empty() { None } else { Self::of(report, journeys, None, ends) }
    }

    fn of(
        report: Report<'a>,
        journeys: &'a [Journey<'a>],
        call: Option<usize>,
        ends: Vec<NodeId>,
    ) -> Option<Self> {
        let trace = report.run.trace.as_ref()?;
        let journeys: Vec<&Journey<'_>> = journeys.iter().filter(|journey| journey.call == call).collect();
        let columns = columns(report.plan, &ends, &journeys);
        let rows = rows(report, trace, call, &journeys, &columns);
        let whole_milliseconds = whole_milliseconds(&rows);
        Some(Self { report, ends, columns, rows, is_call: call.is_some(), whole_milliseconds })
    }

    /// Whose packets these are: `alice → bob` for a call, `alice, bob` for endpoints.
    pub fn title(&self) -> String {
        let names: Vec<&str> = self.ends.iter().map(|node| self.report.plan.host_of(*node)).collect();
        names.join(if self.is_call { " → " } else { ", " })
    }

    /// Which column a node has; `None`: it did nothing to any packet of this call.
    pub fn column(&self, node: NodeId) -> Option<usize> {
        self.columns.iter().position(|other| *other == node)
    }

    /// True if the scenario changes something, or looks at something, on the way.
    pub fn has_changes(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.shape, Shape::Change))
    }

    /// Only the rows that begin in a part of the run.
    #[must_use]
    pub fn between(mut self, from: SimTime, until: SimTime) -> Self {
        self.rows.retain(|row| (from..=until).contains(&row.at));
        self.whole_milliseconds = whole_milliseconds(&self.rows);
        self
    }

    /// What to show: every row, or, unless all are asked for, what is new, what repeats in numbers, and of many lines
    /// the first and the last. `room` is how many characters a label may have.
    pub fn lines(&self, room: usize, full: bool) -> Vec<Line<'_>> {
        if full {
            return self.rows.iter().map(Line::Row).collect();
        }
        let mut lines = collapse(&self.rows, room);
        if lines.len() > MAX_LINES {
            let first = MAX_LINES - LAST_LINES;
            let last = lines.split_off(lines.len() - LAST_LINES);
            let hidden = lines.split_off(first);
            lines.extend(without_all_but_changes(hidden));
            lines.extend(last);
        }
        lines
    }

    /// A moment as it stands beside a row: milliseconds, with a decimal if any row needs one; from a hundred seconds
    /// on seconds, so that a day still fits.
    pub fn clock(&self, at: SimTime) -> String {
        if at >= SimTime::from_millis(100_000) {
            return format!("{:.1}s", at.as_millis_f64() / 1_000.0);
        }
        if self.whole_milliseconds {
            return (at.as_nanos() / 1_000_000).to_string();
        }
        format!("{:.1}", at.as_millis_f64())
    }
}

/// Counts lines instead of showing them, but for those without which nobody would understand what follows.
fn without_all_but_changes(lines: Vec<Line<'_>>) -> Vec<Line<'_>> {
    let mut shown = Vec::new();
    for line in lines {
        match (line, shown.last_mut()) {
            (line @ Line::Row(Row { shape: Shape::Change, .. }), _) => shown.push(line),
            (_, Some(Line::Hidden(count))) => *count += 1,
            _ => shown.push(Line::Hidden(1)),
        }
    }
    shown
}

fn whole_milliseconds(rows: &[Row<'_>]) -> bool {
    rows.iter().all(|row| row.at.as_nanos().is_multiple_of(1_000_000))
}
