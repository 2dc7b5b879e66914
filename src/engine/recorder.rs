//! Writes down what happens: always who dropped how many packets, and everything else only if asked to.

use std::collections::BTreeMap;

use super::run::DropCount;
use crate::base::{NodeId, PacketId, SimDuration, SimTime};
use crate::plan::{Drop, DropReason};
use crate::trace::{Event, EventKind, PacketRecord, Place, Trace};
use crate::wire::{Body, Packet, TcpSegment};

/// How long after the last thing that an agent or the scenario did calls are at rest.
const REST_AFTER: SimDuration = SimDuration::from_secs(60);

/// Keeps the trace and the drop counts of a run.
#[derive(Debug)]
pub struct Recorder {
    trace: Option<Trace>,
    room: usize,
    /// From when on packets are those of calls at rest, and are left out; `None`: they never are.
    rest_from: Option<SimTime>,
    drops: BTreeMap<(Place, DropReason), u64>,
}

impl Recorder {
    /// A recorder that keeps up to `trace_bytes` of packets and events; `None`: counts only.
    pub fn new(trace_bytes: Option<usize>) -> Self {
        Self {
            trace: trace_bytes.map(|_| Trace::default()),
            room: trace_bytes.unwrap_or(0),
            rest_from: None,
            drops: BTreeMap::new(),
        }
    }

    /// Leaves out the packets of calls at rest: those that are sent more than a minute after the last thing that an agent
    /// or the scenario did.
    pub fn skipping_rest(self) -> Self {
        Self { rest_from: Some(SimTime::ZERO + REST_AFTER), ..self }
    }

    /// True if events are wanted.
    pub const fn is_on(&self) -> bool {
        self.trace.is_some()
    }

    /// A packet came to be. Must be called for every packet, in the order of their ids.
    pub fn packet(&mut self, at: SimTime, packet: &Packet, origin: NodeId, cause: Option<PacketId>) {
        let Some(trace) = &mut self.trace else { return };
        if self.rest_from.is_some_and(|rest| rest <= at) {
            trace.at_rest += 1;
            return;
        }
        let body = size_of_body(&packet.body);
        // Beyond the limit a packet keeps its place in the table, but not its bytes.
        let body = if claim(&mut self.room, size_of::<PacketRecord>() + body) {
            packet.body.clone()
        } else {
            Body::Udp(bytes::Bytes::new())
        };
        let record = PacketRecord { origin, cause, flow: packet.flow, body, len: packet.len() };
        trace.packets.keep(packet.id, record);
    }

    /// Something happened.
    pub fn event(&mut self, at: SimTime, kind: impl FnOnce() -> EventKind) {
        let Some(trace) = &mut self.trace else { return };
        let kind = kind();
        if let Some(rest_from) = &mut self.rest_from {
            match kind.packet() {
                Some(packet) if trace.packets.position(packet).is_none() => return,
                None if kind.is_deed() => *rest_from = (*rest_from).max(at + REST_AFTER),
                _ => {}
            }
        }
        if claim(&mut self.room, size_of::<Event>()) {
            trace.events.push(Event { at, kind });
        } else {
            trace.truncated += 1;
        }
    }

    /// A packet died.
    pub fn dropped(&mut self, at: SimTime, packet: &Packet, place: Place, drop: Box<Drop>) {
        *self.drops.entry((place, drop.reason)).or_default() += 1;
        let (packet, flow) = (packet.id, packet.flow);
        self.event(at, || EventKind::Dropped { packet, place, flow, drop });
    }

    /// The drop counts so far, ordered by place and reason.
    pub fn drops(&self) -> Vec<DropCount> {
        let count = |(&(place, reason), &count)| DropCount { place, reason, count };
        self.drops.iter().map(count).collect()
    }

    /// The drop counts, ordered by place and reason, and the trace.
    pub fn finish(self) -> (Vec<DropCount>, Option<Trace>) {
        (self.drops(), self.trace)
    }
}

/// What a body holds outside its record.
fn size_of_body(body: &Body) -> usize {
    let segment = match body {
        Body::Tcp(segment) => {
            let messages = segment.carried.iter().map(|carried| size_of_val(carried) + carried.message.len());
            size_of::<TcpSegment>() + messages.sum::<usize>()
        }
        Body::Udp(_) | Body::Icmp(_) => 0,
    };
    segment + body.payload().len()
}

fn claim(room: &mut usize, bytes: usize) -> bool {
    match room.checked_sub(bytes) {
        Some(rest) => {
            *room = rest;
            true
        }
        None => {
            *room = 0;
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Carried, Flow, Trail};

    #[test]
    fn what_a_segment_carries_counts_against_the_limit() {
        let flow = Flow::new(([10, 0, 1, 2], 50_000).into(), ([192, 0, 2, 3], 443).into());
        let carried = Carried { end: 1, message: vec![0; 900].into(), trail: Trail::default() };
        let plain = TcpSegment { payload: b"1".as_slice().into(), ..TcpSegment::default() };
        let carrying = TcpSegment { carried: vec![carried], ..plain.clone() };
        let is_kept = |segment| {
            let mut recorder = Recorder::new(Some(1_000));
            recorder.packet(SimTime::ZERO, &Packet::tcp(flow, segment), NodeId::new(1), None);
            let (_, trace) = recorder.finish();
            let packets = trace.expect("a trace").packets;
            packets.iter().all(|(_, record)| matches!(record.body, Body::Tcp(_)))
        };

        assert!(is_kept(plain));
        assert!(!is_kept(carrying));
    }
}
