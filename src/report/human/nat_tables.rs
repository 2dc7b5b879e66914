//! What each NAT remembered at the end.

use super::{Options, table};
use crate::base::SimTime;
use crate::plan::{Accepts, Element, MappingRow};
use crate::report::text::{Role, Text};
use crate::report::{Report, names};

pub(super) fn write(text: &mut Text, report: Report<'_>, options: Options) {
    if report.run.nat_tables.is_empty() {
        return;
    }
    text.heading("NAT tables at the end");
    for (node, mappings) in &report.run.nat_tables {
        let node = report.plan.topology.node(*node);
        text.push("  ").paint(Role::Strong, &node.name);
        if let Element::Nat(nat) = &node.element {
            let label = nat.label.as_ref().map(|label| format!("{label}, ")).unwrap_or_default();
            text.paint(Role::Dim, &format!(" ({label}{})", nat.behavior));
        }
        if mappings.is_empty() {
            text.push(": no mappings");
        }
        text.end_line();
        if !mappings.is_empty() {
            let rows =
                mappings.iter().map(|mapping| row(mapping, report.run.ended_at, options.full)).collect();
            let header = ["", "inside", "outside", "for", "accepts", "expires in"];
            table::write(text, &header, rows, options.full);
        }
    }
}

fn row(mapping: &MappingRow, now: SimTime, full: bool) -> Vec<String> {
    let left = mapping.expires.since(now).as_nanos() as f64 / 1e9;
    let explicit = if mapping.explicit { " explicit" } else { "" };
    vec![
        format!("{}{explicit}", protocol(mapping)),
        mapping.internal.to_string(),
        mapping.external.to_string(),
        mapping.for_remote.map_or("anybody".into(), names::endpoint),
        mapping.accepts.as_ref().map_or("anybody".into(), |accepts| accepted(accepts, full)),
        format!("{left:.1} s"),
    ]
}

/// With how far its connection has come, where it is TCP's: `tcp established`.
fn protocol(mapping: &MappingRow) -> String {
    match mapping.phase {
        Some(phase) => format!("{} {phase}", mapping.protocol),
        None => mapping.protocol.to_string(),
    }
}

/// All of them, or as many as leave the table within its width.
fn accepted(accepts: &Accepts, full: bool) -> String {
    let mut shown = accepts.clone();
    if !full && accepts.remotes.len() > 1 {
        shown.remotes.truncate(1);
        shown.more += accepts.remotes.len() - 1;
    }
    shown.to_string()
}
