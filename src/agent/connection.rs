//! What carries an agent's messages to a server: its UDP socket, or a stream of its own.

use std::collections::VecDeque;

use super::server_link::ServerLink;
use super::{Connect, Output, Security, StreamId};
use crate::plan::{IceServer, Transport};
use crate::transport::framing::Framing;

/// The near end of a way to a server.
#[derive(Debug)]
pub(super) struct Connection {
    link: ServerLink,
    state: State,
}

#[derive(Debug)]
enum State {
    /// There is nothing to open.
    Datagrams,
    /// A stream that the first message opens.
    Unopened(StreamId, Connect),
    Opening(StreamId),
    Open(StreamId),
    /// A stream that is gone.
    Closed,
}

impl Connection {
    /// The way `link` to `server`, on which nothing has been sent.
    pub(super) fn new(link: ServerLink, server: &IceServer) -> Self {
        let state = link.stream().map_or(State::Datagrams, |stream| {
            let security = match link.transport() {
                Transport::Tls => Security::Tls,
                Transport::Tcp | Transport::Udp => Security::Plain,
            };
            let (from, to, host) = (link.base(), link.server(), server.host.clone());
            State::Unopened(stream, Connect { stream, from, to, security, host, framing: Framing::Stun })
        });
        Self { link, state }
    }

    /// The way it goes.
    pub(super) fn link(&self) -> ServerLink {
        self.link
    }

    /// Sends the server a message. Over a stream that is not open yet it waits for that with the host, so the time that
    /// takes counts as the server's (RFC 8489 §6.2.2).
    pub(super) fn send(&mut self, message: Vec<u8>, out: &mut VecDeque<Output>) {
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Unopened(stream, connect) => {
                out.push_back(Output::Connect(connect));
                State::Opening(stream)
            }
            state => state,
        };
        match self.state {
            State::Datagrams => {
                let (from, to) = (self.link.base(), self.link.server());
                out.push_back(Output::Transmit { from, to, payload: message });
            }
            State::Opening(stream) | State::Open(stream) => {
                out.push_back(Output::Write { stream, message });
            }
            State::Unopened(..) | State::Closed => {}
        }
    }

    /// The stream is open.
    pub(super) fn opened(&mut self) {
        if let State::Opening(stream) = self.state {
            self.state = State::Open(stream);
        }
    }

    /// True from the first message to the opening of the stream.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self.state, State::Opening(_))
    }

    /// The stream is gone.
    pub(super) fn closed(&mut self) {
        self.state = State::Closed;
    }

    /// Nobody needs the stream any more. Datagrams need no end.
    pub(super) fn close(&mut self, out: &mut VecDeque<Output>) {
        match self.state {
            State::Opening(stream) | State::Open(stream) => out.push_back(Output::Close(stream)),
            State::Datagrams => return,
            State::Unopened(..) | State::Closed => {}
        }
        self.state = State::Closed;
    }
}
