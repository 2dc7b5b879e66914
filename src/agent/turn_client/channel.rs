//! Channels (RFC 8656 §12).

use std::net::SocketAddr;

use crate::base::{SimDuration, SimTime};
use crate::wire::stun::CHANNELS;

/// How often a channel is refreshed: a minute before its 600 s are over.
const REFRESH: SimDuration = SimDuration::from_secs(540);

/// The channels of one allocation. A number stays with its peer for good, so none is ever bound to two.
#[derive(Debug, Default)]
pub(super) struct Channels(Vec<Channel>);

#[derive(Debug)]
struct Channel {
    peer: SocketAddr,
    bound: bool,
    /// When it is refreshed; `None` while it is being asked for, and once it has failed.
    refresh: Option<SimTime>,
}

impl Channels {
    /// True the first time it is asked about `peer`: then a channel has to be requested. False when all numbers are
    /// in use.
    pub(super) fn wants(&mut self, peer: SocketAddr) -> bool {
        let new = !self.0.iter().any(|channel| channel.peer == peer) && self.0.len() < CHANNELS.len();
        if new {
            self.0.push(Channel { peer, bound: false, refresh: None });
        }
        new
    }

    /// The number of the channel bound to `peer`.
    pub(super) fn number(&self, peer: SocketAddr) -> Option<u16> {
        let index = self.0.iter().position(|channel| channel.bound && channel.peer == peer)?;
        number_at(index)
    }

    /// The number to ask for.
    pub(super) fn number_for(&self, peer: SocketAddr) -> u16 {
        let index = self.0.iter().position(|channel| channel.peer == peer);
        index.and_then(number_at).unwrap_or(*CHANNELS.start())
    }

    /// The peer that channel `number` stands for.
    pub(super) fn peer(&self, number: u16) -> Option<SocketAddr> {
        let index = usize::from(number.checked_sub(*CHANNELS.start())?);
        // The server may use a channel before the client has seen it bound.
        self.0.get(index).map(|channel| channel.peer)
    }

    pub(super) fn bound(&mut self, now: SimTime, peer: SocketAddr) {
        if let Some(channel) = self.get_mut(peer) {
            channel.bound = true;
            channel.refresh = Some(now + REFRESH);
        }
    }

    /// Data go on as indications.
    pub(super) fn failed(&mut self, peer: SocketAddr) {
        if let Some(channel) = self.get_mut(peer) {
            channel.bound = false;
        }
    }

    pub(super) fn due(&self) -> Option<SimTime> {
        self.0.iter().filter_map(|channel| channel.refresh).min()
    }

    /// The next peer whose channel has to be refreshed at `now`.
    pub(super) fn take_due(&mut self, now: SimTime) -> Option<SocketAddr> {
        let due = self.0.iter_mut().find(|channel| channel.refresh.is_some_and(|due| due <= now))?;
        due.refresh = None;
        Some(due.peer)
    }

    fn get_mut(&mut self, peer: SocketAddr) -> Option<&mut Channel> {
        self.0.iter_mut().find(|channel| channel.peer == peer)
    }
}

fn number_at(index: usize) -> Option<u16> {
    u16::try_from(index).ok()?.checked_add(*CHANNELS.start())
}
