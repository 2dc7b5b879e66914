//! What calls carry: what is counted of their media, and what relays and bad links do to it.

use punchlab::base::{Bandwidth, Probability, SimDuration};
use punchlab::lab::build::{Call, Draft, Event, Expect, Link, Nat, Peer, Server};
use punchlab::lab::{Finished, Scenario};
use punchlab::outcome::MediaOutcome;
use punchlab::plan::{MediaKind, Nickname, Path, StackKind};

fn rate(bits: u64) -> Bandwidth {
    Bandwidth::from_bits_per_second(bits).expect("a rate")
}

fn audio() -> Call {
    Call::new().media(MediaKind::Audio, rate(40_000))
}

fn ms(millis: u64) -> SimDuration {
    SimDuration::from_millis(millis)
}

/// Two peers on the internet, 15 ms apart.
fn direct(alice: Link, call: Call) -> Draft {
    Scenario::build("direct")
        .peer("alice", Peer::new().link(alice))
        .peer("bob", Peer::new().link(Link::with_delay(ms(5))))
        .call_with("alice", "bob", call)
}

fn finished(draft: Draft) -> Finished {
    draft.scenario().run().unwrap_or_else(|error| panic!("{error}"))
}

fn media(finished: &Finished) -> Vec<MediaOutcome> {
    finished.call("alice -> bob").media.clone()
}

#[test]
fn without_loss_everything_arrives_after_the_delay_of_the_links() {
    let call = audio().media(MediaKind::Video, rate(1_200_000)).media(MediaKind::Data, rate(100_000));
    let finished = finished(direct(Link::with_delay(ms(10)), call));
    let flows = media(&finished);
    assert_eq!(flows.len(), 6);
    for flow in &flows {
        let delay = flow.delay_ms.expect("arrivals");
        assert_eq!((flow.lost, flow.unsent), (0, 0), "{flow:?}");
        assert_eq!((delay.p50, delay.p95, delay.max, flow.jitter_ms), (15.0, 15.0, 15.0, Some(0.0)));
        assert!(flow.received > 100 && flow.sent - flow.received <= 5, "{flow:?}");
    }
    assert_eq!(finished.call("alice -> bob").media_gap_ms, Some(96.0), "between two packets of data");
}

#[test]
fn a_run_without_duration_carries_media_for_ten_seconds_after_the_call_has_settled() {
    let without = finished(direct(Link::with_delay(ms(10)), Call::new()));
    let with = finished(direct(Link::with_delay(ms(10)), audio()));
    assert_eq!(with.outcome().virtual_ms, without.outcome().virtual_ms + 10_000.0);
    assert!(with.outcome().assumed["duration"].ends_with("calls with media go on for 10s"));
    assert!(!without.outcome().assumed["duration"].contains("media"));
}

#[test]
fn one_packet_in_ten_is_lost_where_the_link_loses_ten_percent() {
    let link = Link::with_delay(ms(10)).loss(Probability::from_percent(10));
    for flow in media(&finished(direct(link, audio()).duration(SimDuration::from_secs(60)))) {
        let percent = flow.lost as f64 * 100.0 / flow.sent as f64;
        assert!((8.0..=12.0).contains(&percent), "{flow:?}");
        assert!(flow.sent - flow.received - flow.lost <= 1, "one may be on its way: {flow:?}");
    }
}

#[test]
fn copies_of_packets_count_once() {
    let link = Link::with_delay(ms(10)).duplicate(Probability::from_percent(50));
    for flow in media(&finished(direct(link, audio()))) {
        assert_eq!(flow.lost, 0, "{flow:?}");
        assert!(flow.received <= flow.sent, "{flow:?}");
    }
}

#[test]
fn a_link_that_is_too_slow_delays_by_its_queue_and_drops_the_rest() {
    let link = Link::with_delay(ms(10)).rate(rate(100_000)).queue(20);
    let call = Call::new().media(MediaKind::Data, rate(200_000));
    let finished = finished(direct(link, call).duration(SimDuration::from_secs(30)));
    for flow in media(&finished) {
        // 20 packets of 1228 bytes and the one that leaves, at 100 kbit/s, and 15 ms of links.
        let (queue, max) = (21.0 * 1_228.0 * 8.0 / 100.0 + 15.0, flow.delay_ms.expect("arrivals").max);
        assert!((queue - 200.0..=queue).contains(&max), "{max} of {queue}: {flow:?}");
        assert!(flow.lost * 3 > flow.sent, "{flow:?}");
    }
}

/// A call that needs a relay.
fn relayed(call: Call) -> Draft {
    Scenario::build("relayed")
        .nat("nat-a", Nat::nickname(Nickname::Symmetric).link(Link::with_delay(ms(5))))
        .nat("nat-b", Nat::nickname(Nickname::Symmetric).link(Link::with_delay(ms(5))))
        .server("turn", Server::turn(3478).link(Link::with_delay(ms(10))))
        .peer("alice", Peer::behind("nat-a").link(Link::with_delay(ms(0))))
        .peer("bob", Peer::behind("nat-b").link(Link::with_delay(ms(0))))
        .call_with("alice", "bob", call)
}

/// How many packets of this size held a packet of audio.
fn wrapped(finished: &Finished, bytes: usize) -> f64 {
    let trace = finished.run().trace.as_ref().expect("a trace");
    let holds = |payload: &[u8]| payload.windows(6).any(|part| part == b"audio ");
    let packets = trace.packets.iter().map(|(_, packet)| packet);
    packets.filter(|packet| packet.len == bytes && holds(packet.body.payload())).count() as f64
}

#[test]
fn a_relay_costs_four_bytes_in_a_packet_and_the_way_to_it() {
    for stack in [StackKind::Is, StackKind::Rtc] {
        let scenario = relayed(audio()).scenario().agent_of("alice", stack).agent_of("bob", stack);
        let finished = match scenario.run() {
            Ok(finished) => finished,
            Err(error) if !cfg!(feature = "rtc") => return assert!(error.to_string().contains("rtc")),
            Err(error) => panic!("{error}"),
        };
        finished.assert_path("alice -> bob", Path::Relay);
        let cost = finished.call("alice -> bob").relay_overhead.expect("a relay");
        // 132 bytes instead of 128 in a channel, and 164 in the indications before there is one.
        let (channel, indication) = (wrapped(&finished, 132), wrapped(&finished, 164));
        let bytes = (4.0 * channel + 36.0 * indication) * 100.0 / (128.0 * (channel + indication));
        assert!((cost.bytes_percent - bytes).abs() < 0.02, "{stack}: {bytes} {cost:?}");
        assert!(channel > 1_000.0 && indication < 20.0, "{stack}: {channel} {indication}");
        // 60 ms instead of the 20 ms of the links without the relay's.
        assert_eq!(cost.rtt_percent, Some(200.0), "{stack}");
        assert!(media(&finished).iter().all(|flow| flow.delay_ms.expect("arrivals").p50 == 30.0));
    }
}

#[test]
fn what_has_no_relay_has_no_overhead() {
    let finished = finished(direct(Link::with_delay(ms(10)), audio()));
    assert_eq!(finished.call("alice -> bob").relay_overhead, None);
}

#[test]
fn a_call_without_media_says_nothing_of_them() {
    let json = finished(relayed(Call::new())).json();
    for key in ["media", "relay_overhead", "gap"] {
        assert!(!json.contains(key), "{key}");
    }
}

#[test]
fn a_cut_is_a_gap_and_what_an_agent_does_not_send_is_counted() {
    let call = direct(Link::with_delay(ms(10)), audio())
        .duration(SimDuration::from_secs(90))
        .event(SimDuration::from_secs(20), Event::partition("alice", "bob"))
        .expect(Expect::new().media_gap_min(SimDuration::from_secs(69)));
    let finished = finished(call);
    finished.assert_expected();
    let flows = media(&finished);
    for flow in &flows {
        assert!(flow.unsent > 1_000 && flow.lost > 100, "{flow:?}");
        assert_eq!(flow.sent, flow.received + flow.lost, "nothing is on its way: {flow:?}");
    }
}

#[test]
fn a_call_that_never_connects_has_no_media() {
    let call = direct(Link::with_delay(ms(10)).loss(Probability::ONE), audio())
        .expect(Expect::new().media_gap_max(SimDuration::from_secs(1)));
    let finished = finished(call);
    assert!(media(&finished).iter().all(|flow| (flow.sent, flow.gap_ms, flow.delay_ms) == (0, None, None)));
    assert_eq!(finished.outcome().expectations[0].got, "no media");
    assert!(!finished.outcome().ok);
}

#[test]
fn media_change_nothing_about_how_a_call_connects() {
    let (without, with) = (finished(relayed(Call::new())), finished(relayed(audio())));
    let (without, with) = (without.call("alice -> bob"), with.call("alice -> bob"));
    assert_eq!((with.connected_ms, with.settled_ms), (without.connected_ms, without.settled_ms));
    assert_eq!(
        (&with.selected, &with.nat_hops, with.needs),
        (&without.selected, &without.nat_hops, without.needs)
    );
}
