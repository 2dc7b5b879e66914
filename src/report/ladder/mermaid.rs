//! A ladder as a Mermaid sequence diagram, which GitHub and many editors draw.

use std::fmt::Write as _;

use super::{Ladder, Line, Mark, News, Row, Shape, Side, Spot, Track};
use crate::base::NodeId;
use crate::report::journey::Journey;
use crate::report::mermaid::quoted;
use crate::report::names;
use crate::report::text::wrap;
use crate::report::topology::label_lines;

/// How many characters of a note stand on one line.
const NOTE: usize = 48;

/// The diagram of a ladder. With `full` every row is drawn, otherwise repetitions are counted and long ladders are cut.
pub fn write(ladder: &Ladder<'_>, full: bool) -> String {
    let heading = format!("{}: {}", ladder.title(), ladder.report.plan.name);
    // Writing to a string does not fail.
    let mut out = format!("sequenceDiagram\n  accTitle: {}\n", quoted(&heading));
    for (column, node) in ladder.columns.iter().enumerate() {
        let _ = writeln!(out, "  participant n{column} as {}", participant(ladder, *node));
    }
    let mut diagram = Diagram { ladder, out, news: News::default() };
    for line in &ladder.lines(usize::MAX, full) {
        diagram.line(line);
    }
    diagram.out
}

fn participant(ladder: &Ladder<'_>, node: NodeId) -> String {
    let plan = ladder.report.plan;
    let addresses = label_lines(plan, node).into_iter().filter(|line| !line.starts_with("inside "));
    let lines: Vec<String> =
        [plan.name_of(node).to_owned()].into_iter().chain(addresses).map(|line| quoted(&line)).collect();
    lines.join("<br>")
}

struct Diagram<'a> {
    ladder: &'a Ladder<'a>,
    out: String,
    news: News,
}

impl Diagram<'_> {
    fn line(&mut self, line: &Line<'_>) {
        match line {
            Line::Row(row) => self.row(row),
            Line::Repeats(repeats) => self.note_over_all(&repeats.summary()),
            Line::Hidden(count) => {
                self.note_over_all(&format!("{count} more lines, --full shows everything"))
            }
        }
    }

    fn row(&mut self, row: &Row<'_>) {
        let clock = self.ladder.clock(row.at);
        let unit = if clock.ends_with('s') { "" } else { " ms" };
        let text = format!("{clock}{unit}: {}", row.label.replace("  x ", " × "));
        match &row.shape {
            Shape::Packet(journey) => self.packet(journey, &text),
            Shape::Signal { from, to, arrives } => {
                if let (Some(from), Some(to)) = (self.ladder.column(*from), self.ladder.column(*to)) {
                    self.message(from, if arrives.is_none() { "--x" } else { "-->>" }, to, &text);
                }
            }
            Shape::Change => self.note_over_all(&text),
            Shape::Point(node) => {
                if let Some(column) = self.ladder.column(*node) {
                    self.note(column, &text);
                }
            }
        }
    }

    fn packet(&mut self, journey: &Journey<'_>, text: &str) {
        let track = Track::new(self.ladder, journey);
        let (Some((from, _)), Some((to, mark))) = (track.points.first(), track.points.last()) else { return };
        let arrow = if *mark == Mark::Died { "-x" } else { "->>" };
        let to = self.column_of(*to);
        self.message(from.column, arrow, to, text);
        for (node, before, after) in self.news.rewrites(journey) {
            if let Some(column) = self.ladder.column(node) {
                self.note(column, &format!("{} ⇒ {}", names::endpoint(before), names::endpoint(after)));
            }
        }
        if let Some(rule) = self.news.rule(journey) {
            self.note(to, &rule.to_string());
        }
    }

    /// Here a place on a link is its further end.
    fn column_of(&self, spot: Spot) -> usize {
        match spot.side {
            Side::Left => spot.column.saturating_sub(1),
            Side::On => spot.column,
            Side::Right => (spot.column + 1).min(self.ladder.columns.len().saturating_sub(1)),
        }
    }

    fn message(&mut self, from: usize, arrow: &str, to: usize, text: &str) {
        let _ = writeln!(self.out, "  n{from}{arrow}n{to}: {}", quoted(text));
    }

    fn note(&mut self, column: usize, text: &str) {
        let _ = writeln!(self.out, "  Note over n{column}: {}", lines(text));
    }

    fn note_over_all(&mut self, text: &str) {
        let last = self.ladder.columns.len().saturating_sub(1);
        let _ = writeln!(self.out, "  Note over n0,n{last}: {}", lines(text));
    }
}

/// Notes do not break by themselves.
fn lines(text: &str) -> String {
    wrap(text, NOTE).iter().map(|line| quoted(line)).collect::<Vec<_>>().join("<br>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;
    use crate::report::journey::journeys;

    #[test]
    fn a_call_as_a_sequence_diagram() {
        let fixture = Fixture::cgn();
        let journeys = journeys(fixture.report());
        let ladder = Ladder::new(fixture.report(), &journeys, 0).expect("a ladder");

        insta::assert_snapshot!(write(&ladder, false));
    }
}
