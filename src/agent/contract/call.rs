//! How a call begins, connects and ends.

use super::*;

every_stack_keeps! {
    two_agents_on_one_network_select_their_host_candidates,
    two_agents_on_ipv6_connect,
    a_connected_state_follows_the_selection_of_a_pair,
    when_both_are_callers_the_role_conflict_is_resolved,
    without_any_answer_an_agent_fails_after_exactly_39_5_seconds,
    an_agent_that_never_hears_of_its_peer_does_not_begin_to_wait,
    a_failed_agent_stays_silent,
    candidates_that_arrive_before_the_offer_are_kept,
    data_travel_over_the_selected_pair_and_not_before_there_is_one,
    new_credentials_without_a_restart_are_trouble,
    checks_are_repeated_until_they_are_answered,
    another_seed_or_name_draws_other_credentials,
    every_deviation_has_a_name_of_its_own,
}

fn two_agents_on_one_network_select_their_host_candidates(stack: &Stack) {
    let mut world = call(stack.kind);
    world.run(seconds(5));
    for (side, own, other) in
        [(ALICE, "10.0.0.1:5000", "10.0.0.2:5000"), (BOB, "10.0.0.2:5000", "10.0.0.1:5000")]
    {
        let pair =
            SelectedPair { local: end(CandidateType::Host, own), remote: end(CandidateType::Host, other) };
        assert_eq!(world.selections(side).len(), 1);
        assert_eq!(world.selections(side)[0].1, pair);
        assert!(world.state(side).is_connected());
    }
}

fn two_agents_on_ipv6_connect(stack: &Stack) {
    let sockets = ["[2001:db8:a::1]:5000", "[2001:db8:b::1]:5000"].map(address);
    let mut world = world(
        stack.kind,
        [ALICE, BOB].map(|side| AgentConfig { sockets: vec![sockets[side]], ..config(side) }),
    );
    world.run(seconds(5));
    assert!(world.state(ALICE).is_connected() && world.state(BOB).is_connected());
}

fn a_connected_state_follows_the_selection_of_a_pair(stack: &Stack) {
    let mut world = call(stack.kind);
    world.run(seconds(5));
    for side in [ALICE, BOB] {
        let log = world.log(side);
        let selected = log.iter().position(|(_, output)| matches!(output, Output::Selected(_)));
        let connected =
            log.iter().position(|(_, output)| matches!(output, Output::State(state) if state.is_connected()));
        assert!(selected.expect("selected") < connected.expect("connected"));
    }
}

fn when_both_are_callers_the_role_conflict_is_resolved(stack: &Stack) {
    let mut world = world(stack.kind, [config(ALICE), AgentConfig { caller: true, ..config(BOB) }]);
    world.input(BOB, Input::Start);
    world.run(seconds(10));
    assert!(world.state(ALICE).is_connected() && world.state(BOB).is_connected());
}

fn without_any_answer_an_agent_fails_after_exactly_39_5_seconds(stack: &Stack) {
    let mut world = call(stack.kind);
    world.loses = Box::new(|_| true);
    world.run(seconds(100));
    // Bob's checks can begin with the offer after 50 ms, Alice's with the answer after another 50 ms.
    for (side, began) in [(ALICE, 100), (BOB, 50)] {
        let began = SimTime::from_millis(began);
        let expected = [(began, IceState::Checking), (began + PATIENCE, IceState::Failed)];
        assert_eq!(world.states(side), expected);
        let last = world.log(side).last().expect("not empty");
        assert_eq!(last, &(began + PATIENCE, Output::State(IceState::Failed)));
    }
}

fn an_agent_that_never_hears_of_its_peer_does_not_begin_to_wait(stack: &Stack) {
    let mut world = call(stack.kind);
    world.loses_signal = Box::new(|signal| matches!(signal, Signal::Answer(_)));
    world.run(seconds(100));
    assert_eq!(world.states(ALICE), []);
    assert_eq!(world.state(BOB), IceState::Failed);
}

fn a_failed_agent_stays_silent(stack: &Stack) {
    let mut world = call(stack.kind);
    world.loses = Box::new(|_| true);
    world.run(seconds(50));
    let before = world.log(BOB).len();
    world.input(BOB, Input::Send(b"Pdata"));
    world.input(BOB, Input::Signal(&Signal::EndOfCandidates));
    world.input(BOB, Input::Timeout);
    assert_eq!(world.log(BOB).len(), before);
}

fn candidates_that_arrive_before_the_offer_are_kept(stack: &Stack) {
    let mut world = call(stack.kind);
    world.loses_signal = Box::new(|signal| matches!(signal, Signal::Offer(_)));
    world.input(ALICE, Input::Start);
    let Some((_, Signal::Offer(mut offer))) = world.signals(ALICE).into_iter().next() else {
        panic!("no offer")
    };
    let candidate = offer.candidates.remove(0);

    world.input(BOB, Input::Signal(&Signal::Candidate { candidate, ufrag: offer.ufrag.clone() }));
    world.input(BOB, Input::Signal(&Signal::Offer(offer)));
    world.continue_until(seconds(5));

    let (_, pair) = world.selections(BOB)[0];
    assert_eq!(pair.remote, end(CandidateType::Host, "10.0.0.1:5000"));
}

fn data_travel_over_the_selected_pair_and_not_before_there_is_one(stack: &Stack) {
    let mut world = call(stack.kind);
    world.input(ALICE, Input::Send(b"Pearly"));
    world.run(seconds(5));
    world.input(ALICE, Input::Send(b"Pdata"));
    world.continue_until(seconds(6));
    assert_eq!(world.data(BOB), [(socket(ALICE), false, b"Pdata".to_vec())]);
}

fn new_credentials_without_a_restart_are_trouble(stack: &Stack) {
    let mut world = call(stack.kind);
    world.run(seconds(5));
    let description =
        Description { ufrag: "other".into(), password: "x".repeat(24), ..Description::default() };
    world.input(ALICE, Input::Signal(&Signal::Answer(description)));
    assert_eq!(world.troubles(ALICE)[0].1, "new credentials without an ICE restart");
    assert!(world.state(ALICE).is_connected());
}

fn checks_are_repeated_until_they_are_answered(stack: &Stack) {
    let mut world = call(stack.kind);
    let mut lost = 0;
    world.loses = Box::new(move |_| {
        lost += 1;
        lost <= 6
    });
    world.run(seconds(10));
    assert!(world.state(ALICE).is_connected() && world.state(BOB).is_connected());
}

fn another_seed_or_name_draws_other_credentials(stack: &Stack) {
    let offer = |seed: u64, name: &str| {
        let alice = AgentConfig { seed, name: name.to_owned(), ..config(ALICE) };
        let mut world = world(stack.kind, [alice, config(BOB)]);
        world.input(ALICE, Input::Start);
        let (_, Signal::Offer(offer)) = world.signals(ALICE).remove(0) else { panic!("no offer") };
        (offer.ufrag, offer.password)
    };
    assert_eq!(offer(1, "alice"), offer(1, "alice"));
    assert_ne!(offer(1, "alice"), offer(2, "alice"));
    assert_ne!(offer(1, "alice"), offer(1, "carol"));
}

fn every_deviation_has_a_name_of_its_own(stack: &Stack) {
    let mut ids: Vec<_> = stack.deviations.iter().map(|deviation| deviation.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), stack.deviations.len());
    assert!(!ids.is_empty());
}
