//! `nats:`.

use std::net::IpAddr;

use ipnet::Ipv4Net;

use super::firewall::refuse_fixed;
use super::ipv6::{self, Ipv6};
use super::link::{self, LinkSpec};
use super::{nat64, profile};
use crate::base::{PortRange, SimDuration};
use crate::plan::{
    ConflictBehavior, FilterScope, FilteringBehavior, Hairpinning, MappingBehavior, Nat64Prefix, NatBehavior,
    Nickname, Pooling, PortAssignment, PortMapping, RefreshDirection, ReplyMapping, Unsolicited,
};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::NAT;
use crate::scenario::profiles::{self, ProfileKind};
use crate::scenario::read::words::unknown_word;
use crate::scenario::read::{At, Fields, Reader};
use crate::scenario::source::Span;
use crate::scenario::tree::{Node, Value};

/// A NAT as the file describes it.
#[derive(Debug, Default)]
pub struct Nat {
    /// `behind`.
    pub behind: Option<At<String>>,
    /// `type` or `profile`; `None` if neither is given.
    pub start: Option<Start>,
    /// The axes.
    pub axes: Axes,
    /// `outside`.
    pub outside: Option<Vec<At<IpAddr>>>,
    /// `inside`.
    pub inside: Option<At<Ipv4Net>>,
    /// `ipv6`.
    pub ipv6: Option<Ipv6>,
    /// `nat64`.
    pub nat64: Option<At<Nat64Prefix>>,
    /// `link`.
    pub link: Option<LinkSpec>,
    /// Where its keys stand that only a box that translates can have.
    pub translating: Vec<At<&'static str>>,
}

/// What a NAT's axes override.
#[derive(Debug, Clone)]
pub enum Start {
    /// A nickname.
    Nickname(At<Nickname>),
    /// A profile.
    Profile(At<&'static str>),
}

/// The axes a file states.
#[derive(Debug, Default, Clone)]
#[allow(missing_docs, reason = "each field is the key of the same name")]
pub struct Axes {
    pub mapping: Option<At<MappingBehavior>>,
    pub filtering: Option<At<FilteringBehavior>>,
    pub filter_scope: Option<At<FilterScope>>,
    pub reply_mapping: Option<At<ReplyMapping>>,
    pub port_assignment: Option<At<PortAssignment>>,
    pub on_conflict: Option<At<ConflictBehavior>>,
    pub port_range: Option<At<PortRange>>,
    pub port_parity: Option<At<bool>>,
    pub ip_pooling: Option<At<Pooling>>,
    pub max_ports_per_host: Option<At<u64>>,
    pub port_block_size: Option<At<u64>>,
    pub port_quarantine: Option<At<SimDuration>>,
    pub hairpinning: Option<At<Hairpinning>>,
    pub udp_timeout: Option<At<SimDuration>>,
    pub udp_timeout_unreplied: Option<At<SimDuration>>,
    pub timeout_refresh: Option<At<RefreshDirection>>,
    pub tcp_timeout: Option<At<SimDuration>>,
    pub tcp_timeout_transitory: Option<At<SimDuration>>,
    pub unsolicited: Option<At<Unsolicited>>,
    pub port_mapping: Option<At<PortMapping>>,
}

/// The keys of a NAT that say how it translates.
pub const AXES: [&str; 20] = [
    "mapping",
    "filtering",
    "filter-scope",
    "reply-mapping",
    "port-assignment",
    "on-conflict",
    "port-range",
    "port-parity",
    "ip-pooling",
    "max-ports-per-host",
    "port-block-size",
    "port-quarantine",
    "hairpinning",
    "udp-timeout",
    "udp-timeout-unreplied",
    "timeout-refresh",
    "tcp-timeout",
    "tcp-timeout-transitory",
    "unsolicited",
    "port-mapping",
];

/// A NAT's body: a nickname or a map.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Nat> {
    if let Value::Scalar(_) = node.value {
        let start = nickname(reader, "type", node).map(Start::Nickname)?;
        return Some(Nat { start: Some(start), ..Nat::default() });
    }
    let before = reader.mistakes();
    let fields = reader.fields(node, &NAT)?;
    let nat = body(reader, &fields);
    if reader.mistakes() == before {
        check_start(reader, &fields, node.span);
    }
    Some(nat)
}

/// What changes about a NAT: a nickname or a map.
pub fn read_change(reader: &mut Reader<'_>, node: &Node) -> Option<Nat> {
    if let Value::Scalar(_) = node.value {
        return read(reader, node);
    }
    let fields = reader.fields(node, &NAT)?;
    refuse_fixed(
        reader,
        &fields,
        &[
            ("behind", "leave it out"),
            ("inside", "leave it out"),
            ("ipv6", "leave it out"),
            ("nat64", "leave it out"),
            ("outside", "use `renumber`"),
            ("link", "use `set-link`"),
        ],
    );
    check_one_start(reader, &fields);
    Some(body(reader, &fields))
}

fn body(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Nat {
    let behind = fields.get("behind").and_then(|node| reader.node_name("behind", node));
    let kind = fields.get("type").and_then(|node| nickname(reader, "type", node));
    let profile = fields.get("profile").and_then(|node| profile::name(reader, ProfileKind::Nat, node));
    let axes = axes(reader, fields);
    let outside = fields.get("outside").and_then(|node| outside(reader, "outside", node));
    let inside = fields.get("inside").and_then(|node| reader.leaf("inside", node));
    let ipv6 = fields.get("ipv6").and_then(|node| ipv6::read(reader, node));
    let nat64 = fields.get("nat64").and_then(|node| nat64::read(reader, node));
    let link = fields.get("link").and_then(|node| link::read(reader, node));
    let translating = AXES
        .into_iter()
        .chain(["outside", "inside", "ipv6", "nat64"])
        .filter_map(|key| fields.entry(key).map(|entry| At::new(key, entry.key_span)))
        .collect();
    let start = kind.map(Start::Nickname).or(profile.map(Start::Profile));
    Nat { behind, start, axes, outside, inside, ipv6, nat64, link, translating }
}

/// Addresses that a NAT translates to, which are IPv4.
pub fn outside(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<Vec<At<IpAddr>>> {
    let addresses = reader.addresses(key, node)?;
    if let Some(ipv6) = addresses.iter().find(|address| address.value.is_ipv6()) {
        let message = format!("`{key}: {}` is an IPv6 address, and a NAT translates IPv4 only", ipv6.value);
        reader.report(
            Diagnostic::new(Code::BadAddress, message).at(ipv6.span, "not possible here").help(
                "give what is behind it IPv6 addresses of their own: `ipv6: { prefix: 2001:db8:a::/64 }`",
            ),
        );
        return None;
    }
    Some(addresses)
}

/// A NAT has to be described completely, and only once.
fn check_start(reader: &mut Reader<'_>, fields: &Fields<'_>, span: Span) {
    check_one_start(reader, fields);
    let described = ["type", "profile"].iter().any(|key| fields.entry(key).is_some());
    let missing = ["mapping", "filtering"].into_iter().find(|key| fields.entry(key).is_none());
    if let Some(missing) = missing.filter(|_| !described) {
        let diagnostic = Diagnostic::new(
            Code::MissingKey,
            format!("this NAT has neither `type` nor `profile`, and no `{missing}`"),
        )
        .at(span, "does not say how it translates");
        reader.report(
            diagnostic.help("write `type: port-restricted-cone`, or give both `mapping` and `filtering`"),
        );
    }
}

fn check_one_start(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    if let (Some(kind), Some(profile)) = (fields.entry("type"), fields.entry("profile")) {
        reader.report(
            Diagnostic::new(
                Code::MeaninglessKey,
                "a NAT starts from a `type` or from a `profile`, not from both",
            )
            .at(profile.key_span, "this would replace `type` completely")
            .see(kind.key_span, "`type` is given here")
            .help("remove one of them"),
        );
    }
}

fn nickname(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<At<Nickname>> {
    let text = reader.text(key, node, "a nickname such as `symmetric`")?;
    if let Some(nickname) = Nickname::from_alias(text.value) {
        return Some(At::new(nickname, text.span));
    }
    let diagnostic = match profiles::find(text.value) {
        Some(profile) if profile.kind == ProfileKind::Nat => {
            Diagnostic::new(Code::UnknownWord, format!("`{}` is a profile, not a nickname", text.value))
                .help(format!("write `profile: {}`", text.value))
        }
        _ => unknown_word(key, text.value, &profiles::nickname_words())
            .help("device profiles are written `profile: NAME`; `punchlab profiles` lists them"),
    };
    reader.report(diagnostic.at(text.span, "no NAT is called that"));
    None
}

/// The axes of a NAT or of a profile.
pub fn axes(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Axes {
    let port_mapping: Vec<&str> = PortMapping::ALL.iter().map(|word| word.word()).collect();
    macro_rules! word {
        ($key:literal) => {
            fields.get($key).and_then(|node| reader.word($key, node))
        };
    }
    macro_rules! lifetime {
        ($key:literal) => {
            fields.get($key).and_then(|node| reader.lifetime($key, node))
        };
    }
    let axes = Axes {
        mapping: word!("mapping"),
        filtering: word!("filtering"),
        filter_scope: word!("filter-scope"),
        reply_mapping: word!("reply-mapping"),
        port_assignment: word!("port-assignment"),
        on_conflict: word!("on-conflict"),
        port_range: fields.get("port-range").and_then(|node| reader.leaf("port-range", node)),
        port_parity: fields.get("port-parity").and_then(|node| reader.truth("port-parity", node)),
        ip_pooling: word!("ip-pooling"),
        max_ports_per_host: fields.integer(reader, "max-ports-per-host"),
        port_block_size: fields.integer(reader, "port-block-size"),
        port_quarantine: fields.get("port-quarantine").and_then(|node| reader.leaf("port-quarantine", node)),
        hairpinning: word!("hairpinning"),
        udp_timeout: lifetime!("udp-timeout"),
        udp_timeout_unreplied: lifetime!("udp-timeout-unreplied"),
        timeout_refresh: word!("timeout-refresh"),
        tcp_timeout: lifetime!("tcp-timeout"),
        tcp_timeout_transitory: lifetime!("tcp-timeout-transitory"),
        unsolicited: word!("unsolicited"),
        port_mapping: fields
            .get("port-mapping")
            .filter(|node| reader.built_word("port-mapping", node, &port_mapping, &["upnp"]))
            .and_then(|node| reader.word("port-mapping", node)),
    };
    check_timers(
        reader,
        "a mapping would live shorter once it is answered than before",
        ("udp-timeout-unreplied", &axes.udp_timeout_unreplied),
        ("udp-timeout", &axes.udp_timeout),
    );
    check_timers(
        reader,
        "a connection would be forgotten sooner once it is established than before",
        ("tcp-timeout-transitory", &axes.tcp_timeout_transitory),
        ("tcp-timeout", &axes.tcp_timeout),
    );
    axes
}

/// A key, and the lifetime it was given.
type Timer<'a> = (&'static str, &'a Option<At<SimDuration>>);

/// What was answered lives no shorter than what was not; if it would, `message` says what that means.
fn check_timers(reader: &mut Reader<'_>, message: &str, before: Timer<'_>, after: Timer<'_>) {
    if let ((shorter, Some(before)), (longer, Some(after))) = (before, after)
        && before.value > after.value
    {
        reader.report(
            Diagnostic::new(Code::Contradiction, message)
                .at(before.span, format!("longer than the {} below `{longer}`", after.value))
                .see(after.span, format!("`{longer}` is given here"))
                .help(format!("write `{shorter}: {}` or less", after.value)),
        );
    }
}

impl Axes {
    /// Changes `behavior` where the axes say so.
    pub fn apply(&self, behavior: &mut NatBehavior) {
        fn set<T: Copy>(from: Option<&At<T>>, to: &mut T) {
            if let Some(at) = from {
                *to = at.value;
            }
        }
        set(self.mapping.as_ref(), &mut behavior.mapping);
        set(self.filtering.as_ref(), &mut behavior.filtering);
        set(self.filter_scope.as_ref(), &mut behavior.filter_scope);
        set(self.reply_mapping.as_ref(), &mut behavior.reply_mapping);
        set(self.port_assignment.as_ref(), &mut behavior.ports.assignment);
        set(self.on_conflict.as_ref(), &mut behavior.ports.on_conflict);
        set(self.port_range.as_ref(), &mut behavior.ports.range);
        set(self.port_parity.as_ref(), &mut behavior.ports.parity);
        set(self.ip_pooling.as_ref(), &mut behavior.pooling);
        set(self.hairpinning.as_ref(), &mut behavior.hairpinning);
        set(self.udp_timeout.as_ref(), &mut behavior.lifetimes.udp);
        set(self.udp_timeout_unreplied.as_ref(), &mut behavior.lifetimes.udp_unreplied);
        set(self.timeout_refresh.as_ref(), &mut behavior.lifetimes.refresh);
        set(self.tcp_timeout.as_ref(), &mut behavior.lifetimes.tcp.established);
        set(self.tcp_timeout_transitory.as_ref(), &mut behavior.lifetimes.tcp.transitory);
        set(self.unsolicited.as_ref(), &mut behavior.unsolicited);
        set(self.port_mapping.as_ref(), &mut behavior.port_mapping);
        if let Some(quota) = &self.max_ports_per_host {
            behavior.ports.max_per_host = u16::try_from(quota.value).ok();
        }
        if let Some(size) = &self.port_block_size {
            behavior.ports.block = u16::try_from(size.value).ok();
        }
        set(self.port_quarantine.as_ref(), &mut behavior.ports.quarantine);
        // Each timer alone is a statement; the other follows it rather than contradict it.
        let lifetimes = &mut behavior.lifetimes;
        if self.udp_timeout_unreplied.is_none() {
            lifetimes.udp_unreplied = lifetimes.udp_unreplied.min(lifetimes.udp);
        } else {
            lifetimes.udp = lifetimes.udp.max(lifetimes.udp_unreplied);
        }
        let tcp = &mut lifetimes.tcp;
        if self.tcp_timeout_transitory.is_none() {
            tcp.transitory = tcp.transitory.min(tcp.established);
        } else {
            tcp.established = tcp.established.max(tcp.transitory);
        }
    }
}
