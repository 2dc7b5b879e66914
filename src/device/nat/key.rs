//! What mappings and flows are looked up by.

use std::net::SocketAddr;

use crate::plan::Protocol;

/// A transport endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EndpointKey {
    pub(super) protocol: Protocol,
    pub(super) address: SocketAddr,
}

/// One conversation as one side of the NAT sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FlowKey {
    pub(super) protocol: Protocol,
    /// Our end: the internal endpoint, or the external one where the text says so.
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
}

impl EndpointKey {
    #[inline]
    pub(super) fn packed(self) -> PackedEndpoint {
        PackedEndpoint::new(self.protocol, &self.address)
    }
}

impl FlowKey {
    #[inline]
    pub(super) fn packed(self) -> PackedFlow {
        PackedFlow::new(self.protocol, &self.local, &self.remote)
    }
}

/// An [`EndpointKey`] in whole words. Each packet is looked up by these, taken straight from its headers: they are
/// several times as fast to build, hash and compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PackedEndpoint {
    low: u64,
    high: u64,
    tail: u64,
}

/// A [`FlowKey`] in whole words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PackedFlow {
    tail: u64,
    remote_low: u64,
    local_low: u64,
    local_high: u64,
    remote_high: u64,
}

impl PackedEndpoint {
    #[inline]
    pub(super) fn new(protocol: Protocol, address: &SocketAddr) -> Self {
        let (high, low, port) = pack(address);
        Self { low, high, tail: port << 8 | protocol as u64 }
    }
}

impl PackedFlow {
    #[inline]
    pub(super) fn new(protocol: Protocol, local: &SocketAddr, remote: &SocketAddr) -> Self {
        let (local_high, local_low, local_port) = pack(local);
        let (remote_high, remote_low, remote_port) = pack(remote);
        let tail = local_port << 32 | remote_port << 8 | protocol as u64;
        Self { tail, remote_low, local_low, local_high, remote_high }
    }
}

/// The address in two words, and family and port in 17 bits.
#[inline]
fn pack(address: &SocketAddr) -> (u64, u64, u64) {
    match address {
        SocketAddr::V4(v4) => (0, u64::from(v4.ip().to_bits()), u64::from(v4.port())),
        SocketAddr::V6(v6) => {
            let bits = v6.ip().to_bits();
            ((bits >> 64) as u64, bits as u64, 1 << 16 | u64::from(v6.port()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_flows_never_share_a_key() {
        let addresses = ["10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1", "[::a00:1]:1", "[::a00:1]:2", "[a::]:1"]
            .map(|text| text.parse().expect("address"));
        let mut seen = std::collections::BTreeSet::new();
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            for local in addresses {
                for remote in addresses {
                    assert!(seen.insert(FlowKey { protocol, local, remote }.packed()));
                }
            }
        }
    }
}
