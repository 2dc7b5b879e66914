//! Relaying between clients and peers (RFC 8656 §11 and §12).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::allocation::Allocation;
use super::request::KNOWN;
use super::{TurnServer, forward};
use crate::base::SimTime;
use crate::device::{Outbox, Verdict};
use crate::plan::{DropReason, Rule};
use crate::wire::stun::{Builder, Message, channel_data, method, parse_channel_data, transaction_id};
use crate::wire::{Flow, Icmp, IcmpKind, Packet};

impl TurnServer {
    /// RFC 8656 §11.2.
    pub(super) fn relay_indication(
        &self,
        now: SimTime,
        packet: &Packet,
        payload: &Bytes,
        message: &Message<'_>,
        out: &mut Outbox,
    ) -> Verdict {
        let Some(allocation) = self.allocations.of_client(&packet.flow) else {
            return no_allocation_of(packet);
        };
        let (Ok(Some(peer)), Some(data)) = (message.peer_address(), message.data()) else {
            return Verdict::Deliver;
        };
        // RFC 8489 §6.3.2.
        if !message.unknown_required(KNOWN).is_empty() {
            return Verdict::Deliver;
        }
        relay_to_peer(now, allocation, packet, peer, payload.slice_ref(data), out)
    }

    /// RFC 8656 §12.6.
    pub(super) fn relay_channel_data(
        &self,
        now: SimTime,
        packet: &Packet,
        payload: &Bytes,
        out: &mut Outbox,
    ) -> Verdict {
        let Some(allocation) = self.allocations.of_client(&packet.flow) else {
            return no_allocation_of(packet);
        };
        let Some((channel, data)) = parse_channel_data(payload) else { return Verdict::Deliver };
        let Some(peer) = allocation.peer_of(now, channel) else {
            return refuse(DropReason::TurnNoChannel, format!("channel {channel:#06x} is not bound"));
        };
        relay_to_peer(now, allocation, packet, peer, payload.slice_ref(data), out)
    }

    /// Takes a datagram that came to a relayed transport address (RFC 8656 §11.3 and §12.7).
    pub fn handle_peer(
        &mut self,
        now: SimTime,
        packet: &Packet,
        payload: &Bytes,
        out: &mut Outbox,
    ) -> Verdict {
        self.allocations.expire(now, out);
        let peer = packet.flow.source;
        let Some((client, allocation)) = self.allocations.of_relayed(packet.flow.destination) else {
            return no_allocation_at(packet.flow.destination);
        };
        if !allocation.permits(now, peer.ip()) {
            return no_permission(peer.ip());
        }
        let wrapped = match allocation.channel_of(now, peer) {
            Some(channel) => channel_data(channel, payload),
            None => {
                let indication = Builder::indication(method::DATA, transaction_id(&mut self.indications));
                let indication = indication.xor_peer_address(peer);
                indication.fits(payload.len()).then(|| indication.data(payload).finish())
            }
        };
        match wrapped {
            Some(wrapped) => {
                forward(packet, client.reversed(), wrapped, out);
                Verdict::Deliver
            }
            None => refuse(
                DropReason::MtuExceeded,
                format!("{} bytes from a peer do not fit in one datagram to the client", payload.len()),
            ),
        }
    }

    /// Takes an ICMP error about a packet that was sent from a relayed transport address (RFC 8656 §11.5).
    pub fn handle_icmp(&mut self, now: SimTime, packet: &Packet, icmp: &Icmp, out: &mut Outbox) -> Verdict {
        self.allocations.expire(now, out);
        let Flow { source: relayed, destination: peer } = icmp.quoted;
        let Some((client, allocation)) = self.allocations.of_relayed(relayed) else {
            return no_allocation_at(relayed);
        };
        if !allocation.permits(now, peer.ip()) {
            return no_permission(peer.ip());
        }
        let (kind, code) = icmp_numbers(icmp.kind, peer.is_ipv4());
        let indication = Builder::indication(method::DATA, transaction_id(&mut self.indications))
            .xor_peer_address(peer)
            .icmp(kind, code, error_data(icmp.kind, peer.is_ipv4()))
            .finish();
        forward(packet, client.reversed(), indication, out);
        Verdict::Deliver
    }
}

fn relay_to_peer(
    now: SimTime,
    allocation: &Allocation,
    packet: &Packet,
    peer: SocketAddr,
    data: Bytes,
    out: &mut Outbox,
) -> Verdict {
    if !allocation.permits(now, peer.ip()) {
        return no_permission(peer.ip());
    }
    // Nobody can listen on port 0.
    if peer.port() != 0 {
        forward(packet, Flow::new(allocation.relayed, peer), data, out);
    }
    Verdict::Deliver
}

/// Type and code of an error in its family.
const fn icmp_numbers(kind: IcmpKind, ipv4: bool) -> (u8, u8) {
    match (kind, ipv4) {
        (IcmpKind::PortUnreachable, true) => (3, 3),
        (IcmpKind::HostUnreachable, true) => (3, 1),
        (IcmpKind::NetworkUnreachable, true) => (3, 0),
        (IcmpKind::AdministrativelyProhibited, true) => (3, 13),
        (IcmpKind::TimeExceeded, true) => (11, 0),
        (IcmpKind::PacketTooBig, true) => (3, 4),
        (IcmpKind::PortUnreachable, false) => (1, 4),
        (IcmpKind::HostUnreachable, false) => (1, 3),
        (IcmpKind::NetworkUnreachable, false) => (1, 0),
        (IcmpKind::AdministrativelyProhibited, false) => (1, 1),
        (IcmpKind::TimeExceeded, false) => (3, 0),
        (IcmpKind::PacketTooBig, false) => (2, 0),
    }
}

/// The next hop's MTU in an error that tells one, else 0 (RFC 8656 §18.13). Errors carry no MTU here: they stand for
/// the least one of IPv6, and for a router that tells none over IPv4 (RFC 1191 §4), as on the wire.
const fn error_data(kind: IcmpKind, ipv4: bool) -> u32 {
    match (kind, ipv4) {
        (IcmpKind::PacketTooBig, false) => 1_280,
        _ => 0,
    }
}

fn refuse(reason: DropReason, text: String) -> Verdict {
    Verdict::drop_by(reason, Rule::Turn { text })
}

fn no_permission(peer: IpAddr) -> Verdict {
    refuse(DropReason::TurnNoPermission, format!("no permission for {peer}"))
}

fn no_allocation_of(packet: &Packet) -> Verdict {
    refuse(DropReason::TurnNoAllocation, format!("{} has no allocation", packet.flow.source))
}

fn no_allocation_at(relayed: SocketAddr) -> Verdict {
    refuse(DropReason::TurnNoAllocation, format!("no allocation relays from {relayed}"))
}
