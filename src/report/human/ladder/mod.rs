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
use crate::report::ladder::Ladder;
use crate::report::text::{Role, Text};

/// How many ladders are drawn before the rest is counted, unless the full report is asked for.
pub(super) const MAX_LADDERS: usize = 3;

pub(super) fn write(text: &mut Text, report: Report<'_>, options: Options) {
    let Some(trace) = &report.run.trace else { return };
    let journeys = journeys(report);
    let calls = report.plan.calls.len();
    let shown = if options.full { calls } else { calls.min(MAX_LADDERS) };
    for ladder in (0..shown).filter_map(|call| Ladder::new(report, &journeys, call)) {
        one(text, &ladder, options);
    }
    if let Some(ladder) = Ladder::of_endpoints(report, &journeys) {
        one(text, &ladder, options);
    }
    if calls > shown {
        more(text, calls - shown, "ladder");
    }
    if trace.at_rest > 0 {
        let note = format!(
            "{} packets of calls at rest are not in it: they were sent more than a minute after anything else happened. \
             `ladder`, `--format jsonl` and `--pcap` have them.",
            trace.at_rest
        );
        text.wrapped(Role::Dim, &note, 2, options.width);
    }
    if trace.truncated > 0 {
        let note = format!("  The trace was full: {} later events are not in it.", trace.truncated);
        text.paint(Role::Bad, &note);
        text.end_line();
    }
}

/// The ladder of one call.
pub(super) fn one(text: &mut Text, ladder: &Ladder<'_>, options: Options) {
    let geometry = Geometry::new(ladder, options.width);
    text.heading(&format!("Packets of {}", ladder.title()));
    let legend = "time in ms; o addresses rewritten; x died; ┄ signalling; ◆ something happened there";
    let changes = if ladder.has_changes() { "; ═ an event of the scenario" } else { "" };
    text.wrapped(Role::Dim, &format!("{legend}{changes}"), 2, options.width);
    addresses(text, ladder, options);
    let mut drawing = Drawing::new(ladder, geometry);
    drawing.header(text);
    for line in &ladder.lines(geometry.label_room(), options.full) {
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
