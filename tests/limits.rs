//! Every bound of a run is honoured, and says its name. The bounds of reading are tested in `tests/rejected.rs`, those of
//! single devices and agents beside them.

mod common;

use punchlab::base::{Limits, SimDuration};
use punchlab::engine::{RunError, RunOptions, run};
use punchlab::plan::Plan;

#[test]
fn too_many_events_end_the_run() {
    assert_limit("events", Limits { events: 100, ..Limits::DEFAULT });
}

#[test]
fn too_many_events_at_one_instant_end_the_run() {
    assert_limit("events-at-one-instant", Limits { events_at_one_instant: 1, ..Limits::DEFAULT });
}

#[test]
fn too_many_packets_in_flight_end_the_run() {
    assert_limit("packets-in-flight", Limits { packets_in_flight: 1, ..Limits::DEFAULT });
}

#[test]
fn too_much_virtual_time_ends_the_run() {
    assert_limit("virtual-time", Limits { virtual_time: SimDuration::from_secs(2), ..Limits::DEFAULT });
}

/// A full trace stops growing, and the run goes on to the same end.
#[test]
fn a_full_trace_counts_what_it_does_not_keep() {
    let plan = plan();
    let options = |trace_bytes| RunOptions {
        record: true,
        limits: Limits { trace_bytes, ..Limits::DEFAULT },
        ..RunOptions::default()
    };
    let whole = run(&plan, &options(256 << 20)).expect("a run");
    let cut = run(&plan, &options(4_096)).expect("a run");
    let (whole_trace, cut_trace) = (whole.trace.expect("a trace"), cut.trace.expect("a trace"));
    assert!(cut_trace.truncated > 0);
    assert_eq!(cut_trace.events.len() as u64 + cut_trace.truncated, whole_trace.events.len() as u64);
    assert_eq!((cut.ended_at, cut.packets, cut.drops), (whole.ended_at, whole.packets, whole.drops));
}

fn assert_limit(key: &str, limits: Limits) {
    let result = run(&plan(), &RunOptions { limits, ..RunOptions::default() });
    match result {
        Err(RunError::Limit(reached)) => {
            assert_eq!(reached.key, key);
            assert!(reached.to_string().contains(&format!("--limit {key}=")), "{reached}");
        }
        other => panic!("{key}: {other:?}"),
    }
}

/// Two symmetric NATs without TURN: 39.5 s of checks.
fn plan() -> Plan {
    let text = "
nats: { nat-a: symmetric, nat-b: symmetric }
servers: { stun: { stun: [3478/udp] } }
peers: { alice: { behind: nat-a }, bob: { behind: nat-b } }
calls: [alice -> bob]
";
    common::plan_of_text(text, 1)
}
