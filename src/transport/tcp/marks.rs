//! Where messages end in a stream, on either side of it.
//!
//! Places are counted in bytes since the stream began, without end; the sequence numbers of segments wrap around.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::super::{Note, Piece};
use crate::base::PacketId;
use crate::wire::{Carried, TcpSegment, Trail};

/// A segment to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The segment, with the messages that end in it.
    pub segment: TcpSegment,
    /// The packet that caused the first of its messages that any packet caused.
    pub cause: Option<PacketId>,
}

/// What is written: bytes that wait for room in the send buffer, and notes until they are acknowledged.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Bytes>,
    waiting_len: usize,
    written: u64,
    notes: VecDeque<(u64, Note)>,
    /// The sequence number of the stream's first byte, once the SYN has left.
    first: Option<u32>,
}

impl Outbox {
    pub(super) fn write(&mut self, bytes: Bytes, note: Option<Note>) {
        self.written += bytes.len() as u64;
        self.waiting_len += bytes.len();
        if let Some(note) = note {
            self.notes.push_back((self.written, note));
        }
        if !bytes.is_empty() {
            self.waiting.push_back(bytes);
        }
    }

    pub(super) const fn waiting_len(&self) -> usize {
        self.waiting_len
    }

    /// The sequence number after the last byte written, which is that of a FIN.
    pub(super) fn end(&self) -> Option<u32> {
        self.first.map(|first| first.wrapping_add(self.written as u32))
    }

    /// Offers what waits to `take`, which says how much of it there is room for.
    pub(super) fn fill(&mut self, mut take: impl FnMut(&[u8]) -> usize) {
        while let Some(front) = self.waiting.front_mut() {
            let taken = take(front);
            if taken == 0 {
                return;
            }
            self.waiting_len -= taken;
            if taken == front.len() {
                self.waiting.pop_front();
            } else {
                *front = front.slice(taken..);
            }
        }
    }

    /// Forgets messages that have arrived: all but the last `unacknowledged` bytes of what has been taken.
    pub(super) fn acknowledged_but(&mut self, unacknowledged: usize) {
        let arrived = self.written - self.waiting_len as u64 - unacknowledged as u64;
        while self.notes.front().is_some_and(|(end, _)| *end <= arrived) {
            self.notes.pop_front();
        }
    }

    /// The segment as it leaves, with the messages that end in it. `unacknowledged` as above.
    pub(super) fn mark(&mut self, mut segment: TcpSegment, unacknowledged: usize) -> Outgoing {
        if segment.flags.syn {
            self.first = Some(segment.sequence.wrapping_add(1));
        }
        let mut cause = None;
        if let Some(first) = self.first.filter(|_| !segment.payload.is_empty()) {
            let near = self.written - self.waiting_len as u64 - unacknowledged as u64;
            let start = unwrap(first, near, segment.sequence);
            let end = start + segment.payload.len() as u64;
            let inside =
                self.notes.iter().skip_while(|(at, _)| *at <= start).take_while(|(at, _)| *at <= end);
            for (at, note) in inside {
                cause = cause.or(note.cause);
                segment.carried.push(Carried {
                    end: first.wrapping_add(*at as u32),
                    message: note.message.clone(),
                    trail: note.trail,
                });
            }
        }
        Outgoing { segment, cause }
    }
}

/// What arrives: the ends that segments told of, and what was read up to them.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    read: u64,
    ends: BTreeMap<u64, (Bytes, Trail)>,
    pieces: VecDeque<Piece>,
    /// The sequence number of the stream's first byte, once the SYN has come.
    first: Option<u32>,
}

impl Inbox {
    /// The other side's SYN has been accepted.
    pub(super) const fn begin(&mut self, syn: &TcpSegment) {
        self.first = Some(syn.sequence.wrapping_add(1));
    }

    /// Remembers the messages that end in a segment. `window` bytes may be ahead of what has been read; ends elsewhere are
    /// of bytes that were read long ago, or will be refused.
    pub(super) fn note(&mut self, segment: &TcpSegment, trail: Trail, window: u64) {
        let Some(first) = self.first else { return };
        for carried in &segment.carried {
            let end = unwrap(first, self.read, carried.end);
            if end > self.read && end <= self.read + window {
                self.ends
                    .entry(end)
                    .or_insert_with(|| (carried.message.clone(), joined(carried.trail, trail)));
            }
        }
    }

    /// Cuts bytes that came in order into pieces.
    pub(super) fn read(&mut self, mut bytes: Bytes, trail: Trail, cause: PacketId) {
        let end = self.read + bytes.len() as u64;
        while let Some(entry) = self.ends.first_entry().filter(|entry| *entry.key() <= end) {
            let (at, (message, trail)) = entry.remove_entry();
            let bytes = bytes.split_to((at - self.read) as usize);
            self.read = at;
            self.pieces.push_back(Piece { bytes, message: Some(message), trail, cause });
        }
        self.read = end;
        if !bytes.is_empty() {
            self.pieces.push_back(Piece { bytes, message: None, trail, cause });
        }
    }

    pub(super) fn pop(&mut self) -> Option<Piece> {
        self.pieces.pop_front()
    }
}

/// The place in the stream of a sequence number, if the stream began at `first` and the place is less than 2 GiB away
/// from `near`.
const fn unwrap(first: u32, near: u64, sequence: u32) -> u64 {
    let distance = sequence.wrapping_sub(first.wrapping_add(near as u32)).cast_signed();
    near.saturating_add_signed(distance as i64)
}

/// What has been done to a message that came with `before` into a stream whose packets have `after`.
fn joined(before: Trail, after: Trail) -> Trail {
    Trail {
        source_rewrites: before.source_rewrites.saturating_add(after.source_rewrites),
        destination_rewrites: before.destination_rewrites.saturating_add(after.destination_rewrites),
        relayed: before.relayed.or(after.relayed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_go_on_where_sequence_numbers_wrap_around() {
        assert_eq!(unwrap(7, 0, 7), 0);
        assert_eq!(unwrap(7, 100, 57), 50);
        let first = u32::MAX - 9;
        assert_eq!(unwrap(first, 5, 20), 30);
        assert_eq!(unwrap(first, 1 << 32, first.wrapping_add(3)), (1 << 32) + 3);
        assert_eq!(unwrap(first, (1 << 32) + 20, first.wrapping_sub(1)), (1 << 32) - 1);
    }
}
