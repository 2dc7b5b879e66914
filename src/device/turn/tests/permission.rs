//! RFC 8656 §9 and §10: permissions.

use super::*;
use crate::wire::stun::attribute;

fn just_before(time: SimTime) -> SimTime {
    SimTime::from_nanos(time.as_nanos() - 1)
}

/// A bench with an allocation of [`CLIENT`].
fn allocated() -> (Bench, SocketAddr) {
    let mut bench = Bench::new();
    let relayed = bench.allocate(CLIENT);
    (bench, relayed)
}

#[test]
fn a_permission_is_for_the_address_whatever_the_port() {
    let (mut bench, relayed) = allocated();
    assert!(bench.permit(CLIENT, "198.51.100.1:7").is_success());
    for peer in ["198.51.100.1:7", "198.51.100.1:41001"] {
        assert_eq!(bench.deliver(peer, relayed, b"hello".to_vec()).packets.len(), 1);
        assert_eq!(bench.send(CLIENT, peer, b"hello").packets.len(), 1);
    }
    let stranger = "198.51.100.2:7";
    let dropped = Some(DropReason::TurnNoPermission);
    assert_eq!(bench.deliver(stranger, relayed, b"hello".to_vec()).reason(), dropped);
    assert_eq!(bench.send(CLIENT, stranger, b"hello").reason(), dropped);
}

#[test]
fn one_request_permits_several_peers() {
    let (mut bench, relayed) = allocated();
    let request = Builder::request(method::CREATE_PERMISSION, bench.transaction());
    let request =
        request.xor_peer_address(address("198.51.100.1:0")).xor_peer_address(address("198.51.100.2:0"));
    assert!(bench.request(CLIENT, request).is_success());
    let lifetime = SimDuration::from_secs(300);
    let installed = |peer: &str| StateChange::PermissionInstalled {
        relayed,
        peer: peer.parse().expect("an address"),
        lifetime,
    };
    assert_eq!(bench.changes[1..], [installed("198.51.100.1"), installed("198.51.100.2")]);
}

#[test]
fn one_bad_peer_spoils_the_request() {
    let (mut bench, _) = allocated();
    let request = |bench: &mut Bench| {
        Builder::request(method::CREATE_PERMISSION, bench.transaction()).xor_peer_address(address(PEER))
    };
    let mixed = request(&mut bench).xor_peer_address(address("[2001:db8::1]:1"));
    assert_eq!(bench.request(CLIENT, mixed).code(), Some(443));
    let malformed = request(&mut bench).raw(attribute::XOR_PEER_ADDRESS, &[0, 1, 2]);
    assert_eq!(bench.request(CLIENT, malformed).code(), Some(400));
    let empty = Builder::request(method::CREATE_PERMISSION, bench.transaction());
    assert_eq!(bench.request(CLIENT, empty).code(), Some(400));
    assert_eq!(bench.send(CLIENT, PEER, b"hello").reason(), Some(DropReason::TurnNoPermission));
}

#[test]
fn a_permission_lasts_exactly_its_lifetime() {
    let (mut bench, relayed) = allocated();
    bench.permit(CLIENT, PEER);
    bench.now = just_before(seconds(300));
    assert_eq!(bench.send(CLIENT, PEER, b"hello").packets.len(), 1);
    assert_eq!(bench.deliver(PEER, relayed, b"hello".to_vec()).packets.len(), 1);
    bench.now = seconds(300);
    let dropped = Some(DropReason::TurnNoPermission);
    assert_eq!(bench.send(CLIENT, PEER, b"hello").reason(), dropped);
    assert_eq!(bench.deliver(PEER, relayed, b"hello".to_vec()).reason(), dropped);
}

#[test]
fn requests_refresh_a_permission_and_data_does_not() {
    let (mut bench, relayed) = allocated();
    bench.permit(CLIENT, PEER);
    bench.now = seconds(200);
    bench.permit(CLIENT, PEER);
    bench.now = seconds(400);
    assert_eq!(bench.send(CLIENT, PEER, b"hello").packets.len(), 1);
    assert_eq!(bench.deliver(PEER, relayed, b"hello".to_vec()).packets.len(), 1);
    bench.now = seconds(500);
    assert_eq!(bench.send(CLIENT, PEER, b"hello").reason(), Some(DropReason::TurnNoPermission));
}

#[test]
fn permissions_end_with_their_allocation() {
    let (mut bench, relayed) = allocated();
    bench.permit(CLIENT, PEER);
    bench.refresh(CLIENT, 0);
    let outcome = bench.deliver(PEER, relayed, b"hello".to_vec());
    assert_eq!(outcome.reason(), Some(DropReason::TurnNoAllocation));
    bench.allocate(CLIENT);
    assert_eq!(bench.send(CLIENT, PEER, b"hello").reason(), Some(DropReason::TurnNoPermission));
}

#[test]
fn a_permission_belongs_to_one_allocation() {
    let (mut bench, _) = allocated();
    bench.permit(CLIENT, PEER);
    bench.allocate(OTHER_CLIENT);
    assert_eq!(bench.send(OTHER_CLIENT, PEER, b"hello").reason(), Some(DropReason::TurnNoPermission));
}
