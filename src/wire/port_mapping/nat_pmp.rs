//! NAT-PMP (RFC 6886), version 0 of the protocol that PCP is version 2 of.

use std::fmt;
use std::net::Ipv4Addr;

use super::{Told, put_u16, put_u32, u16_at, u32_at};
use crate::plan::Protocol;
use crate::plan::behavior::words;

/// The version of every NAT-PMP message.
pub const VERSION: u8 = 0;

const EXTERNAL_ADDRESS: u8 = 0;
const MAP_UDP: u8 = 1;
const MAP_TCP: u8 = 2;
/// The bit of the opcode that makes a response.
const RESPONSE: u8 = 128;

words! {
    /// How a request went (RFC 6886 §3.5).
    ResultCode {
        /// 0.
        Success = "success",
        /// 1: the server does not speak this version.
        UnsupportedVersion = "unsupported version",
        /// 2: it is switched off, or not for this host.
        NotAuthorized = "not authorized",
        /// 3: the NAT has no external address itself.
        NetworkFailure = "network failure",
        /// 4: no port or no memory is left.
        OutOfResources = "out of resources",
        /// 5: the server does not know what is asked.
        UnsupportedOpcode = "unsupported opcode",
    }
}

impl ResultCode {
    /// The number it travels as.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The result with this number.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

/// What a host asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// What the NAT's external address is (§3.2).
    ExternalAddress,
    /// A mapping of one of the host's ports (§3.3), or its end (§3.4).
    Map(Map),
}

/// The mapping a host asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Map {
    /// UDP or TCP.
    pub protocol: Protocol,
    /// The host's port; 0 with a lifetime of 0: all of its ports.
    pub internal_port: u16,
    /// The external port it would like; 0: any.
    pub suggested_port: u16,
    /// For how many seconds; 0 ends the mapping.
    pub lifetime: u32,
}

/// What the NAT answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response {
    /// How it went.
    pub result: ResultCode,
    /// Seconds since the NAT's table of mappings began (§3.6).
    pub epoch: u32,
    /// What it answers to, and what it tells.
    pub answer: Answer,
}

/// What a response tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The NAT's external address, unspecified if there is an error.
    ExternalAddress(Ipv4Addr),
    /// A mapping; port and lifetime are 0 where there is none.
    Mapped {
        /// UDP or TCP.
        protocol: Protocol,
        /// The host's port.
        internal_port: u16,
        /// The external port it has.
        external_port: u16,
        /// For how many seconds.
        lifetime: u32,
    },
    /// Only that the request was not understood; its opcode.
    NotUnderstood(u8),
}

impl Request {
    /// The request in a datagram, padding behind it left out; `None` if it is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [VERSION, EXTERNAL_ADDRESS, ..] => Some(Self::ExternalAddress),
            [VERSION, opcode @ (MAP_UDP | MAP_TCP), ..] => Some(Self::Map(Map {
                protocol: protocol_of(opcode),
                internal_port: u16_at(bytes, 4)?,
                suggested_port: u16_at(bytes, 6)?,
                lifetime: u32_at(bytes, 8)?,
            })),
            _ => None,
        }
    }

    /// As it travels.
    pub fn to_bytes(self) -> Vec<u8> {
        let Self::Map(map) = self else { return vec![VERSION, EXTERNAL_ADDRESS] };
        let mut bytes = vec![VERSION, opcode_of(map.protocol), 0, 0];
        put_u16(&mut bytes, map.internal_port);
        put_u16(&mut bytes, map.suggested_port);
        put_u32(&mut bytes, map.lifetime);
        bytes
    }
}

impl Response {
    /// The response in a datagram; `None` if it is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let [VERSION, opcode, ..] = *bytes else { return None };
        let opcode = opcode.checked_sub(RESPONSE)?;
        let result = ResultCode::from_code(u16_at(bytes, 2)?)?;
        let epoch = u32_at(bytes, 4)?;
        let is_error = result != ResultCode::Success;
        let answer = match opcode {
            EXTERNAL_ADDRESS if bytes.len() >= 12 => {
                Answer::ExternalAddress(Ipv4Addr::from_bits(u32_at(bytes, 8)?))
            }
            MAP_UDP | MAP_TCP if bytes.len() >= 16 => Answer::Mapped {
                protocol: protocol_of(opcode),
                internal_port: u16_at(bytes, 8)?,
                external_port: u16_at(bytes, 10)?,
                lifetime: u32_at(bytes, 12)?,
            },
            _ if is_error => Answer::NotUnderstood(opcode),
            _ => return None,
        };
        Some(Self { result, epoch, answer })
    }

    /// As it travels.
    pub fn to_bytes(self) -> Vec<u8> {
        let opcode = match self.answer {
            Answer::ExternalAddress(_) => EXTERNAL_ADDRESS,
            Answer::Mapped { protocol, .. } => opcode_of(protocol),
            Answer::NotUnderstood(opcode) => opcode,
        };
        let mut bytes = vec![VERSION, RESPONSE | opcode];
        put_u16(&mut bytes, self.result.code());
        put_u32(&mut bytes, self.epoch);
        match self.answer {
            Answer::ExternalAddress(address) => bytes.extend_from_slice(&address.octets()),
            Answer::Mapped { internal_port, external_port, lifetime, .. } => {
                put_u16(&mut bytes, internal_port);
                put_u16(&mut bytes, external_port);
                put_u32(&mut bytes, lifetime);
            }
            Answer::NotUnderstood(_) => {}
        }
        bytes
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ExternalAddress => f.write_str("NAT-PMP external address request"),
            Self::Map(Map { protocol, internal_port, lifetime, .. }) => {
                let what = if lifetime == 0 { "unmap" } else { "map" };
                write!(f, "NAT-PMP {what} {}", Told { protocol, internal_port, external: None })
            }
        }
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NAT-PMP ")?;
        if self.result != ResultCode::Success {
            return f.write_str(self.result.word());
        }
        match self.answer {
            Answer::ExternalAddress(address) => write!(f, "external address {address}"),
            Answer::Mapped { protocol, internal_port, lifetime: 0, .. } => {
                write!(f, "unmapped {}", Told { protocol, internal_port, external: None })
            }
            Answer::Mapped { protocol, internal_port, external_port, lifetime } => {
                let told = Told { protocol, internal_port, external: Some((None, external_port)) };
                write!(f, "mapped {told} for {lifetime} s")
            }
            Answer::NotUnderstood(opcode) => write!(f, "response to opcode {opcode}"),
        }
    }
}

/// The protocol that is mapped by this opcode.
const fn protocol_of(opcode: u8) -> Protocol {
    if opcode == MAP_TCP { Protocol::Tcp } else { Protocol::Udp }
}

const fn opcode_of(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => MAP_TCP,
        Protocol::Udp | Protocol::Icmp => MAP_UDP,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lifetime: u32) -> Request {
        let (internal_port, suggested_port) = (0xC350, 0x1F90);
        Request::Map(Map { protocol: Protocol::Udp, internal_port, suggested_port, lifetime })
    }

    #[test]
    fn requests_have_the_bytes_of_the_rfc() {
        let tcp = Request::Map(Map {
            protocol: Protocol::Tcp,
            internal_port: 80,
            suggested_port: 0,
            lifetime: 7_200,
        });
        let cases: [(Request, &[u8]); 3] = [
            (Request::ExternalAddress, &[0, 0]),
            (map(7_200), &[0, 1, 0, 0, 0xC3, 0x50, 0x1F, 0x90, 0, 0, 0x1C, 0x20]),
            (tcp, &[0, 2, 0, 0, 0, 80, 0, 0, 0, 0, 0x1C, 0x20]),
        ];
        for (request, bytes) in cases {
            assert_eq!(request.to_bytes(), bytes);
            assert_eq!(Request::parse(bytes), Some(request));
        }
    }

    #[test]
    fn responses_have_the_bytes_of_the_rfc() {
        let told = Answer::ExternalAddress(Ipv4Addr::new(203, 0, 113, 7));
        let mapped = Answer::Mapped {
            protocol: Protocol::Udp,
            internal_port: 0xC350,
            external_port: 0x1F90,
            lifetime: 7_200,
        };
        let epoch = 0x0102_0304;
        let cases: [(ResultCode, Answer, &[u8]); 3] = [
            (ResultCode::Success, told, &[0, 128, 0, 0, 1, 2, 3, 4, 203, 0, 113, 7]),
            (
                ResultCode::Success,
                mapped,
                &[0, 129, 0, 0, 1, 2, 3, 4, 0xC3, 0x50, 0x1F, 0x90, 0, 0, 0x1C, 0x20],
            ),
            // Erratum 3618: the opcode of this one is 128.
            (ResultCode::UnsupportedVersion, Answer::NotUnderstood(0), &[0, 128, 0, 1, 1, 2, 3, 4]),
        ];
        for (result, answer, bytes) in cases {
            let response = Response { result, epoch, answer };
            assert_eq!(response.to_bytes(), bytes);
            assert_eq!(Response::parse(bytes), Some(response));
        }
    }

    #[test]
    fn a_message_that_is_cut_off_is_none() {
        let request = map(7_200).to_bytes();
        for len in 0..request.len() {
            assert_eq!(Request::parse(&request[..len]), None, "{len} bytes");
        }
        let answer = Answer::ExternalAddress(Ipv4Addr::LOCALHOST);
        let response = Response { result: ResultCode::Success, epoch: 1, answer }.to_bytes();
        for len in 0..response.len() {
            assert_eq!(Response::parse(&response[..len]), None, "{len} bytes");
        }
    }

    #[test]
    fn messages_are_told_in_a_few_words() {
        let mapped = Answer::Mapped {
            protocol: Protocol::Udp,
            internal_port: 50_000,
            external_port: 40_000,
            lifetime: 7_200,
        };
        let response = |result, answer| Response { result, epoch: 1, answer }.to_string();

        assert_eq!(map(7_200).to_string(), "NAT-PMP map udp 50000");
        assert_eq!(map(0).to_string(), "NAT-PMP unmap udp 50000");
        assert_eq!(
            response(ResultCode::Success, mapped),
            "NAT-PMP mapped udp 50000 at port 40000 for 7200 s"
        );
        assert_eq!(response(ResultCode::OutOfResources, mapped), "NAT-PMP out of resources");
    }
}
