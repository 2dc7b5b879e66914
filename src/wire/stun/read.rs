//! Reading messages.

use std::net::SocketAddr;

use smallvec::SmallVec;
use stun_types::attribute::{
    AttributeFromRaw, AttributeStaticType, AttributeType, ErrorCode, MappedSocketAddr, RawAttribute,
    UnknownAttributes, XorSocketAddr,
};
use stun_types::message::{self, MessageClass, MessageHeader, Method, TransactionId};
use turn_types::AddressFamily;
use turn_types::attribute::{
    AdditionalAddressFamily, ChannelNumber, EvenPort, Icmp, Lifetime, RequestedAddressFamily,
    RequestedTransport, ReservationToken,
};

use super::{Key, attribute};

/// An attribute that is there, but does not hold what its type promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the attribute's value is malformed")]
pub struct Malformed;

/// What reading an optional attribute gives: its value, `None` if it is missing, or [`Malformed`].
pub type Read<T> = Result<Option<T>, Malformed>;

/// A message in the bytes it came in.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    inner: message::Message<'a>,
    bytes: &'a [u8],
}

/// CHANGE-REQUEST (RFC 5780 §7.2): from where the answer should leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeRequest {
    /// From the server's other address.
    pub address: bool,
    /// From the server's other port.
    pub port: bool,
}

impl ChangeRequest {
    const CHANGE_ADDRESS: u8 = 0x04;
    const CHANGE_PORT: u8 = 0x02;

    pub(super) const fn to_bytes(self) -> [u8; 4] {
        let address = if self.address { Self::CHANGE_ADDRESS } else { 0 };
        let port = if self.port { Self::CHANGE_PORT } else { 0 };
        [0, 0, 0, address | port]
    }

    pub(super) const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self { address: bytes[3] & Self::CHANGE_ADDRESS != 0, port: bytes[3] & Self::CHANGE_PORT != 0 }
    }
}

impl<'a> Message<'a> {
    /// Reads a message: `None` if `bytes` are not exactly one well-formed STUN message, or if its FINGERPRINT is
    /// wrong (RFC 8489 §6.3 has such datagrams discarded in silence).
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let header = MessageHeader::from_bytes(bytes).ok()?;
        // The crate would read attributes from bytes behind the message.
        let whole = MessageHeader::LENGTH + usize::from(header.data_length()) == bytes.len();
        if !whole || !bytes.len().is_multiple_of(4) {
            return None;
        }
        let inner = message::Message::from_bytes(bytes).ok()?;
        Some(Self { inner, bytes })
    }

    /// Request, indication, success or error.
    pub fn class(&self) -> MessageClass {
        self.inner.class()
    }

    /// What it is about.
    pub fn method(&self) -> Method {
        self.inner.method()
    }

    /// Its transaction id.
    pub fn transaction(&self) -> TransactionId {
        self.inner.transaction_id()
    }

    /// True if it has a MESSAGE-INTEGRITY made with `key`.
    pub fn verify(&self, key: &Key) -> bool {
        self.inner.validate_integrity_with_key(&key.0).is_ok()
    }

    /// True if the attribute is there, whatever it holds. Attributes behind MESSAGE-INTEGRITY do not count
    /// (RFC 8489 §14.5).
    pub fn has(&self, attribute: AttributeType) -> bool {
        self.attributes().any(|(kind, _)| kind == attribute)
    }

    /// The bytes of the first attribute of this type.
    pub fn raw(&self, attribute: AttributeType) -> Option<&'a [u8]> {
        self.attributes().find(|(kind, _)| *kind == attribute).map(|(_, value)| value)
    }

    /// All attributes in order, as type and bytes.
    pub fn attributes(&self) -> impl Iterator<Item = (AttributeType, &'a [u8])> {
        let rest = self.bytes.get(MessageHeader::LENGTH..).unwrap_or_default();
        Attributes { rest, last: None }
    }

    /// The types that must be understood (RFC 8489 §14) and are not among `known`, each once, in order.
    pub fn unknown_required(&self, known: &[AttributeType]) -> SmallVec<[AttributeType; 2]> {
        let mut unknown = SmallVec::new();
        for (kind, _) in self.attributes() {
            if kind.comprehension_required() && !known.contains(&kind) && !unknown.contains(&kind) {
                unknown.push(kind);
            }
        }
        unknown
    }

    fn typed<A, T>(&self, take: impl FnOnce(A) -> T) -> Read<T>
    where
        A: for<'r> AttributeFromRaw<'r> + AttributeStaticType,
    {
        let Some(value) = self.raw(A::TYPE) else { return Ok(None) };
        let raw = RawAttribute::new(A::TYPE, value);
        A::from_raw_ref(&raw).map(|read| Some(take(read))).map_err(|_| Malformed)
    }

    fn text(&self, attribute: AttributeType) -> Read<&'a str> {
        self.raw(attribute).map(|bytes| std::str::from_utf8(bytes).map_err(|_| Malformed)).transpose()
    }

    fn plain_address(&self, attribute: AttributeType) -> Read<SocketAddr> {
        let Some(value) = self.raw(attribute) else { return Ok(None) };
        let raw = RawAttribute::new(attribute, value);
        MappedSocketAddr::from_raw(&raw).map(|read| Some(read.addr())).map_err(|_| Malformed)
    }

    fn xor_address(&self, attribute: AttributeType) -> Read<SocketAddr> {
        self.raw(attribute).map(|value| self.read_xor(attribute, value)).transpose()
    }

    fn read_xor(&self, attribute: AttributeType, value: &[u8]) -> Result<SocketAddr, Malformed> {
        let raw = RawAttribute::new(attribute, value);
        XorSocketAddr::from_raw(&raw).map(|read| read.addr(self.transaction())).map_err(|_| Malformed)
    }

    /// USERNAME.
    pub fn username(&self) -> Read<&'a str> {
        self.text(attribute::USERNAME)
    }

    /// REALM.
    pub fn realm(&self) -> Read<&'a str> {
        self.text(attribute::REALM)
    }

    /// NONCE.
    pub fn nonce(&self) -> Read<&'a str> {
        self.text(attribute::NONCE)
    }

    /// SOFTWARE.
    pub fn software(&self) -> Read<&'a str> {
        self.text(attribute::SOFTWARE)
    }

    /// XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS as RFC 3489 servers sent it.
    pub fn mapped_address(&self) -> Read<SocketAddr> {
        match self.xor_address(attribute::XOR_MAPPED_ADDRESS) {
            Ok(None) => self.plain_address(attribute::MAPPED_ADDRESS),
            xored => xored,
        }
    }

    /// The first XOR-PEER-ADDRESS.
    pub fn peer_address(&self) -> Read<SocketAddr> {
        self.xor_address(attribute::XOR_PEER_ADDRESS)
    }

    /// All of them.
    pub fn peer_addresses(&self) -> Result<SmallVec<[SocketAddr; 2]>, Malformed> {
        self.attributes()
            .filter(|(kind, _)| *kind == attribute::XOR_PEER_ADDRESS)
            .map(|(kind, value)| self.read_xor(kind, value))
            .collect()
    }

    /// XOR-RELAYED-ADDRESS.
    pub fn relayed_address(&self) -> Read<SocketAddr> {
        self.xor_address(attribute::XOR_RELAYED_ADDRESS)
    }

    /// RESPONSE-ORIGIN.
    pub fn response_origin(&self) -> Read<SocketAddr> {
        self.plain_address(attribute::RESPONSE_ORIGIN)
    }

    /// OTHER-ADDRESS.
    pub fn other_address(&self) -> Read<SocketAddr> {
        self.plain_address(attribute::OTHER_ADDRESS)
    }

    /// CHANGE-REQUEST.
    pub fn change_request(&self) -> Read<ChangeRequest> {
        self.four_bytes(attribute::CHANGE_REQUEST).map(|bytes| bytes.map(ChangeRequest::from_bytes))
    }

    /// RESPONSE-PORT.
    pub fn response_port(&self) -> Read<u16> {
        self.four_bytes(attribute::RESPONSE_PORT)
            .map(|bytes| bytes.map(|[high, low, ..]| u16::from_be_bytes([high, low])))
    }

    fn four_bytes(&self, attribute: AttributeType) -> Read<[u8; 4]> {
        self.raw(attribute).map(|bytes| bytes.try_into().map_err(|_| Malformed)).transpose()
    }

    /// LIFETIME in seconds.
    pub fn lifetime(&self) -> Read<u32> {
        self.typed(|read: Lifetime| read.seconds())
    }

    /// REQUESTED-TRANSPORT.
    pub fn requested_transport(&self) -> Read<u8> {
        self.typed(|read: RequestedTransport| read.protocol())
    }

    /// REQUESTED-ADDRESS-FAMILY.
    pub fn requested_address_family(&self) -> Read<AddressFamily> {
        self.typed(|read: RequestedAddressFamily| read.family())
    }

    /// ADDITIONAL-ADDRESS-FAMILY.
    pub fn additional_address_family(&self) -> Read<AddressFamily> {
        self.typed(|read: AdditionalAddressFamily| read.family())
    }

    /// EVEN-PORT: true if the next port should be reserved too.
    pub fn even_port(&self) -> Read<bool> {
        self.typed(|read: EvenPort| read.requested())
    }

    /// RESERVATION-TOKEN.
    pub fn reservation_token(&self) -> Read<u64> {
        self.typed(|read: ReservationToken| read.token())
    }

    /// CHANNEL-NUMBER.
    pub fn channel_number(&self) -> Read<u16> {
        self.typed(|read: ChannelNumber| read.channel())
    }

    /// DATA.
    pub fn data(&self) -> Option<&'a [u8]> {
        self.raw(attribute::DATA)
    }

    /// ICMP: type, code and error data.
    pub fn icmp(&self) -> Read<(u8, u8, u32)> {
        self.typed(|read: Icmp| (read.icmp_type(), read.code(), read.data()))
    }

    /// ERROR-CODE: code and reason phrase.
    pub fn error(&self) -> Read<(u16, String)> {
        self.typed(|read: ErrorCode| (read.code(), read.reason().to_owned()))
    }

    /// ERROR-CODE without its reason phrase; `None` if it is missing or malformed.
    pub fn error_code(&self) -> Option<u16> {
        self.error().ok().flatten().map(|(code, _)| code)
    }

    /// True if UNKNOWN-ATTRIBUTES names `attribute`.
    pub fn rejects(&self, attribute: AttributeType) -> bool {
        self.typed(|read: UnknownAttributes| read.has_attribute(attribute)) == Ok(Some(true))
    }

    /// True for an ICE connectivity check (RFC 8445 §7.1): a Binding request with a USERNAME of two fragments and
    /// a PRIORITY.
    pub fn is_ice_check(&self) -> bool {
        self.class() == MessageClass::Request
            && self.method() == super::method::BINDING
            && self.has(attribute::PRIORITY)
            && self.raw(attribute::USERNAME).is_some_and(|name| name.contains(&b':'))
    }
}

/// A walk through the attributes of a message that is known to be well-formed: a look-up needs no more than this, and
/// a server makes a dozen for each request.
struct Attributes<'a> {
    rest: &'a [u8],
    last: Option<AttributeType>,
}

impl Attributes<'_> {
    /// RFC 8489 §14.5 to §14.7: what may stand behind the attribute before.
    fn counts(&self, kind: AttributeType) -> bool {
        match self.last {
            Some(attribute::FINGERPRINT) => false,
            Some(attribute::MESSAGE_INTEGRITY) => {
                matches!(kind, attribute::MESSAGE_INTEGRITY_SHA256 | attribute::FINGERPRINT)
            }
            Some(attribute::MESSAGE_INTEGRITY_SHA256) => kind == attribute::FINGERPRINT,
            _ => true,
        }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (AttributeType, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[kind_high, kind_low, high, low], rest) = std::mem::take(&mut self.rest).split_first_chunk()?;
        let kind = AttributeType::new(u16::from_be_bytes([kind_high, kind_low]));
        if !self.counts(kind) {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let value = rest.get(..length)?;
        self.rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        self.last = Some(kind);
        Some((kind, value))
    }
}
