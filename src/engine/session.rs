//! One side of a call: an ICE agent on a host's sockets, and what the lab learns from it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::media::{self, Message};
use super::run::{Observed, SessionRun};
use crate::agent::{Connect, IceStack, Input, Output, Security, StackError, StreamId};
use crate::base::{Random, SessionId, SimDuration, SimTime};
use crate::plan::IceState;
use crate::trace::AgentEvent;
use crate::wire::{MdnsName, Signal, Trail};

/// How often a probe is repeated until it is answered.
const PROBE_INTERVAL: SimDuration = SimDuration::from_millis(100);

/// An agent with its diary.
pub struct Session {
    /// Its agent.
    pub stack: Box<dyn IceStack>,
    /// What is known of it so far.
    pub diary: SessionRun,
    /// When the world will call it; the queue's entries for other times are stale.
    pub timer: Option<SimTime>,
    /// When the agent wants to be called.
    agent_due: Option<SimTime>,
    peer_name: String,
    /// Where the ports of its sockets come from.
    pub ports: Random,
    probe: Probe,
    /// The streams it asked for, until they are closed.
    streams: BTreeMap<StreamId, Connect>,
    restart: Restart,
}

/// How far an ICE restart is.
#[derive(Debug, Clone, Copy, Default)]
struct Restart {
    /// It has begun, and there is no new pair yet.
    pending: bool,
    /// The number of the offer that waits for its answer.
    offered: Option<u32>,
}

/// The lab's application data. Each side sends pings over each pair it selects, until the peer answers one over
/// the pair the peer selected: only then is the pair known to carry data both ways. A peer that has nothing
/// selected yet answers nothing, so every answer is a prompt one and measures the round trip.
#[derive(Debug, Default)]
struct Probe {
    /// When each ping was sent; a ping's number is its index.
    sent_at: Vec<SimTime>,
    /// The first ping sent since the last selection: answers to earlier ones say nothing about the new pair.
    first: usize,
    repeat_at: Option<SimTime>,
    answered: bool,
}

/// What a session asks of the world.
#[derive(Debug)]
pub enum Request {
    /// Send a datagram from the first address to the second.
    Transmit(SocketAddr, SocketAddr, Vec<u8>),
    /// Open a stream.
    Connect(Connect),
    /// Send a message over a stream.
    Write(StreamId, Vec<u8>),
    /// Close a stream.
    Close(StreamId),
    /// Tell the peer.
    Signal(Signal),
    /// Close a socket.
    CloseSocket(SocketAddr),
    /// Ask the host's link for this name.
    Resolve(MdnsName),
    /// Write this down.
    Note(AgentEvent),
}

/// The lab's own datagrams: ASCII, so that a capture can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProbeMessage {
    Ping(usize),
    Pong(usize),
}

impl Session {
    /// A session at rest.
    pub fn new(stack: Box<dyn IceStack>, diary: SessionRun, peer_name: String, ports: Random) -> Self {
        Self {
            stack,
            diary,
            timer: None,
            agent_due: None,
            peer_name,
            ports,
            probe: Probe::default(),
            streams: BTreeMap::new(),
            restart: Restart::default(),
        }
    }

    /// The other side.
    pub const fn counterpart(&self) -> SessionId {
        self.diary.counterpart
    }

    /// Hands something to the agent, and collects what it wants.
    pub fn handle(
        &mut self,
        now: SimTime,
        input: Input<'_>,
        requests: &mut Vec<Request>,
    ) -> Result<(), StackError> {
        self.note_input(now, &input, requests);
        self.call_stack(now, input)?;
        self.drain(now, requests)
    }

    /// Hands the agent a datagram that came to `socket`; `trail` says what happened to it on the way.
    pub fn receive(
        &mut self,
        now: SimTime,
        socket: SocketAddr,
        from: SocketAddr,
        payload: &[u8],
        trail: Trail,
        requests: &mut Vec<Request>,
    ) -> Result<(), StackError> {
        let message = Message::datagram(socket.is_ipv4(), payload.len());
        self.call_stack(now, Input::Datagram { socket, from, payload })?;
        self.take_what_came(now, message, trail, requests)
    }

    /// Hands the agent a message that came over a stream; `trail` says what happened to it on the way.
    pub fn read(
        &mut self,
        now: SimTime,
        stream: StreamId,
        message: &[u8],
        trail: Trail,
        requests: &mut Vec<Request>,
    ) -> Result<(), StackError> {
        let Some(size) = self.in_stream(stream, message) else { return Ok(()) };
        self.call_stack(now, Input::Read { stream, message })?;
        self.take_what_came(now, size, trail, requests)
    }

    /// The size of a message over a stream; `None` if there is no such stream.
    fn in_stream(&self, stream: StreamId, message: &[u8]) -> Option<Message> {
        let Connect { to, security, framing, .. } = self.streams.get(&stream)?;
        Some(Message::in_stream(to.is_ipv4(), *security == Security::Tls, *framing, message))
    }

    /// Collects what the agent makes of what it was handed: application data came the way that was handed over.
    fn take_what_came(
        &mut self,
        now: SimTime,
        message: Message,
        trail: Trail,
        requests: &mut Vec<Request>,
    ) -> Result<(), StackError> {
        let mut answers = Vec::new();
        while let Some(output) = self.poll_stack()? {
            match output {
                Output::Data { payload: data, .. } => {
                    if !media::take(&mut self.diary.media, now, &data, message) {
                        answers.extend(self.take_data(now, &data, trail));
                    }
                }
                other => self.take_output(now, other, requests),
            }
        }
        for answer in answers {
            self.send_probe(now, answer, requests)?;
        }
        self.probe_if_due(now, requests)
    }

    /// Lets the agent's timer, and the lab's, take effect.
    pub fn handle_timeout(&mut self, now: SimTime, requests: &mut Vec<Request>) -> Result<(), StackError> {
        if self.agent_due.is_some_and(|at| at <= now) {
            self.call_stack(now, Input::Timeout)?;
            self.drain(now, requests)?;
        }
        self.probe_if_due(now, requests)?;
        self.send_media_if_due(now, requests)
    }

    /// When [`Session::handle_timeout`] wants to be called next.
    pub fn next_timeout(&mut self) -> Option<SimTime> {
        self.agent_due = self.stack.next_timeout();
        let media = self.diary.media.iter().filter_map(|flow| flow.sent.due());
        self.agent_due.into_iter().chain(self.probe.repeat_at).chain(media).min()
    }

    /// True if it asked for this stream, and neither closed it nor was told that it is gone.
    pub fn has_stream(&self, stream: StreamId) -> bool {
        self.streams.contains_key(&stream)
    }

    /// When the pair it uses now was selected.
    pub fn selected_at(&self) -> Option<SimTime> {
        self.diary.selections.last().map(|(at, _)| *at)
    }

    /// True once data has gone to the peer and back since the last selection.
    pub const fn is_confirmed(&self) -> bool {
        self.probe.answered
    }

    /// True from the beginning of an ICE restart until it has a new pair.
    pub const fn is_restarting(&self) -> bool {
        self.restart.pending
    }

    fn call_stack(&mut self, now: SimTime, input: Input<'_>) -> Result<(), StackError> {
        let _span = tracing::debug_span!("agent", peer = self.peer_name, at = %now).entered();
        let stack = &mut self.stack;
        // Stacks are other people's code: a panic there is a result of the run, not the end of the program.
        catch_unwind(AssertUnwindSafe(|| stack.handle(now, input)))
            .unwrap_or_else(|panic| Err(panicked(self.stack.name(), &self.peer_name, &*panic)))
    }

    fn poll_stack(&mut self) -> Result<Option<Output>, StackError> {
        let stack = &mut self.stack;
        catch_unwind(AssertUnwindSafe(|| stack.poll()))
            .map_err(|panic| panicked(self.stack.name(), &self.peer_name, &*panic))
    }

    fn drain(&mut self, now: SimTime, requests: &mut Vec<Request>) -> Result<(), StackError> {
        while let Some(output) = self.poll_stack()? {
            self.take_output(now, output, requests);
        }
        self.probe_if_due(now, requests)
    }

    fn note_input(&mut self, now: SimTime, input: &Input<'_>, requests: &mut Vec<Request>) {
        match input {
            Input::Start => self.note_start(now, requests),
            Input::Signal(Signal::Offer(description)) => {
                self.note_start(now, requests);
                self.diary.remote_candidates.extend(description.candidates.iter().cloned());
            }
            Input::Signal(Signal::Answer(description)) => {
                if self.restart.offered == Some(description.generation) {
                    self.restart.offered = None;
                    self.diary.restarts.push(now);
                }
                self.diary.remote_candidates.extend(description.candidates.iter().cloned());
            }
            Input::Signal(Signal::Candidate { candidate, .. }) => {
                self.diary.remote_candidates.push(candidate.clone());
            }
            Input::Restart { offer, .. } => {
                self.restart.pending = true;
                if !self.diary.state.is_connected() {
                    // The pair is dead, and now it is given up too.
                    self.diary.observed = None;
                }
                let candidates = offer.iter().flat_map(|offer| &offer.candidates);
                self.diary.remote_candidates.extend(candidates.cloned());
            }
            Input::BaseLost(base) => self.streams.retain(|_, connect| connect.from != *base),
            Input::HangUp | Input::Signal(Signal::Bye) => self.end(now),
            Input::Resolved { name, address } => {
                let event = AgentEvent::Resolved { name: (*name).clone(), address: *address };
                requests.push(Request::Note(event));
                let remote = self.diary.remote_candidates.iter_mut();
                for candidate in remote.filter(|one| one.is_unresolved() && one.name.as_ref() == Some(*name))
                {
                    candidate.address.set_ip(address.unwrap_or(candidate.address.ip()));
                }
            }
            Input::Closed { stream, .. } => {
                self.streams.remove(stream);
            }
            _ => {}
        }
    }

    fn note_start(&mut self, now: SimTime, requests: &mut Vec<Request>) {
        if self.diary.started_at.is_none() {
            self.diary.started_at = Some(now);
            requests.push(Request::Note(AgentEvent::Started));
        }
    }

    /// Nothing is sent any more.
    fn end(&mut self, now: SimTime) {
        self.diary.ended_at.get_or_insert(now);
        self.restart = Restart::default();
        self.probe.repeat_at = None;
        self.diary.media.iter_mut().for_each(|flow| flow.sent.stop());
    }

    fn take_output(&mut self, now: SimTime, output: Output, requests: &mut Vec<Request>) {
        match output {
            Output::Transmit { from, to, payload } => requests.push(Request::Transmit(from, to, payload)),
            Output::Signal(signal) => {
                if let Signal::Offer(description) = &signal
                    && self.restart.pending
                {
                    self.restart.offered = Some(description.generation);
                }
                requests.push(Request::Signal(signal));
            }
            Output::CloseSocket(socket) => requests.push(Request::CloseSocket(socket)),
            Output::Resolve(name) => requests.push(Request::Resolve(name)),
            Output::Gathered(candidate) => {
                self.diary.local_candidates.push(candidate.clone());
                requests.push(Request::Note(AgentEvent::Gathered(candidate)));
            }
            Output::State(state) => {
                self.diary.state = state;
                if state.is_connected() && self.diary.connected_at.is_none() {
                    self.diary.connected_at = Some(now);
                }
                requests.push(Request::Note(AgentEvent::State(state)));
            }
            Output::Selected(pair) => {
                self.diary.selections.push((now, pair));
                if std::mem::take(&mut self.restart.pending) {
                    // What was seen of the old pair says nothing about the new one.
                    self.diary.observed = None;
                }
                self.probe.restart(now);
                self.diary.media.iter_mut().for_each(|flow| flow.sent.start(now));
                requests.push(Request::Note(AgentEvent::Selected(pair)));
            }
            Output::Connect(connect) => {
                self.streams.insert(connect.stream, connect.clone());
                requests.push(Request::Connect(connect));
            }
            Output::Write { stream, message } => requests.push(Request::Write(stream, message)),
            Output::Close(stream) => {
                self.streams.remove(&stream);
                requests.push(Request::Close(stream));
            }
            // Data comes in with a datagram or a message only, where its trail is known.
            Output::Data { .. } => {}
            Output::Trouble(what) => {
                self.diary.troubles.push(what.clone());
                requests.push(Request::Note(AgentEvent::Trouble(what)));
            }
        }
    }

    /// Takes application data and says what to answer.
    fn take_data(&mut self, now: SimTime, payload: &[u8], trail: Trail) -> Option<ProbeMessage> {
        let message = ProbeMessage::parse(payload)?;
        let rtt_ns = match message {
            ProbeMessage::Pong(number) => self.probe.take_answer(now, number).map(SimDuration::as_nanos),
            ProbeMessage::Ping(_) => None,
        };
        let earlier_rtt = self.diary.observed.and_then(|observed| observed.rtt_ns);
        let observed = Observed { at: now, trail, rtt_ns: rtt_ns.or(earlier_rtt) };
        self.diary.first_observed.get_or_insert(observed);
        self.diary.observed = Some(observed);
        match message {
            ProbeMessage::Ping(number) => Some(ProbeMessage::Pong(number)),
            ProbeMessage::Pong(_) => None,
        }
    }

    fn probe_if_due(&mut self, now: SimTime, requests: &mut Vec<Request>) -> Result<(), StackError> {
        if self.selected_at().is_none() {
            return Ok(());
        }
        if self.probe.repeat_at.is_some_and(|at| at <= now) {
            let number = self.probe.sent_at.len();
            self.probe.sent_at.push(now);
            self.probe.repeat_at = Some(now + PROBE_INTERVAL);
            self.send_probe(now, ProbeMessage::Ping(number), requests)?;
        }
        Ok(())
    }

    fn send_media_if_due(&mut self, now: SimTime, requests: &mut Vec<Request>) -> Result<(), StackError> {
        for flow in 0..self.diary.media.len() {
            while let Some(packet) = self.diary.media[flow].next_packet(now) {
                self.call_stack(now, Input::Send(&packet))?;
                let mut sent = None;
                while let Some(output) = self.poll_stack()? {
                    sent = self.message_with(&output, &packet).or(sent);
                    self.take_output(now, output, requests);
                }
                self.diary.media[flow].note_sent(now, &packet, sent);
            }
        }
        Ok(())
    }

    /// The size of the message that carries a packet of media, if `output` sends it.
    fn message_with(&self, output: &Output, packet: &[u8]) -> Option<Message> {
        match output {
            Output::Transmit { from, payload, .. } if media::carries(payload, packet) => {
                Some(Message::datagram(from.is_ipv4(), payload.len()))
            }
            Output::Write { stream, message } if media::carries(message, packet) => {
                self.in_stream(*stream, message)
            }
            _ => None,
        }
    }

    fn send_probe(
        &mut self,
        now: SimTime,
        message: ProbeMessage,
        requests: &mut Vec<Request>,
    ) -> Result<(), StackError> {
        if self.selected_at().is_none() {
            return Ok(());
        }
        self.call_stack(now, Input::Send(message.to_text().as_bytes()))?;
        while let Some(output) = self.poll_stack()? {
            self.take_output(now, output, requests);
        }
        Ok(())
    }
}

impl Probe {
    fn restart(&mut self, now: SimTime) {
        self.answered = false;
        self.first = self.sent_at.len();
        self.repeat_at = Some(now);
    }

    /// The round trip that an answer completes, if it is the first over the present pair.
    fn take_answer(&mut self, now: SimTime, number: usize) -> Option<SimDuration> {
        if self.answered || number < self.first {
            return None;
        }
        let sent_at = *self.sent_at.get(number)?;
        self.answered = true;
        self.repeat_at = None;
        Some(now.since(sent_at))
    }
}

impl ProbeMessage {
    fn to_text(self) -> String {
        match self {
            Self::Ping(number) => format!("ping {number}"),
            Self::Pong(number) => format!("pong {number}"),
        }
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(payload).ok()?;
        let (word, number) = text.split_once(' ')?;
        let number = number.parse().ok()?;
        match word {
            "ping" => Some(Self::Ping(number)),
            "pong" => Some(Self::Pong(number)),
            _ => None,
        }
    }
}

fn panicked(stack: &'static str, peer: &str, panic: &(dyn std::any::Any + Send)) -> StackError {
    let what = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked".to_owned());
    StackError { stack, peer: peer.to_owned(), what }
}

/// The diary of a session that has not begun.
pub fn blank_diary(
    node: crate::base::NodeId,
    (sockets, places): (Vec<SocketAddr>, Vec<crate::base::NodeId>),
    stack: &'static str,
    counterpart: SessionId,
) -> SessionRun {
    SessionRun {
        node,
        sockets,
        places,
        retired: 0,
        stack,
        counterpart,
        started_at: None,
        local_candidates: Vec::new(),
        remote_candidates: Vec::new(),
        state: IceState::New,
        restarts: Vec::new(),
        ended_at: None,
        connected_at: None,
        selections: Vec::new(),
        first_observed: None,
        observed: None,
        media: Vec::new(),
        troubles: Vec::new(),
    }
}
