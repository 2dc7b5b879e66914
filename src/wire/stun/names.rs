//! The registered names of methods and attributes.

use stun_types::attribute::AttributeType;
use stun_types::message::Method;

macro_rules! attributes {
    ($($(#[$doc:meta])* $constant:ident = $number:literal $name:literal),+ $(,)?) => {
        /// Attribute types of RFC 8489, RFC 8656, RFC 5780 and RFC 8445.
        pub mod attribute {
            use stun_types::attribute::AttributeType;
            $(#[doc = $name] pub const $constant: AttributeType = AttributeType::new($number);)+
        }

        /// The attribute's registered name; `None` if it is not known here.
        pub const fn attribute_name(attribute: u16) -> Option<&'static str> {
            match attribute { $($number => Some($name),)+ _ => None }
        }
    };
}

attributes! {
    MAPPED_ADDRESS = 0x0001 "MAPPED-ADDRESS",
    CHANGE_REQUEST = 0x0003 "CHANGE-REQUEST",
    USERNAME = 0x0006 "USERNAME",
    MESSAGE_INTEGRITY = 0x0008 "MESSAGE-INTEGRITY",
    ERROR_CODE = 0x0009 "ERROR-CODE",
    UNKNOWN_ATTRIBUTES = 0x000A "UNKNOWN-ATTRIBUTES",
    CHANNEL_NUMBER = 0x000C "CHANNEL-NUMBER",
    LIFETIME = 0x000D "LIFETIME",
    XOR_PEER_ADDRESS = 0x0012 "XOR-PEER-ADDRESS",
    DATA = 0x0013 "DATA",
    REALM = 0x0014 "REALM",
    NONCE = 0x0015 "NONCE",
    XOR_RELAYED_ADDRESS = 0x0016 "XOR-RELAYED-ADDRESS",
    REQUESTED_ADDRESS_FAMILY = 0x0017 "REQUESTED-ADDRESS-FAMILY",
    EVEN_PORT = 0x0018 "EVEN-PORT",
    REQUESTED_TRANSPORT = 0x0019 "REQUESTED-TRANSPORT",
    DONT_FRAGMENT = 0x001A "DONT-FRAGMENT",
    MESSAGE_INTEGRITY_SHA256 = 0x001C "MESSAGE-INTEGRITY-SHA256",
    PASSWORD_ALGORITHM = 0x001D "PASSWORD-ALGORITHM",
    USERHASH = 0x001E "USERHASH",
    XOR_MAPPED_ADDRESS = 0x0020 "XOR-MAPPED-ADDRESS",
    RESERVATION_TOKEN = 0x0022 "RESERVATION-TOKEN",
    PRIORITY = 0x0024 "PRIORITY",
    USE_CANDIDATE = 0x0025 "USE-CANDIDATE",
    PADDING = 0x0026 "PADDING",
    RESPONSE_PORT = 0x0027 "RESPONSE-PORT",
    ADDITIONAL_ADDRESS_FAMILY = 0x8000 "ADDITIONAL-ADDRESS-FAMILY",
    ADDRESS_ERROR_CODE = 0x8001 "ADDRESS-ERROR-CODE",
    PASSWORD_ALGORITHMS = 0x8002 "PASSWORD-ALGORITHMS",
    ALTERNATE_DOMAIN = 0x8003 "ALTERNATE-DOMAIN",
    ICMP = 0x8004 "ICMP",
    SOFTWARE = 0x8022 "SOFTWARE",
    ALTERNATE_SERVER = 0x8023 "ALTERNATE-SERVER",
    FINGERPRINT = 0x8028 "FINGERPRINT",
    ICE_CONTROLLED = 0x8029 "ICE-CONTROLLED",
    ICE_CONTROLLING = 0x802A "ICE-CONTROLLING",
    RESPONSE_ORIGIN = 0x802B "RESPONSE-ORIGIN",
    OTHER_ADDRESS = 0x802C "OTHER-ADDRESS",
}

/// The attribute's name, or its number.
pub(super) fn attribute_text(attribute: AttributeType) -> String {
    let number = attribute.value();
    attribute_name(number).map_or_else(|| format!("{number:#06x}"), str::to_owned)
}

/// The method's name; `None` if it is not known here.
pub const fn method_name(method: u16) -> Option<&'static str> {
    Some(match method {
        0x001 => "Binding",
        0x003 => "Allocate",
        0x004 => "Refresh",
        0x006 => "Send",
        0x007 => "Data",
        0x008 => "CreatePermission",
        0x009 => "ChannelBind",
        0x00A => "Connect",
        0x00B => "ConnectionBind",
        0x00C => "ConnectionAttempt",
        _ => return None,
    })
}

/// The method's name, or its number.
pub(super) fn method_text(method: Method) -> String {
    let number = method.value();
    method_name(number).map_or_else(|| format!("Method {number:#05x}"), str::to_owned)
}
