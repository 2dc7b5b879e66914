//! Packets to everybody on a link: link-local multicast (224.0.0.0/24, RFC 5771 §4, and ff02::/16, RFC 4291 §2.7).

use std::net::IpAddr;

use super::{Outbox, Verdict};
use crate::base::PortId;
use crate::plan::graph::RouteTable;
use crate::wire::Packet;

/// True for the address of a group that no router passes on.
pub(crate) fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => matches!(address.octets(), [224, 0, 0, _]),
        IpAddr::V6(address) => address.segments()[0] == 0xff02,
    }
}

/// What the switch of an inside network does with a packet to such a group: a copy goes to each other port of the
/// inside, and none to the outside. What comes from outside is heard and kept. `None`: it is for no group.
#[inline]
pub(super) fn flood(port: PortId, packet: &Packet, routes: &RouteTable, out: &mut Outbox) -> Option<Verdict> {
    if !is_link_local(packet.flow.destination.ip()) {
        return None;
    }
    if port != PortId::UPLINK {
        for other in routes.ports().filter(|other| ![PortId::UPLINK, port].contains(other)) {
            out.emit(other, packet.clone(), Some(packet.id));
        }
    }
    Some(Verdict::Deliver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_the_link_are_told_from_all_others() {
        for (address, is_of_the_link) in [
            ("224.0.0.251", true),
            ("ff02::fb", true),
            ("224.0.1.1", false),
            ("ff05::2", false),
            ("10.0.1.2", false),
            ("2001:db8::2", false),
        ] {
            assert_eq!(is_link_local(address.parse().expect("an address")), is_of_the_link, "{address}");
        }
    }
}
