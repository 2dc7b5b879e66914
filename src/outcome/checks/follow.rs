//! Follows a message from packet to packet: a relay takes one and sends another.

use std::net::SocketAddr;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::{Death, LocalEnd};
use crate::base::{NodeId, PacketId, SimTime};
use crate::engine::SessionRun;
use crate::plan::CandidateType;
use crate::trace::{EventKind, PacketRecord, Trace};
use crate::wire::{Flow, stun};

/// The id of a STUN transaction.
pub(super) type Transaction = [u8; 12];

/// An innermost message of a packet, as far as checks are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    /// A connectivity check.
    Request { transaction: Transaction },
    /// A Binding success.
    Success { transaction: Transaction },
    /// A Binding error.
    Error { transaction: Transaction },
}

impl Message {
    /// `None` if it is neither a check nor an answer to one.
    fn read(described: &stun::Described<'_>) -> Option<Self> {
        let innermost = described.innermost();
        let transaction = innermost.transaction?;
        if innermost.is_ice_check {
            return Some(Self::Request { transaction });
        }
        if innermost.is(stun::Class::Success, stun::method::BINDING) {
            return Some(Self::Success { transaction });
        }
        innermost.is(stun::Class::Error, stun::method::BINDING).then_some(Self::Error { transaction })
    }
}

/// How a packet, or what became of it, ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'a> {
    /// It reached this node.
    Arrived { at: SimTime, node: NodeId, source: SocketAddr },
    /// It died.
    Died(Death<'a>),
    /// It was still on its way.
    Underway,
}

/// What is known of each packet of a trace.
pub(super) struct Follower<'a> {
    trace: &'a Trace,
    facts: Vec<Facts<'a>>,
    channels: Vec<Channel>,
}

/// A channel that a client asked a TURN server to bind.
struct Channel {
    client: NodeId,
    server: SocketAddr,
    number: u16,
    peer: SocketAddr,
}

struct Facts<'a> {
    started: SimTime,
    messages: SmallVec<[Message; 1]>,
    end: End<'a>,
    /// What it caused: copies, and what relays made of it.
    children: Vec<PacketId>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(trace: &'a Trace) -> Self {
        let mut channels = Vec::new();
        let facts = trace.packets.iter().map(|(_, record)| {
            let mut messages = SmallVec::new();
            for described in record.described() {
                channels.extend(Channel::asked_for(record, &described));
                messages.extend(Message::read(&described));
            }
            Facts { started: SimTime::ZERO, messages, end: End::Underway, children: Vec::new() }
        });
        let mut follower = Self { trace, facts: facts.collect(), channels };
        follower.note_ends();
        for (packet, record) in trace.packets.iter() {
            if let Some(cause) = record.cause.and_then(|cause| follower.facts_mut(cause)) {
                cause.children.push(packet);
            }
        }
        follower
    }

    fn facts(&self, packet: PacketId) -> Option<&Facts<'a>> {
        self.facts.get(self.trace.packets.position(packet)?)
    }

    fn facts_mut(&mut self, packet: PacketId) -> Option<&mut Facts<'a>> {
        self.facts.get_mut(self.trace.packets.position(packet)?)
    }

    fn note_ends(&mut self) {
        let mut last_flow: FxHashMap<PacketId, Flow> = FxHashMap::default();
        let trace = self.trace;
        for event in &trace.events {
            let Some(packet) = event.kind.packet() else { continue };
            let Some(record) = trace.packets.get(packet) else { continue };
            let Some(facts) = self.facts_mut(packet) else { continue };
            let first = !last_flow.contains_key(&packet);
            match &event.kind {
                EventKind::Departed(hop) | EventKind::Arrived(hop) => {
                    last_flow.insert(packet, hop.flow);
                }
                EventKind::Delivered { node, .. } => {
                    let flow = last_flow.get(&packet).copied().unwrap_or(record.flow);
                    facts.end = End::Arrived { at: event.at, node: *node, source: flow.source };
                }
                EventKind::Dropped { place, flow, drop, .. } => {
                    facts.end = End::Died(Death { packet, at: event.at, place: *place, flow: *flow, drop });
                }
                _ => {}
            }
            if first {
                facts.started = event.at;
            }
        }
    }

    pub(super) fn messages(&self, packet: PacketId) -> &[Message] {
        self.facts(packet).map(|facts| facts.messages.as_slice()).unwrap_or_default()
    }

    pub(super) fn started(&self, packet: PacketId) -> SimTime {
        self.facts(packet).map_or(SimTime::ZERO, |facts| facts.started)
    }

    /// The packets that left a side's sockets.
    pub(super) fn sent_by<'s>(&self, side: &'s SessionRun) -> impl Iterator<Item = PacketId> + use<'a, 's> {
        let mine =
            |record: &PacketRecord| side.holds(record.origin, record.flow.source) && record.cause.is_none();
        self.trace.packets.iter().filter(move |(_, record)| mine(record)).map(|(packet, _)| packet)
    }

    /// The answers a side sent, each to be taken once.
    pub(super) fn answers_of(&self, side: &SessionRun) -> Answers {
        let mut answers: FxHashMap<Transaction, Vec<(SimTime, PacketId, Message)>> = FxHashMap::default();
        for packet in self.sent_by(side) {
            for message in self.messages(packet) {
                let (Message::Success { transaction } | Message::Error { transaction }) = message else {
                    continue;
                };
                answers.entry(*transaction).or_default().push((self.started(packet), packet, *message));
            }
        }
        Answers(answers)
    }

    /// How a message of this packet ended, wherever relays and copies took it. If one of several copies arrives, the
    /// message has.
    pub(super) fn end(&self, packet: PacketId, message: Message) -> End<'a> {
        let Some(facts) = self.facts(packet) else { return End::Underway };
        let heirs = self.heirs(packet, message);
        let mut ends: Vec<End<'a>> = heirs.map(|child| self.end(child, message)).collect();
        // What a relay passed on has not ended at the relay.
        let passed_on = matches!(facts.end, End::Arrived { .. }) && !ends.is_empty();
        if !passed_on {
            ends.push(facts.end);
        }
        let rank = |end: &End<'_>| match end {
            End::Arrived { .. } => 2,
            End::Underway => 1,
            End::Died(_) => 0,
        };
        ends.into_iter().max_by_key(rank).unwrap_or(End::Underway)
    }

    /// The two ends of the pair that a check belongs to: for one in a relay's envelope the side's own relayed address and
    /// the peer address the envelope, or the channel, stands for.
    pub(super) fn ends_of_check(
        &self,
        packet: PacketId,
        check: Message,
        side: &SessionRun,
    ) -> Option<(LocalEnd, SocketAddr)> {
        let record = self.trace.packets.get(packet)?;
        let described = record.described().find(|described| Message::read(described) == Some(check))?;
        let server = record.flow.destination;
        if described.is_ice_check {
            return Some((LocalEnd::Socket(record.flow.source), server));
        }
        let relays = side.local_candidates.iter().filter(|c| c.kind == CandidateType::Relayed);
        let relays: Vec<SocketAddr> = relays.map(|candidate| candidate.address).collect();
        let sent_on = self.sent_on(packet, check).filter(|flow| relays.contains(&flow.source));
        let relay = sent_on
            .map(|flow| flow.source)
            .or_else(|| relays.iter().copied().find(|relay| relay.ip() == server.ip()))
            .or_else(|| relays.first().copied())?;
        let remote = described
            .peer()
            .or_else(|| self.bound_to(side, server, described.channel?))
            .or_else(|| sent_on.map(|flow| flow.destination))?;
        Some((LocalEnd::Relay(relay), remote))
    }

    /// The packets that carry on a message of this one: copies, and what relays made of it.
    fn heirs(&self, packet: PacketId, message: Message) -> impl Iterator<Item = PacketId> {
        let children = self.facts(packet).map(|facts| facts.children.as_slice());
        let children = children.unwrap_or_default().iter().copied();
        children.filter(move |child| self.messages(*child).contains(&message))
    }

    /// The flow with which a relay sent on a message of this packet.
    fn sent_on(&self, packet: PacketId, message: Message) -> Option<Flow> {
        let heir = self.heirs(packet, message).next()?;
        self.trace.packets.get(heir).map(|record| record.flow)
    }

    /// The peer that a side asked this server to bind this channel to.
    fn bound_to(&self, side: &SessionRun, server: SocketAddr, number: u16) -> Option<SocketAddr> {
        let same = |c: &&Channel| side.is_at(c.client) && c.server == server && c.number == number;
        self.channels.iter().find(same).map(|channel| channel.peer)
    }
}

impl Channel {
    fn asked_for(record: &PacketRecord, described: &stun::Described<'_>) -> Option<Self> {
        if !described.is(stun::Class::Request, stun::method::CHANNEL_BIND) {
            return None;
        }
        let (number, peer) = (described.channel?, described.peer()?);
        Some(Self { client: record.origin, server: record.flow.destination, number, peer })
    }
}

/// Answers that no check has claimed yet.
pub(super) struct Answers(FxHashMap<Transaction, Vec<(SimTime, PacketId, Message)>>);

impl Answers {
    /// The first answer to the transaction that was sent at `arrived` or later.
    pub(super) fn take(&mut self, transaction: Transaction, arrived: SimTime) -> Option<(PacketId, Message)> {
        let sent = self.0.get_mut(&transaction)?;
        let index = sent.iter().position(|(at, ..)| *at >= arrived)?;
        let (_, packet, message) = sent.remove(index);
        Some((packet, message))
    }
}
