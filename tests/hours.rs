//! Calls that are kept up for hours stay alive, nothing that is kept of them grows with the time, and a trace without the
//! packets of calls at rest tells the same story.

mod common;

use common::{plan_of_file, plan_of_text, scenario_files};
use punchlab::base::SimDuration;
use punchlab::engine::{Run, RunOptions, run};
use punchlab::outcome::simulate;
use punchlab::plan::{IceState, Plan, StackKind};
use punchlab::report::json::{self, Layout};

#[test]
fn a_relayed_call_is_alive_after_two_hours_and_had_no_trouble() {
    for stack in StackKind::ALL {
        let run = run(&call("symmetric", *stack, 2), &RunOptions::default()).expect("a run");

        for session in &run.sessions {
            assert!(session.state.is_connected(), "{stack}: {:?}", session.state);
            // `rtc` forgets neither stale nonces nor allocations that the server has lost: `docs/stacks.md`.
            assert!(*stack == StackKind::Rtc || session.troubles.is_empty(), "{:?}", session.troubles);
            assert_eq!(session.selections.len(), 1, "{stack}");
        }
    }
}

#[test]
fn what_is_kept_of_a_call_does_not_grow_with_the_hours() {
    for (nickname, stack) in [("symmetric", StackKind::Is), ("port-restricted-cone", StackKind::Rtc)] {
        let [one, three] = [1, 3].map(|hours| run(&call(nickname, stack, hours), &story()).expect("a run"));

        assert!(
            three.packets > 2 * one.packets,
            "{nickname}: {} packets, {} in an hour",
            three.packets,
            one.packets
        );
        assert_eq!(sizes(&three), sizes(&one), "{nickname}");
    }
}

#[test]
fn a_trace_without_rest_leads_to_the_same_outcome() {
    for file in scenario_files() {
        let plan = plan_of_file(&file, 1);
        let whole = RunOptions { record: true, ..RunOptions::default() };

        let [(_, whole), (_, story)] =
            [whole, story()].map(|options| simulate(&plan, &options).expect("a finished run"));

        let text = |outcome| json::text(outcome, Layout::Pretty);
        assert_eq!(text(&story), text(&whole), "{}", file.display());
    }
}

#[test]
fn rest_begins_a_minute_after_the_last_thing_that_happened() {
    let plan = call("port-restricted-cone", StackKind::Is, 1);

    let trace = run(&plan, &story()).expect("a run").trace.expect("a trace");

    let (deeds, packets): (Vec<_>, Vec<_>) =
        trace.events.iter().partition(|event| event.kind.packet().is_none());
    let last_deed = deeds.iter().filter(|event| event.kind.is_deed()).map(|event| event.at).max();
    let last_packet = packets.iter().map(|event| event.at).max();
    let rest = last_packet.expect("packets").since(last_deed.expect("deeds"));
    assert!((SimDuration::from_secs(55)..SimDuration::from_secs(62)).contains(&rest), "{rest}");
    assert!(trace.at_rest > 1_000, "{}", trace.at_rest);
}

/// RFC 7675 §5.1: without consent nothing may be sent after 30 seconds.
#[test]
fn nothing_is_sent_to_a_peer_that_has_been_silent_for_half_a_minute() {
    for stack in StackKind::ALL {
        let text = format!(
            "duration: 120s
nats: {{ nat-a: full-cone, nat-b: full-cone }}
servers: {{ stun: {{ stun: 3478/udp }} }}
peers: {{ alice: {{ behind: nat-a, agent: {stack} }}, bob: {{ behind: nat-b, agent: {stack} }} }}
calls: [{{ alice -> bob: {{ media: audio }} }}]
events: [{{ at: 20s, set-link: {{ bob: {{ loss: 100% }} }} }}]"
        );
        let plan = plan_of_text(&text, 1);
        let options = RunOptions { record: true, ..RunOptions::default() };

        let run = run(&plan, &options).expect("a run");

        let alice = &run.sessions[0];
        let trace = run.trace.as_ref().expect("a trace");
        let is_media = |bytes: &[u8]| bytes.starts_with(b"audio ");
        let sent = trace.events.iter().filter(|event| {
            let record = event.kind.packet().and_then(|packet| trace.packets.get(packet));
            record.is_some_and(|packet| {
                alice.holds(packet.origin, packet.flow.source)
                    && packet.messages().any(|bytes| is_media(bytes))
            })
        });
        let last = sent.map(|event| event.at.as_millis_f64()).fold(0.0, f64::max);
        assert!((20_000.0..50_500.0).contains(&last), "{stack}: the last media left at {last} ms");
        assert!(
            matches!(alice.state, IceState::Disconnected | IceState::Failed),
            "{stack}: {:?}",
            alice.state
        );
    }
}

/// What a long run is recorded with.
fn story() -> RunOptions {
    RunOptions { record: true, skip_rest: true, ..RunOptions::default() }
}

/// How much is kept of a run, the changes in tables left aside: of refreshes there are more in more hours.
fn sizes(run: &Run) -> Vec<usize> {
    let trace = run.trace.as_ref().expect("a trace");
    let of_packets = trace.events.iter().filter(|event| event.kind.packet().is_some()).count();
    let sessions = run.sessions.iter().flat_map(|session| {
        [
            session.local_candidates.len(),
            session.remote_candidates.len(),
            session.selections.len(),
            session.troubles.len(),
        ]
    });
    let tables = run.nat_tables.iter().map(|(_, rows)| rows.len());
    [trace.packets.len(), of_packets].into_iter().chain(sessions).chain(tables).collect()
}

fn call(nickname: &str, stack: StackKind, hours: u32) -> Plan {
    let text = format!(
        "duration: {hours}h
nats: {{ nat-a: {nickname}, nat-b: {nickname} }}
servers: {{ turn: {{ turn: 3478/udp, users: {{ demo: secret }} }} }}
peers: {{ alice: {{ behind: nat-a, agent: {stack} }}, bob: {{ behind: nat-b, agent: {stack} }} }}
calls: [alice -> bob]"
    );
    plan_of_text(&text, 1)
}
