//! Addresses that peers kept to themselves, and that would have been reached.

use super::classify::Sides;
use crate::engine::SessionRun;
use crate::plan::{Element, HostCandidates, Plan};
use crate::trace::{AgentEvent, EventKind, Trace};

/// What each side hid from the other, where both are in one address space: elsewhere a host's own address says nothing.
pub fn sentences(plan: &Plan, trace: &Trace, sides: Sides<'_>) -> Vec<String> {
    let realm = |side: &SessionRun| plan.topology.node(side.node).realm;
    let (caller, callee) = (sides.caller, sides.callee);
    if realm(caller) != realm(callee) {
        return Vec::new();
    }
    [(caller, callee), (callee, caller)]
        .into_iter()
        .filter_map(|(side, other)| hidden(plan, trace, side, other))
        .collect()
}

fn hidden(plan: &Plan, trace: &Trace, side: &SessionRun, other: &SessionRun) -> Option<String> {
    let Element::Peer(peer) = &plan.topology.node(side.node).element else { return None };
    let (name, other_name) = (plan.name_of(side.node), plan.name_of(other.node));
    match peer.host_candidates {
        HostCandidates::Hidden => {
            Some(format!("{name} told {other_name} none of its own addresses (host-candidates: hidden)."))
        }
        HostCandidates::Mdns if asked_in_vain(trace, side) => Some(format!(
            "{name}'s own addresses stood behind mDNS names, which resolve only on its own link, and {other_name} is not on it."
        )),
        _ => None,
    }
}

/// The other side gave up on a name of this side, and never learned the address of one.
fn asked_in_vain(trace: &Trace, side: &SessionRun) -> bool {
    let outcomes = trace.events.iter().filter_map(|event| match &event.kind {
        EventKind::Agent { session, event: AgentEvent::Resolved { address, .. } }
            if *session == side.counterpart =>
        {
            Some(address.is_some())
        }
        _ => None,
    });
    let outcomes: Vec<bool> = outcomes.collect();
    !outcomes.is_empty() && !outcomes.contains(&true)
}
