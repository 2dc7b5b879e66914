//! What NATs, firewalls and TURN servers remembered, and from when to when.

use std::net::SocketAddr;

use serde::Serialize;

use super::packets::Book;
use crate::base::{NodeId, SimDuration, SimTime};
use crate::plan::{Element, MappingRow, Protocol, StateChange};
use crate::report::journey::Journey;
use crate::report::{Report, names};
use crate::trace::EventKind;

/// What a NAT or firewall remembered.
#[derive(Debug, Serialize)]
pub struct Nat {
    node: usize,
    mappings: Vec<Mapping>,
}

/// A mapping; of a firewall the memory of an inside endpoint, which keeps its address.
#[derive(Debug, Serialize)]
struct Mapping {
    protocol: &'static str,
    /// What phases its connections were in, and since when; empty where it is not TCP's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phases: Vec<(f64, &'static str)>,
    inside: String,
    outside: String,
    #[serde(rename = "for")]
    for_remote: String,
    from: f64,
    until: Option<f64>,
    /// True if its host asked for it.
    #[serde(skip_serializing_if = "is_false")]
    explicit: bool,
    /// Who may send in, and since when; `None`: anybody.
    accepts: Option<Vec<(f64, String)>>,
    /// The packets it translated, or let in, in the order in which they came: the page searches them by that time.
    used: Vec<usize>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
fn is_false(truth: &bool) -> bool {
    !truth
}

/// What a TURN server remembered.
#[derive(Debug, Serialize)]
pub struct Turn {
    node: usize,
    allocations: Vec<Allocation>,
}

#[derive(Debug, Serialize)]
struct Allocation {
    relayed: String,
    client: String,
    user: String,
    from: f64,
    until: Option<f64>,
    /// Since when, for whom, and until when.
    permissions: Vec<(f64, String, f64)>,
    /// Since when, number, peer, and until when.
    channels: Vec<(f64, String, String, f64)>,
}

/// The tables of every box that remembers flows, in the order of the plan.
pub fn nats(report: Report<'_>, journeys: &[Journey<'_>], book: &Book) -> Vec<Nat> {
    let boxes = report.plan.topology.nodes();
    boxes
        .filter(|(_, node)| matches!(node.element, Element::Nat(_) | Element::Firewall(_)))
        .map(|(id, node)| {
            let mut mappings = mappings(report, id);
            note_uses(&mut mappings, journeys, book, id);
            (node, Nat { node: id.index(), mappings })
        })
        // A firewall that remembered nobody has no table to show.
        .filter(|(node, nat)| matches!(node.element, Element::Nat(_)) || !nat.mappings.is_empty())
        .map(|(_, nat)| nat)
        .collect()
}

fn changes(report: Report<'_>, of: NodeId) -> impl Iterator<Item = (SimTime, &StateChange)> {
    let events = report.run.trace.as_ref().map_or(&[][..], |trace| &trace.events);
    events.iter().filter_map(move |event| match &event.kind {
        EventKind::State { node, change } if *node == of => Some((event.at, change)),
        _ => None,
    })
}

fn mappings(report: Report<'_>, node: NodeId) -> Vec<Mapping> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for (at, change) in changes(report, node) {
        match change {
            StateChange::MappingCreated(row) => mappings.push(Mapping::created(at, row)),
            StateChange::FilterOpened { protocol, external, remote } => {
                let outside = external.to_string();
                let accepted = (at.as_millis_f64(), names::endpoint(*remote));
                match mappings.iter_mut().rev().find(|one| one.is_live(*protocol, &outside)) {
                    Some(mapping) => {
                        let list = mapping.accepts.get_or_insert_default();
                        if list.iter().all(|(_, known)| *known != accepted.1) {
                            list.push(accepted);
                        }
                    }
                    // A firewall makes no mappings.
                    None => mappings.push(Mapping::remembered(at, *protocol, outside, accepted)),
                }
            }
            StateChange::MappingGranted { protocol, external, .. } => {
                let outside = external.to_string();
                if let Some(mapping) = mappings.iter_mut().rev().find(|one| one.is_live(*protocol, &outside))
                {
                    mapping.explicit = true;
                    mapping.accepts = None;
                }
            }
            StateChange::Forgot => {
                let live = mappings.iter_mut().filter(|one| one.until.is_none());
                live.for_each(|mapping| mapping.until = Some(at.as_millis_f64()));
            }
            StateChange::MappingPhase { internal, external, phase } => {
                if let Some(mapping) = live_mapping(&mut mappings, Protocol::Tcp, *internal, *external) {
                    mapping.phases.push((at.as_millis_f64(), phase.word()));
                }
            }
            StateChange::MappingExpired { protocol, internal, external } => {
                if let Some(mapping) = live_mapping(&mut mappings, *protocol, *internal, *external) {
                    mapping.until = Some(at.as_millis_f64());
                }
            }
            _ => {}
        }
    }
    mappings
}

fn live_mapping(
    mappings: &mut [Mapping],
    protocol: Protocol,
    internal: SocketAddr,
    external: SocketAddr,
) -> Option<&mut Mapping> {
    let (inside, outside) = (internal.to_string(), external.to_string());
    mappings.iter_mut().find(|one| one.is_live(protocol, &outside) && one.inside == inside)
}

impl Mapping {
    fn created(at: SimTime, row: &MappingRow) -> Self {
        let from = at.as_millis_f64();
        let accepts = row
            .accepts
            .as_ref()
            .map(|accepts| accepts.remotes.iter().map(|remote| (from, names::endpoint(*remote))).collect());
        Self {
            protocol: row.protocol.word(),
            phases: row.phase.iter().map(|phase| (from, phase.word())).collect(),
            inside: row.internal.to_string(),
            outside: row.external.to_string(),
            for_remote: row.for_remote.map_or("anybody".into(), names::endpoint),
            from,
            until: None,
            explicit: row.explicit,
            accepts,
            used: Vec::new(),
        }
    }

    fn remembered(at: SimTime, protocol: Protocol, inside: String, accepted: (f64, String)) -> Self {
        Self {
            protocol: protocol.word(),
            phases: Vec::new(),
            outside: inside.clone(),
            inside,
            for_remote: "anybody".into(),
            from: at.as_millis_f64(),
            until: None,
            explicit: false,
            accepts: Some(vec![accepted]),
            used: Vec::new(),
        }
    }

    fn is_live(&self, protocol: Protocol, outside: &str) -> bool {
        self.until.is_none() && self.protocol == protocol.word() && self.outside == outside
    }

    fn lives_at(&self, at: f64) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

fn note_uses(mappings: &mut [Mapping], journeys: &[Journey<'_>], book: &Book, node: NodeId) {
    for (at, journey) in in_order_of_arrival(journeys, node) {
        let Some(packet) = book.index_of(journey.packet) else { continue };
        let at = at.as_millis_f64();
        for rewrite in journey.rewrites.iter().filter(|rewrite| rewrite.node == node) {
            let (before, after) = (rewrite.before, rewrite.after);
            let went_out = (before.source.to_string(), after.source.to_string());
            let came_in = (after.destination.to_string(), before.destination.to_string());
            let mapping = mappings.iter_mut().rev().find(|mapping| {
                let ends = (&mapping.inside, &mapping.outside);
                mapping.lives_at(at)
                    && (ends == (&went_out.0, &went_out.1) || ends == (&came_in.0, &came_in.1))
            });
            if let Some(mapping) = mapping {
                mapping.used.push(packet);
            }
        }
    }
}

/// The packets that came to a node, and when each first did.
fn in_order_of_arrival<'j, 'a>(journeys: &'j [Journey<'a>], node: NodeId) -> Vec<(SimTime, &'j Journey<'a>)> {
    let arrival = |journey: &'j Journey<'a>| {
        let (_, stay) = journey.stops.iter().zip(&journey.stays).find(|(stop, _)| **stop == node)?;
        Some((stay.arrived, journey))
    };
    let mut arrivals: Vec<_> = journeys.iter().filter_map(arrival).collect();
    arrivals.sort_by_key(|(at, _)| *at);
    arrivals
}

/// The allocations of every TURN server, in the order of the plan.
pub fn turns(report: Report<'_>) -> Vec<Turn> {
    let servers = report.plan.topology.nodes();
    servers
        .filter(|(_, node)| matches!(&node.element, Element::Server(server) if server.turn.is_some()))
        .map(|(id, _)| Turn { node: id.index(), allocations: allocations(report, id) })
        .collect()
}

fn allocations(report: Report<'_>, node: NodeId) -> Vec<Allocation> {
    let mut allocations: Vec<Allocation> = Vec::new();
    for (at, change) in changes(report, node) {
        let now = at.as_millis_f64();
        let until = |lifetime: SimDuration| (at + lifetime).as_millis_f64();
        match change {
            StateChange::AllocationCreated { client, relayed, username, .. } => {
                allocations.push(Allocation {
                    relayed: relayed.to_string(),
                    client: client.to_string(),
                    user: username.clone(),
                    from: now,
                    until: None,
                    permissions: Vec::new(),
                    channels: Vec::new(),
                });
            }
            StateChange::Forgot => {
                let live = allocations.iter_mut().filter(|one| one.until.is_none());
                live.for_each(|allocation| allocation.until = Some(now));
            }
            StateChange::AllocationGone { relayed } => {
                if let Some(allocation) = live(&mut allocations, *relayed) {
                    allocation.until = Some(now);
                }
            }
            StateChange::PermissionInstalled { relayed, peer, lifetime } => {
                if let Some(allocation) = live(&mut allocations, *relayed) {
                    allocation.permissions.push((now, peer.to_string(), until(*lifetime)));
                }
            }
            StateChange::ChannelBound { relayed, channel, peer, lifetime } => {
                if let Some(allocation) = live(&mut allocations, *relayed) {
                    let number = format!("{channel:#06x}");
                    allocation.channels.push((now, number, peer.to_string(), until(*lifetime)));
                }
            }
            _ => {}
        }
    }
    allocations
}

fn live(allocations: &mut [Allocation], relayed: SocketAddr) -> Option<&mut Allocation> {
    let relayed = relayed.to_string();
    allocations.iter_mut().rev().find(|one| one.until.is_none() && one.relayed == relayed)
}
