//! What happened in a call, as rows in the order of the trace.

use rustc_hash::FxHashMap;

use crate::base::{NodeId, PacketId, SessionId, SimTime};
use crate::plan::{PortBlock, StateChange};
use crate::report::journey::{Fate, Journey};
use crate::report::text::length;
use crate::report::{Report, names};
use crate::trace::{AgentEvent, Event, EventKind, Trace};
use crate::wire::Signal;

/// A row of the ladder.
#[derive(Debug)]
pub struct Row<'a> {
    /// When it begins.
    pub at: SimTime,
    /// What it says.
    pub label: String,
    /// The same in fewer words, if there are fewer.
    pub brief: Option<String>,
    /// What it shows.
    pub shape: Shape<'a>,
    /// For a packet over which nodes it went with which addresses: two that went the same way and say the same tell
    /// nothing new. `None` for rows that always tell something new.
    pub way: Option<String>,
}

impl Row<'_> {
    /// The label for a place of `room` characters: the whole one if it fits.
    pub fn label_within(&self, room: usize) -> &str {
        match &self.brief {
            Some(brief) if length(&self.label) > room => brief,
            _ => &self.label,
        }
    }
}

/// What a row shows.
#[derive(Debug)]
pub enum Shape<'a> {
    /// A packet on its way.
    Packet(&'a Journey<'a>),
    /// A signalling message.
    Signal {
        /// The sender.
        from: NodeId,
        /// The receiver.
        to: NodeId,
        /// When it arrives; `None`: it was lost.
        arrives: Option<SimTime>,
    },
    /// Something that happened at one node.
    Point(NodeId),
    /// Something the scenario lets happen, to whomever.
    Change,
}

/// The rows of a ladder that has these columns: of a call, or of what belongs to no call.
pub fn rows<'a>(
    report: Report<'a>,
    trace: &'a Trace,
    call: Option<usize>,
    journeys: &[&'a Journey<'a>],
    columns: &[NodeId],
) -> Vec<Row<'a>> {
    let builder = Builder { report, call, columns };
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
    call: Option<usize>,
    columns: &'c [NodeId],
}

impl<'a> Builder<'a, '_> {
    fn packet(&self, journey: &'a Journey<'a>) -> Row<'a> {
        let ending = match journey.fate {
            Fate::Delivered(_) => String::new(),
            Fate::Dropped { drop, .. } => format!("  x {}", drop.reason),
            Fate::InFlight => "  (still on its way)".into(),
        };
        let copy = if journey.is_copy { " (copy)" } else { "" };
        let label = |words: String| format!("{words}{copy}{ending}");
        let (whole, brief) = (names::packet(journey.record), names::packet_briefly(journey.record));
        let brief = (brief != whole).then(|| label(brief));
        let way = Some(format!("{:?} {}", journey.stops, journey.record.flow));
        Row { at: journey.started, label: label(whole), brief, shape: Shape::Packet(journey), way }
    }

    fn other(&self, event: &'a Event) -> Option<Row<'a>> {
        let (label, shape) = match &event.kind {
            EventKind::Signalled { from, signal, arrives } if self.is_ours(*from) => {
                let to = names::counterpart(self.report.run, *from);
                (
                    signal_label(signal, arrives.is_none()),
                    Shape::Signal { from: self.node(*from)?, to: self.node(to)?, arrives: *arrives },
                )
            }
            EventKind::Agent { session, event } if self.is_ours(*session) => {
                let name = names::session(self.report.plan, self.report.run, *session);
                (format!("{name}{}", self.agent_label(event)?), Shape::Point(self.node(*session)?))
            }
            EventKind::Scripted { event } => {
                (self.report.plan.events.get(*event)?.text.clone(), Shape::Change)
            }
            EventKind::State { node, change } if self.columns.contains(node) => {
                let name = self.report.plan.name_of(*node);
                (format!("{name} {}", state_label(change)?), Shape::Point(*node))
            }
            _ => return None,
        };
        Some(Row { at: event.at, label, brief: None, shape, way: None })
    }

    fn is_ours(&self, session: SessionId) -> bool {
        Some(session.index() / 2) == self.call
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
            AgentEvent::Resolved { name, address: Some(address) } => {
                Some(format!(" learns: {} is {address}", names::short_name(name)))
            }
            AgentEvent::Resolved { name, address: None } => {
                Some(format!(" gives up: {} is not on its link", names::short_name(name)))
            }
            AgentEvent::Trouble(what) => Some(format!(" in trouble: {what}")),
        }
    }
}

fn signal_label(signal: &Signal, lost: bool) -> String {
    let lite = match signal {
        Signal::Offer(description) | Signal::Answer(description) if description.lite => " (ice-lite)",
        _ => "",
    };
    let label = match signal {
        Signal::Candidate { candidate, .. } => format!("candidate {}", names::candidate(candidate)),
        Signal::Offer(description) | Signal::Answer(description) if !description.candidates.is_empty() => {
            let kinds: Vec<&str> = description.candidates.iter().map(|c| c.kind.word()).collect();
            format!("{}{lite} with {}", signal.name(), kinds.join(", "))
        }
        Signal::Offer(_) | Signal::Answer(_) | Signal::EndOfCandidates | Signal::Bye => {
            format!("{}{lite}", signal.name())
        }
    };
    if lost { label + "  x lost" } else { label }
}

/// What the row of a change of state says. What came to be shows in the packets; what went away does not.
fn state_label(change: &StateChange) -> Option<String> {
    match change {
        StateChange::MappingExpired { external, .. } => Some(format!("forgets {external}")),
        StateChange::AllocationGone { relayed } => Some(format!("ends allocation {relayed}")),
        StateChange::PortBlockGiven(PortBlock { host, ports, .. }) => {
            Some(format!("gives {host} ports {ports}"))
        }
        StateChange::PortBlockReturned(PortBlock { ports, .. }) => Some(format!("takes ports {ports} back")),
        // The row of the event that made it forget everything says so.
        StateChange::Forgot
        | StateChange::MappingCreated(_)
        | StateChange::MappingGranted { .. }
        | StateChange::MappingPhase { .. }
        | StateChange::FilterOpened { .. }
        | StateChange::AllocationCreated { .. }
        | StateChange::AllocationRefreshed { .. }
        | StateChange::PermissionInstalled { .. }
        | StateChange::ChannelBound { .. } => None,
    }
}
