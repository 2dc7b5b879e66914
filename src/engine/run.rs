//! The result of running a plan.

use std::net::SocketAddr;

use super::media::FlowRun;
use crate::base::{NodeId, SessionId, SimTime};
use crate::plan::{DropReason, IceState, MappingRow};
use crate::trace::{Place, Trace};
use crate::wire::{Candidate, SelectedPair, Trail};

/// Everything that is known after a run.
#[derive(Debug, Clone)]
pub struct Run {
    /// The seed it ran with.
    pub seed: u64,
    /// When it ended.
    pub ended_at: SimTime,
    /// One entry per [`SessionId`]: caller and callee of each call in turn.
    pub sessions: Vec<SessionRun>,
    /// One entry per endpoint, in the order in which they were given.
    pub endpoints: Vec<EndpointRun>,
    /// What was seen at each `expect` among the plan's events, in their order.
    pub moments: Vec<Moment>,
    /// How many packets died where and why, ordered by place and reason.
    pub drops: Vec<DropCount>,
    /// The live mappings of every NAT at the end.
    pub nat_tables: Vec<(NodeId, Vec<MappingRow>)>,
    /// How many packets came to be.
    pub packets: u64,
    /// How many events the engine handled.
    pub events: u64,
    /// What happened, if it was recorded.
    pub trace: Option<Trace>,
}

/// What was known at a moment at which the plan expects something.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The number of the plan's event.
    pub event: usize,
    /// When.
    pub at: SimTime,
    /// The sessions as they were then.
    pub sessions: Vec<SessionRun>,
    /// How many packets had died where and why by then.
    pub drops: Vec<DropCount>,
}

/// One side of a call.
#[derive(Debug, Clone)]
pub struct SessionRun {
    /// The host; of one with several interfaces the first.
    pub node: NodeId,
    /// Every socket it had, in order of preference; those of ICE restarts follow.
    pub sockets: Vec<SocketAddr>,
    /// The nodes these sockets are on, in the same order: interfaces of the host, if it has several.
    pub places: Vec<NodeId>,
    /// How many of these are of before its last ICE restart.
    pub retired: usize,
    /// The name of the stack that ran.
    pub stack: &'static str,
    /// The other side.
    pub counterpart: SessionId,
    /// When it started to gather; `None`: it never heard of the call.
    pub started_at: Option<SimTime>,
    /// Its own candidates.
    pub local_candidates: Vec<Candidate>,
    /// The peer's candidates that arrived by signalling.
    pub remote_candidates: Vec<Candidate>,
    /// The agent's last state.
    pub state: IceState,
    /// When its offers of ICE restarts were answered.
    pub restarts: Vec<SimTime>,
    /// When it hung up, or heard that its peer had; `None`: the call went on.
    pub ended_at: Option<SimTime>,
    /// When it first reached a connected state.
    pub connected_at: Option<SimTime>,
    /// Every pair it selected, and when.
    pub selections: Vec<(SimTime, SelectedPair)>,
    /// What the lab's data over the first and over the settled pair went through, seen by this side as receiver.
    pub first_observed: Option<Observed>,
    /// The same for the last data that arrived.
    pub observed: Option<Observed>,
    /// What it sent and received of each of the call's flows.
    pub media: Vec<FlowRun>,
    /// Trouble the agent met and could live with.
    pub troubles: Vec<String>,
}

impl SessionRun {
    /// True if `address` on `node` is one of its sockets. Two homes may use the same private addresses.
    pub fn holds(&self, node: NodeId, address: SocketAddr) -> bool {
        self.place_of(address) == Some(node)
    }

    /// True if `node` is the host, or an interface of it that it has used.
    pub fn is_at(&self, node: NodeId) -> bool {
        self.node == node || self.places.contains(&node)
    }

    /// Its sockets since its last ICE restart.
    pub fn present_sockets(&self) -> &[SocketAddr] {
        self.sockets.get(self.retired..).unwrap_or_default()
    }

    /// The node it is connected by: that of the pair it selected last, or else of the preferred socket; of a host without
    /// interfaces always the host.
    pub fn place(&self) -> NodeId {
        let used = self.selections.last().and_then(|(_, pair)| self.place_of(pair.local.address));
        used.or(self.places.get(self.retired).copied()).unwrap_or(self.node)
    }

    /// The node that one of its sockets is on; `None`: it is none of them.
    pub fn place_of(&self, address: SocketAddr) -> Option<NodeId> {
        let index = self.sockets.iter().position(|socket| *socket == address)?;
        self.places.get(index).copied()
    }
}

/// A peer's own program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRun {
    /// The host.
    pub node: NodeId,
    /// Every socket it opened, in order.
    pub sockets: Vec<SocketAddr>,
    /// When it was done for the first time; `None`: never.
    pub done_at: Option<SimTime>,
}

/// What happened on the way to application data that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// When it arrived.
    pub at: SimTime,
    /// What was done to it.
    pub trail: Trail,
    /// The round trip it completes, in nanoseconds, if it is an echo.
    pub rtt_ns: Option<u64>,
}

/// How many packets died at one place for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropCount {
    /// Where.
    pub place: Place,
    /// Why.
    pub reason: DropReason,
    /// How many.
    pub count: u64,
}
