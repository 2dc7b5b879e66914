//! ICMP errors: the quoted flow is translated along with the outer header (RFC 5508 REQ-4, REQ-5). They pass
//! whoever sends them, and neither refresh nor end a mapping (RFC 4787 REQ-12, RFC 5508 REQ-6).

use std::net::SocketAddr;

use super::key::{EndpointKey, FlowKey};
use super::{Nat, rewrite_source};
use crate::base::{PortId, SimTime};
use crate::device::Verdict;
use crate::plan::{Drop, DropReason, Rule};
use crate::wire::{Body, Icmp, Packet};

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
    let external = external_of(nat, now, error, error.quoted.source)?;
    error.quoted.destination = external;
    rewrite_source(packet, SocketAddr::new(external.ip(), 0));
    Ok(())
}

/// The external endpoint that a packet from `remote` had come to before it was let in, about which this is an error
/// from inside.
pub(super) fn external_of(
    nat: &Nat,
    now: SimTime,
    error: &Icmp,
    remote: SocketAddr,
) -> Result<SocketAddr, Box<Drop>> {
    let internal = error.quoted.destination;
    let flow = FlowKey { protocol: error.quoted_protocol, local: internal, remote };
    let state = nat.table.flow(flow.packed());
    let id = state.admitted.or(state.sent).or_else(|| nat.mapping_by_rule(now, flow));
    let rule = Rule::NoMapping { external: internal };
    let id = id.ok_or_else(|| Box::new(Drop { reason: DropReason::NatNoMapping, rule }))?;
    Ok(nat.table[id].external)
}
