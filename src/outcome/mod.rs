//! What a run means: the path, what it needed, and why.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::{CandidateType, DropReason, Family, IceState, Needs, Path, RelayProtocol};

/// The outcome of one scenario: the contract's JSON object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The version of this format.
    pub version: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The file it came from, as the user wrote it; absent for plans made in code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The seed it ran with.
    pub seed: u64,
    /// True if every expectation held.
    pub ok: bool,
    /// Virtual time when the run ended.
    pub virtual_ms: f64,
    /// One per call.
    pub calls: Vec<CallOutcome>,
    /// How many packets died where and why.
    pub drops: Vec<DropOutcome>,
    /// One per line of `expect:`.
    pub expectations: Vec<ExpectationOutcome>,
    /// What the scenario left open and how it was filled in.
    pub assumed: BTreeMap<String, String>,
}

/// The outcome of one call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallOutcome {
    /// The caller.
    pub from: String,
    /// The callee.
    pub to: String,
    /// How the settled pair's packets travelled.
    pub path: Path,
    /// How the first pair's packets travelled, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_path: Option<Path>,
    /// The least that still connects; `null` if nothing does, or if it was not asked for.
    pub needs: Option<Needs>,
    /// The state of the caller's agent at the end; `failed` if either side has no selected pair.
    pub state: IceState,
    /// From the call's start until both sides had a pair.
    pub connected_ms: Option<f64>,
    /// From the call's start until both sides had the pair they kept.
    pub settled_ms: Option<f64>,
    /// The address family of the settled pair.
    pub family: Option<Family>,
    /// What the relayed end speaks to its TURN server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay_protocol: Option<RelayProtocol>,
    /// How many NATs rewrote the settled pair's packets on each peer's side.
    pub nat_hops: BTreeMap<String, u32>,
    /// Which stack ran on which peer.
    pub agents: BTreeMap<String, String>,
    /// The settled pair, in each agent's own words.
    pub selected: BTreeMap<String, SelectedOutcome>,
    /// Round trip of application data over the settled pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<f64>,
    /// One or a few sentences: the cause of the path.
    pub why: String,
}

/// A selected pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SelectedOutcome {
    /// The agent's own end.
    pub local: EndOutcome,
    /// Its peer's end.
    pub remote: EndOutcome,
}

/// One end of a selected pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndOutcome {
    /// The candidate's type.
    #[serde(rename = "type")]
    pub kind: CandidateType,
    /// The transport protocol: `udp`.
    pub protocol: &'static str,
    /// The transport address.
    pub address: String,
}

/// How many packets died at one place for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DropOutcome {
    /// The node, or the node on whose uplink it happened.
    pub by: String,
    /// Why.
    pub reason: DropReason,
    /// How many.
    pub count: u64,
}

/// One expectation and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectationOutcome {
    /// Its key: `path`, `within` …
    pub expect: &'static str,
    /// What the file wants, as it writes it.
    pub wanted: String,
    /// What happened.
    pub got: String,
    /// True if it holds.
    pub ok: bool,
    /// Its line in the file.
    pub line: u32,
}
