//! What rtc promises beyond the contract of every agent.

mod determinism;
mod gathering;
mod mixed;
mod relaying;

use super::super::world::calls::*;
use super::super::world::{
    ALICE, BOB, Datagram, World, address, socket, stun_header, stun_server, turn_server,
};
use super::*;
use crate::wire::stun::{Class, method};

const RTC: StackKind = StackKind::Rtc;

#[test]
fn an_idle_agent_asks_for_no_more_timeouts_than_rtc_has_rounds() {
    let mut world = call(RTC);
    world.run(seconds(5));
    let before = world.timeouts;
    world.continue_until(seconds(65));
    assert!(world.timeouts - before <= 2 * 60 * 5, "{}", world.timeouts - before);
}

#[test]
fn consent_expires_30_seconds_after_the_pair_went_silent() {
    let mut world = call(RTC);
    world.run(seconds(5));
    world.loses = Box::new(|_| true);
    world.continue_until(seconds(60));
    for side in [ALICE, BOB] {
        let states = world.states(side);
        let [.., (disconnected, IceState::Disconnected), (failed, IceState::Failed)] = states[..] else {
            panic!("{states:?}")
        };
        assert_eq!(failed.since(disconnected), DISCONNECTED_TO_FAILED);
        // The last answer came within the 2 s before, rtc looks each 200 ms.
        assert!(failed > seconds(33) && failed < SimTime::from_millis(35_400), "{failed}");
    }
}

#[test]
fn a_pair_that_was_silent_for_a_while_comes_back() {
    let mut world = call(RTC);
    world.run(seconds(5));
    world.loses = Box::new(|_| true);
    world.continue_until(seconds(20));
    assert_eq!(world.state(ALICE), IceState::Disconnected);
    world.loses = Box::new(|_| false);
    world.continue_until(seconds(60));
    assert!(world.state(ALICE).is_connected() && world.state(BOB).is_connected());
}

#[test]
fn data_of_a_stranger_are_discarded() {
    let mut world = call(RTC);
    world.run(seconds(5));
    let from = address("198.51.100.66:1");
    world.input(BOB, Input::Datagram { socket: socket(BOB), from, payload: b"Pforged" });
    assert_eq!(world.data(BOB), []);
}

#[test]
fn a_pair_gets_eight_checks_200_ms_apart() {
    let mut world = call(RTC);
    world.loses = Box::new(|_| true);
    world.run(seconds(39));
    let checks: Vec<SimTime> = world
        .sent
        .iter()
        .filter(|datagram| datagram.from == socket(BOB))
        .map(|datagram| datagram.at)
        .collect();
    assert_eq!(checks.len(), 8);
    assert!(checks.windows(2).all(|pair| pair[1].since(pair[0]) == CHECK_INTERVAL), "{checks:?}");
}
