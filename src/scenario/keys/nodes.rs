//! The keys of nodes and links.

use super::{Key, Kind, Section, key, not_built};
use crate::plan::{
    Access, ConflictBehavior, DenyAction, FilterScope, FilteringBehavior, Hairpinning, IceTransportPolicy,
    InboundPolicy, MappingBehavior, Pooling, PortAssignment, RefreshDirection, ReplyMapping, StackKind,
    Unsolicited,
};
use crate::scenario::word::Word;
use crate::scenario::{links, profiles};

const NO_IPV6: &str = "leave the key out: this version speaks IPv4 only";

/// A NAT.
pub static NAT: Section = Section {
    name: "nats.NAME",
    about: "A NAT. A nickname alone (`nat-a: symmetric`) is short for `nat-a: { type: symmetric }`. Where neither `type` nor \
            `profile` is given, `mapping` and `filtering` must be. Axes override what the nickname or profile says.",
    keys: &[
        key("behind", Kind::NodeName, "`internet`", "The NAT or firewall its outside is connected to."),
        key("type", Kind::Word(profiles::nickname_words), "none", "A nickname to start from."),
        key(
            "profile",
            Kind::Word(profiles::profile_names),
            "none",
            "A sourced device profile to start from.",
        ),
        key(
            "mapping",
            Kind::Word(MappingBehavior::words),
            "from `type` or `profile`",
            "When packets from one internal endpoint share an external one (RFC 4787 section 4.1). Also `eim`, `adm`, `apdm`.",
        ),
        key(
            "filtering",
            Kind::Word(FilteringBehavior::words),
            "from `type` or `profile`",
            "Which inbound packets a mapping admits (RFC 4787 section 5). Also `eif`, `adf`, `apdf`.",
        ),
        key(
            "filter-scope",
            Kind::Word(FilterScope::words),
            "`mapping`",
            "Whose destinations open the filter: those of the mapping, or those of the internal endpoint.",
        ),
        key(
            "reply-mapping",
            Kind::Word(ReplyMapping::words),
            "`admitting`",
            "From where packets to a remote leave: the mapping that admitted its latest packet, or always the one the mapping rule gives.",
        ),
        key(
            "port-assignment",
            Kind::Word(PortAssignment::words),
            "`preservation`; `random` for `symmetric`",
            "How the external port of a new mapping is chosen (RFC 4787 section 4.2.1).",
        ),
        key(
            "on-conflict",
            Kind::Word(ConflictBehavior::words),
            "`random`",
            "What happens when the port that `preservation` or `overloading` wants is taken (RFC 4787 section 8).",
        ),
        key("port-range", Kind::PortRange, "`1024-65535`", "The external ports there are."),
        key(
            "port-parity",
            Kind::Truth,
            "`false`",
            "Even ports map to even ones, odd ones to odd ones (RFC 4787 section 4.2.2).",
        ),
        key(
            "ip-pooling",
            Kind::Word(Pooling::words),
            "`paired`",
            "How one of several outside addresses is picked (RFC 4787 section 4.1).",
        ),
        key(
            "max-ports-per-host",
            Kind::Integer(1, 65_535),
            "no quota",
            "External ports one internal host may hold at a time, of all protocols together (RFC 6888 REQ-4).",
        ),
        key(
            "port-block-size",
            Kind::Integer(1, 64_512),
            "ports are given one by one",
            "Hosts get blocks of this many consecutive ports (RFC 6888 section 5), counted from the start of `port-range`; no more blocks than `max-ports-per-host` takes.",
        ),
        key(
            "port-quarantine",
            Kind::Duration,
            "`0s`",
            "How long a port rests after its last mapping (RFC 6888 REQ-8, which asks for `120s`). TCP ports rest not.",
        ),
        key(
            "hairpinning",
            Kind::Word(Hairpinning::words),
            "`off`",
            "What happens to packets from inside to the NAT's own outside address (RFC 4787 section 6).",
        ),
        key(
            "udp-timeout",
            Kind::Duration,
            "`120s`, or `udp-timeout-unreplied` if that is longer",
            "How long a UDP mapping lives that has seen packets in both directions (RFC 4787 section 4.3).",
        ),
        key(
            "udp-timeout-unreplied",
            Kind::Duration,
            "`30s`, or `udp-timeout` if that is shorter",
            "How long one lives that has seen outbound packets only.",
        ),
        key(
            "timeout-refresh",
            Kind::Word(RefreshDirection::words),
            "`outbound`",
            "Packets of which direction keep a mapping alive.",
        ),
        key(
            "unsolicited",
            Kind::Word(Unsolicited::words),
            "`drop`",
            "What happens to inbound packets no mapping admits.",
        ),
        key(
            "outside",
            Kind::Addresses,
            "one free address of the network it is behind",
            "Its outside addresses.",
        ),
        key(
            "inside",
            Kind::Network,
            "`10.0.N.0/24` for the Nth NAT",
            "The network behind it. Its first address is the NAT's own.",
        ),
        key("link", Kind::Link, "`broadband` on the internet, `2ms` elsewhere", "Its uplink."),
        key(
            "port-mapping",
            Kind::Word(|| vec!["off"]),
            "`off`",
            "Whether hosts may ask for mappings. `upnp`, `nat-pmp` and `pcp` are not built yet.",
        ),
        not_built("tcp-timeout", "leave the key out: in this version only UDP passes through NATs"),
        not_built("ipv6", NO_IPV6),
        not_built("nat64", NO_IPV6),
    ],
};

/// A firewall.
pub static FIREWALL: Section = Section {
    name: "firewalls.NAME",
    about: "A stateful firewall. What is behind it keeps its addresses.",
    keys: &[
        key("behind", Kind::NodeName, "`internet`", "The NAT or firewall its outside is connected to."),
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
        key("link", Kind::Link, "`broadband` on the internet, `2ms` elsewhere", "Its uplink."),
        not_built("inspect", "leave the key out: in this version a firewall judges packets by their headers"),
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

/// A server.
pub static SERVER: Section = Section {
    name: "servers.NAME",
    about: "A server that offers STUN, TURN or both, as coturn does. With two addresses its STUN also answers RFC 5780's \
            behaviour discovery.",
    keys: &[
        key("stun", Kind::Listen, "none", "The ports it answers STUN on (RFC 8489)."),
        key("turn", Kind::Listen, "none", "The ports it answers TURN on (RFC 8656)."),
        key("address", Kind::Address, "the next of 192.0.2.0/24", "Its address."),
        key("addresses", Kind::Addresses, "one", "Its addresses, one or two, instead of `address`."),
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
        not_built("ipv6", NO_IPV6),
    ],
};

/// A peer.
pub static PEER: Section = Section {
    name: "peers.NAME",
    about: "A host that runs an ICE agent.",
    keys: &[
        key("behind", Kind::NodeName, "`internet`", "The NAT or firewall it is connected to."),
        key("address", Kind::Address, "a free address of its network", "Its address."),
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
            Kind::Words(|| vec!["ipv4"]),
            "`[ipv4]`",
            "The address families it uses. `ipv6` is not built yet.",
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
    about: "An entry is a `stun:HOST[:PORT]` or `turn:HOST[:PORT][?transport=udp]` URI (RFC 7064, RFC 7065), or an object as \
            WebRTC's `iceServers` has them. HOST is a server's name, its `host` or its address; the port is 3478 if it is not given.",
    keys: &[
        key("urls", Kind::Text, "required", "One URI or a list of them."),
        key("username", Kind::Text, "the right one", "The TURN user to log in as."),
        key("credential", Kind::Text, "the right one", "That user's password."),
    ],
};

/// A link.
pub static LINK: Section = Section {
    name: "link",
    about: "A link, alike in both directions. A named link alone (`link: wifi`) is short for `link: { type: wifi }`.",
    keys: &[
        key("type", Kind::Word(links::names), "the default of the place", "A named link to start from."),
        key("delay", Kind::Duration, "from `type`", "How long a packet takes, one way."),
        key(
            "jitter",
            Kind::Duration,
            "from `type`",
            "By how much a packet may take longer. Packets keep their order all the same.",
        ),
        key("loss", Kind::Percent, "from `type`", "The chance that a packet is lost."),
        key("duplicate", Kind::Percent, "`0%`", "The chance that a packet arrives twice."),
        key(
            "reorder",
            Kind::Percent,
            "`0%`",
            "The chance that a packet is held back for 5 ms, so that later ones overtake it.",
        ),
        key("rate", Kind::Bandwidth, "no limit", "How fast packets leave."),
        key("queue", Kind::Integer(1, 1_000), "`100`", "How many packets wait when `rate` is set."),
        key("mtu", Kind::Integer(576, 65_535), "`1500`", "The largest IP packet it carries, in bytes."),
        key("up", Kind::Truth, "`true`", "`false`: everything sent on it is lost."),
    ],
};
