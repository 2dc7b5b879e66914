//! The node that holds both servers: what it listens on, what it refuses.

mod streams;

use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;
use crate::base::{PortRange, SimDuration};
use crate::plan::{Credentials, Listen};
use crate::wire::stun::{Builder, ChangeRequest, Class, Key, Message, TRANSPORT_UDP, method};
use crate::wire::{Flow, TcpSegment};

const CLIENT: &str = "203.0.113.1:40001";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A server on 192.0.2.4 and 192.0.2.5.
fn server(stun: &[u16], turn: &[u16]) -> Server {
    let addresses = ["192.0.2.4", "192.0.2.5"].map(|text| text.parse().expect("an address"));
    let random = Random::stream(1, "turn", "server");
    Server::new(&config(stun, turn), &addresses, &Limits::DEFAULT, 1_500, random)
}

fn config(stun: &[u16], turn: &[u16]) -> plan::Server {
    let turn = (!turn.is_empty()).then(|| plan::Turn {
        listen: turn.iter().copied().map(Listen::udp).collect(),
        realm: "example.org".to_owned(),
        users: vec![Credentials { username: "demo".to_owned(), password: "secret".to_owned() }],
        relay_ports: PortRange::DYNAMIC,
        quota_per_user: 10,
        allocation_lifetime: SimDuration::from_secs(600),
        max_allocation_lifetime: SimDuration::from_secs(3_600),
        permission_lifetime: SimDuration::from_secs(300),
        channel_lifetime: SimDuration::from_secs(600),
        channel_cooldown: SimDuration::from_secs(300),
        nonce_lifetime: SimDuration::from_secs(600),
    });
    plan::Server { stun: stun.iter().copied().map(Listen::udp).collect(), turn, up: true }
}

fn handle(server: &mut Server, mut packet: Packet) -> (Verdict, Vec<Packet>) {
    let mut out = Outbox::new(true);
    let verdict = server.handle(SimTime::ZERO, PortId::UPLINK, &mut packet, &mut out);
    (verdict, out.packets.into_iter().map(|emitted| emitted.packet).collect())
}

fn deliver(server: &mut Server, from: &str, to: &str, payload: Vec<u8>) -> (Verdict, Vec<Packet>) {
    handle(server, Packet::udp(Flow::new(address(from), address(to)), payload))
}

fn binding() -> Builder {
    Builder::request(method::BINDING, 7_u128.into())
}

fn reason(verdict: &Verdict) -> Option<DropReason> {
    match verdict {
        Verdict::Drop(drop) => Some(drop.reason),
        _ => None,
    }
}

/// The answer in the only packet sent.
fn answer(packets: &[Packet]) -> Message<'_> {
    let [packet] = packets else { panic!("{} packets, not one", packets.len()) };
    Message::parse(packet.body.payload()).expect("a message")
}

#[test]
fn a_server_that_is_down_drops_everything() {
    let mut server = server(&[3478], &[3478]);
    server.up = false;
    for to in ["192.0.2.4:3478", "192.0.2.4:50000", "192.0.2.4:9"] {
        let (verdict, packets) = deliver(&mut server, CLIENT, to, binding().finish());
        assert_eq!(reason(&verdict), Some(DropReason::ServerDown));
        assert!(packets.is_empty());
    }
}

#[test]
fn stun_and_turn_ports_both_answer_binding_requests() {
    let mut server = server(&[3478], &[3480]);
    for to in ["192.0.2.4:3478", "192.0.2.4:3480"] {
        let (verdict, packets) = deliver(&mut server, CLIENT, to, binding().finish());
        assert_eq!(verdict, Verdict::Deliver);
        assert_eq!(answer(&packets).mapped_address(), Ok(Some(address(CLIENT))));
    }
}

#[test]
fn a_port_of_both_does_behaviour_discovery_and_turn() {
    let mut server = server(&[3478], &[3478]);
    let change = ChangeRequest { address: true, port: false };
    let (_, packets) =
        deliver(&mut server, CLIENT, "192.0.2.4:3478", binding().change_request(change).finish());
    assert_eq!(packets[0].flow.source, address("192.0.2.5:3478"));
    let allocate = Builder::request(method::ALLOCATE, 7_u128.into()).finish();
    let (_, packets) = deliver(&mut server, CLIENT, "192.0.2.4:3478", allocate);
    assert_eq!(answer(&packets).error_code(), Some(401));
}

#[test]
fn a_stun_server_knows_nothing_of_turn() {
    let mut server = server(&[3478], &[]);
    let allocate = Builder::request(method::ALLOCATE, 7_u128.into()).finish();
    let (verdict, packets) = deliver(&mut server, CLIENT, "192.0.2.4:3478", allocate);
    assert_eq!((verdict, packets.len()), (Verdict::Deliver, 0));
}

#[test]
fn a_closed_port_is_reported_to_the_sender() {
    let mut server = server(&[3478], &[]);
    let (verdict, packets) = deliver(&mut server, CLIENT, "192.0.2.4:50000", b"hello".to_vec());
    assert_eq!(reason(&verdict), Some(DropReason::HostPortClosed));
    let [packet] = packets.as_slice() else { panic!("no ICMP error") };
    let Body::Icmp(icmp) = &packet.body else { panic!("not ICMP") };
    assert_eq!(icmp.kind, IcmpKind::PortUnreachable);
    assert_eq!(packet.flow.destination.ip(), address(CLIENT).ip());
}

#[test]
fn relayed_ports_exist_on_the_first_address_only() {
    let mut server = server(&[], &[3478]);
    let (verdict, _) = deliver(&mut server, CLIENT, "192.0.2.4:50000", b"hello".to_vec());
    assert_eq!(reason(&verdict), Some(DropReason::TurnNoAllocation));
    let (verdict, _) = deliver(&mut server, CLIENT, "192.0.2.5:50000", b"hello".to_vec());
    assert_eq!(reason(&verdict), Some(DropReason::HostPortClosed));
}

#[test]
fn a_server_forwards_nothing() {
    let mut server = server(&[3478], &[3478]);
    let (verdict, packets) = deliver(&mut server, CLIENT, "192.0.2.9:3478", binding().finish());
    assert_eq!((reason(&verdict), packets.len()), (Some(DropReason::NoRoute), 0));
}

#[test]
fn tcp_is_closed_and_icmp_about_its_own_answers_is_taken() {
    let mut server = server(&[3478], &[3478]);
    let flow = Flow::new(address(CLIENT), address("192.0.2.4:3478"));
    let packet = Packet::tcp(flow, TcpSegment::default());
    assert_eq!(reason(&handle(&mut server, packet).0), Some(DropReason::HostPortClosed));

    let sent = Packet::udp(Flow::new(address("192.0.2.4:3478"), address(CLIENT)), Vec::new());
    let error = sent.icmp_error(address(CLIENT).ip(), IcmpKind::PortUnreachable).expect("an error");
    let (verdict, packets) = handle(&mut server, error);
    assert_eq!((verdict, packets.len()), (Verdict::Deliver, 0));
}

/// A signed request of `demo`, sent through `wrap` (a relay or nothing), and the answer to it.
fn request(
    server: &mut Server,
    wrap: impl Fn(Vec<u8>) -> Vec<u8>,
    unwrap: impl Fn(&[u8]) -> Vec<u8>,
    request: impl Fn() -> Builder,
) -> Vec<u8> {
    let ask = |server: &mut Server, payload| {
        let (_, packets) = deliver(server, CLIENT, "192.0.2.4:3478", wrap(payload));
        unwrap(packets[0].body.payload())
    };
    let challenge = ask(server, request().finish());
    let nonce = Message::parse(&challenge).expect("a message").nonce().expect("well-formed").expect("one");
    let key = Key::long_term("demo", "example.org", "secret");
    let signed = request().username("demo").realm("example.org").nonce(nonce).finish_with(Some(&key), false);
    ask(server, signed)
}

#[test]
fn relays_stacked_on_relays_end() {
    let mut server = server(&[], &[3478]);
    let own = address("192.0.2.4:3478");
    let mut depth = 0;
    // Each round allocates through all relays made so far, and permits the server itself there.
    let outcome = loop {
        let wrap = |payload: Vec<u8>| {
            (0..depth).fold(payload, |inner, _| {
                Builder::indication(method::SEND, 7_u128.into()).xor_peer_address(own).data(&inner).finish()
            })
        };
        let probe = Builder::request(method::BINDING, 7_u128.into()).finish();
        let (verdict, packets) = deliver(&mut server, CLIENT, "192.0.2.4:3478", wrap(probe));
        if depth == MAX_LOOPS || reason(&verdict).is_some() {
            break (verdict, packets);
        }
        let unwrap = |payload: &[u8]| {
            let mut bytes = payload.to_vec();
            for _ in 0..depth {
                bytes = Message::parse(&bytes).expect("a message").data().expect("data").to_vec();
            }
            bytes
        };
        let allocate =
            || Builder::request(method::ALLOCATE, (depth as u128).into()).requested_transport(TRANSPORT_UDP);
        let answer = request(&mut server, wrap, unwrap, allocate);
        assert_eq!(Message::parse(&answer).expect("a message").class(), Class::Success);
        let permit = || Builder::request(method::CREATE_PERMISSION, 7_u128.into()).xor_peer_address(own);
        request(&mut server, wrap, unwrap, permit);
        depth += 1;
    };
    assert_eq!(reason(&outcome.0), Some(DropReason::TtlExpired));
    assert!(outcome.1.is_empty());
}

proptest! {
    #[test]
    fn no_datagram_makes_a_server_panic_or_answer_twice(
        port in prop::sample::select(vec![3478_u16, 3479, 3480, 50_000, 9]),
        bytes in prop::collection::vec(any::<u8>(), 0..120),
        first in prop::sample::select(vec![0_u8, 1, 0x40, 80]),
        framed in any::<bool>(),
    ) {
        let mut server = server(&[3478], &[3480]);
        let payload = if framed {
            let body = &bytes[..bytes.len() / 4 * 4];
            [&[first & 1, 3][..], &(body.len() as u16).to_be_bytes(), &[0x21, 0x12, 0xa4, 0x42], &[7; 12], body]
                .concat()
        } else {
            [&[first][..], &bytes].concat()
        };
        let (_, packets) = deliver(&mut server, CLIENT, &format!("192.0.2.4:{port}"), payload);
        prop_assert!(packets.len() <= 1);
    }
}
