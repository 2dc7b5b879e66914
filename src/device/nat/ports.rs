//! Which external port a new mapping gets (RFC 4787 §4.2), and when it is free again (RFC 6888 REQ-8).

use std::collections::VecDeque;
use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::blocks::{BlockId, Blocks};
use super::key::EndpointKey;
use crate::base::{PortRange, Random, SimTime};
use crate::plan::{ConflictBehavior, PortAssignment, PortBlock, PortPolicy, Protocol};

/// The external ports of a NAT.
#[derive(Debug)]
pub(super) struct Ports {
    policy: PortPolicy,
    /// `None`: hosts get ports one by one.
    blocks: Option<Blocks>,
    /// True if ports outside of the policy's range may be taken, by mappings from before it was the policy.
    others_taken: bool,
    usage: FxHashMap<(IpAddr, Protocol), Usage>,
    /// The ports in quarantine and when it ends, first to end first.
    resting: VecDeque<(SimTime, EndpointKey)>,
}

/// What is known of the ports of one outside address.
#[derive(Debug, Default)]
struct Usage {
    taken: PortSet,
    resting: PortSet,
    last_given: Option<u16>,
}

/// A port for a mapping.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) port: u16,
    /// The block that became the host's with it.
    pub(super) new_block: Option<PortBlock>,
}

/// Why there is no port for a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shortage {
    /// None is free, or not the one that is wanted.
    Ports,
    /// None is free in the host's blocks, and its quota allows no more of them.
    Quota,
}

impl Ports {
    pub(super) fn new(policy: PortPolicy) -> Self {
        let blocks = policy.block.map(|size| Blocks::new(policy.range, size));
        Self { policy, blocks, others_taken: false, usage: FxHashMap::default(), resting: VecDeque::new() }
    }

    /// New mappings get their ports like this from now on; those that are taken, or rest, stay so. Blocks stay what they are.
    pub(super) fn set_policy(&mut self, policy: PortPolicy) {
        self.others_taken |= policy.range != self.policy.range;
        self.policy = policy;
    }

    /// A port of `outside` for a mapping of `internal`, marked as taken. A port that is taken by another mapping is only
    /// considered where ports are overloaded, one in quarantine never; `fits` has the last word on each.
    pub(super) fn assign(
        &mut self,
        outside: IpAddr,
        internal: EndpointKey,
        random: &mut Random,
        fits: impl Fn(u16) -> bool,
    ) -> Result<Given, Shortage> {
        let Self { policy, blocks, usage, .. } = self;
        let usage = usage.entry((outside, internal.protocol)).or_default();
        let share = policy.assignment == PortAssignment::Overloading;
        let busy = usage.taken.count + usage.resting.count;
        if !share && !self.others_taken && busy == policy.range.count() {
            return Err(Shortage::Ports);
        }
        let is_free =
            |port: u16| (share || !usage.taken.contains(port)) && !usage.resting.contains(port) && fits(port);
        let (port, block) = match blocks {
            None => {
                let port =
                    pick(policy, policy.range, usage.last_given, internal.address.port(), random, &is_free);
                (port.ok_or(Shortage::Ports)?, None)
            }
            Some(blocks) => {
                let (port, block) = pick_in_block(policy, blocks, outside, internal, random, &is_free)?;
                (port, Some(block))
            }
        };
        let is_new = usage.taken.insert(port);
        usage.last_given = Some(port);
        let taken = blocks.as_mut().zip(block).filter(|_| is_new);
        let new_block = taken.and_then(|(blocks, block)| blocks.take(block, internal.address.ip(), port));
        Ok(Given { port, new_block })
    }

    /// The last mapping at `external` ended at `at`, and no mapping that ended before is told of later. Its block, if
    /// that was the last port in use there.
    ///
    /// Ports of TCP rest not, since TCP has states to tell late packets by (RFC 6888 REQ-8 A).
    pub(super) fn release(&mut self, external: EndpointKey, at: SimTime) -> Option<PortBlock> {
        let outside = external.address.ip();
        let usage = self.usage.get_mut(&(outside, external.protocol))?;
        usage.taken.remove(external.address.port());
        if self.policy.quarantine.is_zero() || external.protocol == Protocol::Tcp {
            return self.blocks.as_mut()?.give_back(outside, external.address.port());
        }
        usage.resting.insert(external.address.port());
        let until = at + self.policy.quarantine;
        // One that began under a longer quarantine may end later.
        let place = self.resting.partition_point(|(other, _)| *other <= until);
        self.resting.insert(place, (until, external));
        None
    }

    /// When the next port leaves quarantine.
    #[inline]
    pub(super) fn next_timer(&self) -> Option<SimTime> {
        self.resting.front().map(|(until, _)| *until)
    }

    /// Lets one port whose quarantine is over go; `None` if there is none. With its block, if that was the last port in
    /// use there.
    pub(super) fn take_rested(&mut self, now: SimTime) -> Option<Option<PortBlock>> {
        let (_, external) = self.resting.pop_front_if(|(until, _)| *until <= now)?;
        let outside = external.address.ip();
        if let Some(usage) = self.usage.get_mut(&(outside, external.protocol)) {
            usage.resting.remove(external.address.port());
        }
        Some(self.blocks.as_mut().and_then(|blocks| blocks.give_back(outside, external.address.port())))
    }

    /// The ports of these outside addresses, for who gets none of them.
    pub(super) fn describe(&self, outside: &[IpAddr], protocol: Protocol) -> String {
        let mut text = format!("ports {}", self.policy.range);
        if let Some(blocks) = &self.blocks {
            text.push_str(&format!(" in blocks of {}", blocks.size()));
            if outside.iter().all(|address| blocks.free(*address).is_empty()) {
                text.push_str(", all given");
            }
        }
        let usages = outside.iter().filter_map(|address| self.usage.get(&(*address, protocol)));
        let resting: u32 = usages.map(|usage| usage.resting.count).sum();
        if resting > 0 {
            let quarantine = self.policy.quarantine;
            let be = if resting == 1 { "is" } else { "are" };
            text.push_str(&format!(", of which {resting} {be} in quarantine for {quarantine} after use"));
        }
        text
    }
}

/// A free port of the host's blocks at `outside`; of one more block if there is none and its quota allows it.
fn pick_in_block(
    policy: &PortPolicy,
    blocks: &Blocks,
    outside: IpAddr,
    internal: EndpointKey,
    random: &mut Random,
    is_free: &impl Fn(u16) -> bool,
) -> Result<(u16, BlockId), Shortage> {
    let host = internal.address.ip();
    let pick_in = |block: BlockId, random: &mut Random| {
        let ports = blocks.ports(block)?;
        let port = pick(policy, ports, blocks.last_given(block), internal.address.port(), random, is_free)?;
        Some((port, block))
    };
    let has_port =
        |block: &BlockId| blocks.ports(*block).is_some_and(|ports| ports.contains(internal.address.port()));
    let mut own = blocks.of(host, outside);
    // Where the internal port is preserved, the block it lies in comes first.
    own.sort_by_key(|block| !has_port(block));
    if let Some(found) = own.into_iter().find_map(|block| pick_in(block, random)) {
        return Ok(found);
    }
    if !blocks.allow_another(host, policy.max_per_host) {
        return Err(Shortage::Quota);
    }
    let mut free = blocks.free(outside);
    match policy.assignment {
        PortAssignment::Random if !free.is_empty() => {
            let first = random.below(free.len() as u64) as usize;
            free.rotate_left(first);
        }
        PortAssignment::Preservation | PortAssignment::Overloading => {
            free.sort_by_key(|block| !has_port(block))
        }
        PortAssignment::Random | PortAssignment::Sequential => {}
    }
    free.into_iter().find_map(|block| pick_in(block, random)).ok_or(Shortage::Ports)
}

/// A free port of `range`; `None` if there is none, or if the preferred one is taken and nothing else is wanted.
fn pick(
    policy: &PortPolicy,
    range: PortRange,
    last_given: Option<u16>,
    internal_port: u16,
    random: &mut Random,
    is_free: &impl Fn(u16) -> bool,
) -> Option<u16> {
    let candidates = Candidates::of(policy, range, internal_port);
    match policy.assignment {
        PortAssignment::Preservation | PortAssignment::Overloading => {
            if candidates.contain(internal_port) && is_free(internal_port) {
                Some(internal_port)
            } else {
                match policy.on_conflict {
                    ConflictBehavior::Sequential => candidates.next_after(internal_port, is_free),
                    ConflictBehavior::Random => candidates.random(random, is_free),
                    ConflictBehavior::Drop => None,
                }
            }
        }
        PortAssignment::Sequential => candidates.next_after(last_given.unwrap_or(range.first() - 1), is_free),
        PortAssignment::Random => candidates.random(random, is_free),
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

    fn of(policy: &PortPolicy, range: PortRange, internal_port: u16) -> Self {
        let range = match policy.assignment {
            PortAssignment::Preservation | PortAssignment::Overloading => {
                same_class(range, internal_port).unwrap_or(range)
            }
            PortAssignment::Sequential | PortAssignment::Random => range,
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

/// A set of ports, one bit each. An empty one that never held any takes no memory.
#[derive(Debug, Default)]
struct PortSet {
    words: Vec<u64>,
    count: u32,
}

impl PortSet {
    const WORDS: usize = 1 << 10;

    fn contains(&self, port: u16) -> bool {
        self.words.get(usize::from(port >> 6)).is_some_and(|word| word & bit(port) != 0)
    }

    /// True if the port was not in it before.
    fn insert(&mut self, port: u16) -> bool {
        if self.contains(port) {
            return false;
        }
        self.words.resize(Self::WORDS, 0);
        self.words[usize::from(port >> 6)] |= bit(port);
        self.count += 1;
        true
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
