//! A world for tests: two agents, one virtual clock, direct links, and a scripted server. No NATs, no devices.

pub(super) mod calls;
mod server;
mod streams;

use std::collections::BTreeMap;
use std::net::SocketAddr;

pub(super) use self::server::{FakeServer, stun_header};
pub(super) use self::streams::Fate;
use self::streams::{Stream, StreamArrival};
use super::{AgentConfig, Connect, IceStack, Input, Output};
use crate::base::{SimDuration, SimTime};
use crate::plan::{
    Credentials, HostCandidates, IceServer, IceServerKind, IceState, IceTransportPolicy, Transport,
};
use crate::wire::{Candidate, SelectedPair, Signal};

/// One way, for datagrams.
const LINK_DELAY: SimDuration = SimDuration::from_millis(10);
/// One way, for signalling.
const SIGNAL_DELAY: SimDuration = SimDuration::from_millis(50);
/// More than any test needs: a world that runs longer runs in a circle.
const MAX_STEPS: usize = 200_000;

/// A datagram on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Datagram {
    pub(super) at: SimTime,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) payload: Vec<u8>,
}

/// Both agents and everything between them.
pub(super) struct World {
    pub(super) now: SimTime,
    pub(super) server: FakeServer,
    /// Decides which datagrams are lost.
    pub(super) loses: Box<dyn FnMut(&Datagram) -> bool>,
    /// Decides which signals are lost.
    pub(super) loses_signal: Box<dyn FnMut(&Signal) -> bool>,
    /// Every datagram that was sent, lost or not.
    pub(super) sent: Vec<Datagram>,
    /// How many time-outs the agents asked for and got.
    pub(super) timeouts: usize,
    /// Decides what becomes of streams.
    pub(super) fate: Box<dyn FnMut(&Connect) -> Fate>,
    sides: Vec<Side>,
    streams: Vec<Stream>,
    /// By time and order of sending.
    arrivals: BTreeMap<(SimTime, usize), Arrival>,
    sequence: usize,
}

struct Side {
    sockets: Vec<SocketAddr>,
    agent: Box<dyn IceStack>,
    log: Vec<(SimTime, Output)>,
}

enum Arrival {
    Datagram(Datagram),
    Signal(usize, Signal),
    Stream(usize, StreamArrival),
}

/// The sides' indices.
pub(super) const ALICE: usize = 0;
pub(super) const BOB: usize = 1;

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// The socket of a side, unless its configuration has others.
pub(super) fn socket(side: usize) -> SocketAddr {
    address(["10.0.0.1:5000", "10.0.0.2:5000"][side])
}

/// The default configuration of a side.
pub(super) fn config(side: usize) -> AgentConfig {
    AgentConfig {
        name: ["alice", "bob"][side].to_owned(),
        seed: 1,
        sockets: vec![socket(side)],
        caller: side == ALICE,
        ice_servers: Vec::new(),
        port_mapping: Vec::new(),
        policy: IceTransportPolicy::All,
        trickle: true,
        lite: false,
        host_candidates: HostCandidates::Visible,
        names: Vec::new(),
        max_candidates: 100,
    }
}

/// The fake server, as a STUN server.
pub(super) fn stun_server() -> IceServer {
    IceServer {
        node: Default::default(),
        address: server::ADDRESS,
        kind: IceServerKind::Stun,
        transport: Transport::Udp,
        host: None,
        credentials: None,
    }
}

/// The fake server, as a TURN server that is spoken to over `transport`.
pub(super) fn turn_server_over(transport: Transport) -> IceServer {
    IceServer { transport, host: Some("turn.example.org".to_owned()), ..turn_server("secret") }
}

/// The fake server, as a TURN server, with this password; the right one is `secret`.
pub(super) fn turn_server(password: &str) -> IceServer {
    let credentials = Credentials { username: "demo".to_owned(), password: password.to_owned() };
    IceServer { kind: IceServerKind::Turn, credentials: Some(credentials), ..stun_server() }
}

impl World {
    pub(super) fn new(build: impl Fn(AgentConfig) -> Box<dyn IceStack>, configs: [AgentConfig; 2]) -> Self {
        let sides = configs.map(|config| Side {
            sockets: config.sockets.clone(),
            agent: build(config),
            log: Vec::new(),
        });
        Self {
            now: SimTime::ZERO,
            server: FakeServer::default(),
            loses: Box::new(|_| false),
            loses_signal: Box::new(|_| false),
            sent: Vec::new(),
            timeouts: 0,
            fate: Box::new(|_| Fate::Opens),
            streams: Vec::new(),
            sides: sides.into(),
            arrivals: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// Alice calls Bob; both live until `end`.
    pub(super) fn run(&mut self, end: SimTime) {
        self.input(ALICE, Input::Start);
        self.continue_until(end);
    }

    /// Goes on until `end`.
    pub(super) fn continue_until(&mut self, end: SimTime) {
        for _ in 0..MAX_STEPS {
            let timeouts: Vec<_> = self.sides.iter_mut().map(|side| side.agent.next_timeout()).collect();
            let arrival = self.arrivals.first_key_value().map(|(key, _)| key.0);
            let next = timeouts.iter().copied().chain([arrival]).flatten().min().unwrap_or(SimTime::MAX);
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            if arrival == Some(next) {
                if let Some((_, arrival)) = self.arrivals.pop_first() {
                    self.arrive(arrival);
                }
            } else if let Some(side) = timeouts.iter().position(|timeout| *timeout == Some(next)) {
                self.timeouts += 1;
                self.input(side, Input::Timeout);
            }
        }
        panic!("the world runs in a circle");
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Signal(side, signal) => self.input(side, Input::Signal(&signal)),
            Arrival::Datagram(datagram) => {
                if let Some(side) = self.sides.iter().position(|side| side.sockets.contains(&datagram.to)) {
                    let Datagram { from, to, payload, .. } = &datagram;
                    self.input(side, Input::Datagram { socket: *to, from: *from, payload });
                } else {
                    self.serve(datagram);
                }
            }
            Arrival::Stream(stream, arrival) => self.happen_to_stream(stream, arrival),
        }
    }

    fn serve(&mut self, datagram: Datagram) {
        for (from, to, payload) in self.server.take(datagram) {
            if !self.send_over_stream(to, &payload) {
                self.send(from, to, payload);
            }
        }
    }

    /// Lets something happen to a side.
    pub(super) fn input(&mut self, side: usize, input: Input<'_>) {
        self.sides[side].agent.handle(self.now, input).expect("the agent goes on");
        while let Some(output) = self.sides[side].agent.poll() {
            match &output {
                Output::Transmit { from, to, payload } => self.send(*from, *to, payload.clone()),
                Output::Signal(signal) if !(self.loses_signal)(signal) => {
                    self.schedule(SIGNAL_DELAY, Arrival::Signal(1 - side, signal.clone()));
                }
                Output::Connect(connect) => self.connect(side, connect),
                Output::Write { stream, message } => self.write(side, *stream, message),
                Output::Close(stream) => self.close(side, *stream),
                _ => {}
            }
            self.sides[side].log.push((self.now, output));
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, payload: Vec<u8>) {
        let datagram = Datagram { at: self.now, from, to, payload };
        self.sent.push(datagram.clone());
        if !(self.loses)(&datagram) {
            self.schedule(LINK_DELAY, Arrival::Datagram(datagram));
        }
    }

    fn schedule(&mut self, delay: SimDuration, arrival: Arrival) {
        self.sequence += 1;
        self.arrivals.insert((self.now + delay, self.sequence), arrival);
    }

    /// Everything a side said, and when.
    pub(super) fn log(&self, side: usize) -> &[(SimTime, Output)] {
        &self.sides[side].log
    }

    pub(super) fn states(&self, side: usize) -> Vec<(SimTime, IceState)> {
        self.find(side, |output| match output {
            Output::State(state) => Some(*state),
            _ => None,
        })
    }

    pub(super) fn state(&self, side: usize) -> IceState {
        self.states(side).last().map_or(IceState::New, |(_, state)| *state)
    }

    pub(super) fn selections(&self, side: usize) -> Vec<(SimTime, SelectedPair)> {
        self.find(side, |output| match output {
            Output::Selected(pair) => Some(*pair),
            _ => None,
        })
    }

    pub(super) fn signals(&self, side: usize) -> Vec<(SimTime, Signal)> {
        self.find(side, |output| match output {
            Output::Signal(signal) => Some(signal.clone()),
            _ => None,
        })
    }

    pub(super) fn gathered(&self, side: usize) -> Vec<Candidate> {
        let gathered = self.find(side, |output| match output {
            Output::Gathered(candidate) => Some(candidate.clone()),
            _ => None,
        });
        gathered.into_iter().map(|(_, candidate)| candidate).collect()
    }

    pub(super) fn troubles(&self, side: usize) -> Vec<(SimTime, String)> {
        self.find(side, |output| match output {
            Output::Trouble(trouble) => Some(trouble.clone()),
            _ => None,
        })
    }

    /// The messages a side wrote to streams, and when.
    pub(super) fn written(&self, side: usize) -> Vec<(SimTime, Vec<u8>)> {
        self.find(side, |output| match output {
            Output::Write { message, .. } => Some(message.clone()),
            _ => None,
        })
    }

    /// Application data that arrived: where from, whether relayed, and what.
    pub(super) fn data(&self, side: usize) -> Vec<(SocketAddr, bool, Vec<u8>)> {
        let data = self.find(side, |output| match output {
            Output::Data { from, relayed, payload } => Some((*from, *relayed, payload.clone())),
            _ => None,
        });
        data.into_iter().map(|(_, data)| data).collect()
    }

    fn find<T>(&self, side: usize, take: impl Fn(&Output) -> Option<T>) -> Vec<(SimTime, T)> {
        self.log(side).iter().filter_map(|(at, output)| Some((*at, take(output)?))).collect()
    }
}
