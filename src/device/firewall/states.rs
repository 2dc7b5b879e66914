//! What a stateful filter remembers of the flows it has seen.

use std::net::SocketAddr;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::base::{SimDuration, SimTime};
use crate::plan::{Accepts, Protocol};

/// A protocol and an inside endpoint.
pub(in crate::device) type Inside = (Protocol, SocketAddr);

/// Remotes remembered for each inside endpoint, each until its time is up.
#[derive(Debug)]
pub(in crate::device) struct States {
    endpoints: FxHashMap<Inside, IndexMap<SocketAddr, SimTime, FxBuildHasher>>,
    count: usize,
    capacity: usize,
}

/// What became of a remote that was to be remembered.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::device) enum Noted {
    /// It was not remembered, and is now.
    New,
    /// It is remembered for longer.
    Refreshed,
    /// There is no room for it.
    Full,
}

impl States {
    /// Nothing yet, and room for `capacity` remotes in all.
    pub(in crate::device) fn new(capacity: usize) -> Self {
        Self { endpoints: FxHashMap::default(), count: 0, capacity }
    }

    /// Remembers `remote`, or remembers it for longer.
    pub(in crate::device) fn note(
        &mut self,
        now: SimTime,
        inside: Inside,
        remote: SocketAddr,
        lifetime: SimDuration,
    ) -> Noted {
        if self.refresh(now, inside, remote, lifetime) {
            return Noted::Refreshed;
        }
        if self.count >= self.capacity {
            self.forget_expired(now);
        }
        if self.count >= self.capacity {
            return Noted::Full;
        }
        let remotes = self.endpoints.entry(inside).or_default();
        // One that had expired comes back as the newest.
        if remotes.shift_remove(&remote).is_none() {
            self.count += 1;
        }
        remotes.insert(remote, now + lifetime);
        Noted::New
    }

    /// Remembers `remote` for longer; false if it is not remembered at all.
    pub(in crate::device) fn refresh(
        &mut self,
        now: SimTime,
        inside: Inside,
        remote: SocketAddr,
        lifetime: SimDuration,
    ) -> bool {
        let expires = self.endpoints.get_mut(&inside).and_then(|remotes| remotes.get_mut(&remote));
        match expires {
            Some(expires) if *expires > now => {
                *expires = now + lifetime;
                true
            }
            _ => false,
        }
    }

    /// True if `remote` is remembered.
    pub(in crate::device) fn holds(&self, now: SimTime, inside: Inside, remote: SocketAddr) -> bool {
        let expires = self.endpoints.get(&inside).and_then(|remotes| remotes.get(&remote));
        expires.is_some_and(|expires| *expires > now)
    }

    /// The remotes that are remembered, as reports tell them.
    pub(in crate::device) fn accepts(&self, now: SimTime, inside: Inside) -> Accepts {
        let remotes = self.endpoints.get(&inside).into_iter().flatten();
        Accepts::from_remotes(remotes.filter(|(_, expires)| **expires > now).map(|(remote, _)| *remote))
    }

    fn forget_expired(&mut self, now: SimTime) {
        self.endpoints.retain(|_, remotes| {
            remotes.retain(|_, expires| *expires > now);
            !remotes.is_empty()
        });
        self.count = self.endpoints.values().map(IndexMap::len).sum();
    }
}
