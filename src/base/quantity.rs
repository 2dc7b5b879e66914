//! Exact quantities of a scenario: probabilities, bandwidths, port ranges.

use std::fmt;
use std::ops::RangeInclusive;

use super::time::SimDuration;

/// A probability in parts per billion, so that no float takes part in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Probability(u32);

impl Probability {
    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ONE: Self = Self(Self::ONE_IN_PARTS);
    /// How many parts make a certainty.
    pub const ONE_IN_PARTS: u32 = 1_000_000_000;

    /// `parts` per billion; `None` above one billion.
    pub const fn from_parts_per_billion(parts: u32) -> Option<Self> {
        if parts <= Self::ONE_IN_PARTS { Some(Self(parts)) } else { None }
    }

    /// `percent` of a hundred; values above 100 become 100.
    pub const fn from_percent(percent: u32) -> Self {
        if percent >= 100 { Self::ONE } else { Self(percent * 10_000_000) }
    }

    /// Parts per billion.
    pub const fn parts_per_billion(self) -> u32 {
        self.0
    }

    /// True for [`Probability::ZERO`].
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Probability {
    /// A percentage with as many decimals as needed: `0.5%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000_000, self.0 % 10_000_000);
        if rest == 0 {
            return write!(f, "{whole}%");
        }
        write!(f, "{whole}.{}%", format!("{rest:07}").trim_end_matches('0'))
    }
}

/// A bandwidth in bits per second; never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bandwidth(u64);

impl Bandwidth {
    /// `bits` per second; `None` for zero.
    pub const fn from_bits_per_second(bits: u64) -> Option<Self> {
        if bits == 0 { None } else { Some(Self(bits)) }
    }

    /// Bits per second.
    pub const fn bits_per_second(self) -> u64 {
        self.0
    }

    /// How long `bytes` take to leave at this bandwidth.
    pub fn time_to_send(self, bytes: usize) -> SimDuration {
        let nanos = (bytes as u128 * 8 * 1_000_000_000) / u128::from(self.0);
        SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            n if n >= 1_000_000_000 => (1_000_000_000, "Gbps"),
            n if n >= 1_000_000 => (1_000_000, "Mbps"),
            n if n >= 1_000 => (1_000, "kbps"),
            _ => (1, "bps"),
        };
        let (whole, rest) = (self.0 / unit, self.0 % unit);
        if rest == 0 {
            return write!(f, "{whole}{name}");
        }
        let digits = unit.ilog10() as usize;
        write!(f, "{whole}.{}{name}", format!("{rest:0digits$}").trim_end_matches('0'))
    }
}

/// A non-empty range of ports that does not contain 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// The range IANA leaves for dynamic use, which TURN servers relay from (RFC 8656 §7.2).
    pub const DYNAMIC: Self = Self { first: 49_152, last: 65_535 };
    /// All ports above the well-known ones.
    pub const UNPRIVILEGED: Self = Self { first: 1_024, last: 65_535 };

    /// Ports `first` to `last`, both included; `None` if empty or if it contains 0.
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first == 0 || last < first { None } else { Some(Self { first, last }) }
    }

    /// The lowest port.
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The highest port.
    pub const fn last(self) -> u16 {
        self.last
    }

    /// How many ports there are.
    pub const fn count(self) -> u32 {
        self.last as u32 - self.first as u32 + 1
    }

    /// True if `port` is one of them.
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// The ports in rising order.
    pub const fn ports(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_print_as_scenarios_write_them() {
        assert_eq!(Probability::from_percent(1).to_string(), "1%");
        assert_eq!(
            Probability::from_parts_per_billion(5_000_000).map(|p| p.to_string()),
            Some("0.5%".into())
        );
        assert_eq!(Bandwidth::from_bits_per_second(1_200_000).map(|b| b.to_string()), Some("1.2Mbps".into()));
    }

    #[test]
    fn a_port_range_is_never_empty_and_never_holds_port_zero() {
        assert_eq!(PortRange::new(60_000, 50_000), None);
        assert_eq!(PortRange::new(0, 10), None);
        assert_eq!(PortRange::new(5, 5).map(PortRange::count), Some(1));
    }

    #[test]
    fn sending_time_follows_size_and_bandwidth() {
        let megabit = Bandwidth::from_bits_per_second(1_000_000).expect("not zero");
        assert_eq!(megabit.time_to_send(125), SimDuration::from_millis(1));
    }
}
