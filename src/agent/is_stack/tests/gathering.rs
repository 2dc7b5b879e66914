//! Candidates and how they are signalled.

use super::*;

#[test]
fn a_dead_server_delays_an_offer_without_trickle_by_39_5_seconds() {
    let mut world = untrickled_call_with(IS, vec![stun_server()]);
    world.server.is_dead = true;
    world.run(seconds(60));
    assert_eq!(names(&world, ALICE), [(39_500, "offer")]);
    let trouble = "STUN server 192.0.2.1:3478: Binding failed: no answer";
    assert_eq!(world.troubles(ALICE), [(SimTime::from_millis(39_500), trouble.to_owned())]);
    assert!(world.state(ALICE).is_connected() && world.state(BOB).is_connected());
}

#[test]
fn candidate_lines_have_the_values_of_rfc_8445_and_a_relay_the_type_preference_of_is() {
    let mut world = call_with_servers(IS);
    world.run(seconds(2));
    let lines: Vec<String> = world.gathered(ALICE).iter().map(Candidate::to_string).collect();
    let expected = [
        "candidate:1 1 udp 2130706431 10.0.0.1 5000 typ host",
        "candidate:2 1 udp 1694498815 203.0.113.1 40001 typ srflx raddr 10.0.0.1 rport 5000",
        "candidate:3 1 udp 50331647 192.0.2.9 50000 typ relay raddr 203.0.113.1 rport 40001",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn mappings_are_kept_alive_until_a_pair_is_selected() {
    let mut world = call_with(IS, vec![stun_server()]);
    world.loses_signal = Box::new(|signal| matches!(signal, Signal::Answer(_)));
    world.run(seconds(50));
    assert_eq!(world.server.requests.len(), 4, "one Binding at 0 s, keepalives at 15, 30 and 45 s");

    let mut connected = call_with_servers(IS);
    connected.run(seconds(2));
    let before = connected.server.requests.len();
    connected.continue_until(seconds(50));
    assert_eq!(connected.server.requests.len(), before);
}
