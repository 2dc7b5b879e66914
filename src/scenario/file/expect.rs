//! `expect:`.

use super::super::keys::{DROP, EXPECT, MOST_RESTARTS, SELECTED};
use super::media::{self, MediaGap};
use crate::base::SimDuration;
use crate::plan::{CandidateType, DropReason, Family, IceState, Needs, Path, Selection, Transport};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::read::{At, Reader};
use crate::scenario::source::Span;
use crate::scenario::tree::{Entry, Node, Value};

/// One line of `expect`.
#[derive(Debug)]
pub struct Expectation {
    /// What should be true.
    pub fact: Fact,
    /// Where its key stands.
    pub key: Span,
    /// Where its value stands.
    pub value: Span,
}

/// What should be true.
#[derive(Debug)]
#[allow(missing_docs, reason = "each variant is the key of the same name")]
pub enum Fact {
    Path(Vec<At<Path>>),
    Never(Vec<At<Path>>),
    Needs(Needs),
    Within(SimDuration),
    Selected(Selection),
    Family(Family),
    RelayProtocol(Transport),
    NatHops(Vec<(At<String>, At<u64>)>),
    IceState(IceState),
    Drops(Drops),
    IceRestarts(u32),
    MediaGap(MediaGap),
}

/// One entry of `drops`.
#[derive(Debug)]
#[allow(missing_docs, reason = "each field is the key of the same name")]
pub struct Drops {
    pub by: At<String>,
    pub reason: Option<At<DropReason>>,
    pub min: u64,
    pub max: Option<u64>,
}

/// The section `expect`, in the order of the file.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Vec<Expectation> {
    let Some(fields) = reader.fields(node, &EXPECT) else { return Vec::new() };
    let mut found: Vec<Expectation> = EXPECT
        .keys
        .iter()
        .filter_map(|key| fields.entry(key.name).map(|entry| (key.name, entry)))
        .flat_map(|(key, entry)| facts(reader, key, entry))
        .collect();
    found.sort_by_key(|expectation| expectation.key);
    found
}

fn facts(reader: &mut Reader<'_>, key: &'static str, entry: &Entry) -> Vec<Expectation> {
    if key == "drops" {
        return drops(reader, &entry.value);
    }
    let expectation = |fact| Expectation { fact, key: entry.key_span, value: entry.value.span };
    fact(reader, key, &entry.value).map(expectation).into_iter().collect()
}

fn fact(reader: &mut Reader<'_>, key: &'static str, node: &Node) -> Option<Fact> {
    match key {
        "path" => reader.word_list(key, node).map(Fact::Path),
        "never" => reader.word_list(key, node).map(Fact::Never),
        "needs" => reader.word(key, node).map(|at| Fact::Needs(at.value)),
        "within" => within(reader, node),
        "selected" => selected(reader, node).map(Fact::Selected),
        "family" => reader.word::<Family>(key, node).map(|at| Fact::Family(at.value)),
        "relay-protocol" => reader.word::<Transport>(key, node).map(|at| Fact::RelayProtocol(at.value)),
        "nat-hops" => nat_hops(reader, node).map(Fact::NatHops),
        "ice-state" => reader.word(key, node).map(|at| Fact::IceState(at.value)),
        "ice-restarts" => {
            let count = reader.integer(key, node, 0, MOST_RESTARTS)?;
            Some(Fact::IceRestarts(u32::try_from(count.value).unwrap_or(u32::MAX)))
        }
        "media-gap" => media::gap(reader, node).map(Fact::MediaGap),
        _ => None,
    }
}

fn within(reader: &mut Reader<'_>, node: &Node) -> Option<Fact> {
    let within: At<SimDuration> = reader.leaf("within", node)?;
    if within.value.is_zero() {
        reader.report(
            Diagnostic::new(Code::OutOfRange, "`within: 0s` leaves no time to connect")
                .at(within.span, "no time at all")
                .help("write a duration such as `2s`"),
        );
        return None;
    }
    Some(Fact::Within(within.value))
}

/// An expectation that nothing could fail is a mistake.
fn says_nothing(reader: &mut Reader<'_>, key: &str, node: &Node, example: &str) {
    reader.report(
        Diagnostic::new(Code::BadValue, format!("`{key}` says nothing"))
            .at(node.span, "nothing in it")
            .help(format!("write `{key}: {example}`, or remove it")),
    );
}

fn selected(reader: &mut Reader<'_>, node: &Node) -> Option<Selection> {
    let fields = reader.fields(node, &SELECTED)?;
    let local: Option<At<CandidateType>> = fields.get("local").and_then(|node| reader.word("local", node));
    let remote: Option<At<CandidateType>> = fields.get("remote").and_then(|node| reader.word("remote", node));
    if fields.entry("local").is_none() && fields.entry("remote").is_none() {
        reader.report(
            Diagnostic::new(Code::MissingKey, "`selected` says nothing")
                .at(node.span, "neither `local` nor `remote`")
                .help("write `selected: { local: relay }`, or remove it"),
        );
    }
    Some(Selection { local: local.map(|at| at.value), remote: remote.map(|at| at.value) })
}

fn nat_hops(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<(At<String>, At<u64>)>> {
    if let Value::Scalar(_) = node.value {
        reader.wrong_kind("nat-hops", node, "a map such as `{ alice: 1, bob: 2 }`");
        return None;
    }
    let most = reader.limits.nodes as u64;
    let counts = reader.named("nat-hops", node);
    if matches!(&node.value, Value::Map(entries) if entries.is_empty()) {
        says_nothing(reader, "nat-hops", node, "{ alice: 1 }");
    }
    Some(
        counts
            .into_iter()
            .filter_map(|(peer, node)| Some((peer, reader.integer("nat-hops", node, 0, most)?)))
            .collect(),
    )
}

fn drops(reader: &mut Reader<'_>, node: &Node) -> Vec<Expectation> {
    let alone = [node];
    let items: Vec<&Node> = match &node.value {
        Value::Map(_) => alone.to_vec(),
        _ => reader
            .list("drops", node, "maps such as `{ by: nat-b, reason: nat-filtered }`")
            .unwrap_or_default()
            .iter()
            .collect(),
    };
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        says_nothing(reader, "drops", node, "[{ by: nat-b, reason: nat-filtered }]");
    }
    let expectation =
        |item: &Node, drops| Expectation { fact: Fact::Drops(drops), key: item.span, value: item.span };
    items.into_iter().filter_map(|item| Some(expectation(item, drop_entry(reader, item)?))).collect()
}

fn drop_entry(reader: &mut Reader<'_>, node: &Node) -> Option<Drops> {
    let fields = reader.fields(node, &DROP)?;
    let by = fields.get("by").and_then(|node| reader.node_name("by", node));
    let reason: Option<At<DropReason>> = fields.get("reason").and_then(|node| reader.word("reason", node));
    let min = fields.integer(reader, "min");
    let max = fields.integer(reader, "max");
    if fields.entry("by").is_none() {
        reader.report(
            Diagnostic::new(Code::MissingKey, "an entry of `drops` does not say where")
                .at(node.span, "no `by`")
                .help("add `by: NODE`"),
        );
    }
    if let (Some(min), Some(max)) = (&min, &max)
        && min.value > max.value
    {
        reader.report(
            Diagnostic::new(Code::Contradiction, "`min` is more than `max`")
                .at(min.span, "at least this many")
                .see(max.span, "but at most this many")
                .help(format!("write `min: {}` or less", max.value)),
        );
    }
    let least = min.map(|at| at.value).unwrap_or(u64::from(max.is_none()));
    Some(Drops { by: by?, reason, min: least, max: max.map(|at| at.value) })
}
