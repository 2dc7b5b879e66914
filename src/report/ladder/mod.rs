//! The packets of a call between its nodes, in time: one column a node, one row a packet.
//!
//! Here is what a ladder says; how it looks is the business of its writers. Labels are whole here, and a writer that
//! has little room takes the brief ones.

pub mod collapse;
pub mod columns;
pub mod news;
pub mod rows;
pub mod track;

pub use collapse::{Line, Repeats, collapse};
pub use columns::columns;
pub use news::News;
pub use rows::{Row, Shape, rows};
pub use track::{Mark, Side, Spot, Track};

use super::Report;
use super::journey::Journey;
use crate::base::NodeId;
use crate::plan::Call;

/// Everything a writer needs to know about one call.
#[derive(Debug)]
pub struct Ladder<'a> {
    /// What the call is part of.
    pub report: Report<'a>,
    /// Who calls whom.
    pub call: &'a Call,
    /// The nodes from left to right.
    pub columns: Vec<NodeId>,
    /// What happened, in order of time.
    pub rows: Vec<Row<'a>>,
}

impl<'a> Ladder<'a> {
    /// The ladder of the call with this index; `journeys` are those of the whole run. `None` if there is no such call,
    /// or if the run kept no trace.
    pub fn new(report: Report<'a>, journeys: &'a [Journey<'a>], call: usize) -> Option<Self> {
        let trace = report.run.trace.as_ref()?;
        let ends = report.plan.calls.get(call)?;
        let journeys: Vec<&Journey<'_>> =
            journeys.iter().filter(|journey| journey.call == Some(call)).collect();
        let columns = columns(report.plan, ends, &journeys);
        let rows = rows(report, trace, call, &journeys, &columns);
        Some(Self { report, call: ends, columns, rows })
    }

    /// Who calls whom: `alice → bob`.
    pub fn title(&self) -> String {
        let name = |node| self.report.plan.name_of(node);
        format!("{} → {}", name(self.call.from), name(self.call.to))
    }

    /// Which column a node has.
    pub fn column(&self, node: NodeId) -> Option<usize> {
        self.columns.iter().position(|other| *other == node)
    }
}
