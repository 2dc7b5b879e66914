//! One line for each event.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::Line;
use crate::base::{NodeId, PacketId, SessionId, SimDuration, SimTime};
use crate::plan::{Accepts, Plan, PortBlock, Protocol, Rule, StateChange, TcpPhase};
use crate::report::{Report, names};
use crate::trace::{AgentEvent, Event, EventKind, Hop, PacketRecord, Place};
use crate::wire::{Candidate, Flow, PairEnd, Signal};

/// The line that introduces a packet.
pub(super) fn packet(plan: &Plan, at: SimTime, id: PacketId, record: &PacketRecord) -> Line {
    Line::new("packet")
        .at(at)
        .packet(id)
        .with("origin", plan.name_of(record.origin))
        .with("cause", record.cause.map(|cause| cause.index()))
        .with("protocol", record.protocol().word())
        .flow(record.flow)
        .with("bytes", record.len)
        .with("label", names::packet(record))
}

/// The line of an event.
pub(super) fn event(report: Report<'_>, event: &Event) -> Line {
    let (plan, at) = (report.plan, event.at);
    match &event.kind {
        EventKind::Departed(each) => hop(plan, Line::new("departed").at(at), *each),
        EventKind::Arrived(each) => hop(plan, Line::new("arrived").at(at), *each),
        EventKind::Delivered { packet, node } => {
            Line::new("delivered").at(at).packet(*packet).node(plan, *node)
        }
        EventKind::Dropped { packet, place, flow, drop } => Line::new("dropped")
            .at(at)
            .packet(*packet)
            .with("by", names::place(plan, *place))
            .with("on", if matches!(place, Place::Node(_)) { "node" } else { "link" })
            .flow(*flow)
            .with("reason", drop.reason.word())
            .with("rule", (drop.rule != Rule::Plain).then(|| drop.rule.to_string())),
        EventKind::Duplicated { packet, copy, link } => Line::new("duplicated")
            .at(at)
            .packet(*packet)
            .with("copy", copy.index())
            .with("link", plan.topology.link_name(*link)),
        EventKind::State { node, change } => state(plan, at, *node, change),
        EventKind::Signalled { from, signal, arrives } => Line::new("signalled")
            .at(at)
            .session(report, *from)
            .with("to", names::session(plan, report.run, names::counterpart(report.run, *from)))
            .with("message", signal.name())
            .with("candidates", candidates(signal))
            .with("arrives_ms", arrives.map(SimTime::as_millis_f64)),
        EventKind::SignalArrived { to, name } => {
            Line::new("signal-arrived").at(at).session(report, *to).with("message", *name)
        }
        EventKind::Scripted { event } => scripted(plan, at, *event),
        EventKind::Agent { session, event } => agent(report, at, *session, event),
    }
}

fn hop(plan: &Plan, line: Line, hop: Hop) -> Line {
    line.packet(hop.packet)
        .node(plan, hop.node)
        .with("port", names::port(plan, hop.node, hop.port))
        .flow(hop.flow)
        .with("hop_limit", hop.hop_limit)
}

fn state(plan: &Plan, at: SimTime, node: NodeId, change: &StateChange) -> Line {
    let line = |event| Line::new(event).at(at).node(plan, node);
    match change {
        StateChange::MappingCreated(row) => line("mapping-created")
            .with("protocol", row.protocol.word())
            .with("phase", row.phase.map(TcpPhase::word))
            .address("inside", row.internal)
            .address("outside", row.external)
            .with("for", row.for_remote.map(names::endpoint))
            .with("accepts", row.accepts.as_ref().map(senders))
            .with("accepts_more", row.accepts.as_ref().map_or(0, |accepts| accepts.more))
            .with("expires_ms", row.expires.as_millis_f64()),
        StateChange::FilterOpened { protocol, external, remote } => line("filter-opened")
            .with("protocol", protocol.word())
            .address("outside", *external)
            .with("remote", names::endpoint(*remote)),
        StateChange::MappingGranted { protocol, internal, external, lifetime } => line("mapping-granted")
            .with("protocol", protocol.word())
            .address("inside", *internal)
            .address("outside", *external)
            .lifetime(*lifetime),
        StateChange::MappingPhase { internal, external, phase } => line("mapping-phase")
            .with("protocol", Protocol::Tcp.word())
            .with("phase", phase.word())
            .address("inside", *internal)
            .address("outside", *external),
        StateChange::MappingExpired { protocol, internal, external } => line("mapping-expired")
            .with("protocol", protocol.word())
            .address("inside", *internal)
            .address("outside", *external),
        StateChange::PortBlockGiven(block) => port_block(line("port-block-given"), block),
        StateChange::PortBlockReturned(block) => port_block(line("port-block-returned"), block),
        StateChange::Forgot => line("forgot"),
        StateChange::AllocationCreated { client, relayed, username, lifetime } => line("allocation-created")
            .address("relayed", *relayed)
            .address("client", *client)
            .with("username", username.as_str())
            .lifetime(*lifetime),
        StateChange::AllocationRefreshed { relayed, lifetime } => {
            line("allocation-refreshed").address("relayed", *relayed).lifetime(*lifetime)
        }
        StateChange::AllocationGone { relayed } => line("allocation-gone").address("relayed", *relayed),
        StateChange::PermissionInstalled { relayed, peer, lifetime } => line("permission-installed")
            .address("relayed", *relayed)
            .with("peer", peer.to_string())
            .lifetime(*lifetime),
        StateChange::ChannelBound { relayed, channel, peer, lifetime } => line("channel-bound")
            .address("relayed", *relayed)
            .with("channel", *channel)
            .address("peer", *peer)
            .lifetime(*lifetime),
    }
}

fn scripted(plan: &Plan, at: SimTime, number: usize) -> Line {
    let event = plan.events.get(number);
    Line::new("scripted")
        .at(at)
        .with("action", event.map(|event| event.action.word()))
        .with("text", event.map(|event| event.text.as_str()))
        .with("line", event.map(|event| event.line))
}

fn port_block(line: Line, block: &PortBlock) -> Line {
    line.with("host", block.host.to_string())
        .with("outside", block.outside.to_string())
        .with("first_port", block.ports.first())
        .with("last_port", block.ports.last())
}

fn agent(report: Report<'_>, at: SimTime, session: SessionId, event: &AgentEvent) -> Line {
    let line = |event| Line::new(event).at(at).session(report, session);
    match event {
        AgentEvent::Started => line("agent-started"),
        AgentEvent::Gathered(candidate) => {
            let line = line("candidate-gathered").with("candidate", candidate.to_string());
            match &candidate.name {
                Some(name) => line.with("name", name.to_string()),
                None => line,
            }
        }
        AgentEvent::Resolved { name, address } => line("name-asked")
            .with("name", name.to_string())
            .with("address", address.map(|address| address.to_string())),
        AgentEvent::State(state) => line("ice-state").with("state", state.word()),
        AgentEvent::Selected(pair) => {
            line("pair-selected").with("local", end(pair.local)).with("remote", end(pair.remote))
        }
        AgentEvent::Trouble(text) => line("trouble").with("text", text.as_str()),
    }
}

fn end(end: PairEnd) -> Value {
    json!({ "type": end.kind, "address": end.address.to_string() })
}

fn senders(accepts: &Accepts) -> Vec<String> {
    accepts.remotes.iter().map(|remote| names::endpoint(*remote)).collect()
}

fn candidates(signal: &Signal) -> Vec<String> {
    match signal {
        Signal::Offer(description) | Signal::Answer(description) => {
            description.candidates.iter().map(Candidate::to_string).collect()
        }
        Signal::Candidate { candidate, .. } => vec![candidate.to_string()],
        Signal::EndOfCandidates | Signal::Bye => Vec::new(),
    }
}

/// The keys that many events share.
impl Line {
    fn at(self, at: SimTime) -> Self {
        self.with("at_ms", at.as_millis_f64())
    }

    fn packet(self, packet: PacketId) -> Self {
        self.with("packet", packet.index())
    }

    fn node(self, plan: &Plan, node: NodeId) -> Self {
        self.with("node", plan.name_of(node))
    }

    fn session(self, report: Report<'_>, session: SessionId) -> Self {
        self.with("call", session.index() / 2).with("node", names::session(report.plan, report.run, session))
    }

    fn flow(self, flow: Flow) -> Self {
        self.address("from", flow.source).address("to", flow.destination)
    }

    fn address(self, key: &str, address: SocketAddr) -> Self {
        self.with(key, address.to_string())
    }

    fn lifetime(self, lifetime: SimDuration) -> Self {
        self.with("lifetime_ms", lifetime.as_millis_f64())
    }
}
