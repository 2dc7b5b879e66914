//! What a scenario expects of its outcome.

use super::drop::DropReason;
use super::element::Transport;
use super::verdict::{CandidateType, Family, IceState, Needs, Path};
use crate::base::{NodeId, SimDuration};

/// One line of `expect:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// What should be true. Expectations about a call hold for every call of the scenario.
    pub fact: ExpectedFact,
    /// Its line in the scenario file, counted from 1; 0 if it came from `--set`.
    pub line: u32,
}

/// A fact about the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedFact {
    /// The path is one of these.
    Path(Vec<Path>),
    /// The path is none of these.
    Never(Vec<Path>),
    /// The least that still connects.
    Needs(Needs),
    /// Both ends have a selected pair no later than this after the call began.
    Within(SimDuration),
    /// The caller's own words for its selected pair.
    Selected(Selection),
    /// The address family of the settled pair.
    Family(Family),
    /// What the relayed end speaks to its TURN server.
    RelayProtocol(Transport),
    /// How many NATs translate between each peer and its counterpart.
    NatHops(Vec<(NodeId, u32)>),
    /// The state of the caller's agent.
    IceState(IceState),
    /// Packets that had to die.
    Drops(DropExpectation),
    /// In how many ICE restarts both sides agreed on new credentials.
    IceRestarts(u32),
    /// How long nothing of a flow arrived, of all flows and both directions of a call with media.
    MediaGap {
        /// At least this long.
        min: Option<SimDuration>,
        /// At most this long.
        max: Option<SimDuration>,
    },
}

/// An expected selected pair. What is `None` may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// The local candidate's type.
    pub local: Option<CandidateType>,
    /// The remote candidate's type.
    pub remote: Option<CandidateType>,
}

/// One entry of `expect.drops`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropExpectation {
    /// The node, or the node whose uplink, dropped them.
    pub by: NodeId,
    /// Why; `None`: for any reason.
    pub reason: Option<DropReason>,
    /// At least this many.
    pub min: u64,
    /// At most this many.
    pub max: Option<u64>,
}

impl ExpectedFact {
    /// The key under `expect:`.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Path(_) => "path",
            Self::Never(_) => "never",
            Self::Needs(_) => "needs",
            Self::Within(_) => "within",
            Self::Selected(_) => "selected",
            Self::Family(_) => "family",
            Self::RelayProtocol(_) => "relay-protocol",
            Self::NatHops(_) => "nat-hops",
            Self::IceState(_) => "ice-state",
            Self::Drops(_) => "drops",
            Self::IceRestarts(_) => "ice-restarts",
            Self::MediaGap { .. } => "media-gap",
        }
    }
}
