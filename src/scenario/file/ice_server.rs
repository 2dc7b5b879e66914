//! `ice-servers:`: `stun:`, `turn:` and `turns:` URIs (RFC 7064, RFC 7065), alone or in WebRTC's objects.

use std::net::Ipv6Addr;

use super::super::tree::{Entry, Node, Value};
use crate::plan::{Credentials, IceServerKind, Transport, default_port};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::ICE_SERVER;
use crate::scenario::read::{At, Reader, nearest, shortened, units};

/// A server a peer is told of.
#[derive(Debug)]
pub struct IceServer {
    /// Where it is.
    pub uri: At<Uri>,
    /// The credentials given beside it.
    pub credentials: Option<Credentials>,
}

/// A parsed URI.
#[derive(Debug)]
pub struct Uri {
    /// The scheme.
    pub kind: IceServerKind,
    /// What is spoken to it.
    pub transport: Transport,
    /// Who.
    pub target: Target,
}

/// The schemes that name a server agents can use.
#[derive(Debug, Clone, Copy)]
enum Scheme {
    Stun,
    Turn,
    Turns,
}

/// The host and port of a URI.
#[derive(Debug)]
pub struct Target {
    /// A name, a DNS name or an address.
    pub host: String,
    /// The port; `None` if it is not given.
    pub port: Option<u16>,
}

const KIND: &str = "URIs such as `stun:stun` or `turn:turn?transport=udp`";

/// The whole list.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<IceServer>> {
    let alone = [node];
    let items: Vec<&Node> = match &node.value {
        Value::Map(_) => alone.to_vec(),
        _ => reader.list("ice-servers", node, KIND)?.iter().collect(),
    };
    let mut servers = Vec::new();
    for item in items {
        match &item.value {
            Value::Map(entries) if is_broken_uri(entries.first()) => unquoted(reader, &entries[0]),
            Value::Map(_) => object(reader, item, &mut servers),
            _ => servers
                .extend(uri(reader, "ice-servers", item).map(|uri| IceServer { uri, credentials: None })),
        }
    }
    let most = reader.limits.list_entries;
    if let Some(extra) = servers.get(most) {
        reader.report(
            Diagnostic::new(
                Code::Limit,
                format!("`ice-servers` names {} servers; at most {most} are allowed", servers.len()),
            )
            .at(extra.uri.span, "the first one too many")
            .help("raise the limit with `--limit list-entries=N` if it is really needed"),
        );
        return None;
    }
    Some(servers)
}

/// `stun: example` with a space, and `{ stun:example }`, are maps in YAML.
fn is_broken_uri(entry: Option<&Entry>) -> bool {
    let scheme = entry.map(|entry| entry.key.split(':').next().unwrap_or_default());
    scheme.is_some_and(|scheme| matches!(scheme, "stun" | "turn" | "stuns" | "turns"))
}

fn unquoted(reader: &mut Reader<'_>, entry: &Entry) {
    let diagnostic = if entry.key.contains(':') {
        Diagnostic::new(Code::BadUri, "in YAML braces make a map, not a list")
            .at(entry.key_span, "a URI where a key would stand")
            .help(format!("write `[{}]`", shortened(&entry.key)))
    } else {
        Diagnostic::new(Code::BadUri, "a URI has no space after its colon")
            .at(entry.key_span, "YAML reads this as a key")
            .help(format!("write `{}:NAME` without a space", entry.key))
    };
    reader.report(diagnostic);
}

fn object(reader: &mut Reader<'_>, node: &Node, servers: &mut Vec<IceServer>) {
    let Some(fields) = reader.fields(node, &ICE_SERVER) else { return };
    let username = fields.get("username").and_then(|node| {
        let text = reader.text("username", node, "a user name")?;
        reader.credential("user name", text.value, text.span)
    });
    let credential = fields.get("credential").and_then(|node| {
        let text = reader.text("credential", node, "a password")?;
        reader.credential("password", text.value, text.span)
    });
    for (has, needs) in [("username", "credential"), ("credential", "username")] {
        if let Some(entry) = fields.entry(has).filter(|_| fields.entry(needs).is_none()) {
            reader.report(
                Diagnostic::new(Code::BadCredentials, format!("`{has}` is given without `{needs}`"))
                    .at(entry.key_span, "only half of the credentials")
                    .help(format!("add `{needs}`, or remove `{has}` to use the right ones")),
            );
        }
    }
    let Some(urls) = fields.get("urls") else {
        reader.report(
            Diagnostic::new(Code::MissingKey, "an entry of `ice-servers` has no `urls`")
                .at(node.span, "no `urls`")
                .help("write `urls: turn:NAME`"),
        );
        return;
    };
    let items = reader.list("urls", urls, KIND).unwrap_or_default();
    if matches!(&urls.value, Value::List(items) if items.is_empty()) {
        reader.report(
            Diagnostic::new(Code::BadValue, "`urls` is an empty list")
                .at(urls.span, "nothing in it")
                .help("write `urls: turn:NAME`, or remove the whole entry"),
        );
    }
    let uris: Vec<At<Uri>> = items.iter().filter_map(|item| uri(reader, "urls", item)).collect();
    let uses_turn = uris.iter().any(|uri| uri.value.kind == IceServerKind::Turn);
    if let Some(entry) = fields.entry("username").filter(|_| !uses_turn && !uris.is_empty()) {
        reader.report(
            Diagnostic::new(Code::MeaninglessKey, "STUN needs no credentials")
                .at(entry.key_span, "no effect beside `stun:` URIs")
                .help("remove `username` and `credential`"),
        );
    }
    let credentials = username
        .zip(credential)
        .map(|(username, credential)| Credentials { username: username.value, password: credential.value });
    for uri in uris {
        let credentials = credentials.clone().filter(|_| uri.value.kind == IceServerKind::Turn);
        servers.push(IceServer { uri, credentials });
    }
}

fn uri(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<At<Uri>> {
    let text = reader.text(key, node, "a URI such as `stun:stun`")?;
    match parse(text.value) {
        Ok(uri) => Some(At::new(uri, text.span)),
        Err(diagnostic) => {
            reader.report(diagnostic.at(text.span, "not usable"));
            None
        }
    }
}

fn parse(text: &str) -> Result<Uri, Diagnostic> {
    let bad = |problem: &str, help: String| {
        Diagnostic::new(Code::BadUri, format!("the URI `{}` {problem}", shortened(text))).help(help)
    };
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err(bad("has no scheme", format!("write `stun:{text}` or `turn:{text}`")));
    };
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "stun" => Scheme::Stun,
        "turn" => Scheme::Turn,
        "turns" => Scheme::Turns,
        "stuns" => {
            let (host, _) = split_port(rest);
            return Err(bad(
                "is STUN over TLS, which tells a TCP port that no UDP candidate can use",
                format!("write `stun:{}`, or remove the entry", shortened(host)),
            ));
        }
        other => {
            let near = nearest(other, ["stun", "turn", "turns"]).unwrap_or("stun");
            return Err(bad("has an unknown scheme", format!("write `{near}:{}`", shortened(rest))));
        }
    };
    let word = scheme.word();
    if rest.starts_with("//") {
        let host = shortened(rest.trim_start_matches('/'));
        return Err(bad(
            "has slashes",
            format!("write `{word}:{host}`: these URIs have none (RFC 7064, RFC 7065)"),
        ));
    }
    let (authority, query) =
        rest.split_once('?').map_or((rest, None), |(authority, query)| (authority, Some(query)));
    let (kind, transport) = match (scheme, query) {
        (Scheme::Stun, None) => (IceServerKind::Stun, Transport::Udp),
        (Scheme::Turn, None | Some("transport=udp")) => (IceServerKind::Turn, Transport::Udp),
        (Scheme::Turn, Some("transport=tcp")) => (IceServerKind::Turn, Transport::Tcp),
        (Scheme::Turns, None | Some("transport=tcp")) => (IceServerKind::Turn, Transport::Tls),
        (Scheme::Turns, Some("transport=udp")) => {
            let message = format!(
                "`{}` is TURN over DTLS, which this version of punchlab does not have",
                shortened(text)
            );
            return Err(Diagnostic::new(Code::NotBuiltYet, message)
                .help(format!("write `turns:{}?transport=tcp`", shortened(authority))));
        }
        (Scheme::Turn, Some(_)) => {
            let help = "write `?transport=udp`, `?transport=tcp` or nothing (RFC 7065)";
            return Err(bad("has an unknown query", help.into()));
        }
        (Scheme::Turns, Some(_)) => {
            return Err(bad("has an unknown query", "write `?transport=tcp` or nothing (RFC 7065)".into()));
        }
        (Scheme::Stun, Some(_)) => {
            return Err(bad(
                "has a query",
                format!("write `stun:{}`: a `stun:` URI has none (RFC 7064)", shortened(authority)),
            ));
        }
    };
    if authority.contains('@') {
        return Err(bad(
            "holds credentials",
            "give them in `turn-credentials`, or as `username` and `credential`".into(),
        ));
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        let help = format!("write `{word}:[{authority}]`: an IPv6 address stands in brackets (RFC 3986)");
        return Err(bad("has an IPv6 address without brackets", help));
    }
    let (host, port) = match split_port(authority) {
        (host, None) => (host, None),
        (host, Some(digits)) => {
            let port = units::port(digits).map_err(|_| {
                bad(
                    "has a port that is not a number from 1 to 65535",
                    format!("write `{word}:{}:{}`", shortened(host), default_port(transport)),
                )
            })?;
            (host, Some(port))
        }
    };
    let host = match host.strip_prefix('[') {
        None => host,
        Some(inner) => {
            inner.strip_suffix(']').filter(|inner| inner.parse::<Ipv6Addr>().is_ok()).ok_or_else(|| {
                let help = format!("write `{word}:[2001:db8::1]`, or the name of a server");
                bad("has brackets around what is no IPv6 address", help)
            })?
        }
    };
    if host.is_empty() || host.contains(['/', ' ', '#']) {
        return Err(bad("names no host", format!("write `{word}:NAME` with the name of a server")));
    }
    Ok(Uri { kind, transport, target: Target { host: host.to_ascii_lowercase(), port } })
}

impl Scheme {
    fn word(self) -> &'static str {
        match self {
            Self::Stun => "stun",
            Self::Turn => "turn",
            Self::Turns => "turns",
        }
    }
}

/// The host and, behind a colon, the port. Colons within brackets belong to the host.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let host_ends = authority.find(']').map_or(0, |bracket| bracket + 1);
    match authority[host_ends..].find(':') {
        None => (authority, None),
        Some(colon) => (&authority[..host_ends + colon], Some(&authority[host_ends + colon + 1..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_follow_rfc_7064_and_rfc_7065() {
        let target = |text| parse(text).ok().map(|uri| (uri.kind, uri.target.host, uri.target.port));
        assert_eq!(target("stun:stun"), Some((IceServerKind::Stun, "stun".into(), None)));
        assert_eq!(
            target("turn:a.example:5349"),
            Some((IceServerKind::Turn, "a.example".into(), Some(5349)))
        );
        assert_eq!(
            target("turn:[2001:db8::1]:5349"),
            Some((IceServerKind::Turn, "2001:db8::1".into(), Some(5349)))
        );
        assert_eq!(target("stun:[2001:DB8::1]"), Some((IceServerKind::Stun, "2001:db8::1".into(), None)));
        assert_eq!(target("TURN:x?transport=udp"), Some((IceServerKind::Turn, "x".into(), None)));
        for text in [
            "stun",
            "stun:",
            "stun:x?transport=udp",
            "turn:x?transport=quic",
            "stun://x",
            "turn:u:p@x",
            "turn:x:0",
            "turn:x:99999",
            "é:x",
            "stuns",
            "turnsé:x",
            "stun:2001:db8::1",
            "stun:[2001:db8::1",
            "stun:[192.0.2.1]",
            "stun:[]",
            "stun:[2001:db8::1]x:3478",
            "stun:[2001:db8::1]:0",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_scheme_and_the_query_say_what_is_spoken() {
        let transport = |text| parse(text).map(|uri| uri.transport).map_err(|diagnostic| diagnostic.code);
        assert_eq!(transport("turn:x"), Ok(Transport::Udp));
        assert_eq!(transport("turn:x?transport=tcp"), Ok(Transport::Tcp));
        assert_eq!(transport("turns:x"), Ok(Transport::Tls));
        assert_eq!(transport("turns:x:443?transport=tcp"), Ok(Transport::Tls));
        assert_eq!(transport("turns:x?transport=udp"), Err(Code::NotBuiltYet));
        assert_eq!(transport("stuns:x"), Err(Code::BadUri));
    }
}
