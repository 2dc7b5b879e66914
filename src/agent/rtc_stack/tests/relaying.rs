//! Allocations, permissions and channels.

use super::*;
use crate::wire::stun::{Builder, Message};

#[test]
fn a_relayed_pair_is_accepted_after_two_seconds() {
    let mut world = relayed_call(RTC);
    world.run(seconds(5));
    let (at, _) = world.selections(ALICE)[0];
    let checking = world.states(ALICE)[0].0;
    assert!(at.since(checking) >= SimDuration::from_secs(2), "{at}");
}

#[test]
fn a_peer_at_an_unknown_port_is_answered_after_a_permission_for_it() {
    let mut world = relayed_call(RTC);
    // The answer names a port Bob does not use: his check of her relay tells Alice the right one.
    world.loses_signal = Box::new(|signal| matches!(signal, Signal::Answer(_)));
    world.input(ALICE, Input::Start);
    world.continue_until(SimTime::from_millis(60));
    let Some((_, Signal::Answer(mut answer))) = world.signals(BOB).into_iter().next() else {
        panic!("no answer")
    };
    answer.candidates[0].address.set_port(5_999);
    world.input(ALICE, Input::Signal(&Signal::Answer(answer)));
    world.continue_until(seconds(10));
    let (_, pair) = world.selections(ALICE)[0];
    assert_eq!(pair.local.kind, CandidateType::Relayed);
    assert_eq!(pair.remote, end(CandidateType::PeerReflexive, "10.0.0.2:5000"));
    assert_eq!(requests(&world, method::CREATE_PERMISSION).len(), 2, "one for each port");
}

#[test]
fn a_server_that_names_no_relayed_address_ends_the_wait_for_one() {
    let mut world = untrickled_call_with(RTC, vec![turn_server("secret")]);
    world.loses = Box::new(|datagram| {
        stun_header(&datagram.payload)
            .is_some_and(|(class, of, _)| (class, of) == (Class::Success, method::ALLOCATE))
    });
    world.input(ALICE, Input::Start);
    world.continue_until(SimTime::from_millis(50));
    let signed = world.sent.iter().rfind(|datagram| is_message(&datagram.payload, method::ALLOCATE));
    let id = Message::parse(&signed.expect("sent").payload).expect("a message").transaction();
    let empty = Builder::success(method::ALLOCATE, id).finish();

    world.input(
        ALICE,
        Input::Datagram { socket: socket(ALICE), from: address("192.0.2.1:3478"), payload: &empty },
    );

    assert!(world.troubles(ALICE)[0].1.contains("Allocate failed"));
    assert_eq!(world.signals(ALICE).len(), 1, "the offer");
}

#[test]
fn a_stale_nonce_is_answered_with_the_new_one() {
    let mut world = relayed_call(RTC);
    world.input(ALICE, Input::Start);
    world.continue_until(SimTime::from_millis(60));
    world.server.nonce = "nonce-2".to_owned();
    world.continue_until(seconds(10));
    assert_eq!(requests(&world, method::CREATE_PERMISSION).len(), 2);
    assert_eq!(world.troubles(ALICE), []);
    assert!(world.state(ALICE).is_connected());
}

#[test]
fn a_server_that_never_likes_a_nonce_is_given_up() {
    let mut world = relayed_call(RTC);
    world.server.refuses = Some((method::CREATE_PERMISSION, 438));
    world.run(seconds(5));
    assert_eq!(requests(&world, method::CREATE_PERMISSION).len(), 4);
    assert!(world.troubles(ALICE)[0].1.contains("CreatePermission for 10.0.0.2:5000 failed"));
}

#[test]
fn allocations_and_permissions_are_refreshed_in_time() {
    let mut world = relayed_call(RTC);
    world.run(seconds(700));
    assert_eq!(requests(&world, method::REFRESH).len(), 2, "each half of the lifetime of 600 s");
    assert_eq!(requests(&world, method::CREATE_PERMISSION).len(), 1 + 5, "each 120 s");
    assert!(world.state(ALICE).is_connected() && world.troubles(ALICE).is_empty());
}

#[test]
fn a_lost_allocation_is_trouble_and_its_pair_fails() {
    let mut world = relayed_call(RTC);
    world.run(seconds(5));
    world.server.restart();
    world.server.refuses = Some((method::REFRESH, 437));
    world.continue_until(seconds(300));
    assert_eq!(world.state(ALICE), IceState::Failed);
    let mut refused = relayed_call(RTC);
    refused.run(seconds(5));
    refused.server.refuses = Some((method::REFRESH, 437));
    refused.continue_until(seconds(400));
    assert!(refused.troubles(ALICE)[0].1.contains("Refresh failed"), "{:?}", refused.troubles(ALICE));
}

#[test]
fn a_permission_request_that_is_never_answered_is_asked_for_again() {
    let mut world = relayed_call(RTC);
    world.loses = Box::new(|datagram| {
        is_between_peers(datagram) || is_message(&datagram.payload, method::CREATE_PERMISSION)
    });
    world.run(seconds(15));
    let trouble = &world.troubles(ALICE)[0].1;
    assert!(trouble.contains("CreatePermission for 10.0.0.2:5000 failed: no answer"), "{trouble}");
    // Seven transmissions within 6.2 s.
    assert_eq!(requests(&world, method::CREATE_PERMISSION).len(), 7);
}
