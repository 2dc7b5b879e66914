//! Filtering: whose packets a mapping lets in (RFC 4787 §5).

use std::net::SocketAddr;

use indexmap::{IndexMap, IndexSet};
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::key::EndpointKey;
use crate::plan::{Accepts, FilteringBehavior};

/// What a filter remembers of `remote`: `None` if it asks nothing; port 0 for all ports of an address.
pub(super) fn entry(behavior: FilteringBehavior, remote: SocketAddr) -> Option<SocketAddr> {
    match behavior {
        FilteringBehavior::EndpointIndependent => None,
        FilteringBehavior::AddressDependent => Some(SocketAddr::new(remote.ip(), 0)),
        FilteringBehavior::AddressAndPortDependent => Some(remote),
    }
}

/// The entries opened by the packets of one mapping, oldest first.
#[derive(Debug, Default)]
pub(super) struct Filter(IndexSet<SocketAddr, FxBuildHasher>);

impl Filter {
    /// Adds an entry; true if it is new.
    pub(super) fn open(&mut self, entry: SocketAddr) -> bool {
        self.0.insert(entry)
    }

    pub(super) fn holds(&self, entry: SocketAddr) -> bool {
        self.0.contains(&entry)
    }

    pub(super) fn accepts(&self) -> Accepts {
        Accepts::from_remotes(self.0.iter().copied())
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().copied()
    }
}

/// For [`FilterScope::Endpoint`](crate::plan::FilterScope::Endpoint): the entries of all mappings of each internal
/// endpoint together. An entry lives as long as one of the mappings that opened it.
#[derive(Debug, Default)]
pub(super) struct EndpointFilters(FxHashMap<EndpointKey, IndexMap<SocketAddr, u32, FxBuildHasher>>);

impl EndpointFilters {
    /// One more mapping of `internal` opened `entry`.
    pub(super) fn open(&mut self, internal: EndpointKey, entry: SocketAddr) {
        *self.0.entry(internal).or_default().entry(entry).or_insert(0) += 1;
    }

    /// A mapping of `internal` that had opened `entry` is gone.
    pub(super) fn close(&mut self, internal: EndpointKey, entry: SocketAddr) {
        let Some(entries) = self.0.get_mut(&internal) else { return };
        if let Some(count) = entries.get_mut(&entry) {
            *count -= 1;
            if *count == 0 {
                entries.shift_remove(&entry);
            }
        }
        if entries.is_empty() {
            self.0.remove(&internal);
        }
    }

    pub(super) fn holds(&self, internal: EndpointKey, entry: SocketAddr) -> bool {
        self.0.get(&internal).is_some_and(|entries| entries.contains_key(&entry))
    }

    pub(super) fn accepts(&self, internal: EndpointKey) -> Accepts {
        Accepts::from_remotes(self.0.get(&internal).into_iter().flat_map(IndexMap::keys).copied())
    }
}
