//! What hosts ask their NAT for mappings with: NAT-PMP (RFC 6886) and PCP (RFC 6887), which share a port.

pub mod nat_pmp;
pub mod pcp;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Flow;
use crate::plan::Protocol;

/// The UDP port of the NAT that requests go to (RFC 6886 §3, RFC 6887 §19.2).
pub const SERVER_PORT: u16 = 5_351;

/// Where a NAT tells everybody on its link that it has forgotten its mappings (RFC 6886 §3.2.1, RFC 6887 §14.1).
pub const ANNOUNCED_AT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)), 5_350);

/// What a packet of this flow says, if it belongs to one of the protocols: `PCP MAP request for udp 50000`.
pub fn describe(flow: &Flow, payload: &[u8]) -> Option<String> {
    if flow.destination.port() == SERVER_PORT {
        let pcp = pcp::Request::parse(payload).map(|request| request.to_string());
        return pcp.or_else(|| nat_pmp::Request::parse(payload).map(|request| request.to_string()));
    }
    if flow.source.port() == SERVER_PORT {
        let pcp = pcp::Response::parse(payload).map(|response| response.to_string());
        return pcp.or_else(|| nat_pmp::Response::parse(payload).map(|response| response.to_string()));
    }
    None
}

/// Big-endian numbers at fixed places. What lies beyond the end is `None`.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// Adds numbers to a message as they travel: big-endian.
fn put_u16(bytes: &mut Vec<u8>, number: u16) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

fn put_u32(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

/// A mapping in a few words: `udp 50000`, and where it is told `at 203.0.113.1:40000`.
struct Told {
    protocol: Protocol,
    internal_port: u16,
    external: Option<(Option<Ipv4Addr>, u16)>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.protocol, self.internal_port)?;
        match self.external {
            Some((Some(address), port)) => write!(f, " at {address}:{port}"),
            Some((None, port)) => write!(f, " at port {port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Random;

    #[test]
    fn parsers_take_any_bytes_of_any_length() {
        let mut random = Random::stream(1, "wire", "port-mapping");
        for version in [0, 1, 2, 3] {
            for len in 0..=128 {
                for opcode in [0, 1, 2, 128, 129, 130, 255] {
                    let mut bytes = vec![0; len];
                    random.fill(&mut bytes);
                    for (at, value) in [version, opcode].into_iter().enumerate() {
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte = value;
                        }
                    }
                    let _ = (nat_pmp::Request::parse(&bytes), nat_pmp::Response::parse(&bytes));
                    let _ = (pcp::Request::parse(&bytes), pcp::Response::parse(&bytes));
                    let to = Flow::new(([10, 0, 0, 2], 9).into(), ([10, 0, 0, 1], SERVER_PORT).into());
                    let _ = (describe(&to, &bytes), describe(&to.reversed(), &bytes));
                }
            }
        }
    }

    #[test]
    fn only_packets_to_and_from_the_nats_port_are_described() {
        let request = nat_pmp::Request::ExternalAddress.to_bytes();
        let flow = |port| Flow::new(([10, 0, 0, 2], 9).into(), ([10, 0, 0, 1], port).into());

        assert_eq!(describe(&flow(5_351), &request).as_deref(), Some("NAT-PMP external address request"));
        assert_eq!(describe(&flow(5_352), &request), None);
        assert_eq!(describe(&flow(5_351).reversed(), &request), None);
    }
}
