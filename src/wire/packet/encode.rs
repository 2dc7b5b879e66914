//! Packets as bytes, checksums included.

use std::net::IpAddr;

use etherparse::{
    Icmpv4Header, Icmpv4Type, Icmpv6Header, Icmpv6Type, IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header,
    TcpHeader, UdpHeader, icmpv4, icmpv6,
};

use super::{Body, Flow, INITIAL_HOP_LIMIT, Icmp, IcmpKind, TcpSegment};
use crate::plan::Protocol;

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
    // Options are at most 40 bytes, which is all that can fail here.
    header.set_options_raw(&segment.options).ok();
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
