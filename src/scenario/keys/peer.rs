//! The keys of peers.

use super::{Key, Kind, Section, key, not_built};
use crate::plan::{Family, IceTransportPolicy, StackKind};
use crate::scenario::word::Word;

/// A peer.
pub static PEER: Section = Section {
    name: "peers.NAME",
    about: "A host that runs an ICE agent.",
    keys: &[
        key("behind", Kind::NodeName, "`internet`", "The NAT or firewall it is connected to."),
        key(
            "address",
            Kind::Addresses,
            "a free address of its network",
            "Its address, or one of each family.",
        ),
        key("link", Kind::Link, "`lan` behind a NAT or firewall, else `broadband`", "Its connection."),
        Key {
            name: "ice-servers",
            aliases: &["iceServers"],
            kind: Kind::IceServers,
            default: "every server of the file",
            about: "The servers its agent knows; `[]`: none.",
        },
        key(
            "turn-credentials",
            Kind::Users,
            "the right ones",
            "The user and password it logs in to TURN servers with, right or wrong.",
        ),
        Key {
            name: "ice-transport-policy",
            aliases: &["iceTransportPolicy"],
            kind: Kind::Word(IceTransportPolicy::words),
            default: "`all`",
            about: "Which candidates it may use.",
        },
        key("agent", Kind::Word(StackKind::words), "`is`", "Which real ICE stack runs here."),
        key(
            "families",
            Kind::Words(Family::words),
            "what its network offers; on the internet itself `ipv4`, and `ipv6` if `address` has one",
            "The address families it uses. Candidates of different families are never paired.",
        ),
        key(
            "host-candidates",
            Kind::Word(|| vec!["visible"]),
            "`visible`",
            "How it tells its own addresses (RFC 8828). `mdns` and `hidden` are not built yet.",
        ),
        not_built("ice-lite", "leave the key out: every agent of this version is a full one"),
        not_built("interfaces", "give the peer one `behind`: in this version it has one interface"),
    ],
};

/// An entry of `ice-servers` in WebRTC's form.
pub static ICE_SERVER: Section = Section {
    name: "ice-servers",
    about: "An entry is a `stun:HOST[:PORT]`, `turn:HOST[:PORT][?transport=udp|tcp]` or `turns:HOST[:PORT]` URI (RFC 7064, \
            RFC 7065), or an object as WebRTC's `iceServers` has them. HOST is a server's name, its `host` or its address. The \
            port is 3478 if it is not given, and 5349 of `turns:`, which is TURN over TLS.",
    keys: &[
        key("urls", Kind::Uris, "required", "Where the server is."),
        key("username", Kind::Text, "the right one", "The TURN user to log in as."),
        key("credential", Kind::Text, "the right one", "That user's password."),
    ],
};
