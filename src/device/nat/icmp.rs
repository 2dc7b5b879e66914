//! ICMP errors: the quoted flow is translated along with the outer header (RFC 5508 REQ-4, REQ-5). They pass
//! whoever sends them, and neither refresh nor end a mapping (RFC 4787 REQ-12, RFC 5508 REQ-6).

use std::net::SocketAddr;

use super::key::{EndpointKey, FlowKey};
use super::{Nat, rewrite_source};
use crate::base::{PortId, SimTime};
use crate::device::Verdict;
use crate::plan::{Drop, DropReason, Rule};
use crate::wire::{Body, Packet};

impl Nat {
    pub(super) fn icmp_from_inside(&mut self, now: SimTime, packet: &mut Packet) -> Verdict {
        match outbound(self, now, packet) {
            Ok(()) => {
                packet.hop_limit = packet.hop_limit.saturating_sub(1);
                Verdict::Forward(PortId::UPLINK)
            }
            Err(drop) => Verdict::Drop(drop),
        }
    }

    pub(super) fn icmp_from_outside(&mut self, now: SimTime, packet: &mut Packet) -> Verdict {
        let Body::Icmp(error) = &mut packet.body else { return Verdict::Deliver };
        let external = EndpointKey { protocol: error.quoted_protocol, address: error.quoted.source };
        let remote = error.quoted.destination;
        let ids = self.table.at_external(external.packed());
        let Some(&id) = ids.iter().find(|id| self.table[**id].peers.contains(&remote)) else {
            let (reason, rule) = self.graveyard.explain(now, external);
            return Verdict::drop_by(reason, rule);
        };
        if packet.hop_limit <= 1 {
            return Verdict::drop(DropReason::TtlExpired);
        }
        error.quoted.source = self.table[id].internal;
        self.deliver_inside(id, packet)
    }
}

/// Gives an error from inside, about a packet that was let in, the addresses its receiver knows.
pub(super) fn outbound(nat: &Nat, now: SimTime, packet: &mut Packet) -> Result<(), Box<Drop>> {
    let Body::Icmp(error) = &mut packet.body else { return Ok(()) };
    let (internal, remote) = (error.quoted.destination, error.quoted.source);
    let flow = FlowKey { protocol: error.quoted_protocol, local: internal, remote };
    let state = nat.table.flow(flow.packed());
    let Some(id) = state.admitted.or(state.sent).or_else(|| nat.mapping_by_rule(now, flow)) else {
        let rule = Rule::NoMapping { external: internal };
        return Err(Box::new(Drop { reason: DropReason::NatNoMapping, rule }));
    };
    let external = nat.table[id].external;
    error.quoted.destination = external;
    rewrite_source(packet, SocketAddr::new(external.ip(), 0));
    Ok(())
}
