//! The mappings of a NAT, and the ways to find them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::ops::Index;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::key::{EndpointKey, FlowKey, PackedEndpoint, PackedFlow};
use super::mapping::{Grant, Mapping};
use crate::base::SimTime;
use crate::plan::{MappingLifetimes, Protocol, ReplyMapping, TcpPhase};
use crate::wire::TcpFlags;

/// A mapping's place in the table; given to another mapping after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MappingId(u32);

/// What a mapping is looked up by when a new flow goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct RuleKey {
    internal: EndpointKey,
    for_remote: Option<SocketAddr>,
}

/// Which mappings a flow's packets use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FlowState {
    /// Through which its latest outbound packet left; that one's filter is open to the remote.
    pub(super) sent: Option<MappingId>,
    /// Through which the remote's latest packet was admitted.
    pub(super) admitted: Option<MappingId>,
}

impl FlowState {
    /// The mapping the next outbound packet uses; `None`: the mapping rule decides.
    pub(super) fn for_sending(self, rule: ReplyMapping) -> Option<MappingId> {
        match rule {
            ReplyMapping::Admitting => self.admitted.or(self.sent),
            ReplyMapping::ByDestination => self.sent,
        }
    }
}

/// All live mappings, at most `capacity`.
#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<Slot>,
    free: Vec<MappingId>,
    /// More than one mapping only where ports are overloaded.
    by_external: FxHashMap<PackedEndpoint, SmallVec<[MappingId; 2]>>,
    /// Oldest first; more than one only where a flow found its 5-tuple taken.
    by_rule: FxHashMap<RuleKey, SmallVec<[MappingId; 2]>>,
    flows: FxHashMap<PackedFlow, FlowState>,
    timers: BinaryHeap<Reverse<(SimTime, u64, MappingId)>>,
    created: u64,
    flow_capacity: usize,
}

#[derive(Debug)]
struct Slot {
    mapping: Mapping,
    /// The mapping's number in the order of creation.
    serial: u64,
    /// The one entry in `timers` that counts; never later than the mapping's end.
    timer: SimTime,
    live: bool,
}

impl Table {
    /// Flows a table tracks for each mapping it may hold. A full table behaves like a full connection tracker.
    const FLOWS_PER_MAPPING: usize = 16;

    pub(super) fn new(mappings: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_external: FxHashMap::default(),
            by_rule: FxHashMap::default(),
            flows: FxHashMap::default(),
            timers: BinaryHeap::new(),
            created: 0,
            flow_capacity: mappings.saturating_mul(Self::FLOWS_PER_MAPPING),
        }
    }

    /// How many mappings live.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// True if no further flow can be tracked.
    pub(super) fn flows_are_full(&self) -> bool {
        self.flows.len() >= self.flow_capacity
    }

    /// The mappings at an external endpoint, oldest first.
    #[inline]
    pub(super) fn at_external(&self, external: PackedEndpoint) -> &[MappingId] {
        self.by_external.get(&external).map_or(&[], |ids| ids)
    }

    /// The mappings of an internal endpoint that serve `for_remote`, oldest first.
    pub(super) fn by_rule(&self, internal: EndpointKey, for_remote: Option<SocketAddr>) -> &[MappingId] {
        self.by_rule.get(&RuleKey { internal, for_remote }).map_or(&[], |ids| ids)
    }

    #[inline]
    pub(super) fn flow(&self, flow: PackedFlow) -> FlowState {
        self.flows.get(&flow).copied().unwrap_or_default()
    }

    /// All live mappings in the order of their creation.
    pub(super) fn in_order(&self) -> Vec<&Mapping> {
        let mut live: Vec<_> = self.slots.iter().filter(|slot| slot.live).collect();
        live.sort_unstable_by_key(|slot| slot.serial);
        live.into_iter().map(|slot| &slot.mapping).collect()
    }

    pub(super) fn insert(&mut self, mapping: Mapping) -> MappingId {
        let (external, rule) = (mapping.external_key(), rule_key(&mapping));
        self.created += 1;
        let timer = mapping.life.expires;
        let slot = Slot { mapping, serial: self.created, timer, live: true };
        let id = match self.free.pop() {
            Some(id) => {
                self.slots[id.0 as usize] = slot;
                id
            }
            None => {
                self.slots.push(slot);
                MappingId((self.slots.len() - 1) as u32)
            }
        };
        self.by_external.entry(external.packed()).or_default().push(id);
        self.by_rule.entry(rule).or_default().push(id);
        self.timers.push(Reverse((timer, self.created, id)));
        id
    }

    /// Notes that the flow's packets now leave through this mapping; true if its filter was opened by that.
    pub(super) fn open(&mut self, id: MappingId, flow: FlowKey, entry: Option<SocketAddr>) -> bool {
        self.flows.entry(flow.packed()).or_default().sent = Some(id);
        let mapping = &mut self.slots[id.0 as usize].mapping;
        mapping.peers.insert(flow.remote);
        entry.is_some_and(|entry| mapping.filter.open(entry))
    }

    /// Notes that a packet of the flow was admitted through this mapping.
    pub(super) fn note_admission(&mut self, id: MappingId, flow: FlowKey) {
        if self.flows_are_full() && !self.flows.contains_key(&flow.packed()) {
            return;
        }
        self.flows.entry(flow.packed()).or_default().admitted = Some(id);
        self.slots[id.0 as usize].mapping.peers.insert(flow.remote);
    }

    /// An outbound packet passed through this mapping.
    #[inline]
    pub(super) fn refresh_by_sending(&mut self, id: MappingId, now: SimTime, lifetimes: &MappingLifetimes) {
        self.slots[id.0 as usize].mapping.note_sent(now, lifetimes);
        self.rearm(id);
    }

    /// An inbound packet was admitted through this mapping.
    #[inline]
    pub(super) fn refresh_by_admission(&mut self, id: MappingId, now: SimTime, lifetimes: &MappingLifetimes) {
        self.slots[id.0 as usize].mapping.note_admitted(now, lifetimes);
        self.rearm(id);
    }

    /// The mapping is its host's, for all remotes, until `expires`.
    pub(super) fn grant(&mut self, id: MappingId, grant: Grant, expires: SimTime) {
        let mapping = &mut self.slots[id.0 as usize].mapping;
        mapping.grant = Some(grant);
        mapping.life.expires = expires;
        self.rearm(id);
    }

    /// Its host wants the mapping no more: its life is over at `now`.
    pub(super) fn end(&mut self, id: MappingId, now: SimTime) {
        self.slots[id.0 as usize].mapping.life.expires = now;
        self.rearm(id);
    }

    /// The mapping that the host of this internal endpoint asked for.
    pub(super) fn granted(&self, internal: EndpointKey) -> Option<MappingId> {
        let mut for_all = self.by_rule(internal, None).iter().copied();
        for_all.find(|id| self[*id].grant.is_some())
    }

    /// All mappings that this host asked for, of one protocol.
    pub(super) fn granted_to(&self, host: IpAddr, protocol: Protocol) -> Vec<MappingId> {
        let ids = (0..self.slots.len() as u32).map(MappingId);
        ids.filter(|id| {
            let Slot { mapping, live, .. } = &self.slots[id.0 as usize];
            *live && mapping.grant.is_some() && (mapping.internal.ip(), mapping.protocol) == (host, protocol)
        })
        .collect()
    }

    /// A segment of the connection with `remote` passed through this mapping. The mapping's phase, if it is another one now.
    pub(super) fn note_segment(
        &mut self,
        id: MappingId,
        now: SimTime,
        remote: SocketAddr,
        outbound: bool,
        flags: TcpFlags,
        lifetimes: &MappingLifetimes,
    ) -> Option<TcpPhase> {
        let mapping = &mut self.slots[id.0 as usize].mapping;
        let before = mapping.phase();
        mapping.note_segment(now, remote, outbound, flags, &lifetimes.tcp);
        let phase = mapping.phase().filter(|phase| Some(*phase) != before);
        self.rearm(id);
        phase
    }

    /// A timer may be early, and is then set anew when it goes off, but never late.
    #[inline]
    fn rearm(&mut self, id: MappingId) {
        let slot = &mut self.slots[id.0 as usize];
        if slot.mapping.life.expires < slot.timer {
            slot.timer = slot.mapping.life.expires;
            self.timers.push(Reverse((slot.timer, slot.serial, id)));
        }
    }

    /// When the next mapping may expire.
    #[inline]
    pub(super) fn next_timer(&self) -> Option<SimTime> {
        self.timers.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes out one mapping whose life is over, the first to end first.
    pub(super) fn take_expired(&mut self, now: SimTime) -> Option<Mapping> {
        while let Some(&Reverse((at, serial, id))) = self.timers.peek() {
            if at > now {
                return None;
            }
            self.timers.pop();
            let slot = &mut self.slots[id.0 as usize];
            if !slot.live || slot.timer != at {
                continue;
            }
            if slot.mapping.life.expires <= at {
                return Some(self.remove(id));
            }
            slot.timer = slot.mapping.life.expires;
            self.timers.push(Reverse((slot.timer, serial, id)));
        }
        None
    }

    fn remove(&mut self, id: MappingId) -> Mapping {
        let slot = &mut self.slots[id.0 as usize];
        slot.live = false;
        let mapping = Mapping {
            filter: std::mem::take(&mut slot.mapping.filter),
            peers: std::mem::take(&mut slot.mapping.peers),
            sessions: slot.mapping.sessions.take(),
            ..slot.mapping
        };
        self.free.push(id);
        remove_id(&mut self.by_external, mapping.external_key().packed(), id);
        remove_id(&mut self.by_rule, rule_key(&mapping), id);
        for &remote in &mapping.peers {
            self.forget_flow(FlowKey { protocol: mapping.protocol, local: mapping.internal, remote }, id);
        }
        mapping
    }

    /// With its admitting mapping a flow loses everything, so that the mapping rule decides anew.
    fn forget_flow(&mut self, flow: FlowKey, id: MappingId) {
        let Some(state) = self.flows.get_mut(&flow.packed()) else { return };
        if state.sent == Some(id) {
            state.sent = None;
        }
        if state.admitted == Some(id) || *state == FlowState::default() {
            self.flows.remove(&flow.packed());
        }
    }
}

impl Index<MappingId> for Table {
    type Output = Mapping;

    #[inline]
    fn index(&self, id: MappingId) -> &Mapping {
        &self.slots[id.0 as usize].mapping
    }
}

fn rule_key(mapping: &Mapping) -> RuleKey {
    RuleKey { internal: mapping.internal_key(), for_remote: mapping.for_remote }
}

fn remove_id<K: Hash + Eq>(index: &mut FxHashMap<K, SmallVec<[MappingId; 2]>>, key: K, id: MappingId) {
    if let Some(ids) = index.get_mut(&key) {
        ids.retain(|other| *other != id);
        if ids.is_empty() {
            index.remove(&key);
        }
    }
}
