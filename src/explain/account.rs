//! What the trace shows of each candidate pair: which check, which packet, which node, which rule, and what would have
//! been let in.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use crate::base::{PacketId, SessionId, SimTime};
use crate::engine::{Run, SessionRun};
use crate::outcome::checks::{Check, CheckEnd, Checks, Death, Pair};
use crate::outcome::{CallOutcome, Outcome};
use crate::plan::{Accepts, CandidateType, DropReason, PairState, Path, Plan, Rule};
use crate::trace::Place;
use crate::wire::{PairEnd, SelectedPair};

/// What happened in a call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CallAccount {
    /// The caller.
    pub from: String,
    /// The callee.
    pub to: String,
    /// How the settled pair's packets travelled.
    pub path: Path,
    /// From the call's start until both sides had the pair they kept.
    pub settled_ms: Option<f64>,
    /// The cause of the path.
    pub why: String,
    /// The caller's attempts, then the callee's.
    pub sides: Vec<SideAccount>,
}

/// What one side tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SideAccount {
    /// The peer.
    pub peer: String,
    /// Its candidate pairs.
    pub pairs: Vec<PairAccount>,
}

/// A candidate pair and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PairAccount {
    /// The side's own end.
    pub local: EndAccount,
    /// The peer's end.
    pub remote: EndAccount,
    /// Its last state, as the wire shows it.
    pub state: PairState,
    /// True if it is the pair the side selected.
    pub selected: bool,
    /// How many checks were sent.
    pub checks: usize,
    /// The check that tells most.
    pub telling: Option<CheckAccount>,
}

/// One end of a pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EndAccount {
    /// The candidate's type.
    #[serde(rename = "type")]
    pub kind: CandidateType,
    /// The transport address.
    pub address: String,
}

impl fmt::Display for EndAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.address)
    }
}

/// A check, and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckAccount {
    /// When it was sent.
    pub sent_ms: f64,
    /// The packet's number, as in JSON Lines.
    pub packet: usize,
    /// How it ended.
    pub end: EndWord,
    /// When it ended.
    pub end_ms: Option<f64>,
    /// Where and by which rule it, or its answer, died.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub death: Option<DeathAccount>,
}

/// How a check ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EndWord {
    /// It was answered.
    Answered,
    /// The answer came from another address.
    AnsweredFromElsewhere,
    /// The peer refused it.
    Refused,
    /// It died.
    Died,
    /// Its answer died.
    AnswerDied,
    /// It arrived, and nobody answered.
    Unanswered,
    /// It was still under way.
    Underway,
}

/// A death with everything that decided it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeathAccount {
    /// The node, or the node on whose uplink it happened.
    pub by: String,
    /// True if it happened on that uplink.
    pub on_link: bool,
    /// The packet that died: the check, its answer, or what a relay made of either.
    pub packet: usize,
    /// Where it came from, as the node saw it.
    pub source: String,
    /// Where it was going.
    pub destination: String,
    /// The contract's word for it.
    pub reason: DropReason,
    /// The rule that decided, with the values it looked at; empty if the reason says it all.
    pub rule: String,
    /// The section that describes the rule.
    pub rfc: Option<&'static str>,
    /// What would have been let in, in words; empty if nothing would.
    pub accepted: String,
    /// The NAT that gave the packet another source than its peer knew, with its mapping rule; empty if none did.
    pub moved_by: String,
}

/// The account of every call.
pub fn calls(plan: &Plan, run: &Run, outcome: &Outcome) -> Vec<CallAccount> {
    let checks = Checks::read(plan, run);
    let account = |(number, call)| account(plan, run, checks.as_ref(), number, call);
    outcome.calls.iter().enumerate().map(account).collect()
}

fn account(
    plan: &Plan,
    run: &Run,
    checks: Option<&Checks<'_>>,
    number: usize,
    call: &CallOutcome,
) -> CallAccount {
    let sides = [2 * number, 2 * number + 1].map(|session| SessionId::new(session as u32));
    CallAccount {
        from: call.from.clone(),
        to: call.to.clone(),
        path: call.path,
        settled_ms: call.settled_ms,
        why: call.why.clone(),
        sides: sides.into_iter().filter_map(|session| side(plan, run, checks?, session)).collect(),
    }
}

fn side(plan: &Plan, run: &Run, checks: &Checks<'_>, session: SessionId) -> Option<SideAccount> {
    let side = run.sessions.get(session.index())?;
    let pairs = checks.pairs(session);
    Some(SideAccount {
        peer: plan.host_of(side.node).to_owned(),
        pairs: pairs.iter().map(|one| pair(plan, side, one)).collect(),
    })
}

/// The account of one candidate pair of a side.
pub fn pair(plan: &Plan, side: &SessionRun, pair: &Pair<'_>) -> PairAccount {
    let state = pair.states().last().map_or(PairState::Waiting, |(_, state)| *state);
    let end = |kind, address: SocketAddr| EndAccount { kind, address: address.to_string() };
    PairAccount {
        local: end(pair.local.kind(), pair.local.address()),
        remote: end(pair.remote_kind, pair.remote),
        state,
        selected: side.selections.last().is_some_and(|(_, selected)| names_pair(side, selected, pair)),
        checks: pair.checks.len(),
        telling: most_telling(pair).map(|check| check_account(plan, side, check)),
    }
}

/// True if the agent of `side` means this pair by what it selected. Agents name the base or the mapped address of their
/// own end; a mapped address nobody gathered may belong to any base.
pub fn names_pair(side: &SessionRun, selected: &SelectedPair, pair: &Pair<'_>) -> bool {
    let relayed = selected.local.kind == CandidateType::Relayed;
    selected.remote.address == pair.remote
        && relayed == (pair.local.kind() == CandidateType::Relayed)
        && base_of(side, selected.local).is_none_or(|base| base == pair.local.address())
}

fn base_of(side: &SessionRun, end: PairEnd) -> Option<SocketAddr> {
    match end.kind {
        CandidateType::Host | CandidateType::Relayed => Some(end.address),
        CandidateType::ServerReflexive | CandidateType::PeerReflexive => {
            let mut mapped = side.local_candidates.iter().filter(|candidate| candidate.kind == end.kind);
            mapped.find(|candidate| candidate.address == end.address)?.related
        }
    }
}

/// The first check that was answered; else the last one that died of a rule, because by then filters know all they will
/// ever know; else the last.
fn most_telling<'p, 'a>(pair: &'p Pair<'a>) -> Option<&'p Check<'a>> {
    let answered = |check: &&Check<'_>| matches!(check.end, CheckEnd::Answered { .. });
    let died = |check: &&Check<'_>| matches!(check.end, CheckEnd::Died(_) | CheckEnd::AnswerDied(_));
    pair.checks
        .iter()
        .find(answered)
        .or_else(|| pair.checks.iter().rev().find(died))
        .or_else(|| pair.checks.last())
}

fn check_account(plan: &Plan, side: &SessionRun, check: &Check<'_>) -> CheckAccount {
    let (end, death) = match &check.end {
        CheckEnd::Answered { .. } => (EndWord::Answered, None),
        CheckEnd::AnsweredFromElsewhere { .. } => (EndWord::AnsweredFromElsewhere, None),
        CheckEnd::Refused { .. } => (EndWord::Refused, None),
        CheckEnd::Unanswered { .. } => (EndWord::Unanswered, None),
        CheckEnd::Underway => (EndWord::Underway, None),
        CheckEnd::Died(death) => (EndWord::Died, Some(death_account(plan, Some(side), death))),
        CheckEnd::AnswerDied(death) => (EndWord::AnswerDied, Some(death_account(plan, None, death))),
    };
    CheckAccount {
        sent_ms: check.sent_at.as_millis_f64(),
        packet: check.packet.index(),
        end,
        end_ms: check.end.at().map(SimTime::as_millis_f64),
        death,
    }
}

/// `sender` is given where the side's own packet died: only of that is known what its peer was told.
fn death_account(plan: &Plan, sender: Option<&SessionRun>, death: &Death<'_>) -> DeathAccount {
    let (by, on_link) = match death.place {
        Place::Node(node) => (plan.name_of(node), false),
        Place::Link(link) => (plan.topology.link_name(link), true),
    };
    DeathAccount {
        by: by.to_owned(),
        on_link,
        packet: PacketId::index(death.packet),
        source: death.flow.source.to_string(),
        destination: death.flow.destination.to_string(),
        reason: death.drop.reason,
        rule: death.drop.rule.to_string(),
        rfc: death.drop.rfc(),
        accepted: accepted(&death.drop.rule),
        moved_by: sender.and_then(|sender| moved_by(plan, sender, death)).unwrap_or_default(),
    }
}

fn accepted(rule: &Rule) -> String {
    let senders = |accepts: &Accepts| match accepts.remotes.is_empty() {
        true => String::new(),
        false => format!("packets from {accepts}"),
    };
    match rule {
        Rule::Filter { accepts, .. } | Rule::Unsolicited { accepts, .. } => senders(accepts),
        _ => String::new(),
    }
}

/// The NAT before the sender that made the packet's source one its peer was never told of, where a filter minded.
fn moved_by(plan: &Plan, sender: &SessionRun, death: &Death<'_>) -> Option<String> {
    let is_filter = matches!(
        death.drop.reason,
        DropReason::NatFiltered | DropReason::NatNoMapping | DropReason::FirewallInbound
    );
    let source = death.flow.source;
    let told = |kind| sender.local_candidates.iter().filter(move |c| c.kind == kind).map(|c| c.address);
    if !is_filter
        || sender.sockets.contains(&source)
        || told(CandidateType::ServerReflexive).any(|known| known == source)
        || told(CandidateType::Relayed).any(|known| known.ip() == source.ip())
    {
        return None;
    }
    told(CandidateType::ServerReflexive).next()?;
    let (nat, mapping) = plan.maps_per_destination(sender.place(), death.at)?;
    Some(format!("{} (mapping: {mapping})", plan.name_of(nat)))
}
