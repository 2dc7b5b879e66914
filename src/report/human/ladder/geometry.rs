//! How wide the columns of characters are.

use crate::report::ladder::{Ladder, Side, Spot};
use crate::report::text::length;

/// Where the time stands.
pub(super) const TIME_WIDTH: usize = 7;
/// What the labels get at least, if the columns leave it.
const LABEL_WIDTH: usize = 44;
/// Between the last column and the labels.
const GAP: usize = 3;

/// Where lifelines and labels stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    columns: usize,
    width: usize,
    step: usize,
    name_lines: usize,
}

impl Geometry {
    pub(super) fn new(ladder: &Ladder<'_>, width: usize) -> Self {
        let plan = ladder.report.plan;
        let longest = ladder.columns.iter().map(|node| length(plan.name_of(*node))).max().unwrap_or(1);
        let columns = ladder.columns.len();
        let room = width.saturating_sub(TIME_WIDTH + 1 + LABEL_WIDTH + GAP);
        let step = (room / columns.saturating_sub(1).max(1)).clamp(5, 14);
        let name_lines = (longest + 1).div_ceil(step).clamp(1, 3);
        Self { columns, width, step, name_lines }
    }

    /// Where the lifeline of a column stands.
    pub(super) const fn x(&self, column: usize) -> usize {
        TIME_WIDTH + 1 + column * self.step
    }

    /// Where all lifelines stand, from left to right.
    pub(super) fn xs(&self) -> impl Iterator<Item = usize> + use<> {
        let geometry = *self;
        (0..self.columns).map(move |column| geometry.x(column))
    }

    /// Where a place on a packet's line is.
    pub(super) const fn spot(&self, spot: Spot) -> usize {
        let (x, half) = (self.x(spot.column), self.step / 2);
        match spot.side {
            Side::Left => x.saturating_sub(half),
            Side::On => x,
            Side::Right => x + half,
        }
    }

    /// From one lifeline to the next.
    pub(super) const fn step(&self) -> usize {
        self.step
    }

    /// On how many lines names stand above the lifelines, so that long ones do not touch.
    pub(super) const fn name_lines(&self) -> usize {
        self.name_lines
    }

    /// How long lines should be.
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    /// Where labels begin.
    pub(super) const fn label_x(&self) -> usize {
        self.x(self.columns.saturating_sub(1)) + GAP
    }

    /// How many characters are left for a label.
    pub(super) const fn label_room(&self) -> usize {
        self.width.saturating_sub(self.label_x())
    }
}
