//! The keys of NATs.

use super::{Kind, Section, key};
use crate::plan::{
    ConflictBehavior, FilterScope, FilteringBehavior, Hairpinning, MappingBehavior, Pooling, PortAssignment,
    PortMapping, RefreshDirection, ReplyMapping, Unsolicited,
};
use crate::scenario::profiles::{self, ProfileKind};
use crate::scenario::word::Word;

/// A NAT.
pub static NAT: Section = Section {
    name: "nats.NAME",
    about: "A NAT. A nickname alone (`nat-a: symmetric`) is short for `nat-a: { type: symmetric }`. Where neither `type` nor \
            `profile` is given, `mapping` and `filtering` must be. Axes override what the nickname or profile says.",
    keys: &[
        key("behind", Kind::NodeName, "`internet`", "The NAT or firewall its outside is connected to."),
        key("type", Kind::Word(profiles::nickname_words), "none", "A nickname to start from."),
        key("profile", Kind::Profile(ProfileKind::Nat), "none", "A sourced device profile to start from."),
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
            "Packets of which direction keep a UDP mapping alive.",
        ),
        key(
            "tcp-timeout",
            Kind::Duration,
            "`7440s` (2h4m), or `tcp-timeout-transitory` if that is longer",
            "How long an established TCP connection may be idle in both directions (RFC 5382 REQ-5).",
        ),
        key(
            "tcp-timeout-transitory",
            Kind::Duration,
            "`240s`, or `tcp-timeout` if that is shorter",
            "How long one may be that opens, closes or was reset (RFC 5382 REQ-5, RFC 7857 section 2).",
        ),
        key(
            "unsolicited",
            Kind::Word(Unsolicited::words),
            "`drop`",
            "What happens to inbound packets no mapping admits. `icmp` answers a SYN after 6 seconds, `rst` answers SYNs only, and at once (RFC 5382 REQ-4).",
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
        key("ipv6", Kind::Map(&IPV6), "IPv4 only", "Its IPv6 side."),
        key(
            "nat64",
            Kind::Map(&NAT64),
            "not there",
            "It translates from IPv6 behind it to IPv4 outside (RFC 6146). Hosts behind it have IPv6 alone unless `inside` is given.",
        ),
        key("link", Kind::Link, "`broadband` on the internet, `2ms` elsewhere", "Its uplink."),
        key(
            "port-mapping",
            Kind::Word(PortMapping::words),
            "`off`",
            "By which protocol hosts behind it may ask for mappings (RFC 6886, RFC 6887). `upnp` is not built yet.",
        ),
    ],
};

/// The side of a NAT that translates IPv6 to IPv4.
pub static NAT64: Section = Section {
    name: "nat64",
    about: "What a NAT64 needs beside `ipv6` and the axes of the NAT, which are those of its mappings. Names of servers that have \
            IPv4 alone get an IPv6 address with this prefix (DNS64, RFC 6147); no DNS packets are simulated.",
    keys: &[key(
        "prefix",
        Kind::Ipv6Network,
        "required",
        "What IPv4 addresses begin with inside: a /96 (RFC 6052).",
    )],
};

/// The IPv6 side of a NAT.
pub static IPV6: Section = Section {
    name: "ipv6",
    about: "The IPv6 side of a NAT box: a router with a stateful firewall (RFC 6092). It translates nothing, and everything may \
            leave. The box itself has the first address of its network; what is behind it gets `::10`, `::11` and so on.",
    keys: &[
        key("prefix", Kind::Ipv6Network, "required", "The network behind it, a /64 or larger."),
        key(
            "filtering",
            Kind::Word(FilteringBehavior::words),
            "`address-and-port-dependent`",
            "Which packets count as asked for. RFC 6092 REC-17 would have `endpoint-independent`; boxes in the field do not.",
        ),
        key(
            "udp-timeout",
            Kind::Duration,
            "`300s`",
            "How long it remembers a UDP flow after the last outbound packet (RFC 6092 REC-14).",
        ),
        key(
            "tcp-timeout",
            Kind::Duration,
            "`7440s` (2h4m)",
            "How long an established TCP connection may be idle (RFC 6092 REC-35). Any other is forgotten after `240s`, or as soon if this is shorter.",
        ),
    ],
};
