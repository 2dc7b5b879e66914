//! What became of a call's media, and what a relay cost.

use serde::Serialize;

use super::CallOutcome;
use super::classify::Sides;
use crate::base::{NodeId, SimDuration, SimTime};
use crate::engine::{FlowRun, SessionRun};
use crate::plan::{MediaKind, Path, Plan, Topology};

/// One flow in one direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MediaOutcome {
    /// The peer that sent it.
    pub from: String,
    /// What it is.
    pub flow: MediaKind,
    /// How much of it there was to send, in kilobits of UDP payload per second.
    pub kbps: f64,
    /// How many packets were sent.
    pub sent: u64,
    /// How many of them arrived.
    pub received: u64,
    /// How many did not, and are no longer on their way.
    pub lost: u64,
    /// How many were due while the sender's agent had no pair it would use.
    pub unsent: u64,
    /// How long packets took, one way; absent if none arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<DelayOutcome>,
    /// The jitter between arrivals at the end (RFC 3550 §6.4.1); absent before there are two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<f64>,
    /// The longest time without a packet, from the first one to the end of the call; of a flow of which nothing arrived, from the
    /// beginning of sending; absent if it never began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_ms: Option<f64>,
}

/// One-way delays in milliseconds. The percentiles are right within 3 %, and exact where all packets take as long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DelayOutcome {
    /// Half of the packets took no longer.
    pub p50: f64,
    /// 95 of a hundred took no longer.
    pub p95: f64,
    /// The slowest one.
    pub max: f64,
}

/// What the relay of a call with media cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RelayOverhead {
    /// How many more bytes of IP packets passed between a client and its relay than the same media would be without it.
    pub bytes_percent: f64,
    /// How much longer the round trip is than straight over the links between the peers, as the file describes them and
    /// as if no box stood in the way; absent if these take no time, or if no round trip was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_percent: Option<f64>,
}

/// Adds what is known of the call's media at `now` to its outcome.
pub fn add(outcome: &mut CallOutcome, plan: &Plan, sessions: &[SessionRun], call: usize, now: SimTime) {
    let Some(sides) = Sides::among(sessions, call) else { return };
    let now = sides.ended_at().map_or(now, |ended| ended.min(now));
    let directions = [(sides.caller, sides.callee), (sides.callee, sides.caller)];
    outcome.media = directions
        .iter()
        .flat_map(|(sender, receiver)| {
            let from = plan.host_of(sender.node);
            let flows = sender.media.iter().zip(&receiver.media);
            flows.map(move |(sent, received)| flow(from, sent, received, now))
        })
        .collect();
    outcome.media_gap_ms = outcome.media.iter().filter_map(|flow| flow.gap_ms).reduce(f64::max);
    if outcome.path == Path::Relay {
        let straight = straight_round_trip(&plan.topology, sides.caller.place(), sides.callee.place());
        outcome.relay_overhead = overhead(sides, outcome.rtt_ms, straight);
    }
}

fn flow(from: &str, sender: &FlowRun, receiver: &FlowRun, now: SimTime) -> MediaOutcome {
    let (sent, received) = (&sender.sent, &receiver.received);
    let missing = sent.sent.saturating_sub(received.received);
    let ms = |time: SimDuration| time.as_millis_f64();
    let percentile = |percent| received.delays.percentile(percent).map(ms);
    let delays = || {
        Some(DelayOutcome {
            p50: percentile(50)?,
            p95: percentile(95)?,
            max: received.delays.longest().map(ms)?,
        })
    };
    MediaOutcome {
        from: from.to_owned(),
        flow: sender.flow.kind,
        kbps: sender.flow.rate.bits_per_second() as f64 / 1e3,
        sent: sent.sent,
        received: received.received,
        lost: missing.saturating_sub(sent.underway(now, received)),
        unsent: sent.unsent,
        delay_ms: delays(),
        jitter_ms: received.jitter().map(ms),
        gap_ms: received.gap(sent.started_at, now).map(ms),
    }
}

fn overhead(sides: Sides<'_>, rtt_ms: Option<f64>, straight: SimDuration) -> Option<RelayOverhead> {
    let flows = || sides.caller.media.iter().chain(&sides.callee.media);
    let bytes: u64 = flows().map(|flow| flow.relay_leg.bytes).sum();
    let bare: u64 = flows().map(|flow| flow.relay_leg.bare_bytes).sum();
    let percent = |got: f64, bare: f64| ((got / bare - 1.0) * 1e4).round() / 1e2;
    (bare > 0).then(|| RelayOverhead {
        bytes_percent: percent(bytes as f64, bare as f64),
        rtt_percent: rtt_ms.filter(|_| !straight.is_zero()).map(|rtt| percent(rtt, straight.as_millis_f64())),
    })
}

/// A round trip over the links between two nodes. Half of a link's jitter is its average.
fn straight_round_trip(topology: &Topology, one: NodeId, other: NodeId) -> SimDuration {
    let way_up = |node| {
        let mut way = vec![node];
        while let Some(parent) = way.last().and_then(|last| topology.parent(*last)) {
            way.push(parent);
        }
        way
    };
    let (one, other) = (way_up(one), way_up(other));
    // Links above the node at which the two ways meet belong to both, and are not used.
    let used = one
        .iter()
        .filter(|node| !other.contains(node))
        .chain(other.iter().filter(|node| !one.contains(node)));
    let nanos: u64 = used
        .filter_map(|node| topology.uplink(*node))
        .map(|link| 2 * link.delay.as_nanos() + link.jitter.as_nanos())
        .sum();
    SimDuration::from_nanos(nanos)
}
