//! The keys of servers.

use super::{Kind, Section, key};

/// A server.
pub static SERVER: Section = Section {
    name: "servers.NAME",
    about: "A server that offers STUN, TURN or both, as coturn does. With two addresses its STUN also answers RFC 5780's \
            behaviour discovery.",
    keys: &[
        key(
            "stun",
            Kind::Listen,
            "none",
            "The ports it answers STUN on (RFC 8489). Agents ask over UDP alone: a TCP port tells nothing a UDP candidate can use.",
        ),
        key(
            "turn",
            Kind::Listen,
            "none",
            "The ports it answers TURN on (RFC 8656), and over what: UDP, TCP or TLS.",
        ),
        key("address", Kind::Address, "the next of 192.0.2.0/24", "Its address."),
        key(
            "addresses",
            Kind::Addresses,
            "one",
            "Its addresses, one or two of a family, instead of `address`.",
        ),
        key(
            "ipv6",
            Kind::Truth,
            "`false`",
            "`true`: it has an IPv6 address too, the next of 2001:db8:5::/64.",
        ),
        key("host", Kind::Text, "none", "A DNS name that URIs may use for it beside its name here."),
        key("up", Kind::Truth, "`true`", "`false`: it is down, and packets to it are lost."),
        key("link", Kind::Link, "`5ms`", "Its uplink."),
        key("users", Kind::Users, "one for each peer", "Who may use TURN."),
        key("realm", Kind::Text, "`punchlab.test`", "The realm of its users."),
        key(
            "quota-per-user",
            Kind::Integer(1, 65_535),
            "`10`",
            "Allocations one user may hold; beyond it comes error 486.",
        ),
        key(
            "relay-port-range",
            Kind::PortRange,
            "`49152-65535`",
            "The ports it relays from (RFC 8656 section 7.2).",
        ),
        key(
            "allocation-lifetime",
            Kind::Duration,
            "`600s`",
            "What an allocation lives if the client does not say (RFC 8656 section 3.2).",
        ),
        key(
            "max-allocation-lifetime",
            Kind::Duration,
            "`3600s`",
            "The longest lifetime it grants (RFC 8656 section 7.2).",
        ),
        key(
            "permission-lifetime",
            Kind::Duration,
            "`300s`",
            "How long a permission lives (RFC 8656 section 9).",
        ),
        key("channel-lifetime", Kind::Duration, "`600s`", "How long a channel lives (RFC 8656 section 12)."),
        key(
            "channel-cooldown",
            Kind::Duration,
            "`300s`",
            "How long an expired channel's number stays reserved (RFC 8656 section 12).",
        ),
        key(
            "nonce-lifetime",
            Kind::Duration,
            "`3600s`",
            "How long a nonce is good for; then comes error 438 (RFC 8656 section 5).",
        ),
    ],
};
