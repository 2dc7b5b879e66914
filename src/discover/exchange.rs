//! Requests under way: their retransmissions, and what counts as an answer.

use std::net::SocketAddr;

use super::dialog::{Outcome, Question, Reply, Step};
use super::discovery::SocketId;
use crate::base::{Random, SimDuration, SimTime};
use crate::wire::stun::{Builder, ChangeRequest, Class, Message, TransactionId, method, transaction_id};

/// The initial retransmission time-out, unless there is less time (RFC 8489 §6.2.1).
const RTO: SimDuration = SimDuration::from_millis(500);

/// How long to wait for an answer, and how often to ask, before silence counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The initial retransmission time-out, which doubles.
    rto: SimDuration,
    /// How many times a request is sent.
    sends: u32,
    /// From its first copy until silence.
    total: SimDuration,
}

impl Patience {
    /// Three requests within 1.5 s, and silence after 2.5 s: enough where next to nothing is lost. Half of all tests end
    /// in silence, and a NAT with short timers may forget a mapping in the course of a long one.
    pub const SHORT: Self = Self::within(SimDuration::from_millis(2_500));
    /// What RFC 8489 recommends: seven requests within 31.5 s, and silence after 39.5 s.
    pub const LONG: Self = Self::within(SimDuration::from_millis(39_500));

    /// Silence after this time; until then as many requests as RFC 8489's doubling time-outs allow, and at least three.
    pub const fn within(total: SimDuration) -> Self {
        let (mut rto, mut sends) = (RTO, 3);
        let fifth = total.as_nanos() / 5;
        if fifth < RTO.as_nanos() {
            rto = SimDuration::from_nanos(fifth);
        }
        // The last copy has two time-outs for its answer.
        while sends < 7 && sent_after(rto, sends + 1).as_nanos() + 2 * rto.as_nanos() <= total.as_nanos() {
            sends += 1;
        }
        Self { rto, sends, total }
    }

    /// From the first request until silence.
    pub const fn total(self) -> SimDuration {
        self.total
    }

    /// How long after the first request the next is due if this many have been sent, or silence if there is no next.
    const fn next_after(self, sent: u32) -> SimDuration {
        if sent >= self.sends { self.total } else { sent_after(self.rto, sent + 1) }
    }
}

/// When the request with this number, counted from 1, is sent after the first.
const fn sent_after(rto: SimDuration, number: u32) -> SimDuration {
    rto.times((1 << (number - 1)) - 1)
}

/// A step under way.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) step: Step,
    requests: Vec<Request>,
    patience: Patience,
    sent: u32,
    begun: SimTime,
    due: SimTime,
}

/// A datagram, and the id its answer will carry.
#[derive(Debug)]
struct Request {
    id: TransactionId,
    from: SocketId,
    to: SocketAddr,
    payload: Vec<u8>,
}

/// A datagram to send.
pub(super) type Datagram = (SocketId, SocketAddr, Vec<u8>);

impl Exchange {
    /// The step as requests, the first of them due at `start`.
    pub(super) fn new(step: Step, patience: Patience, start: SimTime, random: &mut Random) -> Self {
        let mut request = |from, to, question: Option<Question>| {
            let id = transaction_id(random);
            Request { id, from, to, payload: binding(id, question) }
        };
        let requests = match step {
            Step::Wait(_) => Vec::new(),
            Step::Ask(question) => vec![request(question.socket, question.to, Some(question))],
            Step::Cross { sockets: [a, b], mapped: [to_a, to_b] } => {
                vec![request(a, to_b, None), request(b, to_a, None)]
            }
        };
        let due = if let Step::Wait(duration) = step { start + duration } else { start };
        Self { step, requests, patience, sent: 0, begun: start, due }
    }

    /// The sockets it needs.
    pub(super) fn sockets(&self) -> Vec<SocketId> {
        match self.step {
            Step::Wait(_) => Vec::new(),
            Step::Ask(question) => [Some(question.socket), question.heard_by].into_iter().flatten().collect(),
            Step::Cross { sockets, .. } => sockets.to_vec(),
        }
    }

    /// When it wants [`Exchange::advance`].
    pub(super) const fn due(&self) -> SimTime {
        self.due
    }

    /// Sends what is due at `now`; gives the outcome if nothing more is to come.
    pub(super) fn advance(&mut self, now: SimTime, out: &mut Vec<Datagram>) -> Option<Outcome> {
        if now < self.due {
            return None;
        }
        match self.step {
            Step::Wait(_) => return Some(Outcome::Waited),
            Step::Ask(_) if self.sent == self.patience.sends => return Some(Outcome::Reply(Reply::Silence)),
            Step::Cross { .. } if self.sent == self.patience.sends => return Some(Outcome::Crossed(None)),
            Step::Ask(_) | Step::Cross { .. } => {}
        }
        if self.sent == 0 {
            self.begun = now;
        }
        self.sent += 1;
        self.due = self.begun + self.patience.next_after(self.sent);
        out.extend(self.requests.iter().map(|request| (request.from, request.to, request.payload.clone())));
        None
    }

    /// What a datagram makes of it; `None` if it has nothing to do with it. `local` is the address of a socket.
    pub(super) fn hear(
        &self,
        socket: SocketId,
        from: SocketAddr,
        payload: &[u8],
        local: impl Fn(SocketId) -> Option<SocketAddr>,
    ) -> Option<Outcome> {
        let message = Message::parse(payload).filter(|message| message.method() == method::BINDING)?;
        let request = self.requests.iter().find(|request| request.id == message.transaction())?;
        match self.step {
            Step::Wait(_) => None,
            Step::Cross { .. } => (message.class() == Class::Request && socket != request.from)
                .then_some(Outcome::Crossed(Some(from))),
            Step::Ask(question) => {
                let reply = answer(&question, socket, from, &message, local(question.socket)?)?;
                Some(Outcome::Reply(reply))
            }
        }
    }
}

/// A Binding request. Between two sockets of the client there is no server to ask anything of.
fn binding(id: TransactionId, question: Option<Question>) -> Vec<u8> {
    let mut request = Builder::request(method::BINDING, id);
    if let Some(Question { change, answer_port, .. }) = question {
        if change != ChangeRequest::default() {
            request = request.change_request(change);
        }
        if let Some(port) = answer_port {
            request = request.response_port(port);
        }
    }
    request.finish()
}

/// Reads an answer. It counts only where, and from where, it was asked for: a server that does not understand the request
/// answers as ever, and that must not be taken for an open filter.
fn answer(
    question: &Question,
    socket: SocketId,
    from: SocketAddr,
    message: &Message<'_>,
    local: SocketAddr,
) -> Option<Reply> {
    if !matches!(message.class(), Class::Success | Class::Error) {
        return None;
    }
    let as_asked = from == question.answered_from && socket == question.heard_by.unwrap_or(question.socket);
    let as_ever = from == question.to && socket == question.socket;
    match (message.class(), message.mapped_address()) {
        (Class::Error, _) if as_ever || as_asked => Some(Reply::Refused(message.error_code())),
        (Class::Success, Ok(Some(mapped))) if as_asked => {
            Some(Reply::Mapped { local, mapped, other: message.other_address().ok().flatten() })
        }
        (Class::Success, _) if as_ever => Some(Reply::Unchanged),
        _ => None,
    }
}
