//! What an agent used before an ICE restart, or before it hung up: sockets, and allocations on servers. They are kept
//! while data may still come or go by them, and given back afterwards.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::server_link::Way;
use super::{Output, StreamId};
use crate::base::{SimDuration, SimTime};

/// How long old sockets stay open once there is a new pair: its peer may not have selected one yet, and sends data over
/// the old pair until then.
const LINGER: SimDuration = SimDuration::from_secs(5);

/// The servers of an agent, which have allocated something for it or not.
pub(super) trait Servers {
    /// Gives back what they have allocated, and asks for nothing more.
    fn release(&mut self, now: SimTime, out: &mut VecDeque<Output>);

    /// True once all of it is given back.
    fn is_released(&self) -> bool;

    /// Nothing can be had by this base any more.
    fn lose_base(&mut self, base: SocketAddr);

    /// True if one of them is at the end of this stream.
    fn knows(&self, stream: StreamId) -> bool;

    /// Sends data to `peer` from the relayed address `relayed`, if there is such an allocation.
    fn send_relayed(
        &mut self,
        now: SimTime,
        relayed: SocketAddr,
        peer: SocketAddr,
        data: &[u8],
        out: &mut VecDeque<Output>,
    );

    /// When they want to be called.
    fn due(&mut self) -> Option<SimTime>;

    /// Does what is due at `now`.
    fn step(&mut self, now: SimTime, out: &mut VecDeque<Output>);
}

/// Everything an agent has retired.
#[derive(Debug)]
pub(super) struct Retired<S>(Vec<Set<S>>);

/// What was in use together.
#[derive(Debug)]
struct Set<S> {
    sockets: Vec<SocketAddr>,
    servers: S,
    /// Where data leave from, and where they go, until there is a new pair; `None`: this set's pair is dead.
    pair: Option<(SocketAddr, SocketAddr)>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There is no new pair yet.
    InUse,
    /// Nothing is sent from it any more, but what arrives until then is still taken.
    Lingering(SimTime),
    /// Servers have been asked to forget it.
    Releasing,
}

impl<S> Default for Retired<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Servers> Retired<S> {
    /// Retires what was in use until now. With a `pair` it carries data until [`Retired::replaced`], and what did so before
    /// need not any more; without, it is given back at once.
    pub(super) fn add(
        &mut self,
        now: SimTime,
        sockets: Vec<SocketAddr>,
        servers: S,
        pair: Option<(SocketAddr, SocketAddr)>,
    ) {
        if pair.is_some() {
            self.replaced(now);
        }
        let stage = if pair.is_some() { Stage::InUse } else { Stage::Lingering(now) };
        self.0.push(Set { sockets, servers, pair, stage });
    }

    /// There is a new pair.
    pub(super) fn replaced(&mut self, now: SimTime) {
        for set in self.0.iter_mut().filter(|set| set.stage == Stage::InUse) {
            (set.pair, set.stage) = (None, Stage::Lingering(now + LINGER));
        }
    }

    /// Everything is given back at once.
    pub(super) fn end(&mut self, now: SimTime) {
        for set in self.0.iter_mut().filter(|set| set.stage != Stage::Releasing) {
            (set.pair, set.stage) = (None, Stage::Lingering(now));
        }
    }

    /// The servers that were asked by the socket or stream at the end of `way`, if it is retired.
    pub(super) fn servers_of(&mut self, way: Way) -> Option<&mut S> {
        let mut sets = self.0.iter_mut();
        let found = match way {
            Way::Socket { socket, .. } => sets.find(|set| set.sockets.contains(&socket)),
            Way::Stream(stream) => sets.find(|set| set.servers.knows(stream)),
        };
        found.map(|set| &mut set.servers)
    }

    /// Nothing can be sent from this socket any more.
    pub(super) fn lose_base(&mut self, base: SocketAddr) {
        for set in &mut self.0 {
            set.sockets.retain(|socket| *socket != base);
            set.servers.lose_base(base);
        }
    }

    /// Sends data over the old pair, if there is one.
    pub(super) fn send(&mut self, now: SimTime, data: &[u8], out: &mut VecDeque<Output>) {
        let Some((set, (from, to))) = self.0.iter_mut().find_map(|set| set.pair.map(|pair| (set, pair)))
        else {
            return;
        };
        if set.sockets.contains(&from) {
            out.push_back(Output::Transmit { from, to, payload: data.to_vec() });
        } else {
            set.servers.send_relayed(now, from, to, data, out);
        }
    }

    /// When it wants [`Retired::step`].
    pub(super) fn due(&mut self) -> Option<SimTime> {
        let due = |set: &mut Set<S>| {
            let lingers = match set.stage {
                Stage::Lingering(until) => Some(until),
                Stage::InUse | Stage::Releasing => None,
            };
            lingers.into_iter().chain(set.servers.due()).min()
        };
        self.0.iter_mut().filter_map(due).min()
    }

    /// Gives back what is no longer of use at `now`, and closes the sockets of what is given back.
    pub(super) fn step(&mut self, now: SimTime, out: &mut VecDeque<Output>) {
        for set in &mut self.0 {
            if matches!(set.stage, Stage::Lingering(until) if until <= now) {
                set.stage = Stage::Releasing;
                set.servers.release(now, out);
            }
            set.servers.step(now, out);
        }
        self.0.retain(|set| {
            let is_done = set.stage == Stage::Releasing && set.servers.is_released();
            if is_done {
                out.extend(set.sockets.iter().map(|socket| Output::CloseSocket(*socket)));
            }
            !is_done
        });
    }
}
