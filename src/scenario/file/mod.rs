//! What a scenario file says, section by section: typed, with positions, and not yet checked against itself.

mod calls;
mod events;
mod expect;
mod firewall;
mod ice_server;
mod ipv6;
mod link;
mod media;
mod mesh;
mod nat;
mod nat64;
mod peer;
mod profile;
mod profile_file;
mod proxy;
mod server;

pub use calls::{Call, Signalling};
pub use events::{Action, Event, Side};
pub use expect::{Drops, Expectation, Fact};
pub use firewall::Firewall;
pub use ice_server::Uri;
pub use ipv6::Ipv6;
pub use link::LinkSpec;
pub use nat::{Axes, Nat, Start};
pub use peer::{Leaf, Peer};
pub use server::Server;

use super::diagnostic::{Code, Diagnostic};
use super::keys::{FILE, VERSION};
use super::read::{At, Reader, shortened};
use super::source::Span;
use super::tree::{Node, Value};
use crate::base::SimDuration;

/// A node of a section: its name and its body.
#[derive(Debug)]
pub struct Named<T> {
    /// Its name.
    pub name: At<String>,
    /// What stands under it.
    pub body: T,
    /// True if something is wrong with it, so that complaints about what it lacks may be idle.
    pub broken: bool,
}

/// Larger numbers are no version of any punchlab.
const LAST_VERSION: u64 = 999;

/// A whole file.
#[derive(Debug)]
pub struct File {
    /// `name`.
    pub name: Option<At<String>>,
    /// `seed`.
    pub seed: Option<At<u64>>,
    /// `duration`.
    pub duration: Option<At<SimDuration>>,
    /// `nats`.
    pub nats: Vec<Named<Nat>>,
    /// `firewalls`.
    pub firewalls: Vec<Named<Firewall>>,
    /// `servers`.
    pub servers: Vec<Named<Server>>,
    /// `peers`.
    pub peers: Vec<Named<Peer>>,
    /// `signalling`.
    pub signalling: Signalling,
    /// `calls`; `None` if the section is missing or could not be read.
    pub calls: Option<Vec<Call>>,
    /// Where the section `calls` stands; `None` if there is none.
    pub calls_at: Option<Span>,
    /// `events`, in the order of the file.
    pub events: Vec<Event>,
    /// `expect`.
    pub expect: Vec<Expectation>,
    /// `tags`.
    pub tags: Vec<At<String>>,
    /// Where the file begins, for what is missing as a whole.
    pub span: Span,
    /// True if a section that holds nodes could not be read, so that missing names may be innocent.
    pub lost_nodes: bool,
}

impl File {
    /// The interfaces of all peers, in the order of the file.
    pub fn leaves(&self) -> Vec<Leaf<'_>> {
        self.peers.iter().flat_map(Named::leaves).collect()
    }
}

/// Reads a whole file. What could not be read is left out and reported.
pub fn read(reader: &mut Reader<'_>, root: &Node) -> Option<File> {
    if let Value::Null = root.value {
        reader.report(super::syntax::empty(root.span));
        return None;
    }
    let fields = reader.fields(root, &FILE)?;
    if let Some(node) = fields.get("version") {
        check_version(reader, node);
    }
    let name = fields.get("name").and_then(|node| reader.title("name", node));
    let seed = fields.integer(reader, "seed");
    let duration = fields.get("duration").and_then(|node| reader.leaf("duration", node));
    let mut lost_nodes = false;
    let mut section = |node: Option<&Node>| {
        lost_nodes |= node.is_some_and(|node| !matches!(node.value, Value::Map(_) | Value::Null));
    };
    for key in ["nats", "firewalls", "servers", "peers"] {
        section(fields.get(key));
    }
    let nats = nodes(reader, "nats", fields.get("nats"), nat::read);
    let firewalls = nodes(reader, "firewalls", fields.get("firewalls"), firewall::read);
    let servers = nodes(reader, "servers", fields.get("servers"), server::read);
    let mut peers = nodes(reader, "peers", fields.get("peers"), peer::read);
    for peer in &mut peers {
        for interface in &mut peer.body.interfaces {
            interface.name.value = format!("{}.{}", peer.name.value, interface.name.value);
        }
    }
    let signalling = fields.get("signalling").map(|node| calls::signalling(reader, node)).unwrap_or_default();
    let calls_at = fields.entry("calls").map(|entry| entry.key_span);
    let calls = fields.get("calls").and_then(|node| calls::read(reader, node));
    let events = fields.get("events").map(|node| events::read(reader, node)).unwrap_or_default();
    let expect = fields.get("expect").map(|node| expect::read(reader, node)).unwrap_or_default();
    // Read before everything else: its values are in their places by now.
    let _ = fields.get("matrix");
    let tags = fields.get("tags").map(|node| tags(reader, node)).unwrap_or_default();
    Some(File {
        name,
        seed,
        duration,
        nats,
        firewalls,
        servers,
        peers,
        signalling,
        calls,
        calls_at,
        events,
        expect,
        tags,
        span: root.span,
        lost_nodes,
    })
}

/// Later versions may mean other things by the same keys.
fn check_version(reader: &mut Reader<'_>, node: &Node) {
    let version = reader.integer("version", node, VERSION, LAST_VERSION);
    let Some(version) = version.filter(|version| version.value != VERSION) else { return };
    let message = format!(
        "the scenario format has no version {}; this punchlab reads version {VERSION}",
        version.value
    );
    reader.report(
        Diagnostic::new(Code::NotBuiltYet, message).at(version.span, "a later version").help(format!(
            "get a later punchlab, or write `version: {VERSION}` if the file says nothing newer"
        )),
    );
}

fn tags(reader: &mut Reader<'_>, node: &Node) -> Vec<At<String>> {
    let mut tags: Vec<At<String>> = Vec::new();
    for item in reader.list("tags", node, "names").unwrap_or_default() {
        let Some(tag) = reader.text("tags", item, "a name").map(|at| At::new(at.value.to_owned(), at.span))
        else {
            continue;
        };
        reader.check_name(&tag);
        if tags.iter().any(|known| known.value == tag.value) {
            reader.report(
                Diagnostic::new(Code::DuplicateKey, format!("`tags` has `{}` twice", shortened(&tag.value)))
                    .at(tag.span, "again here")
                    .help("remove one of them"),
            );
        }
        tags.push(tag);
    }
    tags
}

/// The nodes of one section. A node whose body could not be read keeps its name, so that others may refer to it.
fn nodes<T: Default>(
    reader: &mut Reader<'_>,
    section: &str,
    node: Option<&Node>,
    read: fn(&mut Reader<'_>, &Node) -> Option<T>,
) -> Vec<Named<T>> {
    let Some(node) = node else { return Vec::new() };
    let mut found = Vec::new();
    for (name, body) in reader.named(section, node) {
        let before = reader.mistakes();
        reader.check_name(&name);
        let body = read(reader, body).unwrap_or_default();
        found.push(Named { name, body, broken: reader.mistakes() > before });
    }
    found
}
