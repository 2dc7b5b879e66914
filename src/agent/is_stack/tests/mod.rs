//! What `is` promises beyond the contract of every agent.

mod determinism;
mod gathering;
mod relaying;

use super::super::world::calls::*;
use super::super::world::{
    ALICE, BOB, World, address, config, socket, stun_header, stun_server, turn_server,
};
use super::*;
use crate::base::SimDuration;
use crate::wire::stun::{Class, method};

const IS: StackKind = StackKind::Is;

#[test]
fn one_check_is_sent_each_ta() {
    let mut world = call_with_servers(IS);
    world.run(seconds(3));
    let checks: Vec<SimTime> = world
        .sent
        .iter()
        .filter(|datagram| datagram.from == socket(ALICE) && is_between_peers(datagram))
        .filter(|datagram| stun_header(&datagram.payload).is_some_and(|(class, ..)| class == Class::Request))
        .map(|datagram| datagram.at)
        .collect();
    assert!(checks.len() > 2);
    assert!(checks.windows(2).all(|pair| pair[1].since(pair[0]) >= TA), "{checks:?}");
}

#[test]
fn an_idle_agent_asks_for_few_timeouts() {
    let mut world = call(IS);
    world.run(seconds(5));
    let before = world.timeouts;
    world.continue_until(seconds(65));
    assert!(world.timeouts - before < 200, "{}", world.timeouts - before);
}

#[test]
fn a_selected_pair_that_goes_silent_is_disconnected_and_no_data_are_sent_over_it() {
    let mut world = call(IS);
    world.run(seconds(5));
    world.loses = Box::new(|_| true);
    world.continue_until(seconds(60));
    assert_eq!((world.state(ALICE), world.state(BOB)), (IceState::Disconnected, IceState::Disconnected));
    let before = world.sent.len();
    world.input(ALICE, Input::Send(b"Pdata"));
    assert_eq!(world.sent.len(), before);
}

#[test]
fn a_disconnected_agent_connects_again_when_its_peer_is_heard_again() {
    let mut world = call(IS);
    world.run(seconds(5));
    world.loses = Box::new(|datagram| datagram.from == socket(ALICE));
    world.continue_until(seconds(35));
    assert_eq!(world.state(BOB), IceState::Disconnected);
    world.loses = Box::new(|_| false);
    world.continue_until(seconds(45));
    assert!(world.state(BOB).is_connected());
}

#[test]
fn a_short_outage_does_not_disconnect() {
    let mut world = call(IS);
    world.run(seconds(5));
    world.loses = Box::new(|_| true);
    world.continue_until(seconds(10));
    world.loses = Box::new(|_| false);
    world.continue_until(seconds(60));
    assert!(world.state(ALICE).is_connected() && world.state(BOB).is_connected());
    assert!(world.states(ALICE).iter().all(|(_, state)| *state != IceState::Disconnected));
}
