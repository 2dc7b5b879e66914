//! Which mapping an outbound packet leaves through (RFC 4787 §4).

use std::net::{IpAddr, SocketAddr};

use super::Nat;
use super::filtering;
use super::key::{EndpointKey, FlowKey, PackedEndpoint, PackedFlow};
use super::mapping::{Life, Mapping, scope};
use super::ports::{Given, Shortage};
use super::table::{FlowState, MappingId, Table};
use super::unsolicited::OwnFlows;
use crate::base::{PortId, SimTime};
use crate::device::Outbox;
use crate::plan::{Drop, DropReason, FilterScope, Protocol, Rule, StateChange};
use crate::wire::{Body, Flow, IcmpKind, TcpFlags};

/// A packet from inside that gets no mapping, and what its sender is told.
pub(super) struct Refusal {
    pub(super) drop: Drop,
    pub(super) icmp: IcmpKind,
}

impl Nat {
    /// The mapping a packet from inside that goes from and to these endpoints, of a flow of which this much is `known`,
    /// leaves through. It is made if there is none; the packet has refreshed it and opened its filter.
    pub(super) fn mapping_for_sending(
        &mut self,
        now: SimTime,
        (flow, body): (&Flow, &Body),
        known: FlowState,
        out: &mut Outbox,
    ) -> Result<MappingId, Box<Refusal>> {
        let key = || {
            let Flow { source, destination } = *flow;
            FlowKey { protocol: body.protocol(), local: source, remote: destination }
        };
        let id = match known.for_sending(self.behavior.reply_mapping) {
            Some(id) if known.sent == Some(id) => id,
            Some(id) => {
                self.open(id, key(), out);
                id
            }
            None => self.mapping_for_new_flow(now, key(), out)?,
        };
        match body {
            Body::Tcp(segment) => {
                self.note_segment(now, id, flow.destination, true, segment.flags, out);
            }
            Body::Udp(_) | Body::Icmp(_) => {
                self.table.refresh_by_sending(id, now, &self.behavior.lifetimes);
            }
        }
        Ok(id)
    }

    /// A segment of the connection with `remote` passed through this mapping.
    pub(super) fn note_segment(
        &mut self,
        now: SimTime,
        id: MappingId,
        remote: SocketAddr,
        outbound: bool,
        flags: TcpFlags,
        out: &mut Outbox,
    ) {
        let phase = self.table.note_segment(id, now, remote, outbound, flags, &self.behavior.lifetimes);
        let Mapping { internal, external, .. } = self.table[id];
        if let Some(phase) = phase {
            out.note(|| StateChange::MappingPhase { internal, external, phase });
        }
        if outbound && flags.opens_connection() {
            self.held_syns.forget(PackedFlow::new(Protocol::Tcp, &external, &remote));
        }
    }

    fn mapping_for_new_flow(
        &mut self,
        now: SimTime,
        flow: FlowKey,
        out: &mut Outbox,
    ) -> Result<MappingId, Box<Refusal>> {
        if self.table.flows_are_full() {
            return Err(exhausted("the NAT tracks as many flows as it can"));
        }
        let id = match self.mapping_by_rule(now, flow) {
            Some(id) => id,
            None => self.create(now, flow, out)?,
        };
        self.open(id, flow, out);
        Ok(id)
    }

    /// The latest mapping of the internal endpoint that serves this remote (RFC 4787 §4.1) and whose 5-tuple
    /// with it is free. Linux prefers the port it gave last in the same way. One that the host asked for comes first: it is
    /// for all remotes (RFC 6887 §11).
    pub(super) fn mapping_by_rule(&self, now: SimTime, flow: FlowKey) -> Option<MappingId> {
        let internal = EndpointKey { protocol: flow.protocol, address: flow.local };
        let for_remote = scope(self.behavior.mapping, flow.remote);
        let latest_first = self.table.by_rule(internal, for_remote).iter().rev().copied();
        self.table.granted(internal).into_iter().chain(latest_first).find(|id| {
            let external = &self.table[*id].external;
            !self.own_flows.hold(now, flow.protocol, external, &flow.remote)
                && !used_by_another(&self.table, *id, &flow.remote)
        })
    }

    fn create(&mut self, now: SimTime, flow: FlowKey, out: &mut Outbox) -> Result<MappingId, Box<Refusal>> {
        let host = flow.local.ip();
        if self.table.len() >= self.most_mappings {
            return Err(exhausted("the NAT holds as many mappings as it can"));
        }
        if let Some(quota) = self.behavior.ports.max_per_host
            && self.pool.ports_of(host) >= u32::from(quota)
        {
            return Err(over_quota(format!("{host} holds all of its {quota} external ports")));
        }
        let choices = self.pool.choices(host, flow.remote.ip(), &mut self.random);
        if choices.is_empty() {
            return Err(unreachable(flow.remote.ip()));
        }
        let internal = EndpointKey { protocol: flow.protocol, address: flow.local };
        let mut over_block_quota = None;
        for &outside in &choices {
            let Self { table, own_flows, random, ports, .. } = self;
            let fits = |port| fits(table, own_flows, now, flow, SocketAddr::new(outside, port));
            match ports.assign(outside, internal, random, fits) {
                Ok(Given { port, new_block }) => {
                    if let Some(block) = new_block {
                        out.note(|| StateChange::PortBlockGiven(block));
                    }
                    return Ok(self.install(now, flow, SocketAddr::new(outside, port), out));
                }
                Err(Shortage::Quota) => over_block_quota = self.behavior.ports.max_per_host,
                Err(Shortage::Ports) => {}
            }
        }
        if let Some(quota) = over_block_quota {
            let text = format!("no port of {host}'s blocks is free, and {quota} ports take no more blocks");
            return Err(over_quota(text));
        }
        let ports = self.ports.describe(&choices, flow.protocol);
        Err(exhausted(&format!("no external port is left for {} ({ports})", flow.local)))
    }

    fn install(&mut self, now: SimTime, flow: FlowKey, external: SocketAddr, out: &mut Outbox) -> MappingId {
        self.pool.take_port(flow.local.ip());
        let id = self.table.insert(Mapping {
            protocol: flow.protocol,
            internal: flow.local,
            external,
            port: self.routes.exact_port_for(flow.local.ip()).filter(|port| *port != PortId::UPLINK),
            for_remote: scope(self.behavior.mapping, flow.remote),
            filter: Default::default(),
            peers: Default::default(),
            life: Life::new(now, flow.protocol, &self.behavior.lifetimes),
            sessions: None,
            grant: None,
        });
        out.note(|| StateChange::MappingCreated(Box::new(self.row(&self.table[id]))));
        id
    }

    /// Lets the flow's packets leave through this mapping, and its answers in.
    fn open(&mut self, id: MappingId, flow: FlowKey, out: &mut Outbox) {
        let is_open = self.table[id].grant.is_some();
        let entry = filtering::entry(self.behavior.filtering, flow.remote).filter(|_| !is_open);
        if !self.table.open(id, flow, entry) {
            return;
        }
        let Some(remote) = entry else { return };
        if self.behavior.filter_scope == FilterScope::Endpoint {
            self.endpoint_filters.open(EndpointKey { protocol: flow.protocol, address: flow.local }, remote);
        }
        let external = self.table[id].external;
        out.note(|| StateChange::FilterOpened { protocol: flow.protocol, external, remote });
    }
}

/// True if a new mapping for `flow` may have this external endpoint, as far as 5-tuples are concerned: nobody
/// else speaks with the same remote through it, and it is not another mapping of the same internal endpoint.
fn fits(table: &Table, own_flows: &OwnFlows, now: SimTime, flow: FlowKey, external: SocketAddr) -> bool {
    let mut others = table.at_external(PackedEndpoint::new(flow.protocol, &external)).iter();
    !own_flows.hold(now, flow.protocol, &external, &flow.remote)
        && others.all(|id| {
            let other = &table[*id];
            other.grant.is_none() && other.internal != flow.local && !other.peers.contains(&flow.remote)
        })
}

/// True if another mapping than `id` speaks with `remote` through the same external endpoint.
fn used_by_another(table: &Table, id: MappingId, remote: &SocketAddr) -> bool {
    let mut sharing = table.at_external(table[id].external_key().packed()).iter();
    sharing.any(|other| *other != id && table[*other].peers.contains(remote))
}

/// RFC 5508 REQ-8: no resources, so drop and answer "administratively prohibited". No mapping is ever given up
/// for a new one.
#[cold]
fn exhausted(text: &str) -> Box<Refusal> {
    let rule = Rule::PortPolicy { text: text.into() };
    let drop = Drop { reason: DropReason::NatPortsExhausted, rule };
    Box::new(Refusal { drop, icmp: IcmpKind::AdministrativelyProhibited })
}

/// RFC 6888 REQ-11: over quota, so drop and answer "host unreachable".
#[cold]
fn over_quota(text: String) -> Box<Refusal> {
    let drop = Drop { reason: DropReason::NatQuota, rule: Rule::PortPolicy { text } };
    Box::new(Refusal { drop, icmp: IcmpKind::HostUnreachable })
}

/// No outside address is of this family.
#[cold]
fn unreachable(destination: IpAddr) -> Box<Refusal> {
    let drop = Drop { reason: DropReason::NoRoute, rule: Rule::NoRoute { destination } };
    Box::new(Refusal { drop, icmp: IcmpKind::NetworkUnreachable })
}
