//! The TURN server without a node around it: messages in, messages out.

use bytes::Bytes;

use super::*;
use crate::device::turn::{ClientId, Said, TurnServer};
use crate::plan::Transport;

struct Bare {
    server: TurnServer,
    out: Outbox,
}

impl Bare {
    fn new() -> Self {
        let random = Random::stream(1, "turn", "server");
        let server = TurnServer::new(&config(), &[address(SERVER).ip()], vec![3478], 10, random);
        Self { server, out: Outbox::new(false) }
    }

    fn say(&mut self, client: ClientId, payload: Vec<u8>) -> Option<Said> {
        let handled = self.server.handle_client(SimTime::ZERO, client, &Bytes::from(payload), &mut self.out);
        handled.expect("nothing dies")
    }

    fn ask(&mut self, from: ClientId, payload: Vec<u8>) -> Answer {
        let Some(Said::Answer { client, bytes }) = self.say(from, payload) else { panic!("no answer") };
        assert_eq!(client, from);
        Answer(bytes)
    }

    /// Asks as `demo`, with a fresh nonce.
    fn request(&mut self, client: ClientId, request: impl Fn() -> Builder) -> Answer {
        let nonce = self.ask(client, request().finish()).nonce();
        self.ask(client, sign(request(), "demo", &nonce))
    }

    fn allocate(&mut self, client: ClientId) -> SocketAddr {
        let allocate =
            || Builder::request(method::ALLOCATE, 7_u128.into()).requested_transport(TRANSPORT_UDP);
        let answer = self.request(client, allocate);
        answer.message().relayed_address().expect("well-formed").expect("an address")
    }
}

fn client_over(transport: Transport) -> ClientId {
    ClientId { flow: Flow::new(address(CLIENT), address(SERVER)), transport }
}

/// RFC 8656 §3.2: the protocol is one of the five.
#[test]
fn clients_that_differ_in_their_protocol_only_have_allocations_of_their_own() {
    let mut bare = Bare::new();
    let (udp, tcp) = (client_over(Transport::Udp), client_over(Transport::Tcp));

    let (over_udp, over_tcp) = (bare.allocate(udp), bare.allocate(tcp));

    assert_ne!(over_udp, over_tcp);
    let permit =
        || Builder::request(method::CREATE_PERMISSION, 8_u128.into()).xor_peer_address(address(PEER));
    assert!(bare.request(tcp, permit).is_success());
    let payload = Bytes::from_static(b"from a peer");
    let mut from_peer = |relayed| {
        bare.server.handle_peer(SimTime::ZERO, Flow::new(address(PEER), relayed), &payload, &mut bare.out)
    };
    assert!(matches!(from_peer(over_tcp), Ok(Some(Said::ToClient { client, .. })) if client == tcp));
    assert_eq!(from_peer(over_udp).map_err(|drop| drop.reason), Err(DropReason::TurnNoPermission));
}

#[test]
fn what_goes_to_a_peer_goes_without_its_envelope_from_the_relayed_address() {
    let mut bare = Bare::new();
    let client = client_over(Transport::Tls);
    let relayed = bare.allocate(client);
    let permit =
        || Builder::request(method::CREATE_PERMISSION, 8_u128.into()).xor_peer_address(address(PEER));
    bare.request(client, permit);

    let indication = Builder::indication(method::SEND, 9_u128.into()).xor_peer_address(address(PEER));
    let said = bare.say(client, indication.data(b"to a peer").finish());

    let payload = Bytes::from_static(b"to a peer");
    assert_eq!(said, Some(Said::ToPeer { client, flow: Flow::new(relayed, address(PEER)), payload }));
}
