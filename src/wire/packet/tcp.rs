//! TCP segments, and what is known of the stream they carry.

use bytes::Bytes;
use smallvec::SmallVec;

use super::Trail;

/// A TCP segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TcpSegment {
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number; meaningful with [`TcpFlags::ack`].
    pub acknowledgment: u32,
    /// Receive window in bytes.
    pub window: u16,
    /// Control bits.
    pub flags: TcpFlags,
    /// Options as they stand in the header: a multiple of 4 bytes, at most 40.
    pub options: SmallVec<[u8; 20]>,
    /// Data.
    pub payload: Bytes,
    /// The messages that end in `payload`, in order.
    pub carried: Vec<Carried>,
}

/// TCP's control bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpFlags {
    /// Synchronize.
    pub syn: bool,
    /// Acknowledge.
    pub ack: bool,
    /// Finish.
    pub fin: bool,
    /// Reset.
    pub rst: bool,
    /// Push.
    pub psh: bool,
}

impl TcpFlags {
    /// True for the first segment of a connection.
    pub const fn opens_connection(self) -> bool {
        self.syn && !self.ack && !self.rst
    }
}

impl TcpSegment {
    /// The RST with which a host or box refuses this segment, which acknowledges nothing (RFC 9293 §3.10.7.1).
    pub fn refusal(&self) -> Self {
        let flags = TcpFlags { rst: true, ack: true, ..TcpFlags::default() };
        let length = self.payload.len() as u32 + u32::from(self.flags.syn) + u32::from(self.flags.fin);
        Self { acknowledgment: self.sequence.wrapping_add(length), flags, ..Self::default() }
    }
}

/// What the simulator knows of a message in a stream, as a packet's trail is what it knows of a datagram. It is never on
/// the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The sequence number after the message's last byte.
    pub end: u32,
    /// The message as the application wrote it, before any encryption.
    pub message: Bytes,
    /// What has been done to the message before its sender put it into this stream.
    pub trail: Trail,
}
