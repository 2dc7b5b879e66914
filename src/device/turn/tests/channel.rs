//! RFC 8656 §12: channels.

use super::*;
use crate::wire::stun::{channel_data, parse_channel_data};

const SAME_ADDRESS: &str = "198.51.100.1:41002";

fn just_before(time: SimTime) -> SimTime {
    SimTime::from_nanos(time.as_nanos() - 1)
}

fn allocated() -> (Bench, SocketAddr) {
    let mut bench = Bench::new();
    let relayed = bench.allocate(CLIENT);
    (bench, relayed)
}

fn send_on(bench: &mut Bench, channel: u16, data: &[u8]) -> Outcome {
    bench.deliver(CLIENT, address(SERVER), channel_data(channel, data).expect("small enough"))
}

/// Keeps allocation and permission alive until `at`.
fn live_until(bench: &mut Bench, at: SimTime) {
    assert!(bench.refresh(CLIENT, 3_600).is_success());
    bench.now = SimTime::from_nanos(at.as_nanos().saturating_sub(SimDuration::from_secs(100).as_nanos()));
    assert!(bench.permit(CLIENT, PEER).is_success());
    bench.now = at;
}

#[test]
fn a_bound_channel_carries_data_both_ways() {
    let (mut bench, relayed) = allocated();
    assert!(bench.bind(CLIENT, 0x4000, PEER).is_success());
    let outcome = send_on(&mut bench, 0x4000, b"hello");
    assert_eq!(outcome.packet().flow, Flow::new(relayed, address(PEER)));
    assert_eq!(outcome.packet().body.payload(), b"hello");
    let outcome = bench.deliver(PEER, relayed, b"world".to_vec());
    assert_eq!(outcome.packet().flow, Flow::new(address(SERVER), address(CLIENT)));
    assert_eq!(parse_channel_data(outcome.packet().body.payload()), Some((0x4000, &b"world"[..])));
}

#[test]
fn a_channel_stands_for_one_port_of_its_peer() {
    let (mut bench, relayed) = allocated();
    bench.bind(CLIENT, 0x4000, PEER);
    let outcome = bench.deliver(SAME_ADDRESS, relayed, b"world".to_vec());
    let message = Message::parse(outcome.packet().body.payload()).expect("a Data indication");
    assert_eq!(message.peer_address(), Ok(Some(address(SAME_ADDRESS))));
}

#[test]
fn binding_a_channel_installs_and_refreshes_the_permission() {
    let (mut bench, relayed) = allocated();
    bench.bind(CLIENT, 0x4000, PEER);
    let lifetime = SimDuration::from_secs(600);
    assert_eq!(
        bench.changes[1..],
        [
            StateChange::ChannelBound { relayed, channel: 0x4000, peer: address(PEER), lifetime },
            StateChange::PermissionInstalled {
                relayed,
                peer: address(PEER).ip(),
                lifetime: SimDuration::from_secs(300)
            },
        ]
    );
    bench.now = seconds(200);
    bench.bind(CLIENT, 0x4000, PEER);
    bench.now = just_before(seconds(500));
    assert_eq!(bench.send(CLIENT, PEER, b"hello").packets.len(), 1);
}

#[test]
fn a_channel_outlives_its_permission_but_carries_nothing_without_it() {
    let (mut bench, _) = allocated();
    bench.bind(CLIENT, 0x4000, PEER);
    bench.now = seconds(300);
    assert_eq!(send_on(&mut bench, 0x4000, b"hello").reason(), Some(DropReason::TurnNoPermission));
    bench.permit(CLIENT, PEER);
    assert_eq!(send_on(&mut bench, 0x4000, b"hello").packets.len(), 1);
}

#[test]
fn only_numbers_from_4000_to_4fff_are_channels() {
    let (mut bench, _) = allocated();
    for (channel, code) in
        [(0x3fff, Some(400)), (0x4000, None), (0x4fff, None), (0x5000, Some(400)), (0x7fff, Some(400))]
    {
        let peer = format!("198.51.100.1:{channel}");
        assert_eq!(bench.bind(CLIENT, channel, &peer).code(), code, "{channel:#x}");
    }
}

#[test]
fn number_and_peer_are_needed_well_formed_and_of_the_allocations_family() {
    let (mut bench, _) = allocated();
    let request = |bench: &mut Bench| Builder::request(method::CHANNEL_BIND, bench.transaction());
    let no_peer = request(&mut bench).channel_number(0x4000);
    assert_eq!(bench.request(CLIENT, no_peer).code(), Some(400));
    let no_number = request(&mut bench).xor_peer_address(address(PEER));
    assert_eq!(bench.request(CLIENT, no_number).code(), Some(400));
    assert_eq!(bench.bind(CLIENT, 0x4000, "[2001:db8::1]:1").code(), Some(443));
}

#[test]
fn a_peer_the_server_does_not_allow_is_forbidden() {
    let (mut bench, _) = allocated();
    assert_eq!(bench.bind(CLIENT, 0x4000, "198.51.100.1:0").code(), Some(403));
    assert!(bench.bind(CLIENT, 0x4000, PEER).is_success(), "nothing was bound");
}

#[test]
fn a_number_stands_for_one_peer_and_a_peer_has_one_number() {
    let (mut bench, _) = allocated();
    assert!(bench.bind(CLIENT, 0x4000, PEER).is_success());
    assert_eq!(bench.bind(CLIENT, 0x4000, SAME_ADDRESS).code(), Some(400));
    assert_eq!(bench.bind(CLIENT, 0x4001, PEER).code(), Some(400));
    assert!(bench.bind(CLIENT, 0x4001, SAME_ADDRESS).is_success());
    assert!(bench.bind(CLIENT, 0x4000, PEER).is_success());
}

#[test]
fn a_channel_lasts_exactly_its_lifetime() {
    let (mut bench, relayed) = allocated();
    bench.bind(CLIENT, 0x4000, PEER);
    live_until(&mut bench, just_before(seconds(600)));
    assert_eq!(send_on(&mut bench, 0x4000, b"hello").packets.len(), 1);
    bench.now = seconds(600);
    assert_eq!(send_on(&mut bench, 0x4000, b"hello").reason(), Some(DropReason::TurnNoChannel));
    let outcome = bench.deliver(PEER, relayed, b"world".to_vec());
    assert!(Message::parse(outcome.packet().body.payload()).is_some(), "a Data indication again");
}

#[test]
fn an_expired_number_is_kept_for_its_peer_until_the_cooldown_ends() {
    let (mut bench, _) = allocated();
    bench.bind(CLIENT, 0x4000, PEER);
    live_until(&mut bench, just_before(seconds(900)));
    assert_eq!(bench.bind(CLIENT, 0x4000, SAME_ADDRESS).code(), Some(400));
    assert_eq!(bench.bind(CLIENT, 0x4001, PEER).code(), Some(400));
    bench.now = seconds(900);
    assert!(bench.bind(CLIENT, 0x4000, SAME_ADDRESS).is_success());
    assert!(bench.bind(CLIENT, 0x4001, PEER).is_success());
}

#[test]
fn an_expired_number_may_be_bound_to_its_own_peer_at_once() {
    let (mut bench, _) = allocated();
    bench.bind(CLIENT, 0x4000, PEER);
    live_until(&mut bench, seconds(600));
    assert!(bench.bind(CLIENT, 0x4000, PEER).is_success());
    assert_eq!(send_on(&mut bench, 0x4000, b"hello").packets.len(), 1);
}

#[test]
fn data_on_an_unbound_channel_is_dropped() {
    let (mut bench, _) = allocated();
    bench.bind(CLIENT, 0x4000, PEER);
    let outcome = send_on(&mut bench, 0x4001, b"hello");
    assert_eq!(outcome.reason(), Some(DropReason::TurnNoChannel));
    let Verdict::Drop(drop) = outcome.verdict else { panic!("not dropped") };
    assert_eq!(drop.rule.to_string(), "channel 0x4001 is not bound");
}

#[test]
fn data_on_a_channel_without_an_allocation_is_dropped() {
    let mut bench = Bench::new();
    assert_eq!(send_on(&mut bench, 0x4000, b"hello").reason(), Some(DropReason::TurnNoAllocation));
}
