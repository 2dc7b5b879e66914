//! The TCP side of a host: streams of messages that its agents opened.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use crate::agent::{Connect, Security};
use crate::base::{PortId, PortRange, Random, SimTime};
use crate::device::Outbox;
use crate::transport::Note;
use crate::transport::connect::Target;
use crate::transport::streams::{Build, News, StreamEvent, Streams, Tls};
use crate::transport::tcp::{ConnectionId, Taken};
use crate::wire::{Flow, Icmp, Packet};

/// What every host's TCP is made with.
#[derive(Debug, Clone, Copy)]
pub struct TcpSettings {
    /// The seed of the run.
    pub seed: u64,
    /// The largest packet that a segment may make, in bytes. It is the least that any link carries: segments larger than
    /// that would die for ever, and access routers clamp the segment size of the connections that pass them to their links'.
    pub mtu: u16,
    /// How many connections a host may have.
    pub limit: usize,
}

/// A host's streams.
pub struct HostStreams {
    streams: Streams,
    ports: Random,
    /// Its HTTP proxy, through which all streams go, and the address from which they go there.
    proxy: Option<(IpAddr, SocketAddr)>,
    news: VecDeque<StreamNews>,
}

/// What a host tells of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamNews {
    /// The stream, by the host's number for its connection.
    pub connection: ConnectionId,
    /// Its flow, from the host outwards.
    pub flow: Flow,
    /// What happened.
    pub what: News,
}

impl HostStreams {
    /// None yet, on the host of this name. With a `proxy`, an address of the host and the proxy's, all go through it.
    pub fn new(name: &str, settings: TcpSettings, proxy: Option<(IpAddr, SocketAddr)>) -> Self {
        let TcpSettings { seed, mtu, limit } = settings;
        Self {
            streams: Streams::new(Random::stream(seed, name, "tcp"), mtu, limit),
            ports: Random::stream(seed, name, "tcp-port"),
            proxy,
            news: VecDeque::new(),
        }
    }

    /// Opens a stream; `None` if there is no room for another.
    pub fn connect(&mut self, now: SimTime, connect: &Connect) -> Option<ConnectionId> {
        let host = connect.host.clone().unwrap_or_else(|| connect.to.ip().to_string());
        let tls = (connect.security == Security::Tls).then(|| Tls::Client(host.clone()));
        let build = Build { framing: connect.framing, tls };
        match self.proxy {
            None => {
                let local = self.free_port(connect.from.ip())?;
                self.streams.connect(now, Flow::new(local, connect.to), &build).ok()
            }
            Some((own, proxy)) => {
                let local = self.free_port(own)?;
                let target = Target { host, port: connect.to.port() };
                self.streams.connect_through(now, Flow::new(local, proxy), target, &build).ok()
            }
        }
    }

    /// Writes a message to a stream. False if its framing cannot hold it.
    pub fn write(&mut self, connection: ConnectionId, message: Vec<u8>) -> bool {
        self.streams.write(connection, Note::of(message)).is_ok()
    }

    /// Closes a stream.
    pub fn close(&mut self, connection: ConnectionId) {
        self.streams.close(connection);
    }

    /// Takes a segment.
    pub fn receive(&mut self, now: SimTime, packet: &Packet) -> Taken {
        self.streams.receive(now, packet)
    }

    /// Takes an ICMP error.
    pub fn icmp(&mut self, icmp: &Icmp) {
        self.streams.icmp(icmp);
    }

    /// When [`HostStreams::handle_timeout`] wants to be called next.
    pub fn next_timeout(&self) -> Option<SimTime> {
        self.streams.next_timeout()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: SimTime) {
        self.streams.handle_timeout(now);
    }

    /// Sends what is to be sent, and keeps the news. To be called after everything else.
    pub fn settle(&mut self, now: SimTime, out: &mut Outbox) {
        while let Some(event) = self.streams.poll(now) {
            match event {
                StreamEvent::Send(packet, cause) => out.emit(PortId::UPLINK, packet, cause),
                StreamEvent::News(connection, flow, what) => {
                    self.news.push_back(StreamNews { connection, flow, what });
                }
            }
        }
    }

    /// The next news.
    pub fn poll(&mut self) -> Option<StreamNews> {
        self.news.pop_front()
    }

    /// A dynamic port from which no connection leaves, at random (RFC 6056 §3.3.1); `None` if all are in use.
    fn free_port(&mut self, address: IpAddr) -> Option<SocketAddr> {
        let range = PortRange::DYNAMIC;
        let start = self.ports.below(u64::from(range.count())) as u32;
        (0..range.count())
            .map(|step| range.first() + ((start + step) % range.count()) as u16)
            .map(|port| SocketAddr::new(address, port))
            .find(|local| !self.streams.is_taken(*local))
    }
}
