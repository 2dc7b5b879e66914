//! A server's node: what comes to its ports goes to its STUN server, its TURN server, or nowhere.

use std::net::IpAddr;

use bytes::Bytes;

use super::stun_server::StunServer;
use super::turn::{ClientId, Handled, Said, TurnServer};
use super::{Device, Outbox, Verdict};
use crate::base::{Limits, PortId, Random, SimTime};
use crate::plan::{self, DropReason, Listen, Protocol, Rule, Transport};
use crate::wire::{Body, IcmpKind, Packet};

/// How often one packet may be handed from the server to itself. Two clients of one TURN server need one; more happens
/// only where relays are stacked on relays.
const MAX_LOOPS: usize = 8;

/// A server.
#[derive(Debug)]
pub struct Server {
    up: bool,
    addresses: Vec<IpAddr>,
    stun: StunServer,
    turn: Option<TurnServer>,
}

impl Server {
    /// A server with this configuration and these addresses. All of its randomness (nonces, relayed ports,
    /// transaction ids) comes from `random`.
    pub fn new(config: &plan::Server, addresses: &[IpAddr], limits: &Limits, random: Random) -> Self {
        let udp_ports: Vec<u16> = Listen::udp_ports(&config.stun).collect();
        let stun = StunServer::new(&udp_ports, addresses);
        let turn = config.turn.as_ref().map(|turn| {
            let listening = stun.ports().iter().copied().chain(Listen::udp_ports(&turn.listen)).collect();
            TurnServer::new(turn, addresses, listening, limits.allocations_per_server, random)
        });
        Self { up: config.up, addresses: addresses.to_vec(), stun, turn }
    }

    /// What becomes of one packet, apart from where its answer goes.
    fn receive(&mut self, now: SimTime, packet: &Packet, out: &mut Outbox) -> Verdict {
        let destination = packet.flow.destination;
        if !self.addresses.contains(&destination.ip()) {
            return Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination: destination.ip() });
        }
        match &packet.body {
            Body::Udp(payload) => self.receive_datagram(now, packet, payload, out),
            Body::Icmp(icmp) => match &mut self.turn {
                Some(turn)
                    if turn.relays_from(icmp.quoted.source) && icmp.quoted_protocol == Protocol::Udp =>
                {
                    let handled = turn.handle_icmp(now, icmp, out);
                    say(packet, handled, out)
                }
                _ => Verdict::Deliver,
            },
            Body::Tcp(_) => closed(packet, out),
        }
    }

    fn receive_datagram(
        &mut self,
        now: SimTime,
        packet: &Packet,
        payload: &Bytes,
        out: &mut Outbox,
    ) -> Verdict {
        let destination = packet.flow.destination;
        match &mut self.turn {
            // A port of both is the STUN server's for what has the form of a Binding, which knows about alternates.
            Some(turn) if turn.listens_on(destination.port()) => {
                if self.stun.listens_on(destination.port()) && is_binding(payload) {
                    self.stun.handle(packet, payload, out);
                    return Verdict::Deliver;
                }
                let client = ClientId { flow: packet.flow, transport: Transport::Udp };
                let handled = turn.handle_client(now, client, payload, out);
                say(packet, handled, out)
            }
            _ if self.stun.listens_on(destination.port()) => {
                self.stun.handle(packet, payload, out);
                Verdict::Deliver
            }
            Some(turn) if turn.relays_from(destination) => {
                let handled = turn.handle_peer(now, packet.flow, payload, out);
                say(packet, handled, out)
            }
            _ => closed(packet, out),
        }
    }

    /// Takes back the packet just sent if it goes to the server itself.
    fn take_own(&self, out: &mut Outbox, sent_before: usize) -> Option<Packet> {
        let last = out.packets.get(sent_before..)?.last()?;
        if !self.addresses.contains(&last.packet.flow.destination.ip()) {
            return None;
        }
        out.packets.pop().map(|emitted| emitted.packet)
    }
}

impl Device for Server {
    /// What the server sends to itself, as when two of its clients relay to each other, does not leave it: the next
    /// step follows at once, and its death is the received packet's.
    fn handle(&mut self, now: SimTime, _port: PortId, packet: &mut Packet, out: &mut Outbox) -> Verdict {
        if !self.up {
            return Verdict::drop(DropReason::ServerDown);
        }
        let sent_before = out.packets.len();
        let mut verdict = self.receive(now, packet, out);
        for _ in 0..MAX_LOOPS {
            let Some(mut looped) = self.take_own(out, sent_before) else { return verdict };
            looped.id = packet.id;
            let next = self.receive(now, &looped, out);
            if verdict == Verdict::Deliver {
                verdict = next;
            }
        }
        match self.take_own(out, sent_before) {
            Some(_) => Verdict::drop_by(
                DropReason::TtlExpired,
                Rule::Turn { text: format!("it went from the server to itself more than {MAX_LOOPS} times") },
            ),
            None => verdict,
        }
    }

    fn next_timeout(&self) -> Option<SimTime> {
        self.turn.as_ref().and_then(TurnServer::next_timeout)
    }

    fn handle_timeout(&mut self, now: SimTime, out: &mut Outbox) {
        if let Some(turn) = &mut self.turn {
            turn.expire(now, out);
        }
    }
}

/// Sends what the TURN server says because of `received`. What it relays goes on with what `received` carried.
fn say(received: &Packet, handled: Handled, out: &mut Outbox) -> Verdict {
    let said = match handled {
        Ok(Some(said)) => said,
        Ok(None) => return Verdict::Deliver,
        Err(drop) => return Verdict::Drop(drop),
    };
    let (flow, payload, relays) = match said {
        Said::Answer { client, bytes } => (client.flow.reversed(), bytes.into(), None),
        Said::ToClient { client, bytes } => (client.flow.reversed(), bytes.into(), Some(client)),
        Said::ToPeer { client, flow, payload } => (flow, payload, Some(client)),
    };
    let mut packet = Packet::udp(flow, payload);
    if let Some(client) = relays {
        packet.trail = received.trail;
        packet.trail.relayed.get_or_insert(client.transport);
    }
    out.emit(PortId::UPLINK, packet, Some(received.id));
    Verdict::Deliver
}

/// True for STUN's Binding method, whatever the class.
fn is_binding(payload: &[u8]) -> bool {
    // The class's two bits stand between those of the method (RFC 8489 §5).
    matches!(payload, [high, 1 | 0x11, ..] if high & !1 == 0)
}

/// Nothing listens there, and the sender gets to know (RFC 1122 §3.2.2.1).
fn closed(packet: &Packet, out: &mut Outbox) -> Verdict {
    let destination = packet.flow.destination;
    if let Some(error) = packet.icmp_error(destination.ip(), IcmpKind::PortUnreachable) {
        out.emit(PortId::UPLINK, error, Some(packet.id));
    }
    Verdict::drop_by(DropReason::HostPortClosed, Rule::PortClosed { destination })
}

#[cfg(test)]
mod tests;
