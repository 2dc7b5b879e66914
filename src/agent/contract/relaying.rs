//! Allocations, permissions and channels.

use super::*;
use crate::base::SimDuration;
use crate::plan::Transport;
use crate::wire::PairEnd;
use crate::wire::stun::{method, parse_channel_data};

every_stack_keeps! {
    a_relay_connects_where_nothing_else_does,
    data_pass_the_relay_both_ways_in_channel_data,
    checks_wait_for_the_permission_and_are_not_lost,
    with_the_policy_relay_only_relayed_candidates_are_signalled_and_used,
    a_wrong_password_is_tried_once_and_costs_only_the_relay,
    without_a_permission_nothing_is_sent_to_the_peer,
    a_refused_channel_leaves_send_indications,
}

fn a_relay_connects_where_nothing_else_does(stack: &Stack) {
    let mut world = relayed_call(stack.kind);
    world.run(seconds(5));
    let local = end(CandidateType::Relayed, "192.0.2.9:50000");
    let pair = SelectedPair {
        local: PairEnd { relay: Some(Transport::Udp), ..local },
        remote: end(CandidateType::Host, "10.0.0.2:5000"),
    };
    assert_eq!(world.selections(ALICE)[0].1, pair);
    let (_, pair) = world.selections(BOB)[0];
    assert_eq!(pair.remote, end(CandidateType::Relayed, "192.0.2.9:50000"));
    assert!(world.state(ALICE).is_connected() && world.state(BOB).is_connected());
}

fn data_pass_the_relay_both_ways_in_channel_data(stack: &Stack) {
    let mut world = relayed_call(stack.kind);
    world.run(seconds(5));
    world.input(ALICE, Input::Send(b"Pto bob"));
    world.input(BOB, Input::Send(b"Pto alice"));
    world.continue_until(seconds(6));
    assert_eq!(world.data(BOB), [(address("192.0.2.9:50000"), false, b"Pto bob".to_vec())]);
    assert_eq!(world.data(ALICE), [(socket(BOB), true, b"Pto alice".to_vec())]);
    assert!(world.sent.iter().any(|datagram| {
        let in_channel = parse_channel_data(&datagram.payload) == Some((0x4000, b"Pto bob"));
        in_channel && datagram.at >= seconds(5)
    }));
}

fn checks_wait_for_the_permission_and_are_not_lost(stack: &Stack) {
    let mut world = relayed_call(stack.kind);
    let mut first = true;
    world.loses = Box::new(move |datagram| {
        let asks = is_message(&datagram.payload, method::CREATE_PERMISSION);
        is_between_peers(datagram) || (asks && std::mem::take(&mut first))
    });
    world.run(seconds(5));
    let asked = requests(&world, method::CREATE_PERMISSION);
    let sent: Vec<SimTime> = world
        .sent
        .iter()
        .filter(|datagram| is_message(&datagram.payload, method::SEND))
        .map(|datagram| datagram.at)
        .collect();
    assert_eq!(asked[1].since(asked[0]), SimDuration::from_millis(stack.rto));
    let granted = asked[1] + SimDuration::from_millis(20);
    assert_eq!(sent[..2], [granted; 2], "the first check and its repetition, as soon as they may");
}

fn with_the_policy_relay_only_relayed_candidates_are_signalled_and_used(stack: &Stack) {
    let policy = IceTransportPolicy::Relay;
    let mut world = world(stack.kind, configs_with_servers().map(|config| AgentConfig { policy, ..config }));
    world.server.mapped = Some(address("203.0.113.1:40001"));
    world.run(seconds(5));
    for side in [ALICE, BOB] {
        assert_eq!(world.gathered(side).len(), 3);
        assert_eq!(world.selections(side)[0].1.local.kind, CandidateType::Relayed);
        for (_, signal) in world.signals(side) {
            match signal {
                Signal::Offer(description) | Signal::Answer(description) => {
                    assert_eq!(description.candidates, []);
                }
                Signal::Candidate { candidate, .. } => assert_eq!(candidate.kind, CandidateType::Relayed),
                Signal::EndOfCandidates | Signal::Bye => {}
            }
        }
    }
    assert!(!world.sent.iter().any(is_between_peers));
}

fn a_wrong_password_is_tried_once_and_costs_only_the_relay(stack: &Stack) {
    let mut world = call_with(stack.kind, vec![stun_server(), turn_server("wrong")]);
    world.server.mapped = Some(address("203.0.113.1:40001"));
    world.run(seconds(60));
    assert_eq!(requests(&world, method::ALLOCATE).len(), 2, "without credentials, then with them");
    let troubles = world.troubles(ALICE);
    assert_eq!(troubles.len(), 1);
    assert_eq!(troubles[0].0, SimTime::from_millis(stack.allocated_at));
    assert!(troubles[0].1.starts_with("TURN server 192.0.2.1:3478: Allocate failed: "), "{troubles:?}");
    assert!(troubles[0].1.contains("401"), "{troubles:?}");
    assert_eq!(kinds(&world.gathered(ALICE)), [CandidateType::Host, CandidateType::ServerReflexive]);
    assert!(world.state(ALICE).is_connected());
}

fn without_a_permission_nothing_is_sent_to_the_peer(stack: &Stack) {
    let mut world = relayed_call(stack.kind);
    world.server.refuses = Some((method::CREATE_PERMISSION, 403));
    world.run(seconds(100));
    let trouble = &world.troubles(ALICE)[0].1;
    assert!(trouble.contains(stack.permission_refused), "{trouble}");
    assert!(!world.sent.iter().any(|datagram| is_message(&datagram.payload, method::SEND)));
    assert_eq!(world.state(ALICE), IceState::Failed);
}

fn a_refused_channel_leaves_send_indications(stack: &Stack) {
    let mut world = relayed_call(stack.kind);
    world.server.refuses = Some((method::CHANNEL_BIND, 400));
    world.run(seconds(5));
    world.input(ALICE, Input::Send(b"Pdata"));
    world.continue_until(seconds(6));
    assert_eq!(world.data(BOB).len(), 1);
}
