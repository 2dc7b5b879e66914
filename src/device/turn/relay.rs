//! Relaying between clients and peers (RFC 8656 §11 and §12).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::allocation::Allocation;
use super::request::KNOWN;
use super::{ClientId, Handled, Said, TurnServer};
use crate::base::SimTime;
use crate::device::Outbox;
use crate::plan::{Drop, DropReason, Rule, Transport};
use crate::wire::stun::{
    Builder, MAX_DATAGRAM, MAX_IN_STREAM, Message, channel_data_up_to, method, parse_channel_data,
    transaction_id,
};
use crate::wire::{Flow, Icmp, IcmpKind};

impl TurnServer {
    /// RFC 8656 §11.2.
    pub(super) fn relay_indication(
        &self,
        now: SimTime,
        client: ClientId,
        payload: &Bytes,
        message: &Message<'_>,
    ) -> Handled {
        let allocation = self.allocations.of_client(&client).ok_or_else(|| no_allocation_of(client))?;
        let (Ok(Some(peer)), Some(data)) = (message.peer_address(), message.data()) else {
            return Ok(None);
        };
        // RFC 8489 §6.3.2.
        if !message.unknown_required(KNOWN).is_empty() {
            return Ok(None);
        }
        relay_to_peer(now, allocation, client, peer, payload.slice_ref(data))
    }

    /// RFC 8656 §12.6.
    pub(super) fn relay_channel_data(&self, now: SimTime, client: ClientId, payload: &Bytes) -> Handled {
        let allocation = self.allocations.of_client(&client).ok_or_else(|| no_allocation_of(client))?;
        let Some((channel, data)) = parse_channel_data(payload) else { return Ok(None) };
        let not_bound = || refusal(DropReason::TurnNoChannel, format!("channel {channel:#06x} is not bound"));
        let peer = allocation.peer_of(now, channel).ok_or_else(not_bound)?;
        relay_to_peer(now, allocation, client, peer, payload.slice_ref(data))
    }

    /// Takes a datagram that came to a relayed transport address (RFC 8656 §11.3 and §12.7).
    ///
    /// # Errors
    ///
    /// It is not relayed.
    pub fn handle_peer(&mut self, now: SimTime, flow: Flow, payload: &Bytes, out: &mut Outbox) -> Handled {
        self.allocations.expire(now, out);
        let Flow { source: peer, destination: relayed } = flow;
        let (client, allocation) =
            self.allocations.of_relayed(relayed).ok_or_else(|| no_allocation_at(relayed))?;
        if !allocation.permits(now, peer.ip()) {
            return Err(no_permission(peer.ip()));
        }
        let (most, bearer) = match client.transport {
            Transport::Udp => (MAX_DATAGRAM, "one datagram"),
            Transport::Tcp | Transport::Tls => (MAX_IN_STREAM, "one message"),
        };
        let wrapped = match allocation.channel_of(now, peer) {
            Some(channel) => channel_data_up_to(most, channel, payload),
            None => {
                let indication = Builder::indication(method::DATA, transaction_id(&mut self.indications));
                let indication = indication.up_to(most).xor_peer_address(peer);
                indication.fits(payload.len()).then(|| indication.data(payload).finish())
            }
        };
        let too_big = || {
            let text = format!("{} bytes from a peer do not fit in {bearer} to the client", payload.len());
            refusal(DropReason::MtuExceeded, text)
        };
        Ok(Some(Said::ToClient { client, bytes: wrapped.ok_or_else(too_big)? }))
    }

    /// Takes an ICMP error about a packet that was sent from a relayed transport address (RFC 8656 §11.5).
    ///
    /// # Errors
    ///
    /// It is not relayed.
    pub fn handle_icmp(&mut self, now: SimTime, icmp: &Icmp, out: &mut Outbox) -> Handled {
        self.allocations.expire(now, out);
        let Flow { source: relayed, destination: peer } = icmp.quoted;
        let (client, allocation) =
            self.allocations.of_relayed(relayed).ok_or_else(|| no_allocation_at(relayed))?;
        if !allocation.permits(now, peer.ip()) {
            return Err(no_permission(peer.ip()));
        }
        let (kind, code) = icmp_numbers(icmp.kind, peer.is_ipv4());
        let indication = Builder::indication(method::DATA, transaction_id(&mut self.indications))
            .xor_peer_address(peer)
            .icmp(kind, code, error_data(icmp.kind, peer.is_ipv4()))
            .finish();
        Ok(Some(Said::ToClient { client, bytes: indication }))
    }
}

fn relay_to_peer(
    now: SimTime,
    allocation: &Allocation,
    client: ClientId,
    peer: SocketAddr,
    payload: Bytes,
) -> Handled {
    if !allocation.permits(now, peer.ip()) {
        return Err(no_permission(peer.ip()));
    }
    // Nobody can listen on port 0.
    let said = Said::ToPeer { client, flow: Flow::new(allocation.relayed, peer), payload };
    Ok((peer.port() != 0).then_some(said))
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

fn refusal(reason: DropReason, text: String) -> Box<Drop> {
    Box::new(Drop { reason, rule: Rule::Turn { text } })
}

fn no_permission(peer: IpAddr) -> Box<Drop> {
    refusal(DropReason::TurnNoPermission, format!("no permission for {peer}"))
}

fn no_allocation_of(client: ClientId) -> Box<Drop> {
    refusal(DropReason::TurnNoAllocation, format!("{} has no allocation", client.flow.source))
}

fn no_allocation_at(relayed: SocketAddr) -> Box<Drop> {
    refusal(DropReason::TurnNoAllocation, format!("no allocation relays from {relayed}"))
}
