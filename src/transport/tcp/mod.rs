//! TCP (RFC 9293) on the state machine of the crate `smoltcp`.
//!
//! What it does: retransmission by RFC 6298 with a timeout of 1 to 60 seconds, fast retransmit after three duplicate
//! acknowledgments, selective acknowledgments (RFC 2018) in what it receives, simultaneous open, acknowledgments delayed by
//! 10 ms, windows of 64 KiB, probes of zero windows, TIME-WAIT of 10 seconds.
//!
//! What it does not: congestion control, and so no more than the other side's window is on the way. The streams of a call
//! carry small messages at a steady rate, which no congestion window of today's size would hold back.

mod cable;
mod connection;
mod marks;
mod sockets;

#[cfg(test)]
mod tests;

pub use self::connection::{Connection, ConnectionState, Reason, SILENCE};
pub use self::marks::Outgoing;
pub use self::sockets::{ConnectError, ConnectionId, Event, Refusal, Sockets, Taken};
use crate::wire::{TcpFlags, TcpSegment};

/// The largest segment that fits into an IP packet of `mtu` bytes, in bytes of data (RFC 9293 §3.7.1).
pub const fn max_segment(mtu: u16, is_ipv4: bool) -> u16 {
    mtu.saturating_sub(if is_ipv4 { 40 } else { 60 })
}

/// What a host answers to a segment for which it has neither connection nor listener (RFC 9293 §3.10.7.1): a reset, or
/// nothing to what is itself a reset.
pub fn refuse(segment: &TcpSegment) -> Option<TcpSegment> {
    match segment.flags {
        TcpFlags { rst: true, .. } => None,
        TcpFlags { ack: false, .. } => Some(segment.refusal()),
        _ => Some(TcpSegment {
            sequence: segment.acknowledgment,
            flags: TcpFlags { rst: true, ..TcpFlags::default() },
            ..TcpSegment::default()
        }),
    }
}
