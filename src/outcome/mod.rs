//! What a run means: the path, what it needed, and why.

pub(crate) mod addresses;
mod admission;
pub(crate) mod changes;
pub(crate) mod checks;
pub(crate) mod classify;
pub(crate) mod deaths;
pub(crate) mod expect;
mod hidden;
pub(crate) mod media;
pub(crate) mod moment;
pub(crate) mod needs;
pub(crate) mod passage;
pub(crate) mod why;

use std::collections::BTreeMap;

pub use media::{DelayOutcome, MediaOutcome, RelayOverhead};
use serde::Serialize;

use crate::engine::{DropCount, Run, RunError, RunOptions, run};
use crate::plan::{CandidateType, DropReason, Event, Family, IceState, Needs, Path, Plan, Transport};
use crate::trace::Place;

/// The outcome of one scenario: the contract's JSON object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// What happened while it ran, in order of time; absent where nothing did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventOutcome>,
    /// How many packets died where and why.
    pub drops: Vec<DropOutcome>,
    /// One per line of `expect:`, those of moments first.
    pub expectations: Vec<ExpectationOutcome>,
    /// What the scenario left open and how it was filled in.
    pub assumed: BTreeMap<String, String>,
}

/// The outcome of one call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// The state of the caller's agent at the end; `failed` if either side has no selected pair, unless the caller is
    /// restarting.
    pub state: IceState,
    /// From the call's start until both sides had a pair; of a failed call, if data went over it.
    pub connected_ms: Option<f64>,
    /// From the call's start until both sides had the pair they kept.
    pub settled_ms: Option<f64>,
    /// From the call's start until it was hung up; absent if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<f64>,
    /// In how many ICE restarts both sides agreed on new credentials; absent if in none.
    #[serde(skip_serializing_if = "is_zero")]
    pub ice_restarts: u32,
    /// The address family of the settled pair.
    pub family: Option<Family>,
    /// What the relayed end speaks to its TURN server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay_protocol: Option<Transport>,
    /// How many NATs rewrote the settled pair's packets on each peer's side.
    pub nat_hops: BTreeMap<String, u32>,
    /// Which stack ran on which peer.
    pub agents: BTreeMap<String, String>,
    /// The settled pair, in each agent's own words.
    pub selected: BTreeMap<String, SelectedOutcome>,
    /// Round trip of application data over the settled pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<f64>,
    /// What the relay cost; absent without media, or without a relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay_overhead: Option<RelayOverhead>,
    /// What became of its media, the caller's first; absent without media.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<MediaOutcome>,
    /// The longest time without a packet of any of its flows; absent without media.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_gap_ms: Option<f64>,
    /// One or a few sentences: the cause of the path.
    pub why: String,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A selected pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SelectedOutcome {
    /// The agent's own end.
    pub local: EndOutcome,
    /// Its peer's end.
    pub remote: EndOutcome,
}

/// One end of a selected pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EndOutcome {
    /// The candidate's type.
    #[serde(rename = "type")]
    pub kind: CandidateType,
    /// The transport protocol: `udp`.
    pub protocol: &'static str,
    /// The transport address.
    pub address: String,
    /// What the agent speaks to the TURN server of its own relayed end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay_protocol: Option<Transport>,
}

/// How many packets died at one place for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExpectationOutcome {
    /// Its key: `path`, `within` …
    pub expect: &'static str,
    /// What the file wants, as it writes it.
    pub wanted: String,
    /// What happened.
    pub got: String,
    /// True if it holds.
    pub ok: bool,
    /// The moment it is about; absent if that is the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<f64>,
    /// Its line in the file.
    pub line: u32,
}

/// Something that changed while the scenario ran.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventOutcome {
    /// When, in virtual time.
    pub at_ms: f64,
    /// Its key: `set-link`, `nat-reboot` …
    pub event: &'static str,
    /// The whole entry but its time, as the file writes it.
    pub text: String,
    /// Its line in the file.
    pub line: u32,
}

/// The version of the JSON format.
pub const VERSION: u32 = 1;

/// Runs a plan, finds out what its calls need, and judges the result.
pub fn simulate(plan: &Plan, options: &RunOptions) -> Result<(Run, Outcome), RunError> {
    let run = run(plan, options)?;
    let needs = needs::find(plan, &run, options)?;
    let outcome = judge(plan, &run, &needs);
    Ok((run, outcome))
}

/// What `run` means. `needs` has one entry per call; an empty slice leaves the question open.
pub fn judge(plan: &Plan, run: &Run, needs: &[Option<Needs>]) -> Outcome {
    let calls = (0..plan.calls.len()).filter_map(|call| {
        let mut outcome = classify::classify(plan, &run.sessions, call)?;
        media::add(&mut outcome, plan, &run.sessions, call, run.ended_at);
        outcome.needs = needs.get(call).copied().flatten();
        let why = why::explain(plan, run, call, outcome.path, outcome.needs);
        outcome.why = [changes::explain(plan, run, call), why].join(" ").trim().to_owned();
        Some(outcome)
    });
    let mut outcome = Outcome {
        version: VERSION,
        scenario: plan.name.clone(),
        file: None,
        seed: run.seed,
        ok: true,
        virtual_ms: run.ended_at.as_millis_f64(),
        calls: calls.collect(),
        events: events(plan, run),
        drops: drops_by_name(plan, &run.drops),
        expectations: Vec::new(),
        assumed: plan.assumptions.iter().map(|one| (one.key.clone(), one.value.clone())).collect(),
    };
    outcome.expectations = run.moments.iter().flat_map(|moment| moment::judge(plan, moment)).collect();
    let at_the_end = expect::judge(plan, &plan.expectations, &outcome.calls, &outcome.drops);
    outcome.expectations.extend(at_the_end);
    outcome.ok = outcome.expectations.iter().all(|expectation| expectation.ok);
    outcome
}

/// What changed before the run was over.
fn events(plan: &Plan, run: &Run) -> Vec<EventOutcome> {
    let happened = plan.events.iter().filter(|event| event.action.is_change() && event.at <= run.ended_at);
    let outcome = |event: &Event| EventOutcome {
        at_ms: event.at.as_millis_f64(),
        event: event.action.word(),
        text: event.text.clone(),
        line: event.line,
    };
    happened.map(outcome).collect()
}

fn drops_by_name(plan: &Plan, drops: &[DropCount]) -> Vec<DropOutcome> {
    let mut counts: BTreeMap<(&str, DropReason), u64> = BTreeMap::new();
    for drop in drops {
        let by = match drop.place {
            Place::Node(node) => plan.name_of(node),
            Place::Link(link) => plan.topology.link_name(link),
        };
        *counts.entry((by, drop.reason)).or_default() += drop.count;
    }
    let outcome = |((by, reason), count): ((&str, _), _)| DropOutcome { by: by.to_owned(), reason, count };
    counts.into_iter().map(outcome).collect()
}
