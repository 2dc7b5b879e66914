//! NATs, firewalls and what is behind what.

use super::names::{Names, Section};
use crate::base::SimDuration;
use crate::plan::{
    Access, FilteringBehavior, Firewall, Hairpinning, Inspect, MappingBehavior, Nat64Prefix, NatBehavior,
    NicknameMeaning, PortAssignment, Proxy, TcpLifetimes, Topology,
};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, File, LinkSpec, Named, Start};
use crate::scenario::profiles::{self, FIREWALL_LIFETIME, axes_of};
use crate::scenario::read::{At, Reader};
use crate::scenario::source::Span;

/// A NAT, firewall or router of the file.
#[derive(Debug)]
pub struct Box<'f> {
    /// Its name.
    pub name: &'f At<String>,
    /// The number of its parent; `None`: the internet.
    pub parent: Option<usize>,
    /// What it does.
    pub what: What,
    /// `behind`.
    pub behind: Option<&'f At<String>>,
    /// `link`.
    pub link: Option<&'f LinkSpec>,
    /// `ipv6`, if it translates.
    pub ipv6: Option<&'f file::Ipv6>,
    /// `nat64`, if it translates.
    pub nat64: Option<&'f At<Nat64Prefix>>,
    /// True: no host behind it has IPv4.
    pub ipv6_only: bool,
    /// The section it stands in.
    pub section: &'static str,
    /// What it does that the file does not say.
    pub assumed: Vec<(&'static str, String)>,
}

/// What a box does.
#[derive(Debug)]
pub enum What {
    /// Translates. With its number among the entries of `nats`, counted from 1, its index there and its label.
    Translates(NatBehavior, usize, Option<String>),
    /// Filters.
    Filters(Firewall),
    /// Forwards.
    Forwards,
}

/// All boxes in the order of the file, and the parents of peers' interfaces.
#[derive(Debug)]
pub struct Boxes<'f> {
    /// The boxes.
    pub all: Vec<Box<'f>>,
    leaves: Vec<Option<usize>>,
}

/// RFC 6146 §4: UDP_DEFAULT.
const NAT64_LIFETIME: SimDuration = SimDuration::from_secs(300);

const BEHIND: [Section; 2] = [Section::Nat, Section::Firewall];

impl<'f> Boxes<'f> {
    /// Collects the boxes and looks up what everything is behind.
    pub fn collect(reader: &mut Reader<'_>, file: &'f File, names: &Names<'_>) -> Self {
        let nats = file.nats.iter().enumerate().map(|(index, nat)| from_nat(reader, index, nat));
        let mut all: Vec<Box<'f>> = nats.collect();
        all.extend(file.firewalls.iter().map(|firewall| from_firewall(reader, firewall)));
        all.sort_by_key(|each| each.name.span);
        let number_of = |all: &[Box<'_>], name: &str| all.iter().position(|each| each.name.value == name);
        for index in 0..all.len() {
            let (name, behind) = (all[index].name, all[index].behind);
            let what = format!("`{}` is behind", name.value);
            all[index].parent =
                parent(reader, names, behind, &what).and_then(|parent| number_of(&all, parent));
        }
        let leaves = file.leaves().into_iter().map(|leaf| {
            let kind = if leaf.name.value == leaf.peer.name.value { "peer" } else { "interface" };
            let what = format!("{kind} `{}` is behind", leaf.name.value);
            parent(reader, names, leaf.body.behind.as_ref(), &what).and_then(|parent| number_of(&all, parent))
        });
        let leaves = leaves.collect();
        let mut boxes = Self { all, leaves };
        boxes.break_cycles(reader);
        boxes
    }

    /// What the interface with this number is behind; `None`: the internet.
    pub fn leaf_parent(&self, leaf: usize) -> Option<usize> {
        self.leaves.get(leaf).copied().flatten()
    }

    /// The nearest NAT at or above `from`, whose inside is the network there; `None`: the internet.
    pub fn realm(&self, mut from: Option<usize>) -> Option<usize> {
        while let Some(at) = from {
            if let What::Translates(..) = self.all[at].what {
                return Some(at);
            }
            from = self.all[at].parent;
        }
        None
    }

    /// The nearest firewall at or above `from` that is a proxy as well, and the proxy.
    pub fn proxy(&self, mut from: Option<usize>) -> Option<(usize, &Proxy)> {
        while let Some(at) = from {
            if let What::Filters(Firewall { proxy: Some(proxy), .. }) = &self.all[at].what {
                return Some((at, proxy));
            }
            from = self.all[at].parent;
        }
        None
    }

    /// The NATs above a box, nearest first.
    pub fn realms_above(&self, index: usize) -> Vec<usize> {
        let mut above = Vec::new();
        let mut at = self.realm(self.all[index].parent);
        while let Some(nat) = at {
            above.push(nat);
            at = self.realm(self.all[nat].parent);
        }
        above
    }

    /// The prefix of the nearest NAT64 at or above `from`, for hosts there; `None`: there is none.
    pub fn nat64_prefix(&self, from: Option<usize>) -> Option<Nat64Prefix> {
        let own = self.realm(from)?;
        let mut nats = std::iter::once(own).chain(self.realms_above(own));
        nats.find_map(|nat| self.all[nat].nat64).map(|prefix| prefix.value)
    }

    /// Reports every circle once and cuts it open, so that what follows comes to an end.
    fn break_cycles(&mut self, reader: &mut Reader<'_>) {
        // The walk on which a box was met; a walk that meets its own box has found a circle.
        let mut met_on = vec![usize::MAX; self.all.len()];
        for walk in 0..self.all.len() {
            let mut at = walk;
            while met_on[at] == usize::MAX {
                met_on[at] = walk;
                let Some(parent) = self.all[at].parent else { break };
                if met_on[parent] == walk {
                    reader.report(self.cycle(parent));
                    self.all[parent].parent = None;
                    break;
                }
                at = parent;
            }
        }
    }

    fn cycle(&self, start: usize) -> Diagnostic {
        let mut path = vec![start];
        while let Some(parent) = self.all[path[path.len() - 1]].parent.filter(|parent| *parent != start) {
            path.push(parent);
        }
        let names: Vec<String> =
            path.iter().chain(path.first()).map(|at| format!("`{}`", self.all[*at].name.value)).collect();
        let spans: Vec<Span> =
            path.iter().filter_map(|at| self.all[*at].behind).map(|behind| behind.span).collect();
        let message = match path.as_slice() {
            [_] => format!("{} is behind itself", names[0]),
            _ => format!("{} are behind each other in a circle", names[..path.len()].join(", ")),
        };
        let mut diagnostic = Diagnostic::new(Code::BehindCycle, message);
        for (number, span) in spans.into_iter().enumerate() {
            let text = format!("{} is behind {}", names[number], names[number + 1]);
            diagnostic = if number == 0 { diagnostic.at(span, text) } else { diagnostic.see(span, text) };
        }
        diagnostic.help("one of them must be behind `internet`, which is the default")
    }
}

fn parent<'n>(
    reader: &mut Reader<'_>,
    names: &Names<'_>,
    behind: Option<&'n At<String>>,
    what: &str,
) -> Option<&'n str> {
    let behind = behind.filter(|behind| behind.value != Topology::INTERNET)?;
    let help = "write `behind: internet` or the name of a NAT or firewall";
    names.expect(reader, behind, &BEHIND, what, help).map(|_| behind.value.as_str())
}

fn from_nat<'f>(reader: &mut Reader<'_>, index: usize, nat: &'f Named<file::Nat>) -> Box<'f> {
    let body = &nat.body;
    let (meaning, label) = match &body.start {
        Some(Start::Nickname(nickname)) => (Some(nickname.value.meaning()), Some(nickname.value.to_string())),
        Some(Start::Profile(profile)) => {
            let behavior = profiles::find(profile.value).and_then(profiles::Profile::behavior);
            (behavior.map(NicknameMeaning::Nat), Some(profile.value.to_owned()))
        }
        None => (None, None),
    };
    let what = match meaning {
        Some(NicknameMeaning::Router) => {
            meaningless(reader, body, &[], "a box that does nothing");
            What::Forwards
        }
        Some(NicknameMeaning::Firewall(filtering)) => {
            let keys = ["filtering", "udp-timeout", "tcp-timeout"];
            meaningless(reader, body, &keys, "a firewall, which does not translate");
            let axes = &body.axes;
            let filtering = axes.filtering.as_ref().map_or(filtering, |at| at.value);
            let lifetime = axes.udp_timeout.as_ref().map_or(FIREWALL_LIFETIME, |at| at.value);
            let tcp = axes.tcp_timeout.as_ref();
            let tcp = tcp.map_or(TcpLifetimes::DEFAULT, |at| TcpLifetimes::established(at.value));
            What::Filters(Firewall { label, tcp, ..profiles::stateful(filtering, lifetime) })
        }
        Some(NicknameMeaning::Nat(mut behavior)) => {
            if body.nat64.is_some() && matches!(&body.start, Some(Start::Nickname(_))) {
                nat64_lifetimes(&mut behavior);
            }
            body.axes.apply(&mut behavior);
            check_blocks(reader, body, &behavior);
            What::Translates(behavior, index, label)
        }
        None => {
            let mapping =
                body.axes.mapping.as_ref().map_or(MappingBehavior::EndpointIndependent, |at| at.value);
            let filtering =
                body.axes.filtering.as_ref().map_or(FilteringBehavior::EndpointIndependent, |at| at.value);
            let mut behavior = NatBehavior::new(mapping, filtering);
            if body.nat64.is_some() {
                nat64_lifetimes(&mut behavior);
            }
            body.axes.apply(&mut behavior);
            check_blocks(reader, body, &behavior);
            What::Translates(behavior, index, None)
        }
    };
    if let (What::Translates(behavior, ..), Some(_)) = (&what, &body.nat64) {
        check_nat64(reader, &nat.name, body, behavior);
    }
    let translates = matches!(what, What::Translates(..));
    if translates {
        check_nat64_alone(reader, body);
    }
    let ipv6 = body.ipv6.as_ref().filter(|_| translates);
    let nat64 = body.nat64.as_ref().filter(|_| translates && ipv6.is_some());
    let mut assumed = match &what {
        // A profile is a file that says everything.
        What::Translates(..) if matches!(&body.start, Some(Start::Profile(_))) => Vec::new(),
        What::Translates(behavior, ..) => axes_of(behavior),
        What::Filters(firewall) => firewall_axes(firewall),
        What::Forwards => Vec::new(),
    };
    assumed.retain(|(key, _)| body.translating.iter().all(|given| given.value != *key));
    Box {
        name: &nat.name,
        parent: None,
        what,
        behind: body.behind.as_ref(),
        link: body.link.as_ref(),
        ipv6,
        nat64,
        ipv6_only: nat64.is_some() && body.inside.is_none(),
        section: "nats",
        assumed,
    }
}

/// Blocks have to fit into the ports there are, and belong to one host each.
pub fn check_blocks(reader: &mut Reader<'_>, nat: &file::Nat, behavior: &NatBehavior) {
    let Some(size) = behavior.ports.block else { return };
    let axes = &nat.axes;
    let Some(place) = block_place(axes) else { return };
    let range = behavior.ports.range;
    if u32::from(size) > range.count() {
        let message = format!("no block of {size} ports fits into the {} ports {range}", range.count());
        let mut diagnostic = Diagnostic::new(Code::Contradiction, message).at(place, "does not fit");
        diagnostic = match (&axes.port_range, &axes.port_block_size) {
            (Some(range), Some(_)) => diagnostic.see(range.span, "`port-range` is given here"),
            _ => diagnostic,
        };
        reader.report(diagnostic.help(format!(
            "write a `port-block-size` of {} or less, or a larger `port-range`",
            range.count()
        )));
    }
    if behavior.ports.assignment == PortAssignment::Overloading {
        let message = "`overloading` shares ports between hosts, but a block of ports belongs to one host";
        let mut diagnostic = Diagnostic::new(Code::Contradiction, message).at(place, "cannot be both");
        diagnostic = match (&axes.port_assignment, &axes.port_block_size) {
            (Some(assignment), Some(_)) => diagnostic.see(assignment.span, "`port-assignment` is given here"),
            _ => diagnostic,
        };
        reader.report(diagnostic.help("remove `port-block-size`, or write `port-assignment: random`"));
    }
}

/// RFC 6146 §4: what a NAT64 remembers a UDP mapping for.
pub fn nat64_lifetimes(behavior: &mut NatBehavior) {
    behavior.lifetimes.udp = NAT64_LIFETIME;
    behavior.lifetimes.udp_unreplied = NAT64_LIFETIME;
}

/// Hosts behind a NAT64 have IPv6.
fn check_nat64_alone(reader: &mut Reader<'_>, nat: &file::Nat) {
    let given = |key| nat.translating.iter().find(|given| given.value == key);
    if let (Some(nat64), None) = (given("nat64"), given("ipv6")) {
        reader.report(
            Diagnostic::new(Code::MissingKey, "`nat64` translates IPv6, but nothing behind this NAT has any")
                .at(nat64.span, "needs `ipv6` beside it")
                .help("add `ipv6: { prefix: 2001:db8:a::/64 }`"),
        );
    }
}

/// A NAT64 leaves less open than RFC 4787 does.
pub fn check_nat64(reader: &mut Reader<'_>, name: &At<String>, nat: &file::Nat, behavior: &NatBehavior) {
    let start = match &nat.start {
        Some(Start::Nickname(nickname)) => nickname.span,
        Some(Start::Profile(profile)) => profile.span,
        None => name.span,
    };
    let mut refuse = |span: Option<Span>, what: &str, is: String, help: &str| {
        let message = format!("`{}` is a NAT64, which {what}, but has `{is}`", name.value);
        reader.report(
            Diagnostic::new(Code::Contradiction, message)
                .at(span.unwrap_or(start), "not as NAT64")
                .help(help),
        );
    };
    let axes = &nat.axes;
    if behavior.mapping != MappingBehavior::EndpointIndependent {
        refuse(
            axes.mapping.as_ref().map(|at| at.span),
            "maps all destinations alike (RFC 6146 section 1.2.3)",
            format!("mapping: {}", behavior.mapping),
            "write `mapping: endpoint-independent`, or a `type` such as `restricted-cone`",
        );
    }
    if behavior.filtering == FilteringBehavior::AddressAndPortDependent {
        refuse(
            axes.filtering.as_ref().map(|at| at.span),
            "filters by address or not at all (RFC 6146 section 1.2.3)",
            format!("filtering: {}", behavior.filtering),
            "write `filtering: address-dependent` or `filtering: endpoint-independent`",
        );
    }
    if behavior.hairpinning == Hairpinning::InternalSource {
        refuse(
            axes.hairpinning.as_ref().map(|at| at.span),
            "shows the external source of what it turns round (RFC 6146 section 3.8)",
            format!("hairpinning: {}", behavior.hairpinning),
            "write `hairpinning: external-source`",
        );
    }
}

/// The axis that a contradiction about blocks is about. A profile contradicts itself nowhere, so there is one.
fn block_place(axes: &file::Axes) -> Option<Span> {
    let size = axes.port_block_size.as_ref().map(|at| at.span);
    let range = axes.port_range.as_ref().map(|at| at.span);
    size.or(range).or(axes.port_assignment.as_ref().map(|at| at.span))
}

fn meaningless(reader: &mut Reader<'_>, nat: &file::Nat, allowed: &[&str], what: &str) {
    let Some(Start::Nickname(nickname)) = &nat.start else { return };
    for key in nat.translating.iter().filter(|key| !allowed.contains(&key.value)) {
        reader.report(
            Diagnostic::new(
                Code::MeaninglessKey,
                format!("`{}` has no effect on `{}`", key.value, nickname.value),
            )
            .at(key.span, "no effect")
            .see(nickname.span, format!("this is {what}"))
            .help("remove it, or take a `type` that translates"),
        );
    }
}

fn firewall_axes(firewall: &Firewall) -> Vec<(&'static str, String)> {
    vec![
        ("filtering", firewall.filtering.to_string()),
        ("udp-timeout", firewall.udp_lifetime.to_string()),
        ("tcp-timeout", firewall.tcp.established.to_string()),
    ]
}

/// What cannot leave at all cannot be looked into.
pub fn check_inspection(reader: &mut Reader<'_>, file: &file::Firewall, firewall: &Firewall) {
    let Some(inspect) = file.inspect.as_ref().filter(|inspect| inspect.value == Inspect::Tls) else { return };
    let outbound = &firewall.outbound;
    if outbound.default == Access::Deny && !outbound.allow.contains(&Inspect::TLS_PORT) {
        let service = Inspect::TLS_PORT;
        reader.report(
            Diagnostic::new(
                Code::MeaninglessKey,
                format!("`inspect: tls` has no effect where {service} may not leave"),
            )
            .at(inspect.span, format!("looks into {service} only"))
            .help(format!("add {service} to `outbound.allow`, or remove it")),
        );
    }
}

fn from_firewall<'f>(reader: &mut Reader<'_>, named: &'f Named<file::Firewall>) -> Box<'f> {
    let body = &named.body;
    let mut firewall = body
        .profiled()
        .unwrap_or_else(|| profiles::stateful(FilteringBehavior::AddressAndPortDependent, FIREWALL_LIFETIME));
    firewall.label = body.profile.as_ref().map(|profile| profile.value.to_owned());
    if body.proxy.is_some() && body.profile.is_none() {
        // Who has a proxy wants it to be used.
        firewall.outbound.default = Access::Deny;
    }
    body.apply(&mut firewall);
    check_inspection(reader, body, &firewall);
    // A profile is a file that says everything.
    let assumed = if body.profile.is_some() { Vec::new() } else { assumed_of(body, &firewall) };
    Box {
        name: &named.name,
        parent: None,
        what: What::Filters(firewall),
        behind: body.behind.as_ref(),
        link: body.link.as_ref(),
        ipv6: None,
        nat64: None,
        ipv6_only: false,
        section: "firewalls",
        assumed,
    }
}

fn assumed_of(body: &file::Firewall, firewall: &Firewall) -> Vec<(&'static str, String)> {
    let mut assumed = firewall_axes(firewall);
    let given = [
        ("filtering", body.filtering.is_some()),
        ("udp-timeout", body.udp_timeout.is_some()),
        ("tcp-timeout", body.tcp_timeout.is_some()),
    ];
    assumed.retain(|(key, _)| !body.lets_everything_in() && !given.contains(&(*key, true)));
    if body.inbound.is_none() {
        assumed.push(("inbound", firewall.inbound.to_string()));
    }
    if body.outbound.is_none() {
        assumed.push(("outbound.default", firewall.outbound.default.to_string()));
    }
    assumed
}
