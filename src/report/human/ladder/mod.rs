//! Ladders of characters.

mod canvas;
mod draw;
mod geometry;

use draw::Drawing;
use geometry::Geometry;

use super::Options;
use super::table::more;
use crate::report::Report;
use crate::report::journey::journeys;
use crate::report::ladder::{Ladder, Line, collapse};
use crate::report::text::{Role, Text};

/// How many ladders are drawn before the rest is counted, unless the full report is asked for.
const MAX_LADDERS: usize = 3;
/// How many lines a ladder has before its middle is left out, unless the full report is asked for.
const MAX_LINES: usize = 60;
/// How many of them come from its end: that is where the call settles or fails.
const LAST_LINES: usize = 12;

pub(super) fn write(text: &mut Text, report: Report<'_>, options: Options) {
    let Some(trace) = &report.run.trace else { return };
    let journeys = journeys(report);
    let calls = report.plan.calls.len();
    let shown = if options.full { calls } else { calls.min(MAX_LADDERS) };
    for ladder in (0..shown).filter_map(|call| Ladder::new(report, &journeys, call)) {
        one(text, &ladder, options);
    }
    if calls > shown {
        more(text, calls - shown, "ladder");
    }
    if trace.truncated > 0 {
        let note = format!("  The trace was full: {} later events are not in it.", trace.truncated);
        text.paint(Role::Bad, &note);
        text.end_line();
    }
}

fn one(text: &mut Text, ladder: &Ladder<'_>, options: Options) {
    let geometry = Geometry::new(ladder, options.width);
    text.heading(&format!("Packets of {}", ladder.title()));
    let legend = "time in ms; o addresses rewritten; x died; ┄ signalling; ◆ something happened there";
    text.wrapped(Role::Dim, legend, 2, options.width);
    addresses(text, ladder, options);
    let mut drawing = Drawing::new(ladder, geometry);
    drawing.header(text);
    let lines = if options.full {
        ladder.rows.iter().map(Line::Row).collect()
    } else {
        collapse(&ladder.rows, geometry.label_room())
    };
    let hidden = if options.full { 0 } else { lines.len().saturating_sub(MAX_LINES) };
    let first = if hidden == 0 { lines.len() } else { MAX_LINES - LAST_LINES };
    for line in &lines[..first] {
        drawing.line(text, line);
    }
    if hidden > 0 {
        more(text, hidden, "line");
    }
    for line in &lines[first + hidden..] {
        drawing.line(text, line);
    }
}

/// Which address is whose, since packets are labelled with addresses.
fn addresses(text: &mut Text, ladder: &Ladder<'_>, options: Options) {
    let all: Vec<String> = ladder
        .columns
        .iter()
        .map(|node| ladder.report.plan.topology.node(*node))
        .filter(|node| !node.addresses.is_empty())
        .map(|node| {
            let addresses: Vec<String> = node.addresses.iter().map(ToString::to_string).collect();
            format!("{}={}", node.name, addresses.join(","))
        })
        .collect();
    text.wrapped(Role::Dim, &all.join("  "), 2, options.width);
}
