//! Multicast DNS (RFC 6762), as much of it as candidates need: a question for the address of one name, and its answer.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::base::Random;

/// The port of multicast DNS.
pub const PORT: u16 = 5_353;
/// Its IPv4 group.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// Its IPv6 group.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// The hop limit of all messages (§11).
pub const HOP_LIMIT: u8 = 255;

/// Response, and authoritative (§18).
const RESPONSE: u16 = 0x8400;
const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;
const CLASS_IN: u16 = 1;
/// In an answer: nobody else has records of this name (§10.2).
const CACHE_FLUSH: u16 = 0x8000;
/// How long an answer holds, in seconds (§10).
const TTL: u32 = 120;
const HEADER: usize = 12;
const MAX_LABEL: usize = 63;

/// A name that stands for an address on one link: `1f4712db-ea17-4bcf-a596-105139dfd8bf.local`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MdnsName(String);

/// A text that is no name of one label below `local`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an mDNS name: {0}")]
pub struct NotAName(String);

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MdnsMessage {
    /// Who has this name, and what is its address of this family?
    Question {
        /// The name.
        name: MdnsName,
        /// True: its IPv4 address, false: its IPv6 address.
        ipv4: bool,
    },
    /// This is the address of the name.
    Answer {
        /// The name.
        name: MdnsName,
        /// The address.
        address: IpAddr,
    },
}

/// The group that everybody of this family listens to.
pub const fn group(ipv4: bool) -> SocketAddr {
    let group = if ipv4 { IpAddr::V4(GROUP_V4) } else { IpAddr::V6(GROUP_V6) };
    SocketAddr::new(group, PORT)
}

impl MdnsName {
    /// A version 4 UUID below `local`, as draft-ietf-mmusic-mdns-ice-candidates §3.1.1 has it.
    pub fn random(random: &mut Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{}-{}-{}-{}-{}.local", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
    }

    fn label(&self) -> &str {
        self.0.strip_suffix(".local").unwrap_or(&self.0)
    }
}

impl fmt::Display for MdnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MdnsName {
    type Err = NotAName;

    /// One label of letters, digits and hyphens, and `.local`. Case does not matter.
    fn from_str(text: &str) -> Result<Self, NotAName> {
        let lower = text.to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=MAX_LABEL).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        match lower.strip_suffix(".local") {
            Some(label) if is_label(label) => Ok(Self(lower)),
            _ => Err(NotAName(text.to_owned())),
        }
    }
}

impl MdnsMessage {
    /// The message as it is sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (flags, questions, answers, name) = match self {
            Self::Question { name, .. } => (0, 1, 0, name),
            Self::Answer { name, .. } => (RESPONSE, 0, 1, name),
        };
        let mut bytes = Vec::new();
        for word in [0, flags, questions, answers, 0, 0] {
            put(&mut bytes, word);
        }
        for label in [name.label(), "local", ""] {
            // A label has 63 bytes at most.
            bytes.push(label.len() as u8);
            bytes.extend_from_slice(label.as_bytes());
        }
        match self {
            Self::Question { ipv4, .. } => {
                put(&mut bytes, if *ipv4 { TYPE_A } else { TYPE_AAAA });
                put(&mut bytes, CLASS_IN);
            }
            Self::Answer { address, .. } => {
                put(&mut bytes, if address.is_ipv4() { TYPE_A } else { TYPE_AAAA });
                put(&mut bytes, CLASS_IN | CACHE_FLUSH);
                bytes.extend_from_slice(&TTL.to_be_bytes());
                let octets = match address {
                    IpAddr::V4(address) => address.octets().to_vec(),
                    IpAddr::V6(address) => address.octets().to_vec(),
                };
                put(&mut bytes, octets.len() as u16);
                bytes.extend_from_slice(&octets);
            }
        }
        bytes
    }

    /// Reads what [`MdnsMessage::to_bytes`] writes; `None` for anything else.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.get(HEADER..)?;
        let word =
            |index: usize| Some(u16::from_be_bytes([*bytes.get(2 * index)?, *bytes.get(2 * index + 1)?]));
        let is_answer = word(1)? & 0x8000 != 0;
        if [word(2)?, word(3)?] != if is_answer { [0, 1] } else { [1, 0] } {
            return None;
        }
        let (host, local, root) = (label(&mut rest)?, label(&mut rest)?, label(&mut rest)?);
        if !root.is_empty() {
            return None;
        }
        let name = format!("{host}.{local}").parse().ok()?;
        let kind = u16::from_be_bytes(take(&mut rest)?);
        let _class: [u8; 2] = take(&mut rest)?;
        if !is_answer {
            return match kind {
                TYPE_A | TYPE_AAAA => Some(Self::Question { name, ipv4: kind == TYPE_A }),
                _ => None,
            };
        }
        let _ttl: [u8; 4] = take(&mut rest)?;
        let _len: [u8; 2] = take(&mut rest)?;
        let address = match kind {
            TYPE_A => IpAddr::from(take::<4>(&mut rest)?),
            TYPE_AAAA => IpAddr::from(take::<16>(&mut rest)?),
            _ => return None,
        };
        Some(Self::Answer { name, address })
    }
}

impl fmt::Display for MdnsMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Question { name, .. } => write!(f, "mDNS question: {name}"),
            Self::Answer { name, address } => write!(f, "mDNS answer: {name} is {address}"),
        }
    }
}

fn put(bytes: &mut Vec<u8>, word: u16) {
    bytes.extend_from_slice(&word.to_be_bytes());
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, others) = rest.split_first_chunk::<N>()?;
    *rest = others;
    Some(*first)
}

/// The next label, without the compression that a message of one name does not need.
fn label<'b>(rest: &mut &'b [u8]) -> Option<&'b str> {
    let [length] = take(rest)?;
    let length = usize::from(length);
    let (label, others) = rest.split_at_checked(length).filter(|_| length <= MAX_LABEL)?;
    *rest = others;
    std::str::from_utf8(label).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> MdnsName {
        MdnsName::random(&mut Random::stream(1, "alice", "mdns"))
    }

    #[test]
    fn names_are_uuids_of_version_4_below_local() {
        let text = name().to_string();
        let label = text.strip_suffix(".local").expect("below local");
        assert_eq!(label.len(), 36);
        assert_eq!(&label[14..15], "4");
        assert!(["8", "9", "a", "b"].contains(&&label[19..20]), "{label}");
        assert_eq!(text.parse(), Ok(name()));
    }

    #[test]
    fn what_is_not_one_label_below_local_is_no_name() {
        for text in [
            "",
            ".local",
            "x.example",
            "a.b.local",
            "x y.local",
            "x.local.",
            &format!("{}.local", "x".repeat(64)),
        ] {
            assert!(text.parse::<MdnsName>().is_err(), "{text}");
        }
        assert_eq!("X.Local".parse::<MdnsName>(), "x.local".parse());
    }

    #[test]
    fn messages_read_back_as_they_were_written() {
        for message in [
            MdnsMessage::Question { name: name(), ipv4: true },
            MdnsMessage::Question { name: name(), ipv4: false },
            MdnsMessage::Answer { name: name(), address: "10.0.1.2".parse().expect("an address") },
            MdnsMessage::Answer { name: name(), address: "2001:db8::2".parse().expect("an address") },
        ] {
            assert_eq!(MdnsMessage::parse(&message.to_bytes()), Some(message));
        }
    }

    #[test]
    fn a_question_has_the_bytes_of_rfc_1035() {
        let name = "ab.local".parse().expect("a name");
        let bytes = MdnsMessage::Question { name, ipv4: true }.to_bytes();
        assert_eq!(bytes[..12], [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&bytes[12..], b"\x02ab\x05local\x00\x00\x01\x00\x01");
    }

    #[test]
    fn every_cut_message_is_refused() {
        let answer = MdnsMessage::Answer { name: name(), address: "10.0.1.2".parse().expect("an address") };
        let bytes = answer.to_bytes();
        assert!((0..bytes.len()).all(|length| MdnsMessage::parse(&bytes[..length]).is_none()));
    }
}
