//! The way the settled pair's data took, node by node.

use crate::agent::DATA_FIRST_BYTE;
use crate::base::{NodeId, PacketId};
use crate::engine::SessionRun;
use crate::trace::{EventKind, PacketRecord, Trace};
use crate::wire::Flow;

/// A node that a packet passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The node.
    pub node: NodeId,
    /// True if the packet left it with other addresses than it came with.
    pub rewrote: bool,
}

/// The nodes between `from` and `to` that the last data packet passed which went all the way without a relay, in order.
pub fn of_last_data(trace: &Trace, from: &SessionRun, to: &SessionRun) -> Vec<Stop> {
    let arrived = trace.events.iter().rev().find_map(|event| match &event.kind {
        EventKind::Delivered { packet, node } if *node == to.node => {
            trace.packets.get(*packet).filter(|record| is_data_of(record, from)).map(|_| *packet)
        }
        _ => None,
    });
    arrived.map(|packet| stops(trace, packet)).unwrap_or_default()
}

fn stops(trace: &Trace, packet: PacketId) -> Vec<Stop> {
    let mut came_with: Option<Flow> = None;
    let mut stops = Vec::new();
    for event in &trace.events {
        match &event.kind {
            EventKind::Arrived(hop) if hop.packet == packet => came_with = Some(hop.flow),
            EventKind::Departed(hop) if hop.packet == packet => {
                if let Some(flow) = came_with {
                    stops.push(Stop { node: hop.node, rewrote: flow != hop.flow });
                }
            }
            _ => {}
        }
    }
    stops
}

fn is_data_of(record: &PacketRecord, sender: &SessionRun) -> bool {
    sender.holds(record.origin, record.flow.source)
        && record.messages().filter_map(|message| message.first()).any(|byte| DATA_FIRST_BYTE.contains(byte))
}
