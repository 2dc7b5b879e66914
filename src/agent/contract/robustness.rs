//! No datagram and no signal makes an agent panic.

use proptest::prelude::*;

use super::*;
use crate::agent::gatherer::is_usable;

/// Everything an agent hears in a call that uses every message there is.
fn overheard(stack: &Stack) -> Vec<Datagram> {
    let mut world = call_with_servers(stack.kind);
    world.loses = Box::new(is_between_peers);
    world.run(seconds(2));
    world.input(ALICE, Input::Send(b"Pdata"));
    world.input(BOB, Input::Send(b"Pdata"));
    world.continue_until(seconds(3));
    world.sent.into_iter().filter(|datagram| datagram.to == socket(ALICE)).collect()
}

/// A connected agent after it has heard `datagrams`.
fn after(stack: &Stack, datagrams: &[(SocketAddr, Vec<u8>)]) -> World {
    let mut world = call_with_servers(stack.kind);
    world.loses = Box::new(is_between_peers);
    for until in [0, 75, 500, 2_000] {
        if until == 0 {
            world.input(ALICE, Input::Start);
        }
        world.continue_until(SimTime::from_millis(until));
        for (from, payload) in datagrams {
            world.input(ALICE, Input::Datagram { socket: socket(ALICE), from: *from, payload });
        }
    }
    world.continue_until(seconds(60));
    world
}

fn senders() -> impl Strategy<Value = SocketAddr> {
    prop::sample::select(vec![
        address("192.0.2.1:3478"),
        address("192.0.2.9:50001"),
        address("10.0.0.2:5000"),
        address("[2001:db8::1]:5000"),
    ])
}

/// A header that is well-formed, so that the attributes behind it are read.
fn framed(kind: u16, words: &[[u8; 4]]) -> Vec<u8> {
    let body = words.concat();
    let length = u16::try_from(body.len()).expect("small");
    [&kind.to_be_bytes()[..], &length.to_be_bytes(), &[0x21, 0x12, 0xa4, 0x42], &[7; 12], &body].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_neither_panics_nor_disturbs(
        from in senders(),
        kind in 0_u16..0x4000,
        words in prop::collection::vec(any::<[u8; 4]>(), 0..30),
        first in any::<u8>(),
    ) {
        let raw = [&[first][..], &words.concat()].concat();
        let datagrams = [(from, raw), (from, framed(kind, &words)), (from, Vec::new())];
        for stack in STACKS {
            let world = after(stack, &datagrams);
            prop_assert!(world.state(ALICE).is_connected(), "{:?}", stack.kind);
        }
    }

    #[test]
    fn damaged_messages_neither_panic_nor_disturb(
        from in senders(),
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        change in 1_u8..,
        cut in any::<prop::sample::Index>(),
    ) {
        for stack in STACKS {
            let overheard = overheard(stack);
            let original = &which.get(&overheard).payload;
            let mut flipped = original.clone();
            let place = place.index(flipped.len());
            flipped[place] ^= change;
            let cut = original[..cut.index(original.len())].to_vec();
            let world = after(stack, &[(from, flipped), (from, cut), (from, original.clone())]);
            prop_assert!(world.state(ALICE).is_connected(), "{:?}", stack.kind);
        }
    }

    #[test]
    fn no_candidate_line_panics_or_makes_an_agent_send_to_what_is_no_host(
        kind in prop::sample::select(CandidateType::ALL),
        ip in prop_oneof![any::<[u8; 4]>(), Just([0; 4]), Just([255; 4]), Just([224, 0, 0, 1]), Just([10, 0, 0, 2])],
        port in prop_oneof![any::<u16>(), Just(0)],
        priority in any::<u32>(),
        ufrag_len in 0_usize..300,
        password_len in prop_oneof![Just(0), 0_usize..300],
    ) {
        let candidate = Candidate {
            foundation: String::new(),
            priority,
            address: SocketAddr::from((ip, port)),
            name: None,
            kind,
            related: None,
        };
        let description = Description {
            ufrag: "u".repeat(ufrag_len),
            password: "p".repeat(password_len),
            candidates: vec![candidate.clone()],
            ..Description::default()
        };
        let candidate = Signal::Candidate { candidate, ufrag: description.ufrag.clone() };
        let answer = Signal::Answer(description);
        for stack in STACKS {
            let mut world = call_with_servers(stack.kind);
            world.input(ALICE, Input::Start);
            world.input(ALICE, Input::Signal(&answer));
            world.input(ALICE, Input::Signal(&candidate));
            world.continue_until(seconds(2));
            prop_assert!(world.sent.iter().all(|datagram| is_usable(datagram.to)), "{:?}", stack.kind);
        }
    }
}
