//! Long-term credentials (RFC 8489 §9.2).

use crate::plan::Credentials;
use crate::wire::stun::{Builder, Key, Message};

/// What a client signs its requests with.
#[derive(Debug)]
pub(super) struct Login {
    credentials: Option<Credentials>,
    session: Option<Session>,
}

#[derive(Debug)]
struct Session {
    realm: String,
    nonce: String,
    key: Key,
}

impl Login {
    pub(super) fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials, session: None }
    }

    /// Takes realm and nonce from a 401 or 438. False if they are missing, or if there is nothing to log in with.
    pub(super) fn challenged(&mut self, message: &Message<'_>) -> bool {
        let (Some(credentials), Ok(Some(nonce))) = (&self.credentials, message.nonce()) else { return false };
        match (&mut self.session, message.realm()) {
            (Some(session), Ok(None)) => session.nonce = nonce.to_owned(),
            (Some(session), Ok(Some(realm))) if session.realm == realm => session.nonce = nonce.to_owned(),
            (session, Ok(Some(realm))) => {
                let key = Key::long_term(&credentials.username, realm, &credentials.password);
                *session = Some(Session { realm: realm.to_owned(), nonce: nonce.to_owned(), key });
            }
            _ => return false,
        }
        true
    }

    /// True if `message` is signed with the key of this login.
    pub(super) fn verifies(&self, message: &Message<'_>) -> bool {
        self.session.as_ref().is_some_and(|session| message.verify(&session.key))
    }

    /// The message's bytes, and whether they are signed.
    pub(super) fn sign(&self, builder: Builder) -> (Vec<u8>, bool) {
        match (&self.credentials, &self.session) {
            (Some(credentials), Some(session)) => {
                let builder =
                    builder.username(&credentials.username).realm(&session.realm).nonce(&session.nonce);
                (builder.finish_with(Some(&session.key), false), true)
            }
            _ => (builder.finish(), false),
        }
    }
}
