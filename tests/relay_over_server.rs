//! Two real ICE stacks meet over the real TURN server where no direct packet passes.

#![cfg(feature = "rtc")]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use punchlab::agent::{AgentConfig, IceStack, Input, Output, build};
use punchlab::base::{Limits, NodeId, PortId, PortRange, Random, SimDuration, SimTime};
use punchlab::device::server::Server;
use punchlab::device::{Device, Outbox};
use punchlab::plan::{
    self, Credentials, HostCandidates, IceServer, IceServerKind, IceTransportPolicy, Listen, StackKind,
    Transport,
};
use punchlab::wire::{Flow, Packet, SelectedPair, Signal};

const SERVER: &str = "192.0.2.4:3478";
const PEERS: [&str; 2] = ["198.51.100.1:5000", "198.51.100.2:5000"];
const LINK_DELAY: SimDuration = SimDuration::from_millis(10);
const SIGNAL_DELAY: SimDuration = SimDuration::from_millis(50);

#[test]
fn every_mix_of_stacks_meets_at_a_relay_and_keeps_it_for_twenty_minutes() {
    for caller in StackKind::ALL {
        for callee in StackKind::ALL {
            let kinds = [*caller, *callee];
            let mut world = World::new(kinds, SimDuration::from_secs(3_600));
            world.run(SimTime::ZERO + SimDuration::from_secs(20 * 60));
            for side in &world.sides {
                let pair = side.selected.expect("selected");
                // By address: a peer's relayed candidate may be called peer-reflexive.
                let relays = [pair.local, pair.remote].map(|end| end.address.ip() == address(SERVER).ip());
                assert!(relays.contains(&true), "{kinds:?}: {pair:?}");
                assert_eq!(side.troubles, Vec::<String>::new(), "{kinds:?}");
            }
            world.send_both_ways();
            for side in &world.sides {
                assert_eq!(side.data, [b"Pdata".to_vec()], "{kinds:?}");
            }
        }
    }
}

/// The deviation `stale-nonce-not-repeated`: RFC 8489 §9.2.5 has the request repeated with the new nonce.
#[test]
fn rtc_loses_an_allocation_whose_refresh_meets_a_stale_nonce() {
    for kind in StackKind::ALL {
        let mut world = World::new([*kind, *kind], SimDuration::from_secs(600));
        world.run(SimTime::ZERO + SimDuration::from_secs(20 * 60));
        let lost = world.sides.iter().flat_map(|side| &side.troubles).any(|trouble| trouble.contains("437"));
        assert_eq!(lost, *kind == StackKind::Rtc, "{kind}");
    }
}

struct World {
    now: SimTime,
    server: Server,
    sides: [Side; 2],
    arrivals: BTreeMap<(SimTime, usize), Arrival>,
    sequence: usize,
}

struct Side {
    socket: SocketAddr,
    agent: Box<dyn IceStack>,
    selected: Option<SelectedPair>,
    troubles: Vec<String>,
    data: Vec<Vec<u8>>,
}

enum Arrival {
    Packet(Packet),
    Signal(usize, Signal),
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn server(nonce_lifetime: SimDuration) -> Server {
    let turn = plan::Turn {
        listen: vec![Listen::udp(3478)],
        realm: "example.org".to_owned(),
        users: vec![demo()],
        relay_ports: PortRange::DYNAMIC,
        quota_per_user: 10,
        allocation_lifetime: SimDuration::from_secs(600),
        max_allocation_lifetime: SimDuration::from_secs(3_600),
        permission_lifetime: SimDuration::from_secs(300),
        channel_lifetime: SimDuration::from_secs(600),
        channel_cooldown: SimDuration::from_secs(300),
        nonce_lifetime,
    };
    let config = plan::Server { stun: vec![Listen::udp(3478)], turn: Some(turn), up: true };
    let random = Random::stream(1, "turn", "server");
    Server::new(&config, &[address(SERVER).ip()], &Limits::DEFAULT, 1_500, random)
}

fn demo() -> Credentials {
    Credentials { username: "demo".to_owned(), password: "secret".to_owned() }
}

impl World {
    fn new(kinds: [StackKind; 2], nonce_lifetime: SimDuration) -> Self {
        let sides = [0, 1].map(|side| {
            let server = |kind, credentials| IceServer {
                node: NodeId::default(),
                address: address(SERVER),
                kind,
                transport: Transport::Udp,
                host: None,
                credentials,
            };
            let config = AgentConfig {
                name: ["alice", "bob"][side].to_owned(),
                seed: 1,
                sockets: vec![address(PEERS[side])],
                caller: side == 0,
                ice_servers: vec![
                    server(IceServerKind::Stun, None),
                    server(IceServerKind::Turn, Some(demo())),
                ],
                port_mapping: Vec::new(),
                policy: IceTransportPolicy::All,
                trickle: true,
                lite: false,
                host_candidates: HostCandidates::Visible,
                names: Vec::new(),
                max_candidates: 100,
            };
            Side {
                socket: address(PEERS[side]),
                agent: build(kinds[side], config).expect("built with every stack"),
                selected: None,
                troubles: Vec::new(),
                data: Vec::new(),
            }
        });
        Self {
            now: SimTime::ZERO,
            server: server(nonce_lifetime),
            sides,
            arrivals: BTreeMap::new(),
            sequence: 0,
        }
    }

    fn run(&mut self, end: SimTime) {
        self.input(0, Input::Start);
        self.continue_until(end);
    }

    fn send_both_ways(&mut self) {
        for side in [0, 1] {
            self.input(side, Input::Send(b"Pdata"));
        }
        self.continue_until(self.now + SimDuration::from_secs(1));
    }

    fn continue_until(&mut self, end: SimTime) {
        loop {
            let arrival = self.arrivals.keys().next().map(|(at, _)| *at);
            let timeouts = [0, 1].map(|side| self.sides[side].agent.next_timeout());
            let server = self.server.next_timeout();
            let all = timeouts.into_iter().chain([arrival, server]);
            let next = all.flatten().min().unwrap_or(SimTime::MAX);
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            if server == Some(next) {
                let mut out = Outbox::new(false);
                self.server.handle_timeout(self.now, &mut out);
                self.forward(out);
            } else if let Some(side) = timeouts.iter().position(|timeout| *timeout == Some(next)) {
                self.input(side, Input::Timeout);
            } else if let Some((_, arrival)) = self.arrivals.pop_first() {
                self.arrive(arrival);
            }
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Signal(side, signal) => self.input(side, Input::Signal(&signal)),
            Arrival::Packet(mut packet) => {
                let Flow { source, destination } = packet.flow;
                if let Some(side) = self.sides.iter().position(|side| side.socket == destination) {
                    let payload = packet.body.payload().to_vec();
                    self.input(
                        side,
                        Input::Datagram { socket: destination, from: source, payload: &payload },
                    );
                } else {
                    let mut out = Outbox::new(false);
                    self.server.handle(self.now, PortId::default(), &mut packet, &mut out);
                    self.forward(out);
                }
            }
        }
    }

    fn input(&mut self, side: usize, input: Input<'_>) {
        self.sides[side].agent.handle(self.now, input).expect("the agent goes on");
        while let Some(output) = self.sides[side].agent.poll() {
            match output {
                Output::Transmit { from, to, payload } => {
                    self.send(Packet::udp(Flow { source: from, destination: to }, payload));
                }
                Output::Signal(signal) => self.schedule(SIGNAL_DELAY, Arrival::Signal(1 - side, signal)),
                Output::Selected(pair) => self.sides[side].selected = Some(pair),
                Output::Trouble(trouble) => self.sides[side].troubles.push(trouble),
                Output::Data { payload, .. } => self.sides[side].data.push(payload),
                _ => {}
            }
        }
    }

    fn forward(&mut self, out: Outbox) {
        for emitted in out.packets {
            self.send(emitted.packet);
        }
    }

    /// Everything arrives but what goes from peer to peer.
    fn send(&mut self, packet: Packet) {
        let is_peer = |address: SocketAddr| self.sides.iter().any(|side| side.socket == address);
        if !(is_peer(packet.flow.source) && is_peer(packet.flow.destination)) {
            self.schedule(LINK_DELAY, Arrival::Packet(packet));
        }
    }

    fn schedule(&mut self, delay: SimDuration, arrival: Arrival) {
        self.sequence += 1;
        self.arrivals.insert((self.now + delay, self.sequence), arrival);
    }
}
