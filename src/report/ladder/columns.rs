//! Which nodes get a column, and in which order.

use std::collections::BTreeSet;

use crate::base::NodeId;
use crate::plan::{Call, Element, Plan};
use crate::report::journey::{Fate, Journey};
use crate::trace::Place;

/// The nodes of a ladder from left to right: the caller and the NATs before it outwards, then what lies between, then
/// the callee's NATs inwards and the callee. Apart from the two ends only nodes that did something to a packet get a
/// column.
pub fn columns(plan: &Plan, call: &Call, journeys: &[&Journey<'_>]) -> Vec<NodeId> {
    let active = active(plan, journeys);
    let left = [vec![call.from], plan.topology.ancestors(call.from)].concat();
    let right: Vec<NodeId> = [vec![call.to], plan.topology.ancestors(call.to)].concat();
    let right: Vec<NodeId> = right.into_iter().filter(|node| !left.contains(node)).rev().collect();
    let between: Vec<NodeId> =
        active.iter().copied().filter(|node| !left.contains(node) && !right.contains(node)).collect();
    let is_end = |node: &NodeId| *node == call.from || *node == call.to;
    let mut nodes = [left, between, right].concat();
    nodes.retain(|node| is_end(node) || active.contains(node));
    nodes
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
