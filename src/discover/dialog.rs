//! Tests written as if one could wait for an answer.
//!
//! A test is a function that asks and goes on with the answer. Nothing here can wait, so the functions are run from their
//! beginning whenever an answer has come: what is known already is given to them at once, and the first thing that is not
//! known ends them with the [`Step`] that finds it out. They are pure, and a few dozen questions long.

use std::net::SocketAddr;

use super::discovery::SocketId;
use crate::base::SimDuration;
use crate::wire::stun::ChangeRequest;

/// Something to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Send a Binding request to the server.
    Ask(Question),
    /// Send Binding requests from each of two own sockets to the other's external endpoint, until one of them arrives.
    Cross {
        /// The sockets.
        sockets: [SocketId; 2],
        /// Their external endpoints.
        mapped: [SocketAddr; 2],
    },
    /// Let time pass.
    Wait(SimDuration),
}

/// A Binding request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) socket: SocketId,
    pub(super) to: SocketAddr,
    /// From where the server is asked to answer (RFC 5780 §7.2).
    pub(super) change: ChangeRequest,
    /// That address.
    pub(super) answered_from: SocketAddr,
    /// The external port it is asked to answer to (RFC 5780 §7.5); `None`: that of the request.
    pub(super) answer_port: Option<u16>,
    /// The socket behind that port.
    pub(super) heard_by: Option<SocketId>,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Reply(Reply),
    /// Where the packet that arrived came from; `None`: none did.
    Crossed(Option<SocketAddr>),
    Waited,
}

/// The server's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// Told this, from where it was asked to.
    Mapped { local: SocketAddr, mapped: SocketAddr, other: Option<SocketAddr> },
    /// Answered as if nothing special had been asked for.
    Unchanged,
    /// Refused, with this code.
    Refused(Option<u16>),
    /// None.
    Silence,
}

/// A server with two addresses and two ports, seen from the first of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) primary: SocketAddr,
    pub(super) alternate: SocketAddr,
}

/// A result, or the step that has to be taken first.
pub(super) type Known<T> = Result<T, Step>;

/// What is known so far, read from the beginning.
#[derive(Debug)]
pub(super) struct Dialog<'a> {
    known: std::slice::Iter<'a, Outcome>,
    sockets: u32,
}

impl Server {
    /// Its primary port on its other address.
    pub(super) const fn other_address(self) -> SocketAddr {
        let mut address = self.alternate;
        address.set_port(self.primary.port());
        address
    }

    /// Its other port on its primary address.
    const fn other_port(self) -> SocketAddr {
        let mut address = self.primary;
        address.set_port(self.alternate.port());
        address
    }
}

impl<'a> Dialog<'a> {
    /// From the beginning.
    pub(super) fn new(known: &'a [Outcome]) -> Self {
        Self { known: known.iter(), sockets: 0 }
    }

    /// A fresh socket.
    pub(super) const fn socket(&mut self) -> SocketId {
        let id = SocketId(self.sockets);
        self.sockets += 1;
        id
    }

    /// Test I: what does the server at `to` see?
    pub(super) fn ask(&mut self, socket: SocketId, to: SocketAddr) -> Known<Reply> {
        let change = ChangeRequest::default();
        self.reply(Question { socket, to, change, answered_from: to, answer_port: None, heard_by: None })
    }

    /// The external endpoint that the server at `to` sees; `None` if it does not tell.
    pub(super) fn mapped(&mut self, socket: SocketId, to: SocketAddr) -> Known<Option<SocketAddr>> {
        Ok(match self.ask(socket, to)? {
            Reply::Mapped { mapped, .. } => Some(mapped),
            Reply::Unchanged | Reply::Refused(_) | Reply::Silence => None,
        })
    }

    /// Test II: is an answer from the server's other address and port let in? `None` if the server did not send one.
    pub(super) fn lets_in_another_address(
        &mut self,
        socket: SocketId,
        server: Server,
    ) -> Known<Option<bool>> {
        self.lets_in(socket, server.primary, ChangeRequest { address: true, port: true }, server.alternate)
    }

    /// Test III: is an answer from its other port let in?
    pub(super) fn lets_in_another_port(&mut self, socket: SocketId, server: Server) -> Known<Option<bool>> {
        self.lets_in(
            socket,
            server.primary,
            ChangeRequest { address: false, port: true },
            server.other_port(),
        )
    }

    fn lets_in(
        &mut self,
        socket: SocketId,
        to: SocketAddr,
        change: ChangeRequest,
        answered_from: SocketAddr,
    ) -> Known<Option<bool>> {
        let question = Question { socket, to, change, answered_from, answer_port: None, heard_by: None };
        Ok(match self.reply(question)? {
            Reply::Mapped { .. } => Some(true),
            Reply::Silence => Some(false),
            Reply::Unchanged | Reply::Refused(_) => None,
        })
    }

    /// Asks from `socket`, and has the answer sent to the external `port` behind which `heard_by` is.
    pub(super) fn ask_for(
        &mut self,
        socket: SocketId,
        to: SocketAddr,
        port: u16,
        heard_by: SocketId,
    ) -> Known<Reply> {
        let (answer_port, heard_by) = (Some(port), Some(heard_by));
        let change = ChangeRequest::default();
        self.reply(Question { socket, to, change, answered_from: to, answer_port, heard_by })
    }

    /// Where a packet between the external endpoints of two own sockets came from; `None` if none arrived.
    pub(super) fn cross(
        &mut self,
        sockets: [SocketId; 2],
        mapped: [SocketAddr; 2],
    ) -> Known<Option<SocketAddr>> {
        match self.known.next() {
            Some(Outcome::Crossed(from)) => Ok(*from),
            _ => Err(Step::Cross { sockets, mapped }),
        }
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, duration: SimDuration) -> Known<()> {
        match self.known.next() {
            Some(Outcome::Waited) => Ok(()),
            _ => Err(Step::Wait(duration)),
        }
    }

    fn reply(&mut self, question: Question) -> Known<Reply> {
        match self.known.next() {
            Some(Outcome::Reply(reply)) => Ok(*reply),
            _ => Err(Step::Ask(question)),
        }
    }
}
