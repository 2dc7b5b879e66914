//! The packets of a call between its nodes, in time: one column a node, one row a packet.

mod canvas;
mod collapse;
mod columns;
mod draw;
mod rows;

use collapse::{Line, collapse};
use columns::Columns;
use draw::Drawing;

use super::Options;
use super::table::more;
use crate::report::Report;
use crate::report::journey::{Journey, journeys};
use crate::report::text::{Role, Text};
use crate::trace::Trace;

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
    for call in 0..shown {
        let of_call: Vec<&Journey<'_>> =
            journeys.iter().filter(|journey| journey.call == Some(call)).collect();
        one(text, report, trace, call, &of_call, options);
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

fn one<'a>(
    text: &mut Text,
    report: Report<'a>,
    trace: &'a Trace,
    call: usize,
    journeys: &[&'a Journey<'a>],
    options: Options,
) {
    let Some(ends) = report.plan.calls.get(call) else { return };
    let columns = Columns::new(report.plan, ends, journeys, options.width);
    let room = options.width.saturating_sub(columns.label_x());
    let rows = rows::rows(report, trace, call, journeys, &columns, room);
    let name = |node| report.plan.name_of(node);
    text.heading(&format!("Packets of {} → {}", name(ends.from), name(ends.to)));
    let legend = "time in ms; o addresses rewritten; x died; ┄ signalling; ◆ something happened there";
    text.wrapped(Role::Dim, legend, 2, options.width);
    addresses(text, report, &columns, options);
    let mut drawing = Drawing::new(report.plan, &columns, &rows, options.width);
    drawing.header(text);
    let lines = if options.full { rows.iter().map(Line::Row).collect() } else { collapse(&rows) };
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
fn addresses(text: &mut Text, report: Report<'_>, columns: &Columns, options: Options) {
    let all: Vec<String> = columns
        .nodes()
        .map(|node| report.plan.topology.node(node))
        .filter(|node| !node.addresses.is_empty())
        .map(|node| {
            let addresses: Vec<String> = node.addresses.iter().map(ToString::to_string).collect();
            format!("{}={}", node.name, addresses.join(","))
        })
        .collect();
    text.wrapped(Role::Dim, &all.join("  "), 2, options.width);
}
