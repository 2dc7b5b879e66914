//! Servers and peers.

use std::net::IpAddr;

use super::link::Link;
use super::list;
use super::map::{Map, address, quoted, settings};
use crate::base::{PortRange, SimDuration};
use crate::plan::{Family, HostCandidates, IceTransportPolicy, ProxyUse, StackKind};

/// A STUN or TURN server on the internet, or both in one.
#[derive(Debug, Clone, Default)]
#[must_use = "give it to `Draft::server`"]
pub struct Server {
    pub(super) keys: Map,
    users: Map,
}

impl Server {
    /// A server that answers STUN on this UDP port (RFC 8489).
    pub fn stun(port: u16) -> Self {
        Self::default().stun_ports([port])
    }

    /// A server that answers TURN on this UDP port (RFC 8656).
    pub fn turn(port: u16) -> Self {
        Self::default().turn_ports([port])
    }

    /// The UDP ports it answers STUN on.
    pub fn stun_ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.keys.set("stun", list(ports.into_iter().map(udp)));
        self
    }

    /// The UDP ports it answers TURN on.
    pub fn turn_ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.keys.set("turn", list(ports.into_iter().map(udp)));
        self
    }

    /// Its address.
    pub fn address(self, address: impl Into<IpAddr>) -> Self {
        self.addresses([address.into()])
    }

    /// Its addresses, one or two of a family. With two its STUN also answers RFC 5780's behaviour discovery.
    pub fn addresses<A: Into<IpAddr>>(mut self, addresses: impl IntoIterator<Item = A>) -> Self {
        self.keys.set("addresses", list(addresses.into_iter().map(address)));
        self
    }

    /// A DNS name that URIs may use for it beside its name here.
    pub fn host(mut self, name: impl AsRef<str>) -> Self {
        self.keys.set("host", quoted(name.as_ref()));
        self
    }

    /// Its uplink.
    pub fn link(mut self, link: Link) -> Self {
        self.keys.set("link", link.keys);
        self
    }

    /// One more user of TURN. Without any there is one for each peer.
    pub fn user(mut self, name: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        self.users.set(&quoted(name.as_ref()), quoted_value(password.as_ref()));
        self.keys.set("users", &self.users);
        self
    }

    /// The realm of its users.
    pub fn realm(mut self, realm: impl AsRef<str>) -> Self {
        self.keys.set("realm", quoted(realm.as_ref()));
        self
    }
}

settings! { Server {
    /// False: it is down, and packets to it are lost.
    up = "up": bool,
    /// True: it has an IPv6 address too.
    ipv6 = "ipv6": bool,
    /// Allocations one user may hold, 1 to 65535; beyond it comes error 486.
    quota_per_user = "quota-per-user": u32,
    /// The ports it relays from (RFC 8656 §7.2).
    relay_port_range = "relay-port-range": PortRange,
    /// What an allocation lives if the client does not say (RFC 8656 §3.2).
    allocation_lifetime = "allocation-lifetime": SimDuration,
    /// The longest lifetime it grants (RFC 8656 §7.2).
    max_allocation_lifetime = "max-allocation-lifetime": SimDuration,
    /// How long a permission lives (RFC 8656 §9).
    permission_lifetime = "permission-lifetime": SimDuration,
    /// How long a channel lives (RFC 8656 §12).
    channel_lifetime = "channel-lifetime": SimDuration,
    /// How long an expired channel's number stays reserved (RFC 8656 §12).
    channel_cooldown = "channel-cooldown": SimDuration,
    /// How long a nonce is good for; then comes error 438 (RFC 8656 §5).
    nonce_lifetime = "nonce-lifetime": SimDuration,
} }

/// A host.
#[derive(Debug, Clone, Default)]
#[must_use = "give it to `Draft::peer`"]
pub struct Peer {
    pub(super) keys: Map,
    interfaces: Map,
}

impl Peer {
    /// A host on the internet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A host behind this NAT or firewall.
    pub fn behind(node: impl AsRef<str>) -> Self {
        let mut peer = Self::new();
        peer.keys.set("behind", quoted(node.as_ref()));
        peer
    }

    /// Its address.
    pub fn address(self, address: impl Into<IpAddr>) -> Self {
        self.addresses([address.into()])
    }

    /// Its addresses, one of each family.
    pub fn addresses<A: Into<IpAddr>>(mut self, addresses: impl IntoIterator<Item = A>) -> Self {
        let addresses: Vec<String> = addresses.into_iter().map(address).collect();
        match addresses.as_slice() {
            [one] => self.keys.set("address", one),
            several => self.keys.set("address", list(several)),
        }
        self
    }

    /// The address families it uses. Without: what its network offers; on the internet itself IPv4, and IPv6 if it has
    /// such an address.
    pub fn families(mut self, families: impl IntoIterator<Item = Family>) -> Self {
        self.keys.set("families", list(families));
        self
    }

    /// Its connection.
    pub fn link(mut self, link: Link) -> Self {
        self.keys.set("link", link.keys);
        self
    }

    /// One more of its network interfaces, in the order of its preference. With several they say what else the peer would:
    /// `behind`, `address`, `link`, `families`.
    pub fn interface(mut self, name: impl AsRef<str>, interface: Interface) -> Self {
        self.interfaces.set(&quoted(name.as_ref()), interface.keys);
        self.keys.set("interfaces", &self.interfaces);
        self
    }

    /// The servers its agent knows. Without: every server of the scenario; an empty list: none.
    pub fn ice_servers(mut self, servers: impl IntoIterator<Item = IceServer>) -> Self {
        self.keys.set("ice-servers", list(servers.into_iter().map(|server| server.keys)));
        self
    }

    /// The user and password it logs in to TURN servers with, right or wrong.
    pub fn turn_credentials(mut self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        let login = Map::of(&quoted(user.as_ref()), quoted_value(password.as_ref()));
        self.keys.set("turn-credentials", login);
        self
    }
}

settings! { Peer {
    /// Which candidates it may use.
    ice_transport_policy = "ice-transport-policy": IceTransportPolicy,
    /// True: behind a NAT64 it has IPv4 all the same, by a translator of its own (464XLAT, RFC 6877).
    clat = "clat": bool,
    /// Which real ICE stack runs here.
    agent = "agent": StackKind,
    /// Whether it asks the nearest NAT for a mapping of its socket (RFC 6886, RFC 6887).
    port_mapping = "port-mapping": bool,
    /// Whether it opens TCP connections through the proxy of a firewall it is behind.
    proxy = "proxy": ProxyUse,
    /// What its agent tells of its own addresses (RFC 8828).
    host_candidates = "host-candidates": HostCandidates,
    /// True: its agent is a lite one, as those of public servers may be (RFC 8445 §2.5).
    ice_lite = "ice-lite": bool,
} }

/// A network interface of a host that has several.
#[derive(Debug, Clone, Default)]
#[must_use = "give it to `Peer::interface`"]
pub struct Interface {
    pub(super) keys: Map,
}

impl Interface {
    /// An interface on the internet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An interface behind this NAT or firewall.
    pub fn behind(node: impl AsRef<str>) -> Self {
        Self { keys: Map::of("behind", quoted(node.as_ref())) }
    }

    /// Its addresses, one of each family.
    pub fn addresses<A: Into<IpAddr>>(mut self, addresses: impl IntoIterator<Item = A>) -> Self {
        self.keys.set("address", list(addresses.into_iter().map(address)));
        self
    }

    /// The address families it uses. Without: what its network offers.
    pub fn families(mut self, families: impl IntoIterator<Item = Family>) -> Self {
        self.keys.set("families", list(families));
        self
    }

    /// Its connection.
    pub fn link(mut self, link: Link) -> Self {
        self.keys.set("link", link.keys);
        self
    }
}

settings! { Interface {
    /// False: it is down from the beginning.
    up = "up": bool,
} }

/// A server as an agent is told of it.
#[derive(Debug, Clone)]
#[must_use = "give it to `Peer::ice_servers`"]
pub struct IceServer {
    keys: Map,
}

impl IceServer {
    /// A `stun:` or `turn:` URI (RFC 7064, RFC 7065), whose host is a server's name, its DNS name or its address.
    pub fn new(uri: impl AsRef<str>) -> Self {
        Self { keys: Map::of("urls", quoted_value(uri.as_ref())) }
    }

    /// The user and password to log in with, instead of the right ones.
    pub fn credentials(mut self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        self.keys.set("username", quoted_value(user.as_ref()));
        self.keys.set("credential", quoted_value(password.as_ref()));
        self
    }
}

fn udp(port: u16) -> String {
    format!("{port}/udp")
}

/// Passwords and URIs are in quotes always, so that what looks like a number or an expression is none.
fn quoted_value(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
