//! What the report tells in words: verdicts, ladders, drops, expectations.

use std::collections::BTreeMap;

use serde::Serialize;

use super::packets::Book;
use crate::base::SimTime;
use crate::explain::{Flip, Flips};
use crate::plan::DropReason;
use crate::report::journey::{Fate, Journey};
use crate::report::ladder::{Ladder, Line, Row, Shape, collapse};
use crate::report::{Report, names, sentences};

/// A call: its verdict and its ladder.
#[derive(Debug, Serialize)]
pub struct Call {
    from: usize,
    to: usize,
    path: &'static str,
    headline: String,
    facts: String,
    why: String,
    connected_ms: Option<f64>,
    settled_ms: Option<f64>,
    columns: Vec<usize>,
    rows: Vec<RowData>,
}

/// A row of the ladder.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum RowData {
    /// `p` and a packet, or `m` and a moment.
    One(&'static str, usize),
    /// `b`, the rows of a band of repeats, and what it says.
    Band(&'static str, Vec<RowData>, String),
}

/// Something that happened besides packets.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Moment {
    /// A signalling message.
    Signal { at: f64, call: usize, from: usize, to: usize, arrives: Option<f64>, label: String },
    /// Something that happened at one node.
    Point { at: f64, call: usize, node: usize, label: String },
}

/// Packets that died at one place for one reason.
#[derive(Debug, Serialize)]
pub struct Drop {
    by: String,
    reason: &'static str,
    count: u64,
    rfc: Option<&'static str>,
    example: String,
    /// In the order in which they died: the page searches them by that time.
    packets: Vec<usize>,
}

/// An expectation and what came of it.
#[derive(Debug, Serialize)]
pub struct Expectation {
    ok: bool,
    text: String,
    line: u32,
}

/// What would have given a call another path.
#[derive(Debug, Serialize)]
pub struct FlipLists {
    better: Vec<FlipData>,
    worse: Vec<FlipData>,
    mixed: Vec<FlipData>,
    tried: usize,
}

/// A smallest set of changes.
#[derive(Debug, Serialize)]
struct FlipData {
    /// The path of each call, and how soon it settled.
    calls: Vec<(&'static str, Option<f64>)>,
    what: Vec<String>,
    /// The options that make the changes.
    set: String,
}

impl FlipLists {
    pub(super) fn new(flips: &Flips) -> Self {
        let list = |flips: &[Flip]| flips.iter().map(FlipData::new).collect();
        Self {
            better: list(&flips.better),
            worse: list(&flips.worse),
            mixed: list(&flips.mixed),
            tried: flips.tried,
        }
    }
}

impl FlipData {
    fn new(flip: &Flip) -> Self {
        let set = flip.changes.iter().flat_map(|change| &change.set).map(ToString::to_string);
        Self {
            calls: flip.trial.calls.iter().map(|call| (call.path.word(), call.settled_ms)).collect(),
            what: flip.changes.iter().map(|change| change.what.clone()).collect(),
            set: set.collect::<Vec<_>>().join(" "),
        }
    }
}

/// Every call with its ladder, and the moments the ladders speak of, in order of time.
pub fn calls(report: Report<'_>, journeys: &[Journey<'_>], book: &Book) -> (Vec<Call>, Vec<Moment>) {
    let mut moments: Vec<(SimTime, Moment)> = Vec::new();
    let mut calls = Vec::new();
    for (number, outcome) in report.outcome.calls.iter().enumerate() {
        let Some(planned) = report.plan.calls.get(number) else { continue };
        let ladder = Ladder::new(report, journeys, number);
        let (columns, rows) = match &ladder {
            Some(ladder) => {
                let mut writer = Writer { call: number, book, moments: &mut moments };
                let lines = collapse(&ladder.rows, usize::MAX);
                (ladder.columns.clone(), lines.iter().filter_map(|line| writer.line(line)).collect())
            }
            None => Default::default(),
        };
        calls.push(Call {
            from: planned.from.index(),
            to: planned.to.index(),
            path: outcome.path.word(),
            headline: format!(
                "{} → {} {}",
                outcome.from,
                outcome.to,
                sentences::result(report.plan, outcome)
            ),
            facts: sentences::facts(outcome),
            why: outcome.why.clone(),
            connected_ms: outcome.connected_ms,
            settled_ms: outcome.settled_ms,
            columns: columns.iter().map(|node| node.index()).collect(),
            rows,
        });
    }
    in_order(calls, moments)
}

struct Writer<'b> {
    call: usize,
    book: &'b Book,
    moments: &'b mut Vec<(SimTime, Moment)>,
}

impl Writer<'_> {
    fn line(&mut self, line: &Line<'_>) -> Option<RowData> {
        match line {
            Line::Row(row) => self.row(row),
            // A page holds all lines; writers with less room hide some.
            Line::Hidden(_) => None,
            Line::Repeats(repeats) => {
                let rows = repeats.rows.iter().filter_map(|row| self.row(row)).collect();
                Some(RowData::Band("b", rows, repeats.summary()))
            }
        }
    }

    fn row(&mut self, row: &Row<'_>) -> Option<RowData> {
        let (at, call, label) = (row.at.as_millis_f64(), self.call, row.label.clone());
        let moment = match &row.shape {
            Shape::Packet(journey) => return Some(RowData::One("p", self.book.index_of(journey.packet)?)),
            Shape::Signal { from, to, arrives } => {
                let arrives = arrives.map(SimTime::as_millis_f64);
                Moment::Signal { at, call, from: from.index(), to: to.index(), arrives, label }
            }
            Shape::Point(node) => Moment::Point { at, call, node: node.index(), label },
        };
        self.moments.push((row.at, moment));
        Some(RowData::One("m", self.moments.len() - 1))
    }
}

/// Moments of several calls are put in order of time, and the rows that speak of them follow.
fn in_order(mut calls: Vec<Call>, moments: Vec<(SimTime, Moment)>) -> (Vec<Call>, Vec<Moment>) {
    let mut numbered: Vec<(usize, (SimTime, Moment))> = moments.into_iter().enumerate().collect();
    numbered.sort_by_key(|(number, (at, _))| (*at, *number));
    let mut place = vec![0; numbered.len()];
    for (now, (before, _)) in numbered.iter().enumerate() {
        place[*before] = now;
    }
    for call in &mut calls {
        renumber(&mut call.rows, &place);
    }
    (calls, numbered.into_iter().map(|(_, (_, moment))| moment).collect())
}

fn renumber(rows: &mut [RowData], place: &[usize]) {
    for row in rows {
        match row {
            RowData::One("m", number) => *number = place.get(*number).copied().unwrap_or(*number),
            RowData::One(..) => {}
            RowData::Band(_, rows, _) => renumber(rows, place),
        }
    }
}

/// Where packets died and why, as the outcome counts them.
pub fn drops(report: Report<'_>, journeys: &[Journey<'_>], book: &Book) -> Vec<Drop> {
    let mut by_end: Vec<&Journey<'_>> = journeys.iter().collect();
    by_end.sort_by_key(|journey| journey.ended);
    let mut packets: BTreeMap<(&str, DropReason), Vec<usize>> = BTreeMap::new();
    for journey in by_end {
        if let (Fate::Dropped { place, drop, .. }, Some(packet)) =
            (journey.fate, book.index_of(journey.packet))
        {
            packets.entry((names::place(report.plan, place), drop.reason)).or_default().push(packet);
        }
    }
    let drop = |row: &crate::outcome::DropOutcome| Drop {
        by: row.by.clone(),
        reason: row.reason.word(),
        count: row.count,
        rfc: sentences::first_drop(report, &row.by, row.reason).and_then(|(_, drop)| drop.rfc()),
        example: sentences::drop_example(report, &row.by, row.reason).unwrap_or_default(),
        packets: packets.get(&(row.by.as_str(), row.reason)).cloned().unwrap_or_default(),
    };
    report.outcome.drops.iter().map(drop).collect()
}

/// What the scenario expects, and what came of it.
pub fn expectations(report: Report<'_>) -> Vec<Expectation> {
    let tell = |one: &crate::outcome::ExpectationOutcome| Expectation {
        ok: one.ok,
        text: sentences::expectation(one),
        line: one.line,
    };
    report.outcome.expectations.iter().map(tell).collect()
}
