//! What each kind of node, and each link, is configured with.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv6Net};

use super::behavior::{FilteringBehavior, NatBehavior, TcpLifetimes, words};
use super::nat64::{Clat, Nat64};
use crate::base::{Bandwidth, NodeId, PortRange, Probability, SimDuration};

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// Forwards by destination and nothing else. The `internet` is one.
    Router,
    /// Translates addresses between its inside and its outside.
    Nat(Nat),
    /// Lets packets pass, or not, without translating them.
    Firewall(Firewall),
    /// Answers STUN, TURN or both.
    Server(Server),
    /// A host on which an ICE agent runs.
    Peer(Peer),
    /// The translator of a host that has IPv6 alone, between it and its network.
    Clat(Clat),
}

impl Element {
    /// The kind in one word, as the scenario's section would say it: `nat`, `firewall` …
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Router => "router",
            // What is in a host translates as well.
            Self::Nat(_) | Self::Clat(_) => "nat",
            Self::Firewall(_) => "firewall",
            Self::Server(_) => "server",
            Self::Peer(_) => "peer",
        }
    }
}

/// A NAT. Its outside addresses are its node's [`addresses`](super::graph::Node::addresses).
/// It is also its inside's switch and gateway, as a home router is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nat {
    /// How it translates.
    pub behavior: NatBehavior,
    /// The inside network.
    pub inside: IpNet,
    /// Its own address in the inside network.
    pub gateway: IpAddr,
    /// Its IPv6 side; `None`: it carries IPv4 only.
    pub ipv6: Option<Ipv6Side>,
    /// How it translates what comes from IPv6 inside and goes to IPv4 outside (RFC 6146); `None`: it does not.
    pub nat64: Option<Nat64>,
    /// The nickname or profile it was configured by, for reports.
    pub label: Option<String>,
}

impl Nat {
    /// Its own IPv6 address inside, if it carries IPv6.
    pub fn ipv6_gateway(&self) -> Option<IpAddr> {
        self.ipv6.as_ref().map(|side| side.gateway.into())
    }

    /// The network of hosts with IPv4 behind it; `None`: there are none.
    pub fn ipv4_inside(&self) -> Option<IpNet> {
        let ipv6_only = self.nat64.is_some_and(|nat64| nat64.ipv6_only);
        (!ipv6_only).then_some(self.inside)
    }

    /// The address outside that a host inside calls `remote`: an IPv4 one where that stands for one.
    pub fn outside_of(&self, remote: SocketAddr) -> SocketAddr {
        let embedded = self.nat64.and_then(|nat64| nat64.prefix.embedded_socket(remote));
        embedded.unwrap_or(remote)
    }

    /// Which packets from `remote` outside, by its address there, it lets in; `None`: none at all.
    pub fn filtering_of(&self, remote: IpAddr) -> Option<FilteringBehavior> {
        match remote {
            IpAddr::V4(_) => Some(self.behavior.filtering),
            IpAddr::V6(_) => self.ipv6.as_ref().map(|side| side.filtering),
        }
    }
}

/// The IPv6 side of a [`Nat`]: a router with a firewall (RFC 6092), which translates nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipv6Side {
    /// The network inside.
    pub prefix: Ipv6Net,
    /// Its own address in that network.
    pub gateway: Ipv6Addr,
    /// Which packets from outside count as asked for.
    pub filtering: FilteringBehavior,
    /// How long a UDP flow is remembered after its last outbound packet.
    pub udp_lifetime: SimDuration,
    /// How long a TCP connection is remembered after its last segment.
    pub tcp: TcpLifetimes,
}

/// A stateful firewall. "Inside" is what is `behind` it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firewall {
    /// Which packets from inside may leave.
    pub outbound: OutboundPolicy,
    /// Which packets from outside may enter without having been asked for.
    pub inbound: InboundPolicy,
    /// Which packets from outside count as asked for.
    pub filtering: FilteringBehavior,
    /// How long a UDP flow is remembered after its last outbound packet.
    pub udp_lifetime: SimDuration,
    /// How long a TCP connection is remembered after its last segment.
    pub tcp: TcpLifetimes,
    /// What it looks for inside connections.
    pub inspect: Inspect,
    /// The HTTP proxy that it is too; its address is its node's.
    pub proxy: Option<Proxy>,
    /// The nickname it was configured by, for reports.
    pub label: Option<String>,
}

/// What a firewall does with packets from inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundPolicy {
    /// For packets no entry of `allow` matches.
    pub default: Access,
    /// Destination ports that may be sent to.
    pub allow: Vec<Service>,
    /// What the sender of a forbidden packet gets to know.
    pub action: DenyAction,
}

words! {
    /// What a firewall looks for inside connections that are opened from inside.
    Inspect {
        /// Nothing.
        Off = "off",
        /// A TLS handshake at the beginning of each one to [`Inspect::TLS_PORT`].
        Tls = "tls",
    }
}

impl Inspect {
    /// The port on which connections must speak TLS.
    pub const TLS_PORT: Service = Service { port: 443, protocol: ServiceProtocol::Tcp };
}

/// An HTTP proxy, which opens tunnels (the method CONNECT of RFC 9110 §9.3.6) for clients inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The TCP port it listens on.
    pub port: u16,
    /// Destination ports it opens tunnels to; all of TCP.
    pub allow: Vec<Service>,
    /// The names it can resolve, in small letters.
    pub names: BTreeMap<String, Vec<IpAddr>>,
}

impl Proxy {
    /// The port proxies listen on unless told otherwise: that of Squid.
    pub const PORT: u16 = 3128;
}

words! {
    /// What a firewall does with unsolicited packets from outside.
    InboundPolicy {
        /// They are dropped.
        Deny = "deny",
        /// They may enter.
        Allow = "allow",
    }
}

words! {
    /// What happens to packets no rule speaks of.
    Access {
        /// They pass.
        Allow = "allow",
        /// They do not.
        Deny = "deny",
    }
}

words! {
    /// How a firewall refuses.
    DenyAction {
        /// In silence.
        Drop = "drop",
        /// With ICMP "administratively prohibited"; a connection that has begun, with a RST.
        Reject = "reject",
    }
}

/// A destination port and protocol, written `443/tcp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Service {
    /// The port.
    pub port: u16,
    /// The protocol.
    pub protocol: ServiceProtocol,
}

words! {
    /// The protocol of a [`Service`].
    ServiceProtocol {
        /// UDP.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.port, self.protocol)
    }
}

/// A link. Both directions behave alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The named link it came from (`wifi`), if any.
    pub label: Option<String>,
    /// One way.
    pub delay: SimDuration,
    /// Each packet's delay is longer by up to this much. Packets keep their order all the same.
    pub jitter: SimDuration,
    /// The chance that a packet is lost.
    pub loss: Probability,
    /// The chance that a packet arrives twice.
    pub duplicate: Probability,
    /// The chance that a packet is held back by [`Link::REORDER_HOLD`] beyond its delay, so that later ones overtake it.
    pub reorder: Probability,
    /// How fast packets leave; `None`: at once.
    pub rate: Option<Bandwidth>,
    /// How many packets wait for their turn when `rate` is set.
    pub queue: u32,
    /// The largest IP packet it carries, in bytes.
    pub mtu: u16,
    /// False: everything sent on it is lost.
    pub up: bool,
}

impl Link {
    /// How long a reordered packet is held back beyond the link's delay and jitter.
    pub const REORDER_HOLD: SimDuration = SimDuration::from_millis(5);

    /// True if it may lose packets: by chance, or because they queue.
    pub const fn may_lose(&self) -> bool {
        !self.loss.is_zero() || self.rate.is_some()
    }

    /// A link with this delay and otherwise without faults.
    pub const fn with_delay(delay: SimDuration) -> Self {
        Self {
            label: None,
            delay,
            jitter: SimDuration::ZERO,
            loss: Probability::ZERO,
            duplicate: Probability::ZERO,
            reorder: Probability::ZERO,
            rate: None,
            queue: 100,
            mtu: 1_500,
            up: true,
        }
    }
}

words! {
    /// What a client and a server speak to each other, below STUN and TURN.
    Transport {
        /// UDP.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
        /// TLS over TCP.
        Tls = "tls",
    }
}

/// A port a server listens on and what it speaks there, written `3478/udp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// The port.
    pub port: u16,
    /// What it speaks there.
    pub transport: Transport,
}

impl Listen {
    /// A UDP port.
    pub const fn udp(port: u16) -> Self {
        Self { port, transport: Transport::Udp }
    }

    /// The first UDP, TCP and TLS port among these, in that order: what a client is told of by default.
    pub fn first_of_each(listen: &[Self]) -> impl Iterator<Item = Self> {
        let first = |transport| listen.iter().copied().find(move |listen| listen.transport == transport);
        Transport::ALL.iter().copied().filter_map(first)
    }

    /// The UDP ports among these, in their order.
    pub fn udp_ports(listen: &[Self]) -> impl Iterator<Item = u16> {
        listen.iter().filter(|listen| listen.transport == Transport::Udp).map(|listen| listen.port)
    }

    /// Those among these that are TCP ports, TLS or not, in their order.
    pub fn tcp_ports(listen: &[Self]) -> impl Iterator<Item = Self> {
        listen.iter().filter(|listen| listen.transport != Transport::Udp).copied()
    }
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.port, self.transport)
    }
}

/// A server. One server may offer both STUN and TURN, as coturn does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// STUN (RFC 8489), on these ports. With two addresses also RFC 5780's attributes.
    pub stun: Vec<Listen>,
    /// TURN (RFC 8656).
    pub turn: Option<Turn>,
    /// False: it is off, and packets to it are dropped.
    pub up: bool,
}

/// A TURN server's configuration. Every timer of RFC 8656 is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The ports it listens on.
    pub listen: Vec<Listen>,
    /// The realm of its long-term credentials.
    pub realm: String,
    /// Who may use it: user name and password, in the order of the file.
    pub users: Vec<Credentials>,
    /// The ports it relays from.
    pub relay_ports: PortRange,
    /// Allocations one user may hold (486 beyond it).
    pub quota_per_user: u32,
    /// What an allocation lives if the client does not say (§3.2: 10 minutes).
    pub allocation_lifetime: SimDuration,
    /// The longest lifetime it grants (§7.2 recommends an hour).
    pub max_allocation_lifetime: SimDuration,
    /// §9: 5 minutes.
    pub permission_lifetime: SimDuration,
    /// §12: 10 minutes.
    pub channel_lifetime: SimDuration,
    /// How long after its expiry a channel number stays reserved (§12: 5 minutes).
    pub channel_cooldown: SimDuration,
    /// How long a nonce is good for (§5 recommends at most an hour).
    pub nonce_lifetime: SimDuration,
}

/// A user name and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// A host on which an ICE agent runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Which real ICE stack runs here.
    pub agent: StackKind,
    /// The servers its agent was told of, in the order of the file.
    pub ice_servers: Vec<IceServer>,
    /// Which candidates it may use.
    pub ice_transport_policy: IceTransportPolicy,
    /// The NAT that its agent asks for mappings, at its address inside; `None`: it does not ask.
    pub port_mapping: Option<IpAddr>,
    /// The HTTP proxy through which it opens TCP connections; `None`: it opens them itself.
    pub proxy: Option<SocketAddr>,
    /// True: a lite agent (RFC 8445 §2.5), which is called, has no servers, and sends no checks.
    pub ice_lite: bool,
    /// What its agent tells of its own addresses.
    pub host_candidates: HostCandidates,
}

words! {
    /// Whether a peer goes through an HTTP proxy.
    ProxyUse {
        /// Through the nearest one above it.
        Auto = "auto",
        /// Through none.
        None = "none",
    }
}

words! {
    /// What an agent tells of its host's addresses (RFC 8828), and which of them it uses.
    HostCandidates {
        /// All of them (mode 1).
        Visible = "visible",
        /// Names instead, which only hosts of the same link can resolve.
        Mdns = "mdns",
        /// None. It sends from those of its default route (mode 3).
        Hidden = "hidden",
        /// Those of its default route (mode 2).
        DefaultRoute = "default-route",
    }
}

words! {
    /// The real ICE stacks.
    StackKind {
        /// The `is` crate of str0m.
        Is = "is",
        /// `rtc-ice` with `rtc-turn` of webrtc-rs.
        Rtc = "rtc",
    }
}

words! {
    /// WebRTC's `iceTransportPolicy`.
    IceTransportPolicy {
        /// All candidates.
        All = "all",
        /// Relayed candidates only.
        Relay = "relay",
    }
}

/// A server an agent was told of: one `stun:` or `turn:` URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceServer {
    /// Where it is.
    pub node: NodeId,
    /// The transport address the URI stands for.
    pub address: SocketAddr,
    /// STUN or TURN.
    pub kind: IceServerKind,
    /// What the agent speaks to it.
    pub transport: Transport,
    /// The name the URI calls it by, in small letters; `None` where it has an address instead.
    pub host: Option<String>,
    /// What the agent will log in with; `None` for STUN.
    pub credentials: Option<Credentials>,
}

words! {
    /// What an agent uses a server for.
    IceServerKind {
        /// Server-reflexive candidates.
        Stun = "stun",
        /// Relayed candidates, and server-reflexive ones on the way.
        Turn = "turn",
    }
}
