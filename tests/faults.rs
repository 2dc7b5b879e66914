//! Under faults, and for every seed: no panic, no hang, and a verdict that is true.

mod common;

use punchlab::base::SimTime;
use punchlab::engine::{Run, RunOptions};
use punchlab::outcome::{Outcome, simulate};
use punchlab::plan::Path;

/// A quarter of all packets is lost on each of two links, half of the round trips. What can be punched is punched, for
/// every seed: checks are repeated until they get through.
#[test]
fn a_quarter_of_all_packets_lost_changes_the_time_but_not_the_path() {
    let link = "link: { delay: 5ms, loss: 25% }";
    for_each_seed(&call("port-restricted-cone", "port-restricted-cone", link, SERVERS), |outcome, _| {
        assert_eq!(path(outcome), Path::Stun);
    });
    for_each_seed(&call("symmetric", "symmetric", link, SERVERS), |outcome, _| {
        assert_eq!(path(outcome), Path::Relay);
    });
}

#[test]
fn jitter_duplication_and_reordering_change_no_verdict() {
    let link = "link: { delay: 20ms, jitter: 15ms, duplicate: 20%, reorder: 20% }";
    for (nickname, wanted) in [("port-restricted-cone", Path::Stun), ("symmetric", Path::Relay)] {
        for_each_seed(&call(nickname, nickname, link, SERVERS), |outcome, _| {
            assert_eq!(path(outcome), wanted)
        });
    }
}

#[test]
fn a_thin_link_with_a_short_queue_still_carries_a_call() {
    let link = "link: { delay: 20ms, rate: 64kbps, queue: 4 }";
    for_each_seed(&call("port-restricted-cone", "full-cone", link, SERVERS), |outcome, _| {
        assert_eq!(path(outcome), Path::Stun);
    });
}

/// Nothing gets through at all: the call fails, no earlier than RFC 8863 allows and before the run's end.
#[test]
fn a_dead_link_ends_in_failure_after_the_patience_of_rfc_8863() {
    for_each_seed(
        &call("full-cone", "full-cone", "link: { delay: 5ms, up: false }", SERVERS),
        |outcome, run| {
            assert_eq!(path(outcome), Path::Failed);
            assert!(run.ended_at >= SimTime::from_millis(39_500), "{}", run.ended_at);
            assert!(run.ended_at <= SimTime::from_millis(60_000), "{}", run.ended_at);
        },
    );
}

#[test]
fn lost_signalling_fails_the_call_and_says_so() {
    let text = call("full-cone", "full-cone", "", SERVERS) + "signalling: { loss: 100% }\n";
    for_each_seed(&text, |outcome, _| {
        assert_eq!(path(outcome), Path::Failed);
        let why = &outcome.calls[0].why;
        assert!(why.contains("Signalling lost the offer of alice"), "{why}");
    });
}

#[test]
fn a_lost_answer_fails_the_call() {
    // With half of the messages lost some seeds lose the offer, some the answer, some neither.
    let text = call("full-cone", "full-cone", "", SERVERS) + "signalling: { loss: 50% }\n";
    let mut failed = 0;
    let mut connected = 0;
    for_each_seed(&text, |outcome, _| match path(outcome) {
        Path::Failed => failed += 1,
        _ => connected += 1,
    });
    assert!(failed > 0 && connected > 0, "{failed} failed, {connected} connected");
}

#[test]
fn servers_that_are_down_from_the_start_are_told_apart() {
    let stun_down = "stun: { stun: [3478/udp], up: false }, turn: { turn: [3478/udp] }";
    let turn_down = "stun: { stun: [3478/udp] }, turn: { turn: [3478/udp], up: false }";
    let both_down = "stun: { stun: [3478/udp], up: false }, turn: { turn: [3478/udp], up: false }";
    for (servers, wanted) in [(stun_down, Path::Relay), (turn_down, Path::Failed), (both_down, Path::Failed)]
    {
        for_each_seed(&call("symmetric", "symmetric", "", servers), |outcome, _| {
            assert_eq!(path(outcome), wanted, "{servers}");
        });
    }
}

#[test]
fn a_wrong_password_is_named_in_the_verdict() {
    let text = call("symmetric", "symmetric", "turn-credentials: { alice: guess }", SERVERS);
    for_each_seed(&text, |outcome, _| {
        assert_eq!(path(outcome), Path::Failed);
        assert!(outcome.calls[0].why.contains("401"), "{}", outcome.calls[0].why);
    });
}

#[test]
fn nats_without_enough_ports_never_hang() {
    for ports in ["40000-40000", "40000-40001", "40000-40002", "40000-40003"] {
        let nat = format!("{{ type: symmetric, port-range: {ports} }}");
        for_each_seed(&call(&nat, "port-restricted-cone", "", SERVERS), |outcome, run| {
            assert!(run.ended_at <= SimTime::from_millis(60_000));
            assert_ne!(path(outcome), Path::Direct);
        });
    }
}

/// NATs that forget faster than signalling talks: each check makes the mapping anew.
#[test]
fn signalling_slower_than_the_nats_remember() {
    let nat = "{ type: port-restricted-cone, udp-timeout: 2s, udp-timeout-unreplied: 1s }";
    let text = call(nat, nat, "", SERVERS) + "signalling: { delay: 5s }\n";
    for_each_seed(&text, |outcome, _| assert_eq!(path(outcome), Path::Stun));
}

/// A run that is cut short blames the clock, not a NAT.
#[test]
fn a_run_that_ends_too_early_says_so() {
    let dead_stun = "stun: { stun: [3478/udp], up: false }";
    for (servers, more, words) in [
        (SERVERS, "duration: 1ms", "ended before bob heard of the call"),
        (SERVERS, "duration: 160ms", "ended while checks were still going on"),
        (dead_stun, "signalling: { trickle: false }\nduration: 50s", "ended before the first check"),
    ] {
        for_each_seed(&(call("full-cone", "full-cone", "", servers) + more), |outcome, _| {
            assert_eq!(path(outcome), Path::Failed);
            assert!(outcome.calls[0].why.contains(words), "{}", outcome.calls[0].why);
        });
    }
}

/// Without `duration` a run waits for its calls, however late they begin and however slow signalling is.
#[test]
fn a_late_call_and_slow_signalling_are_waited_for() {
    let base = call("full-cone", "full-cone", "", SERVERS);
    let late = base.replace("[alice -> bob]", "[alice -> bob: { at: 70s }]");
    // The answer arrives after a minute, just before the callee's patience ends.
    let slow = base.clone() + "signalling: { delay: 30s }\n";
    for text in [late, slow] {
        for_each_seed(&text, |outcome, _| assert_eq!(path(outcome), Path::Stun));
    }
}

const SERVERS: &str = "stun: { stun: [3478/udp] }, turn: { turn: [3478/udp] }";

/// A call between two NATs; `peer` is said of both peers.
fn call(nat_a: &str, nat_b: &str, peer: &str, servers: &str) -> String {
    let comma = if peer.is_empty() { "" } else { ", " };
    format!(
        "nats: {{ nat-a: {nat_a}, nat-b: {nat_b} }}
servers: {{ {servers} }}
peers: {{ alice: {{ behind: nat-a{comma}{peer} }}, bob: {{ behind: nat-b{comma}{peer} }} }}
calls: [alice -> bob]
"
    )
}

fn for_each_seed(text: &str, mut check: impl FnMut(&Outcome, &Run)) {
    for seed in 1..=20 {
        let plan = common::plan_of_text(text, seed);
        let options = RunOptions { record: true, ..RunOptions::default() };
        let (run, outcome) = simulate(&plan, &options).expect("a finished run");
        check(&outcome, &run);
    }
}

fn path(outcome: &Outcome) -> Path {
    outcome.calls[0].path
}
