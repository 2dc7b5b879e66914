//! Which nodes get a column, and in which order.

use std::collections::BTreeSet;

use crate::base::NodeId;
use crate::plan::{Element, Plan};
use crate::report::journey::{Fate, Journey};
use crate::trace::Place;

/// The nodes of a ladder from left to right: the first end and the NATs before it outwards, once for each interface it has,
/// then what lies between, then the last end's NATs inwards and the last end. Apart from the ends only nodes that did something to a packet get a
/// column.
pub fn columns(plan: &Plan, ends: &[NodeId], journeys: &[&Journey<'_>]) -> Vec<NodeId> {
    let active = active(plan, journeys);
    let outwards = |end: Option<&NodeId>| -> Vec<NodeId> {
        let interfaces = end.into_iter().flat_map(|end| plan.topology.interfaces(*end));
        let mut nodes: Vec<NodeId> = Vec::new();
        for node in interfaces.flat_map(|end| [vec![end], plan.topology.ancestors(end)].concat()) {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        nodes
    };
    let left = outwards(ends.first());
    let right: Vec<NodeId> =
        outwards(ends.last()).into_iter().filter(|node| !left.contains(node)).rev().collect();
    let nodes_between = active.iter().chain(ends);
    let mut between: Vec<NodeId> = Vec::new();
    for node in nodes_between {
        if ![&left, &right, &between].iter().any(|known| known.contains(node)) {
            between.push(*node);
        }
    }
    let mut nodes = [left, between, right].concat();
    nodes.retain(|node| ends.contains(node) || active.contains(node));
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
