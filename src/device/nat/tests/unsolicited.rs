//! What happens to packets nobody asked for; the connection trackers' race is described in MatrixAI's Polykey #357.

use super::*;
use crate::plan::{ConflictBehavior, Unsolicited};

const PEER: &str = "203.0.113.7:4000";

fn lab(unsolicited: Unsolicited) -> Lab {
    let mut behavior = NatBehavior { unsolicited, ..port_restricted() };
    behavior.ports.on_conflict = ConflictBehavior::Sequential;
    Lab::new(behavior)
}

#[test]
fn an_unsolicited_packet_is_dropped_in_silence_by_default() {
    let mut lab = lab(Unsolicited::Drop);
    assert_eq!(lab.refused(PEER, at("198.51.100.1:5000")), DropReason::NatNoMapping);
    assert_eq!(lab.errors(), []);
    assert_eq!(lab.sent("10.0.0.2:5000", PEER).port(), 5_000, "and leaves no trace");
}

#[test]
fn an_unsolicited_packet_may_be_answered_with_port_unreachable() {
    let mut lab = lab(Unsolicited::Icmp);
    let external = lab.sent("10.0.0.2:5000", "192.0.2.1:3478");
    assert_eq!(lab.refused(PEER, external), DropReason::NatFiltered);
    assert_eq!(lab.errors(), [(PortId::UPLINK, IcmpKind::PortUnreachable)]);
    assert_eq!(lab.out.packets[0].packet.flow, Flow::new(at("198.51.100.1:0"), at("203.0.113.7:0")));
}

#[test]
fn an_accepted_packet_takes_the_5_tuple_so_that_the_punch_leaves_from_another_port() {
    let mut lab = lab(Unsolicited::Accept);
    let external = lab.sent("10.0.0.2:5000", "192.0.2.1:3478");
    assert_eq!(lab.refused(PEER, external), DropReason::NatFiltered);
    let punch = lab.sent("10.0.0.2:5000", PEER);
    assert_eq!((external.port(), punch.port()), (5_000, 5_001));
    let late = lab.receive(PEER, external).expect_err("the peer knocks at the wrong port");
    assert_eq!(late.reason, DropReason::NatFiltered);
    assert!(late.rule.to_string().ends_with("made 198.51.100.1:5000 the NAT's own towards 203.0.113.7:4000"));
    assert_eq!(lab.sent("10.0.0.2:5000", "192.0.2.1:3478"), external, "the flow to the server stays");
}

#[test]
fn whoever_sends_first_wins_the_race() {
    let mut lab = lab(Unsolicited::Accept);
    let external = lab.sent("10.0.0.2:5000", "192.0.2.1:3478");
    assert_eq!(lab.sent("10.0.0.2:5000", PEER), external);
    assert_eq!(lab.receive(PEER, external), Ok(at("10.0.0.2:5000")));
}

#[test]
fn an_accepted_packet_without_a_mapping_keeps_its_port_from_later_ones() {
    let mut lab = lab(Unsolicited::Accept);
    assert_eq!(lab.refused(PEER, at("198.51.100.1:5000")), DropReason::NatNoMapping);
    assert_eq!(lab.sent("10.0.0.2:5000", PEER).port(), 5_001);
    assert_eq!(lab.sent("10.0.0.3:5000", "192.0.2.1:3478").port(), 5_000, "another remote is free");
}

#[test]
fn each_further_packet_keeps_the_taken_5_tuple_taken() {
    for (pause, port) in [(29, 5_001), (30, 5_000)] {
        let mut lab = lab(Unsolicited::Accept);
        let external = at("198.51.100.1:5000");
        lab.refused(PEER, external);
        lab.wait(secs(29));
        lab.refused(PEER, external);
        lab.wait(secs(pause));
        assert_eq!(lab.sent("10.0.0.2:5000", PEER).port(), port, "after {pause} s");
    }
}
