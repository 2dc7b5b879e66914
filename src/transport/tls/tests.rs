//! The flights of a handshake, and what comes out at the other end.

use super::*;
use crate::base::PacketId;
use crate::wire::Trail;

fn ends() -> (TlsEnd, TlsEnd) {
    let random = |name| Random::stream(1, name, "tls");
    (TlsEnd::client("turn.example.org", random("client")), TlsEnd::server(random("server")))
}

/// The lengths of the records that `from` has to send, all of which `to` gets.
fn carry(from: &mut TlsEnd, to: &mut TlsEnd) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let Some((bytes, _)) = from.poll_write() {
        lengths.push(bytes.len());
        to.receive(&piece(&bytes)).expect("TLS");
    }
    lengths
}

fn piece(bytes: &[u8]) -> Piece {
    Piece { bytes: Bytes::copy_from_slice(bytes), ..Piece::default() }
}

fn open_ends() -> (TlsEnd, TlsEnd) {
    let (mut client, mut server) = ends();
    for _ in 0..2 {
        carry(&mut client, &mut server);
        carry(&mut server, &mut client);
    }
    assert!(client.is_open() && server.is_open());
    (client, server)
}

fn read_all(end: &mut TlsEnd) -> Vec<u8> {
    std::iter::from_fn(|| end.read()).flat_map(|piece| piece.bytes.to_vec()).collect()
}

#[test]
fn a_handshake_has_the_flights_of_tls_1_3() {
    let (mut client, mut server) = ends();

    assert_eq!(carry(&mut client, &mut server), [517]);
    assert!(!server.is_open());
    assert_eq!(carry(&mut server, &mut client), [127, 6, 54, 2_422, 102, 58]);
    assert!(client.is_open(), "after one round trip");
    assert_eq!(carry(&mut client, &mut server), [6, 58]);
    assert!(server.is_open());
    assert_eq!(carry(&mut server, &mut client), [277, 277]);
    assert_eq!(carry(&mut client, &mut server), [0_usize; 0]);
}

#[test]
fn a_handshake_does_not_care_how_its_flights_are_cut() {
    for size in [1, 7, 1_460, usize::MAX] {
        let (mut client, mut server) = ends();
        client.write("message", None);
        for _ in 0..2 {
            carry_in_parts(&mut client, &mut server, size);
            carry_in_parts(&mut server, &mut client, size);
        }
        assert_eq!(read_all(&mut server), b"message", "parts of {size}");
    }
}

/// The whole flight, in parts of `size` bytes.
fn carry_in_parts(from: &mut TlsEnd, to: &mut TlsEnd, size: usize) {
    let flight: Vec<u8> = std::iter::from_fn(|| from.poll_write()).flat_map(|(bytes, _)| bytes).collect();
    for part in flight.chunks(size) {
        to.receive(&piece(part)).expect("TLS");
    }
}

#[test]
fn what_was_written_before_the_handshake_is_sent_after_it() {
    let (mut client, mut server) = ends();

    client.write("early", None);
    server.write("early too", None);
    for _ in 0..2 {
        carry(&mut client, &mut server);
        carry(&mut server, &mut client);
    }

    assert_eq!((&read_all(&mut server)[..], &read_all(&mut client)[..]), (&b"early"[..], &b"early too"[..]));
}

#[test]
fn records_add_22_bytes_and_hold_16384_at_most_and_the_note_is_on_the_last() {
    let (mut client, mut server) = open_ends();
    let message = vec![5; 40_000];

    client.write("x", None);
    client.write(message.clone(), Some(Note::of(message.clone())));
    let records: Vec<_> = std::iter::from_fn(|| client.poll_write()).collect();

    let shapes: Vec<_> = records.iter().map(|(bytes, note)| (bytes.len(), note.is_some())).collect();
    assert_eq!(shapes, [(23, false), (16_406, false), (16_406, false), (7_254, true)]);
    for (bytes, _) in &records {
        server.receive(&piece(bytes)).expect("TLS");
    }
    assert_eq!(read_all(&mut server), [&b"x"[..], &message].concat());
}

#[test]
fn a_full_record_needs_no_empty_one_after_it() {
    let (mut client, _) = open_ends();
    client.write(vec![0; MAX_PLAINTEXT], None);
    let lengths: Vec<_> = std::iter::from_fn(|| client.poll_write()).map(|(bytes, _)| bytes.len()).collect();
    assert_eq!(lengths, [MAX_PLAINTEXT + 22]);
}

#[test]
fn a_message_keeps_the_trail_of_its_last_byte_wherever_the_stream_is_cut() {
    let (mut client, mut server) = open_ends();
    client.write("message", None);
    let (record, _) = client.poll_write().expect("a record");
    let trail = Trail { source_rewrites: 2, ..Trail::default() };

    server.receive(&piece(&record[..4])).expect("TLS");
    server.receive(&piece(&record[4..9])).expect("TLS");
    assert_eq!(server.read(), None);
    let last = Piece { bytes: record.slice(9..), trail, cause: PacketId::new(3), message: None };
    server.receive(&last).expect("TLS");

    assert_eq!(server.read(), Some(Piece { bytes: "message".into(), ..last }));
}

#[test]
fn the_plain_bytes_are_not_on_the_wire_but_the_name_of_the_server_is() {
    let holds = |bytes: &[u8], wanted: &[u8]| bytes.windows(wanted.len()).any(|part| part == wanted);
    let (mut client, _) = ends();
    let (hello, _) = client.poll_write().expect("a hello");
    assert!(holds(&hello, b"turn.example.org"));

    let (mut client, _) = open_ends();
    client.write("a secret of sixteen bytes", None);
    let (record, _) = client.poll_write().expect("a record");
    assert!(!holds(&record, b"secret"));
}

#[test]
fn a_hello_has_one_size_whatever_the_name_and_names_no_address() {
    for name in ["a.example", &"n".repeat(120), "192.0.2.3", "2001:db8::1", ""] {
        let mut client = TlsEnd::client(name, Random::stream(1, "client", "tls"));
        let (hello, _) = client.poll_write().expect("a hello");
        assert_eq!(hello.len(), 517, "{name}");
    }
}

#[test]
fn closing_is_said_and_seen() {
    let (mut client, mut server) = open_ends();

    client.write("last", None);
    client.close();
    client.close();
    client.write("too late", None);

    assert_eq!(carry(&mut client, &mut server), [26, 24]);
    assert_eq!(read_all(&mut server), b"last");
    assert!(server.is_at_end() && !client.is_at_end());
}

#[test]
fn bytes_that_are_not_tls_are_answered_by_an_alert() {
    let stun = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    for bytes in [&b"GET / HTTP/1.1\r\n"[..], &stun, &[23, 3, 3, 0, 1, 0], &[22, 9, 9, 0, 1, 0]] {
        let (mut client, mut server) = ends();

        assert_eq!(server.receive(&piece(bytes)), Err(TlsError::NotTls), "{bytes:?}");
        let (alert, _) = server.poll_write().expect("an alert");
        assert_eq!((alert.len(), alert[0]), (7, 21));
        assert_eq!(server.receive(&piece(b"more")), Err(TlsError::NotTls));

        assert_eq!(client.receive(&piece(&alert)), Err(TlsError::Alert(10)));
    }
}

#[test]
fn a_record_that_was_changed_on_the_way_ends_the_connection() {
    let (mut client, mut server) = open_ends();
    client.write("message", None);
    let (record, _) = client.poll_write().expect("a record");
    let mut record = record.to_vec();
    *record.last_mut().expect("a byte") ^= 1;

    assert_eq!(server.receive(&piece(&record)), Err(TlsError::BadRecord));
    assert_eq!(read_all(&mut server), b"");
}

#[test]
fn no_bytes_make_an_end_panic() {
    let mut random = Random::stream(1, "noise", "tls");
    for round in 0..2_000_usize {
        let mut noise = vec![0; round % 70];
        random.fill(&mut noise);
        // Begin as records do, so that noise gets past the first check.
        let header = [[22, 23, 21, 20][round % 4], 3, 3, 0, noise.len() as u8];
        let bytes = [&header[..], &noise].concat();
        let (mut client, mut server) = if round % 2 == 0 { ends() } else { open_ends() };
        client.receive(&piece(&bytes)).ok();
        server.receive(&piece(&bytes)).ok();
    }
}
