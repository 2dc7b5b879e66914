//! A host's network layer.

use std::net::{IpAddr, SocketAddr};

use super::streams::{HostStreams, StreamNews};
use crate::base::{PortId, SimTime};
use crate::device::group::is_link_local;
use crate::device::{Device, Outbox, Verdict};
use crate::plan::{DropReason, Rule};
use crate::transport::tcp::{self, Refusal, Taken};
use crate::wire::{Body, IcmpKind, Packet, TcpSegment};

/// A host's network layer: it takes what is addressed to an open socket or belongs to a stream, and refuses the rest.
pub struct Host {
    sockets: Vec<SocketAddr>,
    addresses: Vec<IpAddr>,
    proxy: Option<SocketAddr>,
    /// Few hosts speak TCP, and those that do not pay nothing for it.
    streams: Option<Box<HostStreams>>,
}

impl Host {
    /// A host without any socket, whose streams go through this HTTP proxy.
    pub const fn new(addresses: Vec<IpAddr>, proxy: Option<SocketAddr>) -> Self {
        Self { sockets: Vec::new(), addresses, proxy, streams: None }
    }

    /// Its HTTP proxy, and the address from which it goes there; `None` if it has none.
    pub fn proxy(&self) -> Option<(IpAddr, SocketAddr)> {
        let proxy = self.proxy?;
        let own = self.addresses.iter().find(|own| own.is_ipv4() == proxy.is_ipv4())?;
        Some((*own, proxy))
    }

    /// Opens a UDP socket, so that packets to it are delivered.
    pub fn open(&mut self, socket: SocketAddr) {
        self.sockets.push(socket);
    }

    /// Closes a UDP socket: packets to it are refused from now on.
    pub fn close(&mut self, socket: SocketAddr) {
        self.sockets.retain(|open| *open != socket);
    }

    /// Its network is gone: its streams end without a word, and nobody is told.
    pub fn forget_streams(&mut self) {
        self.streams = None;
    }

    /// Its streams, made by `make` if it has none yet. What is done to them takes effect with [`HostStreams::settle`].
    pub fn streams_or(&mut self, make: impl FnOnce() -> HostStreams) -> &mut HostStreams {
        self.streams.get_or_insert_with(|| Box::new(make()))
    }

    /// Its streams, if it ever had any.
    pub fn streams(&mut self) -> Option<&mut HostStreams> {
        self.streams.as_deref_mut()
    }

    /// The next news of its streams.
    pub fn poll_stream(&mut self) -> Option<StreamNews> {
        self.streams.as_mut()?.poll()
    }

    fn handle_segment(
        &mut self,
        now: SimTime,
        packet: &Packet,
        segment: &TcpSegment,
        out: &mut Outbox,
    ) -> Verdict {
        let Some(streams) = &mut self.streams else {
            if let Some(reset) = tcp::refuse(segment) {
                out.emit(PortId::UPLINK, Packet::tcp(packet.flow.reversed(), reset), Some(packet.id));
            }
            return Verdict::refuse_segment(Refusal::of(segment), packet);
        };
        let taken = streams.receive(now, packet);
        streams.settle(now, out);
        match taken {
            Taken::Connection(_) => Verdict::Deliver,
            Taken::Refused(refusal) => Verdict::refuse_segment(refusal, packet),
        }
    }
}

impl Device for Host {
    fn handle(&mut self, now: SimTime, port: PortId, packet: &mut Packet, out: &mut Outbox) -> Verdict {
        let destination = packet.flow.destination;
        // Everybody on a link hears what is sent to its groups, and whoever does not care lets it be.
        if is_link_local(destination.ip()) {
            return Verdict::Deliver;
        }
        if !self.addresses.contains(&destination.ip()) {
            return Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination: destination.ip() });
        }
        match &packet.body {
            Body::Udp(_) if self.sockets.contains(&destination) => Verdict::Deliver,
            Body::Udp(_) => {
                if let Some(error) = packet.icmp_error(destination.ip(), IcmpKind::PortUnreachable) {
                    out.emit(port, error, Some(packet.id));
                }
                Verdict::drop_by(DropReason::HostPortClosed, Rule::PortClosed { destination })
            }
            Body::Tcp(segment) => self.handle_segment(now, packet, segment, out),
            // Agents send from unconnected sockets, which are not told of ICMP errors; connections that open are.
            Body::Icmp(icmp) => {
                if let Some(streams) = &mut self.streams {
                    streams.icmp(icmp);
                    streams.settle(now, out);
                }
                Verdict::Deliver
            }
        }
    }

    fn next_timeout(&self) -> Option<SimTime> {
        self.streams.as_ref().and_then(|streams| streams.next_timeout())
    }

    fn handle_timeout(&mut self, now: SimTime, out: &mut Outbox) {
        if let Some(streams) = &mut self.streams {
            streams.handle_timeout(now);
            streams.settle(now, out);
        }
    }
}
