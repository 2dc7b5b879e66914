//! IPv6 needs links that carry at least 1280 bytes (RFC 8200 §5).

use std::net::IpAddr;

use crate::base::NodeId;
use crate::plan::{Element, Topology};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{File, LinkSpec};
use crate::scenario::read::{At, Reader};

const LEAST: u64 = 1_280;

/// Reports every link of the file that IPv6 goes over and that carries less.
pub fn check(reader: &mut Reader<'_>, file: &File, topology: &Topology) {
    let nats = file.nats.iter().map(|each| (&each.name, &each.body.link));
    let firewalls = file.firewalls.iter().map(|each| (&each.name, &each.body.link));
    let servers = file.servers.iter().map(|each| (&each.name, &each.body.link));
    let leaves = file.leaves();
    let leaves = leaves.iter().map(|leaf| (leaf.name, &leaf.body.link));
    for (name, link) in nats.chain(firewalls).chain(servers).chain(leaves) {
        if let Some(link) = link {
            check_link(reader, topology, name, link);
        }
    }
}

/// Reports what the file says of the uplink of a node, if IPv6 goes over it and it would carry less.
pub fn check_link(reader: &mut Reader<'_>, topology: &Topology, name: &At<String>, link: &LinkSpec) {
    let name = &name.value;
    let carries = || topology.find_host(name).is_some_and(|node| carries_ipv6(topology, node));
    if let Some(mtu) = link.mtu().filter(|mtu| mtu.value < LEAST && carries()) {
        let message =
            format!("the link of `{name}` carries IPv6, which needs an `mtu` of at least {LEAST} (RFC 8200)");
        reader.report(
            Diagnostic::new(Code::OutOfRange, message)
                .at(mtu.span, "too small for IPv6")
                .help(format!("write `mtu: {LEAST}` or more, or leave IPv6 out")),
        );
    }
}

/// True if IPv6 goes over the uplink of a node.
fn carries_ipv6(topology: &Topology, node: NodeId) -> bool {
    topology.nodes().any(|(id, each)| {
        let has_ipv6 = each.addresses.iter().any(IpAddr::is_ipv6)
            || matches!(&each.element, Element::Nat(nat) if nat.ipv6.is_some());
        has_ipv6 && (id == node || topology.ancestors(id).contains(&node))
    })
}
