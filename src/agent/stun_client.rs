//! One STUN server, asked over UDP for the server-reflexive address of one base.

use std::net::SocketAddr;

use super::Output;
use super::server_link::{ServerLink, Tools};
use super::transaction::{Step, Transaction, TransactionIds};
use crate::base::{SimDuration, SimTime};
use crate::wire::stun::{Builder, Class, Message, TransactionId, method};

/// How often a mapping is kept alive while it may still be needed (RFC 8445 §5.1.1.4; Tr of §11).
const KEEPALIVE: SimDuration = SimDuration::from_secs(15);

/// A Binding transaction, and what keeps its result alive.
#[derive(Debug)]
pub(super) struct StunClient {
    link: ServerLink,
    state: State,
}

#[derive(Debug)]
enum State {
    Asking(Transaction),
    /// The mapping stands; the next keepalive is due at this time.
    Mapped(SimTime),
    Ended,
}

/// How a Binding transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The base's address as the server saw it.
    Mapped(SocketAddr),
    /// An error response with this code, or one that says nothing of use.
    Refused(Option<u16>),
}

impl StunClient {
    /// Asks the server at the end of `link`, first at `start`.
    pub(super) fn new(link: ServerLink, ids: &mut TransactionIds, start: SimTime) -> Self {
        Self { link, state: State::Asking(binding(ids, start)) }
    }

    /// The way to the server.
    pub(super) fn link(&self) -> ServerLink {
        self.link
    }

    /// True once the answer is known, or known never to come.
    pub(super) fn has_ended(&self) -> bool {
        !matches!(self.state, State::Asking(_))
    }

    /// True if `id` is that of the running transaction.
    pub(super) fn expects(&self, id: TransactionId) -> bool {
        matches!(&self.state, State::Asking(transaction) if transaction.id() == id)
    }

    /// Reads the answer to the running transaction.
    pub(super) fn answer(&mut self, now: SimTime, message: &Message<'_>) -> Answer {
        match (message.class(), message.mapped_address()) {
            (Class::Success, Ok(Some(mapped))) => {
                self.state = State::Mapped(now + KEEPALIVE);
                Answer::Mapped(mapped)
            }
            _ => {
                self.state = State::Ended;
                Answer::Refused(message.error_code())
            }
        }
    }

    /// When it wants [`StunClient::step`]; keepalives are wanted only if `keep_alive`.
    pub(super) fn due(&self, keep_alive: bool) -> Option<SimTime> {
        match &self.state {
            State::Asking(transaction) => Some(transaction.due()),
            State::Mapped(due) => keep_alive.then_some(*due),
            State::Ended => None,
        }
    }

    /// Does what is due at `now`. True if the server has just turned out never to answer.
    pub(super) fn step(&mut self, now: SimTime, keep_alive: bool, tools: &mut Tools<'_>) -> bool {
        match &mut self.state {
            State::Asking(transaction) => match transaction.step(now) {
                Step::Wait => {}
                Step::Send(request) => tools.out.push_back(transmit(self.link, request)),
                Step::Fail => {
                    self.state = State::Ended;
                    return true;
                }
            },
            State::Mapped(due) if keep_alive && *due <= now => {
                *due = now + KEEPALIVE;
                // Sent once: whether it is answered changes nothing, the next one follows anyway.
                let request = Builder::request(method::BINDING, tools.ids.next()).finish();
                tools.out.push_back(transmit(self.link, request));
            }
            State::Mapped(_) | State::Ended => {}
        }
        false
    }
}

fn transmit(link: ServerLink, payload: Vec<u8>) -> Output {
    Output::Transmit { from: link.base(), to: link.server(), payload }
}

fn binding(ids: &mut TransactionIds, start: SimTime) -> Transaction {
    let id = ids.next();
    Transaction::new(id, Builder::request(method::BINDING, id).finish(), start)
}
