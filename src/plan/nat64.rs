//! IPv4 addresses as IPv6-only hosts write them (RFC 6052), and the translator in a host (464XLAT, RFC 6877).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::Ipv6Net;

/// A prefix of 96 bits; the IPv4 address fills the rest (RFC 6052 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nat64Prefix(Ipv6Addr);

impl Nat64Prefix {
    /// `64:ff9b::/96`, the same everywhere (RFC 6052 §2.1).
    pub const WELL_KNOWN: Self = Self(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0));
    /// How many bits of an address it is.
    pub const LENGTH: u8 = 96;

    /// A network as a prefix; `None` unless it has 96 bits.
    pub fn new(network: Ipv6Net) -> Option<Self> {
        (network.prefix_len() == Self::LENGTH).then(|| Self(network.network()))
    }

    /// The network of all addresses with this prefix.
    pub fn network(self) -> Ipv6Net {
        Ipv6Net::new_assert(self.0, Self::LENGTH)
    }

    /// An IPv4 address as the hosts behind the translator write it.
    pub fn embed(self, address: Ipv4Addr) -> Ipv6Addr {
        Ipv6Addr::from_bits(self.0.to_bits() | u128::from(address.to_bits()))
    }

    /// The IPv4 address that this one stands for; `None` if it has another prefix.
    pub fn embedded(self, address: IpAddr) -> Option<Ipv4Addr> {
        match address {
            IpAddr::V6(address) if address.to_bits() >> 32 == self.0.to_bits() >> 32 => {
                Some(Ipv4Addr::from_bits(address.to_bits() as u32))
            }
            _ => None,
        }
    }

    /// The IPv4 transport address that this one stands for, with the same port.
    pub fn embedded_socket(self, address: SocketAddr) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.embedded(address.ip())?.into(), address.port()))
    }

    /// A transport address as the hosts behind the translator write it; one of IPv6 is that already.
    pub fn embed_socket(self, address: SocketAddr) -> SocketAddr {
        match address.ip() {
            IpAddr::V4(ip) => SocketAddr::new(self.embed(ip).into(), address.port()),
            IpAddr::V6(_) => address,
        }
    }

    /// True if it may stand for this address. The well-known prefix stands for global ones only (RFC 6052 §3.1).
    pub fn may_embed(self, address: Ipv4Addr) -> bool {
        self != Self::WELL_KNOWN || is_global(address)
    }
}

impl fmt::Display for Nat64Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.network().fmt(f)
    }
}

/// False for addresses that mean something else in every network (RFC 6890). Those for documentation count as global, as
/// they do everywhere in a simulation.
fn is_global(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let shared = first == 100 && (64..128).contains(&second);
    let protocol_assignments = [first, second, third] == [192, 0, 0];
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || first == 0
        || shared
        || protocol_assignments)
}

/// The side of a NAT box that translates from IPv6 inside to IPv4 outside, by the box's mapping and filtering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nat64 {
    /// What IPv4 destinations look like inside.
    pub prefix: Nat64Prefix,
    /// True: what is behind the box has no IPv4 addresses.
    pub ipv6_only: bool,
}

/// A host's translator: what programs send by IPv4 leaves as IPv6, for a NAT64 to translate back. To the topology it
/// is a node between its host and the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clat {
    /// What IPv4 destinations become.
    pub prefix: Nat64Prefix,
    /// The address that IPv4 packets leave with: the host's second IPv6 address.
    pub address: Ipv6Addr,
}

impl Clat {
    /// The IPv4 address that programs on the host see (RFC 7335). It is the same on every host.
    pub const HOST: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 4);
    /// By how much IPv6's header is longer than IPv4's, in bytes.
    pub const LONGER: u16 = 20;
    /// What its name ends in. No name in a file holds a slash.
    const SUFFIX: &'static str = "/clat";

    /// The name of the translator of a peer.
    pub fn name(peer: &str) -> String {
        format!("{peer}{}", Self::SUFFIX)
    }

    /// The peer whose translator has this name; any other name as it is.
    pub fn peer(name: &str) -> &str {
        name.strip_suffix(Self::SUFFIX).unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(text: &str) -> Ipv4Addr {
        text.parse().expect("an address")
    }

    /// RFC 6052 §2.4 has the same example.
    #[test]
    fn an_address_fills_the_last_32_bits() {
        let network = "2001:db8:122:344::/96".parse().expect("a network");
        let prefix = Nat64Prefix::new(network).expect("a prefix");
        let embedded = prefix.embed(v4("192.0.2.33"));

        assert_eq!(embedded, "2001:db8:122:344::192.0.2.33".parse::<Ipv6Addr>().expect("an address"));
        assert_eq!(prefix.embedded(embedded.into()), Some(v4("192.0.2.33")));
        assert_eq!(Nat64Prefix::WELL_KNOWN.embedded(embedded.into()), None);
    }

    #[test]
    fn other_lengths_are_no_prefix() {
        for network in ["64:ff9b::/64", "64:ff9b::/128", "64:ff9b::/95"] {
            assert_eq!(Nat64Prefix::new(network.parse().expect("a network")), None, "{network}");
        }
    }

    #[test]
    fn the_well_known_prefix_stands_for_global_addresses_only() {
        let own = Nat64Prefix::new("2001:db8:64::/96".parse().expect("a network")).expect("a prefix");
        for address in ["10.0.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "192.0.0.4", "224.0.0.1"] {
            assert!(!Nat64Prefix::WELL_KNOWN.may_embed(v4(address)), "{address}");
            assert!(own.may_embed(v4(address)), "{address}");
        }
        assert!(Nat64Prefix::WELL_KNOWN.may_embed(v4("192.0.2.1")));
    }
}
