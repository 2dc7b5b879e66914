//! How connections end, and that they do.

use super::*;

const FINISHED: ConnectionState = ConnectionState::Closed(Reason::Finished);

fn hours(hours: u64) -> SimDuration {
    SimDuration::from_secs(3_600).times(hours)
}

fn is_gone(pair: &Pair, side: usize) -> bool {
    pair.sides[side].is_gone() && pair.sides[side].next_timeout().is_none()
}

#[test]
fn each_side_may_close_first_or_both_at_once() {
    for closing in [&[0][..], &[1], &[0, 1]] {
        let mut pair = Pair::open();
        pair.sides[0].write("last words of 0", None);
        pair.sides[1].write("last words of 1", None);

        for side in closing {
            pair.sides[*side].close();
        }
        pair.run_for(SimDuration::from_secs(1));
        assert!(pair.sides.iter().any(Connection::is_at_end));
        pair.sides.iter_mut().for_each(Connection::close);
        pair.run_for(SimDuration::from_secs(1));

        assert_eq!(pair.states(), [FINISHED; 2], "{closing:?}");
        assert_eq!(pair.bytes_read(0), b"last words of 1");
        assert_eq!(pair.bytes_read(1), b"last words of 0");
        pair.run_for(SimDuration::from_secs(11));
        assert_eq!([is_gone(&pair, 0), is_gone(&pair, 1)], [true; 2], "{closing:?}");
    }
}

#[test]
fn a_side_that_has_closed_still_reads() {
    let mut pair = Pair::open();

    pair.sides[0].close();
    pair.run_for(SimDuration::from_secs(1));
    assert_eq!(pair.states(), [ConnectionState::HalfClosed; 2]);
    pair.sides[1].write("more", None);
    pair.run_for(SimDuration::from_secs(1));

    assert_eq!(pair.bytes_read(0), b"more");
    assert!(pair.sides[1].is_at_end() && !pair.sides[0].is_at_end());
}

#[test]
fn closing_waits_for_what_was_written_and_over_loss_too() {
    for seed in 0..30 {
        let mut pair = Pair::connecting().over(seed, 20, 0, SimDuration::ZERO);

        pair.sides[0].write(vec![7; 90_000], None);
        pair.sides.iter_mut().for_each(Connection::close);
        pair.run_for(hours(1));

        assert_eq!((pair.bytes_read(1).len(), pair.states()), (90_000, [FINISHED; 2]), "seed {seed}");
        assert_eq!([is_gone(&pair, 0), is_gone(&pair, 1)], [true; 2], "seed {seed}");
    }
}

#[test]
fn the_side_that_closes_first_waits_ten_seconds_for_stray_segments() {
    let mut pair = Pair::open();
    pair.sides[0].close();
    pair.run_for(SimDuration::from_millis(100));
    pair.sides[1].close();
    pair.run_for(SimDuration::from_millis(9_900));

    assert_eq!([is_gone(&pair, 0), is_gone(&pair, 1)], [false, true]);
    pair.run_for(SimDuration::from_millis(500));
    assert!(is_gone(&pair, 0));
}

#[test]
fn an_idle_connection_has_no_timer_and_still_works_a_day_later() {
    let mut pair = Pair::open();
    assert_eq!(pair.next_moment(), None);

    pair.run_for(hours(24));
    pair.sides[0].write("still here", None);
    pair.run_for(SimDuration::from_secs(1));

    assert_eq!(pair.bytes_read(1), b"still here");
    assert_eq!((pair.states(), pair.next_moment()), ([ConnectionState::Open; 2], None));
}

#[test]
fn aborting_resets_the_other_side() {
    let mut pair = Pair::open();

    pair.sides[0].abort();
    pair.run_for(SimDuration::from_secs(1));

    let closed = |reason| ConnectionState::Closed(reason);
    assert_eq!(pair.states(), [closed(Reason::Aborted), closed(Reason::Reset)]);
    assert_eq!([is_gone(&pair, 0), is_gone(&pair, 1)], [true; 2]);
}

#[test]
fn a_side_that_aborts_before_the_handshake_says_nothing() {
    let mut side = Connection::connect(MAX_SEGMENT, 1, SimTime::ZERO);
    side.poll_segment(SimTime::ZERO).expect("a SYN");

    side.abort();

    assert_eq!(side.poll_segment(SimTime::ZERO), None);
    assert_eq!(side.state(), ConnectionState::Closed(Reason::Aborted));
    assert!(side.is_gone() && side.next_timeout().is_none());
}

#[test]
fn a_syn_that_nobody_answers_is_sent_again_ever_more_slowly_and_given_up() {
    let mut pair = Pair::connecting();
    pair.wire.is_cut = true;

    pair.run_for(hours(1));

    let seconds: Vec<_> = pair.sent.iter().map(|(at, _, _)| at.as_nanos() / 1_000_000_000).collect();
    assert_eq!(seconds, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    assert_eq!(pair.sides[0].state(), ConnectionState::Closed(Reason::TimedOut));
    assert!(is_gone(&pair, 0));
}

#[test]
fn data_that_nobody_acknowledges_is_given_up_too() {
    let mut pair = Pair::open();
    pair.wire.is_cut = true;

    pair.sides[0].write("anybody?", None);
    pair.run_for(hours(1));

    let idle = ConnectionState::Open;
    assert_eq!(pair.states(), [ConnectionState::Closed(Reason::TimedOut), idle]);
    assert!(is_gone(&pair, 0));
}

#[test]
fn an_error_of_the_network_ends_only_a_connection_that_is_opening() {
    let mut opening = Connection::connect(MAX_SEGMENT, 1, SimTime::ZERO);
    let mut open = Pair::open();

    opening.unreachable();
    open.sides[0].unreachable();

    assert_eq!(opening.state(), ConnectionState::Closed(Reason::Refused));
    assert_eq!(open.sides[0].state(), ConnectionState::Open);
}

#[test]
fn no_segment_makes_a_side_panic() {
    let mut random = Random::stream(1, "noise", "tests");
    let mut pair = Pair::open();
    let mut pieces = 0;
    for round in 0..20_000_u64 {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let near = |number: u64, within: u64| number.wrapping_add(within).wrapping_sub(20) as u32;
        // What it expects next, as it says itself, give or take.
        let told =
            pair.sent.iter().rev().find(|(_, side, _)| *side == 0).map(|(_, _, segment)| segment.clone());
        let told = told.unwrap_or_default();
        let segment = TcpSegment {
            sequence: near(u64::from(told.acknowledgment), 20 - random.below(8)),
            acknowledgment: near(u64::from(told.sequence), 20 + random.below(5)),
            window: bytes[0].into(),
            flags: TcpFlags {
                syn: bytes[1] < 9,
                ack: bytes[2] > 9,
                fin: bytes[3] < 9,
                rst: bytes[4] < 3,
                psh: bytes[5] < 99,
            },
            options: bytes[..usize::from(bytes[6] % 12)].into(),
            payload: bytes[..usize::from(bytes[7] % 17)].to_vec().into(),
            carried: Vec::new(),
        };
        pair.sides[0].receive(pair.now, &segment, Trail::default(), PacketId::new(round));
        pair.sides[0].write(vec![7; usize::from(bytes[8] % 5)], None);
        pair.run_for(SimDuration::from_millis(u64::from(bytes[9] % 30)));
        if matches!(pair.sides[0].state(), ConnectionState::Closed(_)) || round % 500 == 0 {
            pieces += pair.read[0].len();
            pair = Pair::open();
        }
    }
    assert!(pieces > 1_000, "the noise gets in: {pieces}");
}
