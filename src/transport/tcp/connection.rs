//! One TCP connection: a side of it.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Duration;

use super::cable::{self, Cable, instant, sim_time};
use super::marks::{Inbox, Outbox, Outgoing};
use crate::base::{PacketId, SimDuration, SimTime};
use crate::transport::{Note, Piece};
use crate::wire::{TcpSegment, Trail};

/// How long a connection waits for any sign of the other side while it has something to be acknowledged: the user timeout,
/// whose default RFC 9293 §3.9.1 leaves at five minutes.
pub const SILENCE: SimDuration = SimDuration::from_secs(300);

/// Bytes of either buffer, and so the window: the largest that needs no scaling.
const BUFFER: usize = 65_535;

/// How long an acknowledgment waits for data to ride on.
const ACK_DELAY: Duration = Duration::from_millis(10);

/// The smallest segment that `smoltcp` takes from the other side, in bytes of data.
const LEAST_SEGMENT: u16 = 48;

/// A side of a TCP connection. After every call, [`Connection::poll_segment`] until it has nothing left.
pub struct Connection {
    interface: Box<Interface>,
    sockets: SocketSet<'static>,
    socket: SocketHandle,
    cable: Cable,
    outbox: Outbox,
    inbox: Inbox,
    leaving: VecDeque<Outgoing>,
    is_ours: bool,
    is_closing: bool,
    is_dirty: bool,
    end: Option<Reason>,
    /// Since when the other side owes an acknowledgment and has not been heard of.
    silent_since: Option<SimTime>,
    timeout: Option<SimTime>,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// The handshake is not over.
    Opening,
    /// Bytes go both ways.
    Open,
    /// One side has said that it will send no more, or both have and do not know it of each other yet.
    HalfClosed,
    /// Nothing will be read or sent any more.
    Closed(Reason),
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Both sides have sent all they had.
    Finished,
    /// Nobody listens there: a reset, or an ICMP error, answered the SYN.
    Refused,
    /// The other side knows of no such connection, or wants none any more.
    Reset,
    /// The other side has been silent for [`SILENCE`].
    TimedOut,
    /// This side has given it up.
    Aborted,
}

impl Connection {
    /// A connection that is to be opened. `max_segment` is in bytes of data, as [`super::max_segment`] has it; `seed` gives
    /// the initial sequence number.
    pub fn connect(max_segment: u16, seed: u64, now: SimTime) -> Self {
        let mut connection = Self::new(max_segment, seed, now);
        let socket = connection.sockets.get_mut::<Socket<'_>>(connection.socket);
        // Neither address nor port is zero, and the socket is new: nothing here can fail.
        socket.connect(connection.interface.context(), cable::far(), cable::NEAR_PORT).ok();
        connection.is_ours = true;
        connection
    }

    /// A connection that waits for the SYN which is to be given to it next.
    pub fn accept(max_segment: u16, seed: u64, now: SimTime) -> Self {
        let mut connection = Self::new(max_segment, seed, now);
        connection.tcp_mut().listen(cable::NEAR_PORT).ok();
        connection
    }

    fn new(max_segment: u16, seed: u64, now: SimTime) -> Self {
        let mut cable = Cable::new(max_segment.max(LEAST_SEGMENT));
        let interface = Box::new(cable.interface(seed, now));
        let buffer = || SocketBuffer::new(vec![0; BUFFER]);
        let mut tcp = Socket::new(buffer(), buffer());
        tcp.set_nagle_enabled(false);
        tcp.set_ack_delay(Some(ACK_DELAY));
        let mut sockets = SocketSet::new(Vec::with_capacity(1));
        let socket = sockets.add(tcp);
        Self {
            interface,
            sockets,
            socket,
            cable,
            outbox: Outbox::default(),
            inbox: Inbox::default(),
            leaving: VecDeque::new(),
            is_ours: false,
            is_closing: false,
            is_dirty: true,
            end: None,
            silent_since: None,
            timeout: None,
        }
    }

    /// How far it is.
    pub fn state(&self) -> ConnectionState {
        if let Some(reason) = self.end {
            return ConnectionState::Closed(reason);
        }
        match self.tcp().state() {
            State::Listen | State::SynSent | State::SynReceived => ConnectionState::Opening,
            State::Established => ConnectionState::Open,
            _ => ConnectionState::HalfClosed,
        }
    }

    /// True for one that this side opened.
    pub const fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// True once the other side has said that it will send no more, and all it has sent has been taken.
    pub fn is_at_end(&self) -> bool {
        use State::{CloseWait, Closed, Closing, LastAck, TimeWait};
        self.end.is_some() || matches!(self.tcp().state(), CloseWait | Closing | LastAck | TimeWait | Closed)
    }

    /// True once it is closed, owes no segment and waits for nothing, TIME-WAIT included: it can be forgotten.
    pub fn is_gone(&self) -> bool {
        self.end.is_some() && self.tcp().state() == State::Closed && self.leaving.is_empty() && !self.is_dirty
    }

    /// Takes a segment of the other side that came with `trail` in `packet`.
    pub fn receive(&mut self, now: SimTime, segment: &TcpSegment, trail: Trail, packet: PacketId) {
        self.silent_since = self.silent_since.map(|_| now);
        if self.asks_for_the_fin(segment) {
            return;
        }
        let before = self.tcp().state();
        self.cable.arrive(segment);
        self.interface.poll_ingress_single(instant(now), &mut self.cable, &mut self.sockets);
        let after = self.tcp().state();

        if segment.flags.syn && is_unsynchronized(before) && !is_unsynchronized(after) {
            self.inbox.begin(segment);
        }
        self.inbox.note(segment, trail, BUFFER as u64);
        self.take_in(trail, packet);
        self.notice_end(before, after, segment.flags.rst);
        self.run(now);
    }

    /// Writes bytes, which wait for as long as there is no room for them. A `note` says that a message ends with them.
    pub fn write(&mut self, bytes: impl Into<Bytes>, note: Option<Note>) {
        if self.end.is_none() && !self.is_closing {
            self.outbox.write(bytes.into(), note);
            self.is_dirty = true;
        }
    }

    /// Bytes written that wait for room in the send buffer. A sender that can drop what it sends should, when they grow.
    pub const fn queued(&self) -> usize {
        self.outbox.waiting_len()
    }

    /// The next bytes that came in order.
    pub fn read(&mut self) -> Option<Piece> {
        self.inbox.pop()
    }

    /// Sends what has been written, and then no more. An opening connection does so when it is open.
    pub const fn close(&mut self) {
        self.is_closing = true;
        self.is_dirty = true;
    }

    /// Gives it up at once, with a reset if the other side knows of it.
    pub fn abort(&mut self) {
        if self.end.is_some() {
            return;
        }
        if is_unsynchronized(self.tcp().state()) {
            self.vanish(Reason::Aborted);
        } else {
            self.tcp_mut().abort();
            self.end = Some(Reason::Aborted);
            self.is_dirty = true;
        }
    }

    /// An ICMP error says that the other side cannot be reached. It ends a connection that is opening, and no other
    /// (RFC 1122 §4.2.3.9, RFC 5461).
    pub fn unreachable(&mut self) {
        if self.state() == ConnectionState::Opening {
            self.vanish(Reason::Refused);
        }
    }

    /// The next segment to send.
    pub fn poll_segment(&mut self, now: SimTime) -> Option<Outgoing> {
        if self.is_dirty {
            self.run(now);
        }
        self.leaving.pop_front()
    }

    /// When [`Connection::handle_timeout`] wants to be called next; `None` while it waits for others.
    pub const fn next_timeout(&self) -> Option<SimTime> {
        self.timeout
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: SimTime) {
        if self.silent_since.is_some_and(|since| now >= since + SILENCE) {
            self.vanish(Reason::TimedOut);
        }
        self.run(now);
    }

    /// True for an acknowledgment of all but the FIN. Three of them would make `smoltcp` 0.14 look for data to send again,
    /// find none, and forget its timer, and the FIN would never be repeated; its timer is enough.
    fn asks_for_the_fin(&self, segment: &TcpSegment) -> bool {
        let is_plain =
            segment.payload.is_empty() && !segment.flags.syn && !segment.flags.fin && !segment.flags.rst;
        let tcp = self.tcp();
        is_plain
            && matches!(tcp.state(), State::FinWait1 | State::Closing | State::LastAck)
            && tcp.send_queue() == 0
            && self.outbox.end() == Some(segment.acknowledgment)
    }

    /// Sends whatever is due, and says when to look again.
    fn run(&mut self, now: SimTime) {
        self.is_dirty = false;
        let before = self.tcp().state();
        loop {
            let waiting = self.outbox.waiting_len();
            self.fill();
            self.interface.poll_egress(instant(now), &mut self.cable, &mut self.sockets);
            let is_idle = !self.send_out() && waiting == self.outbox.waiting_len();
            if is_idle {
                break;
            }
        }
        let after = self.tcp().state();
        self.notice_end(before, after, false);
        self.notice_silence(now, after);
        self.timeout = self.next_moment(now);
    }

    fn fill(&mut self) {
        let tcp = self.sockets.get_mut::<Socket<'_>>(self.socket);
        // A connection that cannot send yet takes nothing.
        self.outbox.fill(|bytes| tcp.send_slice(bytes).unwrap_or(0));
        let is_open = matches!(tcp.state(), State::Established | State::CloseWait);
        if self.is_closing && is_open && self.outbox.waiting_len() == 0 {
            tcp.close();
        }
    }

    /// Takes all that came in order.
    fn take_in(&mut self, trail: Trail, packet: PacketId) {
        let tcp = self.sockets.get_mut::<Socket<'_>>(self.socket);
        let mut bytes = Vec::with_capacity(tcp.recv_queue());
        while tcp.can_recv() {
            let taken = tcp.recv(|part| {
                bytes.extend_from_slice(part);
                (part.len(), ())
            });
            if taken.is_err() {
                break;
            }
        }
        if !bytes.is_empty() {
            self.inbox.read(bytes.into(), trail, packet);
        }
    }

    /// Takes the segments off the cable; false if there were none.
    fn send_out(&mut self) -> bool {
        let unacknowledged = self.tcp().send_queue();
        self.outbox.acknowledged_but(unacknowledged);
        let mut any = false;
        while let Some(segment) = self.cable.leave() {
            self.leaving.push_back(self.outbox.mark(segment, unacknowledged));
            any = true;
        }
        any
    }

    fn notice_end(&mut self, before: State, after: State, by_reset: bool) {
        if self.end.is_some() || before == after {
            return;
        }
        match after {
            State::TimeWait => self.end = Some(Reason::Finished),
            State::Closed if !by_reset => self.end = Some(Reason::Finished),
            // The last acknowledgment was lost, and the other side has forgotten a connection that it saw finished.
            State::Closed if matches!(before, State::LastAck | State::Closing) => {
                self.end = Some(Reason::Finished);
            }
            State::Closed if matches!(before, State::SynSent | State::SynReceived) => {
                self.end = Some(Reason::Refused);
            }
            State::Closed => self.end = Some(Reason::Reset),
            // It would wait for another SYN, which belongs to another connection.
            State::Listen => self.vanish(Reason::Reset),
            _ => {}
        }
    }

    fn notice_silence(&mut self, now: SimTime, state: State) {
        let is_owed = self.tcp().send_queue() > 0
            || matches!(
                state,
                State::SynSent | State::SynReceived | State::FinWait1 | State::Closing | State::LastAck
            );
        self.silent_since = is_owed.then(|| self.silent_since.unwrap_or(now));
    }

    fn next_moment(&mut self, now: SimTime) -> Option<SimTime> {
        let due = self.interface.poll_at(instant(now), &self.sockets).map(sim_time);
        // All that was due has been done. Should it ever say otherwise, a run must not stand still.
        let due = due.map(|due| if due > now { due } else { now + SimDuration::from_millis(1) });
        let given_up = self.silent_since.map(|since| since + SILENCE);
        [due, given_up].into_iter().flatten().min()
    }

    /// Closes without a word to the other side.
    fn vanish(&mut self, reason: Reason) {
        self.end.get_or_insert(reason);
        // A socket that has forgotten the other side has nothing to tell it.
        *self.tcp_mut() = Socket::new(SocketBuffer::new(Vec::new()), SocketBuffer::new(Vec::new()));
        self.silent_since = None;
        self.timeout = None;
    }

    fn tcp(&self) -> &Socket<'static> {
        self.sockets.get(self.socket)
    }

    fn tcp_mut(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.socket)
    }
}

/// True before the other side's SYN has been accepted.
const fn is_unsynchronized(state: State) -> bool {
    matches!(state, State::Listen | State::SynSent)
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("state", &self.state()).finish_non_exhaustive()
    }
}
