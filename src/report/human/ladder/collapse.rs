//! What repeats is counted: retransmissions, keepalives, consent checks, media.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::rows::Row;
use crate::base::SimTime;

/// How many repeating rows in a row are still shown one by one.
const SHOWN_REPEATS: usize = 1;

/// A line of the ladder.
#[derive(Debug)]
pub(super) enum Line<'a> {
    /// A row.
    Row(&'a Row<'a>),
    /// Rows that told what earlier ones had told.
    Repeats(Repeats<'a>),
}

/// Rows left out.
#[derive(Debug)]
pub(super) struct Repeats<'a> {
    /// How many.
    pub(super) count: usize,
    /// When the last of them began.
    pub(super) until: SimTime,
    /// How many of each label, most first.
    pub(super) labels: Vec<(&'a str, usize)>,
}

/// Every row that tells something new, and between them the number of those that do not.
pub(super) fn collapse<'a>(rows: &'a [Row<'a>]) -> Vec<Line<'a>> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    let mut repeats: Vec<&Row<'_>> = Vec::new();
    for row in rows {
        if row.key.as_ref().is_none_or(|key| seen.insert(key)) {
            flush(&mut repeats, &mut lines);
            lines.push(Line::Row(row));
        } else {
            repeats.push(row);
        }
    }
    flush(&mut repeats, &mut lines);
    lines
}

fn flush<'a>(repeats: &mut Vec<&'a Row<'a>>, lines: &mut Vec<Line<'a>>) {
    let rows = std::mem::take(repeats);
    let Some(until) = rows.last().map(|row| row.at) else { return };
    if rows.len() <= SHOWN_REPEATS {
        lines.extend(rows.into_iter().map(Line::Row));
        return;
    }
    let mut labels: IndexMap<&str, usize> = IndexMap::new();
    for row in &rows {
        *labels.entry(&row.label).or_default() += 1;
    }
    let mut labels: Vec<(&str, usize)> = labels.into_iter().collect();
    labels.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    lines.push(Line::Repeats(Repeats { count: rows.len(), until, labels }));
}

#[cfg(test)]
mod tests {
    use super::super::rows::Shape;
    use super::*;
    use crate::base::NodeId;

    fn row(at: u64, key: Option<&str>) -> Row<'static> {
        let (label, shape) = (key.unwrap_or("event").to_owned(), Shape::Point(NodeId::new(0)));
        Row { at: SimTime::from_millis(at), label, shape, key: key.map(str::to_owned) }
    }

    fn told(rows: &[Row<'_>]) -> Vec<String> {
        let tell = |line: &Line<'_>| match line {
            Line::Row(row) => row.label.clone(),
            Line::Repeats(repeats) => format!("{} more until {}", repeats.count, repeats.until),
        };
        collapse(rows).iter().map(tell).collect()
    }

    #[test]
    fn repetitions_between_two_new_rows_become_one_line_even_if_they_alternate() {
        let rows = [(0, "ask"), (1, "answer"), (5, "ask"), (6, "answer"), (10, "ask"), (11, "die")]
            .map(|(at, key)| row(at, Some(key)));

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
