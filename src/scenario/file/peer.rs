//! `peers:`.

use std::net::IpAddr;

use super::Named;
use super::ice_server::{self, IceServer};
use super::link::{self, LinkSpec};
use super::server::users;
use crate::plan::{Credentials, Family, HostCandidates, IceTransportPolicy, ProxyUse, StackKind};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::{INTERFACE, PEER};
use crate::scenario::read::{At, Fields, Reader};
use crate::scenario::tree::{Entry, Node, Value};

/// A peer as the file describes it.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "each field is the key of the same name")]
pub struct Peer {
    /// Its one interface, unless `interfaces` has some.
    pub alone: Interface,
    /// Each by the name of its node: `alice.wlan0`.
    pub interfaces: Vec<Named<Interface>>,
    pub ice_servers: Option<Vec<IceServer>>,
    pub turn_credentials: Option<At<Credentials>>,
    pub ice_transport_policy: Option<At<IceTransportPolicy>>,
    pub agent: Option<At<StackKind>>,
    pub port_mapping: Option<At<bool>>,
    pub proxy: Option<At<ProxyUse>>,
    pub ice_lite: Option<At<bool>>,
    pub host_candidates: Option<At<HostCandidates>>,
}

/// How a peer is connected.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "each field is the key of the same name")]
pub struct Interface {
    pub behind: Option<At<String>>,
    pub address: Option<Vec<At<IpAddr>>>,
    pub families: Option<At<Vec<At<Family>>>>,
    pub link: Option<LinkSpec>,
    pub clat: Option<At<bool>>,
    pub up: Option<At<bool>>,
}

/// An interface and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Leaf<'f> {
    /// The peer.
    pub peer: &'f Named<Peer>,
    /// The name of its node: the peer's, or `alice.wlan0` if that has several.
    pub name: &'f At<String>,
    /// What stands under it.
    pub body: &'f Interface,
}

impl Named<Peer> {
    /// The peer's interfaces, one at least.
    pub fn leaves(&self) -> Vec<Leaf<'_>> {
        let named = self.body.interfaces.iter();
        let mut leaves: Vec<Leaf<'_>> =
            named.map(|each| Leaf { peer: self, name: &each.name, body: &each.body }).collect();
        if leaves.is_empty() {
            leaves.push(Leaf { peer: self, name: &self.name, body: &self.body.alone });
        }
        leaves
    }
}

impl Leaf<'_> {
    /// Its place in the file: `peers.alice`, or `peers.alice.interfaces.wlan0`.
    pub fn key(&self) -> String {
        let peer = &self.peer.name.value;
        match self.name.value.strip_prefix(peer.as_str()).and_then(|rest| rest.strip_prefix('.')) {
            Some(own) => format!("peers.{peer}.interfaces.{own}"),
            None => format!("peers.{peer}"),
        }
    }
}

/// A peer's body.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Peer> {
    let fields = reader.fields(node, &PEER)?;
    let interfaces = fields.entry("interfaces").map(|entry| interfaces(reader, &fields, entry));
    Some(Peer {
        alone: Interface {
            clat: fields.get("clat").and_then(|node| reader.truth("clat", node)),
            ..interface(reader, &fields)
        },
        interfaces: interfaces.unwrap_or_default(),
        ice_servers: fields.get("ice-servers").and_then(|node| ice_server::read(reader, node)),
        turn_credentials: fields.entry("turn-credentials").and_then(|entry| {
            let span = entry.key_span;
            let mut users = users(reader, "turn-credentials", &entry.value)?;
            if users.len() > 1 {
                reader.report(
                    Diagnostic::new(Code::BadCredentials, "a peer logs in as one user")
                        .at(entry.value.span, "several users here")
                        .help("write `turn-credentials: { demo: secret }`"),
                );
            }
            users.pop().map(|user| At::new(user, span))
        }),
        ice_transport_policy: fields
            .get("ice-transport-policy")
            .and_then(|node| reader.word("ice-transport-policy", node)),
        agent: fields.get("agent").and_then(|node| reader.word("agent", node)),
        port_mapping: fields.get("port-mapping").and_then(|node| reader.truth("port-mapping", node)),
        proxy: fields.get("proxy").and_then(|node| reader.word("proxy", node)),
        host_candidates: fields.get("host-candidates").and_then(|node| reader.word("host-candidates", node)),
        ice_lite: fields.get("ice-lite").and_then(|node| reader.truth("ice-lite", node)),
    })
}

/// What stands with a peer that has one interface, or with one of several. `clat` is a key of the
/// former alone, `up` of the latter.
fn interface(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Interface {
    Interface {
        behind: fields.get("behind").and_then(|node| reader.node_name("behind", node)),
        address: fields.get("address").and_then(|node| addresses(reader, node)),
        families: fields.get("families").and_then(|node| families(reader, node)),
        link: fields.get("link").and_then(|node| link::read(reader, node)),
        clat: None,
        up: None,
    }
}

fn interfaces(reader: &mut Reader<'_>, peer: &Fields<'_>, entry: &Entry) -> Vec<Named<Interface>> {
    for beside in ["behind", "address", "link", "families"].into_iter().filter_map(|key| peer.entry(key)) {
        reader.report(
            Diagnostic::new(
                Code::Contradiction,
                format!("`{}` stands beside `interfaces`, each of which has its own", beside.key),
            )
            .at(beside.key_span, "of which interface?")
            .see(entry.key_span, "the interfaces")
            .help(format!("move `{}` to one of the interfaces", beside.key)),
        );
    }
    if let Some(clat) = peer.entry("clat") {
        reader.report(
            Diagnostic::new(Code::NotBuiltYet, "`clat` of a peer with several interfaces is not built yet")
                .at(clat.key_span, "not in this version")
                .see(entry.key_span, "the interfaces")
                .help("leave the key out, or give the peer one interface"),
        );
    }
    let named = reader.named("interfaces", &entry.value);
    if matches!(&entry.value.value, Value::Null)
        || matches!(&entry.value.value, Value::Map(map) if map.is_empty())
    {
        reader.report(
            Diagnostic::new(Code::BadValue, "`interfaces` says nothing")
                .at(entry.value.span, "nothing in it")
                .help("write something such as `interfaces: { wlan0: { behind: home } }`, or remove it"),
        );
    }
    let mut found = Vec::new();
    for (name, body) in named {
        let before = reader.mistakes();
        reader.check_name(&name);
        let fields = reader.fields(body, &INTERFACE);
        let body = fields.map(|fields| Interface {
            up: fields.get("up").and_then(|node| reader.truth("up", node)),
            ..interface(reader, &fields)
        });
        found.push(Named { name, body: body.unwrap_or_default(), broken: reader.mistakes() > before });
    }
    found
}

/// One address, or one of each family.
fn addresses(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<At<IpAddr>>> {
    let addresses = match &node.value {
        Value::List(_) => reader.addresses("address", node)?,
        _ => vec![reader.address("address", node)?],
    };
    for (index, address) in addresses.iter().enumerate() {
        let is_alike = |other: &&At<IpAddr>| other.value.is_ipv4() == address.value.is_ipv4();
        if let Some(first) = addresses[..index].iter().find(is_alike) {
            reader.report(
                Diagnostic::new(Code::OutOfRange, "a peer has one address of each family")
                    .at(address.span, "one too many")
                    .see(first.span, "the first one")
                    .help("remove one of them"),
            );
            return None;
        }
    }
    Some(addresses)
}

fn families(reader: &mut Reader<'_>, node: &Node) -> Option<At<Vec<At<Family>>>> {
    let items = reader.list("families", node, "`[ipv4, ipv6]`")?;
    if items.is_empty() {
        reader.report(
            Diagnostic::new(Code::BadValue, "`families` is an empty list")
                .at(node.span, "nothing in it")
                .help("write `families: [ipv4]`"),
        );
        return None;
    }
    let mut families: Vec<At<Family>> = Vec::new();
    for item in items {
        let family: At<Family> = reader.word("families", item)?;
        if families.iter().any(|other| other.value == family.value) {
            reader.report(
                Diagnostic::new(Code::DuplicateKey, format!("`families` has `{}` twice", family.value))
                    .at(item.span, "again here")
                    .help("remove one of them"),
            );
        } else {
            families.push(family);
        }
    }
    Some(At::new(families, node.span))
}
