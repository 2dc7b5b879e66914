//! The HTTP proxy in a firewall: whoever is inside may ask it for a tunnel to the outside (RFC 9110 §9.3.6).
//!
//! It ends the TCP connections of both its sides and carries bytes between them, with what is known of the messages they
//! are. Only packets from inside reach its port. Where its tunnels lead is its own policy, not that of the firewall, and
//! nobody looks into them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::base::{PortId, PortRange, Random, SimTime};
use crate::device::{Outbox, Verdict};
use crate::plan::graph::RouteTable;
use crate::plan::{self, Accepts, DropReason, FilteringBehavior, Rule, Service, ServiceProtocol};
use crate::transport::Piece;
use crate::transport::connect::{Answer, Door, Target};
use crate::transport::tcp::{ConnectError, ConnectionId, Event, Reason, Sockets, Taken};
use crate::wire::{Body, Flow, IcmpKind, Packet};

/// How many ports it tries before it says that it has none.
const TRIES: usize = 32;

/// Bytes that wait for a side which does not take them, beyond TCP's own buffer. It cannot make the other side wait, so a tunnel
/// with more is broken off.
const MOST_WAITING: usize = 1 << 20;

/// The proxy's side of all its tunnels.
#[derive(Debug)]
pub(super) struct Proxy {
    config: plan::Proxy,
    addresses: Vec<IpAddr>,
    sockets: Sockets,
    ports: Random,
    legs: BTreeMap<ConnectionId, Leg>,
}

/// A connection of the proxy.
#[derive(Debug)]
enum Leg {
    /// A client's, which has not said yet where it wants to go.
    Asking(Door),
    /// A client's with a tunnel, and the other leg of it.
    Client(ConnectionId),
    /// One to where a client wants to go, with that client's; and whether it is open.
    Server(ConnectionId, bool),
}

impl Proxy {
    /// A proxy at these addresses. Its segments make packets of no more than `mtu` bytes, and it has at most `limit`
    /// connections at one time, two for each tunnel.
    pub(super) fn new(
        config: &plan::Proxy,
        addresses: &[IpAddr],
        mtu: u16,
        limit: usize,
        mut random: Random,
    ) -> Self {
        let sequences = Random::stream(random.next_u64(), "proxy", "sequence numbers");
        let mut sockets = Sockets::new(sequences, mtu, limit);
        for address in addresses {
            sockets.listen(SocketAddr::new(*address, config.port));
        }
        Self {
            config: config.clone(),
            addresses: addresses.to_vec(),
            sockets,
            ports: random,
            legs: BTreeMap::new(),
        }
    }

    /// True if this is an address of its own.
    pub(super) fn is_at(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address)
    }

    /// When [`Proxy::handle_timeout`] wants to be called next.
    pub(super) fn next_timeout(&self) -> Option<SimTime> {
        self.sockets.next_timeout()
    }

    /// Time has passed.
    pub(super) fn handle_timeout(&mut self, now: SimTime, routes: &RouteTable, out: &mut Outbox) {
        self.sockets.handle_timeout(now);
        self.settle(now, routes, out);
    }

    /// Takes a packet to one of its addresses.
    pub(super) fn receive(
        &mut self,
        now: SimTime,
        port: PortId,
        packet: &Packet,
        routes: &RouteTable,
        out: &mut Outbox,
    ) -> Verdict {
        let is_inside = port != PortId::UPLINK;
        let taken = match &packet.body {
            Body::Icmp(icmp) => {
                self.sockets.icmp(icmp);
                Verdict::Deliver
            }
            Body::Tcp(segment) if is_inside || !segment.flags.opens_connection() => {
                match self.sockets.receive(now, packet) {
                    Taken::Connection(_) => Verdict::Deliver,
                    Taken::Refused(refusal) => Verdict::refuse_segment(refusal, packet),
                }
            }
            Body::Udp(_) if is_inside => {
                let error = packet.icmp_error(packet.flow.destination.ip(), IcmpKind::PortUnreachable);
                if let Some(error) = error {
                    out.emit(port, error, Some(packet.id));
                }
                closed(packet)
            }
            Body::Tcp(_) | Body::Udp(_) => {
                let filtering = FilteringBehavior::AddressAndPortDependent;
                let rule = Rule::Unsolicited { filtering, accepts: Accepts::default() };
                Verdict::drop_by(DropReason::FirewallInbound, rule)
            }
        };
        self.settle(now, routes, out);
        taken
    }

    /// Does everything that is to be done.
    fn settle(&mut self, now: SimTime, routes: &RouteTable, out: &mut Outbox) {
        while let Some(event) = self.sockets.poll(now) {
            match event {
                Event::Send(packet, cause) => {
                    if let Some(port) = routes.port_for(packet.flow.destination.ip()) {
                        out.emit(port, packet, cause);
                    }
                }
                Event::Opened(id) => self.opened(id),
                Event::Data(id, piece) => self.take(now, id, &piece),
                Event::Ended(id) => self.ended(id),
                Event::Closed(id, reason) => self.closed(id, reason),
            }
        }
    }

    fn opened(&mut self, id: ConnectionId) {
        match self.legs.get_mut(&id) {
            Some(Leg::Server(client, is_open)) => {
                *is_open = true;
                self.sockets.write(*client, Answer::Established.to_text(), None);
            }
            _ => {
                self.legs.insert(id, Leg::Asking(Door::default()));
            }
        }
    }

    fn take(&mut self, now: SimTime, id: ConnectionId, piece: &Piece) {
        match self.legs.get_mut(&id) {
            Some(Leg::Client(other) | Leg::Server(other, _)) => {
                let other = *other;
                self.sockets.write(other, piece.bytes.clone(), piece.note());
                if self.sockets.queued(other) > MOST_WAITING {
                    self.break_off([id, other]);
                }
            }
            Some(Leg::Asking(door)) => {
                let Some(target) = door.receive(piece) else { return };
                let early = door.read();
                match target.and_then(|target| self.connect(now, &target)) {
                    Err(answer) => self.refuse(id, answer),
                    Ok(server) => {
                        self.legs.insert(id, Leg::Client(server));
                        self.legs.insert(server, Leg::Server(id, false));
                        if let Some(early) = early {
                            self.take(now, id, &early);
                        }
                    }
                }
            }
            // Of one that was refused.
            None => {}
        }
    }

    /// One side will send no more, and the other is told.
    fn ended(&mut self, id: ConnectionId) {
        match self.legs.get(&id) {
            Some(Leg::Client(server)) if !self.is_open(*server) => self.sockets.abort(*server),
            Some(Leg::Client(other) | Leg::Server(other, _)) => self.sockets.close(*other),
            Some(Leg::Asking(_)) | None => self.sockets.close(id),
        }
    }

    fn closed(&mut self, id: ConnectionId, reason: Reason) {
        match self.legs.remove(&id) {
            Some(Leg::Server(client, false)) => self.refuse(client, Answer::BadGateway),
            Some(Leg::Client(other) | Leg::Server(other, true)) if reason != Reason::Finished => {
                self.break_off([other]);
            }
            _ => {}
        }
    }

    /// Answers a client that gets no tunnel, and is rid of it.
    fn refuse(&mut self, client: ConnectionId, answer: Answer) {
        self.legs.remove(&client);
        self.sockets.write(client, answer.to_text(), None);
        self.sockets.close(client);
    }

    fn break_off<const N: usize>(&mut self, legs: [ConnectionId; N]) {
        for leg in legs {
            self.legs.remove(&leg);
            self.sockets.abort(leg);
        }
    }

    fn is_open(&self, server: ConnectionId) -> bool {
        matches!(self.legs.get(&server), Some(Leg::Server(_, true)))
    }

    /// Begins to open a connection to where a client wants to go.
    fn connect(&mut self, now: SimTime, target: &Target) -> Result<ConnectionId, Answer> {
        let service = Service { port: target.port, protocol: ServiceProtocol::Tcp };
        if !self.config.allow.contains(&service) {
            return Err(Answer::Forbidden);
        }
        let (from, to) = self.resolve(&target.host).ok_or(Answer::BadGateway)?;
        if self.is_at(to) {
            return Err(Answer::Forbidden);
        }
        for _ in 0..TRIES {
            let flow = Flow::new(SocketAddr::new(from, self.port()), SocketAddr::new(to, target.port));
            match self.sockets.connect(now, flow) {
                Ok(server) => return Ok(server),
                Err(ConnectError::Taken(_)) => {}
                Err(ConnectError::Full(_)) => break,
            }
        }
        Err(SERVICE_UNAVAILABLE)
    }

    /// From where to where a connection to `host` goes: between addresses of one family.
    fn resolve(&self, host: &str) -> Option<(IpAddr, IpAddr)> {
        let literal = host.parse().ok();
        let named = self.config.names.get(&host.to_ascii_lowercase());
        let mut found = literal.iter().chain(named.into_iter().flatten());
        found.find_map(|to| {
            let from = self.addresses.iter().find(|from| from.is_ipv4() == to.is_ipv4())?;
            Some((*from, *to))
        })
    }

    /// A port at random, of those that nobody listens on (RFC 6335 §6).
    fn port(&mut self) -> u16 {
        let range = PortRange::DYNAMIC;
        range.first() + self.ports.below(u64::from(range.count())) as u16
    }
}

/// RFC 9110 §15.6.4.
const SERVICE_UNAVAILABLE: Answer = Answer::Other(503);

fn closed(packet: &Packet) -> Verdict {
    Verdict::drop_by(DropReason::HostPortClosed, Rule::PortClosed { destination: packet.flow.destination })
}
