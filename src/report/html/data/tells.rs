//! What the report tells in words: drops, expectations, what would have changed a call.

use std::collections::BTreeMap;

use serde::Serialize;

use super::packets::Book;
use crate::explain::{Flip, Flips};
use crate::plan::DropReason;
use crate::report::journey::{Fate, Journey};
use crate::report::{Report, names, sentences};

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
