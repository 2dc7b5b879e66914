//! The translator in a host of an IPv6-only network (464XLAT, RFC 6877): what programs send by IPv4 leaves as IPv6, for
//! a NAT64 to make IPv4 again. It keeps no state (RFC 7915), and lets IPv6 pass as it is.

use std::net::SocketAddr;

use super::{Device, Outbox, Verdict};
use crate::base::{PortId, SimTime};
use crate::plan::{self, DropReason, Rule};
use crate::wire::{Body, Packet, TcpSegment};

/// A host's translator. Port 0 is the network, port 1 the host.
#[derive(Debug)]
pub struct Clat {
    config: plan::Clat,
}

/// Where the host is.
const HOST: PortId = PortId::new(1);

impl Clat {
    /// A translator.
    pub fn new(config: plan::Clat) -> Self {
        Self { config }
    }

    fn to_ipv6(&self, packet: &mut Packet) {
        let plan::Clat { prefix, address, .. } = self.config;
        let own = |of: SocketAddr| SocketAddr::new(address.into(), of.port());
        packet.flow.source = own(packet.flow.source);
        packet.flow.destination = prefix.embed_socket(packet.flow.destination);
        if let Body::Icmp(error) = &mut packet.body {
            error.quoted.source = prefix.embed_socket(error.quoted.source);
            error.quoted.destination = own(error.quoted.destination);
        }
        packet.trail.source_rewrites = packet.trail.source_rewrites.saturating_add(1);
        shorten_segments(packet);
    }

    /// False, and nothing done, if it comes from no IPv4 address.
    fn to_ipv4(&self, packet: &mut Packet) -> bool {
        let prefix = self.config.prefix;
        let host = |of: SocketAddr| SocketAddr::new(plan::Clat::HOST.into(), of.port());
        let Some(source) = prefix.embedded_socket(packet.flow.source) else { return false };
        if let Body::Icmp(error) = &mut packet.body {
            let Some(remote) = prefix.embedded_socket(error.quoted.destination) else { return false };
            error.quoted.source = host(error.quoted.source);
            error.quoted.destination = remote;
        }
        packet.flow.source = source;
        packet.flow.destination = host(packet.flow.destination);
        packet.trail.destination_rewrites = packet.trail.destination_rewrites.saturating_add(1);
        shorten_segments(packet);
        true
    }
}

impl Device for Clat {
    fn handle(&mut self, _now: SimTime, port: PortId, packet: &mut Packet, _out: &mut Outbox) -> Verdict {
        let destination = packet.flow.destination.ip();
        let no_route = || Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination });
        if port == HOST {
            if destination == plan::Clat::HOST {
                return no_route();
            }
            if destination.is_ipv4() {
                self.to_ipv6(packet);
            }
            return Verdict::Forward(PortId::UPLINK);
        }
        if destination != self.config.address || self.to_ipv4(packet) {
            Verdict::Forward(HOST)
        } else {
            no_route()
        }
    }
}

/// IPv6's header is longer, and what fills a link as IPv4 does not fit into it any more: hosts agree on less.
fn shorten_segments(packet: &mut Packet) {
    let Body::Tcp(segment) = &mut packet.body else { return };
    let at = maximum_segment_size(segment);
    if let Some(size) = at.and_then(|at| segment.options.get_mut(at..)?.first_chunk_mut()) {
        *size = u16::from_be_bytes(*size).saturating_sub(plan::Clat::LONGER).to_be_bytes();
    }
}

/// Where in its options a SYN tells its maximum segment size.
fn maximum_segment_size(segment: &TcpSegment) -> Option<usize> {
    const NO_OPERATION: u8 = 1;
    const MAXIMUM_SEGMENT_SIZE: [u8; 2] = [2, 4];
    let options = segment.flags.syn.then_some(&segment.options)?;
    let mut at = 0;
    loop {
        let [kind, length] = *options.get(at..)?.first_chunk()?;
        match [kind, length] {
            MAXIMUM_SEGMENT_SIZE => return Some(at + 2),
            [NO_OPERATION, _] => at += 1,
            // The end of the options, or none that can be read.
            [0, _] | [_, 0..=1] => return None,
            [_, length] => at += usize::from(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Nat64Prefix;
    use crate::wire::{Flow, IcmpKind, TcpFlags};

    const OWN: &str = "2001:db8:a::464:10";
    const REMOTE: &str = "192.0.2.1:3478";
    const EMBEDDED: &str = "[64:ff9b::192.0.2.1]:3478";

    fn clat() -> Clat {
        let address = OWN.parse().expect("an address");
        Clat::new(plan::Clat { prefix: Nat64Prefix::WELL_KNOWN, address })
    }

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("a transport address")
    }

    fn flow(source: &str, destination: &str) -> Flow {
        Flow::new(at(source), at(destination))
    }

    fn handle(port: PortId, packet: &mut Packet) -> Verdict {
        clat().handle(SimTime::ZERO, port, packet, &mut Outbox::default())
    }

    #[test]
    fn what_a_program_sends_by_ipv4_leaves_as_ipv6_and_answers_come_back() {
        let mut packet = Packet::udp(flow("192.0.0.4:5000", REMOTE), &b"out"[..]);

        assert_eq!(handle(HOST, &mut packet), Verdict::Forward(PortId::UPLINK));
        assert_eq!(packet.flow, flow("[2001:db8:a::464:10]:5000", EMBEDDED));
        assert_eq!((packet.trail.source_rewrites, packet.trail.destination_rewrites), (1, 0));

        let mut answer = Packet::udp(packet.flow.reversed(), &b"in"[..]);
        assert_eq!(handle(PortId::UPLINK, &mut answer), Verdict::Forward(HOST));
        assert_eq!(answer.flow, flow(REMOTE, "192.0.0.4:5000"));
        assert_eq!((answer.trail.source_rewrites, answer.trail.destination_rewrites), (0, 1));
    }

    #[test]
    fn ipv6_passes_as_it_is() {
        let native = flow("[2001:db8:a::10]:5000", "[2001:db8:b::10]:5000");
        for (port, flow, out) in [(HOST, native, PortId::UPLINK), (PortId::UPLINK, native.reversed(), HOST)] {
            let mut packet = Packet::udp(flow, &b"x"[..]);
            assert_eq!(handle(port, &mut packet), Verdict::Forward(out));
            assert_eq!((packet.flow, packet.trail.source_rewrites), (flow, 0));
        }
    }

    #[test]
    fn what_comes_from_no_ipv4_address_is_not_for_the_translator() {
        let mut packet = Packet::udp(flow("[2001:db8:b::10]:5000", "[2001:db8:a::464:10]:5000"), &b"x"[..]);

        assert!(matches!(handle(PortId::UPLINK, &mut packet), Verdict::Drop(_)));
    }

    #[test]
    fn errors_quote_what_their_receiver_knows() {
        let sent = Packet::udp(flow("[2001:db8:a::464:10]:5000", EMBEDDED), &b"x"[..]);
        let reporter = "64:ff9b::192.0.2.1".parse().expect("an address");
        let mut error = sent.icmp_error(reporter, IcmpKind::PortUnreachable).expect("an error");

        assert_eq!(handle(PortId::UPLINK, &mut error), Verdict::Forward(HOST));

        let Body::Icmp(icmp) = &error.body else { panic!("no error") };
        assert_eq!(icmp.quoted, flow("192.0.0.4:5000", REMOTE));
        assert_eq!(error.flow, flow("192.0.2.1:0", "192.0.0.4:0"));
    }

    #[test]
    fn hosts_agree_on_segments_that_fit_with_the_longer_header() {
        let segment = TcpSegment {
            flags: TcpFlags { syn: true, ..TcpFlags::default() },
            options: [1, 2, 4, 0x05, 0xb4, 0].into_iter().collect(),
            ..TcpSegment::default()
        };
        let mut packet = Packet::tcp(flow("192.0.0.4:5000", REMOTE), segment);

        handle(HOST, &mut packet);

        let Body::Tcp(segment) = &packet.body else { panic!("no segment") };
        assert_eq!(segment.options[3..5], 1_440_u16.to_be_bytes());
    }
}
