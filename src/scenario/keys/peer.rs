//! The keys of peers.

use super::{Key, Kind, Section, key};
use crate::plan::{Family, HostCandidates, IceTransportPolicy, ProxyUse, StackKind};
use crate::scenario::word::Word;

// How a peer is connected, and each interface of one that has several.
const BEHIND: Key = key("behind", Kind::NodeName, "`internet`", "The NAT or firewall it is connected to.");
const ADDRESS: Key =
    key("address", Kind::Addresses, "a free address of its network", "Its address, or one of each family.");
const LINK: Key =
    key("link", Kind::Link, "`lan` behind a NAT or firewall, else `broadband`", "Its connection.");

/// A peer.
pub static PEER: Section = Section {
    name: "peers.NAME",
    about: "A host that runs an ICE agent.",
    keys: &[
        BEHIND,
        ADDRESS,
        LINK,
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
            "port-mapping",
            Kind::Truth,
            "`true` where the nearest NAT offers it",
            "Whether it asks the nearest NAT for a mapping of its socket.",
        ),
        key(
            "host-candidates",
            Kind::Word(HostCandidates::words),
            "`visible`",
            "What it tells of its own addresses (RFC 8828): all; mDNS names, which only peers on its own link can resolve; none; those of its default route, which are all where it has one interface.",
        ),
        key(
            "clat",
            Kind::Truth,
            "`false`",
            "True: behind a NAT64 it has IPv4 all the same, by a translator of its own (464XLAT, RFC 6877).",
        ),
        key(
            "ice-lite",
            Kind::Truth,
            "`false`",
            "Whether its agent is a lite one, as those of public servers may be: it answers checks and sends none (RFC 8445 §2.5).",
        ),
        key(
            "proxy",
            Kind::Word(ProxyUse::words),
            "`auto`",
            "Whether it opens TCP connections through the nearest `proxy` of the firewalls it is behind.",
        ),
        key(
            "interfaces",
            Kind::Named(&INTERFACE),
            "one interface, which needs no name",
            "Its network interfaces, if it has several: `behind`, `address`, `link` and `families` stand with each of them instead. \
             In events `alice.wlan0` is the interface `wlan0` of `alice`.",
        ),
    ],
};

/// An interface of a peer.
pub static INTERFACE: Section = Section {
    name: "interfaces.NAME",
    about: "A network interface of a peer, in the order of its preference. A peer has sockets on those that are up when a call begins, and \
            after an ICE restart on those that are up then.",
    keys: &[
        BEHIND,
        ADDRESS,
        LINK,
        key(
            "families",
            Kind::Words(Family::words),
            "what its network offers; on the internet itself `ipv4`, and `ipv6` if `address` has one",
            "The address families it uses.",
        ),
        key("up", Kind::Truth, "`true`", "Whether it is up from the beginning."),
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
