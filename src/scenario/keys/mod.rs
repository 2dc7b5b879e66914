//! The keys of a scenario file: one table that readers check against, "valid keys" hints are made from, and the
//! reference and the schema are generated from, so that none of them can drift.

mod calls;
mod events;
mod firewall;
mod link;
mod nat;
mod peer;
mod server;

pub use calls::{CALL, DROP, EXPECT, MEDIA, MEDIA_GAP, MESH, MOST_RESTARTS, SELECTED, SIGNALLING};
pub use events::EVENT;
pub use firewall::{FIREWALL, OUTBOUND, PROXY};
pub use link::LINK;
pub use nat::{IPV6, NAT, NAT64};
pub use peer::{ICE_SERVER, INTERFACE, PEER};
pub use server::SERVER;

use super::profiles::ProfileKind;
use crate::plan::MediaKind;
use crate::scenario::word::Word;

/// The version of the format that is read.
pub const VERSION: u64 = 1;

/// A map of the file with a fixed set of keys.
#[derive(Debug)]
pub struct Section {
    /// How messages and the reference call it: `nats.NAME`.
    pub name: &'static str,
    /// What it describes.
    pub about: &'static str,
    /// Its keys, in the order of the reference.
    pub keys: &'static [Key],
}

/// A key of a [`Section`].
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// Other spellings that are understood.
    pub aliases: &'static [&'static str],
    /// What its value is.
    pub kind: Kind,
    /// What is taken when the key is missing.
    pub default: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A line of text.
    Text,
    /// The name of a node.
    NodeName,
    /// `true` or `false`.
    Truth,
    /// The version of the format.
    Version,
    /// A whole number between these two.
    Integer(u64, u64),
    /// `20ms`.
    Duration,
    /// `1%`.
    Percent,
    /// `1.2Mbps`.
    Bandwidth,
    /// `1024-65535`.
    PortRange,
    /// `3478/udp` or `443/tls`, one or a list.
    Listen,
    /// `443/tcp`, a list.
    Services,
    /// An address.
    Address,
    /// A list of addresses.
    Addresses,
    /// `192.168.1.0/24`.
    Network,
    /// `2001:db8:a::/64`.
    Ipv6Network,
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// The name of a profile of this kind.
    Profile(ProfileKind),
    /// One of these words, or a list of them.
    Words(fn() -> Vec<&'static str>),
    /// A named link or a map.
    Link,
    /// A `stun:` or `turn:` URI, or a list of them.
    Uris,
    /// Such URIs or WebRTC's objects.
    IceServers,
    /// A map from user names to passwords.
    Users,
    /// A map from peers to numbers.
    Counts,
    /// A map with the keys of another section.
    Map(&'static Section),
    /// A list of such maps.
    MapList(&'static Section),
    /// A map from names to such maps.
    Named(&'static Section),
    /// A map from names to a nickname or such a map.
    NamedOrNickname(&'static Section),
    /// Calls.
    Calls,
    /// A list of two peers or more.
    Peers,
    /// A map from nodes to links.
    Links,
    /// A node, or a map from nodes to addresses.
    Renumber,
    /// A peer, or one side of a call.
    CallSide,
    /// Two nodes, or two lists of nodes.
    Sides,
    /// The same, or `all`.
    SidesOrAll,
    /// A port, or a map.
    Proxy,
    /// Kinds of media, or a map from them to rates.
    Media,
    /// A longest time, or a map of bounds.
    Gap,
    /// A map from names to lists of values.
    Matrix,
    /// A name, or a list of them.
    Names,
}

impl Section {
    /// What messages call it: `nats.NAME` in backticks, or "the file".
    pub fn called(&self) -> String {
        if self.name.contains(' ') { self.name.into() } else { format!("`{}`", self.name) }
    }

    /// The key with this name or spelling.
    pub fn key(&self, spelling: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == spelling || key.aliases.contains(&spelling))
    }
}

const fn key(name: &'static str, kind: Kind, default: &'static str, about: &'static str) -> Key {
    Key { name, aliases: &[], kind, default, about }
}

/// The file itself.
pub static FILE: Section = Section {
    name: "the file",
    about: "A scenario: who is behind what, who calls whom, and what should come of it.",
    keys: &[
        key("name", Kind::Text, "the file's name", "A title for reports."),
        key(
            "seed",
            Kind::Integer(0, u64::MAX),
            "`1`",
            "All randomness of a run derives from it; `--seed` overrides it.",
        ),
        key(
            "duration",
            Kind::Duration,
            "until every call is settled or has failed",
            "How much virtual time to run.",
        ),
        key(
            "nats",
            Kind::NamedOrNickname(&NAT),
            "none",
            "Boxes that translate addresses, or that people call NATs.",
        ),
        key("firewalls", Kind::Named(&FIREWALL), "none", "Boxes that filter without translating."),
        key("servers", Kind::Named(&SERVER), "none", "STUN and TURN servers. They are on the internet."),
        key("peers", Kind::Named(&PEER), "required", "Hosts that run an ICE agent."),
        key(
            "signalling",
            Kind::Map(&SIGNALLING),
            "see there",
            "How peers exchange offers, answers and candidates.",
        ),
        key(
            "calls",
            Kind::Calls,
            "required",
            "Who calls whom: `alice -> bob`, or `alice -> bob: { at: 1s }`, or everybody everybody: `mesh: [alice, bob, carol]`.",
        ),
        key(
            "expect",
            Kind::Map(&EXPECT),
            "nothing",
            "What should be true at the end. Expectations about a call hold for every call.",
        ),
        key(
            "events",
            Kind::MapList(&EVENT),
            "nothing happens",
            "What changes, or is looked at, while the scenario runs.",
        ),
        key(
            "matrix",
            Kind::Matrix,
            "one case",
            "Values to combine: each combination is a case of its own, in which `${{ matrix.NAME }}` stands for NAME's value.",
        ),
        key("tags", Kind::Names, "none", "Words to choose files by: `punchlab test --tag WORD`."),
        key(
            "version",
            Kind::Version,
            "`1`",
            "The version of this format. There is one so far; what a file means does not change within it.",
        ),
    ],
};

/// Every section, in the order of the reference.
pub static SECTIONS: &[&Section] = &[
    &FILE,
    &NAT,
    &IPV6,
    &NAT64,
    &FIREWALL,
    &OUTBOUND,
    &PROXY,
    &SERVER,
    &PEER,
    &INTERFACE,
    &ICE_SERVER,
    &LINK,
    &SIGNALLING,
    &CALL,
    &MESH,
    &EXPECT,
    &SELECTED,
    &DROP,
    &EVENT,
    &MEDIA,
    &MEDIA_GAP,
];

impl Kind {
    /// The kind in words, for the reference.
    pub fn describe(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::NodeName => "node".into(),
            Self::Truth => "`true` or `false`".into(),
            Self::Version => format!("`{VERSION}`"),
            Self::Integer(least, most) => format!("{least} to {most}"),
            Self::Duration => "duration".into(),
            Self::Percent => "percentage".into(),
            Self::Bandwidth => "bandwidth".into(),
            Self::PortRange => "port range".into(),
            Self::Listen => "list of `PORT/udp`, `PORT/tcp` or `PORT/tls`".into(),
            Self::Services => "list of `PORT/udp` or `PORT/tcp`".into(),
            Self::Address => "address".into(),
            Self::Addresses => "list of addresses".into(),
            Self::Network => "network".into(),
            Self::Ipv6Network => "IPv6 network".into(),
            Self::Word(words) => or_words(&words()),
            Self::Profile(_) => "name of a [profile](#profiles)".into(),
            Self::Words(words) => format!("one or a list of {}", or_words(&words())),
            Self::Link => "named link or map (`link`)".into(),
            Self::Uris => "one or a list of URIs".into(),
            Self::IceServers => "list of URIs or maps (`ice-servers`)".into(),
            Self::Users => "map from user to password".into(),
            Self::Counts => "map from peer to number".into(),
            Self::Map(section) => format!("map (`{}`)", section.name),
            Self::MapList(section) => format!("list of maps (`{}`)", section.name),
            Self::Named(section) => format!("map from name to `{}`", section.name),
            Self::NamedOrNickname(section) => format!("map from name to nickname or `{}`", section.name),
            Self::Calls => "list of calls".into(),
            Self::Peers => "list of peers".into(),
            Self::Links => "map from node to named link or `link`".into(),
            Self::Renumber => "NAT, or map from NAT to addresses".into(),
            Self::CallSide => "peer, or `PEER -> OTHER`".into(),
            Self::Sides => "list of two nodes, or of two lists of nodes".into(),
            Self::SidesOrAll => "list of two nodes, or of two lists of nodes; or `all`".into(),
            Self::Proxy => "port or map (`proxy`)".into(),
            Self::Media => {
                format!("one or a list of {}, or map (`media`)", or_words(&MediaKind::words()))
            }
            Self::Gap => "duration or map (`media-gap`)".into(),
            Self::Matrix => "map from name to list of values".into(),
            Self::Names => "one or a list of names".into(),
        }
    }
}

fn or_words(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_means_two_keys() {
        for section in SECTIONS {
            let mut seen = std::collections::BTreeSet::new();
            for key in section.keys {
                for spelling in [key.name].iter().chain(key.aliases) {
                    assert!(seen.insert(*spelling), "{spelling} of {}", section.name);
                }
            }
        }
    }
}
