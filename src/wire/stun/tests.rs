//! Messages as bytes: written, read back, described, and broken in every way.

use proptest::prelude::*;

use super::*;

/// RFC 5769 §2.2.
const SAMPLE_RESPONSE: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
    002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";

/// RFC 5769 §2.4.
const SAMPLE_LONG_TERM_REQUEST: &str = "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae383\
    83e382afe382b900000015001c662f2f3439396b3935346436\
    4f4c33346f4c39465354767936347341\
    0014000b6578616d706c652e6f7267000008\
    0014f67024656dd64a3e02b8e0712e85c9a28ca89666";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| {
            u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("two hexadecimal digits")
        })
        .collect()
}

fn id() -> TransactionId {
    0x0102_0304_0506_0708_090a_0b0c_u128.into()
}

fn address(text: &str) -> std::net::SocketAddr {
    text.parse().expect("an address")
}

fn summary(payload: &[u8]) -> String {
    describe(payload).expect("a message").summary()
}

fn check(use_candidate: bool) -> Vec<u8> {
    let check = Builder::request(method::BINDING, id())
        .username("bob:alice")
        .raw(attribute::PRIORITY, &1_862_270_975_u32.to_be_bytes());
    let check = if use_candidate { check.raw(attribute::USE_CANDIDATE, &[]) } else { check };
    check.finish_with(Some(&Key::short_term("password")), true)
}

fn send(peer: &str, data: &[u8]) -> Vec<u8> {
    Builder::indication(method::SEND, id()).xor_peer_address(address(peer)).data(data).finish()
}

/// One message of each kind, with every attribute the builder knows.
fn samples() -> Vec<Vec<u8>> {
    let key = Key::long_term("demo", "example.org", "secret");
    let plain = |class| {
        Builder::new(class, method::ALLOCATE, id())
            .username("demo")
            .realm("example.org")
            .nonce("nonce")
            .software("punchlab")
            .mapped_address(address("192.0.2.1:1"))
            .xor_mapped_address(address("[2001:db8::1]:2"))
            .xor_relayed_address(address("192.0.2.3:3"))
            .response_origin(address("192.0.2.4:4"))
            .other_address(address("192.0.2.5:5"))
            .change_request(ChangeRequest { address: true, port: false })
            .response_port(9)
            .padding(7)
            .lifetime(600)
            .requested_transport(TRANSPORT_UDP)
            .even_port(true)
            .reservation_token(7)
            .dont_fragment()
            .channel_number(0x4000)
            .icmp(3, 3, 0)
            .unknown_attributes(&[attribute::EVEN_PORT, 0x7777.into()])
    };
    vec![
        plain(Class::Request).finish_with(Some(&key), true),
        plain(Class::Success).finish_with(Some(&key), false),
        Builder::error(method::ALLOCATE, id(), 401).realm("example.org").finish_with(None, true),
        check(true),
        send("198.51.100.1:41001", &check(false)),
        channel_data(0x4000, &check(false)).expect("small enough"),
        bytes(SAMPLE_RESPONSE),
        bytes(SAMPLE_LONG_TERM_REQUEST),
    ]
}

#[test]
fn the_sample_response_of_rfc_5769_is_read_and_verified() {
    let bytes = bytes(SAMPLE_RESPONSE);
    let message = Message::parse(&bytes).expect("a message");
    assert_eq!(message.mapped_address(), Ok(Some(address("192.0.2.1:32853"))));
    assert_eq!(message.software(), Ok(Some("test vector")));
    assert!(message.verify(&Key::short_term("VOkJxbRl1RmTxUk/WvJxBt")));
    assert!(!message.verify(&Key::short_term("VOkJxbRl1RmTxUk/WvJxBu")));
}

#[test]
fn the_long_term_sample_of_rfc_5769_is_written_byte_by_byte() {
    let user = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";
    let key = Key::long_term(user, "example.org", "TheMatrIX");
    let transaction = TransactionId::from(0x78ad_3433_c6ad_72c0_29da_412e_u128);
    let written = Builder::request(method::BINDING, transaction)
        .username(user)
        .nonce("f//499k954d6OL34oL9FSTvy64sA")
        .realm("example.org")
        .finish_with(Some(&key), false);
    assert_eq!(written, bytes(SAMPLE_LONG_TERM_REQUEST));
}

#[test]
fn what_the_builder_writes_the_reader_reads() {
    let samples = samples();
    let message = Message::parse(&samples[0]).expect("a message");
    assert_eq!(message.transaction(), id());
    assert_eq!((message.class(), message.method()), (Class::Request, method::ALLOCATE));
    assert_eq!(message.username(), Ok(Some("demo")));
    assert_eq!(message.realm(), Ok(Some("example.org")));
    assert_eq!(message.nonce(), Ok(Some("nonce")));
    assert_eq!(message.mapped_address(), Ok(Some(address("[2001:db8::1]:2"))));
    assert_eq!(message.relayed_address(), Ok(Some(address("192.0.2.3:3"))));
    assert_eq!(message.response_origin(), Ok(Some(address("192.0.2.4:4"))));
    assert_eq!(message.other_address(), Ok(Some(address("192.0.2.5:5"))));
    assert_eq!(message.change_request(), Ok(Some(ChangeRequest { address: true, port: false })));
    assert_eq!(message.response_port(), Ok(Some(9)));
    assert_eq!(message.raw(attribute::PADDING).map(<[u8]>::len), Some(7));
    assert_eq!(message.lifetime(), Ok(Some(600)));
    assert_eq!(message.requested_transport(), Ok(Some(TRANSPORT_UDP)));
    assert_eq!(message.even_port(), Ok(Some(true)));
    assert_eq!(message.reservation_token(), Ok(Some(7)));
    assert!(message.has(attribute::DONT_FRAGMENT));
    assert_eq!(message.channel_number(), Ok(Some(0x4000)));
    assert_eq!(message.icmp(), Ok(Some((3, 3, 0))));
    assert!(message.rejects(attribute::EVEN_PORT) && !message.rejects(attribute::DATA));
    assert!(message.verify(&Key::long_term("demo", "example.org", "secret")));
}

#[test]
fn a_missing_attribute_differs_from_a_malformed_one() {
    let bytes = Builder::request(method::REFRESH, id()).raw(attribute::LIFETIME, &[0; 3]).finish();
    let message = Message::parse(&bytes).expect("a message");
    assert_eq!(message.lifetime(), Err(Malformed));
    assert_eq!(message.nonce(), Ok(None));
}

#[test]
fn every_peer_of_a_request_is_read() {
    let bytes = Builder::request(method::CREATE_PERMISSION, id())
        .xor_peer_address(address("198.51.100.1:0"))
        .xor_peer_address(address("[2001:db8::9]:7"))
        .finish();
    let peers = Message::parse(&bytes).expect("a message").peer_addresses().expect("well-formed");
    assert_eq!(peers.as_slice(), [address("198.51.100.1:0"), address("[2001:db8::9]:7")]);
}

#[test]
fn a_changed_byte_breaks_fingerprint_or_integrity() {
    let key = Key::long_term("demo", "example.org", "secret");
    let signed = Builder::request(method::BINDING, id()).username("demo").finish_with(Some(&key), false);
    for index in 4..signed.len() {
        let mut changed = signed.clone();
        changed[index] ^= 1;
        let verified = Message::parse(&changed).is_some_and(|message| message.verify(&key));
        assert!(!verified, "byte {index}");
    }
    let mut printed = check(false);
    *printed.last_mut().expect("not empty") ^= 1;
    assert!(Message::parse(&printed).is_none());
}

#[test]
fn a_message_is_as_long_as_its_header_says() {
    let mut bytes = Builder::request(method::BINDING, id()).finish();
    assert!(Message::parse(&bytes).is_some());
    bytes.extend([0, 6, 0, 0]);
    assert!(Message::parse(&bytes).is_none());
}

#[test]
fn attributes_behind_message_integrity_do_not_count() {
    let key = Key::short_term("password");
    let mut bytes = Builder::request(method::BINDING, id()).finish_with(Some(&key), false);
    bytes.extend([0x7f, 0xff, 0, 0]);
    bytes[3] += 4;
    let message = Message::parse(&bytes).expect("a message");
    assert!(message.unknown_required(&[attribute::MESSAGE_INTEGRITY]).is_empty());
    assert!(message.verify(&key));
}

#[test]
fn attributes_too_large_for_a_datagram_are_left_out() {
    let builder = Builder::indication(method::DATA, id());
    assert!(builder.fits(60_000) && !builder.fits(MAX_DATAGRAM));
    let bytes = builder.data(&vec![0; MAX_DATAGRAM]).finish();
    assert_eq!(bytes.len(), 20);
    assert!(channel_data(0x4000, &vec![0; MAX_DATAGRAM]).is_none());
}

#[test]
fn channel_data_reads_back_and_refuses_foreign_numbers() {
    let written = channel_data(0x4fff, b"hello").expect("small enough");
    assert_eq!(parse_channel_data(&written), Some((0x4fff, &b"hello"[..])));
    let padded = [&written[..], &[0; 3]].concat();
    assert_eq!(parse_channel_data(&padded), Some((0x4fff, &b"hello"[..])));
    assert_eq!(parse_channel_data(&written[..8]), None);
    assert_eq!(parse_channel_data(&[0x50, 0, 0, 0]), None);
}

#[test]
fn the_first_byte_tells_what_a_datagram_carries() {
    for (first, kind) in [
        (0, Kind::Stun),
        (3, Kind::Stun),
        (4, Kind::Data),
        (63, Kind::Data),
        (64, Kind::Channel),
        (79, Kind::Channel),
        (80, Kind::Data),
        (255, Kind::Data),
    ] {
        assert_eq!(classify(&[first]), kind, "{first}");
    }
    assert_eq!(classify(&[]), Kind::Data);
}

#[test]
fn transaction_ids_come_from_the_given_stream() {
    let draw = |seed| transaction_id(&mut Random::stream(seed, "alice", "stun"));
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let bytes = Builder::request(method::BINDING, draw(1)).finish();
    assert_eq!(bytes[8..20], transaction_bytes(draw(1)));
}

#[test]
fn messages_are_described_in_one_line() {
    let peer = "198.51.100.1:41001";
    let lines = [
        (Builder::request(method::BINDING, id()).finish(), "Binding request"),
        (check(false), "Binding request (check)"),
        (check(true), "Binding request (check, USE-CANDIDATE)"),
        (
            Builder::success(method::BINDING, id()).xor_mapped_address(address("203.0.113.1:40001")).finish(),
            "Binding success 203.0.113.1:40001",
        ),
        (Builder::error(method::ALLOCATE, id(), 401).finish(), "Allocate error 401"),
        (
            Builder::success(method::ALLOCATE, id()).xor_relayed_address(address("192.0.2.4:55000")).finish(),
            "Allocate success relay 192.0.2.4:55000",
        ),
        (
            Builder::request(method::CREATE_PERMISSION, id())
                .xor_peer_address(address("198.51.100.1:0"))
                .xor_peer_address(address("198.51.100.2:0"))
                .finish(),
            "CreatePermission request 198.51.100.1, 198.51.100.2",
        ),
        (
            Builder::request(method::CHANNEL_BIND, id())
                .channel_number(0x4001)
                .xor_peer_address(address(peer))
                .finish(),
            "ChannelBind request 0x4001 → 198.51.100.1:41001",
        ),
        (Builder::request(method::REFRESH, id()).lifetime(0).finish(), "Refresh request (lifetime 0)"),
        (send(peer, &check(false)), "Send indication → 198.51.100.1:41001 [Binding request (check)]"),
        (
            Builder::indication(method::DATA, id()).xor_peer_address(address(peer)).data(&[80]).finish(),
            "Data indication ← 198.51.100.1:41001 [1 byte]",
        ),
        (
            channel_data(0x4000, &check(true)).expect("small enough"),
            "ChannelData 0x4000 [Binding request (check, USE-CANDIDATE)]",
        ),
        (Builder::request(Method::new(0x07b), id()).finish(), "Method 0x07b request"),
    ];
    for (payload, line) in lines {
        assert_eq!(summary(&payload), line);
    }
    assert_eq!(describe(&[80, 1, 2]), None);
}

#[test]
fn a_check_inside_a_relayed_datagram_is_found() {
    let payload = send("198.51.100.1:41001", &channel_data(0x4000, &check(true)).expect("small enough"));
    let described = describe(&payload).expect("a message");
    assert!(described.is(Class::Indication, method::SEND));
    assert_eq!(described.peer(), Some(address("198.51.100.1:41001")));
    let innermost = described.innermost();
    assert!(innermost.is_ice_check && innermost.use_candidate);
    assert_eq!(innermost.transaction, Some(transaction_bytes(id())));
}

#[test]
fn attributes_are_shown_by_name_and_value() {
    let samples = samples();
    let shown: Vec<String> = describe(&samples[0])
        .expect("a message")
        .attributes()
        .into_iter()
        .map(|attribute| format!("{} = {}", attribute.name, attribute.value))
        .collect();
    let expected = [
        "USERNAME = demo",
        "REALM = example.org",
        "NONCE = nonce",
        "SOFTWARE = punchlab",
        "MAPPED-ADDRESS = 192.0.2.1:1",
        "XOR-MAPPED-ADDRESS = [2001:db8::1]:2",
        "XOR-RELAYED-ADDRESS = 192.0.2.3:3",
        "RESPONSE-ORIGIN = 192.0.2.4:4",
        "OTHER-ADDRESS = 192.0.2.5:5",
        "CHANGE-REQUEST = change address",
        "RESPONSE-PORT = 9",
        "PADDING = 7 bytes",
        "LIFETIME = 600 s",
        "REQUESTED-TRANSPORT = UDP",
        "EVEN-PORT = and reserve the next",
        "RESERVATION-TOKEN = 0x0000000000000007",
        "DONT-FRAGMENT = ",
        "CHANNEL-NUMBER = 0x4000",
        "ICMP = 0x0000030300000000",
        "UNKNOWN-ATTRIBUTES = EVEN-PORT, 0x7777",
    ];
    assert_eq!(shown[..expected.len()], expected);
    assert!(shown[20].starts_with("MESSAGE-INTEGRITY = 0x") && shown[21].starts_with("FINGERPRINT = 0x"));
}

/// Reads `payload` in every way there is; it must not panic, whatever it says.
fn read_everything(payload: &[u8]) {
    if let Some(described) = describe(payload) {
        let _ = (described.summary(), described.attributes(), described.innermost().peer());
    }
    let _ = (classify(payload), parse_channel_data(payload));
    let Some(message) = Message::parse(payload) else { return };
    let _ = (message.username(), message.realm(), message.nonce(), message.software());
    let _ = (message.mapped_address(), message.peer_addresses(), message.peer_address());
    let _ = (message.response_origin(), message.other_address(), message.change_request());
    let _ = (message.response_port(), message.lifetime(), message.requested_transport(), message.icmp());
    let _ = (message.requested_address_family(), message.additional_address_family(), message.even_port());
    let _ = (message.reservation_token(), message.channel_number(), message.data(), message.error());
    let _ = (message.unknown_required(&[]), message.rejects(attribute::DATA));
    let _ = (message.verify(&Key::short_term("a")), message.verify(&Key::long_term("a", "b", "c")));
}

/// `body` behind a correct header, so that the attributes are reached.
fn framed(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).expect("small");
    [&kind.to_be_bytes()[..], &length.to_be_bytes(), &0x2112_a442_u32.to_be_bytes(), &[7; 12], body].concat()
}

#[test]
fn no_length_or_filling_makes_reading_panic() {
    for length in 0..=128 {
        for fill in [0x00, 0x40, 0xff] {
            read_everything(&vec![fill; length]);
            read_everything(&framed(0x0001, &vec![fill; length]));
        }
    }
}

#[test]
fn no_truncation_makes_reading_panic() {
    for sample in samples() {
        for length in 0..sample.len() {
            read_everything(&sample[..length]);
            if let Some(body) = sample.get(20..length) {
                read_everything(&framed(0x0003, body));
            }
        }
    }
}

#[test]
fn messages_nested_without_end_are_read_to_a_fixed_depth() {
    let mut payload = vec![80];
    while payload.len() < 60_000 {
        payload = send("198.51.100.1:41001", &payload);
    }
    read_everything(&payload);
}

/// The attributes as `stun-types` reads them.
fn attributes_by_the_crate(bytes: &[u8]) -> Vec<(AttributeType, Vec<u8>)> {
    let message = stun_types::message::Message::from_bytes(bytes).expect("a message");
    message.iter_attributes().map(|(_, raw)| (raw.header.get_type(), raw.value.to_vec())).collect()
}

proptest! {
    #[test]
    fn attributes_count_as_the_crate_counts_them(
        kinds in prop::collection::vec(
            prop::sample::select(vec![
                attribute::SOFTWARE, attribute::MESSAGE_INTEGRITY, attribute::MESSAGE_INTEGRITY_SHA256,
            ]),
            0..6,
        ),
        length in 0_u16..9,
        fingerprint: bool,
        tail in prop::collection::vec(0_u16..9, 0..2),
    ) {
        let attribute = |kind: u16, length: u16| {
            let mut bytes = [kind.to_be_bytes(), length.to_be_bytes()].concat();
            bytes.resize(4 + usize::from(length).next_multiple_of(4), 7);
            bytes
        };
        let mut body: Vec<u8> = kinds.iter().flat_map(|kind| attribute(kind.value(), length)).collect();
        if fingerprint {
            let signed = framed(0x0001, &[&body[..], &[0; 8]].concat());
            let sum = stun_types::attribute::Fingerprint::compute(&[&signed[..signed.len() - 8]]);
            body.extend([0x80, 0x28, 0, 4]);
            body.extend(sum.iter().zip(b"STUN").map(|(byte, mask)| byte ^ mask));
        }
        body.extend(tail.iter().flat_map(|kind| attribute(*kind, length)));
        let bytes = framed(0x0001, &body);
        if let Some(message) = Message::parse(&bytes) {
            let read: Vec<_> = message.attributes().map(|(kind, value)| (kind, value.to_vec())).collect();
            prop_assert_eq!(read, attributes_by_the_crate(&bytes));
        } else {
            prop_assert!(!tail.is_empty());
        }
    }

    #[test]
    fn no_bytes_make_reading_panic(kind in 0_u16..0x4000, words in prop::collection::vec(any::<[u8; 4]>(), 0..40)) {
        read_everything(&words.concat());
        read_everything(&framed(kind, &words.concat()));
    }

    #[test]
    fn no_attribute_value_makes_reading_panic(
        kind in prop_oneof![0_u16..0x30, 0x8000_u16..0x8030],
        value in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        read_everything(&Builder::request(method::ALLOCATE, id()).raw(kind.into(), &value).finish());
        let mut body = [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), &value].concat();
        body.resize(body.len().next_multiple_of(4), 0);
        read_everything(&framed(0x0001, &body));
    }
}
