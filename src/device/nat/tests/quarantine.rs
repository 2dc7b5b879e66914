//! RFC 6888 REQ-8: a port rests before it serves again.

use super::*;
use crate::base::PortRange;
use crate::plan::{PortAssignment, PortPolicy};

const REMOTE: &str = "192.0.2.1:1000";

/// One port, which rests for two minutes.
fn lab(assignment: PortAssignment) -> Lab {
    let range = PortRange::new(5_000, 5_000).expect("a range");
    let ports = PortPolicy { assignment, range, quarantine: secs(120), ..port_restricted().ports };
    Lab::new(NatBehavior { ports, ..port_restricted() })
}

#[test]
fn a_port_in_quarantine_is_given_to_nobody() {
    for assignment in PortAssignment::ALL {
        let mut lab = lab(*assignment);
        lab.sent("10.0.0.2:5000", REMOTE);
        lab.wait(secs(30) + millis(119_999));
        for sender in ["10.0.0.2:5000", "10.0.0.3:5000"] {
            let drop = lab.send(sender, REMOTE).expect_err("the port rests");
            assert_eq!(drop.reason, DropReason::NatPortsExhausted, "{assignment}");
        }
        lab.wait(millis(1));
        assert!(lab.send("10.0.0.3:5000", REMOTE).is_ok(), "{assignment}");
    }
}

#[test]
fn who_gets_no_port_is_told_how_many_rest() {
    let mut lab = lab(PortAssignment::Random);
    lab.sent("10.0.0.2:5000", REMOTE);
    lab.wait(secs(30));
    let drop = lab.send("10.0.0.3:6000", REMOTE).expect_err("the port rests");
    let text = "no external port is left for 10.0.0.3:6000 (ports 5000-5000, of which 1 is in quarantine for 120s \
                after use)";
    assert_eq!(drop.rule.to_string(), text);
}

#[test]
fn tcp_ports_do_not_rest() {
    let mut lab = lab(PortAssignment::Random);
    let send = |lab: &mut Lab, from: &str| lab.handle(port_of(at(from)), &mut tcp(from, REMOTE));
    send(&mut lab, "10.0.0.2:5000");
    lab.wait(secs(7_440));
    assert_eq!(send(&mut lab, "10.0.0.3:5000"), Verdict::Forward(PortId::UPLINK));
}

#[test]
fn a_shorter_quarantine_holds_for_the_ports_that_rest_from_then_on() {
    let range = PortRange::new(5_000, 5_001).expect("a range");
    let with = |quarantine| {
        let ports = PortPolicy { range, quarantine, ..port_restricted().ports };
        NatBehavior { ports, ..port_restricted() }
    };
    let mut lab = Lab::new(with(secs(120)));
    lab.sent("10.0.0.2:5000", REMOTE);
    lab.wait(secs(30));
    lab.sent("10.0.0.2:5001", REMOTE);
    lab.nat.reconfigure(&with(secs(10)));
    lab.wait(secs(40));
    assert_eq!(lab.sent("10.0.0.3:5001", REMOTE).port(), 5_001, "its ten seconds are over");
    assert!(lab.send("10.0.0.3:5000", REMOTE).is_err(), "it rests for two minutes still");
}

#[test]
fn a_nat_asks_to_be_woken_when_a_quarantine_ends() {
    let mut lab = lab(PortAssignment::Random);
    lab.sent("10.0.0.2:5000", REMOTE);
    lab.wait(secs(30));
    lab.nat.handle_timeout(lab.now, &mut lab.out);
    assert_eq!(lab.nat.next_timeout(), Some(lab.now + secs(120)));
    lab.wait(secs(120));
    lab.nat.handle_timeout(lab.now, &mut lab.out);
    assert_eq!(lab.nat.next_timeout(), None);
}
