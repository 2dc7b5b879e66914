//! The tabs of the page: each has a verdict and a ladder.

use serde::Serialize;

use super::packets::Book;
use crate::base::SimTime;
use crate::outcome::CallOutcome;
use crate::plan::{Call, Plan};
use crate::report::html::endpoints;
use crate::report::journey::Journey;
use crate::report::ladder::{Ladder, Line, Row, Shape, collapse};
use crate::report::{Report, sentences};

/// A call, or all endpoints together: what became of them, and their ladder.
#[derive(Debug, Serialize)]
pub struct Tab {
    /// What its stamp says: the path of a call, or `endpoints`.
    stamp: &'static str,
    /// The caller and the callee, or the peers with endpoints.
    ends: Vec<usize>,
    headline: String,
    facts: String,
    /// What became of the call's media, a line for each direction.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    media: Vec<String>,
    why: String,
    /// When the call settled, or when the last endpoint was done.
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
    Signal { at: f64, tab: usize, from: usize, to: usize, arrives: Option<f64>, label: String },
    /// Something that happened at one node.
    Point { at: f64, tab: usize, node: usize, label: String },
    /// An event of the scenario.
    Change { at: f64, tab: usize, label: String },
}

/// The stamp of the tab of endpoints.
const ENDPOINTS: &str = "endpoints";

/// Every call with its ladder, then the endpoints with theirs, and the moments the ladders speak of, in order of time.
pub fn tabs(report: Report<'_>, journeys: &[Journey<'_>], book: &Book) -> (Vec<Tab>, Vec<Moment>) {
    let mut moments = Vec::new();
    let mut tabs = Vec::new();
    for (call, outcome) in report.plan.calls.iter().zip(&report.outcome.calls) {
        let mut tab = Tab::of_call(report.plan, call, outcome);
        if let Some(ladder) = Ladder::new(report, journeys, tabs.len()) {
            tab.add(&ladder, &mut Writer { tab: tabs.len(), book, moments: &mut moments });
        }
        tabs.push(tab);
    }
    if !report.run.endpoints.is_empty() {
        let mut tab = Tab::of_endpoints(report);
        if let Some(ladder) = Ladder::of_endpoints(report, journeys) {
            tab.add(&ladder, &mut Writer { tab: tabs.len(), book, moments: &mut moments });
        }
        tabs.push(tab);
    }
    in_order(tabs, moments)
}

impl Tab {
    fn of_call(plan: &Plan, call: &Call, outcome: &CallOutcome) -> Self {
        Self {
            stamp: outcome.path.word(),
            ends: vec![call.from.index(), call.to.index()],
            headline: format!("{} → {} {}", outcome.from, outcome.to, sentences::result(plan, outcome)),
            facts: sentences::facts(outcome),
            media: sentences::media(outcome),
            why: outcome.why.clone(),
            settled_ms: outcome.settled_ms,
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    fn of_endpoints(report: Report<'_>) -> Self {
        let settled = endpoints::all_done_at(report.run).filter(|at| *at > SimTime::ZERO);
        Self {
            stamp: ENDPOINTS,
            ends: report.run.endpoints.iter().map(|endpoint| endpoint.node.index()).collect(),
            headline: endpoints::in_one_sentence(report),
            facts: String::new(),
            media: Vec::new(),
            why: endpoints::one_by_one(report),
            settled_ms: settled.map(SimTime::as_millis_f64),
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    fn add(&mut self, ladder: &Ladder<'_>, writer: &mut Writer<'_>) {
        self.columns = ladder.columns.iter().map(|node| node.index()).collect();
        let lines = collapse(&ladder.rows, usize::MAX);
        self.rows = lines.iter().filter_map(|line| writer.line(line)).collect();
    }
}

struct Writer<'b> {
    tab: usize,
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
        let (at, tab, label) = (row.at.as_millis_f64(), self.tab, row.label.clone());
        let moment = match &row.shape {
            Shape::Packet(journey) => return Some(RowData::One("p", self.book.index_of(journey.packet)?)),
            Shape::Signal { from, to, arrives } => {
                let arrives = arrives.map(SimTime::as_millis_f64);
                Moment::Signal { at, tab, from: from.index(), to: to.index(), arrives, label }
            }
            Shape::Point(node) => Moment::Point { at, tab, node: node.index(), label },
            Shape::Change => Moment::Change { at, tab, label },
        };
        self.moments.push((row.at, moment));
        Some(RowData::One("m", self.moments.len() - 1))
    }
}

/// Moments of several tabs are put in order of time, and the rows that speak of them follow.
fn in_order(mut tabs: Vec<Tab>, moments: Vec<(SimTime, Moment)>) -> (Vec<Tab>, Vec<Moment>) {
    let mut numbered: Vec<(usize, (SimTime, Moment))> = moments.into_iter().enumerate().collect();
    numbered.sort_by_key(|(number, (at, _))| (*at, *number));
    let mut place = vec![0; numbered.len()];
    for (now, (before, _)) in numbered.iter().enumerate() {
        place[*before] = now;
    }
    for tab in &mut tabs {
        renumber(&mut tab.rows, &place);
    }
    (tabs, numbered.into_iter().map(|(_, (_, moment))| moment).collect())
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
