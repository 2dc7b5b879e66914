//! Peers and their interfaces become nodes.

use std::net::IpAddr;

use super::addresses::Addresses;
use super::assumed::{Assumed, list, one_or_list};
use super::boxes::Boxes;
use super::families::Families;
use super::link::{link, named_link};
use super::names::{Names, Section};
use super::servers::Placed;
use super::{Above, ice, lite, port_mapping, proxy};
use crate::base::{NodeId, SimDuration};
use crate::plan::{
    Clat, Element, Family, HostCandidates, IceTransportPolicy, Interface, Link, Peer, StackKind, Topology,
};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, File, Named};
use crate::scenario::read::{At, Reader, listed};

/// What peers are made from.
pub struct Ground<'a, 'f> {
    /// The file.
    pub file: &'f File,
    /// Its names.
    pub names: &'a Names<'f>,
    /// What the command line puts above the file.
    pub above: Above<'a>,
    /// What interfaces are behind.
    pub boxes: &'a Boxes<'f>,
    /// The boxes' nodes, by their numbers.
    pub nodes: &'a [Option<NodeId>],
    /// The families of each interface.
    pub families: &'a [Families],
    /// Everybody's addresses.
    pub addresses: &'a Addresses,
    /// The servers' nodes.
    pub servers: &'a [Placed],
}

/// Adds the peers to the topology, each as one node, or as one for each of its interfaces.
pub fn build(
    reader: &mut Reader<'_>,
    ground: &Ground<'_, '_>,
    topology: &mut Topology,
    assumed: &mut Assumed,
) {
    let mut next = 0;
    for peer in &ground.file.peers {
        let leaves = peer.leaves();
        let numbers = next..next + leaves.len();
        next = numbers.end;
        let links: Vec<(NodeId, Link)> = leaves
            .iter()
            .zip(numbers.clone())
            .map(|(leaf, number)| place(reader, ground, *leaf, number, assumed))
            .collect();
        let own: Vec<Vec<IpAddr>> = numbers.clone().map(|number| own_addresses(ground, number)).collect();
        let all = own.concat();
        let nat64 = ground.families[numbers.clone()].iter().find_map(|families| families.nat64);
        let reach = ice::Reach { own: &all, nat64 };
        let key = format!("peers.{}", peer.name.value);
        check_privacy(reader, peer);
        let agent = agent(peer, ground.above, &key, assumed);
        let servers = ice::servers(reader, ground.file, (peer, reach), ground.names, ground.servers, assumed);
        let policy = peer.body.ice_transport_policy.as_ref();
        let config = Peer {
            agent,
            ice_servers: servers,
            ice_transport_policy: policy.map_or(IceTransportPolicy::All, |policy| policy.value),
            port_mapping: None,
            proxy: None,
            ice_lite: lite::is_lite(&peer.body),
            host_candidates: peer
                .body
                .host_candidates
                .as_ref()
                .map_or(HostCandidates::Visible, |mode| mode.value),
        };
        let ways = (ground.file, ground.boxes, ground.addresses);
        let gateways = port_mapping::of_peer(reader, ways, peer, numbers.clone(), assumed);
        let clats = numbers.clone().map(|number| clat(ground, number));
        let behind: Vec<_> = numbers.clone().map(|number| ground.boxes.leaf_parent(number)).collect();
        let proxies = proxy::of_peer(reader, peer, ground.boxes, &behind, ground.addresses);
        let mut first = None;
        let plugs = links.into_iter().zip(clats);
        let asked = gateways.into_iter().zip(proxies);
        for (((leaf, ((mut above, mut link), clat)), addresses), (port_mapping, proxy)) in
            leaves.iter().zip(plugs).zip(own).zip(asked)
        {
            let up = leaf.body.up.as_ref().is_none_or(|up| up.value);
            link.up &= up;
            let name = &leaf.name.value;
            if let Some(clat) = clat {
                // Between a host and its translator there is nothing.
                let inner = Link { mtu: link.mtu, ..Link::with_delay(SimDuration::ZERO) };
                let outside = vec![clat.address.into()];
                above = topology.add(above, Clat::name(name), Element::Clat(clat), outside, link);
                link = inner;
            }
            let element = Element::Peer(Peer { port_mapping, proxy, ..config.clone() });
            let node = topology.add(above, name, element, addresses, link);
            let first = *first.get_or_insert(node);
            if !peer.body.interfaces.is_empty() {
                let host = peer.name.value.clone();
                topology.node_mut(node).interface = Some(Interface { host, first, up });
            }
        }
    }
}

/// The addresses of an interface: the one its translator gives it comes first.
fn own_addresses(ground: &Ground<'_, '_>, number: usize) -> Vec<IpAddr> {
    let by_clat = clat(ground, number).map(|_| IpAddr::from(Clat::HOST));
    by_clat.into_iter().chain(ground.addresses.leaves[number].iter().copied()).collect()
}

/// The translator of an interface that has IPv4 by 464XLAT.
fn clat(ground: &Ground<'_, '_>, number: usize) -> Option<Clat> {
    let (address, prefix) = ground.addresses.clats[number].zip(ground.families[number].nat64)?;
    Some(Clat { prefix, address })
}

/// Names and default routes of several interfaces are not there yet.
fn check_privacy(reader: &mut Reader<'_>, peer: &Named<file::Peer>) {
    let mode = peer.body.host_candidates.as_ref().filter(|mode| mode.value != HostCandidates::Visible);
    if let Some(mode) = mode.filter(|_| peer.body.interfaces.len() > 1) {
        reader.report(
            Diagnostic::new(
                Code::NotBuiltYet,
                format!(
                    "`host-candidates: {}` of a peer with several interfaces is not built yet",
                    mode.value
                ),
            )
            .at(mode.span, "not in this version")
            .help("leave the key out, or give the peer one interface"),
        );
    }
}

/// Where an interface is plugged in, and by which link.
fn place(
    reader: &mut Reader<'_>,
    ground: &Ground<'_, '_>,
    leaf: file::Leaf<'_>,
    number: usize,
    assumed: &mut Assumed,
) -> (NodeId, Link) {
    let parent = ground.boxes.leaf_parent(number);
    let above = parent.and_then(|parent| ground.nodes[parent]).unwrap_or(NodeId::new(0));
    let key = leaf.key();
    if leaf.body.behind.is_none() {
        assumed.note(&key, "behind", Topology::INTERNET);
    }
    let own = &ground.addresses.leaves[number];
    let Families { ipv4, ipv6, .. } = ground.families[number];
    if leaf.body.families.is_none() && ipv6 {
        let all: &[Family] = if ipv4 { Family::ALL } else { &[Family::Ipv6] };
        assumed.note(&key, "families", list(all));
    }
    if leaf.body.address.as_ref().map_or(0, Vec::len) < own.len() {
        assumed.note(&key, "address", one_or_list(own));
    }
    let default = if parent.is_some() { "lan" } else { "broadband" };
    (above, link(reader, leaf.body.link.as_ref(), named_link(default), &key, assumed))
}

/// The stack of a peer: what is said about it alone counts more than what is said about all.
fn agent(peer: &Named<file::Peer>, above: Above<'_>, key: &str, assumed: &mut Assumed) -> StackKind {
    let own =
        above.peer_agents.iter().rfind(|(name, _)| name.value == peer.name.value).map(|(_, stack)| *stack);
    let given = peer.body.agent.as_ref().map(|at| at.value);
    let is_guest = above.endpoints().any(|name| name.value == peer.name.value);
    own.or(above.agent).or(given).unwrap_or_else(|| {
        if !is_guest {
            assumed.note(key, "agent", StackKind::Is);
        }
        StackKind::Is
    })
}

/// Every `--agent PEER=STACK` has to mean a peer.
pub fn check_agents(reader: &mut Reader<'_>, names: &Names<'_>, above: Above<'_>) {
    for (name, stack) in above.peer_agents {
        let what = format!("`--agent` gives `{stack}` to");
        names.expect(reader, name, &[Section::Peer], &what, "write the name of a peer");
    }
}

/// The node of a name that is known to be somebody's; of a peer with one interface that interface's. `what` begins the
/// message for a peer with several: "`set-link` changes the uplink of".
pub fn one_node(
    reader: &mut Reader<'_>,
    topology: &Topology,
    name: &At<String>,
    what: &str,
) -> Option<NodeId> {
    if let Some(node) = topology.find(&name.value) {
        return Some(node);
    }
    let interfaces = topology.interfaces(topology.find_host(&name.value)?);
    if let [only] = interfaces.as_slice() {
        return Some(*only);
    }
    let names = interfaces.iter().map(|node| topology.node(*node).name.as_str());
    reader.report(
        Diagnostic::new(
            Code::WrongNode,
            format!("{what} `{}`, which has {} interfaces", name.value, interfaces.len()),
        )
        .at(name.span, "which of them?")
        .help(format!("write one of {}", listed(names))),
    );
    None
}
