//! `firewalls:`.

use super::link::{self, LinkSpec};
use super::{profile, proxy};
use crate::base::SimDuration;
use crate::plan::{
    self, Access, DenyAction, FilteringBehavior, InboundPolicy, Inspect, OutboundPolicy, Proxy, Service,
    TcpLifetimes,
};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::{FIREWALL, OUTBOUND};
use crate::scenario::profiles::{self, ProfileKind};
use crate::scenario::read::{At, Fields, Leaf, Reader};
use crate::scenario::tree::Node;

/// A firewall as the file describes it.
#[derive(Debug, Default)]
pub struct Firewall {
    /// `behind`.
    pub behind: Option<At<String>>,
    /// `profile`.
    pub profile: Option<At<&'static str>>,
    /// `outbound`.
    pub outbound: Option<OutboundPolicy>,
    /// `inbound`.
    pub inbound: Option<At<InboundPolicy>>,
    /// `filtering`.
    pub filtering: Option<At<FilteringBehavior>>,
    /// `udp-timeout`.
    pub udp_timeout: Option<At<SimDuration>>,
    /// `tcp-timeout`.
    pub tcp_timeout: Option<At<SimDuration>>,
    /// `inspect`.
    pub inspect: Option<At<Inspect>>,
    /// `proxy`.
    pub proxy: Option<Proxy>,
    /// `link`.
    pub link: Option<LinkSpec>,
}

impl Firewall {
    /// What its profile says, if it names one.
    pub fn profiled(&self) -> Option<plan::Firewall> {
        self.profile.as_ref().and_then(|profile| profiles::find(profile.value)?.firewall())
    }

    /// Changes `firewall` where the file says so.
    pub fn apply(&self, firewall: &mut plan::Firewall) {
        if let Some(outbound) = &self.outbound {
            firewall.outbound = outbound.clone();
        }
        if let Some(inbound) = &self.inbound {
            firewall.inbound = inbound.value;
        }
        if let Some(filtering) = &self.filtering {
            firewall.filtering = filtering.value;
        }
        if let Some(lifetime) = &self.udp_timeout {
            firewall.udp_lifetime = lifetime.value;
        }
        if let Some(lifetime) = &self.tcp_timeout {
            firewall.tcp = TcpLifetimes::established(lifetime.value);
        }
        if let Some(inspect) = &self.inspect {
            firewall.inspect = inspect.value;
        }
        if let Some(proxy) = &self.proxy {
            firewall.proxy = Some(proxy.clone());
        }
    }

    /// True if it remembers nobody, since nobody has to be remembered.
    pub fn lets_everything_in(&self) -> bool {
        self.inbound.as_ref().is_some_and(|inbound| inbound.value == InboundPolicy::Allow)
    }
}

/// A firewall's body.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Firewall> {
    let fields = reader.fields(node, &FIREWALL)?;
    Some(body(reader, &fields))
}

/// What changes about a firewall.
pub fn read_change(reader: &mut Reader<'_>, node: &Node) -> Option<Firewall> {
    let fields = reader.fields(node, &FIREWALL)?;
    let fixed = [("behind", "leave it out"), ("link", "use `set-link`"), ("proxy", "leave it out")];
    refuse_fixed(reader, &fields, &fixed);
    Some(body(reader, &fields))
}

/// Keys of what cannot change while a scenario runs, and what to do instead.
pub(super) fn refuse_fixed(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    fixed: &[(&'static str, &'static str)],
) {
    for (key, instead) in fixed {
        if let Some(entry) = fields.entry(key) {
            reader.report(
                Diagnostic::new(Code::MeaninglessKey, format!("`{key}` cannot change here"))
                    .at(entry.key_span, "is what it is")
                    .help(*instead),
            );
        }
    }
}

fn body(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Firewall {
    let firewall = Firewall {
        behind: fields.get("behind").and_then(|node| reader.node_name("behind", node)),
        profile: fields.get("profile").and_then(|node| profile::name(reader, ProfileKind::Firewall, node)),
        outbound: fields.get("outbound").and_then(|node| outbound(reader, node)),
        inbound: fields.get("inbound").and_then(|node| reader.word("inbound", node)),
        filtering: fields.get("filtering").and_then(|node| reader.word("filtering", node)),
        udp_timeout: fields.get("udp-timeout").and_then(|node| reader.lifetime("udp-timeout", node)),
        tcp_timeout: fields.get("tcp-timeout").and_then(|node| reader.lifetime("tcp-timeout", node)),
        inspect: fields.get("inspect").and_then(|node| reader.word("inspect", node)),
        proxy: fields.get("proxy").and_then(|node| proxy::read(reader, node)),
        link: fields.get("link").and_then(|node| link::read(reader, node)),
    };
    let open = fields.entry("inbound").filter(|_| firewall.lets_everything_in());
    for key in ["filtering", "udp-timeout", "tcp-timeout"] {
        if let (Some(open), Some(entry)) = (open, fields.entry(key)) {
            reader.report(
                Diagnostic::new(
                    Code::MeaninglessKey,
                    format!("`{key}` has no effect where everything may enter"),
                )
                .at(entry.key_span, "no effect")
                .see(open.value.span, "everything may enter")
                .help("write `inbound: deny`, or remove it"),
            );
        }
    }
    firewall
}

fn outbound(reader: &mut Reader<'_>, node: &Node) -> Option<OutboundPolicy> {
    let fields = reader.fields(node, &OUTBOUND)?;
    let default: Option<At<Access>> = fields.get("default").and_then(|node| reader.word("default", node));
    let action: Option<At<DenyAction>> = fields.get("action").and_then(|node| reader.word("action", node));
    let allow = fields.entry("allow");
    let services = allow.map(|entry| services(reader, &entry.value)).unwrap_or_default();
    let access = default.as_ref().map(|at| at.value);
    let access = access.unwrap_or(if allow.is_some() { Access::Deny } else { Access::Allow });
    for (key, has) in [("allow", allow.is_some()), ("action", action.is_some())] {
        if let Some(entry) = fields.entry(key).filter(|_| has && access == Access::Allow) {
            reader.report(
                Diagnostic::new(
                    Code::MeaninglessKey,
                    format!("`{key}` has no effect where everything may leave"),
                )
                .at(entry.key_span, "no effect")
                .help("write `default: deny` beside it, or remove it"),
            );
        }
    }
    let action = action.map_or(DenyAction::Drop, |at| at.value);
    Some(OutboundPolicy { default: access, allow: services, action })
}

pub(super) fn services(reader: &mut Reader<'_>, node: &Node) -> Vec<Service> {
    let items = reader.list("allow", node, Service::KIND).unwrap_or_default();
    let mut services: Vec<Service> = Vec::new();
    for item in items {
        if let Some(service) = reader.leaf::<Service>("allow", item) {
            if services.contains(&service.value) {
                reader.report(
                    Diagnostic::new(Code::DuplicateKey, format!("`allow` names {} twice", service.value))
                        .at(service.span, "again here")
                        .help("remove one of them"),
                );
            }
            services.push(service.value);
        }
    }
    services
}
