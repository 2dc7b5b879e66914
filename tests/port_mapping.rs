//! Mappings that agents ask their NAT for, in whole runs with every stack.

mod common;

use common::plan_of_text;
use punchlab::engine::{Run, RunOptions};
use punchlab::outcome::{Outcome, simulate};
use punchlab::plan::{Element, Path, StackKind, StateChange};
use punchlab::trace::{AgentEvent, EventKind};

const STACKS: [StackKind; 2] = [StackKind::Is, StackKind::Rtc];

/// A symmetric home calls a port-restricted office, with these keys more for the home, for its peer, and for the file.
fn call(stack: StackKind, home: &str, alice: &str, more: &str) -> (Run, Outcome) {
    let mut plan = plan_of_text(
        &format!(
            "nats:
  home: {{ type: symmetric, {home} }}
  office: port-restricted-cone
servers: {{ stun: {{ stun: 3478/udp }}, turn: {{ turn: 3478/udp }} }}
peers:
  alice: {{ behind: home, {alice} }}
  bob: {{ behind: office }}
calls:
  - alice -> bob
{more}"
        ),
        1,
    );
    for node in plan.topology.nodes_mut() {
        if let Element::Peer(peer) = &mut node.element {
            peer.agent = stack;
        }
    }
    simulate(&plan, &RunOptions { record: true, ..RunOptions::default() }).expect("a run")
}

fn troubles(run: &Run) -> Vec<&str> {
    let events = &run.trace.as_ref().expect("a trace").events;
    let troubles = events.iter().filter_map(|event| match &event.kind {
        EventKind::Agent { event: AgentEvent::Trouble(text), .. } => Some(text.as_str()),
        _ => None,
    });
    troubles.collect()
}

fn grants(run: &Run) -> usize {
    let events = &run.trace.as_ref().expect("a trace").events;
    let is_grant = |kind: &EventKind| {
        matches!(kind, EventKind::State { change: StateChange::MappingGranted { .. }, .. })
    };
    events.iter().filter(|event| is_grant(&event.kind)).count()
}

#[test]
fn a_granted_mapping_spares_the_relay_with_every_stack_and_either_protocol() {
    for stack in STACKS {
        for protocol in ["pcp", "nat-pmp"] {
            for trickle in ["", "signalling: { trickle: false }"] {
                let (run, outcome) = call(stack, &format!("port-mapping: {protocol}"), "", trickle);
                assert_eq!(outcome.calls[0].path, Path::Stun, "{stack} {protocol} {trickle}");
                assert_eq!(grants(&run), 1, "{stack} {protocol} {trickle}");
            }
        }
    }
}

#[test]
fn a_peer_that_does_not_ask_gets_nothing() {
    for stack in STACKS {
        let (run, outcome) = call(stack, "port-mapping: pcp", "port-mapping: false", "");
        assert_eq!((outcome.calls[0].path, grants(&run)), (Path::Relay, 0), "{stack}");
    }
}

#[test]
fn a_refusal_is_trouble_and_the_call_goes_on_without() {
    for stack in STACKS {
        for (protocol, why) in [("pcp", "USER_EX_QUOTA"), ("nat-pmp", "out of resources")] {
            let home = format!("port-mapping: {protocol}, max-ports-per-host: 1");
            // What the first call has, granted or made by a packet to a server, is all that the host may have.
            let (run, _) = call(stack, &home, "", "  - alice -> bob: { at: 1s }");
            let refusal = format!("port mapping by 10.0.1.1: {why}");
            assert!(troubles(&run).contains(&refusal.as_str()), "{stack} {protocol}: {:?}", troubles(&run));
        }
    }
}

#[test]
fn an_agent_renews_what_it_has_and_a_rebooted_nat_gives_it_again() {
    for stack in STACKS {
        let (run, outcome) = call(stack, "port-mapping: pcp", "", "events: [{ at: 20s, nat-reboot: home }]");
        assert_eq!((outcome.calls[0].path, grants(&run)), (Path::Stun, 2), "{stack}");
        assert_eq!(troubles(&run), [""; 0], "{stack}");
        let ends: Vec<_> = run.sessions.iter().map(|session| session.state.is_connected()).collect();
        assert_eq!(ends, [true, true], "{stack}");
    }
}
