//! Every single change that might matter: each axis of each NAT, each rule of each firewall, what servers offer and
//! peers know of them, links, and signalling.
//!
//! What this version cannot run (TCP and TLS transports) is not in it, nor IPv6 where the scenario has none.

use std::fmt::Display;
use std::net::IpAddr;

use super::change::Change;
use crate::base::{NodeId, PortRange, Probability, SimDuration};
use crate::plan::{
    Access, Action, ConflictBehavior, Credentials, Element, Family, FilterScope, FilteringBehavior, Firewall,
    Hairpinning, IceServer, IceServerKind, IceTransportPolicy, InboundPolicy, Listen, MappingBehavior, Nat,
    Nickname, Node, Peer, Plan, Pooling, PortAssignment, PortPolicy, RefreshDirection, ReplyMapping, Server,
    Service, ServiceProtocol, Transport, Unsolicited, ice_uri,
};

/// RFC 4787 REQ-5c: what a mapping's lifetime should be.
const LONG_LIFE: SimDuration = SimDuration::from_secs(300);
/// How slow or fast signalling might be.
const SIGNALLING_DELAYS: [SimDuration; 3] =
    [SimDuration::ZERO, SimDuration::from_millis(200), SimDuration::from_secs(2)];
/// The port that STUN and TURN are expected on (RFC 8489 §8.1).
const STUN_PORT: u16 = 3_478;

/// All single changes to the scenario behind `plan`, in the order of its nodes.
pub fn changes(plan: &Plan) -> Vec<Change> {
    let mut catalogue = Catalogue { plan, changes: Vec::new() };
    for (id, node) in plan.topology.nodes() {
        match &node.element {
            Element::Router => {}
            Element::Nat(nat) => {
                catalogue.nat(&node.name, nat, node.addresses.len());
                catalogue.ipv6(id, nat);
            }
            Element::Firewall(firewall) => catalogue.firewall(&node.name, firewall),
            Element::Server(server) => catalogue.server(id, &node.name, server),
            Element::Peer(peer) => {
                catalogue.peer(&node.name, peer);
                catalogue.families(id, node);
            }
        }
        catalogue.link(id);
    }
    catalogue.missing_servers();
    catalogue.signalling();
    catalogue.changes
}

struct Catalogue<'a> {
    plan: &'a Plan,
    changes: Vec<Change>,
}

impl Catalogue<'_> {
    fn nat(&mut self, name: &str, nat: &Nat, addresses: usize) {
        let behavior = &nat.behavior;
        let axes = Axes { section: "nats", name };
        self.words(axes, "mapping", MappingBehavior::ALL, behavior.mapping);
        self.words(axes, "filtering", FilteringBehavior::ALL, behavior.filtering);
        self.words(axes, "filter-scope", FilterScope::ALL, behavior.filter_scope);
        self.words(axes, "reply-mapping", ReplyMapping::ALL, behavior.reply_mapping);
        self.ports(axes, &behavior.ports);
        if addresses > 1 {
            self.words(axes, "ip-pooling", Pooling::ALL, behavior.pooling);
        }
        self.words(axes, "hairpinning", Hairpinning::ALL, behavior.hairpinning);
        self.lives(axes, behavior.lifetimes.udp, behavior.lifetimes.udp_unreplied);
        self.words(axes, "timeout-refresh", RefreshDirection::ALL, behavior.lifetimes.refresh);
        self.words(axes, "unsolicited", Unsolicited::FOR_UDP, behavior.unsolicited);
    }

    fn ports(&mut self, axes: Axes<'_>, ports: &PortPolicy) {
        // Blocks of ports and overloaded ones contradict each other.
        let fits = |word: &PortAssignment| ports.block.is_none() || *word != PortAssignment::Overloading;
        let assignments: Vec<_> = PortAssignment::ALL.iter().copied().filter(fits).collect();
        self.words(axes, "port-assignment", &assignments, ports.assignment);
        self.words(axes, "on-conflict", ConflictBehavior::ALL, ports.on_conflict);
        if ports.range != PortRange::UNPRIVILEGED {
            self.value(axes, "port-range", PortRange::UNPRIVILEGED);
        }
        if ports.max_per_host.is_some() {
            self.value(axes, "max-ports-per-host", u16::MAX);
        }
        if ports.block.is_some_and(|size| size > 1) {
            let what = format!("give {}'s hosts ports one by one", axes.name);
            self.changes.push(Change::one(what, axes.path("port-block-size"), "1"));
        }
        if !ports.quarantine.is_zero() {
            let what = format!("let no port of {} rest", axes.name);
            self.changes.push(Change::one(what, axes.path("port-quarantine"), "0s"));
        }
    }

    /// Another filter for IPv6, or IPv6 at all where others have it.
    fn ipv6(&mut self, id: NodeId, nat: &Nat) {
        let name = self.plan.name_of(id);
        let axes = Axes { section: "nats", name };
        if let Some(side) = &nat.ipv6 {
            self.words(axes, "ipv6.filtering", FilteringBehavior::ALL, side.filtering);
            return;
        }
        if self.has_ipv6() && self.is_offered_ipv6(id) {
            // A documentation prefix (RFC 9637) that nobody gets unasked.
            let prefix = format!("{{ prefix: \"3fff:f00:{:x}::/64\" }}", id.index());
            self.changes.push(Change::one(format!("let {name} carry IPv6"), axes.path("ipv6"), prefix));
        }
    }

    /// Both address families, where the peer uses one and its network offers both.
    fn families(&mut self, id: NodeId, node: &Node) {
        let is_single =
            [IpAddr::is_ipv4, IpAddr::is_ipv6].iter().any(|family| !node.addresses.iter().any(family));
        if is_single && self.has_ipv6() && self.is_offered_ipv6(id) {
            let axes = Axes { section: "peers", name: &node.name };
            let families = format!("[{}, {}]", Family::Ipv4, Family::Ipv6);
            self.changes.push(Change::one(
                format!("let {} use both families", node.name),
                axes.path("families"),
                families,
            ));
        }
    }

    /// True if anybody has IPv6.
    fn has_ipv6(&self) -> bool {
        self.plan.topology.nodes().any(|(_, node)| node.addresses.iter().any(IpAddr::is_ipv6))
    }

    /// True if everything the node is behind carries IPv6.
    fn is_offered_ipv6(&self, id: NodeId) -> bool {
        self.plan.topology.ancestors(id).into_iter().all(|above| {
            match &self.plan.topology.node(above).element {
                Element::Nat(nat) => nat.ipv6.is_some(),
                _ => true,
            }
        })
    }

    /// Longer lives. A mapping that saw no reply must not outlive one that did, so both grow together.
    fn lives(&mut self, axes: Axes<'_>, udp: SimDuration, unreplied: SimDuration) {
        if udp < LONG_LIFE {
            self.value(axes, "udp-timeout", LONG_LIFE);
        }
        if unreplied < LONG_LIFE {
            let what = format!("let {}'s mappings live {LONG_LIFE} even without a reply", axes.name);
            self.changes.push(
                Change::one(what, axes.path("udp-timeout-unreplied"), LONG_LIFE.to_string())
                    .and(axes.path("udp-timeout"), udp.max(LONG_LIFE).to_string()),
            );
        }
    }

    fn firewall(&mut self, name: &str, firewall: &Firewall) {
        let nickname = is_nickname(firewall);
        let axes = Axes { section: if nickname { "nats" } else { "firewalls" }, name };
        if nickname {
            self.changes.push(Change::one(
                format!("take {name} away"),
                axes.path("type"),
                Nickname::None.word(),
            ));
        }
        if firewall.inbound == InboundPolicy::Deny {
            self.words(axes, "filtering", FilteringBehavior::ALL, firewall.filtering);
        }
        if firewall.udp_lifetime < LONG_LIFE {
            self.value(axes, "udp-timeout", LONG_LIFE);
        }
        if nickname {
            return;
        }
        self.outbound(axes, firewall);
        if firewall.inbound == InboundPolicy::Deny
            && firewall.filtering == FilteringBehavior::AddressAndPortDependent
        {
            self.changes.push(Change::one(
                format!("let everybody in through {name}"),
                axes.path("inbound"),
                InboundPolicy::Allow.word(),
            ));
        }
    }

    fn outbound(&mut self, axes: Axes<'_>, firewall: &Firewall) {
        let (outbound, name) = (&firewall.outbound, axes.name);
        if outbound.default == Access::Allow {
            return;
        }
        self.changes.push(Change::one(
            format!("let everything out through {name}"),
            axes.path("outbound"),
            format!("{{ default: {} }}", Access::Allow),
        ));
        let list = |services: &[Service]| {
            let words: Vec<String> = services.iter().map(Service::to_string).collect();
            format!("[{}]", words.join(", "))
        };
        for service in self.server_ports() {
            if !outbound.allow.contains(&service) {
                let allow = list(&[outbound.allow.as_slice(), &[service]].concat());
                self.changes.push(Change::one(
                    format!("let {service} out through {name}"),
                    axes.path("outbound.allow"),
                    allow,
                ));
            }
        }
        for service in &outbound.allow {
            let rest: Vec<Service> =
                outbound.allow.iter().copied().filter(|other| other != service).collect();
            self.changes.push(Change::one(
                format!("keep {service} in behind {name}"),
                axes.path("outbound.allow"),
                list(&rest),
            ));
        }
    }

    /// The ports of all servers peers know, those of UDP first.
    fn server_ports(&self) -> Vec<Service> {
        let mut ports: Vec<(bool, u16)> = self
            .plan
            .ice_servers()
            .map(|server| (server.transport != Transport::Udp, server.address.port()))
            .collect();
        ports.sort_unstable();
        ports.dedup();
        let service = |(is_tcp, port)| {
            let protocol = if is_tcp { ServiceProtocol::Tcp } else { ServiceProtocol::Udp };
            Service { port, protocol }
        };
        ports.into_iter().map(service).collect()
    }

    /// True if an event starts or stops this server, which could then not begin the other way.
    fn is_switched_on_the_way(&self, node: NodeId) -> bool {
        self.plan.events.iter().any(|event| {
            matches!(&event.action, Action::ServerDown(id) | Action::ServerUp(id) | Action::ServerRestart(id) if *id == node)
        })
    }

    fn server(&mut self, id: NodeId, name: &str, server: &Server) {
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
        for (_, node) in self.plan.topology.nodes() {
            let Element::Peer(peer) = &node.element else { continue };
            if !peer.ice_servers.iter().any(|s| Some(s.node) == here && s.kind == IceServerKind::Turn) {
                continue;
            }
            let kept =
                peer.ice_servers.iter().filter(|s| Some(s.node) != here || s.kind == IceServerKind::Stun);
            let uris = kept.map(|s| self.uri(s)).chain([uri.to_owned()]);
            change = change.and(format!("peers.{}.ice-servers", node.name), uri_list(uris));
        }
        change
    }

    fn uri(&self, server: &IceServer) -> String {
        server.uri(self.plan.name_of(server.node))
    }

    fn peer(&mut self, name: &str, peer: &Peer) {
        let axes = Axes { section: "peers", name };
        if peer.ice_transport_policy == IceTransportPolicy::Relay {
            self.changes.push(Change::one(
                format!("let {name} use all its candidates"),
                axes.path("ice-transport-policy"),
                IceTransportPolicy::All.word(),
            ));
        }
        self.unknown_servers(axes, peer);
        self.credentials(axes, peer);
    }

    /// Servers of the file that the peer was not told of.
    fn unknown_servers(&mut self, axes: Axes<'_>, peer: &Peer) {
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

    fn link(&mut self, id: NodeId) {
        let node = self.plan.topology.node(id);
        let Some(link) = self.plan.topology.uplink(id) else { return };
        let section = match &node.element {
            Element::Server(_) => "servers",
            Element::Peer(_) => "peers",
            Element::Firewall(firewall) if !is_nickname(firewall) => "firewalls",
            Element::Nat(_) | Element::Firewall(_) | Element::Router => "nats",
        };
        let path = |key: &str| format!("{section}.{}.link.{key}", node.name);
        if !link.up {
            self.changes.push(Change::one(
                format!("plug in the uplink of {}", node.name),
                path("up"),
                true.to_string(),
            ));
        }
        if link.loss != Probability::ZERO {
            self.changes.push(Change::one(
                format!("let the uplink of {} lose nothing", node.name),
                path("loss"),
                "0%",
            ));
        }
    }

    /// A STUN or TURN server, where the file has none.
    fn missing_servers(&mut self) {
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
            for (_, node) in self.plan.topology.nodes() {
                if let Element::Peer(peer) = &node.element {
                    let known = peer.ice_servers.iter().map(|s| self.uri(s));
                    let uris = known.chain([format!("{kind}:{name}")]);
                    change = change.and(format!("peers.{}.ice-servers", node.name), uri_list(uris));
                }
            }
            self.changes.push(change);
        }
    }

    fn free_name(&self, word: &str) -> String {
        let taken = |name: &str| self.plan.topology.find(name).is_some();
        let numbered = (2..).map(|number| format!("{word}-{number}"));
        std::iter::once(word.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
    }

    fn signalling(&mut self) {
        let signalling = &self.plan.signalling;
        for delay in SIGNALLING_DELAYS.into_iter().filter(|delay| *delay != signalling.delay) {
            self.changes.push(Change::one(
                format!("let signalling take {delay}"),
                "signalling.delay",
                delay.to_string(),
            ));
        }
        if signalling.loss != Probability::ZERO {
            self.changes.push(Change::one("let signalling lose nothing", "signalling.loss", "0%"));
        }
        let what = if signalling.trickle {
            "send candidates with the offer and answer only"
        } else {
            "send candidates as they are found"
        };
        self.changes.push(Change::one(what, "signalling.trickle", (!signalling.trickle).to_string()));
    }

    /// Every other word of an axis.
    fn words<T: Copy + PartialEq + Display>(&mut self, axes: Axes<'_>, key: &str, all: &[T], now: T) {
        for value in all.iter().copied().filter(|value| *value != now) {
            self.value(axes, key, value);
        }
    }

    fn value(&mut self, axes: Axes<'_>, key: &str, value: impl Display) {
        let what = format!("make {}'s {key} {value}", axes.name);
        self.changes.push(Change::one(what, axes.path(key), value.to_string()));
    }
}

/// The keys of one node.
#[derive(Clone, Copy)]
struct Axes<'a> {
    section: &'static str,
    name: &'a str,
}

impl Axes<'_> {
    fn path(self, key: &str) -> String {
        format!("{}.{}.{key}", self.section, self.name)
    }
}

/// True if it stands in the file as a nickname among the NATs.
fn is_nickname(firewall: &Firewall) -> bool {
    firewall.label.as_deref().and_then(Nickname::from_alias).is_some()
}

/// A server with both families is named once.
fn uri_list(uris: impl Iterator<Item = String>) -> String {
    let mut quoted: Vec<String> = uris.map(|uri| format!("\"{uri}\"")).collect();
    quoted.dedup();
    format!("[{}]", quoted.join(", "))
}
