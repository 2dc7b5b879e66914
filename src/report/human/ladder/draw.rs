//! Rows become lines of characters.

use super::canvas::Canvas;
use super::geometry::{Geometry, TIME_WIDTH};
use crate::base::NodeId;
use crate::report::human::table::more;
use crate::report::journey::{Fate, Journey};
use crate::report::ladder::{Ladder, Line, Mark, News, Row, Shape, Track};
use crate::report::names;
use crate::report::text::{Role, Text, length, shorten, wrap};

/// How many characters of small print are enough to stand beside a lifeline.
const DETAIL_WIDTH: usize = 40;

/// Draws the lines of one ladder. Addresses and rules are told where they first appear.
#[derive(Debug)]
pub(super) struct Drawing<'a> {
    ladder: &'a Ladder<'a>,
    geometry: Geometry,
    news: News,
}

impl<'a> Drawing<'a> {
    pub(super) fn new(ladder: &'a Ladder<'a>, geometry: Geometry) -> Self {
        Self { ladder, geometry, news: News::default() }
    }

    /// The names above the lifelines, on several lines if they would touch.
    pub(super) fn header(&self, text: &mut Text) {
        let lines = self.geometry.name_lines();
        let room = lines * self.geometry.step() - 1;
        let columns: Vec<(NodeId, usize)> =
            self.ladder.columns.iter().copied().zip(self.geometry.xs()).collect();
        for line in 0..lines {
            let mut canvas = Canvas::default();
            for (index, (_, x)) in columns.iter().enumerate() {
                if index % lines < line {
                    canvas.put(*x, '│', Role::Dim);
                }
            }
            for (node, x) in columns.iter().skip(line).step_by(lines) {
                canvas.text(*x, &shorten(self.ladder.report.plan.name_of(*node), room), Role::Strong);
            }
            canvas.write(text);
        }
    }

    pub(super) fn line(&mut self, text: &mut Text, line: &Line<'_>) {
        match line {
            Line::Row(row) => self.row(text, row),
            Line::Repeats(repeats) => {
                let note = format!("… {}", repeats.summary());
                text.wrapped(Role::Dim, &note, TIME_WIDTH + 1, self.geometry.width());
            }
            Line::Hidden(count) => more(text, *count, "line"),
        }
    }

    fn row(&mut self, text: &mut Text, row: &Row<'_>) {
        let mut canvas = self.lifelines();
        let time = self.ladder.clock(row.at);
        canvas.text((TIME_WIDTH - 1).saturating_sub(length(&time)), &time, Role::Dim);
        let mut role = Role::Normal;
        match &row.shape {
            Shape::Packet(journey) => {
                let track = Track::new(self.ladder, journey);
                if matches!(journey.fate, Fate::Dropped { .. }) {
                    role = Role::Bad;
                }
                self.arrow(&mut canvas, &track, role);
                self.label(&mut canvas, row, role);
                canvas.write(text);
                self.details(text, journey, &track);
                return;
            }
            Shape::Signal { from, to, arrives } => {
                if arrives.is_none() {
                    role = Role::Bad;
                }
                self.signal(&mut canvas, *from, *to, arrives.is_none());
            }
            Shape::Change => {
                role = Role::Strong;
                self.change(&mut canvas, role);
            }
            Shape::Point(node) => {
                role = Role::Strong;
                if let Some(x) = self.x(*node) {
                    canvas.put(x, '◆', role);
                }
            }
        }
        self.label(&mut canvas, row, role);
        canvas.write(text);
    }

    fn lifelines(&self) -> Canvas {
        let mut canvas = Canvas::default();
        for x in self.geometry.xs() {
            canvas.put(x, '│', Role::Dim);
        }
        canvas
    }

    fn label(&self, canvas: &mut Canvas, row: &Row<'_>, role: Role) {
        let room = self.geometry.label_room();
        canvas.text(self.geometry.label_x(), &shorten(row.label_within(room), room.max(12)), role);
    }

    fn x(&self, node: NodeId) -> Option<usize> {
        self.ladder.column(node).map(|column| self.geometry.x(column))
    }

    fn arrow(&self, canvas: &mut Canvas, track: &Track, role: Role) {
        let columns: Vec<usize> = self.geometry.xs().collect();
        let points: Vec<(usize, Mark)> =
            track.points.iter().map(|(spot, mark)| (self.geometry.spot(*spot), *mark)).collect();
        for pair in points.windows(2) {
            let (low, high) = (pair[0].0.min(pair[1].0), pair[0].0.max(pair[1].0));
            for x in low + 1..high {
                canvas.put(x, if columns.contains(&x) { '┼' } else { '─' }, role);
            }
        }
        for (index, (x, mark)) in points.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|index| points.get(index));
            let after = points.get(index + 1);
            match mark {
                Mark::Origin if after.is_some_and(|next| next.0 > *x) => canvas.put(*x, '├', role),
                Mark::Origin => canvas.put(*x, '┤', role),
                Mark::Passed => canvas.put(*x, '┼', role),
                Mark::Rewritten => canvas.put(*x, 'o', role),
                Mark::Died => canvas.put(*x, 'x', Role::Bad),
                Mark::Taken | Mark::Underway => match before {
                    Some(before) if before.0 < *x => canvas.put(x - 1, '>', role),
                    Some(_) => canvas.put(x + 1, '<', role),
                    None => {}
                },
            }
        }
    }

    /// A line through all lifelines.
    fn change(&self, canvas: &mut Canvas, role: Role) {
        let columns: Vec<usize> = self.geometry.xs().collect();
        let (Some(first), Some(last)) = (columns.first(), columns.last()) else { return };
        for x in *first..=*last {
            canvas.put(x, if columns.contains(&x) { '╪' } else { '═' }, role);
        }
    }

    fn signal(&self, canvas: &mut Canvas, from: NodeId, to: NodeId, lost: bool) {
        let (Some(from), Some(to)) = (self.x(from), self.x(to)) else { return };
        let columns: Vec<usize> = self.geometry.xs().collect();
        let end = if lost { usize::midpoint(from, to) } else { to };
        for x in from.min(end) + 1..from.max(end) {
            if !columns.contains(&x) {
                canvas.put(x, '┄', Role::Dim);
            }
        }
        match (lost, end > from) {
            (true, _) => canvas.put(end, 'x', Role::Bad),
            (false, true) => canvas.put(end - 1, '>', Role::Normal),
            (false, false) => canvas.put(end + 1, '<', Role::Normal),
        }
    }

    /// What the row cannot say.
    fn details(&mut self, text: &mut Text, journey: &Journey<'_>, track: &Track) {
        for (node, before, after) in self.news.rewrites(journey) {
            if let Some(x) = self.x(node) {
                self.detail(text, x, &format!("{} ⇒ {}", names::endpoint(before), names::endpoint(after)));
            }
        }
        if let Some(rule) = self.news.rule(journey) {
            let x = track.points.last().map_or(0, |(spot, _)| self.geometry.spot(*spot));
            self.detail(text, x, &rule.to_string());
        }
    }

    /// Small print under column `x`: to its right if there is room, else to its left.
    fn detail(&self, text: &mut Text, x: usize, detail: &str) {
        let (left, right) = (x.saturating_sub(TIME_WIDTH + 3), self.geometry.width().saturating_sub(x + 2));
        let rightwards = right >= left.min(length(detail)).min(DETAIL_WIDTH);
        for (index, line) in wrap(detail, if rightwards { right } else { left }).iter().enumerate() {
            let mut canvas = self.lifelines();
            if rightwards {
                canvas.text(x + 1, &format!(" {line} "), Role::Dim);
            } else {
                canvas.text(x.saturating_sub(length(line) + 2), &format!(" {line} "), Role::Dim);
            }
            if index == 0 {
                canvas.put(x, if rightwards { '└' } else { '┘' }, Role::Dim);
            }
            canvas.write(text);
        }
    }
}
