//! The IPv6 side of a NAT box: a router with a stateful firewall, as RFC 6092 recommends for homes. Nothing is
//! translated: a host keeps its address, and is reached at it by whom the firewall lets in.

use std::net::IpAddr;

use ipnet::Ipv6Net;

use super::{answer, no_route};
use crate::base::{Limits, PortId, SimTime};
use crate::device::firewall::Firewall;
use crate::device::{Device, Outbox, Verdict};
use crate::plan::graph::RouteTable;
use crate::plan::{
    self, Accepts, Access, DenyAction, DropReason, FilteringBehavior, InboundPolicy, Ipv6Side,
    OutboundPolicy, Rule,
};
use crate::wire::{IcmpKind, Packet};

/// What carries IPv6 between the inside and the outside.
#[derive(Debug)]
pub(super) struct Ipv6Router {
    prefix: Ipv6Net,
    gateway: IpAddr,
    filtering: FilteringBehavior,
    firewall: Firewall,
}

impl Ipv6Router {
    /// Everything may leave, and answers may come in.
    pub(super) fn new(side: &Ipv6Side, routes: RouteTable, limits: &Limits) -> Self {
        let rules = plan::Firewall {
            outbound: OutboundPolicy { default: Access::Allow, allow: Vec::new(), action: DenyAction::Drop },
            inbound: InboundPolicy::Deny,
            filtering: side.filtering,
            udp_lifetime: side.udp_lifetime,
            tcp: side.tcp,
            inspect: plan::Inspect::Off,
            proxy: None,
            label: None,
        };
        Self {
            prefix: side.prefix,
            gateway: side.gateway.into(),
            filtering: side.filtering,
            firewall: Firewall::new(&rules, routes, limits),
        }
    }

    /// The box's own address inside.
    pub(super) fn gateway(&self) -> IpAddr {
        self.gateway
    }

    /// These are the box's routes from now on.
    pub(super) fn set_routes(&mut self, routes: RouteTable) {
        self.firewall.set_routes(routes);
    }

    /// It forgets all flows.
    pub(super) fn forget(&mut self) {
        self.firewall.forget();
    }

    /// What becomes of an IPv6 packet that came in on `port`, by the box's `routes`.
    pub(super) fn handle(
        &mut self,
        now: SimTime,
        port: PortId,
        packet: &mut Packet,
        routes: &RouteTable,
        out: &mut Outbox,
    ) -> Verdict {
        let destination = packet.flow.destination.ip();
        if destination == self.gateway {
            return self.refuse_own(port, packet, out);
        }
        // An address of the prefix that nobody has is not outside.
        if port != PortId::UPLINK
            && self.is_inside(destination)
            && routes.exact_port_for(destination).is_none()
        {
            return no_route(destination);
        }
        let verdict = self.firewall.handle(now, port, packet, out);
        if port != PortId::UPLINK && verdict == Verdict::drop(DropReason::TtlExpired) {
            answer(self.gateway, IcmpKind::TimeExceeded, port, packet, out);
        }
        verdict
    }

    fn is_inside(&self, address: IpAddr) -> bool {
        matches!(address, IpAddr::V6(address) if self.prefix.contains(&address))
    }

    /// The box's own address offers no service. To whom is outside it does not even say so.
    fn refuse_own(&self, port: PortId, packet: &Packet, out: &mut Outbox) -> Verdict {
        if port == PortId::UPLINK {
            let rule = Rule::Unsolicited { filtering: self.filtering, accepts: Accepts::default() };
            return Verdict::drop_by(DropReason::FirewallInbound, rule);
        }
        answer(self.gateway, IcmpKind::PortUnreachable, port, packet, out);
        let rule = Rule::PortClosed { destination: packet.flow.destination };
        Verdict::drop_by(DropReason::HostPortClosed, rule)
    }
}
