//! A server's node: what comes to its ports goes to its STUN server, its TURN server, or nowhere.

mod streams;

use std::net::IpAddr;

use bytes::Bytes;

use self::streams::ClientStreams;
use super::stun_server::StunServer;
use super::turn::{ClientId, Handled, Said, TurnServer};
use super::{Device, Outbox, Verdict};
use crate::base::{Limits, PacketId, PortId, Random, SimTime};
use crate::plan::{self, DropReason, Listen, Protocol, Rule, Transport};
use crate::transport::Note;
use crate::transport::tcp::{self, Refusal};
use crate::wire::{Body, IcmpKind, Packet, Trail};

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
    /// What it has with clients that speak TCP, if it listens for any.
    streams: Option<Box<ClientStreams>>,
}

/// A message that came, by itself or in a stream.
#[derive(Debug, Clone, Copy)]
struct Received {
    trail: Trail,
    /// The packet that brought it, or the last of it.
    packet: PacketId,
}

impl Server {
    /// A server with this configuration and these addresses, whose TCP segments make packets of no more than `mtu` bytes. All of
    /// its randomness (nonces, relayed ports, transaction ids, sequence numbers) comes from `random`.
    pub fn new(
        config: &plan::Server,
        addresses: &[IpAddr],
        limits: &Limits,
        mtu: u16,
        random: Random,
    ) -> Self {
        let streams = ClientStreams::new(config, addresses, &random, mtu, limits.tcp_connections);
        let udp_ports: Vec<u16> = Listen::udp_ports(&config.stun).collect();
        let stun = StunServer::new(&udp_ports, addresses);
        let turn = config.turn.as_ref().map(|turn| {
            let listening = stun.ports().iter().copied().chain(Listen::udp_ports(&turn.listen)).collect();
            TurnServer::new(turn, addresses, listening, limits.allocations_per_server, random)
        });
        Self { up: config.up, addresses: addresses.to_vec(), stun, turn, streams: streams.map(Box::new) }
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
                    self.say(Received::of(packet), handled, out)
                }
                _ => Verdict::Deliver,
            },
            Body::Tcp(segment) => match &mut self.streams {
                Some(streams) => streams.receive(now, packet),
                None => {
                    if let Some(reset) = tcp::refuse(segment) {
                        let reset = Packet::tcp(packet.flow.reversed(), reset);
                        out.emit(PortId::UPLINK, reset, Some(packet.id));
                    }
                    Verdict::refuse_segment(Refusal::of(segment), packet)
                }
            },
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
                self.say(Received::of(packet), handled, out)
            }
            _ if self.stun.listens_on(destination.port()) => {
                self.stun.handle(packet, payload, out);
                Verdict::Deliver
            }
            Some(turn) if turn.relays_from(destination) => {
                let handled = turn.handle_peer(now, packet.flow, payload, out);
                self.say(Received::of(packet), handled, out)
            }
            _ => closed(packet, out),
        }
    }

    /// Sends what the TURN server says because of `received`. What it relays goes on with what `received` carried.
    fn say(&mut self, received: Received, handled: Handled, out: &mut Outbox) -> Verdict {
        let said = match handled {
            Ok(Some(said)) => said,
            Ok(None) => return Verdict::Deliver,
            Err(drop) => return Verdict::Drop(drop),
        };
        let (packet, relays) = match said {
            Said::ToPeer { client, flow, payload } => (Packet::udp(flow, payload), Some(client)),
            Said::Answer { client, bytes } => match client.transport {
                Transport::Udp => (Packet::udp(client.flow.reversed(), bytes), None),
                Transport::Tcp | Transport::Tls => return self.write(client, received.answered_by(bytes)),
            },
            Said::ToClient { client, bytes } => match client.transport {
                Transport::Udp => (Packet::udp(client.flow.reversed(), bytes), Some(client)),
                Transport::Tcp | Transport::Tls => {
                    return self.pass_on(client, received.relayed(client, bytes));
                }
            },
        };
        let trail = relays.map_or_else(Trail::default, |client| received.trail_behind(client));
        out.emit(PortId::UPLINK, Packet { trail, ..packet }, Some(received.packet));
        Verdict::Deliver
    }

    /// What the server sends to itself, as when two of its clients relay to each other, does not leave it: the next step
    /// follows at once, and its death is that of `packet`, which began it.
    fn follow_own(
        &mut self,
        now: SimTime,
        packet: PacketId,
        sent_before: usize,
        mut verdict: Verdict,
        out: &mut Outbox,
    ) -> Verdict {
        for _ in 0..MAX_LOOPS {
            let Some(mut looped) = self.take_own(out, sent_before) else { return verdict };
            looped.id = packet;
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
    fn handle(&mut self, now: SimTime, _port: PortId, packet: &mut Packet, out: &mut Outbox) -> Verdict {
        if !self.up {
            return Verdict::drop(DropReason::ServerDown);
        }
        let sent_before = out.packets.len();
        let verdict = self.receive(now, packet, out);
        let verdict = self.follow_own(now, packet.id, sent_before, verdict, out);
        self.settle_streams(now, verdict, out)
    }

    fn next_timeout(&self) -> Option<SimTime> {
        let turn = self.turn.as_ref().and_then(TurnServer::next_timeout);
        let streams = self.streams.as_ref().and_then(|streams| streams.next_timeout());
        turn.into_iter().chain(streams).min()
    }

    fn handle_timeout(&mut self, now: SimTime, out: &mut Outbox) {
        if let Some(turn) = &mut self.turn {
            turn.expire(now, out);
        }
        if let Some(streams) = &mut self.streams {
            streams.handle_timeout(now);
            // Time brings segments, but no message that could die.
            self.settle_streams(now, Verdict::Deliver, out);
        }
    }
}

impl Received {
    const fn of(packet: &Packet) -> Self {
        Self { trail: packet.trail, packet: packet.id }
    }

    /// The trail of what is relayed because of it between `client` and a peer.
    fn trail_behind(self, client: ClientId) -> Trail {
        Trail { relayed: self.trail.relayed.or(Some(client.transport)), ..self.trail }
    }

    /// The server's own message, which this caused.
    fn answered_by(self, bytes: Vec<u8>) -> Note {
        Note { message: bytes.into(), trail: Trail::default(), cause: Some(self.packet) }
    }

    /// This message on its way to a client.
    fn relayed(self, client: ClientId, bytes: Vec<u8>) -> Note {
        Note { message: bytes.into(), trail: self.trail_behind(client), cause: Some(self.packet) }
    }
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
