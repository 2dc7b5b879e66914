//! Several sockets, each the base of candidates.

use super::*;
use crate::plan::Transport;
use crate::wire::PairEnd;
use crate::wire::stun::{Builder, Message, method};

every_stack_keeps! {
    a_datagram_leaves_from_the_base_its_pair_names,
    a_server_is_asked_from_every_base_of_its_family,
    an_answer_to_another_base_is_no_answer,
    a_relay_is_used_from_the_base_that_asked_for_it,
    a_server_of_no_base_s_family_is_trouble_once,
}

/// Where Alice is at home beside her usual address.
const SECOND: &str = "10.0.0.3:5000";

/// A call of an Alice with two addresses, of which the first is cut off.
fn call_over_the_second(stack: &Stack, ice_servers: Vec<IceServer>) -> World {
    let sockets = vec![socket(ALICE), address(SECOND)];
    let mut world = world(stack.kind, [AgentConfig { sockets, ice_servers, ..config(ALICE) }, config(BOB)]);
    world.loses = Box::new(|datagram| [datagram.from, datagram.to].contains(&socket(ALICE)));
    world
}

fn exchange_data(world: &mut World) {
    world.run(seconds(5));
    world.sent.clear();
    world.input(ALICE, Input::Send(b"Pto bob"));
    world.input(BOB, Input::Send(b"Pto alice"));
    world.continue_until(seconds(6));
}

fn a_datagram_leaves_from_the_base_its_pair_names(stack: &Stack) {
    let mut world = call_over_the_second(stack, Vec::new());
    exchange_data(&mut world);
    let pair = SelectedPair {
        local: end(CandidateType::Host, SECOND),
        remote: end(CandidateType::Host, "10.0.0.2:5000"),
    };
    assert_eq!(world.selections(ALICE).last().map(|(_, pair)| *pair), Some(pair));
    assert_eq!(world.data(BOB), [(address(SECOND), false, b"Pto bob".to_vec())]);
    assert_eq!(world.data(ALICE), [(socket(BOB), false, b"Pto alice".to_vec())]);
}

fn a_server_is_asked_from_every_base_of_its_family(stack: &Stack) {
    let sockets = vec![socket(ALICE), address("[2001:db8:a::1]:5000"), address(SECOND)];
    let ice_servers = vec![turn_server("secret")];
    let mut world = world(stack.kind, [AgentConfig { sockets, ice_servers, ..config(ALICE) }, config(BOB)]);
    world.run(seconds(1));
    let mut asked_from: Vec<SocketAddr> = world
        .sent
        .iter()
        .filter(|datagram| {
            datagram.to == stun_server().address && is_message(&datagram.payload, method::ALLOCATE)
        })
        .map(|datagram| datagram.from)
        .collect();
    asked_from.sort();
    asked_from.dedup();
    assert_eq!(asked_from, [socket(ALICE), address(SECOND)]);
    let relayed = |candidate: &&Candidate| candidate.kind == CandidateType::Relayed;
    assert_eq!(world.gathered(ALICE).iter().filter(relayed).count(), 2);
    assert_eq!(world.troubles(ALICE), []);
}

fn an_answer_to_another_base_is_no_answer(stack: &Stack) {
    let mut world = call_over_the_second(stack, vec![stun_server()]);
    world.loses = Box::new(|_| true);
    world.run(SimTime::from_millis(100));
    let is_first = |datagram: &&Datagram| datagram.from == socket(ALICE);
    let asked = world.sent.iter().find(is_first).expect("a request from the first base");
    let id = Message::parse(&asked.payload).expect("a STUN message").transaction();
    let mapped = address("203.0.113.1:40001");
    let answer = Builder::success(method::BINDING, id).xor_mapped_address(mapped).finish();
    let from = stun_server().address;

    world.input(ALICE, Input::Datagram { socket: address(SECOND), from, payload: &answer });
    assert_eq!(kinds(&world.gathered(ALICE)), [CandidateType::Host; 2]);

    world.input(ALICE, Input::Datagram { socket: socket(ALICE), from, payload: &answer });
    let gathered = world.gathered(ALICE);
    assert_eq!(
        gathered.last().map(|found| (found.address, found.related)),
        Some((mapped, Some(socket(ALICE))))
    );
}

fn a_relay_is_used_from_the_base_that_asked_for_it(stack: &Stack) {
    let mut world = call_over_the_second(stack, vec![turn_server("secret")]);
    world.loses = Box::new(|datagram| {
        is_between_peers(datagram) || [datagram.from, datagram.to].contains(&socket(ALICE))
    });
    exchange_data(&mut world);
    let relay = PairEnd { relay: Some(Transport::Udp), ..end(CandidateType::Relayed, "192.0.2.9:50000") };
    assert_eq!(world.selections(ALICE)[0].1.local, relay);
    assert_eq!(world.data(BOB), [(address("192.0.2.9:50000"), false, b"Pto bob".to_vec())]);
    assert_eq!(world.data(ALICE), [(socket(BOB), true, b"Pto alice".to_vec())]);
}

fn a_server_of_no_base_s_family_is_trouble_once(stack: &Stack) {
    let server = IceServer { address: address("[2001:db8::1]:3478"), ..stun_server() };
    let mut world = call_over_the_second(stack, vec![server]);
    world.run(seconds(1));
    let [(_, trouble)] = &world.troubles(ALICE)[..] else { panic!("{:?}", world.troubles(ALICE)) };
    assert!(trouble.ends_with("server [2001:db8::1]:3478: no socket is of its address family"), "{trouble}");
}
