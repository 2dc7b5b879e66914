//! Which mapping lets an inbound packet in, if any does (RFC 4787 §5).

use std::net::SocketAddr;

use super::key::{EndpointKey, FlowKey, PackedEndpoint, PackedFlow};
use super::mapping::Mapping;
use super::table::MappingId;
use super::{Nat, filtering};
use crate::base::SimTime;
use crate::device::Outbox;
use crate::plan::{Accepts, Drop, DropReason, FilterScope, FilteringBehavior, Protocol, Rule};
use crate::wire::Body;

/// A packet may come in through this mapping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admission {
    pub(super) id: MappingId,
    /// True if the latest packet of its flow came in here as well.
    is_noted: bool,
}

impl Nat {
    /// The mapping at `external` that lets a packet from `remote` in, or why none does.
    pub(super) fn mapping_admitting(
        &self,
        now: SimTime,
        protocol: Protocol,
        external: &SocketAddr,
        remote: &SocketAddr,
    ) -> Result<Admission, Box<Drop>> {
        let ids = self.table.at_external(PackedEndpoint::new(protocol, external));
        let Some(&first) = ids.first() else { return Err(self.unmapped(now, protocol, external)) };
        // Overloaded: the 5-tuple tells whose packet it is, and failing that the oldest open filter.
        let owner = match ids {
            [only] => *only,
            _ => ids.iter().copied().find(|id| self.table[*id].peers.contains(remote)).unwrap_or(first),
        };
        if self.own_flows.hold(now, protocol, external, remote) {
            return Err(taken(external, remote));
        }
        let others = || ids.iter().filter(|id| **id != owner).find_map(|id| self.admission(*id, remote));
        self.admission(owner, remote).or_else(others).ok_or_else(|| self.filtered(owner))
    }

    #[inline]
    fn admission(&self, id: MappingId, remote: &SocketAddr) -> Option<Admission> {
        let mapping = &self.table[id];
        let known = self.table.flow(PackedFlow::new(mapping.protocol, &mapping.internal, remote));
        let admitted = known.sent == Some(id) || self.admits(mapping, *remote);
        admitted.then_some(Admission { id, is_noted: known.admitted == Some(id) })
    }

    fn admits(&self, mapping: &Mapping, remote: SocketAddr) -> bool {
        if mapping.grant.is_some() {
            return true;
        }
        let Some(entry) = filtering::entry(self.behavior.filtering, remote) else { return true };
        mapping.filter.holds(entry)
            || self.behavior.filter_scope == FilterScope::Endpoint
                && self.endpoint_filters.holds(mapping.internal_key(), entry)
    }

    #[cold]
    fn filtered(&self, id: MappingId) -> Box<Drop> {
        let mapping = &self.table[id];
        let rule = Rule::Filter {
            filtering: self.behavior.filtering,
            external: mapping.external,
            accepts: self.accepts(mapping).unwrap_or_default(),
        };
        Box::new(Drop { reason: DropReason::NatFiltered, rule })
    }

    #[cold]
    fn unmapped(&self, now: SimTime, protocol: Protocol, external: &SocketAddr) -> Box<Drop> {
        let (reason, rule) = self.graveyard.explain(now, EndpointKey { protocol, address: *external });
        Box::new(Drop { reason, rule })
    }

    /// A packet from `remote` comes in.
    #[inline]
    pub(super) fn note_admission(
        &mut self,
        now: SimTime,
        admission: Admission,
        remote: &SocketAddr,
        body: &Body,
        out: &mut Outbox,
    ) {
        let id = admission.id;
        if !admission.is_noted {
            let mapping = &self.table[id];
            let flow = FlowKey { protocol: mapping.protocol, local: mapping.internal, remote: *remote };
            self.table.note_admission(id, flow);
        }
        match body {
            Body::Tcp(segment) => self.note_segment(now, id, *remote, false, segment.flags, out),
            Body::Udp(_) | Body::Icmp(_) => {
                self.table.refresh_by_admission(id, now, &self.behavior.lifetimes);
            }
        }
    }

    /// Whom the mapping's filter admits; `None`: anybody.
    pub(super) fn accepts(&self, mapping: &Mapping) -> Option<Accepts> {
        match (self.behavior.filtering, self.behavior.filter_scope) {
            _ if mapping.grant.is_some() => None,
            (FilteringBehavior::EndpointIndependent, _) => None,
            (_, FilterScope::Mapping) => Some(mapping.filter.accepts()),
            (_, FilterScope::Endpoint) => Some(self.endpoint_filters.accepts(mapping.internal_key())),
        }
    }
}

/// A mapping is there, but the NAT has taken this very flow for itself.
#[cold]
fn taken(external: &SocketAddr, remote: &SocketAddr) -> Box<Drop> {
    let text =
        format!("an earlier packet nobody had asked for made {external} the NAT's own towards {remote}");
    Box::new(Drop { reason: DropReason::NatFiltered, rule: Rule::PortPolicy { text } })
}
