//! Calls of several parties: meshes, public servers that answer all of them, and what a relay makes of many calls.

mod common;

use punchlab::engine::{Run, RunOptions, run};
use punchlab::lab::build::{Call, Nat, Peer};
use punchlab::lab::{Finished, Scenario};
use punchlab::plan::{CandidateType, Nickname, Path, Plan, StackKind};

#[test]
fn a_mesh_is_a_call_of_every_pair_in_the_order_of_the_list() {
    let plan = common::plan_of_text(
        "peers: { a: {}, b: {}, c: {}, d: {} }\ncalls: [c -> a, { mesh: [a, b, d, c], at: 2s, media: audio }]\n",
        1,
    );
    let calls: Vec<String> = plan.calls.iter().map(|call| told(&plan, call)).collect();
    assert_eq!(
        calls,
        ["c a 0 0", "a b 2000 1", "a d 2000 1", "a c 2000 1", "b d 2000 1", "b c 2000 1", "d c 2000 1"]
    );
}

fn told(plan: &Plan, call: &punchlab::plan::Call) -> String {
    let [from, to] = [call.from, call.to].map(|node| plan.name_of(node));
    format!("{from} {to} {} {}", call.at.as_millis_f64(), call.media.len())
}

#[test]
fn a_lone_mesh_needs_no_list() {
    let plan = common::plan_of_text("peers: { a: {}, b: {} }\ncalls: { mesh: [a, b] }\n", 1);
    assert_eq!(plan.calls.len(), 1);
}

/// Sixty-four peers, the most there may be, each with everybody: that can be read.
#[test]
fn the_largest_mesh_is_2016_calls() {
    let names: Vec<String> = (0..64).map(|number| format!("p{number}")).collect();
    let peers: Vec<String> = names.iter().map(|name| format!("{name}: {{}}")).collect();
    let text = format!("peers: {{ {} }}\ncalls: [mesh: [{}]]\n", peers.join(", "), names.join(", "));
    assert_eq!(common::plan_of_text(&text, 1).calls.len(), 2_016);
}

/// Six peers with one user want an allocation at either end of 15 calls.
#[test]
fn an_allocation_quota_is_shared_by_all_calls_of_a_user() {
    let file = std::path::Path::new("scenarios/mesh-meets-turn-quota.nat.yaml");
    let plan = common::plan_of_file(file, 1);
    let run = run(&plan, &RunOptions::default()).expect("a run");
    assert_eq!(plan.calls.len(), 15);
    assert_eq!(allocations(&run), 10);
    let refused =
        run.sessions.iter().filter(|session| session.troubles.iter().any(|what| what.contains("486")));
    assert_eq!(refused.count(), 20);
}

fn allocations(run: &Run) -> usize {
    let candidates = run.sessions.iter().flat_map(|session| &session.local_candidates);
    candidates.filter(|candidate| candidate.kind == CandidateType::Relayed).count()
}

/// A public server with an ICE-lite agent, and peers behind two kinds of NAT, which know no server.
fn sfu(server: StackKind, peer: StackKind) -> Finished {
    let behind = |nat: &str| Peer::behind(nat).agent(peer);
    Scenario::build("sfu")
        .nat("home", Nat::nickname(Nickname::PortRestrictedCone))
        .nat("office", Nat::nickname(Nickname::Symmetric))
        .peer("sfu", Peer::new().ice_lite(true).agent(server))
        .peer("alice", behind("home"))
        .peer("bob", behind("office"))
        .call("alice", "sfu")
        .call_with("bob", "sfu", Call::new())
        .scenario()
        .run()
        .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn any_stack_reaches_a_lite_agent_of_any_stack() {
    for server in StackKind::ALL {
        for peer in StackKind::ALL {
            let finished = sfu(*server, *peer);
            for call in ["alice -> sfu", "bob -> sfu"] {
                let outcome = finished.call(call);
                assert_eq!(outcome.path, Path::Stun, "{server} {peer} {call}");
                assert!(outcome.connected_ms.is_some_and(|at| at < 1_500.0), "{server} {peer} {call}");
            }
        }
    }
}

#[test]
fn a_lite_agent_of_is_sends_no_check() {
    let finished = sfu(StackKind::Is, StackKind::Is);
    let run = finished.run();
    let server = run.sessions[1].node;
    let trace = run.trace.as_ref().expect("a trace");
    let checks = trace.packets.iter().filter(|(_, packet)| {
        packet.origin == server && packet.body.payload().first_chunk::<2>() == Some(&[0x00, 0x01])
    });
    assert_eq!(checks.count(), 0);
}
