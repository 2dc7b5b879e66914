//! A server's clients that speak TCP or TLS.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::{Received, Server};
use crate::base::{PortId, Random, SimTime};
use crate::device::stun_server::answer_in_stream;
use crate::device::turn::ClientId;
use crate::device::{Outbox, Verdict};
use crate::plan::{self, DropReason, Listen, Rule, Transport};
use crate::transport::framing::Framing;
use crate::transport::streams::{Build, News, StreamEvent, Streams, Tls};
use crate::transport::tcp::Taken;
use crate::transport::{Note, Piece};
use crate::wire::{Flow, Packet};

/// How many bytes may wait for a client beyond TCP's own send buffer. What peers send it after that dies: a relay forwards
/// datagrams, and must not keep them for ever.
const MOST_WAITING: usize = 65_536;

/// The streams of a server, and what is spoken on its TCP ports.
#[derive(Debug)]
pub(super) struct ClientStreams {
    streams: Streams,
    ports: BTreeMap<u16, Service>,
}

#[derive(Debug, Clone, Copy)]
struct Service {
    transport: Transport,
    is_turn: bool,
}

impl ClientStreams {
    /// `None` for a server that listens on no TCP port. What it draws is independent of what else is drawn from `random`.
    pub(super) fn new(
        config: &plan::Server,
        addresses: &[IpAddr],
        random: &Random,
        mtu: u16,
        limit: usize,
    ) -> Option<Self> {
        let turn = config.turn.as_ref().map_or(&[][..], |turn| &turn.listen);
        let mut ports = BTreeMap::new();
        for (listen, is_turn) in [(&config.stun[..], false), (turn, true)] {
            let services = Listen::tcp_ports(listen)
                .map(|Listen { port, transport }| (port, Service { transport, is_turn }));
            ports.extend(services);
        }
        if ports.is_empty() {
            return None;
        }
        let random = Random::stream(random.clone().next_u64(), "server", "tcp");
        let mut streams = Streams::new(random, mtu, limit);
        for address in addresses {
            for (port, service) in &ports {
                let tls = (service.transport == Transport::Tls).then_some(Tls::Server);
                streams.listen(SocketAddr::new(*address, *port), Build { framing: Framing::Stun, tls });
            }
        }
        Some(Self { streams, ports })
    }

    /// Takes a segment.
    pub(super) fn receive(&mut self, now: SimTime, packet: &Packet) -> Verdict {
        match self.streams.receive(now, packet) {
            Taken::Connection(_) => Verdict::Deliver,
            Taken::Refused(refusal) => Verdict::refuse_segment(refusal, packet),
        }
    }

    pub(super) fn next_timeout(&self) -> Option<SimTime> {
        self.streams.next_timeout()
    }

    pub(super) fn handle_timeout(&mut self, now: SimTime) {
        self.streams.handle_timeout(now);
    }

    /// The client at the other end of a stream, and whether it speaks to the TURN server. `outwards` goes from this server.
    fn client(&self, outwards: Flow) -> Option<(ClientId, bool)> {
        let Service { transport, is_turn } = self.ports.get(&outwards.source.port())?;
        Some((ClientId { flow: outwards.reversed(), transport: *transport }, *is_turn))
    }
}

impl Server {
    /// Sends what the streams have to send, and answers the messages that came. Messages share segments: `verdict`, on the
    /// segment just taken, becomes the death of the first of them that dies.
    pub(super) fn settle_streams(&mut self, now: SimTime, mut verdict: Verdict, out: &mut Outbox) -> Verdict {
        while let Some(event) = self.streams.as_mut().and_then(|streams| streams.streams.poll(now)) {
            match event {
                StreamEvent::Send(packet, cause) => out.emit(PortId::UPLINK, packet, cause),
                StreamEvent::News(_, _, News::Opened) => {}
                StreamEvent::News(_, flow, News::Message(message)) => {
                    let end = self.receive_message(now, flow, &message, out);
                    if verdict == Verdict::Deliver {
                        verdict = end;
                    }
                }
                StreamEvent::News(_, flow, News::Closed(_)) => self.lose(flow, out),
            }
        }
        verdict
    }

    fn receive_message(&mut self, now: SimTime, flow: Flow, message: &Piece, out: &mut Outbox) -> Verdict {
        let client = self.streams.as_ref().and_then(|streams| streams.client(flow));
        let Some((client, is_turn)) = client else { return Verdict::Deliver };
        let received = Received { trail: message.trail, packet: message.cause };
        match &mut self.turn {
            Some(turn) if is_turn => {
                let sent_before = out.packets.len();
                let handled = turn.handle_client(now, client, &message.bytes, out);
                let verdict = self.say(received, handled, out);
                self.follow_own(now, received.packet, sent_before, verdict, out)
            }
            _ => match answer_in_stream(client.flow.source, &message.bytes) {
                Some(answer) => self.write(client, received.answered_by(answer)),
                None => Verdict::Deliver,
            },
        }
    }

    /// Writes what a peer sent to a client.
    pub(super) fn pass_on(&mut self, client: ClientId, note: Note) -> Verdict {
        let waiting = self.streams.as_ref().map_or(0, |streams| {
            let connection = streams.streams.find(client.flow.reversed());
            connection.map_or(0, |connection| streams.streams.queued(connection))
        });
        if waiting > MOST_WAITING {
            let text =
                format!("{waiting} bytes wait for {} already, which reads too slowly", client.flow.source);
            return Verdict::drop_by(DropReason::QueueFull, Rule::Turn { text });
        }
        self.write(client, note)
    }

    /// Writes a message to a client. What is written to one that is gone is lost, as with any host.
    pub(super) fn write(&mut self, client: ClientId, note: Note) -> Verdict {
        if let Some(ClientStreams { streams, .. }) = self.streams.as_deref_mut()
            && let Some(connection) = streams.find(client.flow.reversed())
        {
            // STUN's framing holds every message that is one.
            let _ = streams.write(connection, note);
        }
        Verdict::Deliver
    }

    /// A client's connection is gone.
    fn lose(&mut self, flow: Flow, out: &mut Outbox) {
        if let Some((client, _)) = self.streams.as_ref().and_then(|streams| streams.client(flow))
            && let Some(turn) = &mut self.turn
        {
            turn.client_gone(&client, out);
        }
    }
}
