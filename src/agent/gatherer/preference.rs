//! Local preferences: which of several candidates of one type comes first.

use std::net::SocketAddr;

use crate::plan::Transport;

/// The address families of an agent's bases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// All are of one family.
    One,
    /// IPv4 and IPv6: a dual-stack host.
    Both,
}

impl Families {
    /// The families of these bases.
    pub fn of(bases: &[SocketAddr]) -> Self {
        let both = bases.iter().any(SocketAddr::is_ipv4) && bases.iter().any(SocketAddr::is_ipv6);
        if both { Self::Both } else { Self::One }
    }

    /// The local preference (RFC 8445 §5.1.2.1) of a candidate at `address`, before which `earlier` ones of its type
    /// and family were found: 65535 for the first, and one of its own for each further one. Where there are two families
    /// they take turns, IPv6 first (RFC 8421 §4), so that neither waits for all of the other. Candidates of a server
    /// that is spoken to over UDP come before those over TCP, and these before those over TLS, however many there are.
    pub fn local_preference(self, address: SocketAddr, earlier: usize, transport: Transport) -> u16 {
        let earlier = u16::try_from(earlier).unwrap_or(u16::MAX);
        let turns = match self {
            Self::One => earlier,
            Self::Both => earlier.saturating_mul(2).saturating_add(u16::from(address.is_ipv4())),
        };
        highest(transport).saturating_sub(turns)
    }
}

/// The local preference of the first candidate of a server that is spoken to over `transport`.
pub fn highest(transport: Transport) -> u16 {
    u16::MAX
        - match transport {
            Transport::Udp => 0,
            Transport::Tcp => 0x4000,
            Transport::Tls => 0x8000,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_family_counts_down_from_65535() {
        for base in ["10.0.0.1:1", "[2001:db8::1]:1"] {
            let families = Families::of(&[address(base), address(base)]);
            assert_eq!(
                [0, 1, 2].map(|n| families.local_preference(address(base), n, Transport::Udp)),
                [65_535, 65_534, 65_533]
            );
        }
    }

    #[test]
    fn two_families_take_turns_and_ipv6_comes_first() {
        let (v4, v6) = (address("10.0.0.1:1"), address("[2001:db8::1]:1"));
        let families = Families::of(&[v4, v6]);
        assert_eq!([0, 1].map(|n| families.local_preference(v6, n, Transport::Udp)), [65_535, 65_533]);
        assert_eq!([0, 1].map(|n| families.local_preference(v4, n, Transport::Udp)), [65_534, 65_532]);
    }

    #[test]
    fn a_hundred_relays_over_udp_come_before_the_first_over_tcp_and_these_before_tls() {
        let address = address("192.0.2.1:50000");
        for families in [Families::One, Families::Both] {
            let of = |earlier, transport| families.local_preference(address, earlier, transport);
            assert!(of(100, Transport::Udp) > of(0, Transport::Tcp));
            assert!(of(100, Transport::Tcp) > of(0, Transport::Tls));
        }
    }

    #[test]
    fn no_number_of_candidates_overflows() {
        for families in [Families::One, Families::Both] {
            assert_eq!(families.local_preference(address("10.0.0.1:1"), usize::MAX, Transport::Tls), 0);
        }
    }
}
