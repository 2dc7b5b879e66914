//! When a call is settled.
//!
//! Agents may open on a relay and move to a better pair later, so the first pair is not the verdict. A call has
//! settled when both sides have a pair, data has gone both ways over it, and neither has changed its mind for a
//! quiet time. While data passes a relay that time is longer, since a better pair may still be found.

use super::session::Session;
use crate::base::{SimDuration, SimTime};
use crate::plan::{IceState, MEDIA_TIME};

/// How long nothing may change before a call counts as settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// For a pair that does not use a relay: hardly ever is a better one found.
    pub unrelayed: SimDuration,
    /// For a relayed pair, which every other pair is better than.
    pub relayed: SimDuration,
}

impl Quiet {
    /// Where no link loses packets: a relayed pair is kept for four checks of a better one, sent with a retransmission
    /// timer that starts at 250 or 500 ms and doubles.
    pub const LOSSLESS: Self =
        Self { unrelayed: SimDuration::from_millis(200), relayed: SimDuration::from_millis(2_500) };

    /// Where links lose packets: a better pair may be found until agents stop checking it, which the most patient of
    /// our stacks does after 21.5 s.
    pub const LOSSY: Self =
        Self { unrelayed: SimDuration::from_millis(2_500), relayed: SimDuration::from_millis(22_000) };
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallProgress {
    /// It has not settled, and may.
    Open,
    /// It is settled at this moment unless something happens until then.
    SettlesAt(SimTime),
    /// It has failed, for good unless an agent is restarted.
    Failed,
    /// Its sides have hung up.
    Ended,
}

/// How far the call of these two sessions is. With media it is given time to carry some.
pub fn progress(caller: &Session, callee: &Session, quiet: Quiet) -> CallProgress {
    let sides = [caller, callee];
    if sides.iter().all(|side| side.diary.ended_at.is_some()) {
        return CallProgress::Ended;
    }
    if sides.iter().any(|side| side.diary.state == IceState::Failed) {
        return CallProgress::Failed;
    }
    if sides.iter().any(|side| side.is_restarting()) {
        return CallProgress::Open;
    }
    let Some(changed_at) = caller.selected_at().max(callee.selected_at()) else { return CallProgress::Open };
    if !sides.iter().all(|side| side.selected_at().is_some() && side.is_confirmed()) {
        return CallProgress::Open;
    }
    let relayed =
        sides.map(|side| side.diary.observed.is_some_and(|observed| observed.trail.relayed.is_some()));
    let media = if caller.diary.media.is_empty() { SimDuration::ZERO } else { MEDIA_TIME };
    match relayed {
        [false, false] => CallProgress::SettlesAt(changed_at + quiet.unrelayed + media),
        [true, true] => CallProgress::SettlesAt(changed_at + quiet.relayed + media),
        // One way through a relay and the other not: one side has not heard of the better pair yet.
        _ => CallProgress::Open,
    }
}
