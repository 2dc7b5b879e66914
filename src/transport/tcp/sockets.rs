//! All TCP connections of a host, and the ports it listens on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::connection::{Connection, ConnectionState, Reason};
use super::{max_segment, refuse};
use crate::base::{PacketId, Random, SimTime};
use crate::plan::Protocol;
use crate::transport::{Note, Piece};
use crate::wire::{Body, Flow, Icmp, IcmpKind, Packet, TcpSegment};

/// A connection of one host; never used again after it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u32);

/// A host's connections and listeners. After every call, [`Sockets::poll`] until it has nothing left.
#[derive(Debug)]
pub struct Sockets {
    random: Random,
    mtu: u16,
    limit: usize,
    listening: BTreeSet<SocketAddr>,
    connections: BTreeMap<ConnectionId, Entry>,
    /// By their flow outwards.
    by_flow: FxHashMap<Flow, ConnectionId>,
    timeouts: BTreeSet<(SimTime, ConnectionId)>,
    touched: BTreeSet<ConnectionId>,
    events: VecDeque<Event>,
    opened: u32,
}

/// What happens at the sockets of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A packet is to be sent, and the packet that caused it, if any did.
    Send(Packet, Option<PacketId>),
    /// A connection is open; one that the host did not open itself is heard of here first.
    Opened(ConnectionId),
    /// Bytes have come.
    Data(ConnectionId, Piece),
    /// The other side will send no more. The connection goes on until [`Sockets::close`].
    Ended(ConnectionId),
    /// The connection is closed, and its id no longer means anything.
    Closed(ConnectionId, Reason),
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It belongs to a connection.
    Connection(ConnectionId),
    /// It belongs to none. A reset is on its way, unless it was one.
    Refused(Refusal),
}

/// Why a segment belongs to no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It would open a connection to a port where nobody listens.
    Closed,
    /// It belongs to a connection that the host does not know, or no longer.
    Unknown,
    /// It would open a connection, and the host has as many as it may have.
    Full,
}

impl Refusal {
    /// Why a host without any connection or listener refuses this segment.
    pub const fn of(segment: &TcpSegment) -> Self {
        if segment.flags.opens_connection() { Self::Closed } else { Self::Unknown }
    }

    /// The same in words, of a segment of this flow.
    pub fn about(self, Flow { source, destination }: Flow) -> String {
        match self {
            Self::Closed => format!("nothing listens on {destination} for TCP"),
            Self::Unknown => format!("{destination} knows of no TCP connection from {source}"),
            Self::Full => format!("{} has as many TCP connections as it may have", destination.ip()),
        }
    }
}

/// Why a connection cannot be opened at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The host has as many connections as it may.
    #[error("the host has {0} TCP connections, which is as many as it may have")]
    Full(usize),
    /// There is a connection between these two sockets.
    #[error("there is a TCP connection {0} already")]
    Taken(Flow),
}

#[derive(Debug)]
struct Entry {
    connection: Connection,
    flow: Flow,
    timeout: Option<SimTime>,
    told: Told,
}

/// How far a connection was when it was last told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nothing,
    Opened,
    Ended,
    Closed,
}

impl Sockets {
    /// No connections yet, and at most `limit` at one time. `random` gives their initial sequence numbers; no packet will be
    /// larger than `mtu` bytes, headers included.
    pub fn new(random: Random, mtu: u16, limit: usize) -> Self {
        Self {
            random,
            mtu,
            limit,
            listening: BTreeSet::new(),
            connections: BTreeMap::new(),
            by_flow: FxHashMap::default(),
            timeouts: BTreeSet::new(),
            touched: BTreeSet::new(),
            events: VecDeque::new(),
            opened: 0,
        }
    }

    /// Accepts connections to `local` from now on.
    pub fn listen(&mut self, local: SocketAddr) {
        self.listening.insert(local);
    }

    /// Opens a connection; `flow` goes from this host outwards.
    ///
    /// # Errors
    ///
    /// If there is one of this flow, or no room for another.
    pub fn connect(&mut self, now: SimTime, flow: Flow) -> Result<ConnectionId, ConnectError> {
        if self.by_flow.contains_key(&flow) {
            return Err(ConnectError::Taken(flow));
        }
        self.open(now, flow, Connection::connect).ok_or(ConnectError::Full(self.limit))
    }

    /// Takes a packet that came to this host. What is not TCP is nobody's here.
    pub fn receive(&mut self, now: SimTime, packet: &Packet) -> Taken {
        let Body::Tcp(segment) = &packet.body else { return Taken::Refused(Refusal::Unknown) };
        let flow = packet.flow.reversed();
        let known = self.by_flow.get(&flow).copied();
        let is_wanted = segment.flags.opens_connection() && self.listening.contains(&flow.source);
        let id = match known {
            None if is_wanted => self.open(now, flow, Connection::accept),
            known => known,
        };
        let Some((id, entry)) = id.and_then(|id| Some((id, self.connections.get_mut(&id)?))) else {
            let answer = refuse(segment).map(|answer| Packet::tcp(flow, answer));
            self.events.extend(answer.map(|answer| Event::Send(answer, Some(packet.id))));
            return Taken::Refused(if is_wanted { Refusal::Full } else { Refusal::of(segment) });
        };
        entry.connection.receive(now, segment, packet.trail, packet.id);
        self.touched.insert(id);
        Taken::Connection(id)
    }

    /// Takes an ICMP error; one about a connection that is opening ends it.
    pub fn icmp(&mut self, icmp: &Icmp) {
        let is_about_tcp = icmp.quoted_protocol == Protocol::Tcp;
        let is_hard = !matches!(icmp.kind, IcmpKind::TimeExceeded | IcmpKind::PacketTooBig);
        if is_about_tcp
            && is_hard
            && let Some(id) = self.by_flow.get(&icmp.quoted).copied()
        {
            self.with(id, Connection::unreachable);
        }
    }

    /// Writes bytes to a connection, which waits for room; a `note` says that a message ends with them.
    pub fn write(&mut self, id: ConnectionId, bytes: impl Into<Bytes>, note: Option<Note>) {
        self.with(id, |connection| connection.write(bytes, note));
    }

    /// Bytes written to a connection that wait for room in its send buffer.
    pub fn queued(&self, id: ConnectionId) -> usize {
        self.connections.get(&id).map_or(0, |entry| entry.connection.queued())
    }

    /// Sends what has been written to a connection, and then no more.
    pub fn close(&mut self, id: ConnectionId) {
        self.with(id, Connection::close);
    }

    /// Gives a connection up at once.
    pub fn abort(&mut self, id: ConnectionId) {
        self.with(id, Connection::abort);
    }

    /// A connection's flow, from this host outwards.
    pub fn flow(&self, id: ConnectionId) -> Option<Flow> {
        self.connections.get(&id).map(|entry| entry.flow)
    }

    /// The connection of this flow, from this host outwards.
    pub fn find(&self, flow: Flow) -> Option<ConnectionId> {
        self.by_flow.get(&flow).copied()
    }

    /// True if a connection leaves from `local`.
    pub fn is_taken(&self, local: SocketAddr) -> bool {
        self.connections.values().any(|entry| entry.flow.source == local)
    }

    /// The next thing that happened.
    pub fn poll(&mut self, now: SimTime) -> Option<Event> {
        while self.events.is_empty() {
            let id = self.touched.pop_first()?;
            self.settle(now, id);
        }
        self.events.pop_front()
    }

    /// When [`Sockets::handle_timeout`] wants to be called next.
    pub fn next_timeout(&self) -> Option<SimTime> {
        self.timeouts.first().map(|(at, _)| *at)
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: SimTime) {
        let due: Vec<_> = self.timeouts.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id).collect();
        for id in due {
            self.with(id, |connection| connection.handle_timeout(now));
        }
    }

    fn open(
        &mut self,
        now: SimTime,
        flow: Flow,
        make: impl FnOnce(u16, u64, SimTime) -> Connection,
    ) -> Option<ConnectionId> {
        if self.connections.len() >= self.limit {
            return None;
        }
        let id = ConnectionId(self.opened);
        self.opened += 1;
        let connection = make(max_segment(self.mtu, flow.source.is_ipv4()), self.random.next_u64(), now);
        self.connections.insert(id, Entry { connection, flow, timeout: None, told: Told::Nothing });
        self.by_flow.insert(flow, id);
        self.touched.insert(id);
        Some(id)
    }

    fn with(&mut self, id: ConnectionId, act: impl FnOnce(&mut Connection)) {
        if let Some(entry) = self.connections.get_mut(&id) {
            act(&mut entry.connection);
            self.touched.insert(id);
        }
    }

    /// Tells of everything that a connection has to tell, and forgets it once it is gone.
    fn settle(&mut self, now: SimTime, id: ConnectionId) {
        let Some(entry) = self.connections.get_mut(&id) else { return };
        while let Some(out) = entry.connection.poll_segment(now) {
            self.events.push_back(Event::Send(Packet::tcp(entry.flow, out.segment), out.cause));
        }
        entry.tell(id, &mut self.events);

        let (timeout, flow) = (entry.connection.next_timeout(), entry.flow);
        if let Some(before) = std::mem::replace(&mut entry.timeout, timeout) {
            self.timeouts.remove(&(before, id));
        }
        if entry.connection.is_gone() {
            self.connections.remove(&id);
            self.by_flow.remove(&flow);
        } else if let Some(timeout) = timeout {
            self.timeouts.insert((timeout, id));
        }
    }
}

impl Entry {
    fn tell(&mut self, id: ConnectionId, events: &mut VecDeque<Event>) {
        if self.told == Told::Closed {
            return;
        }
        let state = self.connection.state();
        let has_opened = matches!(state, ConnectionState::Open | ConnectionState::HalfClosed)
            || state == ConnectionState::Closed(Reason::Finished);
        if self.told == Told::Nothing && has_opened {
            events.push_back(Event::Opened(id));
            self.told = Told::Opened;
        }
        while let Some(piece) = self.connection.read() {
            events.push_back(Event::Data(id, piece));
        }
        if self.told == Told::Opened && self.connection.is_at_end() && has_opened {
            events.push_back(Event::Ended(id));
            self.told = Told::Ended;
        }
        if let ConnectionState::Closed(reason) = state {
            // One that never opened is nothing to whoever listens.
            if self.told != Told::Nothing || self.connection.is_ours() {
                events.push_back(Event::Closed(id, reason));
            }
            self.told = Told::Closed;
        }
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
