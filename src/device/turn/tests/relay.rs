//! RFC 8656 §11: Send and Data indications, ICMP, and clients of one server that relay to each other.

use super::*;
use crate::base::PacketId;
use crate::plan::Transport;
use crate::wire::IcmpKind;
use crate::wire::stun::{AddressFamily, MAX_DATAGRAM, attribute, parse_channel_data};

fn allocated() -> (Bench, SocketAddr) {
    let mut bench = Bench::new();
    let relayed = bench.allocate(CLIENT);
    bench.permit(CLIENT, PEER);
    (bench, relayed)
}

#[test]
fn a_send_indication_leaves_from_the_relayed_address() {
    let (mut bench, relayed) = allocated();
    let outcome = bench.send(CLIENT, PEER, b"hello");
    assert_eq!(outcome.verdict, Verdict::Deliver);
    assert_eq!(outcome.packet().flow, Flow::new(relayed, address(PEER)));
    assert_eq!(outcome.packet().body.payload(), b"hello");
}

#[test]
fn a_peers_datagram_reaches_the_client_as_a_data_indication() {
    let (mut bench, relayed) = allocated();
    let outcome = bench.deliver(PEER, relayed, b"world".to_vec());
    let packet = outcome.packet();
    assert_eq!(packet.flow, Flow::new(address(SERVER), address(CLIENT)));
    let message = Message::parse(packet.body.payload()).expect("a message");
    assert_eq!((message.class(), message.method()), (Class::Indication, method::DATA));
    assert_eq!(message.peer_address(), Ok(Some(address(PEER))));
    assert_eq!(message.data(), Some(&b"world"[..]));
    assert_eq!(packet.body.payload().len(), 20 + 12 + 4 + 8, "36 bytes more, and padding");
}

#[test]
fn a_relayed_packet_goes_on_with_the_trail() {
    let (mut bench, relayed) = allocated();
    let mut packet = Packet::udp(Flow::new(address(PEER), relayed), &b"world"[..]);
    packet.trail = Trail { source_rewrites: 2, destination_rewrites: 1, relayed: None };
    packet.id = PacketId::new(77);
    let outcome = bench.handle(packet);
    let expected = Trail { source_rewrites: 2, destination_rewrites: 1, relayed: Some(Transport::Udp) };
    assert_eq!(outcome.packet().trail, expected);
}

#[test]
fn empty_datagrams_are_relayed_too() {
    let (mut bench, relayed) = allocated();
    assert_eq!(bench.send(CLIENT, PEER, b"").packet().body.payload(), b"");
    let outcome = bench.deliver(PEER, relayed, Vec::new());
    let message = Message::parse(outcome.packet().body.payload()).expect("a message");
    assert_eq!(message.data(), Some(&b""[..]));
}

#[test]
fn a_send_indication_without_peer_data_or_sense_is_discarded() {
    let (mut bench, _) = allocated();
    let indication = || Builder::indication(method::SEND, 7_u128.into());
    for payload in [
        indication().data(b"hello").finish(),
        indication().xor_peer_address(address(PEER)).finish(),
        indication().raw(attribute::XOR_PEER_ADDRESS, &[1]).data(b"hello").finish(),
        indication().xor_peer_address(address(PEER)).data(b"hello").dont_fragment().finish(),
        indication().xor_peer_address(address("198.51.100.1:0")).data(b"hello").finish(),
    ] {
        let outcome = bench.deliver(CLIENT, address(SERVER), payload);
        assert_eq!(outcome.verdict, Verdict::Deliver);
        assert!(outcome.packets.is_empty());
    }
}

#[test]
fn known_but_unexpected_attributes_of_an_indication_are_ignored() {
    let (mut bench, _) = allocated();
    let indication = Builder::indication(method::SEND, 7_u128.into()).xor_peer_address(address(PEER));
    let indication = indication.data(b"hello").lifetime(0).username("demo").software("client").finish();
    assert_eq!(bench.deliver(CLIENT, address(SERVER), indication).packet().body.payload(), b"hello");
    let unknown = Builder::indication(method::SEND, 7_u128.into()).xor_peer_address(address(PEER));
    let unknown = unknown.data(b"hello").raw(0x7001.into(), &[]).finish();
    assert!(bench.deliver(CLIENT, address(SERVER), unknown).packets.is_empty());
}

#[test]
fn without_an_allocation_nothing_is_relayed() {
    let mut bench = Bench::new();
    let outcome = bench.send(CLIENT, PEER, b"hello");
    assert_eq!(outcome.reason(), Some(DropReason::TurnNoAllocation));
    let Verdict::Drop(drop) = outcome.verdict else { panic!("not dropped") };
    assert_eq!(drop.rule.to_string(), "203.0.113.1:40001 has no allocation");
    let outcome = bench.deliver(PEER, address("192.0.2.4:50000"), b"hello".to_vec());
    assert_eq!(outcome.reason(), Some(DropReason::TurnNoAllocation));
}

#[test]
fn a_drop_names_the_peer_that_has_no_permission() {
    let (mut bench, relayed) = allocated();
    let outcome = bench.deliver("198.51.100.9:1", relayed, b"hello".to_vec());
    let Verdict::Drop(drop) = outcome.verdict else { panic!("not dropped") };
    assert_eq!(drop.rule.to_string(), "no permission for 198.51.100.9");
}

#[test]
fn what_does_not_fit_in_an_indication_is_dropped() {
    let (mut bench, relayed) = allocated();
    let outcome = bench.deliver(PEER, relayed, vec![80; MAX_DATAGRAM]);
    assert_eq!(outcome.reason(), Some(DropReason::MtuExceeded));
    bench.bind(CLIENT, 0x4000, PEER);
    let outcome = bench.deliver(PEER, relayed, vec![80; MAX_DATAGRAM - 3]);
    assert_eq!(outcome.reason(), Some(DropReason::MtuExceeded));
    assert_eq!(bench.deliver(PEER, relayed, vec![80; MAX_DATAGRAM - 4]).packets.len(), 1);
}

#[test]
fn an_icmp_error_reaches_the_client_under_the_permission_of_the_quoted_peer() {
    let (mut bench, relayed) = allocated();
    let reporter = "198.51.100.77".parse().expect("an address");
    let error_about = |peer: &str| {
        Packet::udp(Flow::new(relayed, address(peer)), &b"hello"[..])
            .icmp_error(reporter, IcmpKind::PortUnreachable)
            .expect("an error")
    };
    let outcome = bench.handle(error_about(PEER));
    let message = Message::parse(outcome.packet().body.payload()).expect("a message");
    assert_eq!(message.icmp(), Ok(Some((3, 3, 0))));
    assert_eq!(message.peer_address(), Ok(Some(address(PEER))));
    assert_eq!(message.data(), None);
    let outcome = bench.handle(error_about("198.51.100.9:1"));
    assert_eq!(outcome.reason(), Some(DropReason::TurnNoPermission));
}

#[test]
fn a_packet_too_big_tells_the_mtu_and_other_errors_tell_zero() {
    let mut bench = Bench::with(&config(), &["192.0.2.4", "2001:db8::4"], &Limits::DEFAULT);
    let request = bench.allocate_request().requested_address_family(AddressFamily::IPV6);
    let answer = bench.request(CLIENT, request);
    let relayed = answer.message().relayed_address().expect("well-formed").expect("an address");
    let peer = "[2001:db8:1::1]:41001";
    bench.permit(CLIENT, peer);
    for (kind, expected) in [(IcmpKind::PacketTooBig, (2, 0, 1_280)), (IcmpKind::TimeExceeded, (3, 0, 0))] {
        let datagram = Packet::udp(Flow::new(relayed, address(peer)), &b"hello"[..]);
        let error = datagram.icmp_error("2001:db8::9".parse().expect("an address"), kind).expect("an error");
        let outcome = bench.handle(error);
        let message = Message::parse(outcome.packet().body.payload()).expect("a message");
        assert_eq!(message.icmp(), Ok(Some(expected)));
    }
}

#[test]
fn two_clients_of_one_server_relay_to_each_other() {
    let mut bench = Bench::new();
    let (ours, theirs) = (bench.allocate(CLIENT), bench.allocate(OTHER_CLIENT));
    bench.permit(CLIENT, &theirs.to_string());
    bench.permit(OTHER_CLIENT, &ours.to_string());
    let outcome = bench.send(CLIENT, &theirs.to_string(), b"hello");
    assert_eq!(outcome.verdict, Verdict::Deliver);
    assert_eq!(outcome.packet().flow, Flow::new(address(SERVER), address(OTHER_CLIENT)));
    assert!(outcome.packet().trail.relayed.is_some());
    let message = Message::parse(outcome.packet().body.payload()).expect("a message");
    assert_eq!(message.peer_address(), Ok(Some(ours)));
    assert_eq!(message.data(), Some(&b"hello"[..]));

    bench.bind(OTHER_CLIENT, 0x4000, &ours.to_string());
    let outcome = bench.send(CLIENT, &theirs.to_string(), b"hello");
    assert_eq!(parse_channel_data(outcome.packet().body.payload()), Some((0x4000, &b"hello"[..])));
}

#[test]
fn relaying_to_another_client_needs_that_clients_permission() {
    let mut bench = Bench::new();
    let (_, theirs) = (bench.allocate(CLIENT), bench.allocate(OTHER_CLIENT));
    bench.permit(CLIENT, &theirs.to_string());
    let outcome = bench.send(CLIENT, &theirs.to_string(), b"hello");
    assert_eq!(outcome.reason(), Some(DropReason::TurnNoPermission));
    assert!(outcome.packets.is_empty());
}

#[test]
fn a_relay_can_be_asked_for_its_own_mapping() {
    let mut bench = Bench::new();
    let relayed = bench.allocate(CLIENT);
    bench.permit(CLIENT, SERVER);
    let binding = Builder::request(method::BINDING, 7_u128.into()).finish();
    let outcome = bench.send(CLIENT, SERVER, &binding);
    let message = Message::parse(outcome.packet().body.payload()).expect("a Data indication");
    let inner = Message::parse(message.data().expect("an answer")).expect("a message");
    assert_eq!(inner.mapped_address(), Ok(Some(relayed)));
}

#[test]
fn a_closed_port_of_the_server_itself_is_reported_through_the_relay() {
    let mut bench = Bench::new();
    bench.allocate(CLIENT);
    bench.permit(CLIENT, SERVER);
    let outcome = bench.send(CLIENT, "192.0.2.4:9", b"hello");
    assert_eq!(outcome.reason(), Some(DropReason::HostPortClosed));
    let message = Message::parse(outcome.packet().body.payload()).expect("a Data indication");
    assert_eq!(message.icmp(), Ok(Some((3, 3, 0))));
    assert_eq!(message.peer_address(), Ok(Some(address("192.0.2.4:9"))));
}
