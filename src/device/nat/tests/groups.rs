//! Link-local groups stay on their link.

use super::*;

const GROUP: &str = "224.0.0.251:5353";

#[test]
fn a_packet_to_a_group_of_the_link_goes_to_everybody_else_inside_and_not_outside() {
    let mut lab = Lab::new(port_restricted());
    let mut packet = udp("10.0.0.3:5353", GROUP);
    packet.hop_limit = 255;

    let verdict = lab.handle(port_of(at("10.0.0.3:5353")), &mut packet);

    assert_eq!(verdict, Verdict::Deliver);
    let ports: Vec<PortId> = lab.out.packets.iter().map(|copy| copy.port).collect();
    let others = (1..=HOSTS).map(PortId::new).filter(|port| *port != PortId::new(2));
    assert_eq!(ports, others.collect::<Vec<_>>());
    assert!(lab.out.packets.iter().all(|copy| copy.packet == packet && copy.cause == Some(packet.id)));
    assert!(lab.rows().is_empty(), "nothing was translated");
}

#[test]
fn what_comes_from_outside_for_a_group_is_passed_on_to_nobody() {
    let mut lab = Lab::new(port_restricted());

    let verdict = lab.handle(PortId::UPLINK, &mut udp("203.0.113.9:5353", GROUP));

    assert_eq!(verdict, Verdict::Deliver);
    assert!(lab.out.packets.is_empty());
}
