//! Every byte arrives once, in order, with its message's mark.

use proptest::prelude::*;

use super::*;
use crate::plan::Transport;
use crate::transport::Note;

const HOUR: SimTime = SimTime::from_millis(3_600_000);

/// Messages that differ in length and content, each with a trail of its own.
fn messages(count: usize) -> Vec<(Vec<u8>, Trail)> {
    let mut random = Random::stream(9, "messages", "tests");
    let message = |number: usize| {
        let mut bytes = vec![0; 1 + random.below(2_500) as usize];
        random.fill(&mut bytes);
        (bytes, Trail { source_rewrites: (number % 5) as u8, ..Trail::default() })
    };
    (0..count).map(message).collect()
}

fn write_all(side: &mut Connection, messages: &[(Vec<u8>, Trail)]) {
    for (bytes, trail) in messages {
        side.write(bytes.clone(), Some(Note { trail: *trail, ..Note::of(bytes.clone()) }));
    }
}

/// What was read, a message each: a piece that ends a message ends it.
fn assert_read(pair: &Pair, side: usize, messages: &[(Vec<u8>, Trail)]) {
    let mut pieces = pair.read[side].iter();
    for (number, (bytes, trail)) in messages.iter().enumerate() {
        let mut read = Vec::new();
        let mut last = Trail::default();
        while read.len() < bytes.len() {
            let piece = pieces.next().unwrap_or_else(|| panic!("message {number} is not whole"));
            read.extend_from_slice(&piece.bytes);
            last = piece.trail;
        }
        assert_eq!((&read, last), (bytes, *trail), "message {number}");
    }
    assert_eq!(pieces.next(), None);
}

proptest! {
    #![proptest_config(few_cases())]

    #[test]
    fn a_wire_that_loses_repeats_and_reorders_delivers_each_byte_once_in_order(seed in 0..1_000_u64) {
        for (loss, repeats) in [(0, 0), (5, 0), (5, 5), (20, 2)] {
            let mut pair = Pair::connecting().over(seed, loss, repeats, SimDuration::from_millis(15));
            let [ours, theirs] = [messages(80), messages(60)];

            write_all(&mut pair.sides[0], &ours);
            write_all(&mut pair.sides[1], &theirs);
            let total = |messages: &[(Vec<u8>, Trail)]| messages.iter().map(|(bytes, _)| bytes.len()).sum::<usize>();
            let [to_come, to_go] = [total(&theirs), total(&ours)];
            pair.run_until(HOUR, |pair| pair.bytes_read(0).len() == to_come && pair.bytes_read(1).len() == to_go);

            assert_read(&pair, 1, &ours);
            assert_read(&pair, 0, &theirs);
        }
    }
}

#[test]
fn the_same_seeds_send_the_same_segments_at_the_same_moments() {
    let run = || {
        let mut pair = Pair::connecting().over(5, 5, 2, SimDuration::from_millis(9));
        write_all(&mut pair.sides[0], &messages(40));
        pair.run_for(SimDuration::from_secs(60));
        pair.sides[0].close();
        pair.sides[1].close();
        pair.run_for(SimDuration::from_secs(60));
        pair.sent
    };

    let sent = run();

    assert!(sent.len() > 50);
    assert_eq!(sent, run());
}

#[test]
fn other_seeds_begin_at_other_sequence_numbers() {
    let first = |seed| {
        let mut side = Connection::connect(MAX_SEGMENT, seed, SimTime::ZERO);
        side.poll_segment(SimTime::ZERO).expect("a SYN").segment.sequence
    };
    assert_ne!(first(1), first(2));
}

#[test]
fn a_message_is_carried_by_the_segment_with_its_last_byte_also_when_it_is_sent_again() {
    let mut pair = Pair::open();
    pair.wire.is_cut = true;
    let note = Note { cause: Some(PacketId::new(77)), ..Note::of(vec![7; 2_000]) };
    let began = pair.sent.len();

    pair.sides[0].write(vec![7; 2_000], Some(note));
    pair.run_for(SimDuration::from_millis(1_500));

    let carried: Vec<_> = pair.sent[began..]
        .iter()
        .map(|(_, _, segment)| (segment.payload.len(), segment.carried.len()))
        .collect();
    assert_eq!(carried, [(1_460, 0), (540, 1), (1_460, 0), (540, 1)]);
    let segment = &pair.sent[began + 1].2;
    assert_eq!(segment.carried[0].end, segment.sequence.wrapping_add(540));
    assert_eq!(segment.carried[0].message.len(), 2_000);
}

#[test]
fn messages_that_share_a_segment_are_read_apart_each_with_its_trail() {
    let mut pair = Pair::open();
    let relayed = Trail { relayed: Some(Transport::Tls), source_rewrites: 1, ..Trail::default() };
    let began = pair.sent.len();

    pair.sides[1].write("answer", Some(Note::of("answer")));
    pair.sides[1]
        .write("data", Some(Note { trail: relayed, cause: Some(PacketId::new(5)), ..Note::of("data") }));
    let out = pair.sides[1].poll_segment(pair.now).expect("a segment");
    let through = Trail { destination_rewrites: 1, ..Trail::default() };
    pair.sides[0].receive(pair.now, &out.segment, through, PacketId::new(9));
    pair.settle();

    assert_eq!(pair.sent.len(), began, "one segment, which this test carried itself");
    assert_eq!(out.cause, Some(PacketId::new(5)));
    let read: Vec<_> =
        pair.read[0].iter().map(|piece| (&piece.bytes[..], piece.trail, piece.cause)).collect();
    let both = Trail { destination_rewrites: 1, ..relayed };
    assert_eq!(read, [(&b"answer"[..], through, PacketId::new(9)), (b"data", both, PacketId::new(9))]);
}

#[test]
fn segments_are_no_larger_than_the_least_mtu_allows() {
    for (mtu, is_ipv4, most) in [(1_500, true, 1_460), (1_500, false, 1_440), (576, true, 536)] {
        let most_here = max_segment(mtu, is_ipv4);
        assert_eq!(most_here, most);
        let mut pair = Pair::of(
            Connection::connect(most_here, 1, SimTime::ZERO),
            Connection::accept(MAX_SEGMENT, 2, SimTime::ZERO),
        );

        pair.sides[0].write(vec![0; 5_000], None);
        pair.sides[1].write(vec![0; 5_000], None);
        pair.run_for(SimDuration::from_secs(2));

        let largest = pair.sent.iter().map(|(_, _, segment)| segment.payload.len()).max();
        assert_eq!((pair.bytes_read(0).len(), largest), (5_000, Some(usize::from(most))));
    }
}

#[test]
fn what_there_is_no_room_for_waits_and_is_counted() {
    let mut pair = Pair::open();
    pair.wire.is_cut = true;

    pair.sides[0].write(vec![0; 100_000], None);
    pair.run_for(SimDuration::from_millis(10));
    assert_eq!(pair.sides[0].queued(), 100_000 - 65_535);

    pair.wire.is_cut = false;
    pair.run_for(SimDuration::from_secs(5));
    assert_eq!((pair.sides[0].queued(), pair.bytes_read(1).len()), (0, 100_000));
}

#[test]
fn both_may_open_at_the_same_moment() {
    let mut pair = Pair::of(
        Connection::connect(MAX_SEGMENT, 1, SimTime::ZERO),
        Connection::connect(MAX_SEGMENT, 2, SimTime::ZERO),
    );

    pair.sides[0].write("from 0", None);
    pair.sides[1].write("from 1", None);
    pair.run_for(SimDuration::from_secs(1));

    assert_eq!(pair.states(), [ConnectionState::Open; 2]);
    assert_eq!((&pair.bytes_read(1)[..], &pair.bytes_read(0)[..]), (&b"from 0"[..], &b"from 1"[..]));
    let is_plain_syn = |segment: &TcpSegment| segment.flags.syn && !segment.flags.ack;
    let syns = pair.sent.iter().filter(|(at, _, segment)| *at == SimTime::ZERO && is_plain_syn(segment));
    assert_eq!(syns.count(), 2);
}

#[test]
fn both_may_open_at_the_same_moment_over_loss_too() {
    for seed in 0..30 {
        let connect = |seed| Connection::connect(MAX_SEGMENT, seed, SimTime::ZERO);
        let mut pair = Pair::of(connect(1), connect(2)).over(seed, 20, 5, SimDuration::from_millis(15));

        pair.sides[0].write("from 0", None);
        pair.sides[1].write("from 1", None);
        pair.run_until(HOUR, |pair| pair.bytes_read(0).len() == 6 && pair.bytes_read(1).len() == 6);

        assert_eq!((&pair.bytes_read(1)[..], &pair.bytes_read(0)[..]), (&b"from 0"[..], &b"from 1"[..]));
    }
}

#[test]
fn sequence_numbers_wrap_around_in_the_middle_of_a_stream() {
    let mut pair = Pair::of(
        Connection::connect(MAX_SEGMENT, 23_055, SimTime::ZERO),
        Connection::accept(MAX_SEGMENT, 2, SimTime::ZERO),
    )
    .over(1, 5, 0, SimDuration::from_millis(5));
    let messages = messages(80);

    write_all(&mut pair.sides[0], &messages);
    pair.run_for(SimDuration::from_secs(120));

    let sequences =
        pair.sent.iter().filter(|(_, side, _)| *side == 0).map(|(_, _, segment)| segment.sequence);
    assert!(
        sequences.clone().any(|number| number > u32::MAX - 30_000)
            && sequences.clone().any(|number| number < 99_000)
    );
    assert_read(&pair, 1, &messages);
}
