//! What servers offer, and what peers know of them and tell of themselves.

use super::{Axes, Catalogue, STUN_PORT, is_host};
use crate::base::NodeId;
use crate::explain::change::Change;
use crate::plan::{
    Access, Action, Credentials, Element, HostCandidates, IceServer, IceServerKind, IceTransportPolicy,
    Listen, Peer, Server, ServiceProtocol, ice_uri,
};

impl Catalogue<'_> {
    /// True if an event starts or stops this server, which could then not begin the other way.
    fn is_switched_on_the_way(&self, node: NodeId) -> bool {
        self.plan.events.iter().any(|event| {
            matches!(&event.action, Action::ServerDown(id) | Action::ServerUp(id) | Action::ServerRestart(id) if *id == node)
        })
    }

    pub(super) fn server(&mut self, id: NodeId, name: &str, server: &Server) {
        let axes = Axes { section: "servers", name };
        if !self.is_switched_on_the_way(id) {
            let what = if server.up { format!("switch {name} off") } else { format!("switch {name} on") };
            self.changes.push(Change::one(what, axes.path("up"), (!server.up).to_string()));
        }
        let Some(turn) = &server.turn else { return };
        for port in self.open_ports().into_iter().filter(|port| !turn.listen.contains(&Listen::udp(*port))) {
            let change = Change::one(
                format!("let {name} offer TURN on {port}/udp"),
                axes.path("turn"),
                format!("{port}/udp"),
            );
            self.changes.push(self.with_known_servers(change, &format!("turn:{name}:{port}"), name));
        }
    }

    /// UDP ports that some firewall lets out although it holds others back.
    fn open_ports(&self) -> Vec<u16> {
        let mut ports = Vec::new();
        for (_, node) in self.plan.topology.nodes() {
            if let Element::Firewall(firewall) = &node.element
                && firewall.outbound.default == Access::Deny
            {
                let udp = firewall.outbound.allow.iter().filter(|s| s.protocol == ServiceProtocol::Udp);
                ports.extend(udp.map(|service| service.port));
            }
        }
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// The change, and every peer that knew TURN at `server` now knows it under the new URI.
    fn with_known_servers(&self, mut change: Change, uri: &str, server: &str) -> Change {
        let here = self.plan.topology.find(server);
        for (host, peer) in self.peers() {
            if !peer.ice_servers.iter().any(|s| Some(s.node) == here && s.kind == IceServerKind::Turn) {
                continue;
            }
            let kept =
                peer.ice_servers.iter().filter(|s| Some(s.node) != here || s.kind == IceServerKind::Stun);
            let uris = kept.map(|s| self.uri(s)).chain([uri.to_owned()]);
            change = change.and(format!("peers.{host}.ice-servers"), uri_list(uris));
        }
        change
    }

    /// The peers by name, each once.
    fn peers(&self) -> impl Iterator<Item = (&str, &Peer)> {
        self.plan.topology.nodes().filter_map(|(id, node)| match &node.element {
            Element::Peer(peer) if is_host(id, node) => Some((self.plan.host_of(id), peer)),
            _ => None,
        })
    }

    fn uri(&self, server: &IceServer) -> String {
        server.uri(self.plan.name_of(server.node))
    }

    pub(super) fn peer(&mut self, name: &str, peer: &Peer) {
        let axes = Axes { section: "peers", name };
        if peer.ice_transport_policy == IceTransportPolicy::Relay {
            self.changes.push(Change::one(
                format!("let {name} use all its candidates"),
                axes.path("ice-transport-policy"),
                IceTransportPolicy::All.word(),
            ));
        }
        if matches!(peer.host_candidates, HostCandidates::Mdns | HostCandidates::Hidden) {
            self.changes.push(Change::one(
                format!("let {name} tell its own addresses"),
                axes.path("host-candidates"),
                HostCandidates::Visible.word(),
            ));
        }
        self.unknown_servers(axes, peer);
        self.credentials(axes, peer);
    }

    /// Servers of the file that the peer was not told of.
    fn unknown_servers(&mut self, axes: Axes<'_>, peer: &Peer) {
        // A lite agent asks no servers.
        if peer.ice_lite {
            return;
        }
        let mut missing = Vec::new();
        for (id, node) in self.plan.topology.nodes() {
            let Element::Server(server) = &node.element else { continue };
            let stun =
                Listen::udp_ports(&server.stun).next().map(|port| (IceServerKind::Stun, Listen::udp(port)));
            let turn = server.turn.iter().flat_map(|turn| Listen::first_of_each(&turn.listen));
            let turn = turn.map(|listen| (IceServerKind::Turn, listen));
            for (kind, Listen { port, transport }) in stun.into_iter().chain(turn) {
                let is_known =
                    |known: &IceServer| (known.node, known.kind, known.transport) == (id, kind, transport);
                if !peer.ice_servers.iter().any(is_known) {
                    missing.push(ice_uri(kind, transport, &node.name, port));
                }
            }
        }
        let known: Vec<String> = peer.ice_servers.iter().map(|s| self.uri(s)).collect();
        for uri in missing {
            self.changes.push(Change::one(
                format!("tell {} of {uri}", axes.name),
                axes.path("ice-servers"),
                uri_list(known.iter().cloned().chain([uri])),
            ));
        }
    }

    /// The right password, where the peer has a wrong one.
    fn credentials(&mut self, axes: Axes<'_>, peer: &Peer) {
        let wrong = peer.ice_servers.iter().find_map(|known| {
            let Element::Server(server) = &self.plan.topology.node(known.node).element else { return None };
            let (users, given) = (&server.turn.as_ref()?.users, known.credentials.as_ref()?);
            (!users.contains(given)).then(|| users.first())?
        });
        if let Some(Credentials { username, password }) = wrong {
            self.changes.push(Change::one(
                format!("give {} the right TURN password", axes.name),
                axes.path("turn-credentials"),
                format!("{{ {username}: {password} }}"),
            ));
        }
    }

    /// A STUN or TURN server, where the file has none.
    pub(super) fn missing_servers(&mut self) {
        for kind in IceServerKind::ALL.iter().copied() {
            let offered = self.plan.topology.nodes().any(|(_, node)| match &node.element {
                Element::Server(server) => match kind {
                    IceServerKind::Stun => !server.stun.is_empty(),
                    IceServerKind::Turn => server.turn.is_some(),
                },
                _ => false,
            });
            if offered {
                continue;
            }
            let name = self.free_name(kind.word());
            let body = format!("{{ {kind}: [{STUN_PORT}/udp] }}");
            let mut change = Change::one(
                format!("add a {} server", kind.word().to_uppercase()),
                format!("servers.{name}"),
                body,
            );
            // Peers that were told which servers to use have to be told of this one too.
            for (host, peer) in self.peers().filter(|(_, peer)| !peer.ice_lite) {
                let known = peer.ice_servers.iter().map(|s| self.uri(s));
                let uris = known.chain([format!("{kind}:{name}")]);
                change = change.and(format!("peers.{host}.ice-servers"), uri_list(uris));
            }
            self.changes.push(change);
        }
    }

    fn free_name(&self, word: &str) -> String {
        let taken = |name: &str| self.plan.topology.find(name).is_some();
        let numbered = (2..).map(|number| format!("{word}-{number}"));
        std::iter::once(word.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
    }
}

/// A server with both families is named once.
fn uri_list(uris: impl Iterator<Item = String>) -> String {
    let mut quoted: Vec<String> = uris.map(|uri| format!("\"{uri}\"")).collect();
    quoted.dedup();
    format!("[{}]", quoted.join(", "))
}
