//! RFC 8656 §7 and §8: Allocate and Refresh.

use super::*;
use crate::wire::stun::{AddressFamily, attribute};

fn refused(bench: &mut Bench, request: Builder) -> Option<u16> {
    bench.request(CLIENT, request).code()
}

fn gone(bench: &Bench) -> bool {
    matches!(bench.changes.last(), Some(StateChange::AllocationGone { .. }))
}

fn expire(bench: &mut Bench, at: SimTime) {
    let mut out = Outbox::new(true);
    bench.now = at;
    bench.server.handle_timeout(at, &mut out);
    bench.changes.append(&mut out.changes);
}

fn just_before(time: SimTime) -> SimTime {
    SimTime::from_nanos(time.as_nanos() - 1)
}

#[test]
fn a_success_tells_relayed_address_lifetime_and_mapped_address() {
    let mut bench = Bench::new();
    let request = bench.allocate_request();
    let answer = bench.request(CLIENT, request);
    let message = answer.message();
    let relayed = message.relayed_address().expect("well-formed").expect("an address");
    assert_eq!(relayed.ip(), address(SERVER).ip());
    assert!(PortRange::DYNAMIC.contains(relayed.port()));
    assert_eq!(message.lifetime(), Ok(Some(600)));
    assert_eq!(message.mapped_address(), Ok(Some(address(CLIENT))));
    assert_eq!(
        bench.changes,
        [StateChange::AllocationCreated {
            client: address(CLIENT),
            relayed,
            username: "demo".to_owned(),
            lifetime: SimDuration::from_secs(600),
        }]
    );
}

#[test]
fn software_is_in_all_allocate_and_refresh_responses_success_or_failure() {
    let mut bench = Bench::new();
    for of in [method::ALLOCATE, method::REFRESH] {
        let unsigned = Builder::request(of, bench.transaction()).finish();
        let refused = Builder::request(of, bench.transaction()).raw(0x7001.into(), &[]);
        let granted = Builder::request(of, bench.transaction()).requested_transport(TRANSPORT_UDP);
        let answers =
            [bench.ask(CLIENT, unsigned), bench.request(CLIENT, refused), bench.request(CLIENT, granted)];
        assert_eq!(answers.each_ref().map(Answer::is_success), [false, false, true]);
        assert!(answers.iter().all(|answer| answer.message().software() == Ok(Some("punchlab"))));
    }
}

#[test]
fn a_retransmitted_request_gets_the_same_success() {
    let mut bench = Bench::new();
    let nonce = bench.fresh_nonce(CLIENT);
    let request = sign(bench.allocate_request().lifetime(1_000), "demo", &nonce);
    let first = bench.ask(CLIENT, request.clone());
    bench.now = seconds(1);
    assert_eq!(bench.ask(CLIENT, request), first);
    assert_eq!(bench.changes.len(), 1);
}

#[test]
fn a_second_allocation_of_a_5_tuple_is_a_mismatch() {
    let mut bench = Bench::new();
    bench.allocate(CLIENT);
    let request = bench.allocate_request();
    assert_eq!(refused(&mut bench, request), Some(437));
    let relayed = bench.allocate(OTHER_CLIENT);
    assert_eq!(relayed.ip(), address(SERVER).ip());
}

#[test]
fn the_transport_must_be_udp() {
    let mut bench = Bench::new();
    let request = Builder::request(method::ALLOCATE, bench.transaction());
    assert_eq!(refused(&mut bench, request), Some(400));
    let request = Builder::request(method::ALLOCATE, bench.transaction()).requested_transport(6);
    assert_eq!(refused(&mut bench, request), Some(442));
    let request = Builder::request(method::ALLOCATE, bench.transaction());
    assert_eq!(refused(&mut bench, request.raw(attribute::REQUESTED_TRANSPORT, &[17])), Some(400));
}

#[test]
fn a_server_that_cannot_set_df_treats_dont_fragment_as_an_unknown_attribute() {
    let mut bench = Bench::new();
    let request = bench.allocate_request().dont_fragment();
    let answer = bench.request(CLIENT, request);
    assert_eq!(answer.code(), Some(420));
    assert!(answer.message().rejects(attribute::DONT_FRAGMENT));
}

#[test]
fn even_port_without_the_r_bit_allocates_an_even_port_number() {
    let relay_ports = PortRange::new(50_001, 50_003).expect("not empty");
    let mut bench = Bench::with(&plan::Turn { relay_ports, ..config() }, &["192.0.2.4"], &Limits::DEFAULT);
    let request = bench.allocate_request().even_port(false);
    let answer = bench.request(CLIENT, request);
    let relayed = answer.message().relayed_address().expect("well-formed").expect("an address");
    assert_eq!(relayed.port(), 50_002);
    let request = bench.allocate_request().even_port(false);
    assert_eq!(bench.request(OTHER_CLIENT, request).code(), Some(508), "only odd ones are left");
}

#[test]
fn a_reservation_that_cannot_be_made_or_is_not_known_is_insufficient_capacity() {
    let mut bench = Bench::new();
    let request = bench.allocate_request().even_port(true);
    assert_eq!(refused(&mut bench, request), Some(508));
    let request = bench.allocate_request().reservation_token(1);
    assert_eq!(refused(&mut bench, request), Some(508));
}

#[test]
fn a_reservation_token_goes_with_no_other_wish_and_the_r_bit_with_no_second_family() {
    let mut bench = Bench::new();
    for request in [
        bench.allocate_request().reservation_token(1).even_port(false),
        bench.allocate_request().reservation_token(1).requested_address_family(AddressFamily::IPV4),
        bench.allocate_request().reservation_token(1).additional_address_family(),
        bench.allocate_request().even_port(true).additional_address_family(),
        bench.allocate_request().raw(attribute::EVEN_PORT, &[0; 2]),
        bench.allocate_request().raw(attribute::RESERVATION_TOKEN, &[0; 4]),
    ] {
        assert_eq!(bench.request(CLIENT, request).code(), Some(400));
    }
}

#[test]
fn an_address_family_the_server_has_not_is_refused() {
    let mut bench = Bench::new();
    let request = bench.allocate_request().requested_address_family(AddressFamily::IPV6);
    assert_eq!(refused(&mut bench, request), Some(440));
    let mut bench = Bench::with(&config(), &["192.0.2.4", "2001:db8::4"], &Limits::DEFAULT);
    let request = bench.allocate_request().requested_address_family(AddressFamily::IPV6);
    let answer = bench.request(CLIENT, request);
    let relayed = answer.message().relayed_address().expect("well-formed").expect("an address");
    assert_eq!(relayed.ip().to_string(), "2001:db8::4");
}

#[test]
fn a_second_address_family_is_declined_without_failing_the_first() {
    let mut bench = Bench::new();
    let request = bench.allocate_request().additional_address_family();
    let answer = bench.request(CLIENT, request);
    assert!(answer.is_success());
    assert_eq!(
        answer.message().raw(attribute::ADDRESS_ERROR_CODE).map(|value| value[2..4].to_vec()),
        Some(vec![4, 40])
    );

    let mut both = Bench::with(&config(), &["192.0.2.4", "2001:db8::4"], &Limits::DEFAULT);
    let request = both.allocate_request().additional_address_family();
    assert_eq!(
        both.request(CLIENT, request)
            .message()
            .raw(attribute::ADDRESS_ERROR_CODE)
            .map(|value| value[..4].to_vec()),
        Some(vec![2, 0, 5, 8]),
        "the family is supported"
    );

    for request in [
        bench.allocate_request().raw(attribute::ADDITIONAL_ADDRESS_FAMILY, &[1, 0, 0, 0]),
        bench.allocate_request().additional_address_family().requested_address_family(AddressFamily::IPV4),
    ] {
        assert_eq!(bench.request(OTHER_CLIENT, request).code(), Some(400));
    }
}

#[test]
fn a_user_holds_no_more_allocations_than_the_quota() {
    let config = plan::Turn { quota_per_user: 1, ..config() };
    let mut bench = Bench::with(&config, &["192.0.2.4"], &Limits::DEFAULT);
    bench.allocate(CLIENT);
    let request = bench.allocate_request();
    assert_eq!(bench.request(OTHER_CLIENT, request).code(), Some(486));
    let request = bench.allocate_request();
    assert!(bench.request_as("other", OTHER_CLIENT, request).is_success());
}

#[test]
fn a_server_without_free_relayed_ports_has_no_capacity() {
    let relay_ports = PortRange::new(3_477, 3_479).expect("not empty");
    let config = plan::Turn { relay_ports, ..config() };
    let mut bench = Bench::with(&config, &["192.0.2.4"], &Limits::DEFAULT);
    let mut ports = [bench.allocate(CLIENT).port(), bench.allocate(OTHER_CLIENT).port()];
    ports.sort_unstable();
    assert_eq!(ports, [3_477, 3_479], "3478 is listened on");
    let request = bench.allocate_request();
    assert_eq!(bench.request("203.0.113.3:1", request).code(), Some(508));
}

#[test]
fn a_server_has_no_capacity_beyond_its_limit() {
    let limits = Limits { allocations_per_server: 1, ..Limits::DEFAULT };
    let mut bench = Bench::with(&config(), &["192.0.2.4"], &limits);
    bench.allocate(CLIENT);
    let request = bench.allocate_request();
    assert_eq!(bench.request(OTHER_CLIENT, request).code(), Some(508));
}

#[test]
fn lifetimes_lie_between_the_default_and_the_maximum() {
    for (requested, granted) in [(1, 600), (600, 600), (601, 601), (3_600, 3_600), (3_601, 3_600)] {
        let mut bench = Bench::new();
        let request = bench.allocate_request().lifetime(requested);
        assert_eq!(bench.request(CLIENT, request).message().lifetime(), Ok(Some(granted)));
        assert_eq!(bench.refresh(CLIENT, requested).message().lifetime(), Ok(Some(granted)));
    }
}

#[test]
fn an_allocation_goes_exactly_at_the_end_of_its_lifetime() {
    let mut bench = Bench::new();
    bench.allocate(CLIENT);
    assert_eq!(bench.server.next_timeout(), Some(seconds(600)));
    expire(&mut bench, just_before(seconds(600)));
    assert!(!gone(&bench));
    expire(&mut bench, seconds(600));
    assert!(gone(&bench));
    assert_eq!(bench.server.next_timeout(), None);
    assert_eq!(bench.refresh(CLIENT, 600).code(), Some(437));
}

#[test]
fn an_allocation_is_gone_at_its_end_even_before_the_timeout_is_handled() {
    let mut bench = Bench::new();
    bench.allocate(CLIENT);
    bench.permit(CLIENT, PEER);
    bench.now = seconds(600);
    assert_eq!(bench.send(CLIENT, PEER, b"hello").reason(), Some(DropReason::TurnNoAllocation));
    assert!(gone(&bench));
}

#[test]
fn a_refresh_counts_from_its_own_moment() {
    let mut bench = Bench::new();
    let relayed = bench.allocate(CLIENT);
    bench.now = seconds(100);
    assert!(bench.refresh(CLIENT, 900).is_success());
    let lifetime = SimDuration::from_secs(900);
    assert_eq!(bench.changes.last(), Some(&StateChange::AllocationRefreshed { relayed, lifetime }));
    assert_eq!(bench.server.next_timeout(), Some(seconds(1_000)));
}

#[test]
fn lifetime_zero_deletes_and_frees_the_5_tuple() {
    let mut bench = Bench::new();
    let relayed = bench.allocate(CLIENT);
    assert_eq!(bench.refresh(CLIENT, 0).message().lifetime(), Ok(Some(0)));
    assert_eq!(bench.changes.last(), Some(&StateChange::AllocationGone { relayed }));
    assert_eq!(bench.refresh(CLIENT, 0).code(), Some(437));
    bench.allocate(CLIENT);
}

#[test]
fn a_refresh_names_no_other_family_and_holds_no_malformed_lifetime() {
    let mut bench = Bench::new();
    bench.allocate(CLIENT);
    let request = Builder::request(method::REFRESH, bench.transaction());
    assert_eq!(refused(&mut bench, request.requested_address_family(AddressFamily::IPV6)), Some(443));
    let request = Builder::request(method::REFRESH, bench.transaction());
    assert_eq!(refused(&mut bench, request.raw(attribute::LIFETIME, &[0; 8])), Some(400));
    assert!(!gone(&bench));
}

#[test]
fn only_its_own_user_changes_an_allocation() {
    let mut bench = Bench::new();
    bench.allocate(CLIENT);
    let peer = address(PEER);
    for of in [method::REFRESH, method::CREATE_PERMISSION, method::CHANNEL_BIND] {
        let request = Builder::request(of, bench.transaction()).channel_number(0x4000).xor_peer_address(peer);
        assert_eq!(bench.request_as("other", CLIENT, request).code(), Some(441));
    }
    assert_eq!(bench.changes.len(), 1);
}

#[test]
fn without_an_allocation_every_other_request_is_a_mismatch() {
    let mut bench = Bench::new();
    for of in [method::REFRESH, method::CREATE_PERMISSION, method::CHANNEL_BIND] {
        let request = Builder::request(of, bench.transaction());
        assert_eq!(bench.request(CLIENT, request).code(), Some(437));
    }
}

#[test]
fn relayed_ports_are_random_and_fixed_by_the_seed() {
    let ports = || {
        let mut bench = Bench::new();
        [bench.allocate(CLIENT).port(), bench.allocate(OTHER_CLIENT).port()]
    };
    assert_eq!(ports(), ports());
    let [first, second] = ports();
    assert!(first.abs_diff(second) > 1);
}
