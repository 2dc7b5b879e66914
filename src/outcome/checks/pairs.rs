//! Checks by the candidate pair they belong to.

use std::net::{IpAddr, SocketAddr};

use super::{Check, CheckEnd};
use crate::base::{SessionId, SimTime};
use crate::engine::SessionRun;
use crate::plan::{CandidateType, PairState};
use crate::trace::{AgentEvent, EventKind, Trace};
use crate::wire::{Candidate, Signal};

/// Where a side's checks leave from. Checks from a reflexive candidate leave from its base (RFC 8445 §6.1.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocalEnd {
    /// One of its sockets.
    Socket(SocketAddr),
    /// Its relayed address.
    Relay(SocketAddr),
}

/// A candidate pair and its checks.
#[derive(Debug, Clone)]
pub struct Pair<'a> {
    /// The side's own end.
    pub local: LocalEnd,
    /// The peer's end.
    pub remote: SocketAddr,
    /// What kind of candidate the peer's end is: as it was signalled, or peer-reflexive if it never was.
    pub remote_kind: CandidateType,
    /// When both ends were known.
    pub known_at: SimTime,
    /// Its checks, in order.
    pub checks: Vec<Check<'a>>,
}

impl LocalEnd {
    /// The address.
    pub const fn address(self) -> SocketAddr {
        match self {
            Self::Socket(address) | Self::Relay(address) => address,
        }
    }

    /// The candidate type of the base.
    pub const fn kind(self) -> CandidateType {
        match self {
            Self::Socket(_) => CandidateType::Host,
            Self::Relay(_) => CandidateType::Relayed,
        }
    }
}

impl Pair<'_> {
    /// When the first of its checks was answered.
    pub fn answered_at(&self) -> Option<SimTime> {
        let answered = |check: &Check<'_>| match check.end {
            CheckEnd::Answered { at } => Some(at),
            _ => None,
        };
        self.checks.iter().filter_map(answered).min()
    }

    /// The states it went through, each with its beginning.
    ///
    /// The wire shows no frozen pairs, and no timers: a pair counts as failed once the last of its checks is known to
    /// have come to nothing.
    pub fn states(&self) -> Vec<(SimTime, PairState)> {
        let mut states = vec![(self.known_at, PairState::Waiting)];
        let Some(first) = self.checks.first() else { return states };
        states.push((first.sent_at.max(self.known_at), PairState::InProgress));
        if let Some(at) = self.answered_at() {
            states.push((at, PairState::Succeeded));
        } else if let Some(last) = self.checks.iter().map(|check| check.end.at()).max()
            && let Some(last) = last
            && self.checks.iter().all(|check| check.end.at().is_some())
        {
            states.push((last, PairState::Failed));
        }
        states
    }
}

/// Every pair of an own base and a peer's candidate, with its checks.
pub(super) fn grouped<'a>(
    trace: &Trace,
    session: SessionId,
    side: &SessionRun,
    checks: Vec<Check<'a>>,
) -> Vec<Pair<'a>> {
    let mut pairs = possible(trace, session, side);
    for check in checks {
        let of_check = |pair: &&mut Pair<'_>| pair.local == check.local && pair.remote == check.remote;
        match pairs.iter_mut().find(of_check) {
            Some(pair) => pair.checks.push(check),
            None => pairs.push(Pair {
                local: check.local,
                remote: check.remote,
                remote_kind: CandidateType::PeerReflexive,
                known_at: check.sent_at,
                checks: vec![check],
            }),
        }
    }
    pairs.sort_by_key(|pair| (pair.local, pair.remote_kind, pair.remote));
    pairs
}

fn possible<'a>(trace: &Trace, session: SessionId, side: &SessionRun) -> Vec<Pair<'a>> {
    let Some(started) = side.started_at else { return Vec::new() };
    let sockets = side.sockets.iter().map(|socket| (LocalEnd::Socket(*socket), started));
    let locals = sockets.chain(relays(trace, session));
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for (local, gathered) in locals {
        for (candidate, told) in signalled_to(trace, side) {
            let remote = candidate.address;
            // Nobody sends to a name.
            if candidate.is_unresolved() {
                continue;
            }
            let is_known = pairs.iter().any(|pair| pair.local == local && pair.remote == remote);
            if is_known || local.address().is_ipv4() != remote.is_ipv4() {
                continue;
            }
            let known_at = gathered.max(told);
            pairs.push(Pair { local, remote, remote_kind: candidate.kind, known_at, checks: Vec::new() });
        }
    }
    pairs
}

/// The side's own relayed addresses, and when it got them.
fn relays(trace: &Trace, session: SessionId) -> impl Iterator<Item = (LocalEnd, SimTime)> {
    trace.events.iter().filter_map(move |event| match &event.kind {
        EventKind::Agent { session: of, event: AgentEvent::Gathered(candidate) }
            if *of == session && candidate.kind == CandidateType::Relayed =>
        {
            Some((LocalEnd::Relay(candidate.address), event.at))
        }
        _ => None,
    })
}

/// The candidates that signalling brought to `side`, and when.
///
/// One that came with a name has its address, and the time at which it was learned, if it ever was.
pub(super) fn signalled_to(trace: &Trace, side: &SessionRun) -> Vec<(Candidate, SimTime)> {
    let mut told: Vec<(Candidate, SimTime)> = Vec::new();
    for event in &trace.events {
        let EventKind::Signalled { from, signal, arrives: Some(at) } = &event.kind else { continue };
        if *from != side.counterpart {
            continue;
        }
        match signal {
            Signal::Offer(description) | Signal::Answer(description) => {
                told.extend(description.candidates.iter().map(|candidate| (candidate.clone(), *at)));
            }
            Signal::Candidate { candidate, .. } => told.push((candidate.clone(), *at)),
            Signal::EndOfCandidates | Signal::Bye => {}
        }
    }
    for (candidate, at) in told.iter_mut().filter(|(candidate, _)| candidate.is_unresolved()) {
        if let Some((address, learned)) = learned(trace, side, candidate) {
            candidate.address.set_ip(address);
            *at = learned.max(*at);
        }
    }
    told
}

/// What the side learned of the address behind a candidate's name, and when.
fn learned(trace: &Trace, side: &SessionRun, named: &Candidate) -> Option<(IpAddr, SimTime)> {
    trace.events.iter().find_map(|event| match &event.kind {
        EventKind::Agent { session, event: AgentEvent::Resolved { name, address: Some(address) } }
            if named.name.as_ref() == Some(name) && is_of(*session, side) =>
        {
            Some((*address, event.at))
        }
        _ => None,
    })
}

/// True if `session` is this side: the two sides of a call follow each other.
fn is_of(session: SessionId, side: &SessionRun) -> bool {
    session.index() == (side.counterpart.index() ^ 1)
}
