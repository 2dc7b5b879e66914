//! A NAT by the axes of RFC 4787; also the switch and gateway of its inside, as a home router is.
//!
//! A packet's way, from top to bottom: `Nat::outbound` switches what stays inside, hairpins what goes to an
//! outside address of the NAT itself, and translates the rest through the mapping `Nat::mapping_for_sending`
//! finds or makes. `Nat::inbound` lets in what `Nat::mapping_admitting` admits.
//!
//! IPv6 goes another way, through the submodule `ipv6`: nothing of it is translated, unless its destination stands for
//! an IPv4 address: then `nat64` gives it a mapping like any other.
//!
//! What the RFCs leave open is decided thus:
//! - A filter entry lives as long as the mapping whose packet opened it. No inbound packet adds one.
//! - A dropped packet refreshes nothing (RFC 7857 §7). An ICMP error neither refreshes nor ends a mapping.
//! - A packet whose hop limit runs out here changes no state.
//! - The filter applies to hairpinned packets as to any other, with the sender's external endpoint as the remote,
//!   whatever source the receiver is shown.
//! - A host paired with an outside address keeps it for the whole run.
//! - A port rests for `port-quarantine` after its last mapping, 120 s where RFC 6888 REQ-8 is heeded; by default not at all.
//! - The quota of RFC 6888 REQ-4 is one for all protocols together. A port in quarantine counts no more.
//! - TCP connections are told apart by remote, and each has its own timer; the mapping lives as long as the last of them,
//!   and so do its filter entries. What goes out without a SYN gets a mapping for a while (a NAT that has forgotten a
//!   connection lets it go on, as Linux does unless told otherwise). A RST passes like any segment and ends nothing.
//! - A mapping that a host asked for (`port_mapping`) is its endpoint's for all remotes and open to all of them, however the
//!   NAT maps and filters otherwise (RFC 6887 §11). It lives as promised: no traffic prolongs it or cuts it short.
//! - A block of ports serves all protocols of its host. The host keeps it until none of its ports is mapped or rests.

mod admission;
mod blocks;
mod change;
mod filtering;
mod hairpin;
mod icmp;
mod ipv6;
mod key;
mod mapping;
mod nat64;
mod pool;
mod port_mapping;
mod ports;
mod sending;
mod table;
#[cfg(test)]
mod tests;
mod unsolicited;

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use self::filtering::EndpointFilters;
use self::ipv6::Ipv6Router;
use self::key::{EndpointKey, PackedFlow};
use self::mapping::Mapping;
use self::pool::Pool;
use self::port_mapping::Announcements;
use self::ports::Ports;
use self::sending::Refusal;
use self::table::{MappingId, Table};
use self::unsolicited::{Graveyard, HeldSyns, OwnFlows};
use super::{Device, Outbox, Verdict, group};
use crate::base::{Limits, PortId, Random, SimTime};
use crate::plan::graph::RouteTable;
use crate::plan::{
    self, Drop, DropReason, FilterScope, Hairpinning, MappingRow, Nat64Prefix, NatBehavior, PortBlock,
    Protocol, Rule, StateChange, Unsolicited,
};
use crate::wire::{Body, Flow, IcmpKind, Packet, TcpSegment};

/// A NAT. Port 0 is its outside, all others are its inside.
#[derive(Debug)]
pub struct Nat {
    behavior: NatBehavior,
    inside: IpNet,
    gateway: IpAddr,
    ipv6: Option<Ipv6Router>,
    nat64: Option<Nat64Prefix>,
    routes: RouteTable,
    random: Random,
    most_mappings: usize,
    table: Table,
    ports: Ports,
    pool: Pool,
    endpoint_filters: EndpointFilters,
    own_flows: OwnFlows,
    held_syns: HeldSyns,
    graveyard: Graveyard,
    /// Since when it remembers what it does.
    started: SimTime,
    announcements: Option<Announcements>,
}

impl Nat {
    /// A NAT with the given outside addresses. `random` serves random ports and arbitrary pooling.
    pub fn new(
        config: &plan::Nat,
        outside: &[IpAddr],
        routes: RouteTable,
        limits: &Limits,
        random: Random,
    ) -> Self {
        Self {
            behavior: config.behavior.clone(),
            inside: config.inside,
            gateway: config.gateway,
            ipv6: config.ipv6.as_ref().map(|side| Ipv6Router::new(side, routes.clone(), limits)),
            nat64: config.nat64.map(|nat64| nat64.prefix),
            routes,
            random,
            most_mappings: limits.mappings_per_nat,
            table: Table::new(limits.mappings_per_nat),
            ports: Ports::new(config.behavior.ports.clone()),
            pool: Pool::new(outside, config.behavior.pooling),
            endpoint_filters: EndpointFilters::default(),
            own_flows: OwnFlows::new(limits.mappings_per_nat),
            held_syns: HeldSyns::new(limits.mappings_per_nat),
            graveyard: Graveyard::new(limits.mappings_per_nat),
            started: SimTime::ZERO,
            announcements: None,
        }
    }

    /// The mappings that are alive at `now`, in the order of their creation.
    pub fn mappings(&self, now: SimTime) -> Vec<MappingRow> {
        let live = self.table.in_order().into_iter().filter(|mapping| mapping.life.expires > now);
        live.map(|mapping| self.row(mapping)).collect()
    }

    fn outbound(&mut self, now: SimTime, port: PortId, packet: &mut Packet, out: &mut Outbox) -> Verdict {
        let Flow { source, destination } = &packet.flow;
        let known = self.table.flow(PackedFlow::new(packet.protocol(), source, destination));
        // A flow that has left before does not stay inside; one look-up tells.
        if known.sent.is_none()
            && let Some(verdict) = self.stay_inside(now, port, packet, out)
        {
            return verdict;
        }
        if packet.hop_limit <= 1 {
            return expire_hop_limit(self.gateway, port, packet, out);
        }
        let hairpin = self.pool.owns(packet.flow.destination.ip());
        if hairpin && self.behavior.hairpinning == Hairpinning::Off {
            return Verdict::drop(DropReason::NatHairpinOff);
        }
        match (hairpin, &packet.body) {
            (true, Body::Icmp(_)) => self.hairpin_icmp(now, packet),
            (false, Body::Icmp(_)) => self.icmp_from_inside(now, packet),
            _ => match self.mapping_for_sending(now, (&packet.flow, &packet.body), known, out) {
                Ok(id) if hairpin => self.hairpin(now, port, id, packet, out),
                Ok(id) => {
                    rewrite_source(packet, self.table[id].external);
                    packet.hop_limit -= 1;
                    Verdict::Forward(PortId::UPLINK)
                }
                Err(refusal) => self.refuse(*refusal, port, packet, out),
            },
        }
    }

    /// What becomes of a packet from inside to the inside or to the NAT itself; `None` if it goes elsewhere.
    fn stay_inside(
        &mut self,
        now: SimTime,
        port: PortId,
        packet: &Packet,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        let destination = packet.flow.destination.ip();
        if destination == self.gateway {
            let is_asked = self.answer_request(now, port, packet, out);
            return Some(if is_asked { Verdict::Deliver } else { self.refuse_own(port, packet, out) });
        }
        match self.routes.exact_port_for(destination) {
            Some(inside) if inside != PortId::UPLINK => Some(switch(port, inside, destination)),
            _ => self.inside.contains(&destination).then(|| no_route(destination)),
        }
    }

    fn inbound(&mut self, now: SimTime, packet: &mut Packet, out: &mut Outbox) -> Verdict {
        let Flow { source, destination } = &packet.flow;
        if !self.pool.owns(destination.ip()) {
            return no_route(destination.ip());
        }
        if matches!(packet.body, Body::Icmp(_)) {
            return self.icmp_from_outside(now, packet);
        }
        match self.mapping_admitting(now, packet.protocol(), destination, source) {
            Ok(_) if packet.hop_limit <= 1 => expire_hop_limit(destination.ip(), PortId::UPLINK, packet, out),
            Ok(admission) => {
                self.note_admission(now, admission, &packet.flow.source, &packet.body, out);
                self.deliver_inside(admission.id, packet)
            }
            Err(drop) => {
                self.refuse_unsolicited(now, PortId::UPLINK, packet, (destination, source), drop, out)
            }
        }
    }

    /// Sends a packet that was let in through this mapping on to its internal endpoint.
    fn deliver_inside(&self, id: MappingId, packet: &mut Packet) -> Verdict {
        let mapping = &self.table[id];
        let Some(port) = mapping.port else { return no_route(mapping.internal.ip()) };
        packet.flow.destination = match packet.body {
            Body::Icmp(_) => SocketAddr::new(mapping.internal.ip(), 0),
            _ => mapping.internal,
        };
        if let Some(prefix) = self.nat64.filter(|_| mapping.internal.is_ipv6()) {
            nat64::show_remote(prefix, packet);
        }
        packet.trail.destination_rewrites = packet.trail.destination_rewrites.saturating_add(1);
        packet.hop_limit = packet.hop_limit.saturating_sub(1);
        Verdict::Forward(port)
    }

    /// The end of a packet from `remote` to `external` that no mapping admits. `port` is where it came from. Behind a
    /// NAT64 its sender calls both otherwise.
    fn refuse_unsolicited(
        &mut self,
        now: SimTime,
        port: PortId,
        packet: &Packet,
        (external, remote): (&SocketAddr, &SocketAddr),
        drop: Box<Drop>,
        out: &mut Outbox,
    ) -> Verdict {
        let own = packet.flow.destination.ip();
        let flow = PackedFlow::new(packet.protocol(), external, remote);
        let lifetimes = &self.behavior.lifetimes;
        match (self.behavior.unsolicited, opening(packet)) {
            (Unsolicited::Accept, _) => {
                let is_tcp = packet.protocol() == Protocol::Tcp;
                let lifetime = if is_tcp { lifetimes.tcp.transitory } else { lifetimes.udp_unreplied };
                self.own_flows.take(now, flow, now + lifetime);
            }
            (Unsolicited::Icmp, Some(_)) => {
                if let Some(error) = packet.icmp_error(own, IcmpKind::PortUnreachable) {
                    self.held_syns.hold(now, flow, port, error, packet.id);
                }
            }
            (Unsolicited::Icmp, None) => answer(own, IcmpKind::PortUnreachable, port, packet, out),
            (Unsolicited::Rst, Some(syn)) => {
                let reset = Packet::tcp(packet.flow.reversed(), syn.refusal());
                out.emit(port, reset, Some(packet.id));
            }
            (Unsolicited::Drop, _) | (Unsolicited::Rst, None) => {}
        }
        Verdict::Drop(drop)
    }

    /// The NAT's own address on the inside offers no service but port mapping.
    fn refuse_own(&self, port: PortId, packet: &Packet, out: &mut Outbox) -> Verdict {
        answer(self.gateway, IcmpKind::PortUnreachable, port, packet, out);
        let rule = Rule::PortClosed { destination: packet.flow.destination };
        Verdict::drop_by(DropReason::HostPortClosed, rule)
    }

    fn refuse(&self, refusal: Refusal, port: PortId, packet: &Packet, out: &mut Outbox) -> Verdict {
        answer(self.gateway, refusal.icmp, port, packet, out);
        Verdict::Drop(Box::new(refusal.drop))
    }

    #[cold]
    fn expire(&mut self, now: SimTime, out: &mut Outbox) {
        while let Some(mapping) = self.table.take_expired(now) {
            let Mapping { protocol, internal, external, .. } = mapping;
            self.pool.give_port_back(internal.ip());
            let key = EndpointKey { protocol, address: external };
            if self.table.at_external(key.packed()).is_empty() {
                let block = self.ports.release(key, mapping.life.expires);
                note_return(block, out);
                self.graveyard.bury(key, mapping.life.expires);
            }
            if self.behavior.filter_scope == FilterScope::Endpoint {
                for entry in mapping.filter.entries() {
                    self.endpoint_filters.close(mapping.internal_key(), entry);
                }
            }
            out.note(|| StateChange::MappingExpired { protocol, internal, external });
        }
        while let Some(block) = self.ports.take_rested(now) {
            note_return(block, out);
        }
        while let Some(syn) = self.held_syns.take_due(now) {
            out.emit(syn.port, syn.answer, Some(syn.cause));
        }
        self.announce(now, out);
    }

    #[inline]
    fn next_timer(&self) -> Option<SimTime> {
        let announcement = self.announcements.map(Announcements::due);
        let timers =
            [self.table.next_timer(), self.ports.next_timer(), self.held_syns.next_timer(), announcement];
        timers.into_iter().flatten().min()
    }

    fn row(&self, mapping: &Mapping) -> MappingRow {
        mapping.row(self.accepts(mapping))
    }
}

impl Device for Nat {
    fn handle(&mut self, now: SimTime, port: PortId, packet: &mut Packet, out: &mut Outbox) -> Verdict {
        self.handle_timeout(now, out);
        if let Some(verdict) = group::flood(port, packet, &self.routes, out) {
            return verdict;
        }
        if packet.flow.destination.is_ipv6()
            && let Some(ipv6) = &mut self.ipv6
        {
            let destination = packet.flow.destination.ip();
            if let Some(prefix) = self.nat64
                && let Some(remote) = prefix.embedded(destination)
            {
                // Outside, nobody is at an address that stands for another.
                return match port {
                    PortId::UPLINK => no_route(destination),
                    _ => self.translate_out(now, port, packet, (prefix, remote), out),
                };
            }
            return ipv6.handle(now, port, packet, &self.routes, out);
        }
        if port == PortId::UPLINK {
            self.inbound(now, packet, out)
        } else {
            self.outbound(now, port, packet, out)
        }
    }

    fn next_timeout(&self) -> Option<SimTime> {
        self.next_timer()
    }

    #[inline]
    fn handle_timeout(&mut self, now: SimTime, out: &mut Outbox) {
        if self.next_timer().is_some_and(|at| at <= now) {
            self.expire(now, out);
        }
    }
}

/// The segment of a packet that opens a TCP connection.
fn opening(packet: &Packet) -> Option<&TcpSegment> {
    match &packet.body {
        Body::Tcp(segment) if segment.flags.opens_connection() => Some(segment),
        _ => None,
    }
}

fn note_return(block: Option<PortBlock>, out: &mut Outbox) {
    if let Some(block) = block {
        out.note(|| StateChange::PortBlockReturned(block));
    }
}

fn rewrite_source(packet: &mut Packet, external: SocketAddr) {
    packet.flow.source = external;
    packet.trail.source_rewrites = packet.trail.source_rewrites.saturating_add(1);
}

/// Between two inside ports a NAT is a switch: it neither translates nor counts hops, and never sends a frame
/// back to where it came from.
fn switch(from: PortId, to: PortId, destination: IpAddr) -> Verdict {
    if from == to { no_route(destination) } else { Verdict::Forward(to) }
}

fn no_route(destination: IpAddr) -> Verdict {
    Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination })
}

fn expire_hop_limit(own: IpAddr, port: PortId, packet: &Packet, out: &mut Outbox) -> Verdict {
    answer(own, IcmpKind::TimeExceeded, port, packet, out);
    Verdict::drop(DropReason::TtlExpired)
}

/// Tells the sender of a dropped packet, unless it is an ICMP error itself.
fn answer(own: IpAddr, kind: IcmpKind, port: PortId, packet: &Packet, out: &mut Outbox) {
    if let Some(error) = packet.icmp_error(own, kind) {
        out.emit(port, error, Some(packet.id));
    }
}
