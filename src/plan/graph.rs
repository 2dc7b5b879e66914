//! The topology: nodes, links, and who owns which address in which realm.
//!
//! A *realm* is one address space. The public internet is one; the inside of every NAT is another, so two
//! homes may both be 192.168.1.0/24 (RFC 4787 REQ-7, RFC 6888). Routers and firewalls join links of one realm;
//! only a NAT stands between two.
//!
//! Realms are a matter of IPv4. IPv6 is one address space everywhere, and a NAT that carries it is a router to it.

use std::collections::VecDeque;
use std::net::IpAddr;

use petgraph::graph::{EdgeIndex, NodeIndex, UnGraph};
use petgraph::visit::EdgeRef;
use rustc_hash::FxHashMap;

use super::element::{Element, Link, Nat};
use super::nat64::Nat64Prefix;
use crate::base::{LinkId, NodeId, PortId};

/// The number of an address space.
pub type RealmId = u32;

/// The public internet's realm.
pub const PUBLIC_REALM: RealmId = 0;

/// The nodes and links of a scenario.
#[derive(Debug, Clone)]
pub struct Topology {
    graph: UnGraph<Node, Wire>,
}

/// A node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name in the scenario.
    pub name: String,
    /// What it is.
    pub element: Element,
    /// Which interface of which peer it is; `None`: it is a whole node.
    pub interface: Option<Interface>,
    /// Its addresses: a NAT's outside ones, a server's, peer's or proxy's own; none for routers and other firewalls.
    pub addresses: Vec<IpAddr>,
    /// The realm its uplink lies in.
    pub realm: RealmId,
    /// The realm of what is behind it; the same as `realm` unless it translates.
    pub inner_realm: RealmId,
    /// Its ports in order; port 0 is the uplink. The internet has no uplink and still counts from 0.
    pub ports: Vec<Port>,
}

/// One of the interfaces of a peer that has several networks: a node of its own, named `alice.wlan0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The peer's name.
    pub host: String,
    /// The node of the peer's first interface, which stands for the peer.
    pub first: NodeId,
    /// False: its peer does not use it at the moment, and has no sockets on it.
    pub up: bool,
}

/// A port of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// The link that is plugged in.
    pub link: LinkId,
    /// The node at the other end.
    pub neighbor: NodeId,
}

#[derive(Debug, Clone)]
struct Wire {
    link: Link,
    realm: RealmId,
}

/// Where a node sends packets: exact addresses first, then the default.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    exact: FxHashMap<IpAddr, PortId>,
    default: Option<PortId>,
    /// How many ports the node has.
    ports: u16,
}

impl Topology {
    /// A topology that holds nothing but the `internet`, node 0.
    pub fn new() -> Self {
        let mut graph = UnGraph::default();
        graph.add_node(Node {
            name: Self::INTERNET.into(),
            element: Element::Router,
            interface: None,
            addresses: Vec::new(),
            realm: PUBLIC_REALM,
            inner_realm: PUBLIC_REALM,
            ports: Vec::new(),
        });
        Self { graph }
    }

    /// The name of the node every scenario has.
    pub const INTERNET: &'static str = "internet";

    /// Adds a node behind `parent`, connected by `link`. Nodes must be added parents first.
    pub fn add(
        &mut self,
        parent: NodeId,
        name: impl Into<String>,
        element: Element,
        addresses: Vec<IpAddr>,
        link: Link,
    ) -> NodeId {
        let realm = self.node(parent).inner_realm;
        let next = u32::try_from(self.graph.node_count()).unwrap_or(u32::MAX);
        let translates = matches!(element, Element::Nat(_) | Element::Clat(_));
        let inner_realm = if translates { next } else { realm };
        let index = self.graph.add_node(Node {
            name: name.into(),
            element,
            interface: None,
            addresses,
            realm,
            inner_realm,
            ports: Vec::new(),
        });
        let edge = self.graph.add_edge(index, node_index(parent), Wire { link, realm });
        let (child, link) = (node_id(index), LinkId::new(edge.index() as u32));
        self.graph[index].ports.push(Port { link, neighbor: parent });
        self.graph[node_index(parent)].ports.push(Port { link, neighbor: child });
        child
    }

    /// How many nodes there are; their ids count from 0.
    pub fn node_count(&self) -> usize {
        self.graph.node_count()
    }

    /// How many links there are; their ids count from 0.
    pub fn link_count(&self) -> usize {
        self.graph.edge_count()
    }

    /// All node ids in order.
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.graph.node_count() as u32).map(NodeId::new)
    }

    /// All link ids in order.
    pub fn link_ids(&self) -> impl Iterator<Item = LinkId> + use<> {
        (0..self.graph.edge_count() as u32).map(LinkId::new)
    }

    /// All nodes in the order of their ids.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.node_ids().map(|id| (id, self.node(id)))
    }

    /// All nodes, to change what they are configured with.
    pub fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.graph.node_weights_mut()
    }

    /// The node with this id. Ids come from this topology, so there is one.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.graph[node_index(id)]
    }

    /// The node with this id, to change it.
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.graph[node_index(id)]
    }

    /// The node with this name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.nodes().find(|(_, node)| node.name == name).map(|(id, _)| id)
    }

    /// The node with this name, or the first interface of the peer with this name.
    pub fn find_host(&self, name: &str) -> Option<NodeId> {
        let is_host = |node: &Node| node.interface.as_ref().is_some_and(|interface| interface.host == name);
        self.nodes().find(|(_, node)| node.name == name || is_host(node)).map(|(id, _)| id)
    }

    /// The nodes of all interfaces of the peer that `node` is or belongs to, in the order of the file.
    pub fn interfaces(&self, node: NodeId) -> Vec<NodeId> {
        let Some(own) = &self.node(node).interface else { return vec![node] };
        let is_of_host =
            |node: &Node| node.interface.as_ref().is_some_and(|interface| interface.first == own.first);
        self.nodes().filter(|(_, node)| is_of_host(node)).map(|(id, _)| id).collect()
    }

    /// True unless it is an interface that is down.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.node(node).interface.as_ref().is_none_or(|interface| interface.up)
    }

    /// The link with this id. Ids come from this topology, so there is one.
    pub fn link(&self, id: LinkId) -> &Link {
        &self.graph[EdgeIndex::new(id.index())].link
    }

    /// The link with this id, to change it.
    pub fn link_mut(&mut self, id: LinkId) -> &mut Link {
        &mut self.graph[EdgeIndex::new(id.index())].link
    }

    /// The two ends of a link: the node it was added for first, then that node's parent.
    pub fn ends(&self, id: LinkId) -> (NodeId, NodeId) {
        let (a, b) = self.graph.edge_endpoints(EdgeIndex::new(id.index())).unwrap_or_default();
        (node_id(a), node_id(b))
    }

    /// The link's name in reports: that of the node whose uplink it is.
    pub fn link_name(&self, id: LinkId) -> &str {
        &self.node(self.ends(id).0).name
    }

    /// The node that owns `address` in `realm`: as its own, or as a NAT's gateway. IPv6 addresses are the same in
    /// every realm.
    pub fn owner(&self, realm: RealmId, address: IpAddr) -> Option<NodeId> {
        let here = |of: RealmId| of == realm || address.is_ipv6();
        let is_gateway = |nat: &Nat| nat.gateway == address || nat.ipv6_gateway() == Some(address);
        self.nodes()
            .find(|(_, node)| {
                (here(node.realm) && node.addresses.contains(&address))
                    || matches!(&node.element, Element::Nat(nat) if here(node.inner_realm) && is_gateway(nat))
            })
            .map(|(id, _)| id)
    }

    /// The node `node` is behind; `None` for the internet.
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        let uplink = self.node(node).ports.first()?;
        (self.ends(uplink.link).0 == node).then_some(uplink.neighbor)
    }

    /// The link `node` hangs on; `None` for the internet.
    pub fn uplink(&self, node: NodeId) -> Option<&Link> {
        self.parent(node)?;
        Some(self.link(self.node(node).ports.first()?.link))
    }

    /// The nodes between `node` and the internet, nearest first, the internet excluded.
    pub fn ancestors(&self, node: NodeId) -> Vec<NodeId> {
        let mut above = Vec::new();
        let mut at = node;
        while let Some(parent) = self.parent(at) {
            if self.parent(parent).is_none() {
                break;
            }
            above.push(parent);
            at = parent;
        }
        above
    }

    /// What IPv4 addresses begin with for a host: the prefix of the nearest NAT64 it is behind.
    pub fn nat64_prefix(&self, host: NodeId) -> Option<Nat64Prefix> {
        self.ancestors(host).into_iter().find_map(|above| match &self.node(above).element {
            Element::Nat(nat) => nat.nat64.map(|nat64| nat64.prefix),
            _ => None,
        })
    }

    /// Where `node` sends packets: each IPv4 address of its realms to the port of the shortest way there without
    /// leaving the realm, each IPv6 address to that of the shortest way through boxes that carry IPv6, everything else
    /// to its uplink.
    pub fn routes(&self, node: NodeId) -> RouteTable {
        let here = self.node(node);
        let mut table = RouteTable {
            exact: FxHashMap::default(),
            default: self.parent(node).map(|_| PortId::UPLINK),
            ports: here.ports.len() as u16,
        };
        for space in [Space::Ipv4(here.realm), Space::Ipv4(here.inner_realm), Space::Ipv6] {
            self.add_routes(node, space, &mut table);
        }
        table
    }

    fn add_routes(&self, from: NodeId, space: Space, table: &mut RouteTable) {
        if space == Space::Ipv6 && !carries_ipv6(&self.node(from).element) {
            return;
        }
        let mut seen = vec![false; self.node_count()];
        seen[from.index()] = true;
        let mut queue = VecDeque::new();
        for (number, port) in self.node(from).ports.iter().enumerate() {
            if space.spans(self.wire_realm(port.link)) && !seen[port.neighbor.index()] {
                seen[port.neighbor.index()] = true;
                queue.push_back((port.neighbor, PortId::new(number as u16)));
            }
        }
        while let Some((at, first_port)) = queue.pop_front() {
            let node = self.node(at);
            if space.spans(node.realm) {
                for address in node.addresses.iter().filter(|address| space.holds(address)) {
                    table.exact.entry(*address).or_insert(first_port);
                }
            }
            let passes = match space {
                Space::Ipv4(_) => {
                    matches!(node.element, Element::Router | Element::Firewall(_) | Element::Nat(_))
                }
                Space::Ipv6 => carries_ipv6(&node.element),
            };
            if !passes {
                continue;
            }
            for edge in self.graph.edges(node_index(at)) {
                let next = if edge.source() == node_index(at) { edge.target() } else { edge.source() };
                if space.spans(edge.weight().realm) && !seen[next.index()] {
                    seen[next.index()] = true;
                    queue.push_back((node_id(next), first_port));
                }
            }
        }
    }

    fn wire_realm(&self, link: LinkId) -> RealmId {
        self.graph[EdgeIndex::<u32>::new(link.index())].realm
    }
}

/// Addresses among which routes lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    /// The IPv4 addresses of one realm.
    Ipv4(RealmId),
    /// All IPv6 addresses.
    Ipv6,
}

impl Space {
    fn spans(self, realm: RealmId) -> bool {
        match self {
            Self::Ipv4(own) => own == realm,
            Self::Ipv6 => true,
        }
    }

    const fn holds(self, address: &IpAddr) -> bool {
        match self {
            Self::Ipv4(_) => address.is_ipv4(),
            Self::Ipv6 => address.is_ipv6(),
        }
    }
}

/// True for what passes IPv6 packets on.
const fn carries_ipv6(element: &Element) -> bool {
    match element {
        Element::Router | Element::Firewall(_) | Element::Clat(_) => true,
        Element::Nat(nat) => nat.ipv6.is_some(),
        Element::Server(_) | Element::Peer(_) => false,
    }
}

impl Default for Topology {
    fn default() -> Self {
        Self::new()
    }
}

impl RouteTable {
    /// The port towards `address`; `None`: no route.
    pub fn port_for(&self, address: IpAddr) -> Option<PortId> {
        self.exact.get(&address).copied().or(self.default)
    }

    /// All ports of the node.
    pub fn ports(&self) -> impl Iterator<Item = PortId> + use<> {
        (0..self.ports).map(PortId::new)
    }

    /// The port of a node that is known to be there, not counting the default.
    pub fn exact_port_for(&self, address: IpAddr) -> Option<PortId> {
        self.exact.get(&address).copied()
    }
}

fn node_index(id: NodeId) -> NodeIndex {
    NodeIndex::new(id.index())
}

fn node_id(index: NodeIndex) -> NodeId {
    NodeId::new(index.index() as u32)
}
