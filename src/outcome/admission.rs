//! Why the boxes in front of a peer let its counterpart in.

use std::net::{IpAddr, SocketAddr};

use super::passage::Stop;
use crate::base::NodeId;
use crate::engine::SessionRun;
use crate::plan::{Element, FilteringBehavior, MappingRow, Plan, StateChange};
use crate::trace::{EventKind, Trace};

/// The filters between one peer and the internet, sorted by what made them let the other in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admissions {
    /// Boxes that were opened by what the peer itself had sent to the other.
    pub opened: Vec<NodeId>,
    /// Boxes that let anybody in once a mapping stands.
    pub open_to_all: Vec<NodeId>,
    /// NATs that let anybody in through this mapping, because the peer had asked for it.
    pub granted: Vec<NodeId>,
}

/// What the trace shows of the filters in front of `side` that the settled pair's data passes, towards the address it
/// settled on.
pub fn of(plan: &Plan, trace: &Trace, side: &SessionRun, passage: &[Stop]) -> Admissions {
    let mut admissions = Admissions::default();
    let Some((selected_at, pair)) = side.selections.last() else { return admissions };
    let remote = pair.remote.address.ip();
    let is_nat = |node: NodeId| matches!(plan.topology.node(node).element, Element::Nat(_));
    // A NAT that only switches a packet from one of its inside ports to another does not filter it.
    let switches = |stop: &Stop| {
        is_nat(stop.node)
            && match remote {
                IpAddr::V4(_) => !stop.rewrote,
                // It rewrites nothing; what counts is whether both are behind it.
                IpAddr::V6(_) => plan
                    .public_owner(remote)
                    .is_some_and(|peer| plan.topology.ancestors(peer).contains(&stop.node)),
            }
    };
    let is_passed = |node: &NodeId| passage.iter().any(|stop| stop.node == *node && !switches(stop));
    for node in plan.topology.ancestors(side.place()).into_iter().filter(is_passed) {
        let element = plan.element_at(node, *selected_at);
        let remote = match &*element {
            Element::Nat(nat) => nat.outside_of(pair.remote.address),
            _ => pair.remote.address,
        };
        match filtering_of(&element, remote.ip()) {
            None => {}
            Some(FilteringBehavior::EndpointIndependent) => admissions.open_to_all.push(node),
            Some(_) if grants_of(trace, node).any(|ends| ends.contains(&pair.local.address)) => {
                admissions.granted.push(node);
            }
            Some(_) if was_opened(trace, node, remote) => admissions.opened.push(node),
            Some(_) => {}
        }
    }
    admissions
}

/// Which packets from this address outside come in.
fn filtering_of(element: &Element, remote: IpAddr) -> Option<FilteringBehavior> {
    match element {
        Element::Nat(nat) => nat.filtering_of(remote),
        Element::Firewall(firewall) => Some(firewall.filtering),
        _ => None,
    }
}

/// The inner and the outer end of every mapping that `node` promised a host; either may be what a stack calls its own.
fn grants_of(trace: &Trace, node: NodeId) -> impl Iterator<Item = [SocketAddr; 2]> {
    trace.events.iter().filter_map(move |event| match &event.kind {
        EventKind::State { node: at, change: StateChange::MappingGranted { internal, external, .. } }
            if *at == node =>
        {
            Some([*internal, *external])
        }
        _ => None,
    })
}

/// The NAT in front of `side` that granted it this address outside.
pub fn granted_by(plan: &Plan, trace: &Trace, side: &SessionRun, address: SocketAddr) -> Option<NodeId> {
    let has_granted = |node: &NodeId| grants_of(trace, *node).any(|[_, external]| external == address);
    plan.topology.ancestors(side.node).into_iter().find(has_granted)
}

/// True if `node` noted that packets from `remote` may now come in.
fn was_opened(trace: &Trace, node: NodeId, remote: SocketAddr) -> bool {
    // A port of 0 stands for all ports of the address.
    let admits = |known: &SocketAddr| known.ip() == remote.ip() && [0, remote.port()].contains(&known.port());
    trace.events.iter().any(|event| match &event.kind {
        EventKind::State { node: at, change } if *at == node => match change {
            StateChange::FilterOpened { remote, .. } => admits(remote),
            StateChange::MappingCreated(row) => first_senders(row).iter().any(admits),
            _ => false,
        },
        _ => false,
    })
}

fn first_senders(row: &MappingRow) -> &[SocketAddr] {
    row.accepts.as_ref().map_or(&[], |accepts| &accepts.remotes)
}
