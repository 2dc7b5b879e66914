//! An IP packet: parsed headers and payload. Bytes exist only at the edges ([`Packet::to_bytes`]).

pub(crate) mod encode;
mod tcp;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use etherparse::{Ipv4Header, Ipv6Header, TcpHeader, UdpHeader};

use self::encode::encode;
pub use self::tcp::{Carried, TcpFlags, TcpSegment};
use crate::base::PacketId;
use crate::plan::behavior::words;
use crate::plan::{Protocol, Transport};

/// The hop limit hosts send with (RFC 1700's default TTL).
pub const INITIAL_HOP_LIMIT: u8 = 64;

/// A packet on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Which packet this is; copies made by a link get ids of their own.
    pub id: PacketId,
    /// Source and destination as the headers say right now.
    pub flow: Flow,
    /// Falls by one at every router, NAT and firewall.
    pub hop_limit: u8,
    /// What it carries.
    pub body: Body,
    /// What has been done to it, and to the packet it relays.
    pub trail: Trail,
}

/// Source and destination. ICMP has no ports: they are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Where it says it comes from.
    pub source: SocketAddr,
    /// Where it says it goes to.
    pub destination: SocketAddr,
}

/// The upper layer of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A UDP datagram.
    Udp(Bytes),
    /// A TCP segment. Boxed: most packets are datagrams, and should not be as large as the largest segment.
    Tcp(Box<TcpSegment>),
    /// An ICMP or ICMPv6 error about another packet.
    Icmp(Icmp),
}

/// An ICMP error with the part of the packet it quotes (RFC 792, RFC 4443).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icmp {
    /// What went wrong.
    pub kind: IcmpKind,
    /// The protocol of the quoted packet.
    pub quoted_protocol: Protocol,
    /// The quoted packet's flow, as the sender of the error saw it.
    pub quoted: Flow,
}

words! {
    /// ICMP errors.
    IcmpKind {
        /// Type 3 code 3, ICMPv6 1/4.
        PortUnreachable = "port-unreachable",
        /// Type 3 code 1, ICMPv6 1/3.
        HostUnreachable = "host-unreachable",
        /// Type 3 code 0, ICMPv6 1/0.
        NetworkUnreachable = "network-unreachable",
        /// Type 3 code 13, ICMPv6 1/1.
        AdministrativelyProhibited = "administratively-prohibited",
        /// Type 11 code 0, ICMPv6 3/0.
        TimeExceeded = "time-exceeded",
        /// Type 3 code 4, ICMPv6 type 2.
        PacketTooBig = "packet-too-big",
    }
}

/// What has been done to a packet so far. A packet sent by a relay goes on with the trail of the packet it relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trail {
    /// How many NATs rewrote its source.
    pub source_rewrites: u8,
    /// How many NATs rewrote its destination.
    pub destination_rewrites: u8,
    /// Once a TURN server relayed it: what its client speaks to that server, the first one if there were several.
    pub relayed: Option<Transport>,
}

impl Flow {
    /// From `source` to `destination`.
    pub const fn new(source: SocketAddr, destination: SocketAddr) -> Self {
        Self { source, destination }
    }

    /// The way back.
    pub const fn reversed(self) -> Self {
        Self { source: self.destination, destination: self.source }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.source, self.destination)
    }
}

impl Packet {
    /// A fresh UDP packet as a host sends it. The network gives it its id.
    pub fn udp(flow: Flow, payload: impl Into<Bytes>) -> Self {
        Self::new(flow, Body::Udp(payload.into()))
    }

    /// A fresh TCP segment as a host sends it. The network gives it its id.
    pub fn tcp(flow: Flow, segment: TcpSegment) -> Self {
        Self::new(flow, Body::Tcp(Box::new(segment)))
    }

    /// An ICMP error from `reporter` about this packet, sent to where this packet came from; `None` if this is
    /// itself an ICMP error (RFC 1122 §3.2.2).
    pub fn icmp_error(&self, reporter: IpAddr, kind: IcmpKind) -> Option<Self> {
        if matches!(self.body, Body::Icmp(_)) {
            return None;
        }
        let flow = Flow::new(SocketAddr::new(reporter, 0), SocketAddr::new(self.flow.source.ip(), 0));
        let icmp = Icmp { kind, quoted_protocol: self.protocol(), quoted: self.flow };
        Some(Self::new(flow, Body::Icmp(icmp)))
    }

    fn new(flow: Flow, body: Body) -> Self {
        Self { id: PacketId::default(), flow, hop_limit: INITIAL_HOP_LIMIT, body, trail: Trail::default() }
    }

    /// The upper layer's protocol.
    pub const fn protocol(&self) -> Protocol {
        self.body.protocol()
    }

    /// The bytes of IP packet this is, headers included.
    pub fn len(&self) -> usize {
        let ip = if self.flow.source.is_ipv4() { Ipv4Header::MIN_LEN } else { Ipv6Header::LEN };
        ip + match &self.body {
            Body::Udp(payload) => UdpHeader::LEN + payload.len(),
            Body::Tcp(segment) => TcpHeader::MIN_LEN + segment.options.len() + segment.payload.len(),
            // An ICMP header, the quoted IP header and eight bytes of what it carried.
            Body::Icmp(_) => 8 + ip + 8,
        }
    }

    /// Never true: even an empty datagram has headers.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// The packet as it would stand on a wire, checksums included.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self.flow, self.hop_limit, &self.body)
    }
}

impl Body {
    /// Its protocol.
    pub const fn protocol(&self) -> Protocol {
        match self {
            Self::Udp(_) => Protocol::Udp,
            Self::Tcp(_) => Protocol::Tcp,
            Self::Icmp(_) => Protocol::Icmp,
        }
    }

    /// The application's bytes; empty for ICMP.
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::Udp(payload) => payload,
            Self::Tcp(segment) => &segment.payload,
            Self::Icmp(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use etherparse::SlicedPacket;

    use super::*;

    fn flow(source: &str, destination: &str) -> Flow {
        Flow::new(source.parse().expect("address"), destination.parse().expect("address"))
    }

    #[test]
    fn a_datagram_reads_back_from_its_bytes_in_both_families() {
        for flow in
            [flow("10.0.1.2:50000", "192.0.2.3:3478"), flow("[2001:db8::2]:50000", "[2001:db8:1::3]:3478")]
        {
            let packet = Packet::udp(flow, &b"hello"[..]);
            let bytes = packet.to_bytes();
            assert_eq!(bytes.len(), packet.len());
            let read = SlicedPacket::from_ip(&bytes).expect("an IP packet");
            let Some(etherparse::TransportSlice::Udp(udp)) = read.transport else { panic!("not UDP") };
            assert_eq!((udp.source_port(), udp.destination_port()), (50_000, 3_478));
            assert_eq!(udp.payload(), b"hello");
            assert_ne!(udp.checksum(), 0);
        }
    }

    #[test]
    fn a_segment_reads_back_from_its_bytes_in_both_families() {
        for flow in
            [flow("10.0.1.2:50000", "192.0.2.3:443"), flow("[2001:db8::2]:50000", "[2001:db8:1::3]:443")]
        {
            // A maximum segment size of 1,460 bytes, and a window scale of 7 behind a no-operation.
            let options = [2, 4, 0x05, 0xb4, 1, 3, 3, 7];
            let packet = Packet::tcp(
                flow,
                TcpSegment {
                    sequence: 7,
                    window: 1_024,
                    flags: TcpFlags { psh: true, ack: true, ..TcpFlags::default() },
                    options: options.into_iter().collect(),
                    payload: b"hello".as_slice().into(),
                    ..TcpSegment::default()
                },
            );

            let bytes = packet.to_bytes();

            assert_eq!(bytes.len(), packet.len());
            let read = SlicedPacket::from_ip(&bytes).expect("an IP packet");
            let Some(etherparse::TransportSlice::Tcp(tcp)) = read.transport else { panic!("not TCP") };
            assert_eq!((tcp.source_port(), tcp.destination_port()), (50_000, 443));
            assert_eq!((tcp.options(), tcp.payload()), (&options[..], &b"hello"[..]));
            let checksum = match (flow.source.ip(), flow.destination.ip()) {
                (IpAddr::V4(from), IpAddr::V4(to)) => tcp.calc_checksum_ipv4(from.octets(), to.octets()),
                (IpAddr::V6(from), IpAddr::V6(to)) => tcp.calc_checksum_ipv6(from.octets(), to.octets()),
                _ => panic!("families never mix"),
            };
            assert_eq!(checksum, Ok(tcp.checksum()));
        }
    }

    #[test]
    fn what_the_simulator_knows_of_a_stream_is_not_on_the_wire() {
        let flow = flow("10.0.1.2:50000", "192.0.2.3:443");
        let plain = TcpSegment { payload: b"sealed".as_slice().into(), ..TcpSegment::default() };
        let message = Carried { end: 6, message: b"open".as_slice().into(), trail: Trail::default() };
        let carrying = TcpSegment { carried: vec![message], ..plain.clone() };

        let (plain, carrying) = (Packet::tcp(flow, plain), Packet::tcp(flow, carrying));

        assert_eq!(carrying.to_bytes(), plain.to_bytes());
        assert_eq!(carrying.len(), plain.len());
    }

    #[test]
    fn segments_make_no_other_packet_larger() {
        #[allow(dead_code, reason = "only its size matters")]
        enum WithoutTcp {
            Udp(Bytes),
            Icmp(Icmp),
        }

        assert!(size_of::<Body>() <= size_of::<WithoutTcp>());
    }

    #[test]
    fn an_icmp_error_quotes_the_packet_it_is_about() {
        let packet = Packet::udp(flow("10.0.1.2:50000", "192.0.2.3:9"), &b"hello"[..]);
        let error =
            packet.icmp_error("192.0.2.3".parse().expect("ip"), IcmpKind::PortUnreachable).expect("an error");
        let bytes = error.to_bytes();
        assert_eq!(bytes.len(), error.len());
        assert_eq!(&bytes[20..22], &[3, 3]);
        assert_eq!(&bytes[48..52], &[0xc3, 0x50, 0, 9]);
        assert_eq!(error.icmp_error("192.0.2.3".parse().expect("ip"), IcmpKind::PortUnreachable), None);
    }
}
