//! Candidates and how they are signalled.

use super::*;

#[test]
fn a_dead_server_delays_an_offer_without_trickle_by_7_8_seconds() {
    let mut world = untrickled_call_with(RTC, vec![turn_server("secret")]);
    world.server.is_dead = true;
    world.run(seconds(60));
    assert_eq!(names(&world, ALICE), [(7_800, "offer")]);
    let at = SimTime::from_millis(7_800);
    let troubles =
        ["Binding", "Allocate"].map(|what| format!("TURN server 192.0.2.1:3478: {what} failed: no answer"));
    assert_eq!(world.troubles(ALICE), troubles.map(|trouble| (at, trouble)));
    assert!(world.state(ALICE).is_connected() && world.state(BOB).is_connected());
}

#[test]
fn candidate_lines_have_the_priorities_of_rfc_8445_and_foundations_of_rtc() {
    let mut world = call_with_servers(RTC);
    world.run(seconds(2));
    let lines: Vec<String> = world.gathered(ALICE).iter().map(Candidate::to_string).collect();
    let expected = [
        "candidate:1483324063 1 udp 2130706431 10.0.0.1 5000 typ host",
        "candidate:2121060165 1 udp 1694498815 203.0.113.1 40001 typ srflx raddr 10.0.0.1 rport 5000",
        "candidate:2907658236 1 udp 16777215 192.0.2.9 50000 typ relay raddr 203.0.113.1 rport 40001",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_server_of_two_uris_is_asked_for_the_mapped_address_once() {
    let mut world = call_with(RTC, vec![stun_server(), turn_server("secret")]);
    world.run(seconds(2));
    let asked = world.server.requests.iter().filter(|(of, _)| *of == method::BINDING).count();
    assert_eq!(asked, 1);
}
