//! NAT64 (RFC 6146): packets from IPv6 inside to IPv4 outside, and back. The internal endpoint of a mapping is one of
//! IPv6, everything else is as with IPv4: mappings, filters and ports are the box's own.
//!
//! No packet ever has addresses of two families: it is looked up by what it is about to become, and changed when it is
//! known where it goes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::ipv6::Ipv6Router;
use super::key::PackedFlow;
use super::sending::Refusal;
use super::{Nat, answer, expire_hop_limit, icmp, no_route, rewrite_source};
use crate::base::{PortId, SimTime};
use crate::device::{Outbox, Verdict};
use crate::plan::{DropReason, Hairpinning, Nat64Prefix, Rule};
use crate::wire::{Body, Flow, Packet};

impl Nat {
    /// What becomes of a packet from inside to an address that stands for the IPv4 address `remote`.
    pub(super) fn translate_out(
        &mut self,
        now: SimTime,
        port: PortId,
        packet: &mut Packet,
        (prefix, remote): (Nat64Prefix, Ipv4Addr),
        out: &mut Outbox,
    ) -> Verdict {
        if !prefix.may_embed(remote) {
            return Verdict::drop_by(DropReason::NoRoute, not_global(remote));
        }
        if self.inside.contains(&IpAddr::from(remote)) {
            return no_route(packet.flow.destination.ip());
        }
        if packet.hop_limit <= 1 {
            return expire_hop_limit(self.own_ipv6(packet), port, packet, out);
        }
        let hairpin = self.pool.owns(remote.into());
        if hairpin && self.behavior.hairpinning == Hairpinning::Off {
            return Verdict::drop(DropReason::NatHairpinOff);
        }
        let destination = SocketAddr::new(remote.into(), packet.flow.destination.port());
        if matches!(packet.body, Body::Icmp(_)) {
            return self.translate_error_out(now, packet, (prefix, destination), hairpin);
        }
        let flow = Flow::new(packet.flow.source, destination);
        let known = self.table.flow(PackedFlow::new(packet.protocol(), &flow.source, &flow.destination));
        let id = match self.mapping_for_sending(now, (&flow, &packet.body), known, out) {
            Ok(id) => id,
            Err(refusal) => {
                let Refusal { drop, icmp } = *refusal;
                answer(self.own_ipv6(packet), icmp, port, packet, out);
                return Verdict::Drop(Box::new(drop));
            }
        };
        let source = self.table[id].external;
        if !hairpin {
            packet.flow.destination = destination;
            rewrite_source(packet, source);
            packet.hop_limit -= 1;
            return Verdict::Forward(PortId::UPLINK);
        }
        // RFC 6146 §3.8: as if it had come back in from outside.
        match self.mapping_admitting(now, packet.protocol(), &destination, &source) {
            Ok(admission) => {
                self.note_admission(now, admission, &source, &packet.body, out);
                packet.flow.destination = destination;
                rewrite_source(packet, source);
                self.deliver_inside(admission.id, packet)
            }
            Err(drop) => self.refuse_unsolicited(now, port, packet, (&destination, &source), drop, out),
        }
    }

    /// A host inside complains of a packet that was let in to it (RFC 6146 §3.5.3, RFC 7915 §5.2).
    fn translate_error_out(
        &mut self,
        now: SimTime,
        packet: &mut Packet,
        (prefix, destination): (Nat64Prefix, SocketAddr),
        hairpin: bool,
    ) -> Verdict {
        let Body::Icmp(error) = &mut packet.body else { return Verdict::Deliver };
        let Some(remote) = prefix.embedded_socket(error.quoted.source) else {
            return no_route(packet.flow.destination.ip());
        };
        let external = match icmp::external_of(self, now, error, remote) {
            Ok(external) => external,
            Err(drop) => return Verdict::Drop(drop),
        };
        error.quoted = Flow::new(remote, external);
        packet.flow.destination = destination;
        rewrite_source(packet, SocketAddr::new(external.ip(), 0));
        if hairpin {
            return self.icmp_from_outside(now, packet);
        }
        packet.hop_limit -= 1;
        Verdict::Forward(PortId::UPLINK)
    }

    /// The address by which the box speaks to hosts with IPv6.
    fn own_ipv6(&self, packet: &Packet) -> IpAddr {
        self.ipv6.as_ref().map_or(packet.flow.destination.ip(), Ipv6Router::gateway)
    }
}

/// Gives a packet from outside that has its internal destination already the source that hosts inside know.
pub(super) fn show_remote(prefix: Nat64Prefix, packet: &mut Packet) {
    packet.flow.source = prefix.embed_socket(packet.flow.source);
    if let Body::Icmp(error) = &mut packet.body {
        error.quoted.destination = prefix.embed_socket(error.quoted.destination);
    }
}

/// RFC 6052 §3.1.
fn not_global(address: Ipv4Addr) -> Rule {
    let prefix = Nat64Prefix::WELL_KNOWN;
    Rule::PortPolicy { text: format!("{prefix} stands for global addresses only, and {address} is none") }
}
