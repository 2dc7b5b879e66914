//! Every single change that might matter: each axis of each NAT, each rule of each firewall, what servers offer and
//! peers know of them, links, and signalling.
//!
//! IPv6 is not in it where the scenario has none, nor TURN on ports that no server listens on.

mod servers;

use std::fmt::Display;
use std::net::IpAddr;

use super::change::Change;
use crate::base::{NodeId, PortRange, Probability, SimDuration};
use crate::plan::{
    Access, Clat, ConflictBehavior, DropReason, Element, Expectation, ExpectedFact, Family, FilterScope,
    FilteringBehavior, Firewall, Hairpinning, InboundPolicy, Inspect, MappingBehavior, Nat, Nickname, Node,
    Plan, Pooling, PortAssignment, PortPolicy, RefreshDirection, ReplyMapping, Service, ServiceProtocol,
    Transport, Unsolicited,
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
            Element::Router | Element::Clat(_) => {}
            Element::Nat(nat) => {
                catalogue.nat(&node.name, nat, node.addresses.len());
                catalogue.ipv6(id, nat);
            }
            Element::Firewall(firewall) => catalogue.firewall(&node.name, firewall),
            Element::Server(server) => catalogue.server(id, &node.name, server),
            Element::Peer(peer) => {
                if is_host(id, node) {
                    catalogue.peer(plan.host_of(id), peer);
                }
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
        // A NAT64 leaves less open (RFC 6146).
        let (mappings, filterings, hairpinnings): (&[_], &[_], &[_]) = match nat.nat64 {
            None => (MappingBehavior::ALL, FilteringBehavior::ALL, Hairpinning::ALL),
            Some(_) => (
                &[],
                &[FilteringBehavior::EndpointIndependent, FilteringBehavior::AddressDependent],
                &[Hairpinning::Off, Hairpinning::ExternalSource],
            ),
        };
        self.words(axes, "mapping", mappings, behavior.mapping);
        self.words(axes, "filtering", filterings, behavior.filtering);
        self.words(axes, "filter-scope", FilterScope::ALL, behavior.filter_scope);
        self.words(axes, "reply-mapping", ReplyMapping::ALL, behavior.reply_mapping);
        self.ports(axes, &behavior.ports);
        if addresses > 1 {
            self.words(axes, "ip-pooling", Pooling::ALL, behavior.pooling);
        }
        self.words(axes, "hairpinning", hairpinnings, behavior.hairpinning);
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
        let place = place_in_file(node);
        let axes = Axes { section: "peers", name: &place };
        let is_ipv6_only = node.addresses.iter().all(IpAddr::is_ipv6);
        if is_ipv6_only && node.interface.is_none() && self.plan.topology.nat64_prefix(id).is_some() {
            let what = format!("give {} IPv4 by 464XLAT", node.name);
            self.changes.push(Change::one(what, axes.path("clat"), true.to_string()));
        } else if is_single && self.has_ipv6() && self.is_offered_ipv6(id) {
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
        if firewall.inspect != Inspect::Off {
            let change = Change::one(
                format!("let {name} look into no connection"),
                axes.path("inspect"),
                Inspect::Off.word(),
            );
            self.changes.push(self.expecting_no_inspection(change));
        }
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
            let mut change = Change::one(
                format!("keep {service} in behind {name}"),
                axes.path("outbound.allow"),
                list(&rest),
            );
            // What cannot leave cannot be looked into.
            if *service == Inspect::TLS_PORT && firewall.inspect != Inspect::Off {
                let uninspected = change.and(axes.path("inspect"), Inspect::Off.word());
                change = self.expecting_no_inspection(uninspected);
            }
            self.changes.push(change);
        }
    }

    /// The change, and the file no longer expects that packets die of an inspection.
    fn expecting_no_inspection(&self, change: Change) -> Change {
        let is_such = |expectation: &Expectation| matches!(&expectation.fact, ExpectedFact::Drops(drops) if drops.reason == Some(DropReason::FirewallInspect));
        if self.plan.expectations.iter().any(is_such) { change.and("expect", "{}") } else { change }
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

    fn link(&mut self, id: NodeId) {
        let node = self.plan.topology.node(id);
        let Some(link) = self.plan.topology.uplink(id) else { return };
        let section = match &node.element {
            Element::Server(_) => "servers",
            Element::Peer(_) | Element::Clat(_) => "peers",
            Element::Firewall(firewall) if !is_nickname(firewall) => "firewalls",
            Element::Nat(_) | Element::Firewall(_) | Element::Router => "nats",
        };
        let name = Clat::peer(&node.name);
        let place = place_in_file(node);
        let path = |key: &str| format!("{section}.{}.link.{key}", Clat::peer(&place));
        // An interface that is down is no cable that is out.
        if !link.up && self.plan.topology.is_up(id) {
            self.changes.push(Change::one(
                format!("plug in the uplink of {name}"),
                path("up"),
                true.to_string(),
            ));
        }
        if link.loss != Probability::ZERO {
            self.changes.push(Change::one(
                format!("let the uplink of {name} lose nothing"),
                path("loss"),
                "0%",
            ));
        }
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

/// False for the further interfaces of a peer.
fn is_host(id: NodeId, node: &Node) -> bool {
    node.interface.as_ref().is_none_or(|interface| interface.first == id)
}

/// Where a node stands in its section: `alice`, or `alice.interfaces.wlan0`.
fn place_in_file(node: &Node) -> String {
    let own = node.interface.as_ref().and_then(|interface| {
        let own = node.name.strip_prefix(&interface.host)?.strip_prefix('.')?;
        Some(format!("{}.interfaces.{own}", interface.host))
    });
    own.unwrap_or_else(|| node.name.clone())
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
