//! What a NAT remembers of packets nobody asked for, and of mappings that are gone.

use std::collections::VecDeque;
use std::net::SocketAddr;

use rustc_hash::FxHashMap;

use super::key::{EndpointKey, PackedFlow};
use crate::base::{PacketId, PortId, SimDuration, SimTime};
use crate::plan::{DropReason, Protocol, Rule};
use crate::wire::Packet;

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

/// SYNs that nobody asked for and that are not answered yet, since the inside may be about to open the same connection
/// (RFC 5382 REQ-4).
#[derive(Debug)]
pub(super) struct HeldSyns {
    held: FxHashMap<PackedFlow, HeldSyn>,
    /// By the time when each is answered. One that was forgotten stays here until then.
    order: VecDeque<(SimTime, PackedFlow)>,
    capacity: usize,
}

/// A SYN that was dropped and is not answered yet.
#[derive(Debug)]
pub(super) struct HeldSyn {
    until: SimTime,
    /// Where it came from.
    pub(super) port: PortId,
    pub(super) answer: Packet,
    pub(super) cause: PacketId,
}

impl HeldSyns {
    /// How long a NAT has to wait.
    const PATIENCE: SimDuration = SimDuration::from_secs(6);

    pub(super) fn new(capacity: usize) -> Self {
        Self { held: FxHashMap::default(), order: VecDeque::new(), capacity }
    }

    /// Keeps the `answer` to the SYN of this flow, its external endpoint and remote. One that repeats a SYN that is held
    /// gets no answer of its own, nor does one too many.
    pub(super) fn hold(
        &mut self,
        now: SimTime,
        flow: PackedFlow,
        port: PortId,
        answer: Packet,
        cause: PacketId,
    ) {
        if self.held.contains_key(&flow) || self.order.len() >= self.capacity {
            return;
        }
        let until = now + Self::PATIENCE;
        self.held.insert(flow, HeldSyn { until, port, answer, cause });
        self.order.push_back((until, flow));
    }

    /// A SYN of this flow has left: the connection is wanted.
    pub(super) fn forget(&mut self, flow: PackedFlow) {
        self.held.remove(&flow);
    }

    /// When the next one may have to be answered.
    #[inline]
    pub(super) fn next_timer(&self) -> Option<SimTime> {
        self.order.front().map(|(until, _)| *until)
    }

    /// Takes out one whose time is up.
    pub(super) fn take_due(&mut self, now: SimTime) -> Option<HeldSyn> {
        while let Some((until, flow)) = self.order.pop_front_if(|(until, _)| *until <= now) {
            if self.held.get(&flow).is_some_and(|held| held.until == until) {
                return self.held.remove(&flow);
            }
        }
        None
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
