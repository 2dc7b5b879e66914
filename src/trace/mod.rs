//! Everything that happened in a run, packet by packet.

mod packets;

use std::net::IpAddr;

use bytes::Bytes;

pub use self::packets::Packets;
use crate::base::{LinkId, NodeId, PacketId, PortId, SessionId, SimTime};
use crate::plan::{Drop, IceState, Protocol, StateChange};
use crate::wire::{Body, Candidate, Flow, MdnsName, SelectedPair, Signal, stun};

/// A recorded run.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// The packets.
    pub packets: Packets,
    /// The events, in the order in which they happened.
    pub events: Vec<Event>,
    /// How many packets were left out because nothing but keeping up went on.
    pub at_rest: u64,
    /// How many events are missing because the trace had reached its limit.
    pub truncated: u64,
}

/// What never changes about a packet.
#[derive(Debug, Clone)]
pub struct PacketRecord {
    /// Where it came to be.
    pub origin: NodeId,
    /// The packet it answers, relays or copies.
    pub cause: Option<PacketId>,
    /// The flow it was sent with.
    pub flow: Flow,
    /// What it carries. For ICMP errors that are translated on the way, as it was sent.
    pub body: Body,
    /// Its length in bytes, IP headers included.
    pub len: usize,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub at: SimTime,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum EventKind {
    /// A packet left a node on a link.
    Departed(Hop),
    /// A packet came in at a node from a link.
    Arrived(Hop),
    /// A packet reached the node it was meant for, as far as that node is concerned.
    Delivered {
        /// The packet.
        packet: PacketId,
        /// The node.
        node: NodeId,
    },
    /// A packet died.
    Dropped {
        /// The packet.
        packet: PacketId,
        /// Where.
        place: Place,
        /// Its flow at that moment.
        flow: Flow,
        /// Why.
        drop: Box<Drop>,
    },
    /// A link made a copy of a packet.
    Duplicated {
        /// The packet.
        packet: PacketId,
        /// The copy.
        copy: PacketId,
        /// The link.
        link: LinkId,
    },
    /// A NAT, firewall or TURN server changed what it remembers.
    State {
        /// The node.
        node: NodeId,
        /// The change.
        change: StateChange,
    },
    /// A signalling message was sent.
    Signalled {
        /// The sender.
        from: SessionId,
        /// The message.
        signal: Signal,
        /// When it will arrive; `None`: it was lost.
        arrives: Option<SimTime>,
    },
    /// A signalling message arrived.
    SignalArrived {
        /// The receiver.
        to: SessionId,
        /// The message's name.
        name: &'static str,
    },
    /// An event of the scenario happened.
    Scripted {
        /// Its number among the plan's events.
        event: usize,
    },
    /// An agent did something.
    Agent {
        /// Which agent.
        session: SessionId,
        /// What it did.
        event: AgentEvent,
    },
}

/// A packet at one end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// The packet.
    pub packet: PacketId,
    /// The node.
    pub node: NodeId,
    /// The node's port.
    pub port: PortId,
    /// The packet's flow at this moment.
    pub flow: Flow,
    /// The packet's hop limit at this moment.
    pub hop_limit: u8,
}

/// Where a packet died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// At a node.
    Node(NodeId),
    /// On a link.
    Link(LinkId),
}

/// What an agent did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentEvent {
    /// It began to gather.
    Started,
    /// It found a local candidate.
    Gathered(Candidate),
    /// Its state changed.
    State(IceState),
    /// It selected a pair.
    Selected(SelectedPair),
    /// A name of its peer's candidates was asked for on its link, and this came of it; no address: nobody answered.
    Resolved {
        /// The name.
        name: MdnsName,
        /// Its address.
        address: Option<IpAddr>,
    },
    /// It met trouble it could live with.
    Trouble(String),
}

impl EventKind {
    /// The packet it happened to; of a duplication the copy.
    pub const fn packet(&self) -> Option<PacketId> {
        match self {
            Self::Departed(hop) | Self::Arrived(hop) => Some(hop.packet),
            Self::Delivered { packet, .. } | Self::Dropped { packet, .. } => Some(*packet),
            Self::Duplicated { copy, .. } => Some(*copy),
            Self::State { .. }
            | Self::Signalled { .. }
            | Self::SignalArrived { .. }
            | Self::Scripted { .. }
            | Self::Agent { .. } => None,
        }
    }
}

impl EventKind {
    /// True for what agents and the scenario do, as opposed to what becomes of it in the network.
    pub const fn is_deed(&self) -> bool {
        matches!(
            self,
            Self::Signalled { .. } | Self::SignalArrived { .. } | Self::Scripted { .. } | Self::Agent { .. }
        )
    }
}

impl PacketRecord {
    /// The packet's protocol.
    pub fn protocol(&self) -> Protocol {
        match self.body {
            Body::Udp(_) => Protocol::Udp,
            Body::Tcp(_) => Protocol::Tcp,
            Body::Icmp(_) => Protocol::Icmp,
        }
    }

    /// The messages it brings its receiver, as the application wrote them: a datagram's payload, or those that end in a
    /// segment of a stream.
    pub fn messages(&self) -> impl Iterator<Item = &Bytes> {
        let (datagram, carried) = match &self.body {
            Body::Udp(payload) => (Some(payload), &[][..]),
            Body::Tcp(segment) => (None, &segment.carried[..]),
            Body::Icmp(_) => (None, &[][..]),
        };
        datagram.into_iter().chain(carried.iter().map(|carried| &carried.message))
    }

    /// Those of its messages that are STUN or TURN, described.
    pub fn described(&self) -> impl Iterator<Item = stun::Described<'_>> {
        self.messages().filter_map(|message| stun::describe(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Carried, Packet, TcpSegment, Trail};

    fn record(packet: Packet) -> PacketRecord {
        let len = packet.len();
        PacketRecord { origin: NodeId::new(1), cause: None, flow: packet.flow, body: packet.body, len }
    }

    #[test]
    fn a_segment_brings_the_messages_that_end_in_it_and_a_datagram_its_payload() {
        let flow = Flow::new(([10, 0, 1, 2], 50_000).into(), ([192, 0, 2, 3], 443).into());
        let message = |end, message: &'static [u8]| Carried {
            end,
            message: Bytes::from_static(message),
            trail: Trail::default(),
        };
        let segment = TcpSegment {
            payload: Bytes::from_static(b"1st2nd3r"),
            carried: vec![message(3, b"1st"), message(6, b"2nd")],
            ..TcpSegment::default()
        };

        let (stream, datagram) = (record(Packet::tcp(flow, segment)), record(Packet::udp(flow, &b"all"[..])));

        assert_eq!(stream.messages().collect::<Vec<_>>(), [&b"1st"[..], b"2nd"]);
        assert_eq!(datagram.messages().collect::<Vec<_>>(), [&b"all"[..]]);
    }
}
