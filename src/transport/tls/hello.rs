//! The handshake messages: two true hellos, and the sizes of the rest.

use std::net::IpAddr;

use crate::base::Random;

/// A handshake message of which only the size is modelled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    kind: u8,
    len: usize,
}

pub(super) const FINISHED: Message = Message { kind: 20, len: 36 };
pub(super) const TICKET: Message = Message { kind: 4, len: 255 };
/// How many tickets a server gives after the handshake.
pub(super) const TICKETS: usize = 2;
/// EncryptedExtensions, Certificate, CertificateVerify and Finished.
pub(super) const SERVER_FLIGHT: [Message; 4] =
    [Message { kind: 8, len: 32 }, Message { kind: 11, len: 2_400 }, Message { kind: 15, len: 80 }, FINISHED];

/// The ClientHello's size: padded to this, as browsers do (RFC 7685 §1).
const CLIENT_HELLO: usize = 512;
const HEADER: usize = 4;
/// Type, length, version: what stands before a hello's random.
const BEFORE_RANDOM: usize = HEADER + 2;
const RANDOM: usize = 32;

const AES_128_GCM_SHA256: u16 = 0x1301;
const X25519: u16 = 0x001d;
const TLS_1_3: u16 = 0x0304;

mod extension {
    pub(super) const SERVER_NAME: u16 = 0;
    pub(super) const SUPPORTED_GROUPS: u16 = 10;
    pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(super) const PADDING: u16 = 21;
    pub(super) const SUPPORTED_VERSIONS: u16 = 43;
    pub(super) const KEY_SHARE: u16 = 51;
}

impl Message {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        message(self.kind, &vec![0; self.len - HEADER])
    }
}

pub(super) fn is_client(message: &[u8]) -> bool {
    message.first() == Some(&1) && message.len() > BEFORE_RANDOM + RANDOM
}

pub(super) fn is_server(message: &[u8]) -> bool {
    message.first() == Some(&2) && message.len() > BEFORE_RANDOM + RANDOM
}

pub(super) fn is_finished(message: &[u8]) -> bool {
    message.first() == Some(&FINISHED.kind)
}

/// The random of a hello, zeros if it is cut off.
pub(super) fn random_of(hello: &[u8]) -> [u8; RANDOM] {
    let random = hello.get(BEFORE_RANDOM..BEFORE_RANDOM + RANDOM);
    random.and_then(|random| random.try_into().ok()).unwrap_or_default()
}

/// A ClientHello (RFC 8446 §4.1.2).
pub(super) fn client(server_name: &str, random: &mut Random) -> Vec<u8> {
    let mut body = Vec::with_capacity(CLIENT_HELLO);
    begin(&mut body, &draw(random), &draw(random));
    body.extend(with_length(&AES_128_GCM_SHA256.to_be_bytes()));
    body.extend([1, 0]);

    let mut extensions = Vec::new();
    // A name of a host, and only that, may stand here.
    if server_name.parse::<IpAddr>().is_err() && !server_name.is_empty() && server_name.len() < 256 {
        let name = [&[0][..], &with_length(server_name.as_bytes())].concat();
        extensions.extend(extension(extension::SERVER_NAME, &with_length(&name)));
    }
    extensions.extend(extension(extension::SUPPORTED_GROUPS, &with_length(&X25519.to_be_bytes())));
    // ecdsa_secp256r1_sha256 and rsa_pss_rsae_sha256.
    extensions.extend(extension(extension::SIGNATURE_ALGORITHMS, &with_length(&[4, 3, 8, 4])));
    let [major, minor] = TLS_1_3.to_be_bytes();
    extensions.extend(extension(extension::SUPPORTED_VERSIONS, &[2, major, minor]));
    extensions.extend(extension(extension::KEY_SHARE, &with_length(&key_share(random))));
    let padding = CLIENT_HELLO.saturating_sub(HEADER + body.len() + 2 + extensions.len() + HEADER);
    extensions.extend(extension(extension::PADDING, &vec![0; padding]));

    body.extend(with_length(&extensions));
    message(1, &body)
}

/// The ServerHello that answers a ClientHello (RFC 8446 §4.1.3), whose session id it gives back.
pub(super) fn server(client: &[u8], random: &mut Random) -> Vec<u8> {
    let session = client.get(BEFORE_RANDOM + RANDOM + 1..BEFORE_RANDOM + 2 * RANDOM + 1);
    let session: [u8; 32] = session.and_then(|id| id.try_into().ok()).unwrap_or_default();
    let mut body = Vec::new();
    begin(&mut body, &draw(random), &session);
    body.extend(AES_128_GCM_SHA256.to_be_bytes());
    body.push(0);
    let mut extensions = extension(extension::SUPPORTED_VERSIONS, &TLS_1_3.to_be_bytes());
    extensions.extend(extension(extension::KEY_SHARE, &key_share(random)));
    body.extend(with_length(&extensions));
    message(2, &body)
}

/// What both hellos begin with: the version of TLS 1.2, a random, a session id of 32 bytes.
fn begin(body: &mut Vec<u8>, random: &[u8; 32], session: &[u8; 32]) {
    body.extend([3, 3]);
    body.extend(random);
    body.push(32);
    body.extend(session);
}

fn key_share(random: &mut Random) -> Vec<u8> {
    [&X25519.to_be_bytes()[..], &with_length(&draw(random))].concat()
}

fn draw(random: &mut Random) -> [u8; 32] {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    bytes
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &with_length(body)].concat()
}

/// Two bytes of length, and what is so long.
fn with_length(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (body.len() as u32).to_be_bytes();
    [&[kind][..], &length, body].concat()
}
