//! The path of a call, from what its packets did.

use super::{CallOutcome, EndOutcome, SelectedOutcome};
use crate::base::{SimDuration, SimTime};
use crate::engine::{Observed, Run, SessionRun};
use crate::plan::{Family, IceState, Path, Plan, Transport};
use crate::wire::{PairEnd, SelectedPair, Trail};

/// The two sides of a call after a run.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The side that made the offer.
    pub caller: &'a SessionRun,
    /// The side that answered.
    pub callee: &'a SessionRun,
}

impl<'a> Sides<'a> {
    /// The sides of the plan's call number `call`; `None` if the run has no such call.
    pub fn of(run: &'a Run, call: usize) -> Option<Self> {
        Self::among(&run.sessions, call)
    }

    /// The sides of the plan's call number `call` among sessions in the order of the plan's calls.
    pub fn among(sessions: &'a [SessionRun], call: usize) -> Option<Self> {
        Some(Self { caller: sessions.get(2 * call)?, callee: sessions.get(2 * call + 1)? })
    }

    /// How the settled pair's packets travelled.
    pub fn path(self) -> Path {
        let selected = |side: &SessionRun| !side.selections.is_empty() && side.state != IceState::Failed;
        if !selected(self.caller) || !selected(self.callee) {
            return Path::Failed;
        }
        path_of(self.caller.observed, self.callee.observed)
    }

    /// How the first pair's packets travelled.
    pub fn first_path(self) -> Path {
        path_of(self.caller.first_observed, self.callee.first_observed)
    }

    /// When both sides had a pair.
    pub fn connected_at(self) -> Option<SimTime> {
        Some(self.caller.selections.first()?.0.max(self.callee.selections.first()?.0))
    }

    /// When both sides had the pair they kept.
    pub fn settled_at(self) -> Option<SimTime> {
        Some(self.caller.selections.last()?.0.max(self.callee.selections.last()?.0))
    }

    /// True from the caller's ICE restart until it has a new pair or has failed.
    fn is_restarting(self) -> bool {
        self.caller.state == IceState::Checking && !self.caller.selections.is_empty()
    }

    /// When one side hung up.
    pub fn ended_at(self) -> Option<SimTime> {
        self.caller.ended_at.into_iter().chain(self.callee.ended_at).min()
    }

    /// How many NATs rewrote the packets on the caller's and on the callee's side.
    pub fn nat_hops(self) -> (u32, u32) {
        let trail = |side: &SessionRun| side.observed.map(|observed| observed.trail).unwrap_or_default();
        let (to_callee, to_caller) = (trail(self.callee), trail(self.caller));
        (
            u32::from(to_callee.source_rewrites.max(to_caller.destination_rewrites)),
            u32::from(to_callee.destination_rewrites.max(to_caller.source_rewrites)),
        )
    }
}

/// The path that data which arrived on both sides has taken; the way there and the way back may differ, and then
/// the more indirect one counts.
fn path_of(at_caller: Option<Observed>, at_callee: Option<Observed>) -> Path {
    let (Some(at_caller), Some(at_callee)) = (at_caller, at_callee) else { return Path::Failed };
    path_of_trail(at_caller.trail).max(path_of_trail(at_callee.trail))
}

fn path_of_trail(trail: Trail) -> Path {
    if trail.relayed.is_some() {
        Path::Relay
    } else if trail.source_rewrites + trail.destination_rewrites > 0 {
        Path::Stun
    } else {
        Path::Direct
    }
}

/// What is spoken to the relay that data have passed; of two relays on the way to the callee, to the caller's.
fn relay_protocol_of(at_caller: Option<Observed>, at_callee: Option<Observed>) -> Option<Transport> {
    let relayed = |observed: Option<Observed>| observed.and_then(|observed| observed.trail.relayed);
    relayed(at_callee).or_else(|| relayed(at_caller))
}

/// Everything about a call but `needs` and `why`.
pub fn classify(plan: &Plan, sessions: &[SessionRun], call: usize) -> Option<CallOutcome> {
    let sides = Sides::among(sessions, call)?;
    let planned = plan.calls.get(call)?;
    let (from, to) = (plan.host_of(planned.from).to_owned(), plan.host_of(planned.to).to_owned());
    let path = sides.path();
    let connected = path != Path::Failed;
    let after_start = |at: SimTime| at.since(planned.at).as_millis_f64();
    let (caller_hops, callee_hops) = sides.nat_hops();
    let named = [(&from, sides.caller), (&to, sides.callee)];
    let last_pair = |side: &SessionRun| side.selections.last().map(|(_, pair)| *pair);
    Some(CallOutcome {
        path,
        first_path: Some(sides.first_path()).filter(|first| connected && *first != path),
        needs: None,
        state: if connected || sides.is_restarting() { sides.caller.state } else { IceState::Failed },
        connected_ms: sides
            .connected_at()
            .filter(|_| connected || sides.first_path() != Path::Failed)
            .map(after_start),
        settled_ms: sides.settled_at().filter(|_| connected).map(after_start),
        ended_ms: sides.ended_at().map(after_start),
        ice_restarts: (sides.caller.restarts.len() + sides.callee.restarts.len()) as u32,
        family: last_pair(sides.caller)
            .filter(|_| connected)
            .map(|pair| Family::from(pair.local.address.ip())),
        relay_protocol: relay_protocol_of(sides.caller.observed, sides.callee.observed)
            .filter(|_| path == Path::Relay),
        nat_hops: if connected {
            [(from.clone(), caller_hops), (to.clone(), callee_hops)].into()
        } else {
            Default::default()
        },
        agents: named.iter().map(|(name, side)| ((*name).clone(), side.stack.to_owned())).collect(),
        selected: named
            .iter()
            .filter_map(|(name, side)| Some(((*name).clone(), selected(last_pair(side)?))))
            .collect(),
        rtt_ms: sides
            .caller
            .observed
            .filter(|_| connected)
            .and_then(|observed| observed.rtt_ns)
            .map(|nanos| SimDuration::from_nanos(nanos).as_millis_f64()),
        relay_overhead: None,
        media: Vec::new(),
        media_gap_ms: None,
        why: String::new(),
        from,
        to,
    })
}

fn selected(pair: SelectedPair) -> SelectedOutcome {
    // What is relayed is UDP, whatever the agent speaks to its relay.
    let end = |end: PairEnd| EndOutcome {
        kind: end.kind,
        protocol: "udp",
        address: end.address.to_string(),
        relay_protocol: end.relay,
    };
    SelectedOutcome { local: end(pair.local), remote: end(pair.remote) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::CandidateType;

    #[test]
    fn the_relay_protocol_is_that_of_the_relay_data_have_passed() {
        let observed = |relayed| {
            let trail = Trail { relayed, ..Trail::default() };
            Some(Observed { at: SimTime::ZERO, trail, rtt_ns: None })
        };
        let (direct, tcp, tls) =
            (observed(None), observed(Some(Transport::Tcp)), observed(Some(Transport::Tls)));

        assert_eq!(relay_protocol_of(direct, direct), None);
        assert_eq!(relay_protocol_of(tls, direct), Some(Transport::Tls), "relayed on the way back only");
        assert_eq!(relay_protocol_of(direct, tls), Some(Transport::Tls));
        assert_eq!(relay_protocol_of(tcp, tls), Some(Transport::Tls), "a relay each way");
    }

    #[test]
    fn a_relayed_end_is_udp_however_its_relay_is_reached() {
        let end = |kind, relay| PairEnd { kind, address: ([192, 0, 2, 1], 50_000).into(), relay };
        let local = end(CandidateType::Relayed, Some(Transport::Tls));
        let remote = end(CandidateType::Host, None);

        let outcome = selected(SelectedPair { local, remote });

        assert_eq!((outcome.local.protocol, outcome.local.relay_protocol), ("udp", Some(Transport::Tls)));
        assert_eq!(outcome.remote.relay_protocol, None);
    }
}
