//! TCP between two sides, over a wire that may lose, repeat and reorder.

mod closing;
mod delivery;
mod sockets;

use std::collections::BTreeMap;

use proptest::test_runner::Config;

use super::*;
use crate::base::{PacketId, Probability, Random, SimDuration, SimTime};
use crate::transport::Piece;
use crate::wire::{TcpSegment, Trail};

const DELAY: SimDuration = SimDuration::from_millis(20);
const MAX_SEGMENT: u16 = max_segment(1_500, true);

/// Two sides of a connection and the wire between them.
struct Pair {
    sides: [Connection; 2],
    read: [Vec<Piece>; 2],
    wire: Wire,
    now: SimTime,
    /// Every segment that was sent: when, by which side.
    sent: Vec<(SimTime, usize, TcpSegment)>,
}

struct Wire {
    flying: BTreeMap<(SimTime, u64), (usize, TcpSegment)>,
    count: u64,
    loss: Probability,
    jitter: u64,
    repeats: Probability,
    random: Random,
    /// A side that is cut off sends into the void.
    is_cut: bool,
}

impl Pair {
    /// Side 0 connects, side 1 accepts.
    fn connecting() -> Self {
        Self::of(
            Connection::connect(MAX_SEGMENT, 1, SimTime::ZERO),
            Connection::accept(MAX_SEGMENT, 2, SimTime::ZERO),
        )
    }

    fn of(first: Connection, second: Connection) -> Self {
        let wire = Wire {
            flying: BTreeMap::new(),
            count: 0,
            loss: Probability::default(),
            jitter: 0,
            repeats: Probability::default(),
            random: Random::stream(1, "wire", "tests"),
            is_cut: false,
        };
        let read = [Vec::new(), Vec::new()];
        Self { sides: [first, second], read, wire, now: SimTime::ZERO, sent: Vec::new() }
    }

    /// The same, after the handshake.
    fn open() -> Self {
        let mut pair = Self::connecting();
        pair.run_for(SimDuration::from_secs(1));
        assert_eq!(pair.states(), [ConnectionState::Open; 2]);
        pair
    }

    fn over(mut self, seed: u64, loss: u32, repeats: u32, jitter: SimDuration) -> Self {
        self.wire.loss = Probability::from_percent(loss);
        self.wire.repeats = Probability::from_percent(repeats);
        self.wire.jitter = jitter.as_nanos();
        self.wire.random = Random::stream(seed, "wire", "tests");
        self
    }

    fn states(&self) -> [ConnectionState; 2] {
        [self.sides[0].state(), self.sides[1].state()]
    }

    fn run_for(&mut self, duration: SimDuration) {
        self.run_until(self.now + duration, |_| false);
    }

    /// Goes on until `done` holds, or nothing is left to happen, or `end` has come.
    fn run_until(&mut self, end: SimTime, done: impl Fn(&Self) -> bool) {
        loop {
            self.settle();
            let next = self.next_moment().filter(|next| *next <= end);
            let (Some(next), false) = (next, done(self)) else { break };
            self.now = next;
            while let Some(entry) = self.wire.flying.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (number, (to, segment)) = (entry.key().1, entry.get().clone());
                entry.remove();
                self.sides[to].receive(self.now, &segment, Trail::default(), PacketId::new(number));
                self.settle();
            }
            for side in &mut self.sides {
                if side.next_timeout().is_some_and(|at| at <= self.now) {
                    side.handle_timeout(self.now);
                }
            }
        }
        if !done(self) {
            self.now = self.now.max(end);
        }
    }

    fn next_moment(&self) -> Option<SimTime> {
        let arrival = self.wire.flying.first_key_value().map(|((at, _), _)| *at);
        let timeouts = self.sides.iter().map(Connection::next_timeout);
        timeouts.chain([arrival]).flatten().min()
    }

    fn settle(&mut self) {
        for (index, side) in self.sides.iter_mut().enumerate() {
            while let Some(out) = side.poll_segment(self.now) {
                self.sent.push((self.now, index, out.segment.clone()));
                self.wire.send(self.now, 1 - index, out.segment);
            }
            self.read[index].extend(std::iter::from_fn(|| side.read()));
        }
    }

    fn bytes_read(&self, side: usize) -> Vec<u8> {
        self.read[side].iter().flat_map(|piece| piece.bytes.to_vec()).collect()
    }
}

impl Wire {
    fn send(&mut self, now: SimTime, to: usize, segment: TcpSegment) {
        if self.is_cut || self.random.chance(self.loss) {
            return;
        }
        let copies = if self.random.chance(self.repeats) { 2 } else { 1 };
        for _ in 0..copies {
            let at = now + DELAY + SimDuration::from_nanos(self.random.below(self.jitter));
            self.count += 1;
            self.flying.insert((at, self.count), (to, segment.clone()));
        }
    }
}

/// Few: a case is a whole session.
fn few_cases() -> Config {
    Config { cases: 6, failure_persistence: None, ..Config::default() }
}
