//! Sequences of requests and data against a small model written from the RFC alone (INV-17 to INV-21).

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::wire::stun::{Kind, channel_data, classify, parse_channel_data};

const CLIENTS: [&str; 3] = ["203.0.113.1:40001", "203.0.113.1:40002", "203.0.113.2:40001"];
/// Two of them share an address.
const PEERS: [&str; 3] = ["198.51.100.1:1", "198.51.100.1:2", "198.51.100.2:1"];
const USERS: [&str; 2] = ["demo", "other"];
const QUOTA: usize = 2;

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Allocate { client: usize, user: usize, lifetime: u32 },
    Refresh { client: usize, user: usize, lifetime: u32 },
    Permit { client: usize, user: usize, peer: usize },
    Bind { client: usize, user: usize, channel: u16, peer: usize },
    Unauthenticated { client: usize, of: usize, how: Forgery },
    Send { client: usize, peer: usize },
    SendOnChannel { client: usize, channel: u16 },
    PeerSends { peer: usize, client: usize },
    Garbage { client: usize, bytes: Vec<u8> },
}

#[derive(Debug, Clone, Copy)]
enum Forgery {
    Unsigned,
    WrongPassword,
    StaleNonce,
}

fn step() -> impl Strategy<Value = Step> {
    let (client, user, peer) = (0..CLIENTS.len(), 0..USERS.len(), 0..PEERS.len());
    let lifetime = prop::sample::select(vec![0_u32, 1, 700, 5_000]);
    let channel = 0x4000_u16..0x4003;
    let forgery = prop::sample::select(vec![Forgery::Unsigned, Forgery::WrongPassword, Forgery::StaleNonce]);
    prop_oneof![
        2 => prop::sample::select(vec![1_u64, 100, 299, 300, 301, 600]).prop_map(Step::Wait),
        3 => (client.clone(), user.clone(), lifetime.clone())
            .prop_map(|(client, user, lifetime)| Step::Allocate { client, user, lifetime }),
        1 => (client.clone(), user.clone(), lifetime)
            .prop_map(|(client, user, lifetime)| Step::Refresh { client, user, lifetime }),
        3 => (client.clone(), user.clone(), peer.clone())
            .prop_map(|(client, user, peer)| Step::Permit { client, user, peer }),
        4 => (client.clone(), user, channel.clone(), peer.clone())
            .prop_map(|(client, user, channel, peer)| Step::Bind { client, user, channel, peer }),
        1 => (client.clone(), 0_usize..4, forgery)
            .prop_map(|(client, of, how)| Step::Unauthenticated { client, of, how }),
        3 => (client.clone(), peer.clone()).prop_map(|(client, peer)| Step::Send { client, peer }),
        3 => (client.clone(), channel)
            .prop_map(|(client, channel)| Step::SendOnChannel { client, channel }),
        3 => (peer, client.clone()).prop_map(|(peer, client)| Step::PeerSends { peer, client }),
        1 => (client, prop::collection::vec(any::<u8>(), 0..60))
            .prop_map(|(client, bytes)| Step::Garbage { client, bytes }),
    ]
}

/// What the RFC says the server knows about one client.
struct Expected {
    user: usize,
    relayed: SocketAddr,
    expires: SimTime,
    permissions: BTreeMap<IpAddr, SimTime>,
    channels: BTreeMap<(u16, SocketAddr), SimTime>,
}

impl Expected {
    fn permits(&self, now: SimTime, peer: SocketAddr) -> bool {
        self.permissions.get(&peer.ip()).is_some_and(|end| *end > now)
    }

    fn live_channel(
        &self,
        now: SimTime,
        wanted: impl Fn(u16, SocketAddr) -> bool,
    ) -> Option<(u16, SocketAddr)> {
        let live: Vec<_> =
            self.channels.iter().filter(|((n, p), end)| **end > now && wanted(*n, *p)).collect();
        assert!(live.len() <= 1, "number and peer are one-to-one");
        live.first().map(|(pair, _)| **pair)
    }

    fn may_bind(&self, now: SimTime, number: u16, peer: SocketAddr) -> bool {
        let cooldown = SimDuration::from_secs(300);
        self.channels
            .iter()
            .filter(|(_, end)| **end + cooldown > now)
            .all(|((n, p), _)| (*n, *p) == (number, peer) || (*n != number && *p != peer))
    }
}

struct Trial {
    bench: Bench,
    expected: BTreeMap<usize, Expected>,
}

impl Trial {
    fn run(steps: Vec<Step>) {
        let config = plan::Turn { quota_per_user: QUOTA as u32, ..config() };
        let bench = Bench::with(&config, &["192.0.2.4"], &Limits::DEFAULT);
        let mut trial = Self { bench, expected: BTreeMap::new() };
        for step in steps {
            trial.take(step);
        }
    }

    fn take(&mut self, step: Step) {
        let now = self.bench.now;
        self.expected.retain(|_, allocation| allocation.expires > now);
        match step {
            Step::Wait(secs) => self.bench.now = now + SimDuration::from_secs(secs),
            Step::Allocate { client, user, lifetime } => self.allocate(client, user, lifetime),
            Step::Refresh { client, user, lifetime } => self.refresh(client, user, lifetime),
            Step::Permit { client, user, peer } => self.permit(client, user, address(PEERS[peer])),
            Step::Bind { client, user, channel, peer } => {
                self.bind(client, user, channel, address(PEERS[peer]));
            }
            Step::Unauthenticated { client, of, how } => self.forge(client, of, how),
            Step::Send { client, peer } => self.send(client, PEERS[peer]),
            Step::SendOnChannel { client, channel } => self.send_on_channel(client, channel),
            Step::PeerSends { peer, client } => self.peer_sends(PEERS[peer], client),
            Step::Garbage { client, bytes } => {
                let changes = self.state_changes_that_no_clock_makes();
                let outcome = self.bench.deliver(CLIENTS[client], address(SERVER), bytes);
                assert!(outcome.packets.len() <= 1);
                assert_eq!(changes, self.state_changes_that_no_clock_makes());
            }
        }
    }

    /// Asks as `user`; the answer repeats the request's transaction id and there is exactly one (INV-17).
    fn ask(&mut self, client: usize, user: usize, request: Builder) -> Answer {
        let sent = request.finish();
        let id = Message::parse(&sent).expect("a message").transaction();
        let mut request = Builder::request(Message::parse(&sent).expect("a message").method(), id);
        for (kind, value) in Message::parse(&sent).expect("a message").attributes() {
            request = request.raw(kind, value);
        }
        let answer = self.bench.request_as(USERS[user], CLIENTS[client], request);
        assert_eq!(answer.message().transaction(), id);
        answer
    }

    fn allocate(&mut self, client: usize, user: usize, lifetime: u32) {
        let request = self.bench.allocate_request().lifetime(lifetime);
        let answer = self.ask(client, user, request);
        let held = self.expected.values().filter(|allocation| allocation.user == user).count();
        let refusal = if self.expected.contains_key(&client) {
            Some(437)
        } else if held >= QUOTA {
            Some(486)
        } else {
            None
        };
        assert_eq!(answer.code(), refusal);
        if refusal.is_some() {
            return;
        }
        assert_eq!(answer.message().mapped_address(), Ok(Some(address(CLIENTS[client]))));
        let relayed = answer.message().relayed_address().expect("well-formed").expect("an address");
        assert!(self.expected.values().all(|other| other.relayed != relayed), "one owner at a time");
        let expires = self.bench.now + granted(lifetime);
        let (permissions, channels) = (BTreeMap::new(), BTreeMap::new());
        self.expected.insert(client, Expected { user, relayed, expires, permissions, channels });
    }

    /// The code every other request of this user is refused with; `None` if it may go on.
    fn refusal(&self, client: usize, user: usize) -> Option<u16> {
        match self.expected.get(&client) {
            None => Some(437),
            Some(allocation) if allocation.user != user => Some(441),
            Some(_) => None,
        }
    }

    fn refresh(&mut self, client: usize, user: usize, lifetime: u32) {
        let request = Builder::request(method::REFRESH, self.bench.transaction()).lifetime(lifetime);
        let answer = self.ask(client, user, request);
        assert_eq!(answer.code(), self.refusal(client, user));
        if !answer.is_success() {
            return;
        }
        if lifetime == 0 {
            self.expected.remove(&client);
        } else if let Some(allocation) = self.expected.get_mut(&client) {
            allocation.expires = self.bench.now + granted(lifetime);
        }
    }

    fn permit(&mut self, client: usize, user: usize, peer: SocketAddr) {
        let request = Builder::request(method::CREATE_PERMISSION, self.bench.transaction());
        let answer = self.ask(client, user, request.xor_peer_address(peer));
        assert_eq!(answer.code(), self.refusal(client, user));
        if answer.is_success() {
            self.expect_permission(client, peer);
        }
    }

    fn expect_permission(&mut self, client: usize, peer: SocketAddr) {
        let end = self.bench.now + SimDuration::from_secs(300);
        let allocation = self.expected.get_mut(&client).expect("an allocation");
        allocation.permissions.insert(peer.ip(), end);
    }

    fn bind(&mut self, client: usize, user: usize, channel: u16, peer: SocketAddr) {
        let request = Builder::request(method::CHANNEL_BIND, self.bench.transaction());
        let answer = self.ask(client, user, request.channel_number(channel).xor_peer_address(peer));
        let now = self.bench.now;
        let free = self.expected.get(&client).is_some_and(|a| a.may_bind(now, channel, peer));
        let refusal = self.refusal(client, user).or(if free { None } else { Some(400) });
        assert_eq!(answer.code(), refusal);
        if answer.is_success() {
            let allocation = self.expected.get_mut(&client).expect("an allocation");
            allocation.channels.insert((channel, peer), now + SimDuration::from_secs(600));
            self.expect_permission(client, peer);
        }
    }

    /// INV-21.
    fn forge(&mut self, client: usize, of: usize, how: Forgery) {
        let of = [method::ALLOCATE, method::REFRESH, method::CREATE_PERMISSION, method::CHANNEL_BIND][of];
        let request = Builder::request(of, self.bench.transaction())
            .requested_transport(TRANSPORT_UDP)
            .lifetime(0)
            .channel_number(0x4000)
            .xor_peer_address(address(PEERS[0]));
        let nonce = self.bench.fresh_nonce(CLIENTS[client]);
        let named = |request: Builder| request.username("demo").realm(REALM);
        let (payload, code) = match how {
            Forgery::Unsigned => (named(request).nonce(&nonce).finish(), 401),
            Forgery::WrongPassword => {
                let key = Key::long_term("demo", REALM, "guess");
                (named(request).nonce(&nonce).finish_with(Some(&key), false), 401)
            }
            Forgery::StaleNonce => (sign(request, "demo", &"0".repeat(32)), 438),
        };
        let changes = self.state_changes_that_no_clock_makes();
        assert_eq!(self.bench.ask(CLIENTS[client], payload).code(), Some(code));
        assert_eq!(changes, self.state_changes_that_no_clock_makes());
    }

    fn state_changes_that_no_clock_makes(&self) -> usize {
        let expired = |change: &&StateChange| !matches!(change, StateChange::AllocationGone { .. });
        self.bench.changes.iter().filter(expired).count()
    }

    /// INV-18, outwards.
    fn send(&mut self, client: usize, peer: &str) {
        let outcome = self.bench.send(CLIENTS[client], peer, b"hello");
        self.expect_relayed(client, address(peer), &outcome);
    }

    /// INV-20.
    fn send_on_channel(&mut self, client: usize, channel: u16) {
        let now = self.bench.now;
        let payload = channel_data(channel, b"hello").expect("small enough");
        let outcome = self.bench.deliver(CLIENTS[client], address(SERVER), payload);
        let Some(allocation) = self.expected.get(&client) else {
            assert_eq!(outcome.reason(), Some(DropReason::TurnNoAllocation));
            return;
        };
        match allocation.live_channel(now, |number, _| number == channel) {
            Some((_, peer)) => self.expect_relayed(client, peer, &outcome),
            None => assert_eq!(outcome.reason(), Some(DropReason::TurnNoChannel)),
        }
    }

    fn expect_relayed(&self, client: usize, peer: SocketAddr, outcome: &Outcome) {
        match self.expected.get(&client) {
            None => assert_eq!(outcome.reason(), Some(DropReason::TurnNoAllocation)),
            Some(allocation) if !allocation.permits(self.bench.now, peer) => {
                assert_eq!(outcome.reason(), Some(DropReason::TurnNoPermission));
            }
            Some(allocation) => {
                assert_eq!(outcome.packet().flow, Flow::new(allocation.relayed, peer));
                assert_eq!(outcome.packet().body.payload(), b"hello");
            }
        }
    }

    /// INV-18 inwards, and INV-19: what comes to a relayed address goes to its owner alone.
    fn peer_sends(&mut self, peer: &str, client: usize) {
        let Some(allocation) = self.expected.get(&client) else { return };
        let (now, relayed) = (self.bench.now, allocation.relayed);
        let outcome = self.bench.deliver(peer, relayed, b"world".to_vec());
        let allocation = &self.expected[&client];
        if !allocation.permits(now, address(peer)) {
            assert_eq!(outcome.reason(), Some(DropReason::TurnNoPermission));
            return;
        }
        let packet = outcome.packet();
        assert_eq!(packet.flow, Flow::new(address(SERVER), address(CLIENTS[client])));
        let payload = packet.body.payload();
        match allocation.live_channel(now, |_, bound| bound == address(peer)) {
            Some((channel, _)) => assert_eq!(parse_channel_data(payload), Some((channel, &b"world"[..]))),
            None => {
                assert_eq!(classify(payload), Kind::Stun);
                let message = Message::parse(payload).expect("a Data indication");
                assert_eq!(message.peer_address(), Ok(Some(address(peer))));
                assert_eq!(message.data(), Some(&b"world"[..]));
            }
        }
    }
}

fn granted(requested: u32) -> SimDuration {
    SimDuration::from_secs(u64::from(requested.clamp(600, 3_600)))
}

proptest! {
    #[test]
    fn no_sequence_of_messages_breaks_the_rules_of_the_rfc(steps in prop::collection::vec(step(), 1..60)) {
        Trial::run(steps);
    }
}
