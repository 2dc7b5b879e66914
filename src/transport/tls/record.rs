//! TLS records (RFC 8446 §5), and the cipher of the model.

use super::TlsError;
use crate::base::Random;

/// Bytes of a record's header.
pub(super) const HEADER: usize = 5;

/// The most data in one record, in bytes.
pub(super) const MAX_PLAINTEXT: usize = 16_384;

/// The most that a record may hold, type and tag included (RFC 8446 §5.2).
const MAX_RECORD: usize = MAX_PLAINTEXT + 256;

/// Bytes that end an encrypted record.
const TAG: usize = 16;

/// What an encrypted record has besides its data: header, true type, tag.
pub(super) const OVERHEAD: usize = HEADER + 1 + TAG;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContentType {
    ChangeCipherSpec = 20,
    Alert = 21,
    Handshake = 22,
    ApplicationData = 23,
}

impl ContentType {
    const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            20 => Self::ChangeCipherSpec,
            21 => Self::Alert,
            22 => Self::Handshake,
            23 => Self::ApplicationData,
            _ => return None,
        })
    }
}

/// The type and length of the record that `bytes` begin with; `None` while its header is not whole. What comes first can
/// be told from other protocols by its first byte already.
pub(super) fn header(bytes: &[u8], is_first: bool) -> Result<Option<(ContentType, usize)>, TlsError> {
    let bad = if is_first { TlsError::NotTls } else { TlsError::BadRecord };
    let Some(first) = bytes.first() else { return Ok(None) };
    let content = ContentType::of(*first).ok_or(bad)?;
    if is_first && !matches!(content, ContentType::Handshake | ContentType::Alert) {
        return Err(bad);
    }
    let Some(&[major, _, high, low]) = bytes.get(1..HEADER) else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if major != 3 || length > MAX_RECORD { Err(bad) } else { Ok(Some((content, length))) }
}

/// A record that is not encrypted.
pub(super) fn plain(content: ContentType, body: &[u8]) -> Vec<u8> {
    // RFC 8446 §5.1: a ClientHello may say 3.1, for old servers; everything else says 3.3.
    let minor = if content == ContentType::Handshake && body.first() == Some(&1) { 1 } else { 3 };
    let [high, low] = (body.len() as u16).to_be_bytes();
    [&[content as u8, 3, minor, high, low][..], body].concat()
}

/// The record of RFC 8446 §D.4, without meaning.
pub(super) fn change_cipher_spec() -> Vec<u8> {
    plain(ContentType::ChangeCipherSpec, &[1])
}

/// One direction's cipher: a stream of bytes that both ends know.
#[derive(Debug)]
pub(super) struct Cipher(Random);

impl Cipher {
    /// For what the client sends, from the randoms of both hellos.
    pub(super) fn of_client(randoms: ([u8; 32], [u8; 32])) -> Self {
        Self::of(randoms, "client")
    }

    /// For what the server sends.
    pub(super) fn of_server(randoms: ([u8; 32], [u8; 32])) -> Self {
        Self::of(randoms, "server")
    }

    fn of((client, server): ([u8; 32], [u8; 32]), sender: &str) -> Self {
        let seed = std::array::from_fn(|at| client[at]);
        let name: String = server.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(Random::stream(u64::from_be_bytes(seed), &name, sender))
    }

    /// The record of `plain`: header, bytes, true type, tag.
    pub(super) fn seal(&mut self, content: ContentType, plain: &[u8]) -> Vec<u8> {
        let inner = [plain, &[content as u8]].concat();
        let [high, low] = ((inner.len() + TAG) as u16).to_be_bytes();
        let mut record = vec![ContentType::ApplicationData as u8, 3, 3, high, low];
        record.extend(self.mask(&inner));
        record.extend(self.tag());
        record
    }

    /// What a record's body says; `None` if it was not made by the other end's cipher at this place.
    pub(super) fn open(&mut self, body: &[u8]) -> Option<(ContentType, Vec<u8>)> {
        let (masked, tag) = body.split_at_checked(body.len().checked_sub(TAG)?)?;
        let mut plain = self.mask(masked);
        if tag != self.tag() {
            return None;
        }
        let content = plain.pop().and_then(ContentType::of)?;
        Some((content, plain))
    }

    fn mask(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = vec![0; bytes.len()];
        self.0.fill(&mut stream);
        for (masked, byte) in stream.iter_mut().zip(bytes) {
            *masked ^= byte;
        }
        stream
    }

    fn tag(&mut self) -> [u8; TAG] {
        let mut tag = [0; TAG];
        self.0.fill(&mut tag);
        tag
    }
}
