//! Where a packet's line begins, turns and ends, in columns.

use super::Ladder;
use crate::base::NodeId;
use crate::plan::Element;
use crate::report::journey::{Fate, Journey};
use crate::trace::Place;
use crate::wire::Flow;

/// A packet's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Where to put what; the first is where the line begins.
    pub points: Vec<(Spot, Mark)>,
}

/// A place on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// The column it is at, or next to.
    pub column: usize,
    /// Where it is, seen from that column.
    pub side: Side,
}

/// At a column, or half a step away from it, on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Half a step to its left.
    Left,
    /// At the column itself.
    On,
    /// Half a step to its right.
    Right,
}

/// What happened at a place of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The packet was sent.
    Origin,
    /// It passed.
    Passed,
    /// It passed, with other addresses.
    Rewritten,
    /// It was taken.
    Taken,
    /// It died.
    Died,
    /// The run ended.
    Underway,
}

impl Track {
    /// The line of a packet in this ladder.
    pub fn new(ladder: &Ladder<'_>, journey: &Journey<'_>) -> Self {
        let mut points = passed(ladder, journey);
        if let Some((spot, mark)) = end(ladder, journey, points.last().map(|(spot, _)| spot.column)) {
            match points.last_mut() {
                Some(last) if last.0 == spot => last.1 = mark,
                _ => points.push((spot, mark)),
            }
        }
        Self { points }
    }
}

fn passed(ladder: &Ladder<'_>, journey: &Journey<'_>) -> Vec<(Spot, Mark)> {
    let rewrote = |node| journey.rewrites.iter().any(|rewrite| rewrite.node == node);
    let mut points = Vec::new();
    for (index, node) in journey.stops.iter().enumerate() {
        // A router that only passed the packet on is no stop: the way there and back would look like a detour.
        let is_last = index + 1 == journey.stops.len();
        if matches!(ladder.report.plan.topology.node(*node).element, Element::Router) && !is_last {
            continue;
        }
        let Some(column) = ladder.column(*node) else { continue };
        let mark = if points.is_empty() {
            Mark::Origin
        } else if rewrote(*node) {
            Mark::Rewritten
        } else {
            Mark::Passed
        };
        points.push((on(column), mark));
    }
    points
}

/// How the line ends, for a packet that was last seen at the column `last`.
fn end(ladder: &Ladder<'_>, journey: &Journey<'_>, last: Option<usize>) -> Option<(Spot, Mark)> {
    match journey.fate {
        Fate::Delivered(node) => Some((on(ladder.column(node)?), Mark::Taken)),
        Fate::Dropped { place: Place::Node(node), .. } => Some((on(ladder.column(node)?), Mark::Died)),
        Fate::Dropped { place: Place::Link(link), flow, .. } => {
            let (child, parent) = ladder.report.plan.topology.ends(link);
            Some((on_link(ladder, last?, child, parent, flow), Mark::Died))
        }
        Fate::InFlight => {
            let last = last?;
            Some((beside(last, towards(ladder, last, journey.record.flow)), Mark::Underway))
        }
    }
}

/// A place on the uplink of `child`, for a packet that was last seen at column `from`.
fn on_link(ladder: &Ladder<'_>, from: usize, child: NodeId, parent: NodeId, flow: Flow) -> Spot {
    match (ladder.column(child), ladder.column(parent)) {
        (Some(child), _) if child != from => beside(child, from > child),
        (Some(_), Some(parent)) => beside(from, parent > from),
        _ => beside(from, towards(ladder, from, flow)),
    }
}

const fn on(column: usize) -> Spot {
    Spot { column, side: Side::On }
}

/// Half a step beside a column, unless that would be outside of the ladder.
const fn beside(column: usize, rightwards: bool) -> Spot {
    Spot { column, side: if rightwards { Side::Right } else { Side::Left } }
}

/// True if the destination lies right of `from`; if it has no column, if the middle does.
fn towards(ladder: &Ladder<'_>, from: usize, flow: Flow) -> bool {
    let owner = ladder.report.plan.public_owner(flow.destination.ip()).and_then(|node| ladder.column(node));
    match owner {
        Some(column) => column > from,
        None => ladder.columns.len().saturating_sub(1) > 2 * from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;
    use crate::report::journey::journeys;

    #[test]
    fn a_line_goes_from_column_to_column_and_says_where_addresses_changed() {
        let fixture = Fixture::relay();
        let journeys = journeys(fixture.report());
        let ladder = Ladder::new(fixture.report(), &journeys, 0).expect("a ladder");

        let track = Track::new(&ladder, &journeys[0]);

        assert_eq!(track.points, [(on(0), Mark::Origin), (on(1), Mark::Rewritten), (on(2), Mark::Taken)]);
    }

    #[test]
    fn a_packet_that_was_lost_on_a_link_ends_between_two_columns() {
        let fixture = Fixture::cgn();
        let journeys = journeys(fixture.report());
        let ladder = Ladder::new(fixture.report(), &journeys, 0).expect("a ladder");
        let lost = journeys
            .iter()
            .find(|journey| matches!(journey.fate, Fate::Dropped { place: Place::Link(_), .. }))
            .expect("a lost packet");

        let track = Track::new(&ladder, lost);

        assert_eq!(track.points, [(on(0), Mark::Origin), (beside(0, true), Mark::Died)]);
    }
}
