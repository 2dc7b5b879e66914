//! Two programs in the place of ICE agents: a client of STUN and TURN servers over a stream, and a peer that sends back what
//! comes.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use punchlab::agent::{
    AgentConfig, Connect, IceStack, Input, Output, Security, StackError, StreamEnd, StreamId,
};
use punchlab::base::{SimDuration, SimTime};
use punchlab::plan::CandidateType;
use punchlab::transport::framing::Framing;
use punchlab::wire::stun::{
    Builder, Class, Key, Message, TRANSPORT_UDP, channel_data, method, parse_channel_data,
};
use punchlab::wire::{PairEnd, SelectedPair};

/// What a client is to do.
#[derive(Debug, Clone)]
pub struct Script {
    pub server: SocketAddr,
    pub security: Security,
    /// Binding requests, at these times.
    pub bindings: Vec<SimTime>,
    /// An allocation, with a channel to this peer.
    pub peer: Option<SocketAddr>,
    /// How many pings it sends through the channel, one every 10 ms.
    pub pings: u64,
    /// True: once it has the channel, it says that it has a pair, so that the lab sends media.
    pub selects: bool,
    /// When it closes the stream.
    pub closes: Option<SimTime>,
}

impl Script {
    pub fn new(server: SocketAddr, security: Security) -> Self {
        Self { server, security, bindings: Vec::new(), peer: None, pings: 0, selects: false, closes: None }
    }
}

/// What a client heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Opened(SocketAddr),
    Mapped(SocketAddr),
    Relayed(SocketAddr),
    Data(String),
    Closed(StreamEnd),
}

/// What a client heard, and when.
pub type Log = Arc<Mutex<Vec<(SimTime, Heard)>>>;

pub struct Client {
    config: AgentConfig,
    script: Script,
    log: Log,
    outputs: VecDeque<Output>,
    /// When the next ping is due, once the channel is bound.
    ping_at: Option<SimTime>,
    pinged: u64,
}

const STREAM: StreamId = StreamId(1);
const CHANNEL: u16 = 0x4000;
const PING_INTERVAL: SimDuration = SimDuration::from_millis(10);

impl Client {
    pub fn new(config: AgentConfig, script: Script, log: Log) -> Self {
        Self { config, script, log, outputs: VecDeque::new(), ping_at: None, pinged: 0 }
    }

    fn hear(&self, now: SimTime, heard: Heard) {
        self.log.lock().expect("a log").push((now, heard));
    }

    fn write(&mut self, message: Vec<u8>) {
        self.outputs.push_back(Output::Write { stream: STREAM, message });
    }

    fn connect(&mut self) {
        self.outputs.push_back(Output::Connect(Connect {
            stream: STREAM,
            from: self.config.sockets[0],
            to: self.script.server,
            security: self.script.security,
            host: Some("turn.example.org".to_owned()),
            framing: Framing::Stun,
        }));
        if self.script.peer.is_some() {
            self.write(allocate().finish());
        }
    }

    fn read(&mut self, now: SimTime, bytes: &[u8]) {
        if let Some((_, data)) = parse_channel_data(bytes) {
            let text = String::from_utf8(data.to_vec()).expect("text");
            self.hear(now, Heard::Data(text));
            let (from, payload) = (self.script.server, data.to_vec());
            self.outputs.push_back(Output::Data { from, relayed: true, payload });
            return;
        }
        let message = Message::parse(bytes).expect("a message");
        match (message.method(), message.class()) {
            (method::BINDING, _) => {
                let mapped = message.mapped_address().expect("well-formed").expect("an address");
                self.hear(now, Heard::Mapped(mapped));
            }
            (method::ALLOCATE, Class::Error) => self.write(sign(allocate(), &message)),
            (method::ALLOCATE, _) => {
                let relayed = message.relayed_address().expect("well-formed").expect("an address");
                self.hear(now, Heard::Relayed(relayed));
                // Without a nonce it is refused, and repeated with the one it is told.
                self.write(self.bind().finish());
            }
            (method::CHANNEL_BIND, Class::Error) => self.write(sign(self.bind(), &message)),
            (method::CHANNEL_BIND, _) => {
                self.ping_at = (self.script.pings > 0).then_some(now);
                if self.script.selects {
                    let end = |kind, address| PairEnd { kind, address, relay: None };
                    let local = end(CandidateType::Relayed, self.script.server);
                    let remote = end(CandidateType::Host, self.script.peer.expect("a peer"));
                    self.outputs.push_back(Output::Selected(SelectedPair { local, remote }));
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn bind(&self) -> Builder {
        let peer = self.script.peer.expect("a peer");
        Builder::request(method::CHANNEL_BIND, 2.into()).channel_number(CHANNEL).xor_peer_address(peer)
    }

    fn act(&mut self, now: SimTime) {
        while self.script.bindings.first().is_some_and(|at| *at <= now) {
            self.script.bindings.remove(0);
            self.write(Builder::request(method::BINDING, 3.into()).finish());
        }
        while let Some(at) = self.ping_at.filter(|at| *at <= now) {
            let ping = format!("ping {}", self.pinged);
            self.write(channel_data(CHANNEL, ping.as_bytes()).expect("short"));
            self.pinged += 1;
            self.ping_at = (self.pinged < self.script.pings).then_some(at + PING_INTERVAL);
        }
        if self.script.closes.is_some_and(|at| at <= now) {
            self.script.closes = None;
            self.outputs.push_back(Output::Close(STREAM));
        }
    }
}

impl IceStack for Client {
    fn name(&self) -> &'static str {
        "client"
    }

    fn handle(&mut self, now: SimTime, input: Input<'_>) -> Result<(), StackError> {
        match input {
            Input::Start => self.connect(),
            Input::Opened { stream: STREAM, local } => self.hear(now, Heard::Opened(local)),
            Input::Read { stream: STREAM, message } => self.read(now, message),
            Input::Closed { stream: STREAM, why } => self.hear(now, Heard::Closed(why)),
            Input::Timeout => self.act(now),
            Input::Send(data) => self.write(channel_data(CHANNEL, data).expect("short")),
            Input::Signal(_) | Input::Datagram { .. } => {}
            other => panic!("{other:?}"),
        }
        Ok(())
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn next_timeout(&mut self) -> Option<SimTime> {
        self.script.bindings.iter().copied().chain(self.ping_at).chain(self.script.closes).min()
    }
}

fn allocate() -> Builder {
    Builder::request(method::ALLOCATE, 1.into()).requested_transport(TRANSPORT_UDP)
}

fn sign(request: Builder, challenge: &Message<'_>) -> Vec<u8> {
    let realm = challenge.realm().expect("well-formed").expect("a realm");
    let nonce = challenge.nonce().expect("well-formed").expect("a nonce");
    let key = Key::long_term("demo", realm, "secret");
    request.username("demo").realm(realm).nonce(nonce).finish_with(Some(&key), false)
}

/// Sends every datagram back to where it came from.
#[derive(Default)]
pub struct Echo(VecDeque<Output>);

impl IceStack for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn handle(&mut self, _: SimTime, input: Input<'_>) -> Result<(), StackError> {
        if let Input::Datagram { socket, from, payload } = input {
            self.0.push_back(Output::Data { from, relayed: false, payload: payload.to_vec() });
            self.0.push_back(Output::Transmit { from: socket, to: from, payload: payload.to_vec() });
        }
        Ok(())
    }

    fn poll(&mut self) -> Option<Output> {
        self.0.pop_front()
    }

    fn next_timeout(&mut self) -> Option<SimTime> {
        None
    }
}
