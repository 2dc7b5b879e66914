//! Mappings that agents ask their NAT for, in whole runs with every stack.

mod common;

use common::plan_of_text;
use punchlab::engine::{Run, RunOptions};
use punchlab::outcome::{Outcome, simulate};
use punchlab::plan::{Element, Path, Plan, StackKind, StateChange};
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
    set_stack(&mut plan, stack);
    simulate(&plan, &RunOptions { record: true, ..RunOptions::default() }).expect("a run")
}

fn set_stack(plan: &mut Plan, stack: StackKind) {
    for node in plan.topology.nodes_mut() {
        if let Element::Peer(peer) = &mut node.element {
            peer.agent = stack;
        }
    }
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

#[test]
fn the_sockets_of_an_ice_restart_ask_for_mappings_of_their_own() {
    for stack in STACKS {
        let restart = "events: [{ at: 20s, ice-restart: alice }]\nduration: 60s";
        let (run, outcome) = call(stack, "port-mapping: pcp", "", restart);
        assert_eq!((outcome.calls[0].path, grants(&run)), (Path::Stun, 2), "{stack}");
        assert_eq!(troubles(&run), [""; 0], "{stack}");
    }
}

#[test]
fn after_an_interface_is_lost_the_nat_of_the_other_one_is_asked() {
    for stack in STACKS {
        let mut plan = plan_of_text(
            "nats:
  wifi: { type: symmetric, port-mapping: pcp }
  mobile: { type: symmetric, port-mapping: nat-pmp }
  office: port-restricted-cone
servers: { stun: { stun: 3478/udp }, turn: { turn: 3478/udp } }
peers:
  alice: { interfaces: { wlan0: { behind: wifi }, rmnet0: { behind: mobile, up: false } } }
  bob: { behind: office }
calls: [alice -> bob]
duration: 60s
events:
  - { at: 20s, interface-down: alice.wlan0 }
  - { at: 20s, interface-up: alice.rmnet0 }
  - { at: 22s, nat-reboot: mobile }
  - { at: 28s, ice-restart: alice }
  - { at: 40s, nat-reboot: mobile }
",
            1,
        );
        set_stack(&mut plan, stack);
        let (run, outcome) =
            simulate(&plan, &RunOptions { record: true, ..RunOptions::default() }).expect("a run");
        // One by Wi-Fi, one after the restart, and that one again after the reboot.
        assert_eq!((outcome.calls[0].path, grants(&run)), (Path::Stun, 3), "{stack}");
        assert_eq!(troubles(&run), [""; 0], "{stack}");
    }
}
