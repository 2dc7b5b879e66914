//! Sentences about endpoints: programs of the user's own on peers.

use crate::base::SimTime;
use crate::engine::{EndpointRun, Run};
use crate::report::Report;
use crate::report::text::{counted, milliseconds};

/// How many names or addresses a sentence has room for.
const MOST_LISTED: usize = 3;

/// How the endpoints fared, in one sentence: `2 endpoints, both done after 412 ms.`
pub fn in_one_sentence(report: Report<'_>) -> String {
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
pub fn one_by_one(report: Report<'_>) -> String {
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

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
        let told = |run: &[(&str, Option<u64>)]| in_one_sentence(run_of(run).report());
        let (alice, bob, stun) = (("alice", Some(7)), ("bob", Some(412)), ("stun", Some(0)));

        assert_eq!(told(&[alice]), "1 endpoint, done after 7 ms.");
        assert_eq!(told(&[bob, stun]), "2 endpoints, both done after 412 ms.");
        assert_eq!(told(&[alice, bob, stun]), "3 endpoints, all done after 412 ms.");
    }

    #[test]
    fn endpoints_that_are_not_done_are_named_while_there_is_room() {
        let told = |waiting: &[&str]| {
            let waiting = waiting.iter().map(|name| (*name, None));
            in_one_sentence(run_of(&waiting.chain([("turn", Some(7))]).collect::<Vec<_>>()).report())
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

        let told = one_by_one(fixture.report());

        let bob = "bob, which opened no socket, was not done.";
        assert_eq!(told, format!("alice on 10.0.1.2:7000 was done after 7 ms. {bob}"));
    }
}
