//! Which external port a new mapping gets (RFC 4787 §4.2).

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::base::{PortRange, Random};
use crate::plan::{ConflictBehavior, PortAssignment, PortPolicy, Protocol};

/// The external ports of a NAT.
#[derive(Debug)]
pub(super) struct Ports {
    policy: PortPolicy,
    /// True if ports outside of the policy's range may be taken, by mappings from before it was the policy.
    others_taken: bool,
    usage: FxHashMap<(IpAddr, Protocol), Usage>,
}

/// What is known of the ports of one outside address.
#[derive(Debug, Default)]
struct Usage {
    taken: PortSet,
    last_given: Option<u16>,
}

impl Ports {
    pub(super) fn new(policy: PortPolicy) -> Self {
        Self { policy, others_taken: false, usage: FxHashMap::default() }
    }

    /// New mappings get their ports like this from now on; those that are taken stay so.
    pub(super) fn set_policy(&mut self, policy: PortPolicy) {
        self.others_taken |= policy.range != self.policy.range;
        self.policy = policy;
    }

    /// A port of `outside` for a mapping of `internal_port`, marked as taken; `None` if there is none, or if the
    /// preferred one is taken and nothing else is wanted. A port that is taken by another mapping is only
    /// considered where ports are overloaded; `fits` has the last word on each.
    pub(super) fn assign(
        &mut self,
        outside: IpAddr,
        protocol: Protocol,
        internal_port: u16,
        random: &mut Random,
        fits: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        let usage = self.usage.entry((outside, protocol)).or_default();
        let share = self.policy.assignment == PortAssignment::Overloading;
        if !share && !self.others_taken && usage.taken.count == self.policy.range.count() {
            return None;
        }
        let candidates = Candidates::of(&self.policy, internal_port);
        let is_free = |port: u16| (share || !usage.taken.contains(port)) && fits(port);
        let port = match self.policy.assignment {
            PortAssignment::Preservation | PortAssignment::Overloading => {
                if candidates.contain(internal_port) && is_free(internal_port) {
                    Some(internal_port)
                } else {
                    match self.policy.on_conflict {
                        ConflictBehavior::Sequential => candidates.next_after(internal_port, is_free),
                        ConflictBehavior::Random => candidates.random(random, is_free),
                        ConflictBehavior::Drop => None,
                    }
                }
            }
            PortAssignment::Sequential => match usage.last_given {
                Some(last) => candidates.next_after(last, is_free),
                None => candidates.next_after(self.policy.range.first() - 1, is_free),
            },
            PortAssignment::Random => candidates.random(random, is_free),
        }?;
        usage.taken.insert(port);
        usage.last_given = Some(port);
        Some(port)
    }

    /// No mapping uses this port any more.
    pub(super) fn release(&mut self, outside: IpAddr, protocol: Protocol, port: u16) {
        if let Some(usage) = self.usage.get_mut(&(outside, protocol)) {
            usage.taken.remove(port);
        }
    }
}

/// The ports that may be given to a mapping: every `step`-th from `first`, `count` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidates {
    first: u32,
    step: u32,
    count: u32,
}

impl Candidates {
    /// How often [`Candidates::random`] guesses before it counts.
    const GUESSES: u32 = 32;

    fn of(policy: &PortPolicy, internal_port: u16) -> Self {
        let range = match policy.assignment {
            PortAssignment::Preservation | PortAssignment::Overloading => {
                same_class(policy.range, internal_port).unwrap_or(policy.range)
            }
            PortAssignment::Sequential | PortAssignment::Random => policy.range,
        };
        let step = if policy.parity { 2 } else { 1 };
        let mut first = u32::from(range.first());
        if policy.parity && first % 2 != u32::from(internal_port) % 2 {
            first += 1;
        }
        let last = u32::from(range.last());
        let count = if first > last { 0 } else { (last - first) / step + 1 };
        Self { first, step, count }
    }

    fn contain(self, port: u16) -> bool {
        let port = u32::from(port);
        port >= self.first
            && (port - self.first).is_multiple_of(self.step)
            && (port - self.first) / self.step < self.count
    }

    fn at(self, index: u32) -> u16 {
        // Built from a range of u16, so it fits.
        (self.first + index * self.step) as u16
    }

    /// The first free port above `port`, going round at the end.
    fn next_after(self, port: u16, is_free: impl Fn(u16) -> bool) -> Option<u16> {
        let above = (u32::from(port) + 1).saturating_sub(self.first).div_ceil(self.step);
        (0..self.count).map(|n| self.at((above + n) % self.count)).find(|port| is_free(*port))
    }

    /// A free port, each with the same chance.
    fn random(self, random: &mut Random, is_free: impl Fn(u16) -> bool) -> Option<u16> {
        for _ in 0..Self::GUESSES.min(self.count) {
            let port = self.at(random.below(u64::from(self.count)) as u32);
            if is_free(port) {
                return Some(port);
            }
        }
        let free = || (0..self.count).map(|index| self.at(index)).filter(|port| is_free(*port));
        let count = free().count();
        if count == 0 {
            return None;
        }
        free().nth(random.below(count as u64) as usize)
    }
}

/// The ports of `range` on the same side of 1024 as `port` (RFC 4787 REQ-3a).
fn same_class(range: PortRange, port: u16) -> Option<PortRange> {
    const LAST_WELL_KNOWN: u16 = 1_023;
    if port <= LAST_WELL_KNOWN {
        PortRange::new(range.first(), range.last().min(LAST_WELL_KNOWN))
    } else {
        PortRange::new(range.first().max(LAST_WELL_KNOWN + 1), range.last())
    }
}

/// A set of ports, one bit each.
#[derive(Debug)]
struct PortSet {
    words: Box<[u64]>,
    count: u32,
}

impl Default for PortSet {
    fn default() -> Self {
        Self { words: vec![0; 1 << 10].into_boxed_slice(), count: 0 }
    }
}

impl PortSet {
    fn contains(&self, port: u16) -> bool {
        self.words[usize::from(port >> 6)] & bit(port) != 0
    }

    fn insert(&mut self, port: u16) {
        if !self.contains(port) {
            self.words[usize::from(port >> 6)] |= bit(port);
            self.count += 1;
        }
    }

    fn remove(&mut self, port: u16) {
        if self.contains(port) {
            self.words[usize::from(port >> 6)] &= !bit(port);
            self.count -= 1;
        }
    }
}

const fn bit(port: u16) -> u64 {
    1 << (port & 63)
}
