//! Sans-IO network elements: each gets packets and the time, and says what becomes of them.
//!
//! A device owns no clock and no randomness but the stream it was built with. It never sees another device;
//! the network above it carries packets from port to port.

use crate::base::{PacketId, PortId, SimTime};
use crate::plan::{Drop, DropReason, Rule, StateChange};
use crate::transport::tcp::Refusal;
use crate::wire::Packet;

pub mod clat;
pub mod firewall;
pub(crate) mod group;
pub mod link;
pub mod nat;
pub mod router;
pub mod server;
pub mod stun_server;
mod tcp_flow;
pub mod turn;

/// A network element.
pub trait Device {
    /// Takes `packet`, which came in on `port`, and says what becomes of it. The packet may be rewritten in place;
    /// packets of the device's own go to `out`.
    fn handle(&mut self, now: SimTime, port: PortId, packet: &mut Packet, out: &mut Outbox) -> Verdict;

    /// When [`Device::handle_timeout`] wants to be called next; `None`: never.
    fn next_timeout(&self) -> Option<SimTime> {
        None
    }

    /// Lets time-outs that are due take effect.
    fn handle_timeout(&mut self, _now: SimTime, _out: &mut Outbox) {}
}

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It leaves on this port.
    Forward(PortId),
    /// It was meant for this node and has been taken.
    Deliver,
    /// It dies here.
    Drop(Box<Drop>),
}

/// What a device says besides the verdict: packets of its own, and changes of its state.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Packets that come to be here.
    pub packets: Vec<Emitted>,
    /// Changes of state, for reports; empty unless `recording`.
    pub changes: Vec<StateChange>,
    /// True if somebody wants to know about changes of state.
    pub recording: bool,
}

/// A packet that comes to be at a device.
#[derive(Debug)]
pub struct Emitted {
    /// Where it leaves.
    pub port: PortId,
    /// The packet; the network gives it its id.
    pub packet: Packet,
    /// The packet it answers or relays.
    pub cause: Option<PacketId>,
}

impl Verdict {
    /// Death for a reason that explains itself.
    pub fn drop(reason: DropReason) -> Self {
        Self::Drop(Box::new(Drop::plain(reason)))
    }

    /// Death by a rule.
    pub fn drop_by(reason: DropReason, rule: Rule) -> Self {
        Self::Drop(Box::new(Drop { reason, rule }))
    }

    /// Death of a segment that belongs to no connection.
    pub fn refuse_segment(refusal: Refusal, packet: &Packet) -> Self {
        let rule = Rule::Connection { text: refusal.about(packet.flow) };
        Self::drop_by(DropReason::HostPortClosed, rule)
    }
}

impl Outbox {
    /// An outbox that keeps changes of state if `recording`.
    pub fn new(recording: bool) -> Self {
        Self { recording, ..Self::default() }
    }

    /// True if nothing is said.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.changes.is_empty()
    }

    /// Sends a packet of the device's own.
    pub fn emit(&mut self, port: PortId, packet: Packet, cause: Option<PacketId>) {
        self.packets.push(Emitted { port, packet, cause });
    }

    /// Notes a change of state, computed only if somebody wants to know.
    pub fn note(&mut self, change: impl FnOnce() -> StateChange) {
        if self.recording {
            self.changes.push(change());
        }
    }
}
