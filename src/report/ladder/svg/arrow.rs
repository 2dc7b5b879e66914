//! The arrow of a packet, with what happened to it on the way.

use super::place::{Columns, TURN};
use crate::report::ladder::{Mark, Track};
use crate::report::svg::Picture;

/// How long the head of an arrow is.
const HEAD: f64 = 8.0;
/// Half the size of a cross.
const CROSS: f64 = 4.0;
/// The radius of a ring.
const RING: f64 = 3.8;

/// Draws the line of a packet, beginning at height `y`.
pub(super) fn arrow(picture: &mut Picture, columns: &Columns, track: &Track, y: f64, is_dead: bool) {
    let points = points(columns, track, y);
    let (line, ring) = if is_dead { ("dead", "dead-ring") } else { ("arrow", "ring") };
    let mut drawn: Vec<(f64, f64)> = Vec::new();
    for (x, y, _) in &points {
        // Where the line turns it goes down at the place where it turns.
        if let Some((last, _)) = drawn.last().copied().filter(|(_, above)| above != y) {
            drawn.push((last, *y));
        }
        drawn.push((*x, *y));
    }
    picture.line(line, &drawn);
    for (index, (x, y, mark)) in points.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| points.get(index));
        match (mark, before) {
            (Mark::Rewritten, _) => picture.ellipse(ring, [*x, *y], [RING, RING]),
            (Mark::Died, _) => cross(picture, *x, *y),
            (Mark::Taken | Mark::Underway, Some(before)) => head(picture, "head", (*x, *y), before.0 < *x),
            _ => {}
        }
    }
}

/// Where the line goes; a line that turns back goes on a little lower.
fn points(columns: &Columns, track: &Track, y: f64) -> Vec<(f64, f64, Mark)> {
    let mut points: Vec<(f64, f64, Mark)> = Vec::new();
    let (mut y, mut rightwards) = (y, None);
    for (spot, mark) in &track.points {
        let x = columns.spot(*spot);
        if let Some((last, ..)) = points.last() {
            let towards = x > *last;
            if rightwards.is_some_and(|before| before != towards) {
                y += TURN;
            }
            rightwards = Some(towards);
        }
        points.push((x, y, *mark));
    }
    points
}

/// The head of an arrow that ends at a point.
pub(super) fn head(picture: &mut Picture, class: &str, (x, y): (f64, f64), rightwards: bool) {
    let back = if rightwards { x - HEAD } else { x + HEAD };
    picture.polygon(class, &[(x, y), (back, y - HEAD / 2.0), (back, y + HEAD / 2.0)]);
}

/// Where a packet died.
pub(super) fn cross(picture: &mut Picture, x: f64, y: f64) {
    picture.line("cross", &[(x - CROSS, y - CROSS), (x + CROSS, y + CROSS)]);
    picture.line("cross", &[(x - CROSS, y + CROSS), (x + CROSS, y - CROSS)]);
}
