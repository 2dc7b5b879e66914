//! What each agent gathered, and which pair it selected.

use super::ladder::MAX_LADDERS;
use super::table::{MAX_ROWS, more};
use super::{Options, calls};
use crate::engine::SessionRun;
use crate::report::Report;
use crate::report::text::{Role, Text};
use crate::wire::{PairEnd, SelectedPair};

pub(super) fn write(text: &mut Text, report: Report<'_>, options: Options) {
    if report.run.sessions.is_empty() {
        return;
    }
    let several = report.plan.calls.len() > 1;
    if !several {
        text.heading("Candidates");
    }
    // Sessions are the caller and the callee of each call in turn.
    let all = report.plan.calls.len();
    let shown = if calls::are_many(report, options) { MAX_LADDERS } else { all };
    for (call, sessions) in report.plan.calls.iter().zip(report.run.sessions.chunks(2)).take(shown) {
        if several {
            let name = |node| report.plan.host_of(node);
            text.heading(&format!("Candidates of {} → {}", name(call.from), name(call.to)));
        }
        for session in sessions {
            agent(text, report, session, options);
        }
    }
    if all > shown {
        more(text, all - shown, "call");
    }
}

fn agent(text: &mut Text, report: Report<'_>, session: &SessionRun, options: Options) {
    let name = report.plan.host_of(session.node);
    text.push("  ").paint(Role::Strong, name).paint(Role::Dim, &format!(" (agent: {})", session.stack));
    if session.started_at.is_none() {
        text.push(" never heard of the call");
    }
    text.end_line();
    let selected = session.selections.last().map(|(_, pair)| *pair);
    let shown = if options.full { usize::MAX } else { MAX_ROWS };
    for candidate in session.local_candidates.iter().take(shown) {
        let is_selected = selected.is_some_and(|pair| pair.local.address == candidate.address);
        let (mark, role) = if is_selected { ("  * ", Role::Good) } else { ("    ", Role::Normal) };
        text.paint(role, mark).push(&candidate.to_string());
        if let Some(name) = &candidate.name {
            text.paint(Role::Dim, &format!(" as {name}"));
        }
        text.end_line();
    }
    if session.local_candidates.len() > shown {
        more(text, session.local_candidates.len() - shown, "candidate");
    }
    match selected {
        Some(SelectedPair { local, remote }) => {
            text.paint(Role::Good, "  * ").push(&format!("selected: {} ↔ {}", end(local), end(remote)));
        }
        None => {
            text.push(&format!("    no pair selected (state: {})", session.state));
        }
    }
    text.end_line();
    for trouble in &session.troubles {
        text.wrapped(Role::Bad, &format!("trouble: {trouble}"), 4, options.width);
    }
}

fn end(end: PairEnd) -> String {
    format!("{} {}", end.kind, end.address)
}
