//! Mappings that hosts ask for (RFC 6886, RFC 6887): what the NAT answers on its own address inside.
//!
//! It tells the outside address that it has itself. Behind another NAT that one is of no use to anybody further out, and
//! the NAT does not know (RFC 6886 §3.2.1 has hosts look at the address for that).
//!
//! When it has forgotten everything it says so to all who are on its link, whether or not they had asked for anything.
//!
//! What the RFCs leave open is decided thus:
//! - A host asks for itself only: there is no THIRD_PARTY, and no other option that must be understood.
//! - A mapping that a packet made for all remotes becomes the host's, so that its endpoint keeps its external one. Others
//!   stay what they are beside it, and serve the flows they have.
//! - The external port that is suggested is given if the NAT's port policy could have chosen it.
//! - NAT-PMP promises up to 2 hours, which RFC 6886 §3.3 recommends; PCP from 2 minutes to 24 hours (RFC 6887 §15).

mod announcements;
mod nat_pmp;
mod pcp;

pub(super) use self::announcements::Announcements;

use std::net::{IpAddr, SocketAddr};

use super::Nat;
use super::key::{EndpointKey, PackedEndpoint};
use super::mapping::{Grant, Life, Mapping};
use super::ports::{Given, Shortage};
use super::table::MappingId;
use crate::base::{PortId, SimDuration, SimTime};
use crate::device::Outbox;
use crate::plan::{PortMapping, StateChange};
use crate::wire::port_mapping::SERVER_PORT;
use crate::wire::{Body, Packet};

/// The mapping that a host asks for.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    internal: EndpointKey,
    /// The external port it would like; 0: any.
    suggested_port: u16,
    lifetime: SimDuration,
    grant: Grant,
}

/// Why a host does not get what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Denied {
    /// No port or no memory is left.
    Resources,
    /// The host has all that it may have.
    Quota,
    /// The mapping was asked for by somebody with another nonce.
    NotAuthorized,
}

impl Nat {
    /// True if a packet to the NAT's own address is one that it takes to answer it.
    pub(super) fn answer_request(
        &mut self,
        now: SimTime,
        port: PortId,
        packet: &Packet,
        out: &mut Outbox,
    ) -> bool {
        let Body::Udp(payload) = &packet.body else { return false };
        if packet.flow.destination.port() != SERVER_PORT {
            return false;
        }
        let client = packet.flow.source.ip();
        let answer = match self.behavior.port_mapping {
            PortMapping::Off => return false,
            PortMapping::NatPmp => self.answer_nat_pmp(now, client, payload, out),
            PortMapping::Pcp => self.answer_pcp(now, client, payload, out),
        };
        if let Some(answer) = answer {
            out.emit(port, Packet::udp(packet.flow.reversed(), answer), Some(packet.id));
        }
        true
    }

    /// Seconds since the NAT began to remember.
    fn epoch(&self, now: SimTime) -> u32 {
        u32::try_from(now.since(self.started).as_nanos() / 1_000_000_000).unwrap_or(u32::MAX)
    }

    /// Promises a host the mapping it wants, or says why not. The external endpoint is told.
    fn grant(&mut self, now: SimTime, wanted: Wanted, out: &mut Outbox) -> Result<SocketAddr, Denied> {
        let id = match self.existing(&wanted)? {
            Some(id) => id,
            None => self.make(now, &wanted, out)?,
        };
        self.table.grant(id, wanted.grant, now + wanted.lifetime);
        let Mapping { protocol, internal, external, .. } = self.table[id];
        out.note(|| StateChange::MappingGranted { protocol, internal, external, lifetime: wanted.lifetime });
        Ok(external)
    }

    /// The mapping that the host has already, by asking for it or by a packet.
    fn existing(&self, wanted: &Wanted) -> Result<Option<MappingId>, Denied> {
        if let Some(id) = self.table.granted(wanted.internal) {
            let authorized = self.is_authorized(id, wanted.grant);
            return if authorized { Ok(Some(id)) } else { Err(Denied::NotAuthorized) };
        }
        let latest_first = self.table.by_rule(wanted.internal, None).iter().rev().copied();
        // Where ports are overloaded, one that others share cannot be open to everybody.
        let is_alone = |id: &MappingId| {
            let external = self.table[*id].external_key().packed();
            self.table.at_external(external).len() == 1
        };
        Ok(latest_first.into_iter().find(is_alone))
    }

    /// RFC 6887 §11.3: the nonce is the one the mapping was asked for with.
    fn is_authorized(&self, id: MappingId, by: Grant) -> bool {
        match (self.table[id].grant, by.nonce) {
            (Some(Grant { nonce: Some(known) }), Some(nonce)) => known == nonce,
            _ => true,
        }
    }

    fn make(&mut self, now: SimTime, wanted: &Wanted, out: &mut Outbox) -> Result<MappingId, Denied> {
        let internal = wanted.internal;
        let host = internal.address.ip();
        if self.table.len() >= self.most_mappings {
            return Err(Denied::Resources);
        }
        let quota = self.behavior.ports.max_per_host;
        if quota.is_some_and(|quota| self.pool.ports_of(host) >= u32::from(quota)) {
            return Err(Denied::Quota);
        }
        let outside = self.pool.told(host, &mut self.random).ok_or(Denied::Resources)?;
        let Given { port, new_block } =
            self.port_for(outside, wanted).map_err(|shortage| match shortage {
                Shortage::Ports => Denied::Resources,
                Shortage::Quota => Denied::Quota,
            })?;
        if let Some(block) = new_block {
            out.note(|| StateChange::PortBlockGiven(block));
        }
        self.pool.take_port(host);
        let id = self.table.insert(Mapping {
            protocol: internal.protocol,
            internal: internal.address,
            external: SocketAddr::new(outside, port),
            port: self.routes.exact_port_for(host).filter(|port| *port != PortId::UPLINK),
            for_remote: None,
            filter: Default::default(),
            peers: Default::default(),
            life: Life::new(now, internal.protocol, &self.behavior.lifetimes),
            sessions: None,
            grant: Some(wanted.grant),
        });
        self.table.grant(id, wanted.grant, now + wanted.lifetime);
        out.note(|| StateChange::MappingCreated(Box::new(self.row(&self.table[id]))));
        Ok(id)
    }

    /// The suggested port, or else any, that nobody else uses at all.
    fn port_for(&mut self, outside: IpAddr, wanted: &Wanted) -> Result<Given, Shortage> {
        let Self { table, random, ports, .. } = self;
        let internal = wanted.internal;
        let is_unused = |port| {
            let external = SocketAddr::new(outside, port);
            table.at_external(PackedEndpoint::new(internal.protocol, &external)).is_empty()
        };
        let is_suggested = |port| port == wanted.suggested_port && is_unused(port);
        let suggested = match wanted.suggested_port {
            0 => None,
            _ => ports.assign(outside, internal, random, is_suggested).ok(),
        };
        suggested.map_or_else(|| ports.assign(outside, internal, random, is_unused), Ok)
    }

    /// The host wants this mapping no more; port 0: none of those it asked for (RFC 6886 §3.4, RFC 6887 §15.1).
    fn withdraw(
        &mut self,
        now: SimTime,
        internal: EndpointKey,
        by: Grant,
        out: &mut Outbox,
    ) -> Result<(), Denied> {
        let ids = match internal.address.port() {
            0 => self.table.granted_to(internal.address.ip(), internal.protocol),
            _ => self.table.granted(internal).into_iter().collect(),
        };
        if ids.iter().any(|id| !self.is_authorized(*id, by)) {
            return Err(Denied::NotAuthorized);
        }
        for id in ids {
            self.table.end(id, now);
        }
        self.expire(now, out);
        Ok(())
    }
}
