//! ICE-lite agents (RFC 8445 §2.5).

use super::*;

every_stack_keeps! {
    a_lite_agent_connects_with_a_full_one,
    a_lite_agent_says_what_it_is_and_has_host_candidates_only,
}

/// Alice, who is a full agent of this kind, calls Bob, who is a lite one.
fn call_of_a_lite_agent(stack: &Stack) -> World {
    world(stack.kind, [config(ALICE), AgentConfig { lite: true, ..config(BOB) }])
}

fn a_lite_agent_connects_with_a_full_one(stack: &Stack) {
    let mut world = call_of_a_lite_agent(stack);
    world.run(seconds(20));
    for (side, own, other) in
        [(ALICE, "10.0.0.1:5000", "10.0.0.2:5000"), (BOB, "10.0.0.2:5000", "10.0.0.1:5000")]
    {
        let pair =
            SelectedPair { local: end(CandidateType::Host, own), remote: end(CandidateType::Host, other) };
        let selections = world.selections(side);
        assert_eq!(selections.len(), 1);
        assert_eq!(selections[0].1, pair);
        assert!(selections[0].0 < seconds(1), "{selections:?}");
        assert!(world.state(side).is_connected());
    }
}

fn a_lite_agent_says_what_it_is_and_has_host_candidates_only(stack: &Stack) {
    let mut world = call_of_a_lite_agent(stack);
    world.run(seconds(5));
    let said = |side| {
        world.signals(side).into_iter().find_map(|(_, signal)| match signal {
            Signal::Offer(description) | Signal::Answer(description) => Some(description.lite),
            _ => None,
        })
    };
    assert_eq!([said(ALICE), said(BOB)], [Some(false), Some(true)]);
    assert!(world.gathered(BOB).iter().all(|candidate| candidate.kind == CandidateType::Host));
}
