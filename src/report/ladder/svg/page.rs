//! What is drawn on the page, from its head to its foot.

use super::arrow::{arrow, cross, head};
use super::place::{ARROW, Columns, HEAD_LINE, Head, PLAIN, PlacedLine};
use crate::base::NodeId;
use crate::report::journey::Fate;
use crate::report::ladder::{Ladder, Line, Row, Shape};
use crate::report::svg::{Anchor, Picture, small_width};
use crate::report::text::{length, shorten};

/// Half the width of the mark of a milestone.
const DIAMOND: f64 = 5.0;

/// A label of this many characters may be longer than its arrow; of longer ones the brief form is taken.
const LABEL: usize = 44;

/// A page that is being drawn.
pub(super) struct Page<'a> {
    pub(super) ladder: &'a Ladder<'a>,
    pub(super) columns: &'a Columns,
    pub(super) picture: Picture,
}

impl Page<'_> {
    pub(super) fn lifelines(&mut self, top: f64, bottom: f64) {
        for (x, _) in self.columns.iter() {
            self.picture.line("lifeline", &[(x, top), (x, bottom)]);
        }
    }

    /// The names and addresses over the lifelines, which begin at `bottom`.
    pub(super) fn head(&mut self, bottom: f64) {
        let height = self.columns.head_height();
        for (x, head) in self.columns.iter() {
            self.plate(x, head, bottom - height, height);
            let lines = head.addresses.len() as f64 + 1.0;
            let mut y = bottom - (height + HEAD_LINE * lines) / 2.0 + 11.0;
            self.picture.text("name", [x, y], Anchor::Middle, self.ladder.report.plan.name_of(head.node));
            for address in &head.addresses {
                y += HEAD_LINE;
                self.picture.text("dim", [x, y], Anchor::Middle, address);
            }
        }
    }

    /// The names again, below a ladder that is long.
    pub(super) fn foot(&mut self, top: f64) {
        for (x, head) in self.columns.iter() {
            self.plate(x, head, top, self.columns.foot_height());
            let name = self.ladder.report.plan.name_of(head.node);
            self.picture.text("name", [x, top + 18.0], Anchor::Middle, name);
        }
    }

    fn plate(&mut self, x: f64, head: &Head, top: f64, height: f64) {
        let kind = self.ladder.report.plan.topology.node(head.node).element.kind();
        self.picture.rectangle(kind, [x, top + height / 2.0], [head.width, height], 5.0);
    }

    pub(super) fn row(&mut self, placed: &PlacedLine<'_>) {
        match placed.line {
            Line::Row(row) => self.told(placed, row),
            Line::Repeats(repeats) => self.band(placed.y, &repeats.summary()),
            Line::Hidden(count) => {
                self.band(placed.y, &format!("{count} more lines; --full shows everything"))
            }
        }
    }

    fn told(&mut self, placed: &PlacedLine<'_>, row: &Row<'_>) {
        // An arrow leaves room for its label; what happens at a place has its label beside it.
        let line = match row.shape {
            Shape::Point(_) | Shape::Change => placed.y + PLAIN / 2.0,
            Shape::Packet(_) | Shape::Signal { .. } => placed.y + ARROW,
        };
        let (left, _) = self.columns.span();
        self.picture.text("dim", [left - 8.0, line + 4.0], Anchor::End, &self.ladder.clock(row.at));
        match &row.shape {
            Shape::Packet(journey) => {
                let is_dead = matches!(journey.fate, Fate::Dropped { .. });
                if let Some(track) = &placed.track {
                    arrow(&mut self.picture, self.columns, track, line, is_dead);
                    let ends = track.points.iter().map(|(spot, _)| self.columns.spot(*spot));
                    let (low, high) = ends.fold((f64::MAX, 0.0), |(low, high), x| (x.min(low), x.max(high)));
                    let room = ((high - low) / f64::from(small_width(1))) as usize;
                    let label = row.label_within(room.max(LABEL));
                    self.label(f64::midpoint(low, high), line, label, is_dead);
                }
                for small in &placed.small {
                    self.picture.text(small.class, [small.x, small.y], Anchor::Middle, &small.text);
                }
            }
            Shape::Signal { from, to, arrives } => self.signal(row, *from, *to, arrives.is_none(), line),
            Shape::Point(node) => self.milestone(*node, line, &row.label),
            Shape::Change => self.change(line, &row.label),
        }
    }

    fn label(&mut self, middle: f64, line: f64, label: &str, is_bad: bool) {
        let label = label.replace("  x ", " ✕ ");
        let class = if is_bad { "bad halo" } else { "halo" };
        self.picture.text(class, [self.columns.inside(middle, &label), line - 7.0], Anchor::Middle, &label);
    }

    fn signal(&mut self, row: &Row<'_>, from: NodeId, to: NodeId, is_lost: bool, y: f64) {
        let (Some(from), Some(to)) = (self.ladder.column(from), self.ladder.column(to)) else { return };
        let (from, to) = (self.columns.x(from), self.columns.x(to));
        let end = if is_lost { f64::midpoint(from, to) } else { to };
        self.picture.line("signal", &[(from, y), (end, y)]);
        if is_lost {
            cross(&mut self.picture, end, y);
        } else {
            head(&mut self.picture, "signal-head", (end, y), end > from);
        }
        self.label(f64::midpoint(from, to), y, &row.label, is_lost);
    }

    fn milestone(&mut self, node: NodeId, y: f64, label: &str) {
        let Some(x) = self.ladder.column(node).map(|column| self.columns.x(column)) else { return };
        let corners = [(x, y - DIAMOND), (x + DIAMOND, y), (x, y + DIAMOND), (x - DIAMOND, y)];
        self.picture.polygon("milestone", &corners);
        let (_, right) = self.columns.span();
        let width = f64::from(small_width(length(label)));
        let (x, anchor) = if x + 12.0 + width < right {
            (x + 12.0, Anchor::Start)
        } else if width + 12.0 < x {
            (x - 12.0, Anchor::End)
        } else {
            (self.columns.inside(x, label), Anchor::Middle)
        };
        self.picture.text("strong halo", [x, y + 4.0], anchor, label);
    }

    /// A line through all lifelines, with what the scenario lets happen.
    fn change(&mut self, y: f64, label: &str) {
        let (left, right) = self.columns.span();
        self.picture.line("wire", &[(left, y), (right, y)]);
        let room = ((right - left) / f64::from(small_width(100)) * 100.0) as usize - 2;
        let middle = f64::midpoint(left, right);
        self.picture.text("strong halo", [middle, y + 4.0], Anchor::Middle, &shorten(label, room));
    }

    /// A line about rows that are not drawn.
    fn band(&mut self, y: f64, text: &str) {
        let (left, right) = self.columns.span();
        let (x, width) = (f64::midpoint(left, right), right - left);
        let room = (width / f64::from(small_width(100)) * 100.0) as usize - 2;
        self.picture.rectangle("band", [x, y + PLAIN / 2.0], [width, PLAIN - 7.0], 4.0);
        self.picture.text(
            "dim",
            [x, y + PLAIN / 2.0 + 4.0],
            Anchor::Middle,
            &shorten(&text.replace("  x ", " ✕ "), room),
        );
    }
}
