//! Who cannot reach whom.

use super::file;
use crate::base::{NodeId, SimDuration};
use crate::plan::Topology;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::read::{At, Reader};
use crate::scenario::resolve::names::{Names, Section};
use crate::scenario::source::Span;

/// Two nodes that hang on the internet.
type Pair = (NodeId, NodeId);

/// Who cannot reach whom at the moment, and since when.
#[derive(Debug, Default)]
pub struct Cuts(Vec<(Pair, At<SimDuration>)>);

impl Cuts {
    /// The pairs an event cuts.
    pub fn cut(
        &mut self,
        reader: &mut Reader<'_>,
        names: &Names<'_>,
        topology: &Topology,
        event: &file::Event,
        sides: &[Vec<At<String>>; 2],
    ) -> Option<Vec<Pair>> {
        let pairs = pairs(reader, names, topology, "partition", sides)?;
        for (pair, name) in &pairs {
            if let Some((_, since)) = self.0.iter().find(|(cut, _)| is_same(*cut, *pair)) {
                let (one, other) = (&topology.node(pair.0).name, &topology.node(pair.1).name);
                reader.report(
                    Diagnostic::new(
                        Code::Contradiction,
                        format!("`{one}` and `{other}` cannot reach each other already"),
                    )
                    .at(*name, format!("cut off since {}", since.value))
                    .see(since.span, "by this event")
                    .help("remove it, or `heal` the earlier one before"),
                );
                return None;
            }
        }
        let pairs: Vec<Pair> = pairs.into_iter().map(|(pair, _)| pair).collect();
        self.0.extend(pairs.iter().map(|pair| (*pair, At::new(event.at.value, event.action.span))));
        Some(pairs)
    }

    /// The pairs an event joins again; without `sides` all of them.
    pub fn heal(
        &mut self,
        reader: &mut Reader<'_>,
        names: &Names<'_>,
        topology: &Topology,
        event: &file::Event,
        sides: Option<&[Vec<At<String>>; 2]>,
    ) -> Option<Vec<Pair>> {
        let Some(sides) = sides else {
            if self.0.is_empty() {
                reader.report(nothing_to_heal(event.action.span, "nothing is partitioned at that moment"));
            }
            return Some(self.0.drain(..).map(|(pair, _)| pair).collect());
        };
        let mut healed = Vec::new();
        for (pair, name) in pairs(reader, names, topology, "heal", sides)? {
            match self.0.iter().position(|(cut, _)| is_same(*cut, pair)) {
                Some(index) => healed.push(self.0.remove(index).0),
                None => {
                    let (one, other) = (&topology.node(pair.0).name, &topology.node(pair.1).name);
                    let message = format!("`{one}` and `{other}` can reach each other at that moment");
                    reader.report(nothing_to_heal(name, &message));
                    return None;
                }
            }
        }
        Some(healed)
    }
}

fn nothing_to_heal(span: Span, message: &str) -> Diagnostic {
    Diagnostic::new(Code::Contradiction, message)
        .at(span, "nothing to heal")
        .help("remove it, or write a `partition` of these with an earlier `at`")
}

fn is_same(one: Pair, other: Pair) -> bool {
    one == other || one == (other.1, other.0)
}

/// Every pair of one node of each side, by what they hang on the internet with, and where the second one stands.
fn pairs(
    reader: &mut Reader<'_>,
    names: &Names<'_>,
    topology: &Topology,
    key: &str,
    sides: &[Vec<At<String>>; 2],
) -> Option<Vec<(Pair, Span)>> {
    let [left, right] = sides.each_ref().map(|side| roots(reader, names, topology, key, side));
    let (left, right) = (left?, right?);
    let mut pairs: Vec<(Pair, Span)> = Vec::new();
    for (one, first) in &left {
        for (other, second) in &right {
            if one == other {
                reader.report(same_root(&topology.node(*one).name, first, second));
                return None;
            }
            if pairs.iter().all(|(pair, _)| !is_same(*pair, (*one, *other))) {
                pairs.push(((*one, *other), second.span));
            }
        }
    }
    Some(pairs)
}

fn same_root(root: &str, first: &At<String>, second: &At<String>) -> Diagnostic {
    let message = if first.value == second.value {
        format!("`{}` stands on both sides", first.value)
    } else {
        format!("what goes between `{}` and `{}` does not pass the internet", first.value, second.value)
    };
    Diagnostic::new(Code::Contradiction, message)
        .at(second.span, format!("hangs on it by `{root}`"))
        .see(first.span, format!("hangs on it by `{root}` as well"))
        .help("use `set-link: { NODE: { up: false } }` to cut a node off from everybody")
}

/// What the nodes of a side hang on the internet with.
fn roots<'s>(
    reader: &mut Reader<'_>,
    names: &Names<'_>,
    topology: &Topology,
    key: &str,
    side: &'s [At<String>],
) -> Option<Vec<(NodeId, &'s At<String>)>> {
    let any = [Section::Nat, Section::Firewall, Section::Server, Section::Peer, Section::Interface];
    let what = format!("`{key}` is between nodes, and names");
    let mut roots = Vec::new();
    for name in side {
        names.expect(reader, name, &any, &what, "write the name of a node")?;
        let found = topology.find(&name.value);
        // A peer of several interfaces is meant with all of them.
        let nodes = match found {
            Some(node) => vec![node],
            None => topology.interfaces(topology.find_host(&name.value)?),
        };
        let root = |node| topology.ancestors(node).last().copied().unwrap_or(node);
        roots.extend(nodes.into_iter().map(|node| (root(node), name)));
    }
    Some(roots)
}
