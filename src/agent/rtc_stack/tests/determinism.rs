//! What is promised of a stack whose transaction ids cannot be seeded.

use super::*;
use crate::wire::stun::{Message, attribute, parse_channel_data};

/// A call through a relay with several peers' addresses, long enough for every refresh.
fn run() -> World {
    let mut world = call_with_servers(RTC);
    world.loses = Box::new(is_between_peers);
    world.run(seconds(5));
    for side in [ALICE, BOB] {
        world.input(side, Input::Send(b"Pdata"));
    }
    world.continue_until(seconds(320));
    world
}

/// A datagram without what depends on its transaction id.
fn canonical(datagram: &Datagram) -> (SimTime, SocketAddr, SocketAddr, usize, String) {
    let payload = &datagram.payload;
    let text = match Message::parse(payload) {
        // ChannelData and DATA carry checks, with ids of their own, which are seen on the other side of the relay.
        None if parse_channel_data(payload).is_some() => String::new(),
        None => format!("{payload:?}"),
        Some(message) => {
            let drawn = [attribute::MESSAGE_INTEGRITY, attribute::FINGERPRINT, attribute::DATA];
            let stable = message.attributes().filter(|(kind, _)| !drawn.contains(kind));
            format!("{:?} {:?} {:?}", message.class(), message.method(), stable.collect::<Vec<_>>())
        }
    };
    (datagram.at, datagram.from, datagram.to, payload.len(), text)
}

#[test]
fn two_runs_are_equal_but_for_transaction_ids_and_what_is_computed_from_them() {
    let canonical = |world: &World| world.sent.iter().map(canonical).collect::<Vec<_>>();
    let (first, second) = (run(), run());
    for (one, other) in canonical(&first).into_iter().zip(canonical(&second)) {
        assert_eq!(one, other);
    }
    assert_eq!(first.sent.len(), second.sent.len());
    for side in [ALICE, BOB] {
        assert_eq!(first.states(side), second.states(side));
        assert_eq!(first.selections(side), second.selections(side));
        assert_eq!(first.signals(side), second.signals(side), "credentials are seeded");
    }
}

#[test]
fn a_request_refreshes_several_permissions_in_the_order_of_their_addresses() {
    let world = run();
    let peers = world.sent.iter().filter_map(|datagram| {
        let message = Message::parse(&datagram.payload)?;
        let asks = (message.class(), message.method()) == (Class::Request, method::CREATE_PERMISSION);
        asks.then(|| message.peer_addresses().expect("well-formed")).filter(|peers| peers.len() > 1)
    });
    let peers: Vec<_> = peers.collect();
    assert!(!peers.is_empty(), "there was a request for several");
    assert!(peers.iter().all(|peers| peers.is_sorted()));
    // The server takes what was signed again.
    assert_eq!(world.troubles(ALICE), []);
}

#[test]
fn requests_to_a_dead_server_are_repeated_in_the_order_they_were_made() {
    for _ in 0..4 {
        let mut world = world(
            RTC,
            configs_with_servers()
                .map(|config| AgentConfig { ice_servers: vec![turn_server("secret")], ..config }),
        );
        world.server.is_dead = true;
        world.run(seconds(10));
        let methods: Vec<_> = world
            .sent
            .iter()
            .filter(|datagram| datagram.from == socket(ALICE) && !is_between_peers(datagram))
            .filter_map(|datagram| stun_header(&datagram.payload).map(|(_, method, _)| method))
            .collect();
        assert_eq!(methods, [method::BINDING, method::ALLOCATE].repeat(7));
        let troubles = world.troubles(ALICE).into_iter().map(|(_, trouble)| trouble);
        assert!(troubles.is_sorted_by_key(|trouble| trouble.contains("Allocate")));
    }
}
