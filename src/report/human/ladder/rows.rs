//! What happened in a call, as rows in the order of the trace.

use rustc_hash::FxHashMap;

use super::columns::Columns;
use crate::base::{NodeId, PacketId, SessionId, SimTime};
use crate::plan::StateChange;
use crate::report::journey::{Fate, Journey};
use crate::report::text::length;
use crate::report::{Report, names};
use crate::trace::{AgentEvent, Event, EventKind, Trace};
use crate::wire::Signal;

/// A row of the ladder.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// When it begins.
    pub(super) at: SimTime,
    /// What it says.
    pub(super) label: String,
    /// What it shows.
    pub(super) shape: Shape<'a>,
    /// Equal for rows that tell the same thing again; `None` for rows that always tell something new.
    pub(super) key: Option<String>,
}

/// What a row shows.
#[derive(Debug)]
pub(super) enum Shape<'a> {
    /// A packet on its way.
    Packet(&'a Journey<'a>),
    /// A signalling message.
    Signal {
        /// The sender.
        from: NodeId,
        /// The receiver.
        to: NodeId,
        /// True if it never arrived.
        lost: bool,
    },
    /// Something that happened at one node.
    Point(NodeId),
}

/// The rows of a call, with labels of at most `room` characters where that can be.
pub(super) fn rows<'a>(
    report: Report<'a>,
    trace: &'a Trace,
    call: usize,
    journeys: &[&'a Journey<'a>],
    columns: &Columns,
    room: usize,
) -> Vec<Row<'a>> {
    let builder = Builder { report, call, columns, room };
    let mut waiting: FxHashMap<PacketId, &'a Journey<'a>> =
        journeys.iter().map(|journey| (journey.packet, *journey)).collect();
    let mut rows = Vec::new();
    for event in &trace.events {
        rows.extend(match event.kind.packet() {
            Some(packet) => waiting.remove(&packet).map(|journey| builder.packet(journey)),
            None => builder.other(event),
        });
    }
    rows
}

struct Builder<'a, 'c> {
    report: Report<'a>,
    call: usize,
    columns: &'c Columns,
    room: usize,
}

impl<'a> Builder<'a, '_> {
    fn packet(&self, journey: &'a Journey<'a>) -> Row<'a> {
        let ending = match journey.fate {
            Fate::Delivered(_) => String::new(),
            Fate::Dropped { drop, .. } => format!("  x {}", drop.reason),
            Fate::InFlight => "  (still on its way)".into(),
        };
        let copy = if journey.is_copy { " (copy)" } else { "" };
        let full = names::packet(journey.record);
        let fits = length(&full) + length(copy) + length(&ending) <= self.room;
        let label = if fits { full } else { names::packet_briefly(journey.record) };
        let label = format!("{label}{copy}{ending}");
        let key = Some(format!("{:?} {} {label}", journey.stops, journey.record.flow));
        Row { at: journey.started, label, shape: Shape::Packet(journey), key }
    }

    fn other(&self, event: &'a Event) -> Option<Row<'a>> {
        let (label, shape) = match &event.kind {
            EventKind::Signalled { from, signal, arrives } if self.is_ours(*from) => {
                let lost = arrives.is_none();
                let to = names::counterpart(self.report.run, *from);
                (
                    signal_label(signal, lost),
                    Shape::Signal { from: self.node(*from)?, to: self.node(to)?, lost },
                )
            }
            EventKind::Agent { session, event } if self.is_ours(*session) => {
                let name = names::session(self.report.plan, self.report.run, *session);
                (format!("{name}{}", self.agent_label(event)?), Shape::Point(self.node(*session)?))
            }
            EventKind::State { node, change } if self.columns.x(*node).is_some() => {
                let name = self.report.plan.name_of(*node);
                (format!("{name} {}", state_label(change)?), Shape::Point(*node))
            }
            _ => return None,
        };
        Some(Row { at: event.at, label, shape, key: None })
    }

    fn is_ours(&self, session: SessionId) -> bool {
        session.index() / 2 == self.call
    }

    fn node(&self, session: SessionId) -> Option<NodeId> {
        self.report.run.sessions.get(session.index()).map(|session| session.node)
    }

    /// What the row of an agent's event says. A trickled candidate has a row already, that of its message.
    fn agent_label(&self, event: &AgentEvent) -> Option<String> {
        match event {
            AgentEvent::Started => Some(" begins to gather".into()),
            AgentEvent::Gathered(_) if self.report.plan.signalling.trickle => None,
            AgentEvent::Gathered(candidate) => Some(format!(" found {}", names::candidate(candidate))),
            AgentEvent::State(state) => Some(format!(": {state}")),
            AgentEvent::Selected(pair) => {
                Some(format!(" selects {} / {}", pair.local.kind, pair.remote.kind))
            }
            AgentEvent::Trouble(what) => Some(format!(" in trouble: {what}")),
        }
    }
}

fn signal_label(signal: &Signal, lost: bool) -> String {
    let label = match signal {
        Signal::Candidate(candidate) => format!("candidate {}", names::candidate(candidate)),
        Signal::Offer(description) | Signal::Answer(description) if !description.candidates.is_empty() => {
            let kinds: Vec<&str> = description.candidates.iter().map(|c| c.kind.word()).collect();
            format!("{} with {}", signal.name(), kinds.join(", "))
        }
        Signal::Offer(_) | Signal::Answer(_) | Signal::EndOfCandidates => signal.name().into(),
    };
    if lost { label + "  x lost" } else { label }
}

/// What the row of a change of state says. What came to be shows in the packets; what went away does not.
fn state_label(change: &StateChange) -> Option<String> {
    match change {
        StateChange::MappingExpired { external, .. } => Some(format!("forgets {external}")),
        StateChange::AllocationGone { relayed } => Some(format!("ends allocation {relayed}")),
        StateChange::MappingCreated(_)
        | StateChange::FilterOpened { .. }
        | StateChange::AllocationCreated { .. }
        | StateChange::AllocationRefreshed { .. }
        | StateChange::PermissionInstalled { .. }
        | StateChange::ChannelBound { .. } => None,
    }
}
