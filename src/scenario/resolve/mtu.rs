//! IPv6 needs links that carry at least 1280 bytes (RFC 8200 §5).

use super::boxes::Boxes;
use super::families::Families;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{File, LinkSpec};
use crate::scenario::read::Reader;

const LEAST: u64 = 1_280;

/// Reports every link that IPv6 goes over and that carries less.
pub fn check(reader: &mut Reader<'_>, file: &File, boxes: &Boxes<'_>, families: &[Families]) {
    let mut carriers = vec![false; boxes.all.len()];
    let peers = families.iter().enumerate().filter(|(_, families)| families.ipv6);
    let nats = boxes.all.iter().enumerate().filter(|(_, each)| each.ipv6.is_some());
    let lowest = peers.map(|(index, _)| boxes.peer_parent(index)).chain(nats.map(|(index, _)| Some(index)));
    for mut at in lowest {
        while let Some(index) = at.filter(|index| !carriers[*index]) {
            carriers[index] = true;
            at = boxes.all[index].parent;
        }
    }
    let boxes = boxes.all.iter().zip(carriers).filter(|(_, carries)| *carries);
    for (each, _) in boxes {
        check_link(reader, &each.name.value, each.link);
    }
    for server in &file.servers {
        let addresses = server.body.addresses.iter().flatten();
        let has_address = addresses.into_iter().any(|address| address.value.is_ipv6());
        if has_address || server.body.ipv6.as_ref().is_some_and(|ipv6| ipv6.value) {
            check_link(reader, &server.name.value, server.body.link.as_ref());
        }
    }
    for (peer, _) in file.peers.iter().zip(families).filter(|(_, families)| families.ipv6) {
        check_link(reader, &peer.name.value, peer.body.link.as_ref());
    }
}

fn check_link(reader: &mut Reader<'_>, name: &str, link: Option<&LinkSpec>) {
    if let Some(mtu) = link.and_then(LinkSpec::mtu).filter(|mtu| mtu.value < LEAST) {
        let message =
            format!("the link of `{name}` carries IPv6, which needs an `mtu` of at least {LEAST} (RFC 8200)");
        reader.report(
            Diagnostic::new(Code::OutOfRange, message)
                .at(mtu.span, "too small for IPv6")
                .help(format!("write `mtu: {LEAST}` or more, or leave IPv6 out")),
        );
    }
}
