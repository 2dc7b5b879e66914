//! What changes, or is looked at, while a scenario runs.

use std::net::IpAddr;

use super::behavior::NatBehavior;
use super::element::{Firewall, Link};
use super::expectation::Expectation;
use crate::base::{LinkId, NodeId, SimDuration, SimTime};

/// How long a run without `duration` goes on after the last change, so that what it brings about is seen: agents notice
/// a pair that has died within 30 seconds (RFC 7675).
pub const AFTERMATH: SimDuration = SimDuration::from_secs(60);

/// One entry of `events:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happens: after the packets that arrive at that moment, before anything that peers do at it.
    pub at: SimTime,
    /// What happens.
    pub action: Action,
    /// The same as the file writes it: `set-link: { home: { loss: 20% } }`.
    pub text: String,
    /// Its line in the scenario file, counted from 1; 0 if it came from `--set`.
    pub line: u32,
}

/// What an [`Event`] does. New values are complete: what an entry leaves open has the value it had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Links are like this from now on. Packets on their way arrive as they would have.
    SetLink(Vec<(LinkId, Link)>),
    /// NATs translate like this from now on. Mappings they have stay.
    SetNat(Vec<(NodeId, NatBehavior)>),
    /// Firewalls have these rules from now on. They remember the flows they knew.
    SetFirewall(Vec<(NodeId, Firewall)>),
    /// A NAT forgets everything. It takes no time.
    NatReboot(NodeId),
    /// NATs have these outside addresses from now on, and forget everything.
    Renumber(Vec<(NodeId, Vec<IpAddr>)>),
    /// A server stops answering and forgets everything.
    ServerDown(NodeId),
    /// A server that was down answers again.
    ServerUp(NodeId),
    /// A server forgets everything and goes on. It takes no time.
    ServerRestart(NodeId),
    /// No packet passes the internet any more between what hangs on it at these pairs of nodes.
    Partition(Vec<(NodeId, NodeId)>),
    /// Packets pass again between these pairs of nodes.
    Heal(Vec<(NodeId, NodeId)>),
    /// An interface of a peer is gone: nothing leaves or comes in by it, its sockets are closed, and agents are told.
    InterfaceDown(NodeId),
    /// An interface of a peer can be used again, by agents that restart.
    InterfaceUp(NodeId),
    /// These sides of calls restart ICE.
    IceRestart(Vec<CallSide>),
    /// These sides of calls hang up.
    HangUp(Vec<CallSide>),
    /// These should be true at this moment.
    Expect(Vec<Expectation>),
}

/// One side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallSide {
    /// The call's number among the plan's calls.
    pub call: usize,
    /// True: the side that made the call.
    pub caller: bool,
}

impl Action {
    /// Its key in the file.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SetLink(_) => "set-link",
            Self::SetNat(_) => "set-nat",
            Self::SetFirewall(_) => "set-firewall",
            Self::NatReboot(_) => "nat-reboot",
            Self::Renumber(_) => "renumber",
            Self::ServerDown(_) => "server-down",
            Self::ServerUp(_) => "server-up",
            Self::ServerRestart(_) => "server-restart",
            Self::Partition(_) => "partition",
            Self::Heal(_) => "heal",
            Self::InterfaceDown(_) => "interface-down",
            Self::InterfaceUp(_) => "interface-up",
            Self::IceRestart(_) => "ice-restart",
            Self::HangUp(_) => "hang-up",
            Self::Expect(_) => "expect",
        }
    }

    /// True if it changes something, and does not only look.
    pub const fn is_change(&self) -> bool {
        !matches!(self, Self::Expect(_))
    }
}
