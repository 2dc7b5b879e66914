//! How far TCP connections have come, as a box on their way can tell by control bits (RFC 5382 §5, RFC 7857 §2).
//!
//! Sequence numbers are not followed, so that a forged segment counts as a true one. Nothing here ends a connection at
//! once, though: a reset one goes on if more than resets follow (RFC 6146 §3.5.2.2 likewise).

use std::cmp::Reverse;
use std::net::SocketAddr;

use rustc_hash::FxHashMap;

use crate::base::{SimDuration, SimTime};
use crate::plan::{TcpLifetimes, TcpPhase};
use crate::wire::TcpFlags;

/// One connection.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::device) struct TcpFlow {
    /// The side inside, and the one outside.
    sides: [Side; 2],
    reset: bool,
}

/// What one side of a connection has done.
#[derive(Debug, Clone, Copy, Default)]
struct Side {
    syn: bool,
    /// True once the other side has acknowledged the SYN.
    acknowledged: bool,
    fin: bool,
}

impl TcpFlow {
    /// A segment passed.
    pub(in crate::device) fn note(&mut self, outbound: bool, flags: TcpFlags) {
        if flags.rst {
            self.reset = true;
            return;
        }
        let is_over = matches!(self.phase(), TcpPhase::Closing | TcpPhase::Reset);
        if flags.opens_connection() && is_over {
            *self = Self::default();
        }
        self.reset = false;
        let [inside, outside] = &mut self.sides;
        let (sender, receiver) = if outbound { (inside, outside) } else { (outside, inside) };
        sender.syn |= flags.syn;
        sender.fin |= flags.fin;
        receiver.acknowledged |= flags.ack && receiver.syn;
    }

    /// How far it has come.
    pub(in crate::device) fn phase(&self) -> TcpPhase {
        if self.reset {
            TcpPhase::Reset
        } else if self.sides.iter().all(|side| side.fin) {
            TcpPhase::Closing
        } else if self.sides.iter().all(|side| side.acknowledged) {
            TcpPhase::Established
        } else {
            TcpPhase::Opening
        }
    }

    fn lifetime(&self, lifetimes: &TcpLifetimes) -> SimDuration {
        match self.phase() {
            TcpPhase::Established => lifetimes.established,
            TcpPhase::Opening | TcpPhase::Closing | TcpPhase::Reset => lifetimes.transitory,
        }
    }
}

/// The connections of one inside endpoint, by remote.
#[derive(Debug)]
pub(in crate::device) struct TcpSessions {
    by_remote: FxHashMap<SocketAddr, Session>,
    /// The latest end of all.
    latest: SimTime,
    /// How far the connection has come that ends last.
    phase: TcpPhase,
}

impl Default for TcpSessions {
    fn default() -> Self {
        Self { by_remote: FxHashMap::default(), latest: SimTime::ZERO, phase: TcpPhase::Opening }
    }
}

#[derive(Debug, Default)]
struct Session {
    flow: TcpFlow,
    expires: SimTime,
}

impl TcpSessions {
    /// How many connections are remembered.
    pub(in crate::device) fn len(&self) -> usize {
        self.by_remote.len()
    }

    /// How far the connection has come that ends last.
    pub(in crate::device) fn phase(&self) -> TcpPhase {
        self.phase
    }

    /// True if a connection with this remote is.
    pub(in crate::device) fn know(&self, remote: &SocketAddr) -> bool {
        self.by_remote.contains_key(remote)
    }

    /// A segment from or to `remote` passed: until when some connection has to be remembered. A RST makes none, which is
    /// `None`.
    pub(in crate::device) fn note(
        &mut self,
        now: SimTime,
        remote: SocketAddr,
        outbound: bool,
        flags: TcpFlags,
        lifetimes: &TcpLifetimes,
    ) -> Option<SimTime> {
        if flags.rst && !self.know(&remote) {
            return None;
        }
        let session = self.by_remote.entry(remote).or_default();
        if session.expires <= now {
            session.flow = TcpFlow::default();
        }
        session.flow.note(outbound, flags);
        let before = std::mem::replace(&mut session.expires, now + session.flow.lifetime(lifetimes));
        if session.expires >= self.latest {
            (self.latest, self.phase) = (session.expires, session.flow.phase());
        } else if before == self.latest {
            let ends = self.by_remote.values().map(|session| (session.expires, session.flow.phase()));
            // Of those that end at once, the one that has not gone so far tells more.
            (self.latest, self.phase) = ends.max_by_key(|(expires, phase)| (*expires, Reverse(*phase)))?;
        }
        Some(self.latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYN: TcpFlags = TcpFlags { syn: true, ack: false, fin: false, rst: false, psh: false };
    const ACK: TcpFlags = TcpFlags { syn: false, ack: true, ..SYN };
    const SYN_ACK: TcpFlags = TcpFlags { ack: true, ..SYN };
    const FIN: TcpFlags = TcpFlags { fin: true, ..ACK };
    const RST: TcpFlags = TcpFlags { rst: true, ..ACK };
    const OUT: bool = true;
    const IN: bool = false;

    fn after(segments: &[(bool, TcpFlags)]) -> TcpPhase {
        let mut flow = TcpFlow::default();
        for (outbound, flags) in segments {
            flow.note(*outbound, *flags);
        }
        flow.phase()
    }

    #[test]
    fn a_connection_is_established_once_both_syns_are_acknowledged() {
        for (first, second) in [(OUT, IN), (IN, OUT)] {
            assert_eq!(after(&[(first, SYN)]), TcpPhase::Opening);
            assert_eq!(after(&[(first, SYN), (second, SYN_ACK)]), TcpPhase::Opening);
            assert_eq!(after(&[(first, SYN), (second, SYN_ACK), (first, ACK)]), TcpPhase::Established);
        }
    }

    #[test]
    fn a_simultaneous_open_is_one_connection() {
        let both = [(OUT, SYN), (IN, SYN), (OUT, SYN_ACK), (IN, SYN_ACK)];
        assert_eq!(after(&both[..3]), TcpPhase::Opening);
        assert_eq!(after(&both), TcpPhase::Established);
    }

    #[test]
    fn a_connection_closes_when_both_sides_have_finished() {
        let open = [(OUT, SYN), (IN, SYN_ACK), (OUT, ACK), (IN, FIN)];
        assert_eq!(after(&open), TcpPhase::Established, "half-closed connections may live long");
        assert_eq!(after(&[&open[..], &[(OUT, FIN)]].concat()), TcpPhase::Closing);
        assert_eq!(after(&[&open[..], &[(OUT, FIN), (IN, ACK)]].concat()), TcpPhase::Closing);
        assert_eq!(after(&[&open[..], &[(OUT, FIN), (OUT, SYN)]].concat()), TcpPhase::Opening, "a new one");
    }

    #[test]
    fn a_reset_connection_goes_on_if_more_than_resets_follow() {
        let reset = [(OUT, SYN), (IN, SYN_ACK), (OUT, ACK), (IN, RST)];
        assert_eq!(after(&reset), TcpPhase::Reset);
        assert_eq!(after(&[&reset[..], &[(IN, RST)]].concat()), TcpPhase::Reset);
        assert_eq!(after(&[&reset[..], &[(IN, ACK)]].concat()), TcpPhase::Established, "the RST was forged");
        assert_eq!(after(&[&reset[..], &[(OUT, SYN)]].concat()), TcpPhase::Opening, "a new one");
    }

    #[test]
    fn a_connection_whose_beginning_nobody_saw_stays_opening() {
        assert_eq!(after(&[(OUT, ACK), (IN, ACK), (OUT, ACK)]), TcpPhase::Opening);
    }

    #[test]
    fn connections_are_remembered_until_the_last_one_may_be_forgotten() {
        let lifetimes = TcpLifetimes::DEFAULT;
        let [a, b] = ["192.0.2.1:80", "192.0.2.2:80"].map(|text| text.parse().expect("an address"));
        let (start, later) = (SimTime::ZERO, SimTime::ZERO + SimDuration::from_secs(60));
        let mut sessions = TcpSessions::default();
        let mut note = |at, remote, outbound, flags| sessions.note(at, remote, outbound, flags, &lifetimes);

        assert_eq!(note(start, a, OUT, SYN), Some(start + lifetimes.transitory));
        note(start, b, OUT, SYN);
        note(start, b, IN, SYN_ACK);
        assert_eq!(note(start, b, OUT, ACK), Some(start + lifetimes.established));
        assert_eq!(note(later, a, OUT, SYN), Some(start + lifetimes.established));
        assert_eq!(note(later, b, IN, RST), Some(later + lifetimes.transitory));
    }

    #[test]
    fn what_follows_on_a_forgotten_connection_is_a_new_one() {
        let lifetimes = TcpLifetimes::DEFAULT;
        let remote = "192.0.2.1:80".parse().expect("an address");
        let mut sessions = TcpSessions::default();
        for (outbound, flags) in [(OUT, SYN), (IN, SYN_ACK), (OUT, ACK)] {
            sessions.note(SimTime::ZERO, remote, outbound, flags, &lifetimes);
        }
        let late = SimTime::ZERO + lifetimes.established;
        assert_eq!(sessions.note(late, remote, OUT, ACK, &lifetimes), Some(late + lifetimes.transitory));
    }

    #[test]
    fn a_reset_makes_no_connection() {
        let mut sessions = TcpSessions::default();
        let remote = "192.0.2.1:80".parse().expect("an address");
        assert_eq!(sessions.note(SimTime::ZERO, remote, IN, RST, &TcpLifetimes::DEFAULT), None);
    }

    #[test]
    fn the_phase_of_many_connections_is_that_of_the_one_that_ends_last() {
        let lifetimes = TcpLifetimes::DEFAULT;
        let [a, b] = ["192.0.2.1:80", "192.0.2.2:80"].map(|text| text.parse().expect("an address"));
        let mut sessions = TcpSessions::default();
        let mut phase = |remote, outbound, flags| {
            sessions.note(SimTime::ZERO, remote, outbound, flags, &lifetimes);
            sessions.phase()
        };

        assert_eq!(phase(a, OUT, SYN), TcpPhase::Opening);
        phase(b, OUT, SYN);
        phase(b, IN, SYN_ACK);
        assert_eq!(phase(b, OUT, ACK), TcpPhase::Established);
        assert_eq!(phase(a, IN, RST), TcpPhase::Established, "the other one goes on");
        phase(b, OUT, FIN);
        assert_eq!(phase(b, IN, FIN), TcpPhase::Closing);
        assert_eq!(phase(b, IN, RST), TcpPhase::Reset);
    }
}
