//! HTTP proxies: who goes through which, and what names mean to them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::addresses::Addresses;
use super::boxes::Boxes;
use crate::plan::{Element, ProxyUse, Topology};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, File, Named};
use crate::scenario::read::Reader;

/// Tells every proxy what the names of servers stand for.
pub fn tell_names(file: &File, addresses: &Addresses, topology: &mut Topology) {
    let mut names: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    for (server, own) in file.servers.iter().zip(&addresses.servers) {
        let host = server.body.host.as_ref().map(|host| host.value.to_ascii_lowercase());
        for name in host.into_iter().chain([server.name.value.clone()]) {
            names.insert(name, own.clone());
        }
    }
    for node in topology.nodes_mut() {
        if let Element::Firewall(firewall) = &mut node.element
            && let Some(proxy) = &mut firewall.proxy
        {
            proxy.names.clone_from(&names);
        }
    }
}

/// The proxy that a peer behind this box goes through.
pub fn of_peer(
    reader: &mut Reader<'_>,
    peer: &Named<file::Peer>,
    boxes: &Boxes<'_>,
    behind: Option<usize>,
    addresses: &Addresses,
) -> Option<SocketAddr> {
    let found = boxes.proxy(behind);
    if let Some(given) = peer.body.proxy.as_ref().filter(|_| found.is_none()) {
        let name = &peer.name.value;
        reader.report(
            Diagnostic::new(Code::MeaninglessKey, format!("nothing that `{name}` is behind has a proxy"))
                .at(given.span, "no effect")
                .help("write `proxy: 3128` in a firewall it is behind, or remove it"),
        );
    }
    let (at, proxy) =
        found.filter(|_| peer.body.proxy.as_ref().is_none_or(|at| at.value == ProxyUse::Auto))?;
    addresses.proxies[at].first().map(|address| SocketAddr::new(*address, proxy.port))
}
