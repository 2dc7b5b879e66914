//! A TURN server under test: requests in, answers and relayed packets out.

mod allocate;
mod channel;
mod credentials;
mod messages;
mod permission;
mod relay;
mod sequence;

use std::net::{IpAddr, SocketAddr};

use crate::base::{Limits, PortId, PortRange, Random, SimDuration, SimTime};
use crate::device::server::Server;
use crate::device::{Device, Outbox, Verdict};
use crate::plan::{self, Credentials, DropReason, Listen, StateChange};
use crate::wire::stun::{Builder, Class, Key, Message, TRANSPORT_UDP, TransactionId, method};
use crate::wire::{Flow, Packet, Trail};

pub(super) const SERVER: &str = "192.0.2.4:3478";
pub(super) const CLIENT: &str = "203.0.113.1:40001";
pub(super) const OTHER_CLIENT: &str = "203.0.113.2:40002";
pub(super) const PEER: &str = "198.51.100.1:41001";
pub(super) const REALM: &str = "example.org";

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

pub(super) fn seconds(count: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs(count)
}

pub(super) fn config() -> plan::Turn {
    let user = |username: &str| Credentials { username: username.to_owned(), password: "secret".to_owned() };
    plan::Turn {
        listen: vec![Listen::udp(3478)],
        realm: REALM.to_owned(),
        users: vec![user("demo"), user("other")],
        relay_ports: PortRange::DYNAMIC,
        quota_per_user: 10,
        allocation_lifetime: SimDuration::from_secs(600),
        max_allocation_lifetime: SimDuration::from_secs(3_600),
        permission_lifetime: SimDuration::from_secs(300),
        channel_lifetime: SimDuration::from_secs(600),
        channel_cooldown: SimDuration::from_secs(300),
        nonce_lifetime: SimDuration::from_secs(600),
    }
}

pub(super) struct Bench {
    pub(super) server: Server,
    pub(super) now: SimTime,
    /// Every change of state so far.
    pub(super) changes: Vec<StateChange>,
    next_transaction: u128,
}

/// What became of one packet.
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) packets: Vec<Packet>,
}

impl Outcome {
    pub(super) fn reason(&self) -> Option<DropReason> {
        match &self.verdict {
            Verdict::Drop(drop) => Some(drop.reason),
            _ => None,
        }
    }

    /// The only packet sent.
    pub(super) fn packet(&self) -> &Packet {
        let [packet] = self.packets.as_slice() else { panic!("{} packets, not one", self.packets.len()) };
        packet
    }
}

/// An answer's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer(pub(super) Vec<u8>);

impl Answer {
    pub(super) fn message(&self) -> Message<'_> {
        Message::parse(&self.0).expect("a message")
    }

    pub(super) fn code(&self) -> Option<u16> {
        self.message().error_code()
    }

    pub(super) fn is_success(&self) -> bool {
        self.message().class() == Class::Success
    }

    pub(super) fn nonce(&self) -> String {
        self.message().nonce().expect("well-formed").expect("a nonce").to_owned()
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(&config(), &["192.0.2.4"], &Limits::DEFAULT)
    }

    pub(super) fn with(config: &plan::Turn, addresses: &[&str], limits: &Limits) -> Self {
        let server = plan::Server { stun: Vec::new(), turn: Some(config.clone()), up: true };
        let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        let random = Random::stream(1, "turn", "server");
        let server = Server::new(&server, &addresses, limits, 1_500, random);
        Self { server, now: SimTime::ZERO, changes: Vec::new(), next_transaction: 1 }
    }

    pub(super) fn transaction(&mut self) -> TransactionId {
        self.next_transaction += 1;
        self.next_transaction.into()
    }

    pub(super) fn handle(&mut self, mut packet: Packet) -> Outcome {
        let mut out = Outbox::new(true);
        let verdict = self.server.handle(self.now, PortId::UPLINK, &mut packet, &mut out);
        assert!(out.packets.iter().all(|emitted| emitted.cause == Some(packet.id)));
        self.changes.append(&mut out.changes);
        Outcome { verdict, packets: out.packets.into_iter().map(|emitted| emitted.packet).collect() }
    }

    pub(super) fn deliver(&mut self, from: &str, to: SocketAddr, payload: Vec<u8>) -> Outcome {
        self.handle(Packet::udp(Flow::new(address(from), to), payload))
    }

    /// The answer to a message from a client.
    pub(super) fn ask(&mut self, client: &str, payload: Vec<u8>) -> Answer {
        let outcome = self.deliver(client, address(SERVER), payload);
        let packet = outcome.packet();
        assert_eq!(packet.flow, Flow::new(address(SERVER), address(client)));
        assert_eq!(packet.trail, Trail::default());
        Answer(packet.body.payload().to_vec())
    }

    pub(super) fn fresh_nonce(&mut self, client: &str) -> String {
        let request = Builder::request(method::ALLOCATE, self.transaction()).finish();
        self.ask(client, request).nonce()
    }

    /// A request of `demo` with a fresh nonce, and its answer.
    pub(super) fn request(&mut self, client: &str, request: Builder) -> Answer {
        self.request_as("demo", client, request)
    }

    pub(super) fn request_as(&mut self, user: &str, client: &str, request: Builder) -> Answer {
        let nonce = self.fresh_nonce(client);
        self.ask(client, sign(request, user, &nonce))
    }

    pub(super) fn allocate_request(&mut self) -> Builder {
        Builder::request(method::ALLOCATE, self.transaction()).requested_transport(TRANSPORT_UDP)
    }

    /// Makes an allocation of `demo` and gives its relayed transport address.
    pub(super) fn allocate(&mut self, client: &str) -> SocketAddr {
        let request = self.allocate_request();
        let answer = self.request(client, request);
        answer.message().relayed_address().expect("well-formed").expect("an address")
    }

    pub(super) fn refresh(&mut self, client: &str, lifetime: u32) -> Answer {
        let request = Builder::request(method::REFRESH, self.transaction()).lifetime(lifetime);
        self.request(client, request)
    }

    pub(super) fn permit(&mut self, client: &str, peer: &str) -> Answer {
        let request = Builder::request(method::CREATE_PERMISSION, self.transaction());
        self.request(client, request.xor_peer_address(address(peer)))
    }

    pub(super) fn bind(&mut self, client: &str, channel: u16, peer: &str) -> Answer {
        let request = Builder::request(method::CHANNEL_BIND, self.transaction());
        self.request(client, request.channel_number(channel).xor_peer_address(address(peer)))
    }

    /// A Send indication from a client.
    pub(super) fn send(&mut self, client: &str, peer: &str, data: &[u8]) -> Outcome {
        let indication = Builder::indication(method::SEND, self.transaction());
        self.deliver(client, address(SERVER), indication.xor_peer_address(address(peer)).data(data).finish())
    }
}

pub(super) fn key_of(user: &str) -> Key {
    Key::long_term(user, REALM, "secret")
}

pub(super) fn sign(request: Builder, user: &str, nonce: &str) -> Vec<u8> {
    request.username(user).realm(REALM).nonce(nonce).finish_with(Some(&key_of(user)), false)
}
