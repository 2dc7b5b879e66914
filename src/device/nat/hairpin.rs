//! Hairpinning: from inside to an outside address of the NAT itself, and back inside (RFC 4787 §6).

use super::table::MappingId;
use super::{Nat, icmp, rewrite_source};
use crate::base::{PortId, SimTime};
use crate::device::{Outbox, Verdict};
use crate::plan::Hairpinning;
use crate::wire::Packet;

impl Nat {
    /// Turns round a packet whose sender has the mapping `sender`.
    pub(super) fn hairpin(
        &mut self,
        now: SimTime,
        port: PortId,
        sender: MappingId,
        packet: &mut Packet,
        out: &mut Outbox,
    ) -> Verdict {
        let source = self.table[sender].external;
        match self.mapping_admitting(now, packet.protocol(), &packet.flow.destination, &source) {
            Ok(admission) => {
                self.note_admission(now, admission, &source, &packet.body, out);
                if self.behavior.hairpinning == Hairpinning::ExternalSource {
                    rewrite_source(packet, source);
                }
                self.deliver_inside(admission.id, packet)
            }
            Err(drop) => {
                let destination = packet.flow.destination;
                self.refuse_unsolicited(now, port, packet, (&destination, &source), drop, out)
            }
        }
    }

    /// A hairpinned packet's receiver complains: its error is hairpinned too (RFC 5508 REQ-7).
    pub(super) fn hairpin_icmp(&mut self, now: SimTime, packet: &mut Packet) -> Verdict {
        match icmp::outbound(self, now, packet) {
            Ok(()) => self.icmp_from_outside(now, packet),
            Err(drop) => Verdict::Drop(drop),
        }
    }
}
