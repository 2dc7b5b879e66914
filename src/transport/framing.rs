//! Messages in a byte stream: where one ends and the next begins.

use bytes::{Bytes, BytesMut};

use super::Piece;
use crate::wire::stun::{self, Kind};

/// What tells the messages of a stream apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// STUN and ChannelData messages one after the other, each with its length in its header; ChannelData is padded to a
    /// multiple of 4 bytes (RFC 8489 §6.2.2, RFC 8656 §12.5).
    Stun,
    /// Two bytes of length before each message (RFC 4571), as ICE-TCP has it (RFC 6544).
    Length,
}

/// Bytes that begin no message. Nothing after them can be read, so the stream is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message in a stream begins with the byte {0:#04x}, which begins neither STUN nor ChannelData")]
pub struct Malformed(pub u8);

/// The messages of one direction of a stream.
#[derive(Debug)]
pub struct Messages {
    framing: Framing,
    waiting: BytesMut,
    last: Piece,
}

/// Where a message is in the bytes that begin with it.
struct Extent {
    /// Bytes before the message, which are not part of it.
    prefix: usize,
    message: usize,
    padding: usize,
}

impl Framing {
    /// A message as it stands in the stream; `None` if it is too long for that.
    pub fn frame(self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Stun => Some([message, &[0; 3][..padding_of(message)]].concat()),
            Self::Length => {
                let length = u16::try_from(message.len()).ok()?;
                Some([&length.to_be_bytes()[..], message].concat())
            }
        }
    }

    /// How many bytes of the stream a message takes.
    pub fn framed_len(self, message: &[u8]) -> usize {
        match self {
            Self::Stun => message.len() + padding_of(message),
            Self::Length => 2 + message.len(),
        }
    }

    /// `None` while too little has come to tell.
    fn extent(self, bytes: &[u8]) -> Result<Option<Extent>, Malformed> {
        let length_at = |at: usize| match bytes.get(at..at + 2) {
            Some(&[high, low]) => Some(usize::from(u16::from_be_bytes([high, low]))),
            _ => None,
        };
        let Some(first) = bytes.first() else { return Ok(None) };
        Ok(match self {
            Self::Length => length_at(0).map(|message| Extent { prefix: 2, message, padding: 0 }),
            Self::Stun => match stun::classify(bytes) {
                Kind::Stun => {
                    length_at(2).map(|body| Extent { prefix: 0, message: STUN_HEADER + body, padding: 0 })
                }
                Kind::Channel => length_at(2).map(|data| {
                    let message = CHANNEL_HEADER + data;
                    Extent { prefix: 0, message, padding: padding(message) }
                }),
                Kind::Data => return Err(Malformed(*first)),
            },
        })
    }
}

const STUN_HEADER: usize = 20;
const CHANNEL_HEADER: usize = 4;

fn padding_of(message: &[u8]) -> usize {
    match stun::classify(message) {
        Kind::Channel => padding(message.len()),
        Kind::Stun | Kind::Data => 0,
    }
}

const fn padding(len: usize) -> usize {
    len.next_multiple_of(4) - len
}

impl Messages {
    /// No bytes yet.
    pub fn new(framing: Framing) -> Self {
        Self { framing, waiting: BytesMut::new(), last: Piece::default() }
    }

    /// Takes bytes that came. Read all messages before giving it more: a message's trail is that of the last piece.
    pub fn push(&mut self, piece: &Piece) {
        self.waiting.extend_from_slice(&piece.bytes);
        self.last = piece.with(Bytes::new());
    }

    /// The next message that is whole, without padding or length before it, and with the trail of its last byte.
    ///
    /// # Errors
    ///
    /// If what comes next is no message at all.
    pub fn poll(&mut self) -> Result<Option<Piece>, Malformed> {
        loop {
            let Some(extent) = self.framing.extent(&self.waiting)? else { return Ok(None) };
            let Extent { prefix, message, padding } = extent;
            if self.waiting.len() < prefix + message + padding {
                return Ok(None);
            }
            let whole = self.waiting.split_to(prefix + message + padding).freeze();
            // RFC 4571 allows a length of 0, which is no message.
            if message > 0 {
                return Ok(Some(self.last.with(whole.slice(prefix..prefix + message))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::PacketId;
    use crate::wire::Trail;

    fn stun_message(body: usize) -> Vec<u8> {
        let mut message = vec![0; STUN_HEADER + body];
        message[1] = 1;
        message[2..4].copy_from_slice(&(body as u16).to_be_bytes());
        message
    }

    fn channel_message(len: usize) -> Vec<u8> {
        stun::channel_data(0x4001, &vec![9; len]).expect("short enough")
    }

    /// All messages that come out when `stream` arrives in these parts.
    fn read(framing: Framing, parts: &[&[u8]]) -> Result<Vec<Vec<u8>>, Malformed> {
        let mut messages = Messages::new(framing);
        let mut read = Vec::new();
        for part in parts {
            messages.push(&Piece { bytes: Bytes::copy_from_slice(part), ..Piece::default() });
            while let Some(message) = messages.poll()? {
                read.push(message.bytes.to_vec());
            }
        }
        Ok(read)
    }

    #[test]
    fn messages_come_out_whole_wherever_the_stream_is_cut() {
        let messages = [stun_message(8), channel_message(5), stun_message(0), channel_message(0), vec![3; 1]];
        for (framing, messages) in [(Framing::Stun, &messages[..4]), (Framing::Length, &messages[..])] {
            let frames = messages.iter().map(|message| framing.frame(message).expect("short enough"));
            let stream = frames.collect::<Vec<_>>().concat();
            for at in 0..=stream.len() {
                let (before, after) = stream.split_at(at);
                assert_eq!(read(framing, &[before, after]).as_deref(), Ok(messages), "cut at {at}");
            }
            let bytes: Vec<_> = stream.chunks(1).collect();
            assert_eq!(read(framing, &bytes).as_deref(), Ok(messages));
            assert_eq!(read(framing, &[&stream]).as_deref(), Ok(messages));
        }
    }

    #[test]
    fn channel_data_is_padded_and_stun_never_needs_it() {
        let len = |message: &[u8]| Framing::Stun.frame(message).map(|frame| frame.len());
        assert_eq!([1, 2, 3, 4, 5].map(|data| len(&channel_message(data))), [8, 8, 8, 8, 12].map(Some));
        assert_eq!(len(&stun_message(12)), Some(32));
        for message in [stun_message(12), channel_message(5)] {
            for framing in [Framing::Stun, Framing::Length] {
                let frame = framing.frame(&message).expect("short enough");
                assert_eq!(framing.framed_len(&message), frame.len());
            }
        }
    }

    #[test]
    fn a_message_has_the_trail_of_its_last_byte() {
        let message = stun_message(4);
        let mut messages = Messages::new(Framing::Stun);
        let piece = |bytes: &[u8], number: u8| Piece {
            bytes: Bytes::copy_from_slice(bytes),
            message: None,
            trail: Trail { source_rewrites: number, ..Trail::default() },
            cause: PacketId::new(u64::from(number)),
        };

        messages.push(&piece(&message[..10], 1));
        assert_eq!(messages.poll(), Ok(None));
        messages.push(&piece(&message[10..], 2));

        assert_eq!(messages.poll(), Ok(Some(piece(&message, 2))));
    }

    #[test]
    fn bytes_that_begin_no_message_end_the_stream() {
        assert_eq!(read(Framing::Stun, &[b"POST / HTTP/1.1"]), Err(Malformed(b'P')));
        let stream = [&stun_message(0)[..], &[0x16, 3, 1]].concat();
        assert_eq!(read(Framing::Stun, &[&stream]), Err(Malformed(0x16)));
    }

    #[test]
    fn a_message_too_long_for_its_length_is_not_framed_and_an_empty_one_not_read() {
        assert_eq!(Framing::Length.frame(&vec![0; 65_536]), None);
        assert!(Framing::Length.frame(&vec![0; 65_535]).is_some());
        assert_eq!(read(Framing::Length, &[&[0, 0, 0, 1, 7]]), Ok(vec![vec![7]]));
    }
}
