//! Byte streams: TCP connections, and what stands on them. Sans-IO: segments and the time go in, segments come out.
//!
//! [`tcp`] is the state machine, one [`tcp::Connection`] each, and the table of a host's connections and listeners.
//! [`tls`], [`framing`] and [`connect`] make records, messages and tunnels of bytes; [`streams`] puts them together, so that
//! a host reads and writes whole messages. All of them pass [`Piece`]s up and take
//! [`Note`]s down, so that whatever reads a message in the end knows how it travelled.
//!
//! Nothing here knows a node, a name or a queue.

pub mod connect;
pub mod framing;
pub mod streams;
pub mod tcp;
pub mod tls;

use bytes::Bytes;

use crate::base::PacketId;
use crate::wire::Trail;

/// Bytes of a stream that arrived in order, and what is known of how they came.
///
/// A piece never holds the ends of two messages that were written with a [`Note`]: of a message cut into pieces, the
/// piece with its last byte tells the message's trail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Piece {
    /// The bytes; never empty.
    pub bytes: Bytes,
    /// The message that ends with these bytes, as its sender wrote it before any encryption. Only TCP itself tells it.
    pub message: Option<Bytes>,
    /// What was done to the message that ends here, on all of its way; of bytes that end none, to the packet.
    pub trail: Trail,
    /// The packet whose arrival let these bytes be read.
    pub cause: PacketId,
}

/// What is known of bytes that are written to a stream: that a message ends with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Note {
    /// The message as the application wrote it, before any encryption.
    pub message: Bytes,
    /// What was done to it before it came to this stream: that of the packet it was relayed from.
    pub trail: Trail,
    /// The packet it answers, or was relayed from.
    pub cause: Option<PacketId>,
}

impl Note {
    /// A message that begins its way here, and that no packet caused.
    pub fn of(message: impl Into<Bytes>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

impl Piece {
    /// The same way, other bytes: what a layer above made of this piece.
    fn with(&self, bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), message: None, trail: self.trail, cause: self.cause }
    }

    /// The note with which these bytes go on in another stream, if a message ends with them.
    pub fn note(&self) -> Option<Note> {
        let message = self.message.clone()?;
        Some(Note { message, trail: self.trail, cause: Some(self.cause) })
    }
}
