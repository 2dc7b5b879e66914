//! What the scenario left open and how it was filled in.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::Options;
use super::table::more;
use crate::plan::{Assumption, Element, Nickname, NicknameMeaning, Plan};
use crate::report::Report;
use crate::report::text::{Role, Text, wrap};
use crate::scenario::profiles;

/// Where a line begins, and where it goes on.
const INDENT: [usize; 2] = [2, 6];
/// How many lines are shown before the rest is counted, unless the full report is asked for.
const MAX_LINES: usize = 40;
/// How many nodes of which the same is assumed are named, likewise.
const MAX_NAMES: usize = 12;

pub(super) fn write(text: &mut Text, report: Report<'_>, options: Options) {
    if report.plan.assumptions.is_empty() {
        return;
    }
    text.heading("Assumed, since the scenario does not say");
    let lines = lines(report.plan, options.full);
    let shown = if options.full { lines.len() } else { lines.len().min(MAX_LINES) };
    for line in &lines[..shown] {
        for (number, part) in wrap(line, options.width.saturating_sub(INDENT[1])).iter().enumerate() {
            text.push(&" ".repeat(INDENT[number.min(1)])).paint(Role::Dim, part);
            text.end_line();
        }
    }
    if lines.len() > shown {
        more(text, lines.len() - shown, "assumption");
    }
}

/// Something that was assumed about one place of the file.
struct Fact<'p> {
    section: &'p str,
    /// The node; empty for a section without nodes.
    name: &'p str,
    said: Said<'p>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Said<'p> {
    /// A key and its value.
    Key(&'p str, &'p str),
    /// All axes that are not given are those of this nickname.
    AsNickname(Nickname),
    /// A value without a key.
    Whole(&'p str),
}

/// One line for each node or group of nodes: `peers.{alice, bob}: { agent: is, link: lan }`.
pub(super) fn lines(plan: &Plan, full: bool) -> Vec<String> {
    let facts = plan.assumptions.iter().flat_map(|assumption| facts(plan, assumption));
    // Nodes of which the same was assumed share a line.
    let mut holders: IndexMap<(&str, Said<'_>), Vec<&str>> = IndexMap::new();
    for Fact { section, name, said } in facts {
        holders.entry((section, said)).or_default().push(name);
    }
    let mut groups: IndexMap<(&str, Vec<&str>), Vec<Said<'_>>> = IndexMap::new();
    for ((section, said), names) in holders {
        groups.entry((section, names)).or_default().push(said);
    }
    groups.into_iter().map(|((section, names), said)| line(section, &names, &said, full)).collect()
}

fn line(section: &str, names: &[&str], said: &[Said<'_>], full: bool) -> String {
    let place = match names {
        [""] => section.to_owned(),
        [name] => format!("{section}.{name}"),
        names if full || names.len() <= MAX_NAMES => format!("{section}.{{{}}}", names.join(", ")),
        names => {
            let hidden = names.len() - MAX_NAMES;
            format!("{section}.{{{} and {hidden} more}}", names[..MAX_NAMES].join(", "))
        }
    };
    let keys: Vec<String> = said
        .iter()
        .filter_map(|said| match said {
            Said::Key(key, value) => Some(format!("{key}: {value}")),
            Said::AsNickname(_) | Said::Whole(_) => None,
        })
        .collect();
    let mut parts: Vec<String> = match keys.as_slice() {
        [] => Vec::new(),
        [key] if said.len() == 1 => return format!("{place}.{key}"),
        keys => vec![format!("{{ {} }}", keys.join(", "))],
    };
    for said in said {
        match said {
            Said::AsNickname(nickname) => parts.push(format!("the other axes as in `{nickname}`")),
            Said::Whole(value) => parts.push((*value).to_owned()),
            Said::Key(..) => {}
        }
    }
    format!("{place}: {}", parts.join(", "))
}

fn facts<'p>(plan: &Plan, assumption: &'p Assumption) -> Vec<Fact<'p>> {
    let Assumption { key, value } = assumption;
    let mut parts = key.splitn(3, '.');
    let (section, name, rest) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let said = match (name, rest) {
        (None, _) => return vec![Fact { section, name: "", said: Said::Whole(value) }],
        (Some(name), Some(rest)) => return vec![Fact { section, name, said: Said::Key(rest, value) }],
        (Some(name), None) if section == "nats" => return axes(plan, section, name, value),
        (Some(key), None) => Said::Key(key, value),
    };
    vec![Fact { section, name: "", said }]
}

/// The axes of a NAT: those that are its nickname's are told by the nickname's name.
fn axes<'p>(plan: &Plan, section: &'p str, name: &'p str, value: &'p str) -> Vec<Fact<'p>> {
    let pairs: Option<Vec<(&str, &str)>> = value
        .strip_prefix("{ ")
        .and_then(|value| value.strip_suffix(" }"))
        .and_then(|value| value.split(", ").map(|pair| pair.split_once(": ")).collect());
    let Some(pairs) = pairs else { return vec![Fact { section, name, said: Said::Whole(value) }] };
    let nickname = nickname(plan, name);
    let known: BTreeMap<&str, String> = nickname.iter().flat_map(|(_, axes)| axes.iter().cloned()).collect();
    let own = pairs.into_iter().filter(|(key, value)| known.get(key).is_none_or(|known| known != value));
    let own = own.map(|(key, value)| Said::Key(key, value));
    own.chain(nickname.as_ref().map(|(nickname, _)| Said::AsNickname(*nickname)))
        .map(|said| Fact { section, name, said })
        .collect()
}

/// The nickname a NAT was described by, with its axes.
fn nickname(plan: &Plan, name: &str) -> Option<(Nickname, Vec<(&'static str, String)>)> {
    let Element::Nat(nat) = &plan.topology.node(plan.topology.find(name)?).element else { return None };
    let nickname = Nickname::from_alias(nat.label.as_deref()?)?;
    match nickname.meaning() {
        NicknameMeaning::Nat(behavior) => Some((nickname, profiles::axes_of(&behavior))),
        NicknameMeaning::Router | NicknameMeaning::Firewall(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn nodes_of_which_the_same_is_assumed_share_a_line() {
        let lines = assumed(&[
            ("seed", "1"),
            ("peers.alice.link", "lan"),
            ("peers.alice.agent", "is"),
            ("peers.alice.address", "10.0.1.2"),
            ("peers.bob.link", "lan"),
            ("peers.bob.agent", "is"),
            ("signalling.delay", "50ms"),
            ("signalling.loss", "0%"),
        ]);

        assert_eq!(
            lines,
            [
                "seed: 1",
                "peers.{alice, bob}: { link: lan, agent: is }",
                "peers.alice.address: 10.0.1.2",
                "signalling: { delay: 50ms, loss: 0% }",
            ]
        );
    }

    #[test]
    fn axes_that_are_the_nicknames_are_told_by_its_name_and_others_one_by_one() {
        let axes = "{ mapping: address-and-port-dependent, udp-timeout-unreplied: 20s }";

        let lines = assumed(&[("nats.nat-a", axes), ("nats.nat-a.outside", "[203.0.113.1]")]);

        assert_eq!(
            lines,
            [
                "nats.nat-a: { udp-timeout-unreplied: 20s, outside: [203.0.113.1] }, the other axes as in `symmetric`"
            ]
        );
    }

    #[test]
    fn axes_of_a_nat_without_a_nickname_are_all_told() {
        assert_eq!(
            assumed(&[("nats.x", "{ mapping: adm, pooling: paired }")]),
            ["nats.x: { mapping: adm, pooling: paired }"]
        );
    }

    /// The lines for these assumptions about the fixture.
    fn assumed(assumptions: &[(&str, &str)]) -> Vec<String> {
        let mut plan = Fixture::relay().plan;
        plan.assumptions = assumptions
            .iter()
            .map(|(key, value)| Assumption { key: (*key).into(), value: (*value).into() })
            .collect();
        lines(&plan, false)
    }
}
