//! Our agents on real sockets, in real time: two of them call each other.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use punchlab::agent::{AgentConfig, Connect, IceStack, Input, Output, Security, StreamEnd, StreamId, build};
use punchlab::base::{SimDuration, SimTime};
use punchlab::plan::{HostCandidates, IceServer, IceTransportPolicy, StackKind};
use punchlab::transport::Piece;
use punchlab::transport::framing::{Framing, Messages};
use punchlab::wire::{Candidate, SelectedPair};

/// A call that has not connected after this long is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is known of one side of a call.
#[derive(Debug, Default)]
pub struct Side {
    pub gathered: Vec<Candidate>,
    pub selected: Option<SelectedPair>,
    pub heard: Vec<Vec<u8>>,
    pub troubles: Vec<String>,
}

/// Something that came from a socket, for the agent with this index.
enum News {
    Datagram { from: SocketAddr, payload: Vec<u8> },
    Opened { stream: StreamId, local: SocketAddr },
    Read { stream: StreamId, message: Bytes },
    Closed { stream: StreamId, why: StreamEnd },
}

struct Agent {
    stack: Box<dyn IceStack>,
    socket: UdpSocket,
    local: SocketAddr,
    streams: BTreeMap<StreamId, TcpStream>,
    side: Side,
    has_spoken: bool,
}

/// Two agents of this kind on `host` call each other by way of `server` alone. Ends as soon as each has heard the other.
pub fn relayed_call(kind: StackKind, host: IpAddr, server: &IceServer) -> [Side; 2] {
    let (sender, receiver) = channel();
    let mut agents = [true, false].map(|caller| Agent::new(kind, host, server, caller));
    for (index, agent) in agents.iter().enumerate() {
        let (socket, sender) = (agent.socket.try_clone().expect("a second handle"), sender.clone());
        thread::spawn(move || take_datagrams(index, &socket, &sender));
    }
    drive(&mut agents, &sender, &receiver);
    agents.map(|agent| agent.side)
}

fn drive(agents: &mut [Agent; 2], sender: &Sender<(usize, News)>, receiver: &Receiver<(usize, News)>) {
    let began = Instant::now();
    let now = || SimTime::ZERO + SimDuration::from_nanos(began.elapsed().as_nanos() as u64);
    input(agents, 0, now(), Input::Start, sender);
    while began.elapsed() < PATIENCE && agents.iter().any(|agent| agent.side.heard.is_empty()) {
        let due = agents.iter_mut().filter_map(|agent| agent.stack.next_timeout()).min();
        let wait = due.map_or(PATIENCE, |due| Duration::from_nanos(due.since(now()).as_nanos()));
        match receiver.recv_timeout(wait.min(PATIENCE.saturating_sub(began.elapsed()))) {
            Ok((index, news)) => {
                let socket = agents[index].local;
                let heard = match &news {
                    News::Datagram { from, payload } => Input::Datagram { socket, from: *from, payload },
                    News::Opened { stream, local } => Input::Opened { stream: *stream, local: *local },
                    News::Read { stream, message } => Input::Read { stream: *stream, message },
                    News::Closed { stream, why } => Input::Closed { stream: *stream, why: *why },
                };
                input(agents, index, now(), heard, sender);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        for index in 0..agents.len() {
            if agents[index].stack.next_timeout().is_some_and(|due| due <= now()) {
                input(agents, index, now(), Input::Timeout, sender);
            }
            if agents[index].side.selected.is_some() && !agents[index].has_spoken {
                agents[index].has_spoken = true;
                input(agents, index, now(), Input::Send(b"Pdata"), sender);
            }
        }
    }
}

/// Hands something to an agent, and does all that comes of it: signalling arrives at once.
fn input(
    agents: &mut [Agent; 2],
    index: usize,
    now: SimTime,
    what: Input<'_>,
    sender: &Sender<(usize, News)>,
) {
    agents[index].stack.handle(now, what).expect("the agent goes on");
    while let Some(output) = agents[index].stack.poll() {
        match output {
            Output::Signal(signal) => input(agents, 1 - index, now, Input::Signal(&signal), sender),
            output => agents[index].take(index, output, sender),
        }
    }
}

impl Agent {
    fn new(kind: StackKind, host: IpAddr, server: &IceServer, caller: bool) -> Self {
        let socket = UdpSocket::bind((host, 0)).expect("a socket");
        let local = socket.local_addr().expect("an address");
        let config = AgentConfig {
            name: if caller { "caller" } else { "callee" }.to_owned(),
            seed: 1,
            sockets: vec![local],
            caller,
            ice_servers: vec![server.clone()],
            policy: IceTransportPolicy::Relay,
            trickle: true,
            max_candidates: 32,
            lite: false,
            host_candidates: HostCandidates::Visible,
            names: Vec::new(),
            port_mapping: Vec::new(),
        };
        let stack = build(kind, config).expect("a stack");
        let streams = BTreeMap::new();
        Self { stack, socket, local, streams, side: Side::default(), has_spoken: false }
    }

    fn take(&mut self, index: usize, output: Output, sender: &Sender<(usize, News)>) {
        match output {
            Output::Transmit { to, payload, .. } => {
                self.socket.send_to(&payload, to).expect("sent");
            }
            Output::Connect(connect) => self.connect(index, &connect, sender.clone()),
            Output::Write { stream, message } => {
                let framed = Framing::Stun.frame(&message).expect("a message that fits");
                let mut stream = self.streams.get(&stream).expect("an open stream");
                stream.write_all(&framed).expect("written");
            }
            Output::Close(stream) => {
                if let Some(stream) = self.streams.remove(&stream) {
                    stream.shutdown(Shutdown::Both).expect("an open stream");
                }
            }
            Output::Gathered(candidate) => self.side.gathered.push(candidate),
            Output::Selected(pair) => self.side.selected = Some(pair),
            Output::Data { payload, .. } => self.side.heard.push(payload),
            Output::Trouble(trouble) => self.side.troubles.push(trouble),
            _ => {}
        }
    }

    fn connect(&mut self, index: usize, connect: &Connect, sender: Sender<(usize, News)>) {
        assert_eq!((connect.security, connect.framing), (Security::Plain, Framing::Stun));
        let id = connect.stream;
        let stream = TcpStream::connect(connect.to).expect("a server that listens");
        let local = stream.local_addr().expect("an address");
        let reader = stream.try_clone().expect("a second handle");
        self.streams.insert(id, stream);
        sender.send((index, News::Opened { stream: id, local })).expect("a receiver");
        thread::spawn(move || take_messages(index, id, reader, &sender));
    }
}

fn take_datagrams(index: usize, socket: &UdpSocket, sender: &Sender<(usize, News)>) {
    let mut buffer = [0; 65_536];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        let payload = buffer[..length].to_vec();
        if sender.send((index, News::Datagram { from, payload })).is_err() {
            return;
        }
    }
}

fn take_messages(index: usize, stream: StreamId, mut reader: TcpStream, sender: &Sender<(usize, News)>) {
    let mut messages = Messages::new(Framing::Stun);
    let mut buffer = [0; 65_536];
    while let Ok(length @ 1..) = reader.read(&mut buffer) {
        messages.push(&Piece { bytes: Bytes::copy_from_slice(&buffer[..length]), ..Piece::default() });
        while let Some(message) = messages.poll().expect("STUN or ChannelData") {
            let news = News::Read { stream, message: message.bytes };
            if sender.send((index, news)).is_err() {
                return;
            }
        }
    }
    // Nobody may be there any more to hear it.
    let _ = sender.send((index, News::Closed { stream, why: StreamEnd::Finished }));
}
