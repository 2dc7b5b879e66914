//! `peers:`.

use std::net::IpAddr;

use super::ice_server::{self, IceServer};
use super::link::{self, LinkSpec};
use super::server::users;
use crate::plan::{Credentials, Family, IceTransportPolicy, StackKind};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::PEER;
use crate::scenario::read::{At, Reader};
use crate::scenario::tree::{Node, Value};

/// A peer as the file describes it.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "each field is the key of the same name")]
pub struct Peer {
    pub behind: Option<At<String>>,
    pub address: Option<Vec<At<IpAddr>>>,
    pub families: Option<At<Vec<At<Family>>>>,
    pub link: Option<LinkSpec>,
    pub ice_servers: Option<Vec<IceServer>>,
    pub turn_credentials: Option<At<Credentials>>,
    pub ice_transport_policy: Option<At<IceTransportPolicy>>,
    pub agent: Option<At<StackKind>>,
    pub port_mapping: Option<At<bool>>,
}

/// A peer's body.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Peer> {
    let fields = reader.fields(node, &PEER)?;
    if let Some(node) = fields.get("host-candidates") {
        reader.built_word("host-candidates", node, &["visible"], &["mdns", "hidden"]);
    }
    Some(Peer {
        behind: fields.get("behind").and_then(|node| reader.node_name("behind", node)),
        address: fields.get("address").and_then(|node| addresses(reader, node)),
        families: fields.get("families").and_then(|node| families(reader, node)),
        link: fields.get("link").and_then(|node| link::read(reader, node)),
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
    })
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
