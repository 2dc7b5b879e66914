//! What became of each packet: the trace's hops, told packet by packet.

use rustc_hash::FxHashMap;

use super::Report;
use crate::base::{NodeId, PacketId, SimTime};
use crate::engine::Run;
use crate::plan::Drop;
use crate::trace::{EventKind, Hop, PacketRecord, Place, Trace};
use crate::wire::{Flow, mdns};

/// A packet's way from where it came to be to where it ended.
#[derive(Debug, Clone)]
pub struct Journey<'a> {
    /// Which packet.
    pub packet: PacketId,
    /// What never changed about it.
    pub record: &'a PacketRecord,
    /// When it is first heard of.
    pub started: SimTime,
    /// When it is last heard of.
    pub ended: SimTime,
    /// The nodes it was at, its origin first; each change of place once.
    pub stops: Vec<NodeId>,
    /// When it came to each of them, and when it left or ended there.
    pub stays: Vec<Stay>,
    /// What NATs did to its addresses, in order.
    pub rewrites: Vec<Rewrite>,
    /// How it ended.
    pub fate: Fate<'a>,
    /// True if a link made it as a copy of another packet.
    pub is_copy: bool,
    /// Which call it belongs to, counted from 0; `None` if it cannot be told.
    pub call: Option<usize>,
    last_hop: Option<Hop>,
}

/// A packet's time at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stay {
    /// When it came.
    pub arrived: SimTime,
    /// When it left, or was last heard of there.
    pub departed: SimTime,
}

/// A change of a packet's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewrite {
    /// Who changed them.
    pub node: NodeId,
    /// The flow it came with.
    pub before: Flow,
    /// The flow it left with.
    pub after: Flow,
}

/// How a packet ended.
#[derive(Debug, Clone, Copy)]
pub enum Fate<'a> {
    /// It reached this node.
    Delivered(NodeId),
    /// It died.
    Dropped {
        /// Where.
        place: Place,
        /// With this flow.
        flow: Flow,
        /// Why.
        drop: &'a Drop,
    },
    /// It was still on its way when the run ended.
    InFlight,
}

/// The journeys of all packets, in the order in which they started.
pub fn journeys<'a>(report: Report<'a>) -> Vec<Journey<'a>> {
    let Some(trace) = &report.run.trace else { return Vec::new() };
    let mut collector = Collector { trace, journeys: Vec::new(), index: FxHashMap::default() };
    for event in &trace.events {
        collector.event(event.at, &event.kind);
    }
    let Collector { mut journeys, index, .. } = collector;
    assign_calls(report.run, &mut journeys, &index);
    journeys
}

struct Collector<'a> {
    trace: &'a Trace,
    journeys: Vec<Journey<'a>>,
    index: FxHashMap<PacketId, usize>,
}

impl<'a> Collector<'a> {
    fn event(&mut self, at: SimTime, kind: &'a EventKind) {
        match kind {
            EventKind::Departed(hop) | EventKind::Arrived(hop) => {
                if let Some(journey) = self.journey(hop.packet, at) {
                    journey.hop(at, *hop);
                }
            }
            EventKind::Delivered { packet, node } => self.end(*packet, at, Fate::Delivered(*node)),
            EventKind::Dropped { packet, place, flow, drop } => {
                self.end(*packet, at, Fate::Dropped { place: *place, flow: *flow, drop });
            }
            EventKind::Duplicated { copy, .. } => {
                if let Some(journey) = self.journey(*copy, at) {
                    journey.is_copy = true;
                }
            }
            EventKind::State { .. }
            | EventKind::Signalled { .. }
            | EventKind::SignalArrived { .. }
            | EventKind::Scripted { .. }
            | EventKind::Agent { .. } => {}
        }
    }

    fn end(&mut self, packet: PacketId, at: SimTime, fate: Fate<'a>) {
        if let Some(journey) = self.journey(packet, at) {
            journey.fate = fate;
            if let Some(stay) = journey.stays.last_mut() {
                stay.departed = at;
            }
        }
    }

    /// The packet's journey, begun if this is the first that is heard of it; `None` if its record was not kept.
    fn journey(&mut self, packet: PacketId, at: SimTime) -> Option<&mut Journey<'a>> {
        let record = self.trace.packets.get(packet)?;
        let index = *self.index.entry(packet).or_insert_with(|| {
            self.journeys.push(Journey::begin(packet, record, at));
            self.journeys.len() - 1
        });
        let journey = self.journeys.get_mut(index)?;
        journey.ended = at;
        Some(journey)
    }
}

impl<'a> Journey<'a> {
    fn begin(packet: PacketId, record: &'a PacketRecord, at: SimTime) -> Self {
        Self {
            packet,
            record,
            started: at,
            ended: at,
            stops: vec![record.origin],
            stays: vec![Stay { arrived: at, departed: at }],
            rewrites: Vec::new(),
            fate: Fate::InFlight,
            is_copy: false,
            call: None,
            last_hop: None,
        }
    }

    fn hop(&mut self, at: SimTime, hop: Hop) {
        if self.stops.last() != Some(&hop.node) {
            self.stops.push(hop.node);
            self.stays.push(Stay { arrived: at, departed: at });
        }
        if let Some(stay) = self.stays.last_mut() {
            stay.departed = at;
        }
        if let Some(last) = self.last_hop
            && last.node == hop.node
            && last.flow != hop.flow
        {
            self.rewrites.push(Rewrite { node: hop.node, before: last.flow, after: hop.flow });
        }
        self.last_hop = Some(hop);
    }
}

/// A packet belongs to the call whose agent sent it; one that is sent in answer, or relayed, to the call of the
/// packet that caused it; any other to the call of the agent that got it. What endpoints send belongs to none.
fn assign_calls(run: &Run, journeys: &mut [Journey<'_>], index: &FxHashMap<PacketId, usize>) {
    let only_call = (run.sessions.len() == 2 && run.endpoints.is_empty()).then_some(0);
    for at in 0..journeys.len() {
        let journey = &journeys[at];
        let cause =
            journey.record.cause.and_then(|cause| index.get(&cause)).and_then(|cause| journeys.get(*cause));
        let call = only_call
            .or_else(|| call_of(run, journey.record.origin, journey.record.flow.source))
            .or_else(|| call_of_names(run, journey.record))
            .or_else(|| cause.and_then(|cause| cause.call))
            .or_else(|| match (journey.fate, journey.last_hop) {
                (Fate::Delivered(node), Some(hop)) => call_of(run, node, hop.flow.destination),
                _ => None,
            });
        journeys[at].call = call;
    }
}

fn call_of(run: &Run, node: NodeId, socket: std::net::SocketAddr) -> Option<usize> {
    run.sessions.iter().position(|session| session.holds(node, socket)).map(|id| id / 2)
}

/// Names are a host's, not a call's: the first call of the host shows what it says of them.
fn call_of_names(run: &Run, record: &PacketRecord) -> Option<usize> {
    let is_mdns = record.flow.destination.port() == mdns::PORT && record.cause.is_none();
    let first = run.sessions.iter().position(|session| session.node == record.origin);
    first.filter(|_| is_mdns).map(|id| id / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::DropReason;
    use crate::report::fixture::Fixture;

    #[test]
    fn a_journey_tells_the_stops_and_what_a_nat_did() {
        let fixture = Fixture::relay();

        let journeys = journeys(fixture.report());

        let first = &journeys[0];
        let names: Vec<&str> = first.stops.iter().map(|node| fixture.plan.name_of(*node)).collect();
        assert_eq!(names, ["alice", "nat-a", "internet", "stun"]);
        let [rewrite] = first.rewrites[..] else { panic!("{:?}", first.rewrites) };
        assert_eq!(rewrite.before.source.to_string(), "10.0.1.2:50000");
        assert_eq!(rewrite.after.source.to_string(), "203.0.113.1:40001");
        assert!(matches!(first.fate, Fate::Delivered(node) if fixture.plan.name_of(node) == "stun"));
    }

    #[test]
    fn a_journey_that_died_knows_the_rule() {
        let fixture = Fixture::relay();

        let journeys = journeys(fixture.report());

        let died = journeys.iter().find(|journey| matches!(journey.fate, Fate::Dropped { .. }));
        let Some(Fate::Dropped { drop, .. }) = died.map(|journey| journey.fate) else {
            panic!("nothing died")
        };
        assert_eq!(drop.reason, DropReason::NatFiltered);
    }

    #[test]
    fn packets_of_two_calls_are_told_apart_by_the_sockets_of_their_agents_and_by_their_causes() {
        let mut fixture = Fixture::relay();
        let other_call = fixture.run.sessions.clone();
        fixture.run.sessions.extend(other_call);
        for session in &mut fixture.run.sessions[..2] {
            session.sockets[0].set_port(9);
        }

        let journeys = journeys(fixture.report());

        assert!(journeys.iter().all(|journey| journey.call == Some(1)), "{journeys:?}");
    }

    #[test]
    fn a_copy_made_by_a_link_has_a_journey_of_its_own() {
        let mut fixture = Fixture::relay();
        let trace = fixture.run.trace.as_mut().expect("a trace");
        let copy = PacketId::new(trace.packets.len() as u64);
        let first = trace.packets.get(PacketId::new(0)).expect("a packet").clone();
        trace.packets.keep(copy, first);
        let (packet, link) = (PacketId::new(0), crate::base::LinkId::new(0));
        let kind = EventKind::Duplicated { packet, copy, link };
        trace.events.push(crate::trace::Event { at: SimTime::from_millis(4_000), kind });

        let journeys = journeys(fixture.report());

        let copies: Vec<PacketId> = journeys.iter().filter(|j| j.is_copy).map(|j| j.packet).collect();
        assert_eq!(copies, [copy]);
    }
}
