//! Sentences that several writers say alike.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::text::milliseconds;
use super::{Report, names};
use crate::explain::account::EndWord;
use crate::explain::{CheckAccount, PairAccount};
use crate::outcome::{
    CallOutcome, DelayOutcome, ExpectationOutcome, MediaOutcome, RelayOverhead, SelectedOutcome,
};
use crate::plan::{CandidateType, Drop, DropReason, Family, IceState, Path, Plan, Rule};
use crate::trace::EventKind;
use crate::wire::Flow;

/// How a call went: `connected after 664 ms through turn (UDP).`
pub fn result(plan: &Plan, call: &CallOutcome) -> String {
    let Some(connected) = call.connected_ms else {
        return format!("did not connect (state: {}).", call.state);
    };
    let mut sentence = format!("connected after {}", milliseconds(connected));
    if call.path == Path::Relay {
        sentence.push_str(&through(plan, call));
    } else if call.path == Path::Failed {
        sentence.push_str(&format!(", but did not stay so (state: {})", call.state));
    } else if call.family == Some(Family::Ipv6) {
        sentence.push_str(" over IPv6");
    }
    if let Some(settled) = call.settled_ms.filter(|settled| *settled > connected) {
        let first = call.first_path.map(|path| format!(" (first path: {path})")).unwrap_or_default();
        sentence.push_str(&format!(", settled after {}{first}", milliseconds(settled)));
    }
    if call.state == IceState::Disconnected {
        sentence.push_str(", and has lost contact (state: disconnected)");
    }
    sentence + "."
}

/// ` through turn (UDP)`: the servers at the pair's relayed ends.
fn through(plan: &Plan, call: &CallOutcome) -> String {
    let ends = call.selected.values().flat_map(|pair| [&pair.local, &pair.remote]);
    let relays: BTreeSet<&str> = ends
        .filter(|end| end.kind == CandidateType::Relayed)
        .filter_map(|end| end.address.parse::<SocketAddr>().ok())
        .filter_map(|address| plan.public_owner(address.ip()))
        .map(|node| plan.name_of(node))
        .collect();
    let relays: Vec<&str> = relays.into_iter().collect();
    let names = if relays.is_empty() { "a relay".to_owned() } else { relays.join(" and ") };
    let protocol = call.relay_protocol.map(|protocol| format!(" ({})", protocol.word().to_uppercase()));
    format!(" through {names}{}", protocol.unwrap_or_default())
}

/// The settled pair, what the call needs, and what its packets passed.
pub fn facts(call: &CallOutcome) -> String {
    let mut facts = Vec::new();
    if let Some(SelectedOutcome { local, remote }) = call.selected.get(&call.from) {
        facts.push(format!("Pair: {} / {}.", local.kind, remote.kind));
    }
    if let Some(needs) = call.needs {
        facts.push(format!("Needs: {needs}."));
    }
    let hops: Vec<String> = [&call.from, &call.to]
        .iter()
        .filter_map(|name| call.nat_hops.get(*name).map(|hops| format!("{name} {hops}")))
        .collect();
    if call.path != Path::Failed && !hops.is_empty() {
        facts.push(format!("NATs passed: {}.", hops.join(", ")));
    }
    if let Some(rtt) = call.rtt_ms {
        facts.push(format!("Round trip: {}.", milliseconds(rtt)));
    }
    if let Some(RelayOverhead { bytes_percent, rtt_percent }) = call.relay_overhead {
        let rtt =
            rtt_percent.map(|percent| format!(", {} round trip than straight over the links", more(percent)));
        facts.push(format!("The relay costs {} bytes{}.", more(bytes_percent), rtt.unwrap_or_default()));
    }
    facts.join(" ")
}

/// `3.12% more`, or `5% less`.
fn more(percent: f64) -> String {
    format!("{}% {}", percent.abs(), if percent < 0.0 { "less" } else { "more" })
}

/// What became of a call's media, a line for each direction. None without media.
pub fn media(call: &CallOutcome) -> Vec<String> {
    let line = |from: &str, to: &str| {
        let flows: Vec<String> = call.media.iter().filter(|flow| flow.from == from).map(flow).collect();
        (!flows.is_empty()).then(|| format!("{from} to {to}: {}.", flows.join("; ")))
    };
    [line(&call.from, &call.to), line(&call.to, &call.from)].into_iter().flatten().collect()
}

/// `audio 40 kbit/s, 500 sent, 12 lost, delay 22 ms (95%: 23 ms, max. 25 ms), jitter 1 ms, gap 20 ms`.
fn flow(flow: &MediaOutcome) -> String {
    let mut parts = vec![format!("{} {} kbit/s, {} sent", flow.flow, flow.kbps, flow.sent)];
    if flow.sent > 0 {
        parts.push(format!("{} lost", flow.lost));
    }
    if flow.unsent > 0 {
        parts.push(format!("{} never sent", flow.unsent));
    }
    if let Some(DelayOutcome { p50, p95, max }) = flow.delay_ms {
        let [p50, p95, max] = [p50, p95, max].map(tenths);
        parts.push(match p50 == max {
            true => format!("delay {p50}"),
            false => format!("delay {p50} (95%: {p95}, max. {max})"),
        });
    }
    parts.extend(flow.jitter_ms.map(|ms| format!("jitter {}", tenths(ms))));
    parts.extend(flow.gap_ms.map(|ms| format!("longest gap {}", tenths(ms))));
    parts.join(", ")
}

/// Milliseconds to a tenth.
fn tenths(ms: f64) -> String {
    milliseconds((ms * 10.0).round() / 10.0)
}

/// An expectation and what came of it: `path: relay`, or `at 27 s, path: wanted relay, got stun`.
pub fn expectation(outcome: &ExpectationOutcome) -> String {
    let ExpectationOutcome { expect, wanted, got, ok, at_ms, .. } = outcome;
    let at = at_ms.map(|at| format!("at {}, ", milliseconds(at))).unwrap_or_default();
    if *ok && wanted == got {
        format!("{at}{expect}: {wanted}")
    } else {
        format!("{at}{expect}: wanted {wanted}, got {got}")
    }
}

/// One example of a packet that died at a place for a reason: its addresses and the rule. `None` without a trace.
pub fn drop_example(report: Report<'_>, by: &str, reason: DropReason) -> Option<String> {
    first_drop(report, by, reason).map(|(flow, drop)| drop_sentence(flow, drop))
}

/// The first packet that died at a place for a reason. `None` without a trace.
pub fn first_drop<'a>(report: Report<'a>, by: &str, reason: DropReason) -> Option<(Flow, &'a Drop)> {
    report.run.trace.as_ref()?.events.iter().find_map(|event| match &event.kind {
        EventKind::Dropped { place, flow, drop, .. }
            if drop.reason == reason && names::place(report.plan, *place) == by =>
        {
            Some((*flow, &**drop))
        }
        _ => None,
    })
}

fn drop_sentence(flow: Flow, drop: &Drop) -> String {
    match drop.rule {
        Rule::Plain => flow.to_string(),
        // These name the destination.
        Rule::Filter { .. } | Rule::NoMapping { .. } | Rule::Expired { .. } | Rule::PortClosed { .. } => {
            format!("from {}: {}", flow.source, drop.rule)
        }
        _ => format!("{flow}: {}", drop.rule),
    }
}

/// What the most telling check of a pair shows, sentence by sentence.
pub fn attempt(pair: &PairAccount) -> Vec<String> {
    let Some(check) = &pair.telling else { return vec!["it was never checked".into()] };
    let checks = match pair.checks {
        1 => "its check, sent".to_owned(),
        count => format!("{count} checks; the one sent"),
    };
    let sent = format!("{checks} at {}", milliseconds(check.sent_ms));
    let mut lines = vec![format!("{sent} {}", ending(check))];
    if let Some(death) = &check.death {
        let came_from = format!("it came from {}", death.source);
        lines.push(match death.rule.is_empty() {
            true => came_from,
            false => format!("{came_from}: {}", death.rule),
        });
        if !death.moved_by.is_empty() {
            lines.push(format!("{} had given it a source the other side was not told of", death.moved_by));
        }
    }
    lines
}

fn ending(check: &CheckAccount) -> String {
    let took = check.end_ms.map(|ms| milliseconds(ms - check.sent_ms)).unwrap_or_default();
    let died = |whose: &str| {
        let Some(death) = &check.death else { return String::new() };
        let place =
            if death.on_link { format!("on the uplink of {}", death.by) } else { format!("at {}", death.by) };
        let section = death.rfc.map(|rfc| format!(", {rfc}")).unwrap_or_default();
        format!("{whose}died {place} ({}{section})", death.reason)
    };
    match check.end {
        EndWord::Answered => format!("was answered after {took}"),
        EndWord::AnsweredFromElsewhere => {
            "was answered from another address than it went to, which counts as failed (RFC 8445 §7.2.5.2.1)"
                .into()
        }
        EndWord::Refused => format!("was refused after {took}"),
        EndWord::Died => died(""),
        EndWord::AnswerDied => died("arrived, but its answer "),
        EndWord::Unanswered => "arrived and got no answer".into(),
        EndWord::Underway => "was still on its way".into(),
    }
}
