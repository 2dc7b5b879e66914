//! Sentences that several writers say alike.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::text::{counted, milliseconds};
use super::{Report, names};
use crate::base::SimTime;
use crate::engine::{EndpointRun, Run};
use crate::explain::account::EndWord;
use crate::explain::{CheckAccount, PairAccount};
use crate::outcome::{CallOutcome, ExpectationOutcome, SelectedOutcome};
use crate::plan::{CandidateType, Drop, DropReason, Family, IceState, Path, Plan, Rule};
use crate::trace::EventKind;
use crate::wire::Flow;

/// How many names or addresses a sentence has room for.
const MOST_LISTED: usize = 3;

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
    facts.join(" ")
}

/// How the endpoints fared, in one sentence: `2 endpoints, both done after 412 ms.`
pub fn endpoints(report: Report<'_>) -> String {
    let all = &report.run.endpoints;
    let count = counted(all.len() as u64, "endpoint");
    let waiting = all.iter().filter(|endpoint| endpoint.done_at.is_none());
    let waiting: Vec<String> =
        waiting.map(|endpoint| report.plan.name_of(endpoint.node).to_owned()).collect();
    let Some(last) = all_done_at(report.run) else {
        let verb = if waiting.len() == 1 { "is" } else { "are" };
        let end = milliseconds(report.run.ended_at.as_millis_f64());
        return format!("{count}; {} {verb} not done when the run ends after {end}.", listed(&waiting));
    };
    let which = match all.len() {
        1 => "",
        2 => "both ",
        _ => "all ",
    };
    format!("{count}, {which}done after {}.", milliseconds(last.as_millis_f64()))
}

/// How each of the endpoints fared, a sentence each: `alice on 10.0.1.2:50000 was done after 412 ms.`
pub fn each_endpoint(report: Report<'_>) -> String {
    let sentence = |endpoint: &EndpointRun| {
        let sockets: Vec<String> = endpoint.sockets.iter().map(ToString::to_string).collect();
        let sockets = match sockets.is_empty() {
            true => ", which opened no socket,".into(),
            false => format!(" on {}", listed(&sockets)),
        };
        let fate = match endpoint.done_at {
            Some(at) => format!("was done after {}", milliseconds(at.as_millis_f64())),
            None => "was not done".into(),
        };
        format!("{}{sockets} {fate}.", report.plan.name_of(endpoint.node))
    };
    report.run.endpoints.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// When the last endpoint was done; `None` if one never was, or there is none.
pub fn all_done_at(run: &Run) -> Option<SimTime> {
    let done: Option<Vec<SimTime>> = run.endpoints.iter().map(|endpoint| endpoint.done_at).collect();
    done?.into_iter().max()
}

/// The first few of them, and how many more there are: `a, b and c`, `a, b, c and 4 more`.
fn listed(words: &[String]) -> String {
    let mut parts: Vec<String> = words.iter().take(MOST_LISTED).cloned().collect();
    if words.len() > MOST_LISTED {
        parts.push(format!("{} more", words.len() - MOST_LISTED));
    }
    match parts.pop() {
        Some(last) if !parts.is_empty() => format!("{} and {last}", parts.join(", ")),
        last => last.unwrap_or_default(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    /// A run of endpoints, each done after so many milliseconds or never.
    fn run_of(endpoints: &[(&str, Option<u64>)]) -> Fixture {
        let mut fixture = Fixture::relay();
        let endpoint = |(name, done): &(&str, Option<u64>)| EndpointRun {
            node: fixture.plan.topology.find(name).expect("a node"),
            sockets: vec![SocketAddr::from(([10, 0, 1, 2], 7000))],
            done_at: done.map(SimTime::from_millis),
        };
        fixture.run.endpoints = endpoints.iter().map(endpoint).collect();
        fixture.run.ended_at = SimTime::from_millis(60_000);
        fixture
    }

    #[test]
    fn endpoints_that_are_all_done_tell_when_the_last_one_was() {
        let told = |run: &[(&str, Option<u64>)]| endpoints(run_of(run).report());
        let (alice, bob, stun) = (("alice", Some(7)), ("bob", Some(412)), ("stun", Some(0)));

        assert_eq!(told(&[alice]), "1 endpoint, done after 7 ms.");
        assert_eq!(told(&[bob, stun]), "2 endpoints, both done after 412 ms.");
        assert_eq!(told(&[alice, bob, stun]), "3 endpoints, all done after 412 ms.");
    }

    #[test]
    fn endpoints_that_are_not_done_are_named_while_there_is_room() {
        let told = |waiting: &[&str]| {
            let waiting = waiting.iter().map(|name| (*name, None));
            endpoints(run_of(&waiting.chain([("turn", Some(7))]).collect::<Vec<_>>()).report())
        };
        let end = "not done when the run ends after 60 s.";

        assert_eq!(told(&["alice"]), format!("2 endpoints; alice is {end}"));
        assert_eq!(told(&["alice", "bob"]), format!("3 endpoints; alice and bob are {end}"));
        let names = ["alice", "bob", "stun", "nat-a", "nat-b"];
        assert_eq!(told(&names), format!("6 endpoints; alice, bob, stun and 2 more are {end}"));
    }

    #[test]
    fn each_endpoint_tells_its_sockets_and_its_end() {
        let mut fixture = run_of(&[("alice", Some(7)), ("bob", None)]);
        fixture.run.endpoints[1].sockets.clear();

        let told = each_endpoint(fixture.report());

        let bob = "bob, which opened no socket, was not done.";
        assert_eq!(told, format!("alice on 10.0.1.2:7000 was done after 7 ms. {bob}"));
    }
}
