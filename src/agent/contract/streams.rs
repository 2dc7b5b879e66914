//! TURN servers over TCP and TLS.

use super::*;
use crate::agent::world::{Fate, turn_server_over};
use crate::plan::{IceServer, Transport};
use crate::transport::framing::Framing;
use crate::wire::stun::method;

every_stack_keeps! {
    a_relay_connects_over_tcp_and_over_tls,
    either_stack_relays_to_either,
    of_all_transports_udp_is_settled_on_and_tcp_before_tls,
    the_mapped_address_of_a_stream_is_no_candidate,
    a_request_over_a_stream_is_sent_once_and_waits_39_5_seconds,
    a_stream_that_never_opens_is_given_up_after_39_5_seconds,
    a_refused_connection_costs_only_its_relay,
    with_no_other_way_a_refused_connection_fails_the_call,
    a_connection_that_is_reset_takes_the_relay_with_it,
    a_wrong_password_is_tried_once_over_tcp_and_the_stream_closed,
    a_stale_nonce_is_answered_over_tcp,
    a_failed_agent_closes_its_streams,
    what_no_server_says_is_nothing_over_a_stream,
}

const STREAMS: [(Transport, Security); 2] =
    [(Transport::Tcp, Security::Plain), (Transport::Tls, Security::Tls)];

/// A call where nothing passes but through Alice's relays.
fn call_over(stack: &Stack, transports: &[Transport]) -> World {
    let servers = transports.iter().map(|transport| turn_server_over(*transport)).collect();
    let mut world = call_with(stack.kind, servers);
    world.loses = Box::new(is_between_peers);
    world
}

fn streams_asked_for(world: &World) -> Vec<Connect> {
    let connects = world.log(ALICE).iter().filter_map(|(_, output)| match output {
        Output::Connect(connect) => Some(connect.clone()),
        _ => None,
    });
    connects.collect()
}

fn troubles(world: &World) -> Vec<String> {
    world.troubles(ALICE).into_iter().map(|(_, trouble)| trouble).collect()
}

fn relay_of(world: &World) -> Option<Transport> {
    world.selections(ALICE).last().and_then(|(_, pair)| pair.local.relay)
}

fn allocations_asked_for(world: &World) -> usize {
    world.written(ALICE).iter().filter(|(_, message)| is_message(message, method::ALLOCATE)).count()
}

fn exchange(world: &mut World) {
    world.input(ALICE, Input::Send(b"Pto bob"));
    world.input(BOB, Input::Send(b"Pto alice"));
    world.continue_until(world.now + crate::base::SimDuration::from_secs(1));
    assert_eq!(world.data(BOB).last().map(|data| data.2.as_slice()), Some(&b"Pto bob"[..]));
    assert_eq!(world.data(ALICE).last().cloned(), Some((socket(BOB), true, b"Pto alice".to_vec())));
}

fn a_relay_connects_over_tcp_and_over_tls(stack: &Stack) {
    for (transport, security) in STREAMS {
        let mut world = call_over(stack, &[transport]);
        world.run(seconds(5));
        assert_eq!(relay_of(&world), Some(transport));
        exchange(&mut world);
        let expected = Connect {
            stream: StreamId(0),
            from: socket(ALICE),
            to: address("192.0.2.1:3478"),
            security,
            host: Some("turn.example.org".to_owned()),
            framing: Framing::Stun,
        };
        assert_eq!(streams_asked_for(&world), [expected]);
        let by_datagram = world.sent.iter().find(|datagram| datagram.from == socket(ALICE));
        assert!(by_datagram.is_none_or(|datagram| datagram.to != address("192.0.2.1:3478")));
        assert_eq!(troubles(&world), [""; 0]);
    }
}

fn either_stack_relays_to_either(stack: &Stack) {
    for other in STACKS {
        for (transport, _) in STREAMS {
            let ice_servers = vec![turn_server_over(transport)];
            let configs =
                [ALICE, BOB].map(|side| AgentConfig { ice_servers: ice_servers.clone(), ..config(side) });
            let (caller, callee) = (stack.kind, other.kind);
            let stack_of = move |config: AgentConfig| {
                build(if config.caller { caller } else { callee }, config).expect("this build has the stack")
            };
            let mut world = World::new(stack_of, configs);
            world.loses = Box::new(is_between_peers);
            world.run(seconds(10));
            for side in [ALICE, BOB] {
                assert!(world.state(side).is_connected(), "{:?} {transport}", other.kind);
                world.input(side, Input::Send(b"Pdata"));
            }
            world.continue_until(seconds(11));
            assert_eq!(
                [ALICE, BOB].map(|side| world.data(side).len()),
                [1, 1],
                "{:?} {transport}",
                other.kind
            );
        }
    }
}

fn of_all_transports_udp_is_settled_on_and_tcp_before_tls(stack: &Stack) {
    use Transport::{Tcp, Tls, Udp};
    for order in [[Udp, Tcp, Tls], [Tls, Tcp, Udp]] {
        let mut world = call_over(stack, &order);
        world.run(seconds(20));
        assert_eq!(relay_of(&world), Some(Udp), "{order:?}");
    }
    for order in [[Tcp, Tls], [Tls, Tcp]] {
        let mut world = call_over(stack, &order);
        world.run(seconds(20));
        assert_eq!(relay_of(&world), Some(Tcp), "{order:?}");
    }
}

fn the_mapped_address_of_a_stream_is_no_candidate(stack: &Stack) {
    for refused in [None, Some((method::ALLOCATE, 486))] {
        let mut world = call_over(stack, &[Transport::Tcp]);
        world.server.mapped = Some(address("203.0.113.1:40001"));
        world.server.refuses = refused;
        world.run(seconds(5));
        let kinds = kinds(&world.gathered(ALICE));
        assert!(!kinds.contains(&CandidateType::ServerReflexive), "{kinds:?}");
    }
}

fn a_request_over_a_stream_is_sent_once_and_waits_39_5_seconds(stack: &Stack) {
    let mut world = call_over(stack, &[Transport::Tcp]);
    world.server.is_dead = true;
    world.run(seconds(39));
    assert_eq!((allocations_asked_for(&world), troubles(&world).len()), (1, 0));
    world.continue_until(SimTime::from_millis(39_500));
    assert_eq!(troubles(&world), ["TURN server 192.0.2.1:3478 (tcp): Allocate failed: no answer"]);
    assert_eq!(world.open_streams(), 0);
}

fn a_stream_that_never_opens_is_given_up_after_39_5_seconds(stack: &Stack) {
    let mut world = call_over(stack, &[Transport::Tls]);
    world.fate = Box::new(|_| Fate::Silence);
    world.run(SimTime::from_millis(39_499));
    assert_eq!((troubles(&world).len(), world.open_streams()), (0, 1));
    world.continue_until(SimTime::from_millis(39_500));
    assert_eq!(troubles(&world), ["TURN server 192.0.2.1:3478 (tls): the connection timed out"]);
    assert_eq!(world.open_streams(), 0);
}

fn a_refused_connection_costs_only_its_relay(stack: &Stack) {
    let mut world = call_over(stack, &[Transport::Tcp, Transport::Tls]);
    world.fate = Box::new(|connect| match connect.security {
        Security::Plain => Fate::Ends(StreamEnd::Refused),
        Security::Tls => Fate::Opens,
    });
    world.run(seconds(10));
    assert_eq!(troubles(&world), ["TURN server 192.0.2.1:3478 (tcp): the connection was refused"]);
    assert_eq!(relay_of(&world), Some(Transport::Tls));
    exchange(&mut world);
}

fn with_no_other_way_a_refused_connection_fails_the_call(stack: &Stack) {
    let mut world = call_over(stack, &[Transport::Tcp]);
    world.fate = Box::new(|_| Fate::Ends(StreamEnd::ProxyRefused(403)));
    world.run(seconds(100));
    let trouble = "TURN server 192.0.2.1:3478 (tcp): the connection was refused by the proxy (403)";
    assert_eq!(troubles(&world), [trouble]);
    assert_eq!(world.state(ALICE), IceState::Failed);
}

fn a_connection_that_is_reset_takes_the_relay_with_it(stack: &Stack) {
    let mut world = call_over(stack, &[Transport::Tcp]);
    world.run(seconds(5));
    assert!(world.state(ALICE).is_connected());
    world.break_streams(StreamEnd::Reset);
    let before = world.written(ALICE).len();
    world.continue_until(seconds(29));
    assert_eq!(troubles(&world), ["TURN server 192.0.2.1:3478 (tcp): the connection was reset"]);
    assert_eq!(world.state(ALICE), IceState::Disconnected);
    world.continue_until(seconds(700));
    assert_eq!(world.written(ALICE).len(), before, "there is nothing to refresh any more");
    assert_eq!(troubles(&world).len(), 1);
}

fn a_wrong_password_is_tried_once_over_tcp_and_the_stream_closed(stack: &Stack) {
    let server = IceServer { transport: Transport::Tcp, ..turn_server("wrong") };
    let mut world = call_with(stack.kind, vec![server]);
    world.run(seconds(60));
    assert_eq!(allocations_asked_for(&world), 2, "without credentials, then with them");
    let troubles = troubles(&world);
    assert!(troubles[0].starts_with("TURN server 192.0.2.1:3478 (tcp): Allocate failed: "), "{troubles:?}");
    assert!(troubles[0].contains("401") && troubles.len() == 1, "{troubles:?}");
    assert_eq!(world.open_streams(), 0);
    assert!(world.state(ALICE).is_connected(), "without a relay");
}

fn a_stale_nonce_is_answered_over_tcp(stack: &Stack) {
    let mut world = call_over(stack, &[Transport::Tcp]);
    world.run(seconds(5));
    world.server.nonce = "nonce-2".to_owned();
    world.continue_until(seconds(700));
    assert_eq!(troubles(&world), [""; 0]);
    assert_eq!(relay_of(&world), Some(Transport::Tcp));
    exchange(&mut world);
}

fn a_failed_agent_closes_its_streams(stack: &Stack) {
    let mut world = call_over(stack, &[Transport::Tcp, Transport::Tls]);
    world.server.refuses = Some((method::CREATE_PERMISSION, 403));
    world.run(seconds(30));
    assert_eq!(world.open_streams(), 2);
    world.continue_until(seconds(100));
    assert_eq!(world.state(ALICE), IceState::Failed);
    assert_eq!(world.open_streams(), 0);
}

fn what_no_server_says_is_nothing_over_a_stream(stack: &Stack) {
    let mut world = call_over(stack, &[Transport::Tcp]);
    world.run(seconds(5));
    let check = world.sent.iter().find(|datagram| is_message(&datagram.payload, method::BINDING));
    let check = check.expect("a check").payload.clone();
    for stream in [StreamId(0), StreamId(7)] {
        for message in [&check[..], b"Pdata", &[0x40, 0, 0, 9, 1], &[0, 1], &[]] {
            world.input(ALICE, Input::Read { stream, message });
        }
        world.input(ALICE, Input::Opened { stream, local: socket(ALICE) });
    }
    world.input(ALICE, Input::Closed { stream: StreamId(7), why: StreamEnd::Reset });
    world.continue_until(seconds(10));
    assert_eq!(world.data(ALICE), []);
    assert!(world.state(ALICE).is_connected());
    exchange(&mut world);
}
