//! Which servers a peer's agent is told of.

use std::net::{IpAddr, SocketAddr};

use super::assumed::{Assumed, list};
use super::lite::is_lite;
use super::names::{Names, Section};
use super::servers::Placed;
use crate::plan::{
    Credentials, IceServer, IceServerKind, Listen, Nat64Prefix, Transport, default_port, ice_uri,
};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, File, Named, Uri};
use crate::scenario::read::{At, Reader, listed};

/// What a peer can send to.
#[derive(Debug, Clone, Copy)]
pub struct Reach<'a> {
    /// Its own addresses.
    pub own: &'a [IpAddr],
    /// The prefix of the NAT64 that is its way to IPv4, if that is its way.
    pub nat64: Option<Nat64Prefix>,
}

/// The servers of one peer.
pub fn servers(
    reader: &mut Reader<'_>,
    file: &File,
    (peer, reach): (&Named<file::Peer>, Reach<'_>),
    names: &Names<'_>,
    placed: &[Placed],
    assumed: &mut Assumed,
) -> Vec<IceServer> {
    // It asks none; that none are named is checked elsewhere.
    if is_lite(&peer.body) {
        return Vec::new();
    }
    let own_login = peer.body.turn_credentials.as_ref().map(|at| &at.value);
    let login = |server: usize, given: Option<&Credentials>| {
        given.or(own_login).cloned().or_else(|| right_credentials(&placed[server].users, &peer.name.value))
    };
    let mut found: Vec<IceServer> = Vec::new();
    match &peer.body.ice_servers {
        Some(given) => {
            for entry in given {
                let Some((server, addresses)) = target(reader, file, names, (placed, reach), &entry.uri)
                else {
                    continue;
                };
                let file::Uri { kind, transport, target } = &entry.uri.value;
                let (kind, transport) = (*kind, *transport);
                let is_name = target.host.parse::<IpAddr>().is_err();
                let host = is_name.then(|| target.host.clone());
                let credentials =
                    login(server, entry.credentials.as_ref()).filter(|_| kind == IceServerKind::Turn);
                let is_known = |other: &IceServer| {
                    (other.kind, other.transport) == (kind, transport) && addresses.contains(&other.address)
                };
                if found.iter().any(is_known) {
                    reader.report(
                        Diagnostic::new(Code::DuplicateKey, "`ice-servers` names this server twice")
                            .at(entry.uri.span, "again here")
                            .help("remove one of them"),
                    );
                }
                let node = placed[server].node;
                for address in addresses {
                    let (host, credentials) = (host.clone(), credentials.clone());
                    found.push(IceServer { node, address, kind, transport, host, credentials });
                }
            }
        }
        None => {
            for (index, server) in file.servers.iter().enumerate() {
                let mut add = |Listen { port, transport }, kind, credentials: Option<Credentials>| {
                    for address in placed[index].addresses_for(reach) {
                        let address = SocketAddr::new(address, port);
                        let (host, credentials) = (Some(server.name.value.clone()), credentials.clone());
                        let node = placed[index].node;
                        found.push(IceServer { node, address, kind, transport, host, credentials });
                    }
                };
                // A TCP port tells nothing a UDP candidate can use.
                if let Some(port) = Listen::udp_ports(&values(&server.body.stun)).next() {
                    add(Listen::udp(port), IceServerKind::Stun, None);
                }
                for listen in Listen::first_of_each(&values(&server.body.turn)) {
                    add(listen, IceServerKind::Turn, login(index, None));
                }
            }
            assumed.note(&format!("peers.{}", peer.name.value), "ice-servers", uris(file, &found, placed));
        }
    }
    let useless = peer
        .body
        .turn_credentials
        .as_ref()
        .filter(|_| !found.iter().any(|server| server.kind == IceServerKind::Turn));
    if let Some(credentials) = useless.filter(|_| reader.mistakes() == 0) {
        reader.report(
            Diagnostic::new(
                Code::MeaninglessKey,
                format!("`turn-credentials` has no effect: `{}` knows no TURN server", peer.name.value),
            )
            .at(credentials.span, "no effect")
            .help("add a `turn:` URI to its `ice-servers`, or remove the key"),
        );
    }
    found
}

/// A user of the peer's own name, or else the first there is.
fn right_credentials(users: &[Credentials], peer: &str) -> Option<Credentials> {
    users.iter().find(|user| user.username == peer).or(users.first()).cloned()
}

fn uris(file: &File, servers: &[IceServer], placed: &[Placed]) -> String {
    let mut texts: Vec<String> = servers
        .iter()
        .filter_map(|server| {
            let index = placed.iter().position(|other| other.node == server.node)?;
            Some(server.uri(&file.servers[index].name.value))
        })
        .collect();
    // A server with both families is named once.
    texts.dedup();
    list(&texts)
}

impl Placed {
    /// The addresses that the server's name stands for to a peer: one of each family they share, IPv6 first (RFC 6724
    /// §6). Behind a NAT64 DNS makes an IPv6 address for a server that has none (RFC 6147). A server of no family of the
    /// peer's has the address a DNS would tell all the same.
    fn addresses_for(&self, reach: Reach<'_>) -> Vec<IpAddr> {
        let uses = |is_wanted: fn(&IpAddr) -> bool| reach.own.iter().any(is_wanted);
        let ipv4 = self.addresses.iter().find_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        });
        let ipv6 = self.addresses.iter().copied().find(IpAddr::is_ipv6);
        let made_up = || Some(IpAddr::from(reach.nat64?.embed(ipv4?)));
        let ipv6 = ipv6.or_else(made_up).filter(|_| uses(IpAddr::is_ipv6));
        let ipv4 = ipv4.map(IpAddr::from).filter(|_| uses(IpAddr::is_ipv4));
        let addresses: Vec<IpAddr> = ipv6.into_iter().chain(ipv4).collect();
        if addresses.is_empty() { self.addresses.first().copied().into_iter().collect() } else { addresses }
    }
}

/// The server a URI stands for, and its addresses and port, for a peer.
fn target(
    reader: &mut Reader<'_>,
    file: &File,
    names: &Names<'_>,
    (placed, reach): (&[Placed], Reach<'_>),
    uri: &At<Uri>,
) -> Option<(usize, Vec<SocketAddr>)> {
    let Uri { kind, transport, target } = &uri.value;
    let host = target.host.as_str();
    let literal = host.parse::<IpAddr>().ok();
    let named = file.servers.iter().zip(placed).enumerate().find_map(|(index, (server, placed))| {
        let by_name =
            server.name.value == host || server.body.host.as_ref().is_some_and(|name| name.value == host);
        let by_address = literal.filter(|address| placed.addresses.contains(address));
        let by_address = by_address.map(|address| vec![address]);
        by_address.or(by_name.then(|| placed.addresses_for(reach))).map(|addresses| (index, addresses))
    });
    let Some((index, addresses)) = named else {
        let name = At::new(host.to_owned(), uri.span);
        let help = format!("write `{kind}:NAME` with the name, the `host` or the `address` of a server");
        names.expect(reader, &name, &[Section::Server], "the URI names", &help);
        return None;
    };
    let server = &file.servers[index];
    let offered = match kind {
        IceServerKind::Stun => &server.body.stun,
        IceServerKind::Turn => &server.body.turn,
    };
    let listen = Listen { port: target.port.unwrap_or(default_port(*transport)), transport: *transport };
    if !offered.iter().any(|at| at.value == listen) && !server.broken {
        reader.report(no_service(server, *kind, listen, target.port.is_some(), offered, uri));
    }
    Some((index, addresses.into_iter().map(|address| SocketAddr::new(address, listen.port)).collect()))
}

fn no_service(
    server: &Named<file::Server>,
    kind: IceServerKind,
    wanted: Listen,
    explicit: bool,
    offered: &[At<Listen>],
    uri: &At<Uri>,
) -> Diagnostic {
    let name = &server.name.value;
    let offered = values(offered);
    let ports: Vec<String> = offered.iter().map(Listen::to_string).collect();
    let Listen { port, transport } = wanted;
    let word = kind.word().to_uppercase();
    let speaks_udp_alone =
        transport == Transport::Udp && offered.iter().all(|listen| listen.transport == Transport::Udp);
    let spoken = transport.word().to_uppercase();
    let service = if speaks_udp_alone { word.clone() } else { format!("{word} over {spoken}") };
    let label = if offered.iter().any(|listen| listen.port == port) {
        format!("not over {spoken}")
    } else if explicit {
        "no such port".to_owned()
    } else {
        format!("a URI without a port means {port}")
    };
    let message = format!("server `{name}` does not offer {service} on port {port}");
    let mut diagnostic = Diagnostic::new(Code::NoSuchService, message)
        .at(uri.span, label)
        .see(server.name.span, "the server is defined here");
    match nearest_offer(kind, wanted, &offered) {
        Some(Listen { port, transport }) => {
            diagnostic = diagnostic.help(format!("write `{}`", ice_uri(kind, transport, name, port)));
        }
        None => diagnostic = diagnostic.help(format!("add `{kind}: [{wanted}]` to `{name}`")),
    }
    if offered.is_empty() {
        return diagnostic;
    }
    diagnostic.help(format!("it offers {word} on {}", listed(ports.iter().map(String::as_str))))
}

/// What comes nearest to what is wanted, of what a URI can name: by transport, then by port.
fn nearest_offer(kind: IceServerKind, wanted: Listen, offered: &[Listen]) -> Option<Listen> {
    let can_be_named = |listen: &&Listen| kind == IceServerKind::Turn || listen.transport == Transport::Udp;
    let distance = |listen: &&Listen| {
        let is_udp = [wanted, **listen].map(|listen| listen.transport == Transport::Udp);
        (is_udp[0] != is_udp[1], listen.transport != wanted.transport, listen.port != wanted.port)
    };
    offered.iter().filter(can_be_named).min_by_key(distance).copied()
}

fn values(listen: &[At<Listen>]) -> Vec<Listen> {
    listen.iter().map(|at| at.value).collect()
}

#[cfg(test)]
mod tests {
    use crate::base::Limits;
    use crate::plan::{Element, Transport};
    use crate::scenario::{Overrides, Source, load};

    #[test]
    fn a_server_is_called_what_its_uri_calls_it_and_an_address_is_no_name() {
        let text = "
servers: { relay: { turn: [3478/udp, 5349/udp, 5350/udp], host: turn.example.org } }
peers: { a: { ice-servers: ['turn:TURN.example.org', 'turn:relay:5349', 'turn:192.0.2.1:5350'] }, b: {} }
calls: [a -> b]";

        let plan = load(&Source::new("test.nat.yaml", text), &Overrides::default(), &Limits::DEFAULT)
            .unwrap_or_else(|rejection| panic!("{rejection}"));

        let node = plan.topology.find("a").map(|id| plan.topology.node(id)).expect("a node");
        let Element::Peer(peer) = &node.element else { panic!("a peer") };
        let names: Vec<_> = peer.ice_servers.iter().map(|server| server.host.as_deref()).collect();
        assert_eq!(names, [Some("turn.example.org"), Some("relay"), None]);
        assert!(peer.ice_servers.iter().all(|server| server.transport == Transport::Udp));
    }

    #[test]
    fn without_a_list_a_peer_knows_the_first_port_of_each_transport_and_stun_over_udp_alone() {
        let text = "
servers:
  relay:
    stun: [3479/tcp, 3478/udp]
    turn: [443/tls, 80/tcp, 3478/udp, 3480/udp, 5349/tls]
peers: { a: {}, b: {} }
calls: [a -> b]";

        let plan = load(&Source::new("test.nat.yaml", text), &Overrides::default(), &Limits::DEFAULT)
            .unwrap_or_else(|rejection| panic!("{rejection}"));

        let node = plan.topology.find("a").map(|id| plan.topology.node(id)).expect("a node");
        let Element::Peer(peer) = &node.element else { panic!("a peer") };
        let uris: Vec<_> = peer.ice_servers.iter().map(|server| server.uri("relay")).collect();
        let expected = ["stun:relay", "turn:relay", "turn:relay:80?transport=tcp", "turns:relay:443"];
        assert_eq!(uris, expected);
        let written =
            plan.assumptions.iter().find(|noted| noted.key == "peers.a.ice-servers").expect("a note");
        assert_eq!(written.value, format!("[{}]", expected.join(", ")));
    }

    #[test]
    fn a_uri_says_what_is_spoken_and_tls_has_a_port_of_its_own() {
        let text = "
servers: { relay: { turn: [3478/udp, 3478/tcp, 443/tls, 5349/tls] } }
peers:
  a: { ice-servers: ['turn:relay?transport=udp', 'turn:relay?transport=tcp', 'turns:relay', 'TURNS:relay:443?transport=tcp'] }
  b: {}
calls: [a -> b]";

        let plan = load(&Source::new("test.nat.yaml", text), &Overrides::default(), &Limits::DEFAULT)
            .unwrap_or_else(|rejection| panic!("{rejection}"));

        let node = plan.topology.find("a").map(|id| plan.topology.node(id)).expect("a node");
        let Element::Peer(peer) = &node.element else { panic!("a peer") };
        let meant: Vec<_> =
            peer.ice_servers.iter().map(|server| (server.transport, server.address.port())).collect();
        let (tcp, tls) = (Transport::Tcp, Transport::Tls);
        assert_eq!(meant, [(Transport::Udp, 3_478), (tcp, 3_478), (tls, 5_349), (tls, 443)]);
    }
}
