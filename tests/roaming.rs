//! Calls that live through change: interfaces that go, ICE restarts, hanging up.

mod common;

use punchlab::base::{Limits, SimTime};
use punchlab::engine::{Run, RunOptions};
use punchlab::outcome::{CallOutcome, Outcome, simulate};
use punchlab::plan::{CandidateType, IceState, Path, Plan, StateChange};
use punchlab::scenario::{self, Overrides, Source};
use punchlab::trace::{AgentEvent, EventKind};

/// The stacks at the two ends.
const STACKS: [(&str, &str); 4] = [("is", "is"), ("rtc", "rtc"), ("is", "rtc"), ("rtc", "is")];

/// Alice has Wi-Fi, and LTE that is down; `more` is what else the file says.
fn file((alice, bob): (&str, &str), lte: &str, more: &str) -> Source {
    let text = format!(
        "duration: 60s\n\
         nats: {{ home: port-restricted-cone, lte-nat: {lte}, office: port-restricted-cone }}\n\
         servers: {{ stun: {{ stun: 3478/udp }}, turn: {{ turn: 3478/udp }} }}\n\
         peers:\n  alice:\n    agent: {alice}\n    interfaces:\n      wlan0: {{ behind: home, link: wifi }}\n      \
         rmnet0: {{ behind: lte-nat, link: lte, up: false }}\n  bob: {{ behind: office, agent: {bob} }}\n\
         calls: [alice -> bob: {{ media: audio }}]\n{more}"
    );
    Source::new("roaming.nat.yaml", text)
}

const ROAMS: &str =
    "events:\n- { at: 20s, interface-down: alice.wlan0 }\n- { at: 20s, interface-up: alice.rmnet0 }\n";

fn simulated(source: &Source) -> (Plan, Run, Outcome) {
    let plan = scenario::load(source, &Overrides::default(), &Limits::DEFAULT)
        .unwrap_or_else(|rejection| panic!("{rejection}"));
    let options = RunOptions { record: true, ..RunOptions::default() };
    let (run, outcome) = simulate(&plan, &options).expect("a finished run");
    (plan, run, outcome)
}

fn call(outcome: &Outcome) -> &CallOutcome {
    &outcome.calls[0]
}

fn secs(seconds: u64) -> SimTime {
    SimTime::from_millis(1_000 * seconds)
}

/// The states a session's agent was in from a time on, and when it came to them.
fn states(run: &Run, session: usize, from: SimTime) -> Vec<(SimTime, IceState)> {
    let trace = run.trace.as_ref().expect("a trace");
    let states = trace.events.iter().filter_map(|event| match &event.kind {
        EventKind::Agent { session: of, event: AgentEvent::State(state) } if of.index() == session => {
            Some((event.at, *state))
        }
        _ => None,
    });
    states.filter(|(at, _)| *at >= from).collect()
}

fn words(states: &[(SimTime, IceState)]) -> Vec<IceState> {
    states.iter().map(|(_, state)| *state).filter(|state| *state != IceState::Completed).collect()
}

/// How many allocations were made, and how many of them are gone.
fn allocations(run: &Run) -> (usize, usize) {
    let trace = run.trace.as_ref().expect("a trace");
    let count = |wanted: fn(&StateChange) -> bool| {
        let changes = trace.events.iter().filter_map(|event| match &event.kind {
            EventKind::State { change, .. } => Some(change),
            _ => None,
        });
        changes.filter(|change| wanted(change)).count()
    };
    (
        count(|change| matches!(change, StateChange::AllocationCreated { .. })),
        count(|change| matches!(change, StateChange::AllocationGone { .. })),
    )
}

#[test]
fn a_call_moves_to_the_new_network_with_an_ice_restart() {
    for stacks in STACKS {
        let more = format!("{ROAMS}- {{ at: 28s, ice-restart: alice }}\n");
        let (_, run, outcome) = simulated(&file(stacks, "symmetric", &more));

        let call = call(&outcome);
        assert_eq!((call.path, call.first_path), (Path::Relay, Some(Path::Stun)), "{stacks:?}");
        assert_eq!((call.ice_restarts, call.nat_hops["alice"]), (1, 1), "{stacks:?}");
        // What rtc controls it accepts through a relay 2 s after it has begun.
        let most = if stacks.0 == "rtc" { 10_500.0 } else { 10_000.0 };
        let gap = call.media_gap_ms.expect("media");
        assert!((8_000.0..most).contains(&gap), "{stacks:?}: {gap}");
        let states = words(&states(&run, 0, secs(20)));
        assert_eq!(states, [IceState::Disconnected, IceState::Checking, IceState::Connected], "{stacks:?}");
    }
}

#[test]
fn without_a_restart_the_loss_is_noticed_and_nothing_done_about_it() {
    let noticed = |stacks| {
        let (_, run, outcome) = simulated(&file(stacks, "symmetric", ROAMS));
        assert_eq!(call(&outcome).ice_restarts, 0);
        states(&run, 0, secs(20))
    };
    // is is told that the interface is gone, and knows no failure.
    assert_eq!(noticed(("is", "is")), [(secs(20), IceState::Disconnected)]);
    let rtc = noticed(("rtc", "rtc"));
    assert_eq!(words(&rtc), [IceState::Disconnected, IceState::Failed]);
    let after = |index: usize| rtc[index].0.since(secs(20)).as_millis_f64();
    assert!((4_000.0..6_500.0).contains(&after(0)), "{rtc:?}");
    assert!((29_000.0..31_500.0).contains(&after(1)), "{rtc:?}");
}

#[test]
fn a_restart_on_an_unbroken_path_loses_nothing_whoever_begins_it() {
    for stacks in STACKS {
        for who in ["alice", "bob"] {
            let more = format!("events: [{{ at: 20s, ice-restart: {who} }}]\n");
            let source = file(stacks, "symmetric", &more);
            let source = Source::new("a.nat.yaml", source.text.replace("link: wifi", "link: lan"));
            let (_, run, outcome) = simulated(&source);

            let call = call(&outcome);
            assert_eq!(call.ice_restarts, 1, "{stacks:?} {who}");
            // Different stacks may keep to different pairs, one of them relayed: is nominates again, rtc stays.
            assert!(call.path == Path::Stun || stacks.0 != stacks.1, "{stacks:?} {who}");
            assert_eq!(
                call.media.iter().map(|flow| flow.lost + flow.unsent).sum::<u64>(),
                0,
                "{stacks:?} {who}"
            );
            let states = words(&states(&run, 0, secs(20)));
            assert_eq!(states, [IceState::Checking, IceState::Connected], "{stacks:?} {who}");
        }
    }
}

#[test]
fn of_two_restarts_at_once_that_of_the_caller_counts() {
    for stacks in STACKS {
        let more = "events:\n- { at: 20s, ice-restart: alice }\n- { at: 20s, ice-restart: bob }\n";
        let (_, _, outcome) = simulated(&file(stacks, "symmetric", more));

        let call = call(&outcome);
        assert_eq!((call.path, call.ice_restarts), (Path::Stun, 1), "{stacks:?}");
        assert!(call.state.is_connected(), "{stacks:?}");
    }
}

#[test]
fn a_restart_gives_back_what_was_allocated_before_it() {
    for stacks in STACKS {
        let more = "events: [{ at: 20s, ice-restart: alice }]\n";
        let (_, run, _) = simulated(&file(stacks, "symmetric", more));
        assert_eq!(allocations(&run), (4, 2), "{stacks:?}");
    }
}

#[test]
fn a_failed_call_can_be_restarted() {
    for stacks in STACKS {
        let more = "events:\n- { at: 1s, interface-down: alice.wlan0 }\n\
                    - { at: 45s, interface-up: alice.wlan0 }\n- { at: 46s, ice-restart: alice }\n";
        let (_, run, outcome) = simulated(&file(stacks, "symmetric", more));

        let call = call(&outcome);
        assert_eq!((call.path, call.ice_restarts), (Path::Stun, 1), "{stacks:?}");
        if stacks.0 == "rtc" {
            assert!(words(&states(&run, 0, secs(1))).contains(&IceState::Failed), "{stacks:?}");
        }
    }
}

#[test]
fn between_two_homes_with_one_subnet_the_bases_stay_apart() {
    for stacks in STACKS {
        let more = format!("{ROAMS}- {{ at: 21s, ice-restart: alice }}\n");
        let lte = "{ type: port-restricted-cone, inside: 10.0.1.0/24 }";
        let (plan, run, outcome) = simulated(&file(stacks, lte, &more));

        assert_eq!(call(&outcome).path, Path::Stun, "{stacks:?}");
        let side = &run.sessions[0];
        let places: Vec<&str> = side.places.iter().map(|node| plan.name_of(*node)).collect();
        assert_eq!(places, ["alice.wlan0", "alice.rmnet0"]);
        assert_eq!(side.sockets[0].ip(), side.sockets[1].ip());
        assert_eq!(plan.name_of(side.place()), "alice.rmnet0");
    }
}

#[test]
fn an_agent_with_two_interfaces_gathers_on_both_and_leaves_the_one_that_goes() {
    let text =
        file(("is", "is"), "port-restricted-cone", "events: [{ at: 20s, interface-down: alice.wlan0 }]\n");
    let source = Source::new("a.nat.yaml", text.text.replace(", up: false", ""));
    let (plan, run, outcome) = simulated(&source);

    let hosts = run.sessions[0].local_candidates.iter().filter(|one| one.kind == CandidateType::Host);
    assert_eq!(hosts.count(), 2);
    assert!(call(&outcome).state.is_connected());
    assert_eq!(plan.name_of(run.sessions[0].place()), "alice.rmnet0");
}

#[test]
fn hanging_up_ends_both_sides_and_their_media_and_frees_what_was_allocated() {
    for stacks in STACKS {
        for who in ["alice", "bob -> alice"] {
            let (_, run, outcome) =
                simulated(&file(stacks, "symmetric", &format!("events: [{{ at: 20s, hang-up: {who} }}]\n")));

            let call = call(&outcome);
            assert_eq!((call.path, call.state), (Path::Stun, IceState::Closed), "{stacks:?} {who}");
            assert_eq!(call.ended_ms, Some(20_000.0), "{stacks:?} {who}");
            assert!(call.media_gap_ms.is_some_and(|gap| gap < 1_000.0), "{stacks:?} {who}: {call:?}");
            let closed = [0, 1].map(|session| run.sessions[session].state);
            assert_eq!(closed, [IceState::Closed; 2], "{stacks:?} {who}");
            let (made, gone) = allocations(&run);
            assert_eq!(made, gone, "{stacks:?} {who}");
            let last = run.trace.as_ref().and_then(|trace| trace.events.last()).map(|event| event.at);
            assert!(last < Some(secs(30)), "{stacks:?} {who}: {last:?}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_restart() {
    let more = format!("{ROAMS}- {{ at: 28s, ice-restart: alice }}\n");
    let source = file(("is", "is"), "symmetric", &more);
    let [one, other] = [(), ()].map(|()| simulated(&source));
    assert_eq!(one.2, other.2);
    let packets = |run: &Run| run.trace.as_ref().map(|trace| trace.packets.len());
    assert_eq!(packets(&one.1), packets(&other.1));
}
