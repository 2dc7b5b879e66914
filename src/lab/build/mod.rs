//! Scenarios made of typed calls instead of text.
//!
//! ```
//! use punchlab::base::SimDuration;
//! use punchlab::lab::Scenario;
//! use punchlab::lab::build::{Nat, Peer, Server};
//! use punchlab::plan::{MappingBehavior, Nickname, Path};
//!
//! # fn main() -> Result<(), punchlab::lab::Error> {
//! let call = Scenario::build("home to office")
//!     .nat("home", Nat::nickname(Nickname::PortRestrictedCone).udp_timeout(SimDuration::from_secs(20)))
//!     .nat("office", Nat::nickname(Nickname::FullCone).mapping(MappingBehavior::AddressAndPortDependent))
//!     .server("stun", Server::stun(3478))
//!     .server("turn", Server::turn(3478))
//!     .peer("alice", Peer::behind("home"))
//!     .peer("bob", Peer::behind("office"))
//!     .call("alice", "bob")
//!     .scenario();
//! call.run()?.assert_path("alice -> bob", Path::Stun);
//! # Ok(())
//! # }
//! ```
//!
//! What comes out is the scenario as a file would have it ([`Scenario::yaml`]): the same defaults, the same checks, the
//! same messages. What is given twice has its last value. Names are checked when the scenario runs.

mod boxes;
mod call;
mod event;
mod expect;
mod hosts;
mod link;
mod map;
#[cfg(test)]
mod tests;

use std::fmt::Display;

pub use boxes::{Firewall, Ipv6, Nat, Outbound, Proxy};
pub use call::Call;
pub use event::Event;
pub use expect::{Drops, Expect};
pub use hosts::{IceServer, Interface, Peer, Server};
pub use link::{Link, Signalling};

use super::Scenario;
use crate::base::SimDuration;
use map::{Map, quoted, settings};

/// A scenario that is being written. Nodes have the order in which they are given; it decides their addresses.
#[derive(Debug, Clone, Default)]
#[must_use = "`scenario` makes a scenario of it"]
pub struct Draft {
    name: String,
    keys: Map,
    nats: Vec<(String, Map)>,
    firewalls: Vec<(String, Map)>,
    servers: Vec<(String, Map)>,
    peers: Vec<(String, Map)>,
    signalling: Option<Map>,
    calls: Vec<String>,
    events: Vec<Map>,
    expect: Option<Map>,
}

settings! { Draft {
    /// All randomness of a run derives from it.
    seed = "seed": u64,
    /// How much virtual time to run. Without: until every call is settled or has failed.
    duration = "duration": SimDuration,
} }

impl Draft {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A NAT.
    pub fn nat(mut self, name: impl AsRef<str>, nat: Nat) -> Self {
        put(&mut self.nats, name.as_ref(), nat.keys);
        self
    }

    /// A stateful firewall.
    pub fn firewall(mut self, name: impl AsRef<str>, firewall: Firewall) -> Self {
        put(&mut self.firewalls, name.as_ref(), firewall.keys);
        self
    }

    /// A STUN or TURN server, or both.
    pub fn server(mut self, name: impl AsRef<str>, server: Server) -> Self {
        put(&mut self.servers, name.as_ref(), server.keys);
        self
    }

    /// A host that runs an ICE agent, or a program of your own.
    pub fn peer(mut self, name: impl AsRef<str>, peer: Peer) -> Self {
        put(&mut self.peers, name.as_ref(), peer.keys);
        self
    }

    /// How peers exchange offers, answers and candidates.
    pub fn signalling(mut self, signalling: Signalling) -> Self {
        self.signalling = Some(signalling.keys);
        self
    }

    /// One peer calls another when the run begins.
    pub fn call(mut self, from: impl AsRef<str>, to: impl AsRef<str>) -> Self {
        self.calls.push(between(from, to));
        self
    }

    /// One peer calls another at this time after the run began.
    pub fn call_at(mut self, from: impl AsRef<str>, to: impl AsRef<str>, at: SimDuration) -> Self {
        self.calls.push(format!("{}: {{ at: {at} }}", between(from, to)));
        self
    }

    /// One peer calls another like this: with media, for instance.
    pub fn call_with(mut self, from: impl AsRef<str>, to: impl AsRef<str>, call: Call) -> Self {
        self.calls.push(format!("{}: {}", between(from, to), call.keys));
        self
    }

    /// Each of these peers calls all that come after it.
    pub fn mesh<N: AsRef<str>>(self, peers: impl IntoIterator<Item = N>) -> Self {
        self.mesh_with(peers, Call::new())
    }

    /// Each of these peers calls all that come after it, every call like this.
    pub fn mesh_with<N: AsRef<str>>(mut self, peers: impl IntoIterator<Item = N>, call: Call) -> Self {
        let names = list(peers.into_iter().map(|name| quoted(name.as_ref())));
        let mut entry = Map::of("mesh", names);
        entry.append(call.keys);
        self.calls.push(entry.to_string());
        self
    }

    /// Something happens at this time after the run began. Events of one moment happen in the order in which they are given.
    pub fn event(mut self, at: SimDuration, event: Event) -> Self {
        let mut entry = Map::of("at", at);
        entry.append(event.keys);
        self.events.push(entry);
        self
    }

    /// What should be true at the end: [`Finished::assert_expected`](super::Finished::assert_expected) tells. Expectations
    /// about a call hold for every call.
    pub fn expect(mut self, expect: Expect) -> Self {
        self.expect = Some(expect.keys);
        self
    }

    /// What was written so far, as a scenario.
    pub fn scenario(self) -> Scenario {
        let text = self.yaml();
        Scenario::text(self.name, text)
    }

    fn yaml(&self) -> String {
        let mut text = format!("name: {}\n", quoted(&self.name));
        self.keys.write_lines(&mut text, 0);
        let sections = [
            ("nats", &self.nats),
            ("firewalls", &self.firewalls),
            ("servers", &self.servers),
            ("peers", &self.peers),
        ];
        for (section, nodes) in sections.into_iter().filter(|(_, nodes)| !nodes.is_empty()) {
            text.push_str(&format!("{section}:\n"));
            nodes.iter().for_each(|(name, node)| node.write(&mut text, name, 2));
        }
        if let Some(signalling) = &self.signalling {
            signalling.write(&mut text, "signalling", 0);
        }
        if !self.calls.is_empty() {
            text.push_str("calls:\n");
            self.calls.iter().for_each(|call| text.push_str(&format!("  - {call}\n")));
        }
        if !self.events.is_empty() {
            text.push_str("events:\n");
            self.events.iter().for_each(|event| text.push_str(&format!("  - {event}\n")));
        }
        if let Some(expect) = &self.expect {
            expect.write(&mut text, "expect", 0);
        }
        text
    }
}

/// A node instead of one with the same name, or behind all others.
fn put(nodes: &mut Vec<(String, Map)>, name: &str, node: Map) {
    let name = quoted(name);
    match nodes.iter_mut().find(|(known, _)| *known == name) {
        Some((_, before)) => *before = node,
        None => nodes.push((name, node)),
    }
}

fn between(from: impl AsRef<str>, to: impl AsRef<str>) -> String {
    quoted(&format!("{} -> {}", from.as_ref(), to.as_ref()))
}

/// Several values as YAML has them.
fn list<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    format!("[{}]", values.join(", "))
}
