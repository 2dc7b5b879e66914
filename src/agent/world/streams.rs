//! Streams of the test world: messages that arrive in order, as they come out of the framing.

use std::net::SocketAddr;

use bytes::Bytes;

use super::super::{Connect, Input, Security, StreamEnd, StreamId};
use super::{Arrival, Datagram, LINK_DELAY, World, server};
use crate::base::SimDuration;
use crate::transport::Piece;
use crate::transport::framing::Messages;

/// What becomes of a stream that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum Fate {
    Opens,
    Ends(StreamEnd),
    /// Nothing is ever heard of it.
    Silence,
}

/// A stream from an agent to the server.
#[derive(Debug)]
pub(super) struct Stream {
    side: usize,
    connect: Connect,
    local: SocketAddr,
    state: State,
}

#[derive(Debug)]
enum State {
    /// What was written meanwhile waits.
    Opening(Vec<Vec<u8>>),
    Open,
    Gone,
}

/// Something that happens to the stream of this index.
pub(super) enum StreamArrival {
    Opened,
    Closed(StreamEnd),
    AtServer(Vec<u8>),
    AtAgent(Vec<u8>),
}

impl World {
    pub(super) fn connect(&mut self, side: usize, connect: &Connect) {
        let index = self.streams.len();
        let port = 40_000 + u16::try_from(index).expect("few");
        let round_trips = match connect.security {
            Security::Plain => 1,
            Security::Tls => 2,
        };
        match (self.fate)(connect) {
            Fate::Opens => self.happen(LINK_DELAY.times(2 * round_trips), index, StreamArrival::Opened),
            Fate::Ends(why) => self.happen(LINK_DELAY.times(2), index, StreamArrival::Closed(why)),
            Fate::Silence => {}
        }
        let local = SocketAddr::new(connect.from.ip(), port);
        let state = State::Opening(Vec::new());
        self.streams.push(Stream { side, connect: connect.clone(), local, state });
    }

    pub(super) fn write(&mut self, side: usize, stream: StreamId, message: &[u8]) {
        let index = self.stream(side, stream);
        let framing = self.streams[index].connect.framing;
        let mut messages = Messages::new(framing);
        let bytes = Bytes::from(framing.frame(message).expect("not too long"));
        messages.push(&Piece { bytes, ..Piece::default() });
        let message = messages.poll().expect("a message").expect("a whole one").bytes.to_vec();
        assert_eq!(messages.poll(), Ok(None), "one message a write");
        match &mut self.streams[index].state {
            State::Opening(waiting) => waiting.push(message),
            State::Open => self.happen(LINK_DELAY, index, StreamArrival::AtServer(message)),
            State::Gone => panic!("written to a stream that is gone"),
        }
    }

    pub(super) fn close(&mut self, side: usize, stream: StreamId) {
        let index = self.stream(side, stream);
        assert!(!matches!(self.streams[index].state, State::Gone), "closed twice");
        self.streams[index].state = State::Gone;
    }

    /// Every stream breaks, and the server has forgotten its allocations.
    pub(in crate::agent) fn break_streams(&mut self, why: StreamEnd) {
        self.server.restart();
        for index in 0..self.streams.len() {
            self.happen_to_stream(index, StreamArrival::Closed(why));
        }
    }

    /// The streams that are not gone.
    pub(in crate::agent) fn open_streams(&self) -> usize {
        self.streams.iter().filter(|stream| !matches!(stream.state, State::Gone)).count()
    }

    /// Carries what the server sends over the stream it is for, if it is for one.
    pub(super) fn send_over_stream(&mut self, to: SocketAddr, message: &[u8]) -> bool {
        let Some(index) = self.streams.iter().position(|stream| stream.local == to) else { return false };
        self.happen(LINK_DELAY, index, StreamArrival::AtAgent(message.to_vec()));
        true
    }

    pub(super) fn happen_to_stream(&mut self, index: usize, arrival: StreamArrival) {
        let Stream { side, local, ref connect, .. } = self.streams[index];
        let stream = connect.stream;
        let was = std::mem::replace(&mut self.streams[index].state, State::Gone);
        match (was, arrival) {
            (State::Opening(waiting), StreamArrival::Opened) => {
                self.streams[index].state = State::Open;
                for message in waiting {
                    self.happen(LINK_DELAY, index, StreamArrival::AtServer(message));
                }
                self.input(side, Input::Opened { stream, local });
            }
            (State::Opening(_) | State::Open, StreamArrival::Closed(why)) => {
                self.input(side, Input::Closed { stream, why });
            }
            (State::Open, StreamArrival::AtServer(payload)) => {
                self.streams[index].state = State::Open;
                self.serve(Datagram { at: self.now, from: local, to: server::ADDRESS, payload });
            }
            (State::Open, StreamArrival::AtAgent(message)) => {
                self.streams[index].state = State::Open;
                self.input(side, Input::Read { stream, message: &message });
            }
            (State::Gone, _) => {}
            (was, _) => self.streams[index].state = was,
        }
    }

    fn happen(&mut self, delay: SimDuration, index: usize, arrival: StreamArrival) {
        self.schedule(delay, Arrival::Stream(index, arrival));
    }

    fn stream(&self, side: usize, id: StreamId) -> usize {
        let is_it = |stream: &Stream| (stream.side, stream.connect.stream) == (side, id);
        self.streams.iter().position(is_it).expect("a stream that was asked for")
    }
}
