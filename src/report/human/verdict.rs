//! How each call went, in one line and a cause.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::Options;
use crate::outcome::{CallOutcome, SelectedOutcome};
use crate::plan::{CandidateType, Family, Path, Plan};
use crate::report::Report;
use crate::report::text::{Role, Text, milliseconds, path_role};

/// Where `why` begins.
const INDENT: usize = 7;

pub(super) fn write(text: &mut Text, report: Report<'_>, options: Options) {
    for call in &report.outcome.calls {
        text.paint(path_role(call.path), &call.path.word().to_uppercase());
        let word = call.path.word().len();
        text.push(&" ".repeat(INDENT.saturating_sub(word).max(1)));
        text.paint(Role::Strong, &format!("{} → {}", call.from, call.to));
        text.push(&format!(" {}", sentence(report.plan, call)));
        text.end_line();
        text.wrapped(Role::Normal, &facts(call), INDENT, options.width);
        text.wrapped(Role::Dim, &call.why, INDENT, options.width);
    }
}

fn sentence(plan: &Plan, call: &CallOutcome) -> String {
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

fn facts(call: &CallOutcome) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::IceState;
    use crate::report::fixture::Fixture;

    /// The verdict on the fixture's call after `change`, without pair, facts and cause.
    fn verdict(change: impl FnOnce(&mut CallOutcome)) -> String {
        let mut fixture = Fixture::relay();
        change(&mut fixture.outcome.calls[0]);
        let mut text = Text::default();
        write(&mut text, fixture.report(), Options::default());
        text.finish().lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_direct_call_says_its_family_only_if_it_is_ipv6() {
        let direct = |family| verdict(|call| (call.path, call.family) = (Path::Direct, Some(family)));

        assert_eq!(direct(Family::Ipv4), "DIRECT alice → bob connected after 280 ms.");
        assert_eq!(direct(Family::Ipv6), "DIRECT alice → bob connected after 280 ms over IPv6.");
    }

    #[test]
    fn a_call_that_changed_its_pair_tells_both_times_and_where_it_began() {
        let line = verdict(|call| {
            call.path = Path::Stun;
            (call.first_path, call.settled_ms) = (Some(Path::Relay), Some(1_200.5));
        });

        assert_eq!(
            line,
            "STUN   alice → bob connected after 280 ms, settled after 1200.5 ms (first path: relay)."
        );
    }

    #[test]
    fn a_failed_call_tells_the_state_it_ended_in() {
        let failed = |connected| {
            verdict(|call| {
                (call.path, call.state) = (Path::Failed, IceState::Failed);
                (call.connected_ms, call.settled_ms) = (connected, None);
            })
        };

        assert_eq!(failed(None), "FAILED alice → bob did not connect (state: failed).");
        assert_eq!(
            failed(Some(90.0)),
            "FAILED alice → bob connected after 90 ms, but did not stay so (state: failed)."
        );
    }

    #[test]
    fn a_relay_nobody_owns_is_still_a_relay() {
        let line = verdict(|call| call.selected.clear());

        assert_eq!(line, "RELAY  alice → bob connected after 280 ms through a relay (UDP).");
    }
}
