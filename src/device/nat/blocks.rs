//! Blocks of external ports: a carrier's NAT gives a host many ports at once, and logs only that (RFC 6888 §5).
//!
//! A block belongs to one host, for every protocol, from the first mapping in it until none of its ports is in use.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::base::PortRange;
use crate::plan::PortBlock;

/// Which host holds which block.
#[derive(Debug)]
pub(super) struct Blocks {
    range: PortRange,
    size: u16,
    given: FxHashMap<BlockId, Block>,
    /// In the order in which they were given.
    of_host: FxHashMap<IpAddr, Vec<BlockId>>,
}

/// The outside address of a block, and its number there, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct BlockId {
    outside: IpAddr,
    number: u16,
}

#[derive(Debug)]
struct Block {
    host: IpAddr,
    /// How many ports, of all protocols, are not free.
    used: u32,
    last_given: Option<u16>,
}

impl Blocks {
    /// The blocks of this many ports in `range`. What is left at its end belongs to none.
    pub(super) fn new(range: PortRange, size: u16) -> Self {
        Self { range, size: size.max(1), given: FxHashMap::default(), of_host: FxHashMap::default() }
    }

    /// How many ports a block has.
    pub(super) fn size(&self) -> u16 {
        self.size
    }

    /// The blocks of a host at an outside address, in the order in which they were given.
    pub(super) fn of(&self, host: IpAddr, outside: IpAddr) -> Vec<BlockId> {
        let all = self.of_host.get(&host).map_or(&[][..], Vec::as_slice);
        all.iter().copied().filter(|block| block.outside == outside).collect()
    }

    /// True if the host may have one more without holding more blocks than its quota of ports takes.
    pub(super) fn allow_another(&self, host: IpAddr, quota: Option<u16>) -> bool {
        let held = self.of_host.get(&host).map_or(0, Vec::len);
        quota.is_none_or(|quota| held * usize::from(self.size) < usize::from(quota))
    }

    /// The blocks of an outside address that nobody holds, lowest first.
    pub(super) fn free(&self, outside: IpAddr) -> Vec<BlockId> {
        let count = self.range.count() / u32::from(self.size);
        // There are no more blocks than ports.
        let all = (0..count).map(|number| BlockId { outside, number: number as u16 });
        all.filter(|block| !self.given.contains_key(block)).collect()
    }

    /// The ports of a block.
    pub(super) fn ports(&self, block: BlockId) -> Option<PortRange> {
        let first = u32::from(self.range.first()) + u32::from(block.number) * u32::from(self.size);
        let last = first + u32::from(self.size) - 1;
        PortRange::new(u16::try_from(first).ok()?, u16::try_from(last).ok()?)
    }

    /// The port of a block that was given last since it came to its host.
    pub(super) fn last_given(&self, block: BlockId) -> Option<u16> {
        self.given.get(&block)?.last_given
    }

    /// A port of this block goes to a mapping of `host`. The block, if that makes it the host's.
    pub(super) fn take(&mut self, block: BlockId, host: IpAddr, port: u16) -> Option<PortBlock> {
        let is_new = !self.given.contains_key(&block);
        let given = self.given.entry(block).or_insert(Block { host, used: 0, last_given: None });
        given.used += 1;
        given.last_given = Some(port);
        if !is_new {
            return None;
        }
        self.of_host.entry(host).or_default().push(block);
        self.shown(block, host)
    }

    /// A port is free again. Its block, if that was the last one in use there.
    pub(super) fn give_back(&mut self, outside: IpAddr, port: u16) -> Option<PortBlock> {
        let number = port.checked_sub(self.range.first())? / self.size;
        let block = BlockId { outside, number };
        let given = self.given.get_mut(&block)?;
        given.used -= 1;
        if given.used > 0 {
            return None;
        }
        let host = given.host;
        self.given.remove(&block);
        if let Some(blocks) = self.of_host.get_mut(&host) {
            blocks.retain(|other| *other != block);
            if blocks.is_empty() {
                self.of_host.remove(&host);
            }
        }
        self.shown(block, host)
    }

    fn shown(&self, block: BlockId, host: IpAddr) -> Option<PortBlock> {
        Some(PortBlock { host, outside: block.outside, ports: self.ports(block)? })
    }
}
