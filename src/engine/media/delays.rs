//! How long packets took, in a histogram, so that hours of media need no more memory than a second.

use crate::base::SimDuration;

/// The finest distinction, in nanoseconds.
const UNIT: u64 = 100_000;

/// Below this many units every unit has a bucket of its own.
const LINEAR: u64 = 64;

/// Above it every doubling has this many.
const PER_DOUBLING: u64 = 32;

/// Enough for 100 s.
const BUCKETS: usize = 512;

/// Times in buckets: of 0.1 ms up to 6.4 ms, then of about 3 %. A bucket knows the average of its times, so that times
/// that are all alike come out exactly.
#[derive(Debug, Clone, Default)]
pub struct Delays {
    /// How many times each bucket has, and their sum in nanoseconds.
    buckets: Vec<(u64, u64)>,
    count: u64,
    longest: u64,
}

impl Delays {
    /// A packet took this long.
    pub fn add(&mut self, delay: SimDuration) {
        let nanos = delay.as_nanos();
        self.buckets.resize(BUCKETS, (0, 0));
        let (count, sum) = &mut self.buckets[bucket(nanos)];
        *count += 1;
        *sum = sum.saturating_add(nanos);
        self.count += 1;
        self.longest = self.longest.max(nanos);
    }

    /// The time that `percent` of a hundred packets took at most; `None` if there were none.
    pub fn percentile(&self, percent: u64) -> Option<SimDuration> {
        let wanted = (self.count * percent).div_ceil(100).max(1);
        let mut below = 0;
        let full = |(count, _): &&(u64, u64)| {
            below += count;
            below >= wanted
        };
        let (count, sum) = self.buckets.iter().find(full)?;
        Some(SimDuration::from_nanos(sum / count))
    }

    /// The longest time; `None` if there were no packets.
    pub fn longest(&self) -> Option<SimDuration> {
        (self.count > 0).then(|| SimDuration::from_nanos(self.longest))
    }
}

fn bucket(nanos: u64) -> usize {
    let units = nanos / UNIT;
    if units < LINEAR {
        return units as usize;
    }
    let doublings = u64::from(units.ilog2() - LINEAR.ilog2());
    let within = (units >> (doublings + 1)) - PER_DOUBLING;
    ((LINEAR + doublings * PER_DOUBLING + within) as usize).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(micros: impl IntoIterator<Item = u64>) -> Delays {
        let mut delays = Delays::default();
        micros.into_iter().for_each(|micros| delays.add(SimDuration::from_micros(micros)));
        delays
    }

    #[test]
    fn times_that_are_alike_come_out_exactly() {
        let delays = delays([22_345; 7]);
        for percent in [0, 50, 95, 100] {
            assert_eq!(delays.percentile(percent), Some(SimDuration::from_micros(22_345)));
        }
        assert_eq!(delays.longest(), Some(SimDuration::from_micros(22_345)));
    }

    #[test]
    fn percentiles_are_right_within_a_few_percent() {
        let delays = delays((1..=10_000).map(|number| number * 20));
        for percent in [1, 50, 95, 99] {
            let (wanted, got) =
                (percent as f64 * 2.0, delays.percentile(percent).expect("some").as_millis_f64());
            assert!((got - wanted).abs() <= wanted * 0.04, "{percent}: {got}");
        }
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Delays::default().percentile(50), None);
        assert_eq!(Delays::default().longest(), None);
    }

    #[test]
    fn buckets_go_up_and_never_beyond_the_last() {
        let mut before = 0;
        for units in (0..2_000).chain([10_000, 1_000_000, 1_100_000, u64::MAX / UNIT]) {
            let bucket = bucket(units * UNIT);
            assert!((before..=before + 90).contains(&bucket) || units > 2_000, "{units}: {bucket}");
            assert!(bucket >= before && bucket < BUCKETS);
            before = bucket;
        }
    }
}
