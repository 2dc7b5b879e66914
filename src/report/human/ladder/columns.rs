//! Which nodes get a column, in which order, and how wide.

use std::collections::BTreeSet;

use crate::base::NodeId;
use crate::plan::{Call, Element, Plan};
use crate::report::journey::{Fate, Journey};
use crate::report::text::length;
use crate::trace::Place;

/// Where the time stands.
pub(super) const TIME_WIDTH: usize = 7;
/// What the labels get at least, if the columns leave it.
const LABEL_WIDTH: usize = 44;
/// Between the last column and the labels.
const GAP: usize = 3;

/// The columns of a ladder.
#[derive(Debug)]
pub(super) struct Columns {
    nodes: Vec<NodeId>,
    step: usize,
    name_lines: usize,
}

impl Columns {
    /// The caller and the NATs before it outwards, then what lies between, then the callee's NATs inwards and the
    /// callee. Apart from the two ends only nodes that did something to a packet get a column.
    pub(super) fn new(plan: &Plan, call: &Call, journeys: &[&Journey<'_>], width: usize) -> Self {
        let active = active(plan, journeys);
        let left = [vec![call.from], plan.topology.ancestors(call.from)].concat();
        let right: Vec<NodeId> = [vec![call.to], plan.topology.ancestors(call.to)].concat();
        let right: Vec<NodeId> = right.into_iter().filter(|node| !left.contains(node)).rev().collect();
        let between: Vec<NodeId> =
            active.iter().copied().filter(|node| !left.contains(node) && !right.contains(node)).collect();
        let is_end = |node: &NodeId| *node == call.from || *node == call.to;
        let mut nodes = [left, between, right].concat();
        nodes.retain(|node| is_end(node) || active.contains(node));
        let longest = nodes.iter().map(|node| length(plan.name_of(*node))).max().unwrap_or(1);
        let room = width.saturating_sub(TIME_WIDTH + 1 + LABEL_WIDTH + GAP);
        let step = (room / nodes.len().saturating_sub(1).max(1)).clamp(5, 14);
        let name_lines = (longest + 1).div_ceil(step).clamp(1, 3);
        Self { nodes, step, name_lines }
    }

    /// The nodes from left to right.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes.iter().copied()
    }

    /// Where a node's lifeline stands; `None` if it has no column.
    pub(super) fn x(&self, node: NodeId) -> Option<usize> {
        self.nodes.iter().position(|other| *other == node).map(|index| self.x_of(index))
    }

    /// Where all lifelines stand, from left to right.
    pub(super) fn xs(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.nodes.len()).map(|index| self.x_of(index))
    }

    fn x_of(&self, index: usize) -> usize {
        TIME_WIDTH + 1 + index * self.step
    }

    /// From one lifeline to the next.
    pub(super) const fn step(&self) -> usize {
        self.step
    }

    /// On how many lines names stand above the lifelines, so that long ones do not touch.
    pub(super) const fn name_lines(&self) -> usize {
        self.name_lines
    }

    /// Where labels begin.
    pub(super) fn label_x(&self) -> usize {
        self.x_of(self.nodes.len().saturating_sub(1)) + GAP
    }
}

/// The nodes that sent, took, rewrote or dropped a packet, and the firewalls one passed.
fn active(plan: &Plan, journeys: &[&Journey<'_>]) -> BTreeSet<NodeId> {
    let mut active = BTreeSet::new();
    for journey in journeys {
        active.extend(
            journey
                .stops
                .iter()
                .filter(|node| !matches!(plan.topology.node(**node).element, Element::Router)),
        );
        if let Fate::Dropped { place: Place::Node(node), .. } = journey.fate {
            active.insert(node);
        }
    }
    active
}
