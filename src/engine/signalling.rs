//! The signalling service: it carries messages between the two sides of a call, in order, with delay and loss.

use crate::base::{Random, SessionId, SimTime};
use crate::plan::Signalling;

/// The service's state: its randomness, and when each side's last message arrives, since messages of one
/// sender do not overtake each other.
#[derive(Debug)]
pub struct SignallingService {
    config: Signalling,
    random: Random,
    last_arrival: Vec<SimTime>,
}

impl SignallingService {
    /// A service for `sessions` sides.
    pub fn new(config: &Signalling, seed: u64, sessions: usize) -> Self {
        Self {
            config: config.clone(),
            random: Random::stream(seed, "signalling", "loss"),
            last_arrival: vec![SimTime::ZERO; sessions],
        }
    }

    /// When a message that `from` sends now arrives; `None`: it is lost.
    pub fn send(&mut self, now: SimTime, from: SessionId) -> Option<SimTime> {
        if self.random.chance(self.config.loss) {
            return None;
        }
        let last = &mut self.last_arrival[from.index()];
        *last = (now + self.config.delay).max(*last);
        Some(*last)
    }
}
