//! Rows become lines of characters.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::canvas::Canvas;
use super::collapse::{Line, Repeats};
use super::columns::{Columns, TIME_WIDTH};
use super::rows::{Row, Shape};
use crate::base::{NodeId, SimTime};
use crate::plan::{DropReason, Element, Plan, Rule};
use crate::report::journey::{Fate, Journey, Rewrite};
use crate::report::names;
use crate::report::text::{Role, Text, length, milliseconds, shorten, wrap};
use crate::trace::Place;
use crate::wire::Flow;

/// How many kinds of repeated rows are named.
const NAMED_REPEATS: usize = 3;

/// How many characters of small print are enough to stand beside a lifeline.
const DETAIL_WIDTH: usize = 40;

/// Draws the lines of one ladder. Addresses and rules are told where they first appear.
#[derive(Debug)]
pub(super) struct Drawing<'a> {
    plan: &'a Plan,
    columns: &'a Columns,
    width: usize,
    whole_milliseconds: bool,
    told_rewrites: BTreeSet<(NodeId, SocketAddr, SocketAddr)>,
    told_rules: BTreeSet<(Place, DropReason)>,
}

/// Where a packet's line begins, turns and ends.
struct Track {
    /// Columns and what to put there; the first is where it began.
    points: Vec<(usize, Mark)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Origin,
    Passed,
    Rewritten,
    Taken,
    Died,
    Underway,
}

impl<'a> Drawing<'a> {
    pub(super) fn new(plan: &'a Plan, columns: &'a Columns, rows: &[Row<'_>], width: usize) -> Self {
        let whole_milliseconds = rows.iter().all(|row| row.at.as_nanos().is_multiple_of(1_000_000));
        let (told_rewrites, told_rules) = (BTreeSet::new(), BTreeSet::new());
        Self { plan, columns, width, whole_milliseconds, told_rewrites, told_rules }
    }

    /// The names above the lifelines, on several lines if they would touch.
    pub(super) fn header(&self, text: &mut Text) {
        let lines = self.columns.name_lines();
        let room = lines * self.columns.step() - 1;
        let columns: Vec<(NodeId, usize)> = self.columns.nodes().zip(self.columns.xs()).collect();
        for line in 0..lines {
            let mut canvas = Canvas::default();
            for (index, (_, x)) in columns.iter().enumerate() {
                if index % lines < line {
                    canvas.put(*x, '│', Role::Dim);
                }
            }
            for (node, x) in columns.iter().skip(line).step_by(lines) {
                canvas.text(*x, &shorten(self.plan.name_of(*node), room), Role::Strong);
            }
            canvas.write(text);
        }
    }

    pub(super) fn line(&mut self, text: &mut Text, line: &Line<'_>) {
        match line {
            Line::Row(row) => self.row(text, row),
            Line::Repeats(repeats) => self.repeats(text, repeats),
        }
    }

    fn row(&mut self, text: &mut Text, row: &Row<'_>) {
        let mut canvas = self.lifelines();
        canvas.text(0, &self.time(row.at), Role::Dim);
        let mut role = Role::Normal;
        match &row.shape {
            Shape::Packet(journey) => {
                let track = self.track(journey);
                if matches!(journey.fate, Fate::Dropped { .. }) {
                    role = Role::Bad;
                }
                self.arrow(&mut canvas, &track, role);
                self.label(&mut canvas, &row.label, role);
                canvas.write(text);
                self.details(text, journey, &track);
                return;
            }
            Shape::Signal { from, to, lost } => {
                if *lost {
                    role = Role::Bad;
                }
                self.signal(&mut canvas, *from, *to, *lost);
            }
            Shape::Point(node) => {
                role = Role::Strong;
                if let Some(x) = self.columns.x(*node) {
                    canvas.put(x, '◆', role);
                }
            }
        }
        self.label(&mut canvas, &row.label, role);
        canvas.write(text);
    }

    fn repeats(&self, text: &mut Text, repeats: &Repeats<'_>) {
        let named: Vec<String> = repeats
            .labels
            .iter()
            .take(NAMED_REPEATS)
            .map(|(label, count)| format!("{count} × {label}"))
            .collect();
        let rest = if repeats.labels.len() > NAMED_REPEATS { "; …" } else { "" };
        let until = milliseconds(repeats.until.as_millis_f64());
        let note = format!("… {} more like these, until {until}: {}{rest}", repeats.count, named.join("; "));
        text.wrapped(Role::Dim, &note, TIME_WIDTH + 1, self.width);
    }

    fn lifelines(&self) -> Canvas {
        let mut canvas = Canvas::default();
        for x in self.columns.xs() {
            canvas.put(x, '│', Role::Dim);
        }
        canvas
    }

    /// Milliseconds, from a hundred seconds on seconds, so that a day still fits.
    fn time(&self, at: SimTime) -> String {
        let width = TIME_WIDTH - 1;
        if at >= SimTime::from_millis(100_000) {
            let seconds = format!("{:.1}s", at.as_millis_f64() / 1_000.0);
            return format!("{seconds:>width$}");
        }
        if self.whole_milliseconds {
            return format!("{:>width$}", at.as_nanos() / 1_000_000);
        }
        format!("{:>width$.1}", at.as_millis_f64())
    }

    fn label(&self, canvas: &mut Canvas, label: &str, role: Role) {
        let x = self.columns.label_x();
        canvas.text(x, &shorten(label, self.width.saturating_sub(x).max(12)), role);
    }

    fn track(&self, journey: &Journey<'_>) -> Track {
        let rewrote = |node| journey.rewrites.iter().any(|rewrite| rewrite.node == node);
        let mut points: Vec<(usize, Mark)> = Vec::new();
        for (index, node) in journey.stops.iter().enumerate() {
            // A router that only passed the packet on is no stop: the way there and back would look like a detour.
            let is_last = index + 1 == journey.stops.len();
            if matches!(self.plan.topology.node(*node).element, Element::Router) && !is_last {
                continue;
            }
            if let Some(x) = self.columns.x(*node) {
                let mark = if points.is_empty() {
                    Mark::Origin
                } else if rewrote(*node) {
                    Mark::Rewritten
                } else {
                    Mark::Passed
                };
                points.push((x, mark));
            }
        }
        let end = match journey.fate {
            Fate::Delivered(node) => self.columns.x(node).map(|x| (x, Mark::Taken)),
            Fate::Dropped { place: Place::Node(node), .. } => self.columns.x(node).map(|x| (x, Mark::Died)),
            Fate::Dropped { place: Place::Link(link), flow, .. } => {
                let (child, parent) = self.plan.topology.ends(link);
                points.last().map(|(x, _)| (self.on_link(*x, child, parent, flow), Mark::Died))
            }
            Fate::InFlight => points
                .last()
                .map(|(x, _)| (self.half_step(*x, self.towards(*x, journey.record.flow)), Mark::Underway)),
        };
        if let Some((x, mark)) = end {
            match points.last_mut() {
                Some(last) if last.0 == x => last.1 = mark,
                _ => points.push((x, mark)),
            }
        }
        Track { points }
    }

    /// A place on the uplink of `child`, for a packet that was last seen at column `from`.
    fn on_link(&self, from: usize, child: NodeId, parent: NodeId, flow: Flow) -> usize {
        match (self.columns.x(child), self.columns.x(parent)) {
            (Some(child), _) if child != from => self.half_step(child, from > child),
            (Some(_), Some(parent)) => self.half_step(from, parent > from),
            _ => self.half_step(from, self.towards(from, flow)),
        }
    }

    const fn half_step(&self, x: usize, rightwards: bool) -> usize {
        let half = self.columns.step() / 2;
        if rightwards { x + half } else { x.saturating_sub(half) }
    }

    /// True if the destination lies right of `from`; if it has no column, if the middle does.
    fn towards(&self, from: usize, flow: Flow) -> bool {
        let owner = self.plan.public_owner(flow.destination.ip()).and_then(|node| self.columns.x(node));
        let middle = self.columns.xs().max().unwrap_or_default() / 2;
        owner.unwrap_or(middle) > from
    }

    fn arrow(&self, canvas: &mut Canvas, track: &Track, role: Role) {
        let columns: Vec<usize> = self.columns.xs().collect();
        for pair in track.points.windows(2) {
            let (low, high) = (pair[0].0.min(pair[1].0), pair[0].0.max(pair[1].0));
            for x in low + 1..high {
                canvas.put(x, if columns.contains(&x) { '┼' } else { '─' }, role);
            }
        }
        for (index, (x, mark)) in track.points.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|index| track.points.get(index));
            let after = track.points.get(index + 1);
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

    fn signal(&self, canvas: &mut Canvas, from: NodeId, to: NodeId, lost: bool) {
        let (Some(from), Some(to)) = (self.columns.x(from), self.columns.x(to)) else { return };
        let columns: Vec<usize> = self.columns.xs().collect();
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

    /// What the row cannot say: how addresses changed, and by which rule the packet died; each the first time.
    fn details(&mut self, text: &mut Text, journey: &Journey<'_>, track: &Track) {
        for rewrite in &journey.rewrites {
            for (before, after) in self.news(*rewrite) {
                if let Some(x) = self.columns.x(rewrite.node) {
                    self.detail(
                        text,
                        x,
                        &format!("{} ⇒ {}", names::endpoint(before), names::endpoint(after)),
                    );
                }
            }
        }
        if let Fate::Dropped { place, drop, .. } = journey.fate
            && drop.rule != Rule::Plain
            && self.told_rules.insert((place, drop.reason))
        {
            let x = track.points.last().map_or(0, |(x, _)| *x);
            self.detail(text, x, &drop.rule.to_string());
        }
    }

    /// The changes that are no news, being those of a mapping that was told of, are left out in both directions.
    fn news(&mut self, Rewrite { node, before, after }: Rewrite) -> Vec<(SocketAddr, SocketAddr)> {
        let mut news = Vec::new();
        for (inside, outside, change) in [
            (before.source, after.source, (before.source, after.source)),
            (after.destination, before.destination, (before.destination, after.destination)),
        ] {
            if inside != outside && self.told_rewrites.insert((node, inside, outside)) {
                news.push(change);
            }
        }
        news
    }

    /// Small print under column `x`: to its right if there is room, else to its left.
    fn detail(&self, text: &mut Text, x: usize, detail: &str) {
        let (left, right) = (x.saturating_sub(TIME_WIDTH + 3), self.width.saturating_sub(x + 2));
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
