//! The Port Control Protocol (RFC 6887).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use super::{Told, put_u16, put_u32, u16_at, u32_at};
use crate::plan::Protocol;
use crate::plan::behavior::words;

/// The version of every message here.
pub const VERSION: u8 = 2;

/// Which mapping of a host a message is about, and that it is the host that made it who speaks (§11.1).
pub type Nonce = [u8; 12];

const ANNOUNCE: u8 = 0;
const MAP: u8 = 1;
/// The bit of the opcode that makes a response.
const RESPONSE: u8 = 128;
/// The header, of requests and of responses (§7.1, §7.2).
const HEADER: usize = 24;
/// What follows it where the opcode is MAP (§11.1).
const MAP_DATA: usize = 36;
/// §7: the longest message, which is a multiple of 4 bytes.
const LONGEST: usize = 1_100;
/// Options below this number must be understood (§7.3).
const FIRST_OPTIONAL: u8 = 128;

words! {
    /// How a request went (§7.4), by the names the RFC has for it.
    ResultCode {
        /// 0.
        Success = "SUCCESS",
        /// 1: the server does not speak this version.
        UnsupportedVersion = "UNSUPP_VERSION",
        /// 2: not for this host, or the mapping is somebody else's.
        NotAuthorized = "NOT_AUTHORIZED",
        /// 3: it could not be read.
        MalformedRequest = "MALFORMED_REQUEST",
        /// 4: the server does not know what is asked.
        UnsupportedOpcode = "UNSUPP_OPCODE",
        /// 5: it has an option that must be understood, and is not.
        UnsupportedOption = "UNSUPP_OPTION",
        /// 6: an option could not be read.
        MalformedOption = "MALFORMED_OPTION",
        /// 7: the NAT has no external address itself.
        NetworkFailure = "NETWORK_FAILURE",
        /// 8: no port or no memory is left.
        NoResources = "NO_RESOURCES",
        /// 9: this protocol, or all ports at once, cannot be mapped.
        UnsupportedProtocol = "UNSUPP_PROTOCOL",
        /// 10: the host has all that it may have.
        UserExceededQuota = "USER_EX_QUOTA",
        /// 11: the external port that must be, cannot be.
        CannotProvideExternal = "CANNOT_PROVIDE_EXTERNAL",
        /// 12: the request comes from another address than it says.
        AddressMismatch = "ADDRESS_MISMATCH",
        /// 13: too many remotes are to be let through.
        ExcessiveRemotePeers = "EXCESSIVE_REMOTE_PEERS",
    }
}

impl ResultCode {
    /// The number it travels as.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The result with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// A request that can be read as far as its opcode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// For how many seconds; 0 ends a mapping.
    pub lifetime: u32,
    /// The address the client believes to send from.
    pub client: IpAddr,
    /// What is asked.
    pub asked: Asked,
}

/// What a request asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Whether the server still knows what it knew (§14.1).
    Announce,
    /// A mapping, or its end (§11).
    Map(Map),
    /// Something else; the opcode.
    Other(u8),
}

/// The part of a message that is about a mapping, in requests and in responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Map {
    /// The client's own number for it.
    pub nonce: Nonce,
    /// The number of the protocol: 17 is UDP, 6 is TCP, 0 is all.
    pub protocol: u8,
    /// The host's port; 0: all of them.
    pub internal_port: u16,
    /// The external port, wished for or given; 0: any.
    pub external_port: u16,
    /// The external address, wished for or given; unspecified: any.
    pub external: IpAddr,
}

/// What the NAT answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// How it went.
    pub result: ResultCode,
    /// For how many seconds this holds, an error too.
    pub lifetime: u32,
    /// Seconds since the server's table of mappings began (§8.5).
    pub epoch: u32,
    /// What it answers to.
    pub asked: Asked,
}

/// A datagram that is no request which can be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Not worth an answer: too short, or a response.
    Ignored,
    /// The client is told this; with its opcode.
    Refused(ResultCode, u8),
}

/// The number of a protocol in IP headers; `None`: not one that ports are mapped of.
pub const fn number_of(protocol: Protocol) -> Option<u8> {
    match protocol {
        Protocol::Udp => Some(17),
        Protocol::Tcp => Some(6),
        Protocol::Icmp => None,
    }
}

/// The protocol with this number in IP headers, of those ports are mapped of.
pub const fn protocol_of(number: u8) -> Option<Protocol> {
    match number {
        17 => Some(Protocol::Udp),
        6 => Some(Protocol::Tcp),
        _ => None,
    }
}

impl Request {
    /// The request in a datagram; `None` if it is none that a server would grant.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes).ok()
    }

    /// The request in a datagram, or what a server does about it instead (§8.3).
    ///
    /// # Errors
    ///
    /// It is too short, too long, a response, of another version, or has options that must be understood.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let [version, opcode, ..] = *bytes else { return Err(Unreadable::Ignored) };
        if opcode >= RESPONSE {
            return Err(Unreadable::Ignored);
        }
        let refused = |result| Unreadable::Refused(result, opcode);
        if version != VERSION {
            return Err(refused(ResultCode::UnsupportedVersion));
        }
        if bytes.len() > LONGEST || !bytes.len().is_multiple_of(4) {
            return Err(refused(ResultCode::MalformedRequest));
        }
        let malformed = || refused(ResultCode::MalformedRequest);
        let lifetime = u32_at(bytes, 4).ok_or_else(malformed)?;
        let client = address_at(bytes, 8).ok_or_else(malformed)?;
        let (asked, options) = match opcode {
            ANNOUNCE => (Asked::Announce, HEADER),
            MAP => (Asked::Map(Map::read(bytes).ok_or_else(malformed)?), HEADER + MAP_DATA),
            other => return Ok(Self { lifetime, client, asked: Asked::Other(other) }),
        };
        check_options(bytes, options).map_err(refused)?;
        Ok(Self { lifetime, client, asked })
    }

    /// As it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.asked.opcode(), 0, 0];
        put_u32(&mut bytes, self.lifetime);
        put_address(&mut bytes, self.client);
        self.asked.put(&mut bytes);
        bytes
    }
}

impl Response {
    /// The response in a datagram; `None` if it is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let [VERSION, opcode, _, result, ..] = *bytes else { return None };
        let opcode = opcode.checked_sub(RESPONSE)?;
        if bytes.len() < HEADER {
            return None;
        }
        let result = ResultCode::from_code(result)?;
        let asked = match opcode {
            ANNOUNCE => Asked::Announce,
            // A server that does not speak the version of a request cannot tell what it was about.
            MAP if bytes.len() == HEADER => Asked::Other(MAP),
            MAP => Asked::Map(Map::read(bytes)?),
            other => Asked::Other(other),
        };
        Some(Self { result, lifetime: u32_at(bytes, 4)?, epoch: u32_at(bytes, 8)?, asked })
    }

    /// As it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, RESPONSE | self.asked.opcode(), 0, self.result.code()];
        put_u32(&mut bytes, self.lifetime);
        put_u32(&mut bytes, self.epoch);
        bytes.extend_from_slice(&[0; 12]);
        self.asked.put(&mut bytes);
        bytes
    }
}

impl Asked {
    const fn opcode(&self) -> u8 {
        match self {
            Self::Announce => ANNOUNCE,
            Self::Map(_) => MAP,
            Self::Other(opcode) => *opcode,
        }
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        let Self::Map(map) = self else { return };
        bytes.extend_from_slice(&map.nonce);
        bytes.extend_from_slice(&[map.protocol, 0, 0, 0]);
        put_u16(bytes, map.internal_port);
        put_u16(bytes, map.external_port);
        put_address(bytes, map.external);
    }
}

impl Map {
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            nonce: bytes.get(HEADER..HEADER + 12)?.try_into().ok()?,
            protocol: *bytes.get(HEADER + 12)?,
            internal_port: u16_at(bytes, HEADER + 16)?,
            external_port: u16_at(bytes, HEADER + 18)?,
            external: address_at(bytes, HEADER + 20)?,
        })
    }

    fn told(&self, external: bool) -> String {
        let Some(protocol) = protocol_of(self.protocol) else {
            return format!("protocol {}", self.protocol);
        };
        let address = match self.external {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        };
        let external = external.then_some((address, self.external_port));
        Told { protocol, internal_port: self.internal_port, external }.to_string()
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.asked {
            Asked::Announce => f.write_str("PCP ANNOUNCE request"),
            Asked::Map(map) => {
                let end = if self.lifetime == 0 { " (delete)" } else { "" };
                write!(f, "PCP MAP request {}{end}", map.told(false))
            }
            Asked::Other(opcode) => write!(f, "PCP request, opcode {opcode}"),
        }
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.asked {
            Asked::Announce => "ANNOUNCE ",
            Asked::Map(_) => "MAP ",
            Asked::Other(_) => "",
        };
        write!(f, "PCP {name}")?;
        match (&self.asked, self.result) {
            (Asked::Map(map), ResultCode::Success) if self.lifetime > 0 => {
                write!(f, "success {} for {} s", map.told(true), self.lifetime)
            }
            (_, ResultCode::Success) => f.write_str("success"),
            (_, result) => write!(f, "error {result}"),
        }
    }
}

/// Every option from here on is whole, and there is none that must be understood: this server knows none (§7.3).
fn check_options(bytes: &[u8], mut at: usize) -> Result<(), ResultCode> {
    while at < bytes.len() {
        let code = bytes[at];
        let len = usize::from(u16_at(bytes, at + 2).ok_or(ResultCode::MalformedOption)?);
        let next = at + 4 + len.next_multiple_of(4);
        if next > bytes.len() {
            return Err(ResultCode::MalformedOption);
        }
        if code < FIRST_OPTIONAL {
            return Err(ResultCode::UnsupportedOption);
        }
        at = next;
    }
    Ok(())
}

/// An address in 16 bytes: of IPv4 one that is mapped into IPv6 (§5).
fn address_at(bytes: &[u8], at: usize) -> Option<IpAddr> {
    let octets: [u8; 16] = bytes.get(at..at + 16)?.try_into().ok()?;
    Some(IpAddr::from(octets).to_canonical())
}

fn put_address(bytes: &mut Vec<u8>, address: IpAddr) {
    let address = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    bytes.extend_from_slice(&address.octets());
}

/// No IPv4 address in particular (§5).
pub const ANY_IPV4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: Nonce = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    fn map(external_port: u16, external: IpAddr) -> Asked {
        Asked::Map(Map { nonce: NONCE, protocol: 17, internal_port: 0xC350, external_port, external })
    }

    fn request(lifetime: u32) -> Request {
        Request { lifetime, client: Ipv4Addr::new(10, 0, 0, 2).into(), asked: map(0, ANY_IPV4) }
    }

    fn mapped(address: [u8; 4]) -> [u8; 16] {
        let [a, b, c, d] = address;
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, a, b, c, d]
    }

    #[test]
    fn a_map_request_has_the_bytes_of_the_rfc() {
        let mut bytes = vec![2, 1, 0, 0, 0, 0, 0x1C, 0x20];
        bytes.extend(mapped([10, 0, 0, 2]));
        bytes.extend(NONCE);
        bytes.extend([17, 0, 0, 0, 0xC3, 0x50, 0, 0]);
        bytes.extend(mapped([0, 0, 0, 0]));

        assert_eq!(request(7_200).to_bytes(), bytes);
        assert_eq!(Request::read(&bytes), Ok(request(7_200)));
        assert_eq!(bytes.len(), 60);
    }

    #[test]
    fn a_map_response_has_the_bytes_of_the_rfc() {
        let external = Ipv4Addr::new(100, 64, 0, 9).into();
        let asked = map(0x1F90, external);
        let response = Response { result: ResultCode::Success, lifetime: 120, epoch: 0x0102_0304, asked };
        let mut bytes = vec![2, 129, 0, 0, 0, 0, 0, 120, 1, 2, 3, 4];
        bytes.extend([0; 12]);
        bytes.extend(NONCE);
        bytes.extend([17, 0, 0, 0, 0xC3, 0x50, 0x1F, 0x90]);
        bytes.extend(mapped([100, 64, 0, 9]));

        assert_eq!(response.to_bytes(), bytes);
        assert_eq!(Response::parse(&bytes), Some(response));
    }

    #[test]
    fn a_request_that_is_cut_off_is_refused_and_a_response_is_none() {
        let bytes = request(7_200).to_bytes();
        for len in 2..bytes.len() {
            let refused = Err(Unreadable::Refused(ResultCode::MalformedRequest, 1));
            assert_eq!(Request::read(&bytes[..len]), refused, "{len} bytes");
        }
        assert_eq!(Request::read(&bytes[..1]), Err(Unreadable::Ignored));
        let response =
            Response { result: ResultCode::Success, lifetime: 1, epoch: 1, asked: map(1, ANY_IPV4) };
        let bytes = response.to_bytes();
        for len in (0..bytes.len()).filter(|len| *len != HEADER) {
            assert_eq!(Response::parse(&bytes[..len]), None, "{len} bytes");
        }
    }

    #[test]
    fn another_version_is_answered_and_a_response_is_not() {
        let refused = Err(Unreadable::Refused(ResultCode::UnsupportedVersion, 0));
        assert_eq!(Request::read(&[0, 0]), refused);
        assert_eq!(Request::read(&[2, 129, 0, 0]), Err(Unreadable::Ignored));
    }

    #[test]
    fn options_are_skipped_if_they_may_be_and_refused_if_not() {
        let with = |option: &[u8]| {
            let mut bytes = request(7_200).to_bytes();
            bytes.extend_from_slice(option);
            Request::read(&bytes)
        };
        let refused = |result| Err(Unreadable::Refused(result, 1));

        assert_eq!(with(&[200, 0, 0, 3, 1, 2, 3, 0]), Ok(request(7_200)));
        // THIRD_PARTY.
        assert_eq!(with(&[1, 0, 0, 0]), refused(ResultCode::UnsupportedOption));
        assert_eq!(with(&[200, 0, 0, 9, 1, 2, 3, 4]), refused(ResultCode::MalformedOption));
    }

    #[test]
    fn messages_are_told_in_a_few_words() {
        let response = |result, lifetime| {
            let external = Ipv4Addr::new(203, 0, 113, 7).into();
            Response { result, lifetime, epoch: 0, asked: map(40_000, external) }.to_string()
        };

        assert_eq!(request(7_200).to_string(), "PCP MAP request udp 50000");
        assert_eq!(request(0).to_string(), "PCP MAP request udp 50000 (delete)");
        assert_eq!(
            response(ResultCode::Success, 7_200),
            "PCP MAP success udp 50000 at 203.0.113.7:40000 for 7200 s"
        );
        assert_eq!(response(ResultCode::NoResources, 30), "PCP MAP error NO_RESOURCES");
    }
}
