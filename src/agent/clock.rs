//! Virtual time for stacks that want [`Instant`]s.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::base::SimTime;

/// Later than any run lasts; keeps sums inside what every platform's `Instant` can hold.
const FARTHEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The `Instant` that stands for `time`.
pub(super) fn to_instant(time: SimTime) -> Instant {
    epoch() + Duration::from_nanos(time.as_nanos()).min(FARTHEST)
}

/// The time `instant` stands for; the start of the run if it is earlier than that.
pub(super) fn from_instant(instant: Instant) -> SimTime {
    let since_start = instant.saturating_duration_since(epoch());
    SimTime::from_nanos(u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX))
}

/// The `Instant` that stands for the start of every run.
// `Instant` has no other constructor. Only differences to this one are ever used, so its value changes nothing.
#[allow(clippy::disallowed_methods)]
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    // A day ahead, because stacks also subtract, and a machine may have booted a moment ago.
    *EPOCH.get_or_init(|| Instant::now() + Duration::from_secs(24 * 3600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_from_its_instant() {
        for time in [SimTime::ZERO, SimTime::from_nanos(1), SimTime::from_millis(39_500)] {
            assert_eq!(from_instant(to_instant(time)), time);
        }
    }

    #[test]
    fn an_instant_before_the_run_stands_for_its_start() {
        assert_eq!(from_instant(to_instant(SimTime::ZERO) - Duration::from_secs(60)), SimTime::ZERO);
    }
}
