//! `events:`.

use std::net::IpAddr;

use super::super::keys::EVENT;
use super::{Expectation, Fact, Firewall, LinkSpec, Nat, calls, expect, firewall, link, nat};
use crate::base::SimDuration;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::read::{At, Reader, listed};
use crate::scenario::set::spelled;
use crate::scenario::source::Span;
use crate::scenario::tree::{Entry, Node, Value};

/// An event as the file describes it.
#[derive(Debug)]
pub struct Event {
    /// `at`.
    pub at: At<SimDuration>,
    /// What happens; the place is that of its key.
    pub action: At<Action>,
    /// The entry but its time, in one line.
    pub text: String,
}

/// What happens.
#[derive(Debug)]
#[allow(missing_docs, reason = "each variant is the key of the same name")]
pub enum Action {
    SetLink(Vec<(At<String>, LinkSpec)>),
    SetNat(Vec<(At<String>, Nat)>),
    SetFirewall(Vec<(At<String>, Firewall)>),
    NatReboot(At<String>),
    Renumber(Vec<Renumbered>),
    ServerDown(At<String>),
    ServerUp(At<String>),
    ServerRestart(At<String>),
    Partition(Sides),
    /// `None`: all.
    Heal(Option<Sides>),
    InterfaceDown(At<String>),
    InterfaceUp(At<String>),
    IceRestart(Side),
    HangUp(Side),
    Expect(Vec<Expectation>),
}

/// A peer that does something in all of its calls, or in those with one other peer.
#[derive(Debug)]
pub struct Side {
    /// The peer.
    pub peer: At<String>,
    /// The peer at the other end of the call; `None`: whoever it is.
    pub with: Option<At<String>>,
}

/// A NAT and its new addresses; `None`: the next free one.
pub type Renumbered = (At<String>, Option<Vec<At<IpAddr>>>);

/// Who cannot reach whom.
pub type Sides = [Vec<At<String>>; 2];

/// What belongs into a list of events.
const KIND: &str = "maps such as `{ at: 20s, nat-reboot: home }`";

/// The section `events`, in the order of the file. What could not be read is left out and reported.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Vec<Event> {
    let items = match &node.value {
        Value::Map(_) => std::slice::from_ref(node),
        _ => reader.list("events", node, KIND).unwrap_or_default(),
    };
    if matches!(&node.value, Value::List(items) if items.is_empty()) {
        says_nothing(reader, "events", node.span, "events: [{ at: 20s, nat-reboot: home }]");
    }
    items.iter().filter_map(|item| event(reader, item)).collect()
}

fn event(reader: &mut Reader<'_>, node: &Node) -> Option<Event> {
    let before = reader.mistakes();
    let fields = reader.fields(node, &EVENT)?;
    let at = fields.get("at").and_then(|node| reader.leaf("at", node));
    let keys = EVENT.keys.iter().map(|key| key.name).filter(|name| *name != "at");
    let mut actions: Vec<(&'static str, &Entry)> =
        keys.filter_map(|key| fields.entry(key).map(|entry| (key, entry))).collect();
    actions.sort_by_key(|(_, entry)| entry.key_span);
    if fields.entry("at").is_none() {
        reader.report(
            Diagnostic::new(Code::MissingKey, "the event does not say when it happens")
                .at(node.span, "no `at`")
                .help("add `at: 20s`"),
        );
    }
    match actions.as_slice() {
        [(key, entry)] => {
            let action = At::new(action(reader, key, entry)?, entry.key_span);
            Some(Event { at: at?, action, text: format!("{key}: {}", one_line(&entry.value)) })
        }
        [] if reader.mistakes() > before => None,
        [] => {
            let keys = listed(EVENT.keys.iter().map(|key| key.name).filter(|name| *name != "at"));
            reader.report(
                Diagnostic::new(Code::MissingKey, "the event does nothing")
                    .at(node.span, "nothing happens")
                    .help(format!("beside `at` it takes one of {keys}")),
            );
            None
        }
        [(first_key, first), (key, second), ..] => {
            reader.report(
                Diagnostic::new(Code::WrongKind, "an event does one thing")
                    .at(second.key_span, "a second one")
                    .see(first.key_span, "the first one")
                    .help(format!(
                        "write two entries with the same `at`: one with `{first_key}`, one with `{key}`"
                    )),
            );
            None
        }
    }
}

fn action(reader: &mut Reader<'_>, key: &'static str, entry: &Entry) -> Option<Action> {
    let node = &entry.value;
    match key {
        "set-link" => changes(reader, key, node, "{ loss: 20% }", link::read_change).map(Action::SetLink),
        "set-nat" => changes(reader, key, node, "symmetric", nat::read_change).map(Action::SetNat),
        "set-firewall" => {
            changes(reader, key, node, "{ inbound: allow }", firewall::read_change).map(Action::SetFirewall)
        }
        "nat-reboot" => reader.node_name(key, node).map(Action::NatReboot),
        "renumber" => renumber(reader, node).map(Action::Renumber),
        "server-down" => reader.node_name(key, node).map(Action::ServerDown),
        "server-up" => reader.node_name(key, node).map(Action::ServerUp),
        "server-restart" => reader.node_name(key, node).map(Action::ServerRestart),
        "interface-down" => reader.node_name(key, node).map(Action::InterfaceDown),
        "interface-up" => reader.node_name(key, node).map(Action::InterfaceUp),
        "ice-restart" => call_side(reader, key, node).map(Action::IceRestart),
        "hang-up" => call_side(reader, key, node).map(Action::HangUp),
        "partition" => sides(reader, key, node).map(Action::Partition),
        "heal" => match &node.value {
            Value::Scalar(scalar) if scalar.text == "all" => Some(Action::Heal(None)),
            _ => sides(reader, key, node).map(|sides| Action::Heal(Some(sides))),
        },
        "expect" => moment(reader, node).map(Action::Expect),
        _ => None,
    }
}

/// New values for some nodes. `example` is one for one of them.
fn changes<T>(
    reader: &mut Reader<'_>,
    key: &'static str,
    node: &Node,
    example: &str,
    read: fn(&mut Reader<'_>, &Node) -> Option<T>,
) -> Option<Vec<(At<String>, T)>> {
    if let Value::Scalar(_) | Value::List(_) = node.value {
        reader.wrong_kind(key, node, &format!("a map such as `{{ NODE: {example} }}`"));
        return None;
    }
    let named = reader.named(key, node);
    if is_empty(node) {
        says_nothing(reader, key, node.span, &format!("{key}: {{ NODE: {example} }}"));
    }
    let mut found = Vec::new();
    for (name, body) in named {
        if is_empty(body) {
            says_nothing(reader, key, body.span, &format!("{key}: {{ {}: {example} }}", name.value));
        } else if let Some(body) = read(reader, body) {
            found.push((name, body));
        }
    }
    Some(found)
}

fn renumber(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Renumbered>> {
    match &node.value {
        Value::Scalar(_) => Some(vec![(reader.node_name("renumber", node)?, None)]),
        Value::Map(entries) if !entries.is_empty() => {
            let mut found = Vec::new();
            for (name, addresses) in reader.named("renumber", node) {
                let addresses = super::nat::outside(reader, "renumber", addresses)?;
                found.push((name, Some(addresses)));
            }
            Some(found)
        }
        Value::Map(_) | Value::Null | Value::List(_) => {
            reader.wrong_kind(
                "renumber",
                node,
                "the name of a NAT, or a map such as `{ home: 203.0.113.99 }`",
            );
            None
        }
    }
}

/// `alice`, or `alice -> bob`.
fn call_side(reader: &mut Reader<'_>, key: &'static str, node: &Node) -> Option<Side> {
    let text = reader.text(key, node, "a peer, or one side of a call such as `alice -> bob`")?;
    if !text.value.contains("->") {
        return Some(Side { peer: At::new(text.value.to_owned(), text.span), with: None });
    }
    let (peer, other) = calls::ends(reader, text.value, text.span)?;
    Some(Side { peer, with: Some(other) })
}

fn sides(reader: &mut Reader<'_>, key: &'static str, node: &Node) -> Option<Sides> {
    let Value::List(items) = &node.value else {
        reader.wrong_kind(
            key,
            node,
            "a list of two nodes, or of two lists of nodes, such as `[alice, turn]`",
        );
        return None;
    };
    let [one, other] = items.as_slice() else {
        reader.report(
            Diagnostic::new(
                Code::WrongKind,
                format!("`{key}` is between two sides, and this list has {}", items.len()),
            )
            .at(node.span, "not two")
            .help(format!(
                "write `{key}: [alice, turn]`, or a list for each side: `{key}: [[alice, bob], [turn]]`"
            )),
        );
        return None;
    };
    Some([side(reader, key, one)?, side(reader, key, other)?])
}

fn side(reader: &mut Reader<'_>, key: &'static str, node: &Node) -> Option<Vec<At<String>>> {
    let items = reader.list(key, node, "names of nodes")?;
    if items.is_empty() {
        says_nothing(reader, key, node.span, &format!("{key}: [alice, turn]"));
        return None;
    }
    let names: Vec<_> = items.iter().filter_map(|item| reader.node_name(key, item)).collect();
    (names.len() == items.len()).then_some(names)
}

/// What is expected at a moment.
fn moment(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Expectation>> {
    if is_empty(node) {
        says_nothing(reader, "expect", node.span, "expect: { path: stun }");
        return None;
    }
    let expectations = expect::read(reader, node);
    if let Some(needs) = expectations.iter().find(|each| matches!(each.fact, Fact::Needs(_))) {
        reader.report(
            Diagnostic::new(Code::MeaninglessKey, "`needs` is about the whole run, not about a moment")
                .at(needs.key, "cannot be known yet")
                .help("move it to the file's own `expect`"),
        );
    }
    Some(expectations)
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Map(entries) => entries.is_empty(),
        Value::Scalar(_) | Value::List(_) => false,
    }
}

/// What changes nothing is a mistake.
fn says_nothing(reader: &mut Reader<'_>, key: &str, span: Span, example: &str) {
    reader.report(
        Diagnostic::new(Code::BadValue, format!("`{key}` says nothing"))
            .at(span, "nothing in it")
            .help(format!("write something such as `{example}`, or remove it")),
    );
}

/// A value as one line of YAML.
fn one_line(node: &Node) -> String {
    match &node.value {
        Value::Null => "~".into(),
        Value::Scalar(scalar) => spelled(&scalar.text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(one_line).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|entry| format!("{}: {}", spelled(&entry.key), one_line(&entry.value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}
