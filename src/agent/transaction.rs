//! A STUN request: its retransmissions over UDP (RFC 8489 §6.2.1), its deadline over TCP (§6.2.2).

use crate::base::{Random, SimDuration, SimTime};
use crate::wire::stun::{TransactionId, transaction_id};

/// The initial retransmission time-out. RFC 8445 §14.3 has the same floor for gathering.
const RTO: SimDuration = SimDuration::from_millis(500);
/// How many times a request is sent (Rc).
const SENDS: u32 = 7;
/// How many RTOs the last one waits for its answer (Rm).
const LAST_WAIT: u64 = 16;
/// How long a request over TCP waits for its answer (Ti).
const RELIABLE_WAIT: SimDuration = SimDuration::from_millis(39_500);

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Transaction {
    id: TransactionId,
    request: Vec<u8>,
    /// Sent once: what carries it loses nothing.
    reliable: bool,
    sent: u32,
    due: SimTime,
}

/// What a transaction wants at a given time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet.
    Wait,
    /// Send this request, for the first time or again.
    Send(Vec<u8>),
    /// Nothing more: it was never answered.
    Fail,
}

impl Transaction {
    /// A request over UDP that is to be sent first at `start`.
    pub(super) fn new(id: TransactionId, request: Vec<u8>, start: SimTime) -> Self {
        Self { id, request, reliable: false, sent: 0, due: start }
    }

    /// A request over TCP that is to be sent at `start`, with or without TLS.
    pub(super) fn reliable(id: TransactionId, request: Vec<u8>, start: SimTime) -> Self {
        Self { reliable: true, ..Self::new(id, request, start) }
    }

    /// The id its answer will carry.
    pub(super) fn id(&self) -> TransactionId {
        self.id
    }

    /// When it wants [`Transaction::step`].
    pub(super) fn due(&self) -> SimTime {
        self.due
    }

    /// What to do at `now`.
    pub(super) fn step(&mut self, now: SimTime) -> Step {
        if now < self.due {
            return Step::Wait;
        }
        let sends = if self.reliable { 1 } else { SENDS };
        if self.sent == sends {
            return Step::Fail;
        }
        self.sent += 1;
        let is_last = self.sent == sends;
        self.due = now
            + match (self.reliable, is_last) {
                (true, _) => RELIABLE_WAIT,
                (false, true) => RTO.times(LAST_WAIT),
                (false, false) => RTO.times(1 << (self.sent - 1)),
            };
        // The last copy needs no keeping.
        Step::Send(if is_last { std::mem::take(&mut self.request) } else { self.request.clone() })
    }
}

/// Where an agent's transaction ids come from.
#[derive(Debug)]
pub(super) struct TransactionIds(Random);

impl TransactionIds {
    /// The ids of the agent called `name`.
    pub(super) fn new(seed: u64, name: &str) -> Self {
        Self(Random::stream(seed, name, "stun-ids"))
    }

    /// A fresh one.
    pub(super) fn next(&mut self) -> TransactionId {
        transaction_id(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_sent_seven_times_and_fails_after_39_5_seconds() {
        let mut transaction = Transaction::new(TransactionIds::new(1, "a").next(), vec![1], SimTime::ZERO);
        let mut sent_at = Vec::new();
        let failed_at = loop {
            let now = transaction.due();
            match transaction.step(now) {
                Step::Send(request) => {
                    assert_eq!(request, [1]);
                    sent_at.push(now.as_nanos() / 1_000_000);
                }
                Step::Wait => panic!("it was due"),
                Step::Fail => break now,
            }
        };
        assert_eq!(sent_at, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
        assert_eq!(failed_at, SimTime::from_millis(39_500));
    }

    #[test]
    fn a_request_over_tcp_is_sent_once_and_fails_after_39_5_seconds() {
        let start = SimTime::from_millis(50);
        let mut transaction = Transaction::reliable(TransactionIds::new(1, "a").next(), vec![1], start);
        assert_eq!(transaction.step(start), Step::Send(vec![1]));
        assert_eq!(transaction.due(), SimTime::from_millis(39_550));
        assert_eq!(transaction.step(transaction.due()), Step::Fail);
    }

    #[test]
    fn nothing_is_sent_before_it_is_due() {
        let start = SimTime::from_millis(50);
        let mut transaction = Transaction::new(TransactionIds::new(1, "a").next(), vec![1], start);
        assert_eq!(transaction.step(SimTime::from_millis(49)), Step::Wait);
        assert_eq!(transaction.step(start), Step::Send(vec![1]));
        assert_eq!(transaction.step(start), Step::Wait);
    }
}
