//! Messages in words, for reports and explanations.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};

use stun_types::attribute::{AttributeType, ErrorCode, MappedSocketAddr, RawAttribute, XorSocketAddr};
use stun_types::message::{MessageClass, Method, TransactionId};
use stun_types::prelude::*;

use super::names::{attribute_text, method_text};
use super::read::ChangeRequest;
use super::{Kind, Message, attribute, classify, method, parse_channel_data, transaction_bytes};

/// How deep messages inside messages are read; a relay inside a relay needs two.
const MAX_DEPTH: usize = 4;

/// How many bytes of an unknown attribute are shown.
const SHOWN_BYTES: usize = 32;

/// What a datagram says. Displayed, it is a line such as `Allocate success relay 192.0.2.4:55000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described<'a> {
    /// Request, indication, success or error; `None` for ChannelData.
    pub class: Option<MessageClass>,
    /// The method; `None` for ChannelData.
    pub method: Option<Method>,
    /// The transaction id; `None` for ChannelData.
    pub transaction: Option<[u8; 12]>,
    /// The channel of ChannelData, or the CHANNEL-NUMBER of a ChannelBind.
    pub channel: Option<u16>,
    /// The code of an error response.
    pub error: Option<u16>,
    /// True for an ICE connectivity check.
    pub is_ice_check: bool,
    /// True if it has USE-CANDIDATE.
    pub use_candidate: bool,
    /// XOR-MAPPED-ADDRESS or MAPPED-ADDRESS.
    pub mapped: Option<SocketAddr>,
    /// Every XOR-PEER-ADDRESS.
    pub peers: Vec<SocketAddr>,
    /// XOR-RELAYED-ADDRESS.
    pub relayed: Option<SocketAddr>,
    /// LIFETIME in seconds.
    pub lifetime: Option<u32>,
    /// The datagram it carries: DATA of a Send or Data indication, or the data of ChannelData.
    pub nested: Option<&'a [u8]>,
    /// What that datagram says, if it is STUN or TURN too.
    pub inner: Option<Box<Described<'a>>>,
    payload: &'a [u8],
}

/// An attribute in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeText {
    /// Its registered name, or its number.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What `payload` says; `None` if it is neither a STUN message nor ChannelData.
pub fn describe(payload: &[u8]) -> Option<Described<'_>> {
    describe_at(payload, 0)
}

fn describe_at(payload: &[u8], depth: usize) -> Option<Described<'_>> {
    let mut described = match classify(payload) {
        Kind::Stun => describe_message(payload)?,
        Kind::Channel => describe_channel(payload)?,
        Kind::Data => return None,
    };
    if depth < MAX_DEPTH {
        described.inner = described.nested.and_then(|nested| describe_at(nested, depth + 1)).map(Box::new);
    }
    Some(described)
}

fn describe_channel(payload: &[u8]) -> Option<Described<'_>> {
    let (channel, data) = parse_channel_data(payload)?;
    Some(Described { channel: Some(channel), nested: Some(data), ..Described::empty(payload) })
}

fn describe_message(payload: &[u8]) -> Option<Described<'_>> {
    let message = Message::parse(payload)?;
    Some(Described {
        class: Some(message.class()),
        method: Some(message.method()),
        transaction: Some(transaction_bytes(message.transaction())),
        channel: message.channel_number().ok().flatten(),
        error: message.error_code(),
        is_ice_check: message.is_ice_check(),
        use_candidate: message.has(attribute::USE_CANDIDATE),
        mapped: message.mapped_address().ok().flatten(),
        peers: message.peer_addresses().map(|peers| peers.into_vec()).unwrap_or_default(),
        relayed: message.relayed_address().ok().flatten(),
        lifetime: message.lifetime().ok().flatten(),
        nested: message.data(),
        ..Described::empty(payload)
    })
}

impl<'a> Described<'a> {
    const fn empty(payload: &'a [u8]) -> Self {
        Self {
            class: None,
            method: None,
            transaction: None,
            channel: None,
            error: None,
            is_ice_check: false,
            use_candidate: false,
            mapped: None,
            peers: Vec::new(),
            relayed: None,
            lifetime: None,
            nested: None,
            inner: None,
            payload,
        }
    }

    /// The line this displays as.
    pub fn summary(&self) -> String {
        self.to_string()
    }

    /// The first XOR-PEER-ADDRESS.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peers.first().copied()
    }

    /// The innermost message: what a check inside a Send indication or ChannelData says.
    pub fn innermost(&self) -> &Self {
        self.inner.as_deref().map_or(self, Self::innermost)
    }

    /// True for a message of this class and method.
    pub fn is(&self, class: MessageClass, method: Method) -> bool {
        self.class == Some(class) && self.method == Some(method)
    }

    /// Every attribute in words, in order; empty for ChannelData.
    pub fn attributes(&self) -> Vec<AttributeText> {
        let Some(message) = self.class.and_then(|_| Message::parse(self.payload)) else { return Vec::new() };
        message
            .attributes()
            .map(|(kind, value)| AttributeText {
                name: attribute_text(kind),
                value: value_text(kind, value, message.transaction()),
            })
            .collect()
    }

    fn write_nested(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.inner, self.nested) {
            (Some(inner), _) => write!(f, " [{inner}]"),
            (None, Some(nested)) => write!(f, " [{}]", bytes_text(nested.len())),
            (None, None) => Ok(()),
        }
    }

    fn write_details(&self, f: &mut fmt::Formatter<'_>, class: MessageClass, of: Method) -> fmt::Result {
        if let Some(code) = self.error {
            return write!(f, " {code}");
        }
        match (class, of) {
            (MessageClass::Request, method::BINDING) if self.is_ice_check => {
                f.write_str(if self.use_candidate { " (check, USE-CANDIDATE)" } else { " (check)" })
            }
            (MessageClass::Request, method::CREATE_PERMISSION) => {
                let peers: Vec<IpAddr> = self.peers.iter().map(SocketAddr::ip).collect();
                write_list(f, &peers)
            }
            (MessageClass::Request, method::CHANNEL_BIND) => match (self.channel, self.peer()) {
                (Some(channel), Some(peer)) => write!(f, " {channel:#06x} → {peer}"),
                _ => Ok(()),
            },
            (MessageClass::Request, method::REFRESH) if self.lifetime == Some(0) => {
                f.write_str(" (lifetime 0)")
            }
            (MessageClass::Success, method::BINDING) => write_list(f, self.mapped.as_slice()),
            (MessageClass::Success, method::ALLOCATE) => match self.relayed {
                Some(relayed) => write!(f, " relay {relayed}"),
                None => Ok(()),
            },
            (MessageClass::Indication, method::SEND) => self.write_towards(f, "→"),
            (MessageClass::Indication, method::DATA) => self.write_towards(f, "←"),
            _ => Ok(()),
        }
    }

    fn write_towards(&self, f: &mut fmt::Formatter<'_>, arrow: &str) -> fmt::Result {
        if let Some(peer) = self.peer() {
            write!(f, " {arrow} {peer}")?;
        }
        self.write_nested(f)
    }
}

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(class), Some(method)) = (self.class, self.method) else {
            write!(f, "ChannelData {:#06x}", self.channel.unwrap_or_default())?;
            return self.write_nested(f);
        };
        let class_word = match class {
            MessageClass::Request => "request",
            MessageClass::Indication => "indication",
            MessageClass::Success => "success",
            MessageClass::Error => "error",
        };
        write!(f, "{} {class_word}", method_text(method))?;
        self.write_details(f, class, method)
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, items: &[impl fmt::Display]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if index == 0 { " " } else { ", " })?;
    }
    Ok(())
}

fn bytes_text(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

fn value_text(kind: AttributeType, value: &[u8], transaction: TransactionId) -> String {
    typed_text(kind, value, transaction).unwrap_or_else(|| hex_text(value))
}

/// The value as its type is read; `None` if it does not hold what its type promises, or the type is not known.
fn typed_text(kind: AttributeType, value: &[u8], transaction: TransactionId) -> Option<String> {
    let raw = RawAttribute::new(kind, value);
    let text = match kind {
        attribute::USERNAME | attribute::REALM | attribute::NONCE | attribute::SOFTWARE => {
            std::str::from_utf8(value).ok()?.escape_debug().to_string()
        }
        attribute::MAPPED_ADDRESS
        | attribute::ALTERNATE_SERVER
        | attribute::RESPONSE_ORIGIN
        | attribute::OTHER_ADDRESS => MappedSocketAddr::from_raw(&raw).ok()?.addr().to_string(),
        attribute::XOR_MAPPED_ADDRESS | attribute::XOR_PEER_ADDRESS | attribute::XOR_RELAYED_ADDRESS => {
            XorSocketAddr::from_raw(&raw).ok()?.addr(transaction).to_string()
        }
        attribute::ERROR_CODE => {
            let error = ErrorCode::from_raw_ref(&raw).ok()?;
            format!("{} {}", error.code(), error.reason().escape_debug())
        }
        attribute::UNKNOWN_ATTRIBUTES => {
            let numbers = value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            let names: Vec<String> = numbers.map(|number| attribute_text(number.into())).collect();
            names.join(", ")
        }
        attribute::LIFETIME => format!("{} s", number(value)?),
        attribute::PRIORITY => number(value)?.to_string(),
        attribute::CHANGE_REQUEST => {
            change_text(ChangeRequest::from_bytes(value.try_into().ok()?)).to_owned()
        }
        attribute::CHANNEL_NUMBER => {
            format!("{:#06x}", u16::from_be_bytes([*value.first()?, *value.get(1)?]))
        }
        attribute::RESPONSE_PORT => u16::from_be_bytes([*value.first()?, *value.get(1)?]).to_string(),
        attribute::REQUESTED_TRANSPORT => match *value.first()? {
            17 => "UDP".to_owned(),
            6 => "TCP".to_owned(),
            other => other.to_string(),
        },
        attribute::REQUESTED_ADDRESS_FAMILY | attribute::ADDITIONAL_ADDRESS_FAMILY => match *value.first()? {
            1 => "IPv4".to_owned(),
            2 => "IPv6".to_owned(),
            _ => return None,
        },
        attribute::EVEN_PORT => {
            let reserve = value.first()? & 0x80 != 0;
            if reserve { "and reserve the next" } else { "without reserving the next" }.to_owned()
        }
        attribute::DATA | attribute::PADDING => bytes_text(value.len()),
        _ => return None,
    };
    Some(text)
}

fn number(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_be_bytes)
}

const fn change_text(change: ChangeRequest) -> &'static str {
    match (change.address, change.port) {
        (true, true) => "change address and port",
        (true, false) => "change address",
        (false, true) => "change port",
        (false, false) => "change nothing",
    }
}

fn hex_text(value: &[u8]) -> String {
    if value.is_empty() {
        return String::new();
    }
    let mut text = String::from("0x");
    for byte in value.iter().take(SHOWN_BYTES) {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    if value.len() > SHOWN_BYTES {
        let _ = write!(text, "… ({})", bytes_text(value.len()));
    }
    text
}
