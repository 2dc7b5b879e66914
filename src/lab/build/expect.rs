//! What should come of a scenario.

use super::list;
use super::map::{Map, quoted, settings};
use crate::base::SimDuration;
use crate::plan::{CandidateType, DropReason, Family, IceState, Needs, Path, Transport};

/// What should be true at the end. Expectations about a call hold for every call.
#[derive(Debug, Clone, Default)]
#[must_use = "give it to `Draft::expect`"]
pub struct Expect {
    pub(super) keys: Map,
    selected: Map,
    nat_hops: Map,
    pub(super) media_gap: Map,
    drops: Vec<Map>,
}

impl Expect {
    /// Nothing so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// How the settled pair's packets travel: one of these.
    pub fn path(mut self, paths: impl IntoIterator<Item = Path>) -> Self {
        self.keys.set("path", list(paths));
        self
    }

    /// How they must not: none of these.
    pub fn never(mut self, paths: impl IntoIterator<Item = Path>) -> Self {
        self.keys.set("never", list(paths));
        self
    }

    /// The type of the caller's own selected candidate, in its agent's words.
    pub fn selected_local(mut self, kind: CandidateType) -> Self {
        self.selected.set("local", kind);
        self.keys.set("selected", &self.selected);
        self
    }

    /// The type of the other end's selected candidate, in the words of the caller's agent.
    pub fn selected_remote(mut self, kind: CandidateType) -> Self {
        self.selected.set("remote", kind);
        self.keys.set("selected", &self.selected);
        self
    }

    /// How many NATs rewrite the settled pair's packets on this peer's side.
    pub fn nat_hops(mut self, peer: impl AsRef<str>, hops: u32) -> Self {
        self.nat_hops.set(&quoted(peer.as_ref()), hops);
        self.keys.set("nat-hops", &self.nat_hops);
        self
    }

    /// The longest time without a packet of any flow of a call with media is at least this.
    pub fn media_gap_min(mut self, min: SimDuration) -> Self {
        self.media_gap.set("min", min);
        self.keys.set("media-gap", &self.media_gap);
        self
    }

    /// The longest time without a packet of any flow of a call with media is at most this.
    pub fn media_gap_max(mut self, max: SimDuration) -> Self {
        self.media_gap.set("max", max);
        self.keys.set("media-gap", &self.media_gap);
        self
    }

    /// Packets that have to die at one place; given again, at one more.
    pub fn drops(mut self, drops: Drops) -> Self {
        self.drops.push(drops.keys);
        self.keys.set("drops", list(&self.drops));
        self
    }
}

settings! { Expect {
    /// The least that still connects, found by running again without TURN, then without STUN.
    needs = "needs": Needs,
    /// Both ends have a pair no later than this after the call began.
    within = "within": SimDuration,
    /// The address family of the settled pair.
    family = "family": Family,
    /// What the relayed end speaks to its TURN server.
    relay_protocol = "relay-protocol": Transport,
    /// In how many ICE restarts both sides agreed on new credentials.
    ice_restarts = "ice-restarts": u32,
    /// The state of the caller's agent.
    ice_state = "ice-state": IceState,
} }

/// Packets that have to die.
#[derive(Debug, Clone)]
#[must_use = "give it to `Expect::drops`"]
pub struct Drops {
    pub(super) keys: Map,
}

impl Drops {
    /// At least one, at this node or on its uplink.
    pub fn by(node: impl AsRef<str>) -> Self {
        Self { keys: Map::of("by", quoted(node.as_ref())) }
    }
}

settings! { Drops {
    /// Why.
    reason = "reason": DropReason,
    /// At least this many.
    min = "min": u64,
    /// At most this many.
    max = "max": u64,
} }
