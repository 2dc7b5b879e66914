//! A STUN server: Binding (RFC 8489 §12), and behaviour discovery (RFC 5780) where it has two addresses.

use std::net::{IpAddr, SocketAddr};

use crate::base::PortId;
use crate::device::Outbox;
use crate::wire::stun::{
    AttributeType, Builder, ChangeRequest, Class, Message, attribute, error_code, method,
};
use crate::wire::{Flow, Packet};

/// What a Binding request may hold: RFC 8489's attributes, of which a server without credentials needs none.
const KNOWN: &[AttributeType] = &[
    attribute::MAPPED_ADDRESS,
    attribute::USERNAME,
    attribute::MESSAGE_INTEGRITY,
    attribute::ERROR_CODE,
    attribute::UNKNOWN_ATTRIBUTES,
    attribute::REALM,
    attribute::NONCE,
    attribute::MESSAGE_INTEGRITY_SHA256,
    attribute::PASSWORD_ALGORITHM,
    attribute::USERHASH,
    attribute::XOR_MAPPED_ADDRESS,
];

/// RFC 5780's attributes, which only a server with alternates understands. PADDING is not among them: it asks for an
/// answer as large as the interface's MTU, which a server here does not know.
const KNOWN_WITH_ALTERNATES: &[AttributeType] = &[attribute::CHANGE_REQUEST, attribute::RESPONSE_PORT];

/// SOFTWARE of our servers; without a version, so that results do not change with it.
pub(super) const SOFTWARE: &str = "punchlab";

/// A STUN server.
#[derive(Debug)]
pub struct StunServer {
    ports: Vec<u16>,
    addresses: Vec<IpAddr>,
}

/// The four transport addresses of RFC 5780 §6 as one of them sees them.
#[derive(Debug, Clone, Copy)]
struct Alternates {
    here: SocketAddr,
    other: SocketAddr,
}

impl Alternates {
    fn changed(self, change: ChangeRequest) -> SocketAddr {
        let address = if change.address { self.other } else { self.here };
        let port = if change.port { self.other } else { self.here };
        SocketAddr::new(address.ip(), port.port())
    }
}

impl StunServer {
    /// A server on these ports of these addresses. With two addresses of one family it also does behaviour discovery
    /// there, between its first two ports; if it was given one port, the next one becomes its alternate.
    pub fn new(ports: &[u16], addresses: &[IpAddr]) -> Self {
        let mut ports = ports.to_vec();
        let two_addresses = [IpAddr::is_ipv4, IpAddr::is_ipv6]
            .iter()
            .any(|of_family| addresses.iter().filter(|address| of_family(address)).count() > 1);
        if let ([port], true) = (ports.as_slice(), two_addresses) {
            ports.extend(port.checked_add(1));
        }
        Self { ports, addresses: addresses.to_vec() }
    }

    /// The ports it listens on.
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// True if it listens on this port.
    pub fn listens_on(&self, port: u16) -> bool {
        self.ports.contains(&port)
    }

    /// Answers a datagram that came to one of its ports. What is not a Binding request is discarded in silence.
    pub fn handle(&self, packet: &Packet, payload: &[u8], out: &mut Outbox) {
        let Some(message) = Message::parse(payload) else { return };
        if message.class() == Class::Request && message.method() == method::BINDING {
            let (flow, answer) = self.answer(packet.flow, &message);
            out.emit(PortId::UPLINK, Packet::udp(flow, answer), Some(packet.id));
        }
    }

    fn answer(&self, flow: Flow, message: &Message<'_>) -> (Flow, Vec<u8>) {
        let Some(alternates) = self.alternates(flow.destination) else {
            return (flow.reversed(), answer_binding(flow.source, message));
        };
        let known: Vec<AttributeType> = [KNOWN, KNOWN_WITH_ALTERNATES].concat();
        let unknown = message.unknown_required(&known);
        if !unknown.is_empty() {
            return (flow.reversed(), refuse_unknown(message, &unknown));
        }
        let (Ok(change), Ok(response_port)) = (message.change_request(), message.response_port()) else {
            return (flow.reversed(), error(message, error_code::BAD_REQUEST));
        };
        let origin = alternates.changed(change.unwrap_or_default());
        let receiver = SocketAddr::new(flow.source.ip(), response_port.unwrap_or(flow.source.port()));
        let answer = Builder::success(method::BINDING, message.transaction())
            .xor_mapped_address(flow.source)
            .mapped_address(flow.source)
            .response_origin(origin)
            .other_address(alternates.other);
        (Flow::new(origin, receiver), finish(answer, message))
    }

    /// RFC 5780 §6: the other of the first two addresses of this family, with the other of the first two ports.
    fn alternates(&self, here: SocketAddr) -> Option<Alternates> {
        let family = |address: &&IpAddr| address.is_ipv4() == here.is_ipv4();
        let mut addresses = self.addresses.iter().copied().filter(|address| family(&address));
        let address = other_of(here.ip(), addresses.next()?, addresses.next()?)?;
        let [first, second, ..] = self.ports[..] else { return None };
        let port = other_of(here.port(), first, second)?;
        Some(Alternates { here, other: SocketAddr::new(address, port) })
    }
}

fn other_of<T: PartialEq>(this: T, first: T, second: T) -> Option<T> {
    if this == first {
        Some(second)
    } else if this == second {
        Some(first)
    } else {
        None
    }
}

/// The answer to a message of a stream, over which RFC 5780 has nothing to discover; `None` to what is no Binding request.
pub fn answer_in_stream(source: SocketAddr, payload: &[u8]) -> Option<Vec<u8>> {
    let message = Message::parse(payload)?;
    let is_binding = message.class() == Class::Request && message.method() == method::BINDING;
    is_binding.then(|| answer_binding(source, &message))
}

/// The answer of a server without alternates to a Binding request from `source`.
pub fn answer_binding(source: SocketAddr, message: &Message<'_>) -> Vec<u8> {
    let unknown = message.unknown_required(KNOWN);
    if !unknown.is_empty() {
        return refuse_unknown(message, &unknown);
    }
    let answer = Builder::success(method::BINDING, message.transaction()).xor_mapped_address(source);
    finish(answer, message)
}

fn refuse_unknown(message: &Message<'_>, unknown: &[AttributeType]) -> Vec<u8> {
    let answer = Builder::error(message.method(), message.transaction(), error_code::UNKNOWN_ATTRIBUTE);
    finish(answer.unknown_attributes(unknown), message)
}

fn error(message: &Message<'_>, code: u16) -> Vec<u8> {
    finish(Builder::error(message.method(), message.transaction(), code), message)
}

/// An answer tells the server's software (RFC 8489 §6.3.1.1), and carries a FINGERPRINT if its request did.
fn finish(answer: Builder, message: &Message<'_>) -> Vec<u8> {
    answer.software(SOFTWARE).finish_with(None, message.has(attribute::FINGERPRINT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::stun::{TransactionId, attribute};

    const ID: u128 = 0x0102_0304;
    const CLIENT: &str = "203.0.113.1:40001";

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn id() -> TransactionId {
        ID.into()
    }

    fn binding() -> Builder {
        Builder::request(method::BINDING, id())
    }

    fn plain() -> StunServer {
        StunServer::new(&[3478], &["192.0.2.3".parse().expect("an address")])
    }

    fn with_two_addresses(ports: &[u16]) -> StunServer {
        StunServer::new(ports, &["192.0.2.3", "192.0.2.4"].map(|text| text.parse().expect("an address")))
    }

    /// What the server answers to `payload`, sent from [`CLIENT`] to `to`.
    fn ask(server: &StunServer, to: &str, payload: Vec<u8>) -> Option<Packet> {
        let packet = Packet::udp(Flow::new(address(CLIENT), address(to)), payload);
        let mut out = Outbox::default();
        server.handle(&packet, packet.body.payload(), &mut out);
        assert!(out.packets.len() <= 1);
        out.packets.pop().map(|emitted| emitted.packet)
    }

    fn answer(server: &StunServer, to: &str, payload: Vec<u8>) -> Packet {
        ask(server, to, payload).expect("an answer")
    }

    #[test]
    fn a_binding_answer_tells_the_source_it_saw() {
        let packet = answer(&plain(), "192.0.2.3:3478", binding().finish());
        assert_eq!(packet.flow, Flow::new(address("192.0.2.3:3478"), address(CLIENT)));
        let message = Message::parse(packet.body.payload()).expect("a message");
        assert_eq!((message.class(), message.transaction()), (Class::Success, id()));
        assert_eq!(message.mapped_address(), Ok(Some(address(CLIENT))));
        assert_eq!(message.other_address(), Ok(None));
    }

    #[test]
    fn the_server_adds_software_to_success_and_error_responses() {
        for request in [binding().finish(), binding().raw(0x7001.into(), &[1]).finish()] {
            let packet = answer(&plain(), "192.0.2.3:3478", request);
            let message = Message::parse(packet.body.payload()).expect("a message");
            assert_eq!(message.software(), Ok(Some("punchlab")));
        }
    }

    #[test]
    fn an_answer_has_a_fingerprint_if_its_request_has_one() {
        for fingerprint in [true, false] {
            let packet = answer(&plain(), "192.0.2.3:3478", binding().finish_with(None, fingerprint));
            let message = Message::parse(packet.body.payload()).expect("a message");
            assert_eq!(message.has(attribute::FINGERPRINT), fingerprint);
        }
    }

    #[test]
    fn unknown_attributes_that_must_be_understood_are_named_in_a_420() {
        let request = binding().raw(0x7001.into(), &[1]).raw(0xf001.into(), &[1]).finish();
        let packet = answer(&plain(), "192.0.2.3:3478", request);
        let message = Message::parse(packet.body.payload()).expect("a message");
        assert_eq!(message.error_code(), Some(420));
        assert!(message.rejects(0x7001.into()) && !message.rejects(0xf001.into()));
    }

    #[test]
    fn a_server_with_one_address_does_not_understand_change_request() {
        let request = binding().change_request(ChangeRequest::default()).finish();
        let packet = answer(&plain(), "192.0.2.3:3478", request);
        let message = Message::parse(packet.body.payload()).expect("a message");
        assert_eq!(message.error_code(), Some(420));
        assert!(message.rejects(attribute::CHANGE_REQUEST));
    }

    #[test]
    fn change_request_chooses_the_origin_of_the_answer() {
        let server = with_two_addresses(&[3478, 3479]);
        for (address_too, port_too, origin) in [
            (false, false, "192.0.2.3:3478"),
            (false, true, "192.0.2.3:3479"),
            (true, false, "192.0.2.4:3478"),
            (true, true, "192.0.2.4:3479"),
        ] {
            let change = ChangeRequest { address: address_too, port: port_too };
            let packet = answer(&server, "192.0.2.3:3478", binding().change_request(change).finish());
            assert_eq!(packet.flow, Flow::new(address(origin), address(CLIENT)));
            let message = Message::parse(packet.body.payload()).expect("a message");
            assert_eq!(message.response_origin(), Ok(Some(address(origin))));
            assert_eq!(message.other_address(), Ok(Some(address("192.0.2.4:3479"))));
        }
    }

    #[test]
    fn the_alternate_of_the_alternate_is_the_primary() {
        let packet = answer(&with_two_addresses(&[3478]), "192.0.2.4:3479", binding().finish());
        let message = Message::parse(packet.body.payload()).expect("a message");
        assert_eq!(message.other_address(), Ok(Some(address("192.0.2.3:3478"))));
    }

    #[test]
    fn addresses_of_two_families_are_not_alternates() {
        let server =
            StunServer::new(&[3478], &["192.0.2.3", "2001:db8::3"].map(|text| text.parse().expect("one")));
        assert_eq!(server.ports(), [3478]);
        let packet = answer(&server, "192.0.2.3:3478", binding().finish());
        assert_eq!(Message::parse(packet.body.payload()).expect("a message").other_address(), Ok(None));
    }

    #[test]
    fn response_port_redirects_the_answer() {
        let packet =
            answer(&with_two_addresses(&[3478]), "192.0.2.3:3478", binding().response_port(7).finish());
        assert_eq!(packet.flow.destination, address("203.0.113.1:7"));
        let message = Message::parse(packet.body.payload()).expect("a message");
        assert_eq!(message.mapped_address(), Ok(Some(address(CLIENT))));
    }

    #[test]
    fn padding_is_refused() {
        let packet = answer(&with_two_addresses(&[3478]), "192.0.2.3:3478", binding().padding(4).finish());
        assert_eq!(Message::parse(packet.body.payload()).expect("a message").error_code(), Some(420));
    }

    #[test]
    fn a_malformed_change_request_is_a_bad_request() {
        let request = binding().raw(attribute::CHANGE_REQUEST, &[4]).finish();
        let packet = answer(&with_two_addresses(&[3478]), "192.0.2.3:3478", request);
        assert_eq!(Message::parse(packet.body.payload()).expect("a message").error_code(), Some(400));
    }

    #[test]
    fn unknown_attributes_are_checked_before_what_the_usage_requires() {
        let request = binding().raw(attribute::CHANGE_REQUEST, &[4]).padding(4).finish();
        let packet = answer(&with_two_addresses(&[3478]), "192.0.2.3:3478", request);
        assert_eq!(Message::parse(packet.body.payload()).expect("a message").error_code(), Some(420));
    }

    #[test]
    fn what_is_not_a_binding_request_gets_no_answer() {
        for payload in [
            Builder::indication(method::BINDING, id()).finish(),
            Builder::success(method::BINDING, id()).finish(),
            Builder::request(method::ALLOCATE, id()).finish(),
            b"hello".to_vec(),
            Vec::new(),
        ] {
            assert!(ask(&plain(), "192.0.2.3:3478", payload).is_none());
        }
    }
}
