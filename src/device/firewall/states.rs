//! What a stateful filter remembers of the flows it has seen.

use std::net::SocketAddr;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::base::{SimDuration, SimTime};
use crate::device::tcp_flow::TcpSessions;
use crate::plan::{Accepts, Protocol, TcpLifetimes};
use crate::wire::TcpFlags;

/// A protocol and an inside endpoint.
pub(in crate::device) type Inside = (Protocol, SocketAddr);

/// Remotes remembered for each inside endpoint, each until its time is up.
#[derive(Debug)]
pub(in crate::device) struct States {
    endpoints: FxHashMap<Inside, IndexMap<SocketAddr, State, FxBuildHasher>>,
    count: usize,
    /// How many TCP connections are followed. More than one for a remote only where it stands for many.
    connections: usize,
    capacity: usize,
}

#[derive(Debug)]
struct State {
    expires: SimTime,
    /// The connections that made it, if it is TCP's.
    sessions: Option<Box<TcpSessions>>,
}

/// What a passing packet says of how long its remote is to be remembered.
#[derive(Debug, Clone, Copy)]
pub(in crate::device) enum Sign<'a> {
    /// So long from now.
    Lives(SimDuration),
    /// As long as the connections of which it is a segment last.
    Segment {
        /// The other end of the connection, where what is remembered stands for many.
        remote: SocketAddr,
        /// True if it comes from inside.
        outbound: bool,
        /// Its control bits.
        flags: TcpFlags,
        /// How long connections are remembered.
        lifetimes: &'a TcpLifetimes,
    },
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

impl Sign<'_> {
    /// How long what it makes is remembered at first.
    fn lifetime(self) -> SimDuration {
        match self {
            Self::Lives(lifetime) => lifetime,
            Self::Segment { lifetimes, .. } => lifetimes.transitory,
        }
    }
}

impl State {
    /// Remembered for as long as `sign` says; true if that began to follow a connection. Without `room` only known ones
    /// are followed.
    fn refresh(&mut self, now: SimTime, sign: Sign<'_>, room: bool) -> bool {
        match sign {
            Sign::Lives(lifetime) => {
                self.expires = now + lifetime;
                false
            }
            Sign::Segment { remote, outbound, flags, lifetimes } => {
                let sessions = self.sessions.get_or_insert_default();
                let known = sessions.len();
                if !room && !sessions.know(&remote) {
                    return false;
                }
                if let Some(latest) = sessions.note(now, remote, outbound, flags, lifetimes) {
                    self.expires = latest;
                }
                sessions.len() > known
            }
        }
    }
}

impl States {
    /// TCP connections followed for each remote there is room for.
    const CONNECTIONS_PER_REMOTE: usize = 16;

    /// Nothing yet, and room for `capacity` remotes in all.
    pub(in crate::device) fn new(capacity: usize) -> Self {
        Self { endpoints: FxHashMap::default(), count: 0, connections: 0, capacity }
    }

    /// Nothing is remembered any more.
    pub(in crate::device) fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    /// Remembers `remote`, or remembers it for longer.
    pub(in crate::device) fn note(
        &mut self,
        now: SimTime,
        inside: Inside,
        remote: SocketAddr,
        sign: Sign<'_>,
    ) -> Noted {
        if self.refresh(now, inside, remote, sign) {
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
        match remotes.shift_remove(&remote) {
            Some(expired) => self.connections -= expired.sessions.map_or(0, |sessions| sessions.len()),
            None => self.count += 1,
        }
        remotes.insert(remote, State { expires: now + sign.lifetime(), sessions: None });
        self.refresh(now, inside, remote, sign);
        Noted::New
    }

    /// Remembers `remote` for longer; false if it is not remembered at all.
    pub(in crate::device) fn refresh(
        &mut self,
        now: SimTime,
        inside: Inside,
        remote: SocketAddr,
        sign: Sign<'_>,
    ) -> bool {
        let room = self.connections < self.capacity.saturating_mul(Self::CONNECTIONS_PER_REMOTE);
        let state = self.endpoints.get_mut(&inside).and_then(|remotes| remotes.get_mut(&remote));
        match state {
            Some(state) if state.expires > now => {
                self.connections += usize::from(state.refresh(now, sign, room));
                true
            }
            _ => false,
        }
    }

    /// True if `remote` is remembered.
    pub(in crate::device) fn holds(&self, now: SimTime, inside: Inside, remote: SocketAddr) -> bool {
        let state = self.endpoints.get(&inside).and_then(|remotes| remotes.get(&remote));
        state.is_some_and(|state| state.expires > now)
    }

    /// The remotes that are remembered, as reports tell them.
    pub(in crate::device) fn accepts(&self, now: SimTime, inside: Inside) -> Accepts {
        let remotes = self.endpoints.get(&inside).into_iter().flatten();
        Accepts::from_remotes(remotes.filter(|(_, state)| state.expires > now).map(|(remote, _)| *remote))
    }

    fn forget_expired(&mut self, now: SimTime) {
        self.endpoints.retain(|_, remotes| {
            remotes.retain(|_, state| state.expires > now);
            !remotes.is_empty()
        });
        self.count = self.endpoints.values().map(IndexMap::len).sum();
        let sessions =
            self.endpoints.values().flat_map(IndexMap::values).filter_map(|state| state.sessions.as_ref());
        self.connections = sessions.map(|sessions| sessions.len()).sum();
    }
}
