//! `servers:`.

use std::net::IpAddr;

use super::link::{self, LinkSpec};
use crate::base::{PortRange, SimDuration};
use crate::plan::{Credentials, Listen, Transport};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::SERVER;
use crate::scenario::read::{At, Fields, Leaf, Reader};
use crate::scenario::source::Span;
use crate::scenario::tree::Node;

/// A server as the file describes it.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "each field is the key of the same name")]
pub struct Server {
    pub stun: Vec<At<Listen>>,
    pub turn: Vec<At<Listen>>,
    pub addresses: Option<Vec<At<IpAddr>>>,
    pub ipv6: Option<At<bool>>,
    pub host: Option<At<String>>,
    pub up: Option<At<bool>>,
    pub link: Option<LinkSpec>,
    pub users: Option<Vec<Credentials>>,
    pub realm: Option<At<String>>,
    pub quota_per_user: Option<At<u64>>,
    pub relay_port_range: Option<At<PortRange>>,
    pub allocation_lifetime: Option<At<SimDuration>>,
    pub max_allocation_lifetime: Option<At<SimDuration>>,
    pub permission_lifetime: Option<At<SimDuration>>,
    pub channel_lifetime: Option<At<SimDuration>>,
    pub channel_cooldown: Option<At<SimDuration>>,
    pub nonce_lifetime: Option<At<SimDuration>>,
}

/// The keys that only a TURN server can have.
const TURN_KEYS: [&str; 10] = [
    "users",
    "realm",
    "quota-per-user",
    "relay-port-range",
    "allocation-lifetime",
    "max-allocation-lifetime",
    "permission-lifetime",
    "channel-lifetime",
    "channel-cooldown",
    "nonce-lifetime",
];

/// A server's body.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Server> {
    let before = reader.mistakes();
    let fields = reader.fields(node, &SERVER)?;
    let lifetime = |reader: &mut Reader<'_>, key: &'static str| {
        fields.get(key).and_then(|node| reader.lifetime(key, node))
    };
    let server = Server {
        stun: fields.get("stun").map(|node| ports(reader, "stun", node)).unwrap_or_default(),
        turn: fields.get("turn").map(|node| ports(reader, "turn", node)).unwrap_or_default(),
        addresses: addresses(reader, &fields),
        ipv6: fields.get("ipv6").and_then(|node| reader.truth("ipv6", node)),
        host: fields.get("host").and_then(|node| host(reader, node)),
        up: fields.get("up").and_then(|node| reader.truth("up", node)),
        link: fields.get("link").and_then(|node| link::read(reader, node)),
        users: fields.get("users").and_then(|node| users(reader, "users", node)),
        realm: fields.get("realm").and_then(|node| {
            let text = reader.text("realm", node, "a realm such as `punchlab.test`")?;
            reader.credential("realm", text.value, text.span)
        }),
        quota_per_user: fields.integer(reader, "quota-per-user"),
        relay_port_range: fields
            .get("relay-port-range")
            .and_then(|node| reader.leaf("relay-port-range", node)),
        allocation_lifetime: lifetime(reader, "allocation-lifetime"),
        max_allocation_lifetime: lifetime(reader, "max-allocation-lifetime"),
        permission_lifetime: lifetime(reader, "permission-lifetime"),
        channel_lifetime: lifetime(reader, "channel-lifetime"),
        channel_cooldown: fields
            .get("channel-cooldown")
            .and_then(|node| reader.leaf("channel-cooldown", node)),
        nonce_lifetime: lifetime(reader, "nonce-lifetime"),
    };
    tcp_and_tls_on_one_port(reader, &server);
    if reader.mistakes() == before {
        offers_something(reader, &fields, node.span);
    }
    Some(server)
}

fn offers_something(reader: &mut Reader<'_>, fields: &Fields<'_>, span: Span) {
    if fields.entry("stun").is_none() && fields.entry("turn").is_none() {
        reader.report(
            Diagnostic::new(Code::MissingKey, "this server offers neither STUN nor TURN")
                .at(span, "no `stun` and no `turn`")
                .help("add `stun: [3478/udp]`, `turn: [3478/udp]` or both"),
        );
    } else if let Some(entry) = fields.first_of(TURN_KEYS).filter(|_| fields.entry("turn").is_none()) {
        reader.report(
            Diagnostic::new(
                Code::MeaninglessKey,
                format!("`{}` has no effect on a server without TURN", entry.key),
            )
            .at(entry.key_span, "no effect")
            .help("add `turn: [3478/udp]`, or remove the key"),
        );
    }
}

fn ports(reader: &mut Reader<'_>, key: &str, node: &Node) -> Vec<At<Listen>> {
    let Some(items) = reader.list(key, node, Listen::KIND) else { return Vec::new() };
    if items.is_empty() {
        reader.report(
            Diagnostic::new(Code::BadValue, format!("`{key}` is an empty list"))
                .at(node.span, "nothing in it")
                .help(format!("write `{key}: [3478/udp]`, or remove `{key}`")),
        );
    }
    let mut ports: Vec<At<Listen>> = Vec::new();
    for item in items {
        let Some(listen) = reader.leaf::<Listen>(key, item) else { continue };
        if let Some(first) = ports.iter().find(|other| other.value == listen.value) {
            reader.report(
                Diagnostic::new(Code::DuplicateKey, format!("`{key}` names {} twice", listen.value))
                    .at(listen.span, "again here")
                    .see(first.span, "first here")
                    .help("remove one of them"),
            );
            continue;
        }
        ports.push(listen);
    }
    ports
}

/// TLS runs over TCP: no port can have both.
fn tcp_and_tls_on_one_port(reader: &mut Reader<'_>, server: &Server) {
    let listen: Vec<&At<Listen>> = server.stun.iter().chain(&server.turn).collect();
    for (index, one) in listen.iter().enumerate() {
        let clash = listen[..index].iter().find(|other| {
            let words = [one.value.transport, other.value.transport];
            one.value.port == other.value.port
                && matches!(words, [Transport::Tcp, Transport::Tls] | [Transport::Tls, Transport::Tcp])
        });
        if let Some(other) = clash {
            let port = one.value.port;
            let message = format!("`{}` and `{}` both listen on TCP port {port}", other.value, one.value);
            reader.report(
                Diagnostic::new(Code::DuplicateKey, message)
                    .at(one.span, "taken")
                    .see(other.span, "by this one")
                    .help("keep one, or move one to another port"),
            );
        }
    }
}

fn addresses(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Vec<At<IpAddr>>> {
    let one = fields.get("address").and_then(|node| reader.address("address", node));
    let several = fields.get("addresses").and_then(|node| reader.addresses("addresses", node));
    if let (Some(first), Some(second)) = (fields.entry("address"), fields.entry("addresses")) {
        reader.report(
            Diagnostic::new(Code::MeaninglessKey, "a server has either `address` or `addresses`")
                .at(second.key_span, "given here as well")
                .see(first.key_span, "`address` is given here")
                .help("remove one of them"),
        );
    }
    let of = |is_wanted: fn(&IpAddr) -> bool| {
        several.iter().flatten().filter(move |address| is_wanted(&address.value)).nth(2)
    };
    if let Some(third) = of(IpAddr::is_ipv4).or(of(IpAddr::is_ipv6)) {
        reader.report(
            Diagnostic::new(Code::OutOfRange, "a server has at most two addresses of a family")
                .at(third.span, "one too many")
                .help("two are what RFC 5780's behaviour discovery needs; add another server for more"),
        );
    }
    several.or(one.map(|address| vec![address]))
}

fn host(reader: &mut Reader<'_>, node: &Node) -> Option<At<String>> {
    let text = reader.text("host", node, "a DNS name such as `turn.example.org`")?;
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = text.value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if text.value.len() > 253 || numeric || !text.value.split('.').all(label) {
        let message = format!("`host: {}` is not a DNS name", crate::scenario::read::shortened(text.value));
        let help = if numeric {
            "write an address as `address:`"
        } else {
            "write a name such as `turn.example.org`"
        };
        reader.report(Diagnostic::new(Code::BadName, message).at(text.span, "not a DNS name").help(help));
        return None;
    }
    Some(At::new(text.value.to_ascii_lowercase(), text.span))
}

/// User names and passwords.
pub fn users(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<Vec<Credentials>> {
    let named = reader.named(key, node);
    if named.is_empty() {
        if let crate::scenario::tree::Value::Map(_) | crate::scenario::tree::Value::Null = node.value {
            reader.report(
                Diagnostic::new(Code::BadCredentials, format!("`{key}` names nobody"))
                    .at(node.span, "nobody here")
                    .help(format!(
                        "write `{key}: {{ demo: secret }}`, or remove it to get the right ones generated"
                    )),
            );
        }
        return None;
    }
    let most = reader.limits.list_entries;
    if named.len() > most {
        reader.report(
            Diagnostic::new(
                Code::Limit,
                format!("`{key}` has {} entries; at most {most} are allowed", named.len()),
            )
            .at(named[most].0.span, "the first one too many")
            .help("raise the limit with `--limit list-entries=N` if it is really needed"),
        );
        return None;
    }
    let mut users = Vec::new();
    for (name, password) in named {
        let username = reader.credential("user name", &name.value, name.span)?;
        if username.value.contains(':') {
            reader.report(
                Diagnostic::new(Code::BadCredentials, format!("the user name `{}` holds a colon", username.value))
                    .at(username.span, "not usable")
                    .help("the key of long-term credentials joins user, realm and password with colons (RFC 8489 section 18.5.1)"),
            );
            return None;
        }
        let password = reader.text(&name.value, password, "a password")?;
        let password = reader.credential("password", password.value, password.span)?;
        users.push(Credentials { username: username.value, password: password.value });
    }
    Some(users)
}
