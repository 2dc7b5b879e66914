//! The keys of firewalls.

use super::{Kind, Section, key};
use crate::plan::{Access, DenyAction, FilteringBehavior, InboundPolicy, Inspect};
use crate::scenario::profiles::ProfileKind;
use crate::scenario::word::Word;

/// A firewall.
pub static FIREWALL: Section = Section {
    name: "firewalls.NAME",
    about: "A stateful firewall. What is behind it keeps its addresses. Other keys override what its profile says, `outbound` as \
            a whole.",
    keys: &[
        key("behind", Kind::NodeName, "`internet`", "The NAT or firewall its outside is connected to."),
        key("profile", Kind::Profile(ProfileKind::Firewall), "none", "A sourced profile to start from."),
        key("outbound", Kind::Map(&OUTBOUND), "everything may leave", "Which packets from inside may leave."),
        key(
            "inbound",
            Kind::Word(InboundPolicy::words),
            "`deny`",
            "Whether packets nobody asked for may enter.",
        ),
        key(
            "filtering",
            Kind::Word(FilteringBehavior::words),
            "`address-and-port-dependent`",
            "Which packets count as asked for.",
        ),
        key(
            "udp-timeout",
            Kind::Duration,
            "`120s`",
            "How long it remembers a UDP flow after the last outbound packet.",
        ),
        key(
            "tcp-timeout",
            Kind::Duration,
            "`7440s` (2h4m)",
            "How long an established TCP connection may be idle (RFC 6092 REC-35). Any other is forgotten after `240s`, or as soon if this is shorter.",
        ),
        key("link", Kind::Link, "`broadband` on the internet, `2ms` elsewhere", "Its uplink."),
        key(
            "inspect",
            Kind::Word(Inspect::words),
            "`off`",
            "What it looks for inside. With `tls`, connections to 443/tcp must begin with a TLS handshake, or nothing more of them \
             passes. TURN over TLS and a browser look alike to it.",
        ),
        key(
            "proxy",
            Kind::Proxy,
            "none",
            "An HTTP proxy, at an address of the network the firewall is in. What is behind the firewall opens TCP connections through \
             it; beside it nothing else may leave unless `outbound` says so.",
        ),
    ],
};

/// What may leave through a firewall.
pub static OUTBOUND: Section = Section {
    name: "outbound",
    about: "What a firewall does with packets from inside.",
    keys: &[
        key(
            "default",
            Kind::Word(Access::words),
            "`allow`; `deny` beside `allow: […]`",
            "What happens to packets no entry of `allow` matches.",
        ),
        key("allow", Kind::Services, "none", "Destination ports that may be sent to."),
        key(
            "action",
            Kind::Word(DenyAction::words),
            "`drop`",
            "What the sender of a forbidden packet gets to know.",
        ),
    ],
};

/// The proxy of a firewall.
pub static PROXY: Section = Section {
    name: "proxy",
    about: "An HTTP proxy that opens tunnels (CONNECT, RFC 9110 section 9.3.6), or its port alone. It looks into none of them.",
    keys: &[
        key("port", Kind::Integer(1, 65_535), "`3128`", "The TCP port it listens on, as Squid does."),
        key(
            "allow",
            Kind::Services,
            "`[443/tcp]`",
            "Destination ports it opens tunnels to; others are refused with 403.",
        ),
    ],
};
