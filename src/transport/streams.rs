//! Streams of messages: a host's TCP connections with what stands on each of them, TLS and framing.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::connect::{Answer, Target, Tunnel};
use super::framing::{Framing, Messages};
use super::tcp::{ConnectError, ConnectionId, Event, Reason, Sockets, Taken};
use super::tls::TlsEnd;
use super::{Note, Piece};
use crate::base::{Random, SimTime};
use crate::wire::{Flow, Icmp, Packet};

/// What a stream is made of, above TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// What tells its messages apart.
    pub framing: Framing,
    /// TLS, if it is spoken.
    pub tls: Option<Tls>,
}

/// An end of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// The one that begins, and tells this name of the other end.
    Client(String),
    /// The one that answers.
    Server,
}

/// All streams of a host, and the ports it listens on. After every call, [`Streams::poll`] until it has nothing left.
#[derive(Debug)]
pub struct Streams {
    sockets: Sockets,
    random: Random,
    listening: BTreeMap<SocketAddr, Build>,
    streams: BTreeMap<ConnectionId, Stream>,
    events: VecDeque<StreamEvent>,
}

/// What happens at the streams of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// A packet is to be sent, and the packet that caused it, if any did.
    Send(Packet, Option<crate::base::PacketId>),
    /// Something happened to a stream of this flow, from this host outwards.
    News(ConnectionId, Flow, News),
}

/// What happens to a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It is open, the TLS handshake included. One that the host did not open itself is heard of here first.
    Opened,
    /// A message has come.
    Message(Piece),
    /// It is gone, and its id no longer means anything. A stream that this host closed itself goes without a word.
    Closed(End),
}

/// Why a stream is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its connection is closed, or will not be written to by the other side any more ([`Reason::Finished`]).
    Connection(Reason),
    /// The other side does not speak TLS.
    NotTls,
    /// What came is no message.
    Malformed,
    /// The HTTP proxy on the way opened no tunnel, and answered with this status code.
    NoTunnel(u16),
}

/// A message that is too long for the framing of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes are too many for one message of the stream")]
pub struct TooLong(pub usize);

#[derive(Debug)]
struct Stream {
    flow: Flow,
    framing: Framing,
    messages: Messages,
    tls: Option<TlsEnd>,
    /// The tunnel that is not open yet, of a stream through a proxy.
    way: Option<Way>,
    is_open: bool,
}

/// A tunnel that a proxy was asked for.
#[derive(Debug)]
struct Way {
    target: Target,
    tunnel: Tunnel,
    /// What was written before it is open.
    waiting: Vec<(Vec<u8>, Note)>,
}

impl Streams {
    /// No streams yet. As [`Sockets::new`].
    pub fn new(mut random: Random, mtu: u16, limit: usize) -> Self {
        let sequences = Random::stream(random.next_u64(), "tcp", "sequence numbers");
        Self {
            sockets: Sockets::new(sequences, mtu, limit),
            random,
            listening: BTreeMap::new(),
            streams: BTreeMap::new(),
            events: VecDeque::new(),
        }
    }

    /// Accepts streams at `local` from now on.
    pub fn listen(&mut self, local: SocketAddr, build: Build) {
        self.sockets.listen(local);
        self.listening.insert(local, build);
    }

    /// Opens a stream; `flow` goes from this host outwards.
    ///
    /// # Errors
    ///
    /// As [`Sockets::connect`].
    pub fn connect(&mut self, now: SimTime, flow: Flow, build: &Build) -> Result<ConnectionId, ConnectError> {
        let id = self.sockets.connect(now, flow)?;
        self.add(id, flow, build, None);
        Ok(id)
    }

    /// Opens a stream to `target` through an HTTP proxy; `flow` goes from this host to the proxy.
    ///
    /// # Errors
    ///
    /// As [`Sockets::connect`].
    pub fn connect_through(
        &mut self,
        now: SimTime,
        flow: Flow,
        target: Target,
        build: &Build,
    ) -> Result<ConnectionId, ConnectError> {
        let id = self.sockets.connect(now, flow)?;
        self.add(id, flow, build, Some(target));
        Ok(id)
    }

    /// True if a connection of this host leaves from `local`.
    pub fn is_taken(&self, local: SocketAddr) -> bool {
        self.sockets.is_taken(local)
    }

    /// Takes a segment that came to this host.
    pub fn receive(&mut self, now: SimTime, packet: &Packet) -> Taken {
        self.sockets.receive(now, packet)
    }

    /// Takes an ICMP error; one about a connection that is opening ends it.
    pub fn icmp(&mut self, icmp: &Icmp) {
        self.sockets.icmp(icmp);
    }

    /// Writes a message, which waits until the stream is open and there is room. Of a stream that is gone nothing is written.
    ///
    /// # Errors
    ///
    /// The framing cannot hold it.
    pub fn write(&mut self, id: ConnectionId, note: Note) -> Result<(), TooLong> {
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        let bytes = stream.framing.frame(&note.message).ok_or(TooLong(note.message.len()))?;
        match &mut stream.way {
            Some(way) => way.waiting.push((bytes, note)),
            None => stream.write(id, bytes, note, &mut self.sockets),
        }
        Ok(())
    }

    /// Bytes written to a stream that wait for room in its send buffer.
    pub fn queued(&self, id: ConnectionId) -> usize {
        self.sockets.queued(id)
    }

    /// The stream of this flow, from this host outwards.
    pub fn find(&self, flow: Flow) -> Option<ConnectionId> {
        self.sockets.find(flow).filter(|id| self.streams.contains_key(id))
    }

    /// Closes a stream, after what was written to it has been sent; one that is not open yet at once, as operating systems
    /// do. Nothing more is heard of it.
    pub fn close(&mut self, id: ConnectionId) {
        let Some(mut stream) = self.streams.remove(&id) else { return };
        if !stream.is_open {
            self.sockets.abort(id);
            return;
        }
        if let Some(tls) = &mut stream.tls {
            tls.close();
            pass_down(&mut self.sockets, id, tls);
        }
        self.sockets.close(id);
    }

    /// The next thing that happened.
    pub fn poll(&mut self, now: SimTime) -> Option<StreamEvent> {
        while self.events.is_empty() {
            match self.sockets.poll(now)? {
                Event::Send(packet, cause) => return Some(StreamEvent::Send(packet, cause)),
                Event::Opened(id) => self.opened(id),
                Event::Data(id, piece) => self.take(id, &piece),
                Event::Ended(id) => {
                    self.ended(id);
                    self.sockets.close(id);
                }
                Event::Closed(id, reason) => self.end(id, End::Connection(reason)),
            }
        }
        self.events.pop_front()
    }

    /// When [`Streams::handle_timeout`] wants to be called next.
    pub fn next_timeout(&self) -> Option<SimTime> {
        self.sockets.next_timeout()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: SimTime) {
        self.sockets.handle_timeout(now);
    }

    fn add(&mut self, id: ConnectionId, flow: Flow, build: &Build, target: Option<Target>) {
        let tls = build.tls.as_ref().map(|tls| match tls {
            Tls::Client(name) => {
                TlsEnd::client(name, Random::stream(self.random.next_u64(), "tls", "client"))
            }
            Tls::Server => TlsEnd::server(Random::stream(self.random.next_u64(), "tls", "server")),
        });
        let messages = Messages::new(build.framing);
        let way = target.map(|target| Way { target, tunnel: Tunnel::default(), waiting: Vec::new() });
        let stream = Stream { flow, framing: build.framing, messages, tls, way, is_open: false };
        self.streams.insert(id, stream);
    }

    /// TCP's handshake is over, and that of TLS can begin, or a proxy be asked for a tunnel.
    fn opened(&mut self, id: ConnectionId) {
        if let Some(flow) = self.sockets.flow(id)
            && !self.streams.contains_key(&id)
            && let Some(build) = self.listening.get(&flow.source).cloned()
        {
            self.add(id, flow, &build, None);
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
        match &stream.way {
            Some(way) => self.sockets.write(id, way.target.request(), None),
            None => stream.begin(id, &mut self.sockets, &mut self.events),
        }
    }

    /// The answer of a proxy has come, or a part of it.
    fn take_answer(&mut self, id: ConnectionId, piece: &Piece) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let Some(way) = &mut stream.way else { return };
        match way.tunnel.receive(piece) {
            None => {}
            Some(Answer::Established) => {
                let (rest, waiting) = (way.tunnel.read(), std::mem::take(&mut way.waiting));
                stream.way = None;
                stream.begin(id, &mut self.sockets, &mut self.events);
                for (bytes, note) in waiting {
                    stream.write(id, bytes, note, &mut self.sockets);
                }
                if let Some(rest) = rest {
                    self.take(id, &rest);
                }
            }
            Some(refusal) => {
                self.end(id, End::NoTunnel(refusal.status()));
                self.sockets.close(id);
            }
        }
    }

    /// Bytes have come: of a stream that this side has closed they are thrown away.
    fn take(&mut self, id: ConnectionId, piece: &Piece) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.way.is_some() {
            return self.take_answer(id, piece);
        }
        let taken = match &mut stream.tls {
            None => stream.read(id, piece, &mut self.events),
            Some(tls) => {
                let received = tls.receive(piece);
                let plain: Vec<_> = std::iter::from_fn(|| tls.read()).collect();
                pass_down(&mut self.sockets, id, tls);
                stream.tell_if_open(id, &mut self.events);
                let mut plain = plain.iter();
                plain
                    .try_for_each(|piece| stream.read(id, piece, &mut self.events))
                    .and_then(|()| received.map_err(|_| End::NotTls))
            }
        };
        if let Err(why) = taken {
            self.end(id, why);
            // What waits to be sent is an alert, which tells the other side why.
            self.sockets.close(id);
        } else if self.streams.get(&id).is_some_and(Stream::has_tls_ended) {
            self.tell(id, End::Connection(Reason::Finished));
            self.close(id);
        }
    }

    /// The other side will send no more: there will be no answers, so nothing is worth asking.
    fn ended(&mut self, id: ConnectionId) {
        let is_handshake =
            self.streams.get(&id).is_some_and(|stream| !stream.is_open && stream.way.is_none());
        // Whoever hangs up on a hello does not know what to make of it.
        self.end(id, if is_handshake { End::NotTls } else { End::Connection(Reason::Finished) });
    }

    fn end(&mut self, id: ConnectionId, why: End) {
        self.tell(id, why);
        self.streams.remove(&id);
    }

    fn tell(&mut self, id: ConnectionId, why: End) {
        if let Some(stream) = self.streams.get(&id) {
            self.events.push_back(StreamEvent::News(id, stream.flow, News::Closed(why)));
        }
    }
}

impl Stream {
    /// What is below is open.
    fn begin(&mut self, id: ConnectionId, sockets: &mut Sockets, events: &mut VecDeque<StreamEvent>) {
        if let Some(tls) = &mut self.tls {
            pass_down(sockets, id, tls);
        }
        self.tell_if_open(id, events);
    }

    /// Writes a message in its frame.
    fn write(&mut self, id: ConnectionId, bytes: Vec<u8>, note: Note, sockets: &mut Sockets) {
        match &mut self.tls {
            None => sockets.write(id, bytes, Some(note)),
            Some(tls) => {
                tls.write(bytes, Some(note));
                pass_down(sockets, id, tls);
            }
        }
    }

    fn tell_if_open(&mut self, id: ConnectionId, events: &mut VecDeque<StreamEvent>) {
        if !self.is_open && self.tls.as_ref().is_none_or(TlsEnd::is_open) {
            self.is_open = true;
            events.push_back(StreamEvent::News(id, self.flow, News::Opened));
        }
    }

    fn read(
        &mut self,
        id: ConnectionId,
        piece: &Piece,
        events: &mut VecDeque<StreamEvent>,
    ) -> Result<(), End> {
        self.messages.push(piece);
        while let Some(message) = self.messages.poll().map_err(|_| End::Malformed)? {
            events.push_back(StreamEvent::News(id, self.flow, News::Message(message)));
        }
        Ok(())
    }

    fn has_tls_ended(&self) -> bool {
        self.tls.as_ref().is_some_and(TlsEnd::is_at_end)
    }
}

/// Writes to TCP what TLS has to send.
fn pass_down(sockets: &mut Sockets, id: ConnectionId, tls: &mut TlsEnd) {
    while let Some((bytes, note)) = tls.poll_write() {
        sockets.write(id, bytes, note);
    }
}

#[cfg(test)]
mod tests;
