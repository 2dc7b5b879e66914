//! Whose stream it is: an agent knows a stream by its own number, the network by the host's connection.

use rustc_hash::FxHashMap;

use super::{World, WorldEvent};
use crate::agent::{Connect, Input, StackError, StreamEnd, StreamId};
use crate::base::{NodeId, SessionId};
use crate::engine::RunError;
use crate::engine::streams::StreamNews;
use crate::transport::streams::{End, News};
use crate::transport::tcp::{ConnectionId, Reason};

/// The streams that agents have.
#[derive(Debug, Default)]
pub(super) struct Streams {
    owners: FxHashMap<(NodeId, ConnectionId), (SessionId, StreamId)>,
    /// The node it leaves from, which may be one of several interfaces, and its number there.
    connections: FxHashMap<(SessionId, StreamId), (NodeId, ConnectionId)>,
}

impl Streams {
    fn remove(&mut self, node: NodeId, connection: ConnectionId) -> Option<(SessionId, StreamId)> {
        let owner = self.owners.remove(&(node, connection))?;
        self.connections.remove(&owner);
        Some(owner)
    }

    /// Forgets all streams of a host's interface.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.owners.retain(|(of, _), _| *of != node);
        self.connections.retain(|_, (of, _)| *of != node);
    }
}

impl World<'_, '_> {
    /// Hands what happened to a stream to the session that asked for it.
    pub(super) fn deliver_news(&mut self, node: NodeId, news: StreamNews) -> Result<(), RunError> {
        let owner = match news.what {
            News::Closed(_) => self.streams.remove(node, news.connection),
            _ => self.streams.owners.get(&(node, news.connection)).copied(),
        };
        // An agent is told nothing of what it has closed itself.
        let Some((session, stream)) = owner else { return Ok(()) };
        match news.what {
            News::Opened => self.input(session, Input::Opened { stream, local: news.flow.source }),
            News::Message(message) => {
                self.sessions[session.index()].read(
                    self.now,
                    stream,
                    &message.bytes,
                    message.trail,
                    &mut self.requests,
                )?;
                self.fulfil(session)
            }
            News::Closed(end) => self.input(session, Input::Closed { stream, why: why(end) }),
        }
    }

    /// Opens a stream for a session.
    pub(super) fn connect(&mut self, session: SessionId, connect: &Connect) -> Result<(), RunError> {
        let stream = connect.stream;
        if self.streams.connections.contains_key(&(session, stream)) {
            return Err(self.stack_error(session, format!("it asked for stream {} twice", stream.0)));
        }
        let diary = &self.sessions[session.index()].diary;
        let node = diary.place_of(connect.from).unwrap_or(diary.node);
        match self.network.connect(self.now, node, connect)? {
            Some(connection) => {
                self.streams.owners.insert((node, connection), (session, stream));
                self.streams.connections.insert((session, stream), (node, connection));
            }
            // The agent is in the middle of saying what it wants: it is told afterwards.
            None => self.queue.push(self.now, WorldEvent::NoRoomForStream { session, stream }),
        }
        Ok(())
    }

    /// Tells a session that a stream could not be opened.
    pub(super) fn no_room_for_stream(
        &mut self,
        session: SessionId,
        stream: StreamId,
    ) -> Result<(), RunError> {
        if !self.sessions[session.index()].has_stream(stream) {
            return Ok(());
        }
        self.input(session, Input::Closed { stream, why: StreamEnd::NoRoom })
    }

    /// Writes a message to a session's stream; to none that is gone.
    pub(super) fn write(
        &mut self,
        session: SessionId,
        stream: StreamId,
        message: Vec<u8>,
    ) -> Result<(), RunError> {
        let Some(&(node, connection)) = self.streams.connections.get(&(session, stream)) else {
            return Ok(());
        };
        let length = message.len();
        if self.network.write(self.now, node, connection, message)? {
            return Ok(());
        }
        let what = format!("a message of {length} bytes is too long for the framing of stream {}", stream.0);
        Err(self.stack_error(session, what))
    }

    /// Closes a session's stream.
    pub(super) fn close_stream(&mut self, session: SessionId, stream: StreamId) -> Result<(), RunError> {
        let Some((node, connection)) = self.streams.connections.remove(&(session, stream)) else {
            return Ok(());
        };
        self.streams.owners.remove(&(node, connection));
        self.network.close_stream(self.now, node, connection)?;
        Ok(())
    }

    fn stack_error(&self, session: SessionId, what: String) -> RunError {
        let diary = &self.sessions[session.index()].diary;
        let peer = self.plan.host_of(diary.node).to_owned();
        StackError { stack: diary.stack, peer, what }.into()
    }
}

const fn why(end: End) -> StreamEnd {
    match end {
        End::Connection(Reason::Finished) => StreamEnd::Finished,
        End::Connection(Reason::Refused) => StreamEnd::Refused,
        End::Connection(Reason::TimedOut) => StreamEnd::TimedOut,
        // What a host gives up itself, its agent is not told of.
        End::Connection(Reason::Reset | Reason::Aborted) => StreamEnd::Reset,
        End::NotTls => StreamEnd::NotTls,
        End::Malformed => StreamEnd::Malformed,
        End::NoTunnel(status) => StreamEnd::ProxyRefused(status),
    }
}
