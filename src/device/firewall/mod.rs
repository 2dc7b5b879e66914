//! A stateful firewall: lets packets pass, or not, without translating them. In the spirit of RFC 6092.
//!
//! It is a bridge with rules and has no address of its own; a rejection therefore bears the address of the
//! forbidden destination, as a bridge's does. What goes from one inside port to another is switched without rules.
//!
//! Unlike RFC 6092 it filters by address and port unless told otherwise (REC-17 has endpoint-independent filtering as
//! the default; boxes in the field do not), drops an unsolicited SYN in silence (REC-34 answers it after 6 seconds),
//! and where everything may leave lets ICMP errors about unknown flows out, though not in (REC-10).
//!
//! It follows TCP connections (REC-31 to REC-36): segments of either direction keep one alive, for as long as its phase
//! allows. A connection it has forgotten may go on from inside, but not from outside.
//!
//! With `inspect` it also looks at how connections begin, and with `proxy` it has an address after all, at which an HTTP
//! proxy listens.

mod inspect;
mod policy;
mod proxy;
pub(in crate::device) mod states;

use std::net::{IpAddr, SocketAddr};

use self::inspect::Inspection;
use self::proxy::Proxy;
use self::states::{Noted, Sign, States};
use super::{Device, Outbox, Verdict, group};
use crate::base::{Limits, PortId, Random, SimTime};
use crate::plan::graph::RouteTable;
use crate::plan::{
    self, Access, DropReason, FilteringBehavior, InboundPolicy, Inspect, Protocol, Rule, Service,
    ServiceProtocol, StateChange,
};
use crate::wire::{Body, Flow, Icmp, Packet, TcpSegment};

/// A firewall. Port 0 is its outside, all others are its inside.
#[derive(Debug)]
pub struct Firewall {
    config: plan::Firewall,
    routes: RouteTable,
    /// What inside endpoints have sent to.
    asked: States,
    /// Who from outside was let in unasked; their answers may leave whatever the outbound rules say.
    entered: States,
    /// How connections began that must begin with TLS.
    inspection: Inspection,
    /// How many of those it follows at most.
    capacity: usize,
    proxy: Option<Box<Proxy>>,
}

impl Firewall {
    /// A firewall with these rules.
    pub fn new(config: &plan::Firewall, routes: RouteTable, limits: &Limits) -> Self {
        Self {
            config: config.clone(),
            routes,
            asked: States::new(limits.mappings_per_nat),
            entered: States::new(limits.mappings_per_nat),
            inspection: Inspection::default(),
            capacity: limits.mappings_per_nat,
            proxy: None,
        }
    }

    /// The same, at these addresses, with the HTTP proxy of its rules if they have one. The proxy's segments make packets of no
    /// more than `mtu` bytes, and it has at most `connections` at one time, two for each tunnel.
    pub fn with_proxy(mut self, addresses: &[IpAddr], mtu: u16, connections: usize, random: Random) -> Self {
        let proxy = self.config.proxy.as_ref();
        self.proxy = proxy.map(|proxy| Box::new(Proxy::new(proxy, addresses, mtu, connections, random)));
        self
    }

    /// These are its rules from now on. It remembers the flows it knew; with another `filtering` each of them has to
    /// send once more before answers come in. One that begins to inspect leaves connections alone that are open; one that
    /// stops lets those go on that it had refused.
    pub fn set_rules(&mut self, config: &plan::Firewall) {
        self.config = config.clone();
        if config.inspect == Inspect::Off {
            self.inspection.clear();
        }
    }

    /// It forgets all flows.
    pub(in crate::device) fn forget(&mut self) {
        self.asked.clear();
        self.entered.clear();
        self.inspection.clear();
    }

    /// These are its routes from now on.
    pub fn set_routes(&mut self, routes: RouteTable) {
        self.routes = routes;
    }

    fn outbound(&mut self, now: SimTime, port: PortId, packet: &Packet, out: &mut Outbox) -> Option<Verdict> {
        match &packet.body {
            Body::Icmp(error) => {
                let known = self.config.outbound.default == Access::Allow || self.tracks(now, error);
                (!known).then(|| {
                    let text = "an ICMP error about a flow the firewall does not know".into();
                    Verdict::drop_by(DropReason::FirewallOutbound, Rule::PortPolicy { text })
                })
            }
            _ => self.outbound_flow(now, port, packet, out),
        }
    }

    fn outbound_flow(
        &mut self,
        now: SimTime,
        port: PortId,
        packet: &Packet,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        let Flow { source: inside, destination: remote } = packet.flow;
        let protocol = packet.protocol();
        let sign = sign(&self.config, packet, remote, true);
        if !self.entered.refresh(now, (protocol, inside), remote, sign)
            && let Some(text) = policy::forbidden(&self.config.outbound, protocol, remote.port())
        {
            return Some(policy::refuse(&self.config.outbound, text, port, packet, out));
        }
        let entry = filter_entry(self.config.filtering, remote);
        match self.asked.note(now, (protocol, inside), entry, sign) {
            Noted::Refreshed => None,
            Noted::New => {
                if self.config.filtering != FilteringBehavior::EndpointIndependent {
                    out.note(|| StateChange::FilterOpened { protocol, external: inside, remote: entry });
                }
                None
            }
            Noted::Full => Some(full()),
        }
    }

    fn inbound(&mut self, now: SimTime, packet: &Packet) -> Option<Verdict> {
        let (key, remote) = match &packet.body {
            Body::Icmp(error) if self.tracks(now, error) => return None,
            Body::Icmp(error) => ((error.quoted_protocol, error.quoted.source), error.quoted.destination),
            _ => ((packet.protocol(), packet.flow.destination), packet.flow.source),
        };
        let entry = filter_entry(self.config.filtering, remote);
        let sign = sign(&self.config, packet, remote, false);
        if self.asked.holds(now, key, entry) {
            // The answers of UDP keep nothing alive (RFC 4787 REQ-6); a connection is as long idle as both sides are.
            if matches!(packet.body, Body::Tcp(_)) {
                self.asked.refresh(now, key, entry, sign);
                self.entered.refresh(now, key, remote, sign);
            }
            return None;
        }
        if self.config.inbound == InboundPolicy::Allow {
            if !matches!(packet.body, Body::Icmp(_)) {
                self.entered.note(now, key, remote, sign);
            }
            return None;
        }
        let accepts = self.asked.accepts(now, key);
        let rule = Rule::Unsolicited { filtering: self.config.filtering, accepts };
        Some(Verdict::drop_by(DropReason::FirewallInbound, rule))
    }

    /// Looks at a segment that may pass by its headers.
    fn look_inside(
        &mut self,
        now: SimTime,
        port: PortId,
        packet: &Packet,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        let Body::Tcp(segment) = &packet.body else { return None };
        let refusal = match self.config.inspect {
            Inspect::Off => None,
            Inspect::Tls if port == PortId::UPLINK => self.inspection.inbound(packet.flow.reversed()),
            Inspect::Tls if segment.flags.opens_connection() => return self.watch(now, packet.flow, segment),
            Inspect::Tls => self.inspection.outbound(packet.flow, segment),
        };
        let text = refusal?.to_owned();
        if port != PortId::UPLINK {
            policy::reset(&self.config.outbound, port, packet, segment, out);
        }
        Some(Verdict::drop_by(DropReason::FirewallInspect, Rule::PortPolicy { text }))
    }

    /// Watches how a connection begins, if its port promises something.
    fn watch(&mut self, now: SimTime, flow: Flow, syn: &TcpSegment) -> Option<Verdict> {
        let service = Service { port: flow.destination.port(), protocol: ServiceProtocol::Tcp };
        if service != Inspect::TLS_PORT {
            return None;
        }
        if self.inspection.len() >= self.capacity {
            let filtering = self.config.filtering;
            self.inspection.retain(|inside, remote| {
                self.asked.holds(now, (Protocol::Tcp, inside), filter_entry(filtering, remote))
            });
        }
        if self.inspection.len() >= self.capacity {
            return Some(full());
        }
        self.inspection.begin(flow, syn);
        None
    }

    /// True if the flow an ICMP error quotes is one of ours, in either direction.
    fn tracks(&self, now: SimTime, error: &Icmp) -> bool {
        let known = |flow: Flow| {
            let key = (error.quoted_protocol, flow.source);
            self.asked.holds(now, key, filter_entry(self.config.filtering, flow.destination))
                || self.entered.holds(now, key, flow.destination)
        };
        known(error.quoted) || known(error.quoted.reversed())
    }
}

impl Device for Firewall {
    fn handle(&mut self, now: SimTime, port: PortId, packet: &mut Packet, out: &mut Outbox) -> Verdict {
        if let Some(verdict) = group::flood(port, packet, &self.routes, out) {
            return verdict;
        }
        let destination = packet.flow.destination.ip();
        if let Some(proxy) = self.proxy.as_mut().filter(|proxy| proxy.is_at(destination)) {
            return proxy.receive(now, port, packet, &self.routes, out);
        }
        let to = match self.routes.port_for(destination) {
            Some(to) if to != port => to,
            _ => return Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination }),
        };
        if port != PortId::UPLINK && to != PortId::UPLINK {
            return Verdict::Forward(to);
        }
        if packet.hop_limit <= 1 {
            return Verdict::drop(DropReason::TtlExpired);
        }
        let refused = if port == PortId::UPLINK {
            self.inbound(now, packet)
        } else {
            self.outbound(now, port, packet, out)
        };
        let refused = refused.or_else(|| self.look_inside(now, port, packet, out));
        refused.unwrap_or_else(|| {
            packet.hop_limit -= 1;
            Verdict::Forward(to)
        })
    }

    fn next_timeout(&self) -> Option<SimTime> {
        self.proxy.as_ref()?.next_timeout()
    }

    fn handle_timeout(&mut self, now: SimTime, out: &mut Outbox) {
        if let Some(proxy) = &mut self.proxy {
            proxy.handle_timeout(now, &self.routes, out);
        }
    }
}

fn full() -> Verdict {
    let text = "the firewall tracks as many flows as it can".into();
    Verdict::drop_by(DropReason::FirewallOutbound, Rule::PortPolicy { text })
}

/// How long a packet from or to `remote` is remembered.
fn sign<'a>(config: &'a plan::Firewall, packet: &Packet, remote: SocketAddr, outbound: bool) -> Sign<'a> {
    match &packet.body {
        Body::Tcp(segment) => {
            Sign::Segment { remote, outbound, flags: segment.flags, lifetimes: &config.tcp }
        }
        Body::Udp(_) | Body::Icmp(_) => Sign::Lives(config.udp_lifetime),
    }
}

/// What the firewall remembers of `remote`: with address-dependent filtering all its ports (0), with
/// endpoint-independent filtering only that something was sent.
fn filter_entry(filtering: FilteringBehavior, remote: SocketAddr) -> SocketAddr {
    match filtering {
        FilteringBehavior::EndpointIndependent => SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), 0),
        FilteringBehavior::AddressDependent => SocketAddr::new(remote.ip(), 0),
        FilteringBehavior::AddressAndPortDependent => remote,
    }
}

#[cfg(test)]
mod tests;
