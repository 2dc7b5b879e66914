//! The rhythm of a flow.

use super::{MIN_BYTES, MOST_BYTES};
use crate::base::SimDuration;
use crate::plan::{MediaFlow, MediaKind};

const SECOND: u128 = 1_000_000_000;

/// Between two packets of audio.
const AUDIO_INTERVAL: u128 = 20_000_000;

/// In a second.
const VIDEO_FRAMES: u128 = 30;

/// Between two packets of data, at most.
const DATA_INTERVAL: u128 = 100_000_000;

/// Ticks at even distances, and so many bytes at each that the rate comes out.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    bits_per_second: u128,
    /// Nanoseconds between two ticks, as a fraction.
    interval: (u128, u128),
}

impl Pace {
    /// That of `flow`. Ticks are further apart where less than the smallest packet would be due at each.
    pub fn of(flow: MediaFlow) -> Self {
        let rate = u128::from(flow.rate.bits_per_second());
        let time_of = |bytes: u64| (u128::from(bytes) * 8 * SECOND, rate);
        let usual = match flow.kind {
            MediaKind::Audio => (AUDIO_INTERVAL, 1),
            MediaKind::Video => (SECOND, VIDEO_FRAMES),
            MediaKind::Data => shorter(time_of(MOST_BYTES), (DATA_INTERVAL, 1)),
        };
        let least = time_of(MIN_BYTES);
        let interval = if shorter(usual, least) == usual { least } else { usual };
        Self { bits_per_second: rate, interval }
    }

    /// When a tick is, counted from the first one, which has the number 0.
    pub fn time_of(self, tick: u64) -> SimDuration {
        let (nanos, parts) = self.interval;
        SimDuration::from_nanos(u64::try_from(u128::from(tick) * nanos / parts).unwrap_or(u64::MAX))
    }

    /// How many bytes are due at a tick.
    pub fn bytes_of(self, tick: u64) -> u64 {
        let until =
            |tick: u128| tick * self.interval.0 * self.bits_per_second / (self.interval.1 * 8 * SECOND);
        (until(u128::from(tick) + 1) - until(u128::from(tick))) as u64
    }
}

/// The shorter of two times; the first one if they are alike.
const fn shorter(a: (u128, u128), b: (u128, u128)) -> (u128, u128) {
    if a.0 * b.1 <= b.0 * a.1 { a } else { b }
}
