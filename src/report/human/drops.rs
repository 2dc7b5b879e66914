//! Where packets died and why, each with one example.

use super::Options;
use crate::plan::{Drop, DropReason, Rule};
use crate::report::text::{Role, Text, counted};
use crate::report::{Report, names};
use crate::trace::EventKind;
use crate::wire::Flow;

pub(super) fn write(text: &mut Text, report: Report<'_>, options: Options) {
    if report.outcome.drops.is_empty() {
        return;
    }
    text.heading("Drops");
    for row in &report.outcome.drops {
        text.push("  ").paint(Role::Strong, &row.by).push(" ");
        text.paint(Role::Bad, row.reason.word()).push(&format!(": {}", counted(row.count, "packet")));
        text.end_line();
        if let Some((flow, drop)) = first(report, &row.by, row.reason) {
            text.wrapped(Role::Dim, &format!("e.g. {}", sentence(flow, drop)), 4, options.width);
        }
    }
}

fn first<'a>(report: Report<'a>, by: &str, reason: DropReason) -> Option<(Flow, &'a Drop)> {
    report.run.trace.as_ref()?.events.iter().find_map(|event| match &event.kind {
        EventKind::Dropped { place, flow, drop, .. }
            if drop.reason == reason && names::place(report.plan, *place) == by =>
        {
            Some((*flow, &**drop))
        }
        _ => None,
    })
}

fn sentence(flow: Flow, drop: &Drop) -> String {
    match drop.rule {
        Rule::Plain => flow.to_string(),
        // These name the destination.
        Rule::Filter { .. } | Rule::NoMapping { .. } | Rule::Expired { .. } | Rule::PortClosed { .. } => {
            format!("from {}: {}", flow.source, drop.rule)
        }
        _ => format!("{flow}: {}", drop.rule),
    }
}
