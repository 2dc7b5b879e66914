//! Which NAT a peer asks for mappings.

use std::net::IpAddr;

use super::addresses::Addresses;
use super::assumed::Assumed;
use super::boxes::{Boxes, What};
use crate::plan::PortMapping;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{File, Named};
use crate::scenario::read::Reader;

/// The inside address of the NAT that the peer with this number asks, which is the nearest one; `None`: it asks none.
pub fn gateway(
    reader: &mut Reader<'_>,
    file: &File,
    boxes: &Boxes<'_>,
    addresses: &Addresses,
    peer: usize,
    assumed: &mut Assumed,
) -> Option<IpAddr> {
    let Named { name, body, .. } = &file.peers[peer];
    let nearest = boxes.realm(boxes.peer_parent(peer));
    let has_ipv4 = addresses.peers[peer].iter().any(IpAddr::is_ipv4);
    let offers = |nat: &usize| match &boxes.all[*nat].what {
        What::Translates(behavior, ..) => behavior.port_mapping != PortMapping::Off,
        What::Filters(_) | What::Forwards => false,
    };
    match (nearest.filter(offers).filter(|_| has_ipv4), &body.port_mapping) {
        (Some(_), Some(at)) if !at.value => None,
        (Some(nat), given) => {
            if given.is_none() {
                assumed.note(&format!("peers.{}", name.value), "port-mapping", true);
            }
            Some(addresses.networks[nat].gateway.into())
        }
        (None, Some(at)) if at.value => {
            let peer = &name.value;
            if nearest.is_none_or(|nat| !is_broken(file, boxes, nat)) {
                reader.report(nobody_to_ask(boxes, nearest, has_ipv4, peer).at(at.span, "nobody to ask"));
            }
            None
        }
        (None, _) => None,
    }
}

fn is_broken(file: &File, boxes: &Boxes<'_>, nat: usize) -> bool {
    matches!(boxes.all[nat].what, What::Translates(_, index, _) if file.nats[index].broken)
}

fn nobody_to_ask(boxes: &Boxes<'_>, nearest: Option<usize>, has_ipv4: bool, peer: &str) -> Diagnostic {
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
