//! What repeats is counted: retransmissions, keepalives, consent checks, media.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::rows::Row;
use crate::base::SimTime;
use crate::report::text::milliseconds;

/// How many repeating rows in a row are still shown one by one.
const SHOWN_REPEATS: usize = 1;

/// How many kinds of repeated rows are named.
const NAMED_REPEATS: usize = 3;

/// A line of the ladder.
#[derive(Debug)]
pub enum Line<'a> {
    /// A row.
    Row(&'a Row<'a>),
    /// Rows that told what earlier ones had told.
    Repeats(Repeats<'a>),
    /// This many lines were left out, because there are too many.
    Hidden(usize),
}

/// Rows left out.
#[derive(Debug)]
pub struct Repeats<'a> {
    /// Those rows; there are at least two.
    pub rows: Vec<&'a Row<'a>>,
    /// When the last of them began.
    pub until: SimTime,
    /// How many of each label, most first.
    pub labels: Vec<(&'a str, usize)>,
}

impl Repeats<'_> {
    /// How many there are, until when, and the most frequent: `3 more like these, until 12 ms: 2 × check; 1 × answer`.
    pub fn summary(&self) -> String {
        let named: Vec<String> = self
            .labels
            .iter()
            .take(NAMED_REPEATS)
            .map(|(label, count)| format!("{count} × {label}"))
            .collect();
        let rest = if self.labels.len() > NAMED_REPEATS { "; …" } else { "" };
        let (count, until) = (self.rows.len(), milliseconds(self.until.as_millis_f64()));
        format!("{count} more like these, until {until}: {}{rest}", named.join("; "))
    }
}

/// Every row that tells something new, and between them those that do not. Two rows say the same if their labels are
/// the same in a place of `room` characters.
pub fn collapse<'a>(rows: &'a [Row<'a>], room: usize) -> Vec<Line<'a>> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    let mut repeats: Vec<&Row<'_>> = Vec::new();
    for row in rows {
        if row.way.as_ref().is_none_or(|way| seen.insert((way, row.label_within(room)))) {
            flush(&mut repeats, &mut lines, room);
            lines.push(Line::Row(row));
        } else {
            repeats.push(row);
        }
    }
    flush(&mut repeats, &mut lines, room);
    lines
}

fn flush<'a>(repeats: &mut Vec<&'a Row<'a>>, lines: &mut Vec<Line<'a>>, room: usize) {
    let rows = std::mem::take(repeats);
    let Some(until) = rows.last().map(|row| row.at) else { return };
    if rows.len() <= SHOWN_REPEATS {
        lines.extend(rows.into_iter().map(Line::Row));
        return;
    }
    let mut labels: IndexMap<&str, usize> = IndexMap::new();
    for row in &rows {
        *labels.entry(row.label_within(room)).or_default() += 1;
    }
    let mut labels: Vec<(&str, usize)> = labels.into_iter().collect();
    labels.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    lines.push(Line::Repeats(Repeats { rows, until, labels }));
}

#[cfg(test)]
mod tests {
    use super::super::rows::Shape;
    use super::*;
    use crate::base::NodeId;

    fn row(at: u64, way: Option<&str>) -> Row<'static> {
        let (label, shape) = (way.unwrap_or("event").to_owned(), Shape::Point(NodeId::new(0)));
        Row { at: SimTime::from_millis(at), label, brief: None, shape, way: way.map(str::to_owned) }
    }

    fn told(rows: &[Row<'_>]) -> Vec<String> {
        let tell = |line: &Line<'_>| match line {
            Line::Row(row) => row.label.clone(),
            Line::Repeats(repeats) => format!("{} more until {}", repeats.rows.len(), repeats.until),
            Line::Hidden(count) => format!("{count} hidden"),
        };
        collapse(rows, usize::MAX).iter().map(tell).collect()
    }

    #[test]
    fn repetitions_between_two_new_rows_become_one_line_even_if_they_alternate() {
        let rows = [(0, "ask"), (1, "answer"), (5, "ask"), (6, "answer"), (10, "ask"), (11, "die")]
            .map(|(at, way)| row(at, Some(way)));

        assert_eq!(told(&rows), ["ask", "answer", "3 more until 10ms", "die"]);
    }

    #[test]
    fn a_single_repetition_is_shown_as_it_is() {
        let rows = [row(0, Some("ask")), row(5, Some("ask")), row(6, None)];

        assert_eq!(told(&rows), ["ask", "ask", "event"]);
    }

    #[test]
    fn milestones_are_never_left_out() {
        let rows = [row(0, None), row(1, None), row(2, None)];

        assert_eq!(told(&rows), ["event", "event", "event"]);
    }
}
