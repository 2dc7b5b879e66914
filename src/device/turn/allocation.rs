//! Allocations with their permissions and channels, and the table of them.

use std::net::{IpAddr, SocketAddr};

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::ClientId;
use super::auth::UserIndex;
use crate::base::{PortRange, Random, SimDuration, SimTime};
use crate::device::Outbox;
use crate::plan::StateChange;
use crate::wire::stun::TransactionId;

/// An allocation (RFC 8656 §6). Whatever lives until a moment is gone at that moment.
#[derive(Debug)]
pub(super) struct Allocation {
    /// Who it belongs to.
    pub(super) user: UserIndex,
    /// Its relayed transport address.
    pub(super) relayed: SocketAddr,
    /// The Allocate request that made it.
    pub(super) made_by: TransactionId,
    /// The lifetime that request was granted.
    pub(super) first_lifetime: SimDuration,
    /// When it goes.
    pub(super) expires: SimTime,
    permissions: FxHashMap<IpAddr, SimTime>,
    channels: Vec<ChannelBinding>,
}

#[derive(Debug)]
struct ChannelBinding {
    number: u16,
    peer: SocketAddr,
    expires: SimTime,
}

impl Allocation {
    /// Without permissions or channels.
    pub(super) fn new(
        user: UserIndex,
        relayed: SocketAddr,
        made_by: TransactionId,
        now: SimTime,
        lifetime: SimDuration,
    ) -> Self {
        Self {
            user,
            relayed,
            made_by,
            first_lifetime: lifetime,
            expires: now + lifetime,
            permissions: FxHashMap::default(),
            channels: Vec::new(),
        }
    }

    /// True if packets from and to this address are relayed. Ports do not matter (RFC 8656 §9).
    pub(super) fn permits(&self, now: SimTime, peer: IpAddr) -> bool {
        self.permissions.get(&peer).is_some_and(|expires| now < *expires)
    }

    /// Installs or refreshes a permission.
    pub(super) fn permit(&mut self, now: SimTime, peer: IpAddr, lifetime: SimDuration) {
        self.permissions.retain(|_, expires| now < *expires);
        self.permissions.insert(peer, now + lifetime);
    }

    /// The peer this channel is bound to.
    pub(super) fn peer_of(&self, now: SimTime, channel: u16) -> Option<SocketAddr> {
        let binding = self.channels.iter().find(|binding| binding.number == channel)?;
        (now < binding.expires).then_some(binding.peer)
    }

    /// The channel bound to this peer.
    pub(super) fn channel_of(&self, now: SimTime, peer: SocketAddr) -> Option<u16> {
        let binding = self.channels.iter().find(|binding| binding.peer == peer)?;
        (now < binding.expires).then_some(binding.number)
    }

    /// Binds or refreshes a channel. False if the number is bound to another peer, or the peer to another number,
    /// or was until less than `cooldown` ago (RFC 8656 §12).
    pub(super) fn bind(
        &mut self,
        now: SimTime,
        number: u16,
        peer: SocketAddr,
        lifetime: SimDuration,
        cooldown: SimDuration,
    ) -> bool {
        self.channels.retain(|binding| now < binding.expires + cooldown);
        if self.channels.iter().any(|binding| (binding.number == number) != (binding.peer == peer)) {
            return false;
        }
        let expires = now + lifetime;
        match self.channels.iter_mut().find(|binding| binding.number == number) {
            Some(binding) => binding.expires = expires,
            None => self.channels.push(ChannelBinding { number, peer, expires }),
        }
        true
    }
}

/// All allocations, by client and by relayed transport address.
#[derive(Debug)]
pub(super) struct Allocations {
    by_client: IndexMap<ClientId, Allocation, FxBuildHasher>,
    clients: FxHashMap<SocketAddr, ClientId>,
    first_expiry: Option<SimTime>,
    ports: PortRange,
    listening: Vec<u16>,
    random: Random,
}

impl Allocations {
    /// None yet. Relayed ports are drawn from `ports` without those in `listening`.
    pub(super) fn new(ports: PortRange, listening: Vec<u16>, random: Random) -> Self {
        Self {
            by_client: IndexMap::default(),
            clients: FxHashMap::default(),
            first_expiry: None,
            ports,
            listening,
            random,
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.by_client.len()
    }

    /// How many this user holds.
    pub(super) fn count_of(&self, user: UserIndex) -> usize {
        self.by_client.values().filter(|allocation| allocation.user == user).count()
    }

    /// When the first of them goes.
    pub(super) const fn first_expiry(&self) -> Option<SimTime> {
        self.first_expiry
    }

    /// The allocation of a client.
    pub(super) fn of_client(&self, client: &ClientId) -> Option<&Allocation> {
        self.by_client.get(client)
    }

    /// The same, to change it. Its expiry is changed by [`Allocations::refresh`] alone.
    pub(super) fn of_client_mut(&mut self, client: &ClientId) -> Option<&mut Allocation> {
        self.by_client.get_mut(client)
    }

    /// The allocation with this relayed transport address, and its client.
    pub(super) fn of_relayed(&self, relayed: SocketAddr) -> Option<(ClientId, &Allocation)> {
        let client = self.clients.get(&relayed)?;
        Some((*client, self.by_client.get(client)?))
    }

    /// A random free port of this address, `even` if so wished; `None` if all are taken.
    pub(super) fn free_port(&mut self, address: IpAddr, even: bool) -> Option<u16> {
        let count = self.ports.count();
        let start = self.random.below(u64::from(count)) as u32;
        (0..count)
            .map(|step| self.ports.first() + ((start + step) % count) as u16)
            .filter(|port| !even || port.is_multiple_of(2))
            .find(|port| self.is_free(SocketAddr::new(address, *port)))
    }

    fn is_free(&self, relayed: SocketAddr) -> bool {
        !self.listening.contains(&relayed.port()) && !self.clients.contains_key(&relayed)
    }

    /// Adds an allocation. Its client has none, and its relayed port is free.
    pub(super) fn insert(&mut self, client: ClientId, allocation: Allocation) {
        self.clients.insert(allocation.relayed, client);
        self.by_client.insert(client, allocation);
        self.find_first_expiry();
    }

    /// Lets an allocation live until `expires`.
    pub(super) fn refresh(&mut self, client: &ClientId, expires: SimTime) {
        if let Some(allocation) = self.by_client.get_mut(client) {
            allocation.expires = expires;
        }
        self.find_first_expiry();
    }

    /// Removes an allocation.
    pub(super) fn remove(&mut self, client: &ClientId, out: &mut Outbox) {
        if let Some(allocation) = self.by_client.shift_remove(client) {
            self.clients.remove(&allocation.relayed);
            out.note(|| StateChange::AllocationGone { relayed: allocation.relayed });
        }
        self.find_first_expiry();
    }

    /// Removes those whose time has come.
    pub(super) fn expire(&mut self, now: SimTime, out: &mut Outbox) {
        if self.first_expiry.is_none_or(|first| now < first) {
            return;
        }
        let clients = &mut self.clients;
        self.by_client.retain(|_, allocation| {
            let lives = now < allocation.expires;
            if !lives {
                clients.remove(&allocation.relayed);
                out.note(|| StateChange::AllocationGone { relayed: allocation.relayed });
            }
            lives
        });
        self.find_first_expiry();
    }

    fn find_first_expiry(&mut self) {
        self.first_expiry = self.by_client.values().map(|allocation| allocation.expires).min();
    }
}
