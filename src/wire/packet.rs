//! An IP packet: parsed headers and payload. Bytes exist only at the edges ([`Packet::to_bytes`]).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use etherparse::{
    Icmpv4Header, Icmpv4Type, Icmpv6Header, Icmpv6Type, IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header,
    TcpHeader, UdpHeader, icmpv4, icmpv6,
};

use crate::base::PacketId;
use crate::plan::Protocol;
use crate::plan::behavior::words;

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
    /// A TCP segment.
    Tcp(TcpSegment),
    /// An ICMP or ICMPv6 error about another packet.
    Icmp(Icmp),
}

/// A TCP segment. Options are not modelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpSegment {
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number; meaningful with [`TcpFlags::ack`].
    pub acknowledgment: u32,
    /// Receive window in bytes.
    pub window: u16,
    /// Control bits.
    pub flags: TcpFlags,
    /// Data.
    pub payload: Bytes,
}

/// TCP's control bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpFlags {
    /// Synchronize.
    pub syn: bool,
    /// Acknowledge.
    pub ack: bool,
    /// Finish.
    pub fin: bool,
    /// Reset.
    pub rst: bool,
    /// Push.
    pub psh: bool,
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
    /// True once a TURN server relayed it.
    pub relayed: bool,
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
        match self.body {
            Body::Udp(_) => Protocol::Udp,
            Body::Tcp(_) => Protocol::Tcp,
            Body::Icmp(_) => Protocol::Icmp,
        }
    }

    /// The bytes of IP packet this is, headers included.
    pub fn len(&self) -> usize {
        let ip = if self.flow.source.is_ipv4() { Ipv4Header::MIN_LEN } else { Ipv6Header::LEN };
        ip + match &self.body {
            Body::Udp(payload) => UdpHeader::LEN + payload.len(),
            Body::Tcp(segment) => TcpHeader::MIN_LEN + segment.payload.len(),
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
    /// The application's bytes; empty for ICMP.
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::Udp(payload) => payload,
            Self::Tcp(segment) => &segment.payload,
            Self::Icmp(_) => &[],
        }
    }
}

/// Writes an IP packet. A payload is bounded to 65,507 bytes before it is ever sent, so no length overflows.
pub fn encode(flow: Flow, hop_limit: u8, body: &Body) -> Vec<u8> {
    let (number, upper) = match (flow.source.ip(), flow.destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => encode_upper(
            flow,
            body,
            |udp, payload| udp.calc_checksum_ipv4_raw(source.octets(), destination.octets(), payload).ok(),
            |tcp, payload| tcp.calc_checksum_ipv4_raw(source.octets(), destination.octets(), payload).ok(),
            |icmp, quoted| Icmpv4Header::with_checksum(icmpv4_type(icmp.kind), quoted).to_bytes().to_vec(),
            IpNumber::ICMP,
        ),
        (IpAddr::V6(source), IpAddr::V6(destination)) => encode_upper(
            flow,
            body,
            |udp, payload| udp.calc_checksum_ipv6_raw(source.octets(), destination.octets(), payload).ok(),
            |tcp, payload| tcp.calc_checksum_ipv6_raw(source.octets(), destination.octets(), payload).ok(),
            |icmp, quoted| {
                Icmpv6Header::with_checksum(
                    icmpv6_type(icmp.kind),
                    source.octets(),
                    destination.octets(),
                    quoted,
                )
                .map(|header| header.to_bytes().to_vec())
                .unwrap_or_default()
            },
            IpNumber::IPV6_ICMP,
        ),
        // Families never mix in one packet; a topology that could do so is refused before it runs.
        _ => return Vec::new(),
    };
    let mut bytes = ip_header(flow, hop_limit, number, upper.len());
    bytes.extend_from_slice(&upper);
    bytes
}

fn ip_header(flow: Flow, hop_limit: u8, number: IpNumber, payload_len: usize) -> Vec<u8> {
    let payload_len = u16::try_from(payload_len).unwrap_or(u16::MAX);
    match (flow.source.ip(), flow.destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut header =
                Ipv4Header::new(payload_len, hop_limit, number, source.octets(), destination.octets())
                    .unwrap_or_default();
            header.header_checksum = header.calc_header_checksum();
            header.to_bytes().to_vec()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => Ipv6Header {
            traffic_class: 0,
            flow_label: Ipv6FlowLabel::ZERO,
            payload_length: payload_len,
            next_header: number,
            hop_limit,
            source: source.octets(),
            destination: destination.octets(),
        }
        .to_bytes()
        .to_vec(),
        _ => Vec::new(),
    }
}

fn encode_upper(
    flow: Flow,
    body: &Body,
    udp_checksum: impl Fn(&UdpHeader, &[u8]) -> Option<u16>,
    tcp_checksum: impl Fn(&TcpHeader, &[u8]) -> Option<u16>,
    icmp_header: impl Fn(&Icmp, &[u8]) -> Vec<u8>,
    icmp_number: IpNumber,
) -> (IpNumber, Vec<u8>) {
    match body {
        Body::Udp(payload) => {
            let mut header = udp_header(flow, payload.len());
            header.checksum = udp_checksum(&header, payload).unwrap_or(0);
            (IpNumber::UDP, [&header.to_bytes()[..], payload].concat())
        }
        Body::Tcp(segment) => {
            let mut header = tcp_header(flow, segment);
            header.checksum = tcp_checksum(&header, &segment.payload).unwrap_or(0);
            (IpNumber::TCP, [&header.to_bytes()[..], &segment.payload].concat())
        }
        Body::Icmp(icmp) => {
            let quoted = quoted_bytes(icmp);
            (icmp_number, [icmp_header(icmp, &quoted), quoted].concat())
        }
    }
}

fn udp_header(flow: Flow, payload_len: usize) -> UdpHeader {
    UdpHeader {
        source_port: flow.source.port(),
        destination_port: flow.destination.port(),
        length: u16::try_from(UdpHeader::LEN + payload_len).unwrap_or(u16::MAX),
        checksum: 0,
    }
}

fn tcp_header(flow: Flow, segment: &TcpSegment) -> TcpHeader {
    let mut header =
        TcpHeader::new(flow.source.port(), flow.destination.port(), segment.sequence, segment.window);
    header.acknowledgment_number = segment.acknowledgment;
    header.syn = segment.flags.syn;
    header.ack = segment.flags.ack;
    header.fin = segment.flags.fin;
    header.rst = segment.flags.rst;
    header.psh = segment.flags.psh;
    header
}

/// The quoted IP header and the first eight bytes behind it (RFC 792): for UDP its header, for TCP the ports
/// and a sequence number.
fn quoted_bytes(icmp: &Icmp) -> Vec<u8> {
    let ports =
        [icmp.quoted.source.port().to_be_bytes(), icmp.quoted.destination.port().to_be_bytes()].concat();
    let (number, tail) = match icmp.quoted_protocol {
        Protocol::Udp => (IpNumber::UDP, [0, UdpHeader::LEN as u8, 0, 0]),
        Protocol::Tcp => (IpNumber::TCP, [0; 4]),
        Protocol::Icmp => (IpNumber::ICMP, [0; 4]),
    };
    let mut bytes = ip_header(icmp.quoted, INITIAL_HOP_LIMIT, number, ports.len() + tail.len());
    bytes.extend_from_slice(&ports);
    bytes.extend_from_slice(&tail);
    bytes
}

fn icmpv4_type(kind: IcmpKind) -> Icmpv4Type {
    use icmpv4::DestUnreachableHeader as Unreachable;
    match kind {
        IcmpKind::PortUnreachable => Icmpv4Type::DestinationUnreachable(Unreachable::Port),
        IcmpKind::HostUnreachable => Icmpv4Type::DestinationUnreachable(Unreachable::Host),
        IcmpKind::NetworkUnreachable => Icmpv4Type::DestinationUnreachable(Unreachable::Network),
        IcmpKind::AdministrativelyProhibited => {
            Icmpv4Type::DestinationUnreachable(Unreachable::FilterProhibited)
        }
        IcmpKind::TimeExceeded => Icmpv4Type::TimeExceeded(icmpv4::TimeExceededCode::TtlExceededInTransit),
        IcmpKind::PacketTooBig => {
            Icmpv4Type::DestinationUnreachable(Unreachable::FragmentationNeeded { next_hop_mtu: 0 })
        }
    }
}

fn icmpv6_type(kind: IcmpKind) -> Icmpv6Type {
    use icmpv6::DestUnreachableCode as Unreachable;
    match kind {
        IcmpKind::PortUnreachable => Icmpv6Type::DestinationUnreachable(Unreachable::Port),
        IcmpKind::HostUnreachable => Icmpv6Type::DestinationUnreachable(Unreachable::Address),
        IcmpKind::NetworkUnreachable => Icmpv6Type::DestinationUnreachable(Unreachable::NoRoute),
        IcmpKind::AdministrativelyProhibited => Icmpv6Type::DestinationUnreachable(Unreachable::Prohibited),
        IcmpKind::TimeExceeded => Icmpv6Type::TimeExceeded(icmpv6::TimeExceededCode::HopLimitExceeded),
        IcmpKind::PacketTooBig => Icmpv6Type::PacketTooBig { mtu: 1_280 },
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
