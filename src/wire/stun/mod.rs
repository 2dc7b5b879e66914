//! STUN (RFC 8489), TURN (RFC 8656) and behaviour discovery (RFC 5780) messages, on the crates `stun-types` and
//! `turn-types`: a builder, a typed reader, ChannelData framing, and a view in words for reports.
//!
//! Nothing here draws random numbers: transaction ids come from the caller.

mod build;
mod describe;
mod names;
mod read;

use std::ops::RangeInclusive;

use stun_types::message::{IntegrityAlgorithm, IntegrityKey, LongTermKeyCredentials, ShortTermCredentials};
use turn_types::channel;

use crate::base::Random;

pub use build::Builder;
pub use describe::{AttributeText, Described, describe};
pub use names::{attribute, attribute_name, method_name};
pub use read::{ChangeRequest, Malformed, Message, Read};
pub use stun_types::attribute::AttributeType;
pub use stun_types::message::{MessageClass as Class, Method, TransactionId};
pub use turn_types::AddressFamily;

/// The methods of STUN and TURN.
pub mod method {
    pub use stun_types::message::BINDING;
    pub use turn_types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, DATA, REFRESH, SEND};
}

/// The error codes of STUN and TURN that are used here (RFC 8489 §14.8, RFC 8656 §19).
pub mod error_code {
    /// The request makes no sense as it is.
    pub const BAD_REQUEST: u16 = 400;
    /// There are no credentials, or wrong ones.
    pub const UNAUTHORIZED: u16 = 401;
    /// The request is valid, but not allowed.
    pub const FORBIDDEN: u16 = 403;
    /// It holds an attribute that must be understood and is not.
    pub const UNKNOWN_ATTRIBUTE: u16 = 420;
    /// The 5-tuple has no allocation where one is needed, or has one where none may be.
    pub const ALLOCATION_MISMATCH: u16 = 437;
    /// The nonce is no longer good.
    pub const STALE_NONCE: u16 = 438;
    /// The server has no address of this family.
    pub const ADDRESS_FAMILY_NOT_SUPPORTED: u16 = 440;
    /// The allocation belongs to another user.
    pub const WRONG_CREDENTIALS: u16 = 441;
    /// The server does not relay this transport.
    pub const UNSUPPORTED_TRANSPORT_PROTOCOL: u16 = 442;
    /// The peer's family is not the allocation's.
    pub const PEER_ADDRESS_FAMILY_MISMATCH: u16 = 443;
    /// The user holds as many allocations as allowed.
    pub const ALLOCATION_QUOTA_REACHED: u16 = 486;
    /// The server has nothing left to give.
    pub const INSUFFICIENT_CAPACITY: u16 = 508;
}

/// REQUESTED-TRANSPORT's number for UDP.
pub const TRANSPORT_UDP: u8 = 17;

/// The channel numbers a client may bind (RFC 8656 §12).
pub const CHANNELS: RangeInclusive<u16> = 0x4000..=0x4FFF;

/// The largest payload a UDP datagram carries over IPv4, in bytes.
pub const MAX_DATAGRAM: usize = 65_507;

/// The longest STUN message in a stream, in bytes: a header, and the most that it can tell the length of.
pub const MAX_IN_STREAM: usize = 20 + 65_532;

/// What a datagram carries, told by its first byte (RFC 7983 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A STUN or TURN message.
    Stun,
    /// A TURN ChannelData message.
    Channel,
    /// Anything else.
    Data,
}

/// What `payload` carries, by its first byte alone.
pub fn classify(payload: &[u8]) -> Kind {
    match payload.first() {
        Some(0..=3) => Kind::Stun,
        Some(64..=79) => Kind::Channel,
        _ => Kind::Data,
    }
}

/// Twelve bytes of `random` as a transaction id.
pub fn transaction_id(random: &mut Random) -> TransactionId {
    let mut bytes = [0; 16];
    random.fill(&mut bytes[4..]);
    u128::from_be_bytes(bytes).into()
}

/// A transaction id as it stands in the message.
pub fn transaction_bytes(transaction: TransactionId) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes.copy_from_slice(&u128::from(transaction).to_be_bytes()[4..]);
    bytes
}

/// A key for MESSAGE-INTEGRITY. Making one costs a hash, using it does not: keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(IntegrityKey);

impl Key {
    /// The key of long-term credentials (RFC 8489 §9.2.2). Names and passwords are taken as they are, without the
    /// OpaqueString profile: scenarios are written in one spelling.
    pub fn long_term(username: &str, realm: &str, password: &str) -> Self {
        let credentials = LongTermKeyCredentials::new(username.into(), password.into(), realm.into());
        Self(credentials.make_key(IntegrityAlgorithm::Sha1))
    }

    /// The key of short-term credentials (RFC 8489 §9.1.1), as ICE uses them.
    pub fn short_term(password: &str) -> Self {
        Self(ShortTermCredentials::new(password.into()).make_key())
    }
}

/// Reads a ChannelData message: its channel number and data. `None` if the header is cut off, the number is not one
/// of [`CHANNELS`], or there are fewer bytes than it promises. Bytes after the data are padding.
pub fn parse_channel_data(payload: &[u8]) -> Option<(u16, &[u8])> {
    let (number, length) = channel::ChannelData::parse_header(payload).ok()?;
    if !CHANNELS.contains(&number) {
        return None;
    }
    Some((number, payload.get(4..4 + length)?))
}

/// Writes a ChannelData message; `None` if no datagram could carry it.
pub fn channel_data(number: u16, data: &[u8]) -> Option<Vec<u8>> {
    channel_data_up_to(MAX_DATAGRAM, number, data)
}

/// Writes a ChannelData message, without padding; `None` if it would be longer than `most` bytes, or than its own length
/// can tell.
pub fn channel_data_up_to(most: usize, number: u16, data: &[u8]) -> Option<Vec<u8>> {
    if data.len() + 4 > most || u16::try_from(data.len()).is_err() {
        return None;
    }
    let mut bytes = vec![0; 4 + data.len()];
    channel::ChannelData::new(number, data).write_into_unchecked(&mut bytes);
    Some(bytes)
}

#[cfg(test)]
mod tests;
