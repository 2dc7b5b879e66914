//! A model of TLS 1.3 (RFC 8446): what its full handshake and its records look like from outside, in bytes and in round
//! trips, and nothing more. **It protects nothing.**
//!
//! True: the order of flights (one round trip after TCP's), records and their lengths, the ClientHello with the name of
//! the server (RFC 6066) and its padding (RFC 7685), the ServerHello, the compatibility mode's change of cipher spec, alerts
//! and close_notify. A protocol analyzer reads them.
//!
//! Modelled: the encrypted handshake messages have the sizes of a typical chain of two ECDSA certificates and hold zeros. The
//! cipher is a stream of ChaCha8 that both ends, and anybody who saw both hellos, can make: records cannot be read by
//! looking at them, which is all that a firewall's inspection needs. Certificates are not checked, resumption and early
//! data are not there.

mod hello;
mod record;

use std::collections::VecDeque;

use bytes::{Buf as _, Bytes, BytesMut};

use self::record::{Cipher, ContentType, HEADER, MAX_PLAINTEXT};
use super::{Note, Piece};
use crate::base::Random;

/// The bytes of stream that records with `plain` bytes of data take.
pub const fn sealed_len(plain: usize) -> usize {
    let records = if plain == 0 { 1 } else { plain.div_ceil(MAX_PLAINTEXT) };
    plain + records * record::OVERHEAD
}

/// One end of a TLS connection over a byte stream. After every call, [`TlsEnd::poll_write`] and [`TlsEnd::read`] until they
/// have nothing left.
#[derive(Debug)]
pub struct TlsEnd {
    stage: Stage,
    random: Random,
    hello: Bytes,
    /// For what is sent, and what is received.
    ciphers: Option<(Cipher, Cipher)>,
    arriving: BytesMut,
    last: Piece,
    /// Written before the handshake is over.
    waiting: Vec<(Bytes, Option<Note>)>,
    to_write: VecDeque<(Bytes, Option<Note>)>,
    to_read: VecDeque<Piece>,
    is_closing: bool,
}

/// What an end waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    ClientHello,
    ServerHello,
    ServerFinished,
    ClientFinished,
    Open,
    /// The other end has said that it will send no more.
    Ended,
    Failed(TlsError),
}

/// What ends a TLS connection before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The first bytes are no handshake.
    #[error("what came is not TLS")]
    NotTls,
    /// The other end says so, by an alert of this number (RFC 8446 §6).
    #[error("the other side ended TLS with alert {0}")]
    Alert(u8),
    /// A record that is none, or not the one that must come next.
    #[error("a TLS record cannot be read")]
    BadRecord,
}

mod alert {
    pub(super) const CLOSE_NOTIFY: u8 = 0;
    pub(super) const UNEXPECTED_MESSAGE: u8 = 10;
}

impl TlsEnd {
    /// The end that begins. `server_name` is sent in the clear, unless it is an address (RFC 6066 §3).
    pub fn client(server_name: &str, mut random: Random) -> Self {
        let hello = Bytes::from(hello::client(server_name, &mut random));
        let mut end = Self::new(Stage::ServerHello, random, hello.clone());
        end.send(record::plain(ContentType::Handshake, &hello));
        end
    }

    /// The end that answers.
    pub fn server(random: Random) -> Self {
        Self::new(Stage::ClientHello, random, Bytes::new())
    }

    fn new(stage: Stage, random: Random, hello: Bytes) -> Self {
        Self {
            stage,
            random,
            hello,
            ciphers: None,
            arriving: BytesMut::new(),
            last: Piece::default(),
            waiting: Vec::new(),
            to_write: VecDeque::new(),
            to_read: VecDeque::new(),
            is_closing: false,
        }
    }

    /// True once bytes can be sent.
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open | Stage::Ended)
    }

    /// True once the other end has said that it will send no more.
    pub fn is_at_end(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// Writes bytes, which wait for the handshake. A `note` says that a message ends with them.
    pub fn write(&mut self, plain: impl Into<Bytes>, note: Option<Note>) {
        if self.is_closing {
            return;
        }
        self.waiting.push((plain.into(), note));
        self.flush();
    }

    /// Says that no more will be written, with a close_notify if the handshake is over.
    pub fn close(&mut self) {
        if self.is_open() && !self.is_closing {
            self.seal(ContentType::Alert, &[1, alert::CLOSE_NOTIFY], None);
        }
        self.is_closing = true;
    }

    /// Takes bytes of the stream below.
    ///
    /// # Errors
    ///
    /// If they are not what TLS has there. The alert that says so is to be written, and the stream closed.
    pub fn receive(&mut self, piece: &Piece) -> Result<(), TlsError> {
        if let Stage::Failed(error) = self.stage {
            return Err(error);
        }
        self.arriving.extend_from_slice(&piece.bytes);
        self.last = piece.with(Bytes::new());
        self.read_records().inspect_err(|error| {
            if !matches!(error, TlsError::Alert(_)) {
                self.send(record::plain(ContentType::Alert, &[2, alert::UNEXPECTED_MESSAGE]));
            }
            self.stage = Stage::Failed(*error);
        })
    }

    /// The next bytes that came.
    pub fn read(&mut self) -> Option<Piece> {
        self.to_read.pop_front()
    }

    /// The next bytes to write to the stream below, and the note of a message that ends with them.
    pub fn poll_write(&mut self) -> Option<(Bytes, Option<Note>)> {
        self.to_write.pop_front()
    }

    fn read_records(&mut self) -> Result<(), TlsError> {
        loop {
            let is_first = matches!(self.stage, Stage::ClientHello | Stage::ServerHello);
            let Some((content, length)) = record::header(&self.arriving, is_first)? else { return Ok(()) };
            if self.arriving.len() < HEADER + length {
                return Ok(());
            }
            let mut whole = self.arriving.split_to(HEADER + length);
            whole.advance(HEADER);
            self.handle(content, whole.freeze())?;
        }
    }

    fn handle(&mut self, content: ContentType, body: Bytes) -> Result<(), TlsError> {
        match (content, &mut self.ciphers) {
            // RFC 8446 §5: means nothing, and is sent so that old boxes on the way see what they know.
            (ContentType::ChangeCipherSpec, _) => Ok(()),
            (ContentType::Alert, _) => Err(TlsError::Alert(body.get(1).copied().unwrap_or_default())),
            (ContentType::Handshake, None) => self.handle_hello(body),
            (ContentType::ApplicationData, Some((_, receiving))) => {
                let (content, plain) = receiving.open(&body).ok_or(TlsError::BadRecord)?;
                self.handle_sealed(content, plain)
            }
            _ => Err(TlsError::BadRecord),
        }
    }

    fn handle_hello(&mut self, body: Bytes) -> Result<(), TlsError> {
        match self.stage {
            Stage::ClientHello if hello::is_client(&body) => {
                let answer = hello::server(&body, &mut self.random);
                let keys = (hello::random_of(&body), hello::random_of(&answer));
                self.send(record::plain(ContentType::Handshake, &answer));
                self.send(record::change_cipher_spec());
                self.ciphers = Some((Cipher::of_server(keys), Cipher::of_client(keys)));
                for message in hello::SERVER_FLIGHT {
                    self.seal(ContentType::Handshake, &message.to_bytes(), None);
                }
                self.stage = Stage::ClientFinished;
                Ok(())
            }
            Stage::ServerHello if hello::is_server(&body) => {
                let keys = (hello::random_of(&self.hello), hello::random_of(&body));
                self.ciphers = Some((Cipher::of_client(keys), Cipher::of_server(keys)));
                self.stage = Stage::ServerFinished;
                Ok(())
            }
            _ => Err(TlsError::NotTls),
        }
    }

    fn handle_sealed(&mut self, content: ContentType, plain: Vec<u8>) -> Result<(), TlsError> {
        match (self.stage, content) {
            (Stage::ServerFinished, ContentType::Handshake) if hello::is_finished(&plain) => {
                self.send(record::change_cipher_spec());
                self.seal(ContentType::Handshake, &hello::FINISHED.to_bytes(), None);
                self.open();
            }
            (Stage::ClientFinished, ContentType::Handshake) if hello::is_finished(&plain) => {
                for _ in 0..hello::TICKETS {
                    self.seal(ContentType::Handshake, &hello::TICKET.to_bytes(), None);
                }
                self.open();
            }
            // The other messages of the server's flight, and its tickets.
            (Stage::ServerFinished | Stage::Open, ContentType::Handshake) => {}
            (Stage::Open, ContentType::ApplicationData) => {
                if !plain.is_empty() {
                    self.to_read.push_back(self.last.with(plain));
                }
            }
            (_, ContentType::Alert) => match plain.get(1) {
                Some(&alert::CLOSE_NOTIFY) => self.stage = Stage::Ended,
                number => return Err(TlsError::Alert(number.copied().unwrap_or_default())),
            },
            _ => return Err(TlsError::BadRecord),
        }
        Ok(())
    }

    fn open(&mut self) {
        self.stage = Stage::Open;
        self.flush();
        if self.is_closing {
            self.seal(ContentType::Alert, &[1, alert::CLOSE_NOTIFY], None);
        }
    }

    fn flush(&mut self) {
        if !self.is_open() {
            return;
        }
        for (plain, note) in std::mem::take(&mut self.waiting) {
            let whole = plain.len().saturating_sub(1) / MAX_PLAINTEXT * MAX_PLAINTEXT;
            for part in plain[..whole].chunks(MAX_PLAINTEXT) {
                self.seal(ContentType::ApplicationData, part, None);
            }
            self.seal(ContentType::ApplicationData, &plain[whole..], note);
        }
    }

    fn seal(&mut self, content: ContentType, plain: &[u8], note: Option<Note>) {
        if let Some((sending, _)) = &mut self.ciphers {
            let record = sending.seal(content, plain);
            self.to_write.push_back((record.into(), note));
        }
    }

    fn send(&mut self, record: Vec<u8>) {
        self.to_write.push_back((record.into(), None));
    }
}

#[cfg(test)]
mod tests;
