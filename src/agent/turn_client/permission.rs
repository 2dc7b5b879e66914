//! Permissions (RFC 8656 §9): which peers the server relays for, and data that waits for them.

use std::net::{IpAddr, SocketAddr};

use crate::base::{SimDuration, SimTime};

/// How often a permission is refreshed: a minute before its 300 s are over.
const REFRESH: SimDuration = SimDuration::from_secs(240);
/// How many datagrams wait for one permission: more than the checks an agent sends to one peer within a second.
const HELD: usize = 8;

/// The permissions of one allocation, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Permissions(Vec<Permission>);

#[derive(Debug)]
struct Permission {
    peer: IpAddr,
    grant: Grant,
    /// When it is refreshed; `None` while it is being asked for.
    refresh: Option<SimTime>,
    held: Vec<(SocketAddr, Vec<u8>)>,
}

/// Whether data may be sent to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grant {
    Pending,
    Standing,
    Denied,
}

impl Permissions {
    /// True the first time it is asked about `peer`: then its permission has to be requested.
    pub(super) fn wants(&mut self, peer: IpAddr) -> bool {
        let new = self.get(peer).is_none();
        if new {
            self.0.push(Permission { peer, grant: Grant::Pending, refresh: None, held: Vec::new() });
        }
        new
    }

    pub(super) fn grant(&self, peer: IpAddr) -> Grant {
        self.get(peer).map_or(Grant::Denied, |permission| permission.grant)
    }

    /// Keeps data until the permission stands; what is too much is lost, as on any network.
    pub(super) fn hold(&mut self, peer: SocketAddr, data: Vec<u8>) {
        if let Some(permission) = self.get_mut(peer.ip())
            && permission.held.len() < HELD
        {
            permission.held.push((peer, data));
        }
    }

    /// The permission stands: gives back what waited for it.
    pub(super) fn granted(&mut self, now: SimTime, peer: IpAddr) -> Vec<(SocketAddr, Vec<u8>)> {
        let Some(permission) = self.get_mut(peer) else { return Vec::new() };
        permission.grant = Grant::Standing;
        permission.refresh = Some(now + REFRESH);
        std::mem::take(&mut permission.held)
    }

    /// There is no permission: what waited for it is lost.
    pub(super) fn denied(&mut self, peer: IpAddr) {
        if let Some(permission) = self.get_mut(peer) {
            permission.grant = Grant::Denied;
            permission.held.clear();
        }
    }

    pub(super) fn due(&self) -> Option<SimTime> {
        self.0.iter().filter_map(|permission| permission.refresh).min()
    }

    /// The next peer whose permission has to be refreshed at `now`.
    pub(super) fn take_due(&mut self, now: SimTime) -> Option<IpAddr> {
        let due = self.0.iter_mut().find(|permission| permission.refresh.is_some_and(|due| due <= now))?;
        due.refresh = None;
        Some(due.peer)
    }

    fn get(&self, peer: IpAddr) -> Option<&Permission> {
        self.0.iter().find(|permission| permission.peer == peer)
    }

    fn get_mut(&mut self, peer: IpAddr) -> Option<&mut Permission> {
        self.0.iter_mut().find(|permission| permission.peer == peer)
    }
}
