//! Local preferences: which of several candidates of one type comes first.

use std::net::SocketAddr;

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
    /// they take turns, IPv6 first (RFC 8421 §4), so that neither waits for all of the other.
    pub fn local_preference(self, address: SocketAddr, earlier: usize) -> u16 {
        let earlier = u16::try_from(earlier).unwrap_or(u16::MAX);
        match self {
            Self::One => u16::MAX - earlier,
            Self::Both => {
                let turns = earlier.saturating_mul(2).saturating_add(u16::from(address.is_ipv4()));
                u16::MAX - turns
            }
        }
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
                [0, 1, 2].map(|n| families.local_preference(address(base), n)),
                [65_535, 65_534, 65_533]
            );
        }
    }

    #[test]
    fn two_families_take_turns_and_ipv6_comes_first() {
        let (v4, v6) = (address("10.0.0.1:1"), address("[2001:db8::1]:1"));
        let families = Families::of(&[v4, v6]);
        assert_eq!([0, 1].map(|n| families.local_preference(v6, n)), [65_535, 65_533]);
        assert_eq!([0, 1].map(|n| families.local_preference(v4, n)), [65_534, 65_532]);
    }

    #[test]
    fn no_number_of_candidates_overflows() {
        for families in [Families::One, Families::Both] {
            assert_eq!(families.local_preference(address("10.0.0.1:1"), usize::MAX), 0);
        }
    }
}
