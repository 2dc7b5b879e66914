//! `peers:`.

use std::net::IpAddr;

use super::ice_server::{self, IceServer};
use super::link::{self, LinkSpec};
use super::server::users;
use crate::plan::{Credentials, IceTransportPolicy, StackKind};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::PEER;
use crate::scenario::read::{At, Reader};
use crate::scenario::tree::Node;

/// A peer as the file describes it.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "each field is the key of the same name")]
pub struct Peer {
    pub behind: Option<At<String>>,
    pub address: Option<At<IpAddr>>,
    pub link: Option<LinkSpec>,
    pub ice_servers: Option<Vec<IceServer>>,
    pub turn_credentials: Option<At<Credentials>>,
    pub ice_transport_policy: Option<At<IceTransportPolicy>>,
    pub agent: Option<At<StackKind>>,
}

/// A peer's body.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Peer> {
    let fields = reader.fields(node, &PEER)?;
    if let Some(node) = fields.get("families")
        && let Some(items) = reader.list("families", node, "`[ipv4]`")
    {
        let mut has_ipv4 = false;
        for item in items {
            let is_ipv4 = reader.built_word("families", item, &["ipv4"], &["ipv6"]);
            if is_ipv4 && has_ipv4 {
                reader.report(
                    Diagnostic::new(Code::DuplicateKey, "`families` has `ipv4` twice")
                        .at(item.span, "again here")
                        .help("remove one of them"),
                );
            }
            has_ipv4 |= is_ipv4;
        }
        if items.is_empty() {
            reader.report(
                Diagnostic::new(Code::BadValue, "`families` is an empty list")
                    .at(node.span, "nothing in it")
                    .help("write `families: [ipv4]`"),
            );
        }
    }
    if let Some(node) = fields.get("host-candidates") {
        reader.built_word("host-candidates", node, &["visible"], &["mdns", "hidden"]);
    }
    Some(Peer {
        behind: fields.get("behind").and_then(|node| reader.node_name("behind", node)),
        address: fields.get("address").and_then(|node| reader.address("address", node)),
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
    })
}
