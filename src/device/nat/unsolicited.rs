//! What a NAT remembers of packets nobody asked for, and of mappings that are gone.

use std::collections::VecDeque;
use std::net::SocketAddr;

use rustc_hash::FxHashMap;

use super::key::{EndpointKey, PackedFlow};
use crate::base::SimTime;
use crate::plan::{DropReason, Protocol, Rule};

/// Flows the box has taken for itself ([`Unsolicited::Accept`](crate::plan::Unsolicited::Accept)): external endpoint
/// and remote. While one lives, no mapping may use that 5-tuple.
#[derive(Debug)]
pub(super) struct OwnFlows {
    expires: FxHashMap<PackedFlow, SimTime>,
    capacity: usize,
}

impl OwnFlows {
    pub(super) fn new(capacity: usize) -> Self {
        Self { expires: FxHashMap::default(), capacity }
    }

    #[inline]
    pub(super) fn hold(
        &self,
        now: SimTime,
        protocol: Protocol,
        external: &SocketAddr,
        remote: &SocketAddr,
    ) -> bool {
        !self.expires.is_empty()
            && self
                .expires
                .get(&PackedFlow::new(protocol, external, remote))
                .is_some_and(|expires| *expires > now)
    }

    /// Takes or refreshes a flow. A full tracker takes no more.
    pub(super) fn take(&mut self, now: SimTime, flow: PackedFlow, expires: SimTime) {
        if self.expires.len() >= self.capacity {
            self.expires.retain(|_, expires| *expires > now);
        }
        if self.expires.len() < self.capacity || self.expires.contains_key(&flow) {
            self.expires.insert(flow, expires);
        }
    }
}

/// External endpoints whose mappings have expired: the latest ones, so that a late packet can be told apart
/// from one that never had a mapping.
#[derive(Debug)]
pub(super) struct Graveyard {
    expired_at: FxHashMap<EndpointKey, SimTime>,
    order: VecDeque<(EndpointKey, SimTime)>,
    capacity: usize,
}

impl Graveyard {
    pub(super) fn new(capacity: usize) -> Self {
        Self { expired_at: FxHashMap::default(), order: VecDeque::new(), capacity }
    }

    /// The last mapping at `external` is gone.
    pub(super) fn bury(&mut self, external: EndpointKey, at: SimTime) {
        if self.order.len() >= self.capacity
            && let Some((oldest, expired_at)) = self.order.pop_front()
            && self.expired_at.get(&oldest) == Some(&expired_at)
        {
            self.expired_at.remove(&oldest);
        }
        self.order.push_back((external, at));
        self.expired_at.insert(external, at);
    }

    /// Why a packet to `external`, where nothing is mapped, dies.
    pub(super) fn explain(&self, now: SimTime, external: EndpointKey) -> (DropReason, Rule) {
        match self.expired_at.get(&external) {
            Some(at) => {
                let rule = Rule::Expired { external: external.address, ago: now.since(*at) };
                (DropReason::NatExpired, rule)
            }
            None => (DropReason::NatNoMapping, Rule::NoMapping { external: external.address }),
        }
    }
}
