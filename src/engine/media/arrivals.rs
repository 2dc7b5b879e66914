//! What arrives of a flow.

use super::delays::Delays;
use crate::base::{SimDuration, SimTime};

/// What arrived of a flow at one side.
#[derive(Debug, Clone, Default)]
pub struct Arrivals {
    /// How many packets, copies not counted.
    pub received: u64,
    /// How many bytes of payload, copies not counted.
    pub bytes: u64,
    /// How many copies of packets that had arrived before.
    pub duplicates: u64,
    /// How many packets were overtaken by one that was sent later.
    pub reordered: u64,
    /// How long packets took.
    pub delays: Delays,
    /// When the last one arrived.
    pub last_at: Option<SimTime>,
    /// The longest time between two arrivals.
    pub longest_gap: SimDuration,
    /// The highest number of a packet that arrived.
    pub(super) highest: Option<u64>,
    last_transit: Option<u64>,
    /// In sixteenths of a nanosecond.
    jitter: u64,
    seen: Seen,
}

impl Arrivals {
    /// A packet arrived.
    pub(super) fn take(&mut self, now: SimTime, number: u64, sent_at: SimTime, bytes: usize) {
        if !self.seen.insert(number, self.highest) {
            self.duplicates += 1;
            return;
        }
        self.received += 1;
        self.bytes += bytes as u64;
        self.reordered += u64::from(self.highest.is_some_and(|highest| number < highest));
        self.highest = self.highest.max(Some(number));
        if let Some(last) = self.last_at {
            self.longest_gap = self.longest_gap.max(now.since(last));
        }
        self.last_at = Some(now);
        let transit = now.since(sent_at);
        self.delays.add(transit);
        self.add_jitter(transit.as_nanos());
    }

    /// RFC 3550 §A.8.
    fn add_jitter(&mut self, transit: u64) {
        if let Some(before) = self.last_transit.replace(transit) {
            self.jitter = self.jitter + transit.abs_diff(before) - ((self.jitter + 8) >> 4);
        }
    }

    /// The jitter between arrivals (RFC 3550 §6.4.1); `None` before there are two.
    pub fn jitter(&self) -> Option<SimDuration> {
        (self.received > 1).then(|| SimDuration::from_nanos(self.jitter >> 4))
    }

    /// The longest time without a packet until `now`, counted from the first one; if none arrived, from `started_at`,
    /// when the other side began to send. `None`: it did not.
    pub fn gap(&self, started_at: Option<SimTime>, now: SimTime) -> Option<SimDuration> {
        let since = self.last_at.or(started_at)?;
        Some(self.longest_gap.max(now.since(since)))
    }
}

/// How far back copies are told from new packets.
const WINDOW: u64 = 4_096;

/// The numbers of the last packets that arrived, a bit each.
#[derive(Debug, Clone, Default)]
struct Seen(Vec<u64>);

impl Seen {
    /// False if the packet had arrived before.
    fn insert(&mut self, number: u64, highest: Option<u64>) -> bool {
        self.0.resize((WINDOW / 64) as usize, 0);
        let next = highest.map_or(0, |highest| highest + 1);
        if number + WINDOW < next {
            return true;
        }
        for skipped in next.max((number + 1).saturating_sub(WINDOW))..=number {
            let (word, bit) = Self::place(skipped);
            self.0[word] &= !bit;
        }
        let (word, bit) = Self::place(number);
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    const fn place(number: u64) -> (usize, u64) {
        let bit = number % WINDOW;
        ((bit / 64) as usize, 1 << (bit % 64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> SimTime {
        SimTime::from_millis(millis)
    }

    /// What is known after packets with these numbers and times of sending and arrival.
    fn after(packets: impl IntoIterator<Item = (u64, u64, u64)>) -> Arrivals {
        let mut arrivals = Arrivals::default();
        for (number, sent, arrived) in packets {
            arrivals.take(ms(arrived), number, ms(sent), 100);
        }
        arrivals
    }

    #[test]
    fn copies_are_no_packets() {
        let arrivals = after([(0, 0, 10), (0, 0, 11), (1, 20, 30), (0, 0, 31), (1, 20, 32)]);
        assert_eq!((arrivals.received, arrivals.duplicates, arrivals.bytes), (2, 3, 200));
    }

    #[test]
    fn a_packet_that_was_overtaken_is_no_copy() {
        let arrivals = after([(0, 0, 10), (2, 40, 50), (1, 20, 55), (3, 60, 70)]);
        assert_eq!((arrivals.received, arrivals.duplicates, arrivals.reordered), (4, 0, 1));
    }

    #[test]
    fn numbers_far_apart_are_told_apart() {
        let far = 10 * WINDOW;
        let arrivals = after([(0, 0, 1), (far, 2, 3), (far - 1, 4, 5), (far - 1, 4, 6), (far, 2, 7)]);
        assert_eq!((arrivals.received, arrivals.duplicates), (3, 2));
    }

    #[test]
    fn the_gap_is_the_longest_time_without_a_packet() {
        let arrivals = after([(0, 0, 10), (1, 20, 30), (7, 140, 150), (8, 160, 170)]);
        assert_eq!(arrivals.gap(Some(ms(0)), ms(180)), Some(SimDuration::from_millis(120)));
        assert_eq!(arrivals.gap(Some(ms(0)), ms(500)), Some(SimDuration::from_millis(330)), "until the end");
        assert_eq!(after([]).gap(Some(ms(5)), ms(500)), Some(SimDuration::from_millis(495)));
        assert_eq!(after([]).gap(None, ms(500)), None);
    }

    #[test]
    fn jitter_is_that_of_rfc_3550() {
        let even = after((0..100).map(|number| (number, 20 * number, 20 * number + 30)));
        assert_eq!(even.jitter(), Some(SimDuration::ZERO));
        // Every transit differs by 16 ms from the one before: one sixteenth after the first difference.
        let uneven = after([(0, 0, 30), (1, 20, 66)]);
        assert_eq!(uneven.jitter(), Some(SimDuration::from_millis(1)));
        assert_eq!(after([(0, 0, 30)]).jitter(), None);
    }
}
