//! Candidates and how they are signalled.

use super::*;

every_stack_keeps! {
    a_trickling_agent_offers_its_host_candidate_and_sends_the_others_as_they_are_found,
    an_agent_that_does_not_trickle_offers_everything_at_once,
    a_turn_server_alone_tells_the_mapped_address_too,
    a_reflexive_candidate_equal_to_the_host_candidate_is_redundant,
    a_request_that_is_lost_is_sent_again,
    a_forged_mapped_address_is_trouble_and_no_candidate,
    a_server_of_the_other_address_family_is_not_asked,
    no_more_candidates_are_taken_than_configured,
}

fn a_trickling_agent_offers_its_host_candidate_and_sends_the_others_as_they_are_found(stack: &Stack) {
    let mut world = call_with_servers(stack.kind);
    world.run(seconds(2));
    let last = stack.allocated_at;
    let expected = [(0, "offer"), (20, "candidate"), (last, "candidate"), (last, "end-of-candidates")];
    assert_eq!(names(&world, ALICE), expected);
    let (_, Signal::Offer(offer)) = &world.signals(ALICE)[0] else { panic!("no offer") };
    assert!(offer.trickle);
    assert_eq!(kinds(&offer.candidates), [CandidateType::Host]);
}

fn an_agent_that_does_not_trickle_offers_everything_at_once(stack: &Stack) {
    let mut world = untrickled_call_with(stack.kind, vec![stun_server(), turn_server("secret")]);
    world.server.mapped = Some(address("203.0.113.1:40001"));
    world.run(seconds(2));
    assert_eq!(names(&world, ALICE), [(stack.allocated_at, "offer")]);
    assert_eq!(names(&world, BOB), [(stack.allocated_at + 50, "answer")]);
    let (_, Signal::Offer(offer)) = &world.signals(ALICE)[0] else { panic!("no offer") };
    assert!(!offer.trickle);
    let all = [CandidateType::Host, CandidateType::ServerReflexive, CandidateType::Relayed];
    assert_eq!(kinds(&offer.candidates), all);
}

fn a_turn_server_alone_tells_the_mapped_address_too(stack: &Stack) {
    let mut world = call_with(stack.kind, vec![turn_server("secret")]);
    world.server.mapped = Some(address("203.0.113.1:40001"));
    world.run(seconds(2));
    let all = [CandidateType::Host, CandidateType::ServerReflexive, CandidateType::Relayed];
    assert_eq!(kinds(&world.gathered(ALICE)), all);
}

fn a_reflexive_candidate_equal_to_the_host_candidate_is_redundant(stack: &Stack) {
    let mut world = call_with(stack.kind, vec![stun_server()]);
    world.run(seconds(2));
    assert_eq!(kinds(&world.gathered(ALICE)), [CandidateType::Host]);
    assert_eq!(names(&world, ALICE), [(0, "offer"), (20, "end-of-candidates")]);
}

fn a_request_that_is_lost_is_sent_again(stack: &Stack) {
    let mut world = call_with(stack.kind, vec![stun_server()]);
    world.server.mapped = Some(address("203.0.113.1:40001"));
    let mut first = true;
    world.loses = Box::new(move |datagram| !is_between_peers(datagram) && std::mem::take(&mut first));
    world.run(seconds(2));
    assert_eq!(names(&world, ALICE)[1], (stack.rto + 20, "candidate"));
}

fn a_forged_mapped_address_is_trouble_and_no_candidate(stack: &Stack) {
    for forged in ["0.0.0.0:5", "255.255.255.255:5", "224.0.0.1:5", "203.0.113.1:0", "[2001:db8::1]:5"] {
        let mut world = call_with(stack.kind, vec![stun_server()]);
        world.server.mapped = Some(address(forged));
        world.run(seconds(2));
        assert_eq!(world.gathered(ALICE).len(), 1, "{forged}");
        assert_eq!(world.troubles(ALICE).len(), 1, "{forged}");
        assert!(world.state(ALICE).is_connected(), "{forged}");
    }
}

fn a_server_of_the_other_address_family_is_not_asked(stack: &Stack) {
    let address = address("[2001:db8::1]:3478");
    let mut world = call_with(stack.kind, vec![IceServer { address, ..stun_server() }]);
    world.run(seconds(2));
    assert!(world.sent.iter().all(|datagram| datagram.to != address));
    assert_eq!(world.troubles(ALICE).len(), 1);
}

fn no_more_candidates_are_taken_than_configured(stack: &Stack) {
    let mut configs = [config(ALICE), AgentConfig { max_candidates: 1, ..config(BOB) }];
    configs[ALICE].ice_servers = vec![turn_server("secret")];
    let mut world = world(stack.kind, configs);
    world.loses = Box::new(is_between_peers);
    world.run(seconds(5));
    // Bob did not take the relayed candidate from signalling: its checks make it peer-reflexive.
    let (_, pair) = world.selections(BOB)[0];
    assert_eq!(pair.remote, end(CandidateType::PeerReflexive, "192.0.2.9:50000"));
}
