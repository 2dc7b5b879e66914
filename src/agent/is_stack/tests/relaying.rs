//! Allocations, permissions and channels.

use super::*;
use crate::plan::IceServer;
use crate::wire::stun::{Builder, Message};

#[test]
fn a_refused_allocation_is_told_once_with_its_code_and_reason() {
    let mut world = call_with(IS, vec![stun_server(), turn_server("wrong")]);
    world.run(seconds(60));
    let trouble = "TURN server 192.0.2.1:3478: Allocate failed: 401 Unauthorized";
    assert_eq!(world.troubles(ALICE), [(SimTime::from_millis(90), trouble.to_owned())]);
}

#[test]
fn a_refused_channel_is_told_with_its_code() {
    let mut world = relayed_call(IS);
    world.server.refuses = Some((method::CHANNEL_BIND, 400));
    world.run(seconds(5));
    assert!(world.troubles(ALICE)[0].1.contains("ChannelBind to 10.0.0.2:5000 failed: 400"));
}

#[test]
fn a_server_without_resources_still_tells_the_mapped_address() {
    for code in [486, 508] {
        let mut world = relayed_call(IS);
        world.server.mapped = Some(address("203.0.113.1:40001"));
        world.server.refuses = Some((method::ALLOCATE, code));
        world.run(seconds(5));
        assert!(world.troubles(ALICE)[0].1.contains(&format!("Allocate failed: {code}")));
        assert_eq!(kinds(&world.gathered(ALICE)), [CandidateType::Host, CandidateType::ServerReflexive]);
    }
}

#[test]
fn a_stale_nonce_is_answered_with_the_new_one() {
    let mut world = relayed_call(IS);
    world.run(seconds(5));
    world.server.nonce = "nonce-2".to_owned();
    world.continue_until(seconds(250));
    // The refresh of the permission after 240 s is the first to meet the new nonce.
    assert_eq!(requests(&world, method::CREATE_PERMISSION).len(), 3);
    assert_eq!(world.troubles(ALICE), []);
    assert!(world.state(ALICE).is_connected());
}

#[test]
fn a_server_that_never_likes_a_nonce_is_given_up() {
    let mut world = relayed_call(IS);
    world.server.refuses = Some((method::ALLOCATE, 438));
    world.run(seconds(5));
    assert_eq!(requests(&world, method::ALLOCATE).len(), 5);
    assert!(world.troubles(ALICE)[0].1.contains("Allocate failed: 438"));
}

#[test]
fn allocations_permissions_and_channels_are_refreshed_in_time() {
    let mut world = relayed_call(IS);
    world.run(seconds(700));
    let gaps = |of| {
        let at = requests(&world, of);
        at.windows(2).map(|pair| pair[1].since(pair[0])).collect::<Vec<_>>()
    };
    // Each is refreshed a margin after the answer to the request before, which took 20 ms.
    let every = |seconds: u64, times| vec![SimDuration::from_millis(seconds * 1_000 + 20); times];
    assert_eq!(gaps(method::CREATE_PERMISSION), every(240, 2));
    assert_eq!(gaps(method::CHANNEL_BIND), every(540, 1));
    assert_eq!(requests(&world, method::REFRESH).len(), 1);
    assert!(world.state(ALICE).is_connected() && world.troubles(ALICE).is_empty());
}

#[test]
fn a_lost_allocation_is_trouble_and_its_pair_dies() {
    let mut world = relayed_call(IS);
    world.run(seconds(5));
    world.server.restart();
    world.server.refuses = Some((method::CREATE_PERMISSION, 437));
    world.continue_until(seconds(300));
    assert!(world.troubles(ALICE)[0].1.contains("CreatePermission for 10.0.0.2 failed: 437"));
    assert_eq!(world.state(ALICE), IceState::Disconnected);
}

#[test]
fn an_unsigned_answer_to_a_signed_request_is_discarded() {
    let mut world = relayed_call(IS);
    world.input(ALICE, Input::Start);
    world.continue_until(SimTime::from_millis(30));
    let signed = world.sent.iter().rfind(|datagram| is_message(&datagram.payload, method::ALLOCATE));
    let id = Message::parse(&signed.expect("sent").payload).expect("a message").transaction();
    let forged = Builder::success(method::ALLOCATE, id)
        .xor_relayed_address(address("198.51.100.66:1"))
        .xor_mapped_address(address("198.51.100.66:2"))
        .finish();

    world.input(
        ALICE,
        Input::Datagram { socket: socket(ALICE), from: address("192.0.2.1:3478"), payload: &forged },
    );
    world.continue_until(seconds(5));

    let addresses: Vec<_> = world.gathered(ALICE).iter().map(|candidate| candidate.address).collect();
    assert_eq!(addresses, [socket(ALICE), address("192.0.2.9:50000")]);
}

#[test]
fn an_agent_on_ipv6_asks_for_a_relayed_address_of_its_family() {
    let server = address("[2001:db8::1]:3478");
    let mut configs = [config(ALICE), config(BOB)];
    configs[ALICE].sockets = vec![address("[2001:db8:a::1]:5000")];
    configs[ALICE].ice_servers = vec![IceServer { address: server, ..turn_server("secret") }];
    let mut world = world(IS, configs);
    world.run(seconds(1));
    let asked = world.sent.iter().find(|datagram| datagram.to == server).expect("a request");
    let message = Message::parse(&asked.payload).expect("a message");
    assert_eq!(message.requested_address_family(), Ok(Some(turn_types::AddressFamily::IPV6)));
}
