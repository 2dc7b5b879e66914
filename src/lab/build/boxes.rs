//! NATs and firewalls.

use std::net::IpAddr;

use super::link::Link;
use super::list;
use super::map::{Map, address, quoted, settings};
use crate::base::{PortRange, SimDuration};
use crate::plan::{
    Access, ConflictBehavior, DenyAction, FilterScope, FilteringBehavior, Hairpinning, InboundPolicy,
    Inspect, MappingBehavior, Nickname, Pooling, PortAssignment, PortMapping, RefreshDirection, ReplyMapping,
    Service, Unsolicited,
};

/// A NAT.
#[derive(Debug, Clone)]
#[must_use = "give it to `Draft::nat`"]
pub struct Nat {
    pub(super) keys: Map,
}

impl Nat {
    /// A NAT that maps and filters like this, and takes defaults for everything else.
    pub fn new(mapping: MappingBehavior, filtering: FilteringBehavior) -> Self {
        Self { keys: Map::default() }.mapping(mapping).filtering(filtering)
    }

    /// A NAT as it is when an [`Event`](super::Event) changes it: only settings that follow are new.
    pub fn as_it_is() -> Self {
        Self { keys: Map::default() }
    }

    /// What this nickname stands for. Settings override what it says.
    pub fn nickname(nickname: Nickname) -> Self {
        Self { keys: Map::of("type", nickname) }
    }

    /// A device whose behaviour has a source: `linux-masquerade`, for instance; `punchlab profiles` lists them. Settings
    /// override what it says.
    pub fn profile(name: impl AsRef<str>) -> Self {
        Self { keys: Map::of("profile", quoted(name.as_ref())) }
    }

    /// The NAT or firewall its outside is connected to, instead of the internet.
    pub fn behind(mut self, node: impl AsRef<str>) -> Self {
        self.keys.set("behind", quoted(node.as_ref()));
        self
    }

    /// Its outside addresses.
    pub fn outside<A: Into<IpAddr>>(mut self, addresses: impl IntoIterator<Item = A>) -> Self {
        self.keys.set("outside", list(addresses.into_iter().map(address)));
        self
    }

    /// The network behind it, such as `192.168.1.0/24`. Its first address is the NAT's own.
    pub fn inside(mut self, network: impl AsRef<str>) -> Self {
        self.keys.set("inside", quoted(network.as_ref()));
        self
    }

    /// Its IPv6 side. Without, it carries IPv4 only.
    pub fn ipv6(mut self, ipv6: Ipv6) -> Self {
        self.keys.set("ipv6", ipv6.keys);
        self
    }

    /// It translates IPv6 behind it to IPv4 outside (RFC 6146), where IPv4 addresses have this prefix, such as
    /// `64:ff9b::/96`. It needs [`Nat::ipv6`]; without [`Nat::inside`] its hosts have IPv6 alone.
    pub fn nat64(mut self, prefix: impl AsRef<str>) -> Self {
        self.keys.set("nat64", Map::of("prefix", quoted(prefix.as_ref())));
        self
    }

    /// Its uplink.
    pub fn link(mut self, link: Link) -> Self {
        self.keys.set("link", link.keys);
        self
    }
}

settings! { Nat {
    /// When packets from one internal endpoint share an external one (RFC 4787 §4.1).
    mapping = "mapping": MappingBehavior,
    /// Which inbound packets a mapping admits (RFC 4787 §5).
    filtering = "filtering": FilteringBehavior,
    /// Whose destinations open the filter.
    filter_scope = "filter-scope": FilterScope,
    /// From where packets to a remote leave that was let in through another mapping.
    reply_mapping = "reply-mapping": ReplyMapping,
    /// How the external port of a new mapping is chosen (RFC 4787 §4.2.1).
    port_assignment = "port-assignment": PortAssignment,
    /// What happens when the wanted port is taken (RFC 4787 §8).
    on_conflict = "on-conflict": ConflictBehavior,
    /// The external ports there are.
    port_range = "port-range": PortRange,
    /// Even ports map to even ones, odd ones to odd ones (RFC 4787 §4.2.2).
    port_parity = "port-parity": bool,
    /// How one of several outside addresses is picked (RFC 4787 §4.1).
    ip_pooling = "ip-pooling": Pooling,
    /// External ports one internal host may hold at a time, of all protocols together, 1 to 65535 (RFC 6888 REQ-4).
    max_ports_per_host = "max-ports-per-host": u32,
    /// Hosts get blocks of this many consecutive ports, 1 to 64512 (RFC 6888 §5).
    port_block_size = "port-block-size": u32,
    /// How long a port rests after its last mapping (RFC 6888 REQ-8).
    port_quarantine = "port-quarantine": SimDuration,
    /// What happens to packets from inside to its own outside address (RFC 4787 §6).
    hairpinning = "hairpinning": Hairpinning,
    /// How long a UDP mapping lives that has seen packets in both directions (RFC 4787 §4.3).
    udp_timeout = "udp-timeout": SimDuration,
    /// How long one lives that has seen outbound packets only.
    udp_timeout_unreplied = "udp-timeout-unreplied": SimDuration,
    /// Packets of which direction keep a UDP mapping alive.
    timeout_refresh = "timeout-refresh": RefreshDirection,
    /// How long an established TCP connection may be idle in both directions (RFC 5382 REQ-5).
    tcp_timeout = "tcp-timeout": SimDuration,
    /// How long one may be that opens, closes or was reset (RFC 7857 §2).
    tcp_timeout_transitory = "tcp-timeout-transitory": SimDuration,
    /// What happens to inbound packets no mapping admits.
    unsolicited = "unsolicited": Unsolicited,
    /// By which protocol hosts behind it may ask for mappings (RFC 6886, RFC 6887).
    port_mapping = "port-mapping": PortMapping,
} }

/// The IPv6 side of a NAT: a router with a stateful firewall (RFC 6092), which translates nothing.
#[derive(Debug, Clone)]
#[must_use = "give it to `Nat::ipv6`"]
pub struct Ipv6 {
    pub(super) keys: Map,
}

impl Ipv6 {
    /// This network, such as `2001:db8:a::/64`, is behind it.
    pub fn prefix(network: impl AsRef<str>) -> Self {
        Self { keys: Map::of("prefix", quoted(network.as_ref())) }
    }
}

settings! { Ipv6 {
    /// Which packets from outside count as asked for.
    filtering = "filtering": FilteringBehavior,
    /// How long it remembers a UDP flow after the last outbound packet.
    udp_timeout = "udp-timeout": SimDuration,
    /// How long an established TCP connection may be idle (RFC 6092 REC-35).
    tcp_timeout = "tcp-timeout": SimDuration,
} }

/// A stateful firewall. What is behind it keeps its addresses.
#[derive(Debug, Clone, Default)]
#[must_use = "give it to `Draft::firewall`"]
pub struct Firewall {
    pub(super) keys: Map,
}

impl Firewall {
    /// A firewall on the internet that lets everything out, and in what was asked for.
    pub fn new() -> Self {
        Self::default()
    }

    /// A network whose behaviour has a source: `corporate`, for instance; `punchlab profiles` lists them. Settings override
    /// what it says.
    pub fn profile(name: impl AsRef<str>) -> Self {
        Self { keys: Map::of("profile", quoted(name.as_ref())) }
    }

    /// The NAT or firewall its outside is connected to, instead of the internet.
    pub fn behind(mut self, node: impl AsRef<str>) -> Self {
        self.keys.set("behind", quoted(node.as_ref()));
        self
    }

    /// Which packets from inside may leave.
    pub fn outbound(mut self, outbound: Outbound) -> Self {
        self.keys.set("outbound", outbound.keys);
        self
    }

    /// An HTTP proxy, through which what is behind the firewall opens TCP connections.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.keys.set("proxy", proxy.keys);
        self
    }

    /// Its uplink.
    pub fn link(mut self, link: Link) -> Self {
        self.keys.set("link", link.keys);
        self
    }
}

settings! { Firewall {
    /// Whether packets nobody asked for may enter.
    inbound = "inbound": InboundPolicy,
    /// Which packets count as asked for.
    filtering = "filtering": FilteringBehavior,
    /// How long it remembers a UDP flow after the last outbound packet.
    udp_timeout = "udp-timeout": SimDuration,
    /// How long an established TCP connection may be idle (RFC 6092 REC-35).
    tcp_timeout = "tcp-timeout": SimDuration,
    /// What it looks for inside connections.
    inspect = "inspect": Inspect,
} }

/// What a firewall does with packets from inside.
#[derive(Debug, Clone, Default)]
#[must_use = "give it to `Firewall::outbound`"]
pub struct Outbound {
    pub(super) keys: Map,
}

impl Outbound {
    /// Nothing may leave but packets to these destination ports.
    pub fn only(services: impl IntoIterator<Item = Service>) -> Self {
        let mut outbound = Self::nothing();
        outbound.keys.set("allow", list(services));
        outbound
    }

    /// Nothing may leave.
    pub fn nothing() -> Self {
        Self { keys: Map::of("default", Access::Deny) }
    }
}

settings! { Outbound {
    /// What the sender of a forbidden packet gets to know.
    action = "action": DenyAction,
} }

/// The HTTP proxy of a firewall.
#[derive(Debug, Clone)]
#[must_use = "give it to `Firewall::proxy`"]
pub struct Proxy {
    pub(super) keys: Map,
}

impl Proxy {
    /// A proxy that listens on this TCP port, and opens tunnels to 443/tcp.
    pub fn port(port: u16) -> Self {
        Self { keys: Map::of("port", port) }
    }

    /// It opens tunnels to these TCP ports, and to no others.
    pub fn allow(mut self, services: impl IntoIterator<Item = Service>) -> Self {
        self.keys.set("allow", list(services));
        self
    }
}
