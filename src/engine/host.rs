//! A host's network layer.

use std::net::{IpAddr, SocketAddr};

use crate::base::{PortId, SimTime};
use crate::device::{Device, Outbox, Verdict, group};
use crate::plan::{DropReason, Protocol, Rule};
use crate::wire::{IcmpKind, Packet};

/// A host's network layer: it takes what is addressed to an open socket and refuses the rest.
pub struct Host {
    sockets: Vec<SocketAddr>,
    addresses: Vec<IpAddr>,
}

impl Host {
    /// A host without any socket.
    pub const fn new(addresses: Vec<IpAddr>) -> Self {
        Self { sockets: Vec::new(), addresses }
    }

    /// Opens a UDP socket, so that packets to it are delivered.
    pub fn open(&mut self, socket: SocketAddr) {
        self.sockets.push(socket);
    }

    /// Closes a UDP socket: packets to it are refused from now on.
    pub fn close(&mut self, socket: SocketAddr) {
        self.sockets.retain(|open| *open != socket);
    }
}

impl Device for Host {
    fn handle(&mut self, _now: SimTime, port: PortId, packet: &mut Packet, out: &mut Outbox) -> Verdict {
        let destination = packet.flow.destination;
        if !self.addresses.contains(&destination.ip()) {
            if group::is_link_local(destination.ip()) {
                return Verdict::Deliver;
            }
            return Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination: destination.ip() });
        }
        match packet.protocol() {
            // Agents send from unconnected sockets, which are not told of ICMP errors; the host takes them in silence.
            Protocol::Icmp => Verdict::Deliver,
            Protocol::Udp if self.sockets.contains(&destination) => Verdict::Deliver,
            _ => {
                if let Some(error) = packet.icmp_error(destination.ip(), IcmpKind::PortUnreachable) {
                    out.emit(port, error, Some(packet.id));
                }
                Verdict::drop_by(DropReason::HostPortClosed, Rule::PortClosed { destination })
            }
        }
    }
}
