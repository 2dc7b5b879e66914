//! Which NAT a peer asks for mappings.

use std::net::IpAddr;
use std::ops::Range;

use super::addresses::Addresses;
use super::assumed::Assumed;
use super::boxes::{Boxes, What};
use crate::plan::PortMapping;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{File, Named, Peer};
use crate::scenario::read::Reader;

/// The inside address of the NAT that each interface of a peer asks, which is the nearest one; `None`: it asks none.
/// `numbers` are the interfaces', and `assumed` hears of the peer.
pub fn of_peer(
    reader: &mut Reader<'_>,
    (file, boxes, addresses): (&File, &Boxes<'_>, &Addresses),
    peer: &Named<Peer>,
    numbers: Range<usize>,
    assumed: &mut Assumed,
) -> Vec<Option<IpAddr>> {
    let given = peer.body.port_mapping.as_ref();
    let is_asked = given.is_none_or(|at| at.value);
    let leaf = |number: usize| Leaf {
        nearest: boxes.realm(boxes.leaf_parent(number)),
        has_ipv4: addresses.leaves[number].iter().any(IpAddr::is_ipv4),
    };
    let leaves: Vec<Leaf> = numbers.map(leaf).collect();
    let found: Vec<Option<usize>> = leaves.iter().map(|leaf| leaf.asks(boxes)).collect();
    let is_offered = found.iter().any(Option::is_some);
    if is_offered && given.is_none() {
        assumed.note(&format!("peers.{}", peer.name.value), "port-mapping", true);
    }
    if let Some(at) = given.filter(|at| at.value && !is_offered) {
        let is_broken = |leaf: &Leaf| leaf.nearest.is_some_and(|nat| is_broken(file, boxes, nat));
        let telling = leaves.iter().find(|leaf| leaf.nearest.is_some()).or(leaves.first());
        if let Some(leaf) = telling.filter(|_| !leaves.iter().any(is_broken)) {
            reader.report(nobody_to_ask(boxes, leaf, &peer.name.value).at(at.span, "nobody to ask"));
        }
    }
    let gateway = |nat: usize| IpAddr::from(addresses.networks[nat].gateway);
    found.into_iter().map(|nat| nat.filter(|_| is_asked).map(gateway)).collect()
}

/// An interface.
struct Leaf {
    /// The NAT nearest to it.
    nearest: Option<usize>,
    has_ipv4: bool,
}

impl Leaf {
    /// The NAT it can ask.
    fn asks(&self, boxes: &Boxes<'_>) -> Option<usize> {
        self.nearest.filter(|_| self.has_ipv4).filter(|nat| match &boxes.all[*nat].what {
            What::Translates(behavior, ..) => behavior.port_mapping != PortMapping::Off,
            What::Filters(_) | What::Forwards => false,
        })
    }
}

fn is_broken(file: &File, boxes: &Boxes<'_>, nat: usize) -> bool {
    matches!(boxes.all[nat].what, What::Translates(_, index, _) if file.nats[index].broken)
}

fn nobody_to_ask(boxes: &Boxes<'_>, &Leaf { nearest, has_ipv4 }: &Leaf, peer: &str) -> Diagnostic {
    let meaningless =
        |why: String| Diagnostic::new(Code::MeaninglessKey, format!("`port-mapping` has no effect: {why}"));
    let Some(nat) = nearest else {
        return meaningless(format!("`{peer}` is behind no NAT"))
            .help("remove it, or put a NAT before the peer");
    };
    let nat = &boxes.all[nat].name.value;
    if !has_ipv4 {
        return meaningless(format!("`{peer}` has no IPv4 address, and `{nat}` translates nothing else"))
            .help("remove it");
    }
    meaningless(format!("`{nat}`, the NAT nearest to `{peer}`, offers none"))
        .help(format!("write `port-mapping: pcp` for `{nat}`, or remove it here"))
}
