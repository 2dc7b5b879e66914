//! Writing messages.

use std::net::SocketAddr;

use stun_types::attribute::{
    AttributeType, ErrorCode, MappedSocketAddr, RawAttribute, UnknownAttributes, XorSocketAddr,
};
use stun_types::message::{
    IntegrityAlgorithm, Message, MessageClass, MessageType, MessageWrite, MessageWriteExt, MessageWriteVec,
    Method, TransactionId,
};
use stun_types::prelude::*;
use turn_types::AddressFamily;
use turn_types::attribute::{
    AdditionalAddressFamily, AddressErrorCode, ChannelNumber, EvenPort, Icmp, Lifetime,
    RequestedAddressFamily, RequestedTransport, ReservationToken,
};

use super::read::ChangeRequest;
use super::{Key, MAX_DATAGRAM, attribute};

/// Room most messages fit in, so that writing one allocates once.
const USUAL_SIZE: usize = 160;

/// MESSAGE-INTEGRITY and FINGERPRINT, which come last.
const TRAILER_SIZE: usize = 24 + 8;

/// Writes one message, attribute by attribute. An attribute that would make the message larger than a datagram
/// carries, or [`Builder::up_to`] allows, is left out, so no input makes it fail: who sends data of foreign size asks [`Builder::fits`] first.
#[derive(Debug)]
pub struct Builder {
    write: MessageWriteVec,
    transaction: TransactionId,
    most: usize,
}

impl Builder {
    /// A message of this class, method and transaction, without attributes.
    pub fn new(class: MessageClass, method: Method, transaction: TransactionId) -> Self {
        let write = MessageWriteVec::with_capacity(USUAL_SIZE);
        let write = Message::builder(MessageType::from_class_method(class, method), transaction, write);
        Self { write, transaction, most: MAX_DATAGRAM }
    }

    /// A request.
    pub fn request(method: Method, transaction: TransactionId) -> Self {
        Self::new(MessageClass::Request, method, transaction)
    }

    /// An indication.
    pub fn indication(method: Method, transaction: TransactionId) -> Self {
        Self::new(MessageClass::Indication, method, transaction)
    }

    /// A success response.
    pub fn success(method: Method, transaction: TransactionId) -> Self {
        Self::new(MessageClass::Success, method, transaction)
    }

    /// An error response with this ERROR-CODE and its registered reason phrase. A code outside of 300–699 is no
    /// error code and is left out.
    pub fn error(method: Method, transaction: TransactionId, code: u16) -> Self {
        let mut builder = Self::new(MessageClass::Error, method, transaction);
        if let Ok(error) = ErrorCode::builder(code).build() {
            builder.push(&error);
        }
        builder
    }

    /// The message may have this many bytes: [`MAX_IN_STREAM`](super::MAX_IN_STREAM) for one that goes over a stream.
    #[must_use]
    pub const fn up_to(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// True if an attribute with a value of `length` bytes still fits.
    pub fn fits(&self, length: usize) -> bool {
        self.write.len() + 4 + length.next_multiple_of(4) + TRAILER_SIZE <= self.most
    }

    fn push(&mut self, attribute: &dyn AttributeWrite) {
        if self.fits(usize::from(attribute.length())) {
            // Fails only behind MESSAGE-INTEGRITY or FINGERPRINT, which `finish` writes.
            let _ = self.write.add_attribute(attribute);
        }
    }

    fn with(mut self, attribute: &dyn AttributeWrite) -> Self {
        self.push(attribute);
        self
    }

    /// Any attribute, by its bytes. MESSAGE-INTEGRITY and FINGERPRINT are written by [`Builder::finish_with`] alone.
    pub fn raw(self, attribute: AttributeType, value: &[u8]) -> Self {
        let reserved =
            [attribute::MESSAGE_INTEGRITY, attribute::MESSAGE_INTEGRITY_SHA256, attribute::FINGERPRINT];
        if value.len() > MAX_DATAGRAM || reserved.contains(&attribute) {
            return self;
        }
        self.with(&RawAttribute::new(attribute, value))
    }

    fn plain_address(self, attribute: AttributeType, address: SocketAddr) -> Self {
        self.with(&MappedSocketAddr::new(address).to_raw(attribute))
    }

    fn xor_address(self, attribute: AttributeType, address: SocketAddr) -> Self {
        let transaction = self.transaction;
        self.with(&XorSocketAddr::new(address, transaction).to_raw(attribute))
    }

    /// USERNAME.
    pub fn username(self, username: &str) -> Self {
        self.raw(attribute::USERNAME, username.as_bytes())
    }

    /// REALM.
    pub fn realm(self, realm: &str) -> Self {
        self.raw(attribute::REALM, realm.as_bytes())
    }

    /// NONCE.
    pub fn nonce(self, nonce: &str) -> Self {
        self.raw(attribute::NONCE, nonce.as_bytes())
    }

    /// SOFTWARE.
    pub fn software(self, software: &str) -> Self {
        self.raw(attribute::SOFTWARE, software.as_bytes())
    }

    /// MAPPED-ADDRESS.
    pub fn mapped_address(self, address: SocketAddr) -> Self {
        self.plain_address(attribute::MAPPED_ADDRESS, address)
    }

    /// XOR-MAPPED-ADDRESS.
    pub fn xor_mapped_address(self, address: SocketAddr) -> Self {
        self.xor_address(attribute::XOR_MAPPED_ADDRESS, address)
    }

    /// XOR-PEER-ADDRESS; may be given several times.
    pub fn xor_peer_address(self, address: SocketAddr) -> Self {
        self.xor_address(attribute::XOR_PEER_ADDRESS, address)
    }

    /// XOR-RELAYED-ADDRESS.
    pub fn xor_relayed_address(self, address: SocketAddr) -> Self {
        self.xor_address(attribute::XOR_RELAYED_ADDRESS, address)
    }

    /// RESPONSE-ORIGIN.
    pub fn response_origin(self, address: SocketAddr) -> Self {
        self.plain_address(attribute::RESPONSE_ORIGIN, address)
    }

    /// OTHER-ADDRESS.
    pub fn other_address(self, address: SocketAddr) -> Self {
        self.plain_address(attribute::OTHER_ADDRESS, address)
    }

    /// CHANGE-REQUEST.
    pub fn change_request(self, change: ChangeRequest) -> Self {
        self.raw(attribute::CHANGE_REQUEST, &change.to_bytes())
    }

    /// RESPONSE-PORT.
    pub fn response_port(self, port: u16) -> Self {
        let [high, low] = port.to_be_bytes();
        self.raw(attribute::RESPONSE_PORT, &[high, low, 0, 0])
    }

    /// PADDING of this many bytes.
    pub fn padding(self, length: u16) -> Self {
        self.raw(attribute::PADDING, &vec![0; usize::from(length)])
    }

    /// LIFETIME in seconds.
    pub fn lifetime(self, seconds: u32) -> Self {
        self.with(&Lifetime::new(seconds))
    }

    /// REQUESTED-TRANSPORT, an IP protocol number: [`TRANSPORT_UDP`](super::TRANSPORT_UDP).
    pub fn requested_transport(self, protocol: u8) -> Self {
        self.with(&RequestedTransport::new(protocol))
    }

    /// REQUESTED-ADDRESS-FAMILY.
    pub fn requested_address_family(self, family: AddressFamily) -> Self {
        self.with(&RequestedAddressFamily::new(family))
    }

    /// ADDITIONAL-ADDRESS-FAMILY, which can only be IPv6 (RFC 8656 §18.11).
    pub fn additional_address_family(self) -> Self {
        self.with(&AdditionalAddressFamily::new(AddressFamily::IPV6))
    }

    /// ADDRESS-ERROR-CODE: why there is no relayed address of this family. A code outside of 300–699 is no error
    /// code and is left out.
    pub fn address_error_code(self, family: AddressFamily, code: u16) -> Self {
        match ErrorCode::builder(code).build() {
            Ok(error) => self.with(&AddressErrorCode::new(family, error)),
            Err(_) => self,
        }
    }

    /// EVEN-PORT; `reserve_next` asks for the port above it too.
    pub fn even_port(self, reserve_next: bool) -> Self {
        self.with(&EvenPort::new(reserve_next))
    }

    /// RESERVATION-TOKEN.
    pub fn reservation_token(self, token: u64) -> Self {
        self.with(&ReservationToken::new(token))
    }

    /// DONT-FRAGMENT.
    pub fn dont_fragment(self) -> Self {
        self.raw(attribute::DONT_FRAGMENT, &[])
    }

    /// CHANNEL-NUMBER.
    pub fn channel_number(self, channel: u16) -> Self {
        self.with(&ChannelNumber::new(channel))
    }

    /// DATA.
    pub fn data(self, data: &[u8]) -> Self {
        self.raw(attribute::DATA, data)
    }

    /// ICMP: a type, a code and four bytes of error data.
    pub fn icmp(self, kind: u8, code: u8, data: u32) -> Self {
        self.with(&Icmp::new(kind, code, data))
    }

    /// UNKNOWN-ATTRIBUTES.
    pub fn unknown_attributes(self, attributes: &[AttributeType]) -> Self {
        self.with(&UnknownAttributes::new(attributes))
    }

    /// The message's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.finish_with(None, false)
    }

    /// The message's bytes, signed with `key` and closed by a FINGERPRINT if asked for.
    pub fn finish_with(mut self, key: Option<&Key>, fingerprint: bool) -> Vec<u8> {
        // Neither can fail: both attributes fit, and each is written once.
        if let Some(key) = key {
            let _ = self.write.add_message_integrity_with_key(&key.0, IntegrityAlgorithm::Sha1);
        }
        if fingerprint {
            let _ = self.write.add_fingerprint();
        }
        self.write.finish()
    }
}
