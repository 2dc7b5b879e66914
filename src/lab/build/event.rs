//! What changes while a scenario runs.

use std::net::IpAddr;

use super::boxes::{Firewall, Nat};
use super::expect::Expect;
use super::link::Link;
use super::list;
use super::map::{Map, address, quoted};

/// Something that happens while the scenario runs.
#[derive(Debug, Clone)]
#[must_use = "give it to `Draft::event`"]
pub struct Event {
    pub(super) keys: Map,
}

impl Event {
    fn of(key: &str, value: impl std::fmt::Display) -> Self {
        Self { keys: Map::of(key, value) }
    }

    fn change(key: &str, node: impl AsRef<str>, value: impl std::fmt::Display) -> Self {
        Self::of(key, Map::of(&quoted(node.as_ref()), value))
    }

    /// The uplink of this node is like this from now on. [`Link::as_it_is`] leaves open what does not change.
    pub fn set_link(node: impl AsRef<str>, link: Link) -> Self {
        Self::change("set-link", node, link.keys)
    }

    /// This NAT translates like this from now on. [`Nat::as_it_is`] leaves open what does not change.
    pub fn set_nat(node: impl AsRef<str>, nat: Nat) -> Self {
        Self::change("set-nat", node, nat.keys)
    }

    /// This firewall has these rules from now on. What is not said does not change.
    pub fn set_firewall(node: impl AsRef<str>, firewall: Firewall) -> Self {
        Self::change("set-firewall", node, firewall.keys)
    }

    /// This NAT forgets all of its mappings.
    pub fn nat_reboot(nat: impl AsRef<str>) -> Self {
        Self::of("nat-reboot", quoted(nat.as_ref()))
    }

    /// This NAT gets the next free outside address, and forgets all of its mappings.
    pub fn renumber(nat: impl AsRef<str>) -> Self {
        Self::of("renumber", quoted(nat.as_ref()))
    }

    /// This NAT gets these outside addresses, and forgets all of its mappings.
    pub fn renumber_to<A: Into<IpAddr>>(
        nat: impl AsRef<str>,
        addresses: impl IntoIterator<Item = A>,
    ) -> Self {
        Self::change("renumber", nat, list(addresses.into_iter().map(address)))
    }

    /// This server answers no more, and forgets its allocations.
    pub fn server_down(server: impl AsRef<str>) -> Self {
        Self::of("server-down", quoted(server.as_ref()))
    }

    /// This server answers again.
    pub fn server_up(server: impl AsRef<str>) -> Self {
        Self::of("server-up", quoted(server.as_ref()))
    }

    /// This server forgets its allocations.
    pub fn server_restart(server: impl AsRef<str>) -> Self {
        Self::of("server-restart", quoted(server.as_ref()))
    }

    /// No packet passes the internet any more between these two nodes, and what else hangs on it with them.
    pub fn partition(one: impl AsRef<str>, other: impl AsRef<str>) -> Self {
        Self::of("partition", list([quoted(one.as_ref()), quoted(other.as_ref())]))
    }

    /// Packets pass again between these two nodes.
    pub fn heal(one: impl AsRef<str>, other: impl AsRef<str>) -> Self {
        Self::of("heal", list([quoted(one.as_ref()), quoted(other.as_ref())]))
    }

    /// Packets pass again between everybody.
    pub fn heal_all() -> Self {
        Self::of("heal", "all")
    }

    /// This interface of a peer is gone: `alice.wlan0`.
    pub fn interface_down(interface: impl AsRef<str>) -> Self {
        Self::of("interface-down", quoted(interface.as_ref()))
    }

    /// This interface of a peer can be used again. Agents have sockets on it after their next ICE restart.
    pub fn interface_up(interface: impl AsRef<str>) -> Self {
        Self::of("interface-up", quoted(interface.as_ref()))
    }

    /// This peer restarts ICE in all of its calls: `alice`; or in those with one other: `alice -> bob`.
    pub fn ice_restart(side: impl AsRef<str>) -> Self {
        Self::of("ice-restart", quoted(side.as_ref()))
    }

    /// This peer hangs up all of its calls: `alice`; or those with one other: `alice -> bob`.
    pub fn hang_up(side: impl AsRef<str>) -> Self {
        Self::of("hang-up", quoted(side.as_ref()))
    }

    /// What should be true at this moment.
    pub fn expect(expect: Expect) -> Self {
        Self::of("expect", expect.keys)
    }
}
