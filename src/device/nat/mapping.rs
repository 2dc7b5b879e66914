//! A mapping: the external endpoint of an internal endpoint, for some or all remotes, for some time (RFC 4787 §4).

use std::net::SocketAddr;

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::filtering::Filter;
use super::key::EndpointKey;
use crate::base::{PortId, SimDuration, SimTime};
use crate::device::tcp_flow::TcpSessions;
use crate::plan::{
    Accepts, MappingBehavior, MappingLifetimes, MappingRow, Protocol, RefreshDirection, TcpLifetimes,
    TcpPhase,
};
use crate::wire::TcpFlags;
use crate::wire::port_mapping::pcp::Nonce;

/// The remotes for which a mapping made for `remote` serves: `None` for all; port 0 for all ports of an address.
pub(super) fn scope(behavior: MappingBehavior, remote: SocketAddr) -> Option<SocketAddr> {
    match behavior {
        MappingBehavior::EndpointIndependent => None,
        MappingBehavior::AddressDependent => Some(SocketAddr::new(remote.ip(), 0)),
        MappingBehavior::AddressAndPortDependent => Some(remote),
    }
}

#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) protocol: Protocol,
    pub(super) internal: SocketAddr,
    pub(super) external: SocketAddr,
    /// The port towards the internal endpoint; `None`: no route leads there.
    pub(super) port: Option<PortId>,
    pub(super) for_remote: Option<SocketAddr>,
    pub(super) filter: Filter,
    /// The remotes whose flows pass through here, in either direction: with this external endpoint they make
    /// 5-tuples that no other mapping may use.
    pub(super) peers: IndexSet<SocketAddr, FxBuildHasher>,
    pub(super) life: Life,
    /// The connections through here; `None` where it is not TCP.
    pub(super) sessions: Option<Box<TcpSessions>>,
    /// What its host asked for it with; `None`: a packet made it.
    pub(super) grant: Option<Grant>,
}

/// That a host asked for a mapping. It then lives as long as promised, whatever passes through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    /// By which its host shows that it is the one that asked (RFC 6887 §11.1); NAT-PMP has none.
    pub(super) nonce: Option<Nonce>,
}

impl Mapping {
    /// A segment of the connection with `remote` passed. One that is tracked as no flow changes nothing.
    pub(super) fn note_segment(
        &mut self,
        now: SimTime,
        remote: SocketAddr,
        outbound: bool,
        flags: TcpFlags,
        lifetimes: &TcpLifetimes,
    ) {
        if self.peers.contains(&remote) && self.grant.is_none() {
            let sessions = self.sessions.get_or_insert_default();
            if let Some(latest) = sessions.note(now, remote, outbound, flags, lifetimes) {
                self.life.expires = latest;
            }
        }
    }

    /// An outbound packet passed.
    #[inline]
    pub(super) fn note_sent(&mut self, now: SimTime, lifetimes: &MappingLifetimes) {
        if self.grant.is_none() {
            self.life.note_sent(now, self.protocol, lifetimes);
        }
    }

    /// An inbound packet was admitted.
    #[inline]
    pub(super) fn note_admitted(&mut self, now: SimTime, lifetimes: &MappingLifetimes) {
        if self.grant.is_none() {
            self.life.note_admitted(now, self.protocol, lifetimes);
        }
    }

    /// How far the connection has come that keeps it alive the longest; `None` if it is not TCP's.
    pub(super) fn phase(&self) -> Option<TcpPhase> {
        let sessions = self.sessions.as_ref().map_or(TcpPhase::Opening, |sessions| sessions.phase());
        (self.protocol == Protocol::Tcp).then_some(sessions)
    }

    pub(super) fn internal_key(&self) -> EndpointKey {
        EndpointKey { protocol: self.protocol, address: self.internal }
    }

    pub(super) fn external_key(&self) -> EndpointKey {
        EndpointKey { protocol: self.protocol, address: self.external }
    }

    /// The mapping as tables show it.
    pub(super) fn row(&self, accepts: Option<Accepts>) -> MappingRow {
        MappingRow {
            protocol: self.protocol,
            phase: self.phase(),
            internal: self.internal,
            external: self.external,
            for_remote: self.for_remote,
            accepts,
            created: self.life.created,
            expires: self.life.expires,
            explicit: self.grant.is_some(),
        }
    }
}

/// How long a mapping lives (RFC 4787 §4.3). One for TCP lives as long as the last of its connections.
///
/// Filter entries live as long as their mapping: an inbound packet never prolongs one without the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life {
    pub(super) created: SimTime,
    /// From this moment on the mapping is gone.
    pub(super) expires: SimTime,
    refreshed: SimTime,
    /// True once an inbound packet was admitted.
    replied: bool,
}

impl Life {
    pub(super) fn new(now: SimTime, protocol: Protocol, lifetimes: &MappingLifetimes) -> Self {
        let mut life = Self { created: now, expires: now, refreshed: now, replied: false };
        life.refresh(now, protocol, lifetimes);
        life
    }

    fn note_sent(&mut self, now: SimTime, protocol: Protocol, lifetimes: &MappingLifetimes) {
        if lifetimes.refresh != RefreshDirection::Inbound {
            self.refresh(now, protocol, lifetimes);
        }
    }

    /// The first packet that is admitted makes the mapping a replied one; that alone refreshes nothing and never
    /// shortens a life.
    fn note_admitted(&mut self, now: SimTime, protocol: Protocol, lifetimes: &MappingLifetimes) {
        let first = !std::mem::replace(&mut self.replied, true);
        if lifetimes.refresh != RefreshDirection::Outbound {
            self.refresh(now, protocol, lifetimes);
        } else if first {
            self.expires = self.expires.max(self.refreshed + self.lifetime(protocol, lifetimes));
        }
    }

    fn refresh(&mut self, now: SimTime, protocol: Protocol, lifetimes: &MappingLifetimes) {
        self.refreshed = now;
        self.expires = now + self.lifetime(protocol, lifetimes);
    }

    fn lifetime(&self, protocol: Protocol, lifetimes: &MappingLifetimes) -> SimDuration {
        match (protocol, self.replied) {
            (Protocol::Tcp, _) => lifetimes.tcp.transitory,
            (_, true) => lifetimes.udp,
            (_, false) => lifetimes.udp_unreplied,
        }
    }
}
