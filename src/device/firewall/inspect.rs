//! Looking inside: connections to a port that promises TLS must begin with it.
//!
//! Judged is what the client says first, by its first six bytes; the server may say what it wants. A segment that comes
//! out of order passes, and is judged when what was missing comes; so does a beginning of fewer bytes. A connection whose
//! SYN the firewall did not see is not judged. What has begun with TLS is never looked into again: TURN over TLS and a
//! browser look alike.

use std::net::SocketAddr;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::wire::stun::{self, Kind};
use crate::wire::{Flow, TcpSegment};

/// Bytes that tell TLS from everything else: a record's header, and the type of the message in it.
const TELLING: usize = 6;

/// The beginnings of connections, by their flow outwards.
#[derive(Debug, Default)]
pub(super) struct Inspection {
    looks: FxHashMap<Flow, Look>,
}

/// What is known of a connection.
#[derive(Debug)]
enum Look {
    /// What its client has said so far, from this sequence number on.
    Begins { first: u32, said: SmallVec<[u8; TELLING]> },
    /// It speaks TLS.
    Tls,
    /// It does not, for the reason in the text, and nothing of it passes any more.
    Refused(String),
}

impl Inspection {
    /// Nothing is known of any connection any more.
    pub(super) fn clear(&mut self) {
        self.looks.clear();
    }

    /// How many connections are known.
    pub(super) fn len(&self) -> usize {
        self.looks.len()
    }

    /// Forgets all connections but those that `is_known` still knows.
    pub(super) fn retain(&mut self, is_known: impl Fn(SocketAddr, SocketAddr) -> bool) {
        self.looks.retain(|flow, _| is_known(flow.source, flow.destination));
    }

    /// A client's SYN passes: its connection begins.
    pub(super) fn begin(&mut self, flow: Flow, syn: &TcpSegment) {
        let first = syn.sequence.wrapping_add(1);
        self.looks.insert(flow, Look::Begins { first, said: SmallVec::new() });
    }

    /// Looks at a segment of the client. Why it may not pass, if it may not.
    pub(super) fn outbound(&mut self, flow: Flow, segment: &TcpSegment) -> Option<&str> {
        let look = self.looks.get_mut(&flow)?;
        look.take(flow.destination.port(), segment);
        look.refusal()
    }

    /// Why a segment of the server may not pass, if it may not. `flow` goes outwards.
    pub(super) fn inbound(&self, flow: Flow) -> Option<&str> {
        self.looks.get(&flow)?.refusal()
    }
}

impl Look {
    fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refused(text) => Some(text),
            Self::Begins { .. } | Self::Tls => None,
        }
    }

    /// Takes what is new of a segment, and judges as soon as there is enough to judge by.
    fn take(&mut self, port: u16, segment: &TcpSegment) {
        let Self::Begins { first, said } = self else { return };
        let at = segment.sequence.wrapping_sub(*first) as usize;
        let Some(known) = said.len().checked_sub(at) else { return };
        said.extend(segment.payload.iter().skip(known).take(TELLING - said.len()).copied());
        if said.len() < TELLING {
            return;
        }
        *self = if is_client_hello(said) {
            Self::Tls
        } else {
            Self::Refused(format!(
                "{port}/tcp must begin with a TLS handshake; this begins with {}",
                name(said)
            ))
        };
    }
}

/// True for the first bytes of a record that begins with a ClientHello (RFC 8446 §4, §5.1), whatever the version.
fn is_client_hello(said: &[u8]) -> bool {
    let &[content, major, minor, high, low, message] = said else { return false };
    let length = u16::from_be_bytes([high, low]);
    content == 22 && major == 3 && minor <= 4 && (4..=16_640).contains(&length) && message == 1
}

/// What these bytes are the first of.
fn name(said: &[u8]) -> &'static str {
    const METHODS: [&[u8]; 5] = [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"CONNEC"];
    // What of STUN's magic cookie is among them.
    const COOKIE: [u8; 2] = [0x21, 0x12];
    // RFC 4571: two bytes of length before each message, as ICE has it on TCP.
    let framed = said.get(2..).unwrap_or_default();
    if stun::classify(said) == Kind::Stun && said.ends_with(&COOKIE) {
        "a STUN message"
    } else if said.starts_with(&[0]) && stun::classify(framed) == Kind::Stun {
        "a STUN message in a frame (RFC 4571)"
    } else if METHODS.iter().any(|method| said.starts_with(method)) {
        "an HTTP request"
    } else if said.starts_with(b"SSH-") {
        "SSH"
    } else if matches!(said, [20..=23, 3, ..]) {
        "another TLS record"
    } else {
        "something else"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_client_hello_is_called_by_its_name() {
        let seen: [(&[u8; TELLING], _); 8] = [
            (&[0, 3, 0, 0x24, 0x21, 0x12], "a STUN message"),
            (&[0, 0x6c, 0, 1, 0, 0x58], "a STUN message in a frame (RFC 4571)"),
            (b"GET / ", "an HTTP request"),
            (b"CONNEC", "an HTTP request"),
            (b"SSH-2.", "SSH"),
            (&[23, 3, 3, 0, 40, 9], "another TLS record"),
            (&[22, 3, 3, 0, 122, 2], "another TLS record"),
            (&[0x80; 6], "something else"),
        ];
        for (bytes, expected) in seen {
            assert!(!is_client_hello(bytes), "{expected}");
            assert_eq!(name(bytes), expected);
        }
    }

    #[test]
    fn a_client_hello_is_one_in_every_version_of_tls() {
        for minor in 0..=4 {
            assert!(is_client_hello(&[22, 3, minor, 2, 0, 1]));
        }
        for bytes in [[22, 3, 5, 2, 0, 1], [22, 2, 0, 2, 0, 1], [22, 3, 1, 0, 3, 1], [22, 3, 1, 0x41, 1, 1]] {
            assert!(!is_client_hello(&bytes), "{bytes:?}");
        }
    }
}
