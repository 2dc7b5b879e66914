//! Packets: what they are, the way they took, how long it took, and what they say.

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use serde::Serialize;

use crate::base::PacketId;
use crate::plan::Plan;
use crate::report::journey::{Fate, Journey};
use crate::report::{Report, names};
use crate::trace::Place;
use crate::wire::stun::{self, Described};
use crate::wire::{Body, Flow};

/// All packets of a page, and the tables they point into.
#[derive(Debug)]
pub struct Book {
    pub(super) kinds: Vec<Kind>,
    pub(super) timings: Vec<Timing>,
    pub(super) packets: Vec<Packet>,
    pub(super) attributes: Vec<Attributes>,
    /// True if every message is kept attribute by attribute.
    pub(super) is_complete: bool,
    index: FxHashMap<PacketId, usize>,
}

/// What packets that look alike have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Kind {
    label: String,
    protocol: &'static str,
    family: Family,
    /// Whose ladder it is in; `None`: nobody can tell, and it is shown in the network of all tabs.
    tab: Option<usize>,
    bytes: usize,
    from: String,
    to: String,
    stops: Vec<usize>,
    rewrites: Vec<Rewrite>,
    fate: &'static str,
    death: Option<Death>,
}

/// What a packet is for, as the page's filters know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
enum Family {
    Stun,
    Turn,
    Check,
    Data,
    Icmp,
    Tcp,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
struct Rewrite {
    /// Which of the kind's stops did it.
    stop: usize,
    before: String,
    after: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
struct Death {
    place: String,
    reason: &'static str,
    rule: String,
    rfc: Option<&'static str>,
}

/// When a packet came to each of its stops and when it left, after its start.
pub type Timing = Vec<(f64, f64)>;

/// Kind, start, timing, attributes or -1, and the packet that caused it or -1.
pub type Packet = (usize, f64, usize, i64, i64);

/// What a message says, attribute by attribute.
pub type Attributes = Vec<(String, Said)>;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Said {
    /// In words.
    Text(String),
    /// A message inside the message.
    Message(Attributes),
}

/// How many different messages are kept attribute by attribute; later ones have their label only. They are most of a
/// long call's bytes.
pub const MOST_MESSAGES: usize = 2_500;

type Table<T> = IndexSet<T, FxBuildHasher>;

impl Book {
    /// A book of these journeys.
    pub fn new(report: Report<'_>, journeys: &[Journey<'_>]) -> Self {
        let index: FxHashMap<PacketId, usize> =
            journeys.iter().enumerate().map(|(number, journey)| (journey.packet, number)).collect();
        let mut kinds: Table<Kind> = Table::default();
        let mut timings: Table<Vec<(u64, u64)>> = Table::default();
        let mut attributes: Table<Attributes> = Table::default();
        let messages: Vec<Option<Described<'_>>> =
            journeys.iter().map(|journey| names::message(journey.record)).collect();
        let checks = transactions_of_checks(&messages);
        let mut packets = Vec::with_capacity(journeys.len());
        let mut is_complete = true;
        for (journey, message) in journeys.iter().zip(&messages) {
            let said = message.as_ref().map(in_words).unwrap_or_default();
            let is_full = attributes.len() >= MOST_MESSAGES && !attributes.contains(&said);
            is_complete &= said.is_empty() || !is_full;
            let said = if said.is_empty() || is_full { -1 } else { attributes.insert_full(said).0 as i64 };
            let cause = journey.record.cause.and_then(|cause| index.get(&cause));
            packets.push((
                kinds.insert_full(kind(report, journey, message.as_ref(), &checks)).0,
                journey.started.as_millis_f64(),
                timings.insert_full(timing(journey)).0,
                said,
                cause.map_or(-1, |cause| *cause as i64),
            ));
        }
        let milliseconds = |nanos: u64| nanos as f64 / 1e6;
        let timing = |timing: Vec<(u64, u64)>| -> Timing {
            timing.into_iter().map(|(came, left)| (milliseconds(came), milliseconds(left))).collect()
        };
        Self {
            kinds: kinds.into_iter().collect(),
            timings: timings.into_iter().map(timing).collect(),
            packets,
            attributes: attributes.into_iter().collect(),
            is_complete,
            index,
        }
    }

    /// The index of a packet; `None` if the page does not hold it.
    pub fn index_of(&self, packet: PacketId) -> Option<usize> {
        self.index.get(&packet).copied()
    }
}

/// Which tab shows a packet: that of its call, or that of the endpoints, which comes after those of calls. `None`:
/// nobody can tell which call it belongs to.
fn tab_of(report: Report<'_>, journey: &Journey<'_>) -> Option<usize> {
    let of_endpoints = (!report.run.endpoints.is_empty()).then_some(report.plan.calls.len());
    journey.call.or(of_endpoints)
}

fn kind(
    report: Report<'_>,
    journey: &Journey<'_>,
    message: Option<&Described<'_>>,
    checks: &FxHashSet<[u8; 12]>,
) -> Kind {
    let record = journey.record;
    let copy = if journey.is_copy { " (copy)" } else { "" };
    Kind {
        label: format!("{}{copy}", names::packet_with(record, message)),
        protocol: record.protocol().word(),
        family: family(&record.body, message, checks),
        tab: tab_of(report, journey),
        bytes: record.len,
        from: record.flow.source.to_string(),
        to: record.flow.destination.to_string(),
        stops: journey.stops.iter().map(|node| node.index()).collect(),
        rewrites: rewrites(journey),
        fate: match journey.fate {
            Fate::Delivered(_) => "delivered",
            Fate::Dropped { .. } => "dropped",
            Fate::InFlight => "in-flight",
        },
        death: death(report.plan, journey.fate),
    }
}

fn rewrites(journey: &Journey<'_>) -> Vec<Rewrite> {
    let mut from = 0;
    let mut rewrites = Vec::new();
    for rewrite in &journey.rewrites {
        let Some(stop) = journey.stops.iter().skip(from).position(|node| *node == rewrite.node) else {
            continue;
        };
        from += stop;
        let flow = |flow: Flow| format!("{} → {}", flow.source, flow.destination);
        rewrites.push(Rewrite { stop: from, before: flow(rewrite.before), after: flow(rewrite.after) });
    }
    rewrites
}

fn death(plan: &Plan, fate: Fate<'_>) -> Option<Death> {
    let Fate::Dropped { place, drop, .. } = fate else { return None };
    let place = match place {
        Place::Node(_) => names::place(plan, place).to_owned(),
        Place::Link(_) => format!("the uplink of {}", names::place(plan, place)),
    };
    Some(Death { place, reason: drop.reason.word(), rule: drop.rule.to_string(), rfc: drop.rfc() })
}

/// The transactions that are connectivity checks, so that their answers can be told from a STUN server's.
fn transactions_of_checks(messages: &[Option<Described<'_>>]) -> FxHashSet<[u8; 12]> {
    let innermost = messages.iter().flatten().map(Described::innermost);
    innermost.filter(|message| message.is_ice_check).filter_map(|message| message.transaction).collect()
}

fn family(body: &Body, message: Option<&Described<'_>>, checks: &FxHashSet<[u8; 12]>) -> Family {
    match body {
        Body::Udp(_) => {}
        Body::Tcp(_) => return Family::Tcp,
        Body::Icmp(_) => return Family::Icmp,
    }
    let Some(message) = message else { return Family::Data };
    let innermost = message.innermost();
    let is_binding = innermost.method == Some(stun::method::BINDING);
    // What a relay's envelope carries is what the packet is for.
    match message.nested {
        _ if innermost.transaction.is_some_and(|transaction| checks.contains(&transaction)) => Family::Check,
        Some(_) => Family::Data,
        None if is_binding => Family::Stun,
        None => Family::Turn,
    }
}

fn timing(journey: &Journey<'_>) -> Vec<(u64, u64)> {
    let after = |at: crate::base::SimTime| at.since(journey.started).as_nanos();
    journey.stays.iter().map(|stay| (after(stay.arrived), after(stay.departed))).collect()
}

fn in_words(message: &Described<'_>) -> Attributes {
    let mut said = Attributes::new();
    if let Some(transaction) = message.transaction {
        let hex: String = transaction.iter().map(|byte| format!("{byte:02x}")).collect();
        said.push(("transaction".into(), Said::Text(hex)));
    }
    if let (None, Some(channel)) = (message.class, message.channel) {
        said.push(("channel".into(), Said::Text(format!("{channel:#06x}"))));
    }
    let attributes = message.attributes().into_iter();
    said.extend(attributes.map(|attribute| (attribute.name, Said::Text(attribute.value))));
    if let Some(inner) = &message.inner {
        said.push((inner.to_string(), Said::Message(in_words(inner))));
    }
    said
}
