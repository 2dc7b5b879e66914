//! Long-term credentials (RFC 8489 §9.2) and nonces.
//!
//! None of the security features a server may offer is offered: no PASSWORD-ALGORITHMS, no USERHASH. Clients are told
//! so by the nonce cookie and sign with MESSAGE-INTEGRITY; one that signs with MESSAGE-INTEGRITY-SHA256 alone is
//! challenged like one that does not sign.

use std::net::SocketAddr;

use crate::base::{Random, SimDuration, SimTime};
use crate::plan;
use crate::wire::stun::{Builder, Key, Message, attribute, error_code};

/// Who may use the server, and which nonces it accepts.
#[derive(Debug)]
pub(super) struct Authenticator {
    realm: String,
    users: Vec<User>,
    nonce_lifetime: SimDuration,
    nonce_secret: u64,
}

/// What a nonce of a server that knows RFC 8489 begins with: a fixed string, and 24 bits of security features, none
/// of them set, in base64 (§9.2).
const NONCE_COOKIE: &str = "obMatJos2AAAA";

#[derive(Debug)]
struct User {
    name: String,
    key: Key,
}

/// A user, as an index.
pub(super) type UserIndex = usize;

impl Authenticator {
    /// Keys are computed here, once.
    pub(super) fn new(config: &plan::Turn, random: &mut Random) -> Self {
        let users = config
            .users
            .iter()
            .map(|user| User {
                name: user.username.clone(),
                key: Key::long_term(&user.username, &config.realm, &user.password),
            })
            .collect();
        Self {
            realm: config.realm.clone(),
            users,
            nonce_lifetime: config.nonce_lifetime,
            nonce_secret: random.next_u64(),
        }
    }

    /// Checks in the order of RFC 8489 §9.2.4.
    ///
    /// # Errors
    /// The code to refuse with.
    pub(super) fn authenticate(
        &self,
        now: SimTime,
        client: SocketAddr,
        message: &Message<'_>,
    ) -> Result<UserIndex, u16> {
        if !message.has(attribute::MESSAGE_INTEGRITY) {
            return Err(error_code::UNAUTHORIZED);
        }
        let (Ok(Some(name)), Ok(Some(realm)), Ok(Some(nonce))) =
            (message.username(), message.realm(), message.nonce())
        else {
            return Err(error_code::BAD_REQUEST);
        };
        let index = self.users.iter().position(|user| user.name == name && self.realm == realm);
        let index = index.ok_or(error_code::UNAUTHORIZED)?;
        if !message.verify(self.key(index)) {
            return Err(error_code::UNAUTHORIZED);
        }
        if !self.accepts_nonce(now, client, nonce) {
            return Err(error_code::STALE_NONCE);
        }
        Ok(index)
    }

    /// An error that could not be signed: 401 and 438 tell the realm and a fresh nonce.
    pub(super) fn refuse(
        &self,
        now: SimTime,
        client: SocketAddr,
        message: &Message<'_>,
        code: u16,
    ) -> Builder {
        let answer = Builder::error(message.method(), message.transaction(), code);
        if code == error_code::BAD_REQUEST {
            return answer;
        }
        answer.realm(&self.realm).nonce(&self.nonce(now, client))
    }

    /// The user's key.
    pub(super) fn key(&self, user: UserIndex) -> &Key {
        &self.users[user].key
    }

    /// The user's name.
    pub(super) fn name(&self, user: UserIndex) -> &str {
        &self.users[user].name
    }

    /// A nonce says when it was given out, and proves when and to whom, as two clients must not share one: the server
    /// remembers none of them, so that a request without credentials changes no state.
    fn nonce(&self, issued: SimTime, client: SocketAddr) -> String {
        format!("{NONCE_COOKIE}{:016x}{:016x}", issued.as_nanos(), self.nonce_proof(issued, client))
    }

    fn nonce_proof(&self, issued: SimTime, client: SocketAddr) -> u64 {
        let seed = self.nonce_secret ^ issued.as_nanos();
        Random::stream(seed, "turn", &format!("nonce of {client}")).next_u64()
    }

    fn accepts_nonce(&self, now: SimTime, client: SocketAddr, nonce: &str) -> bool {
        let Some(nonce) = nonce.strip_prefix(NONCE_COOKIE) else { return false };
        let number = |range| nonce.get(range).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let (32, Some(issued), Some(proof)) = (nonce.len(), number(0..16), number(16..32)) else {
            return false;
        };
        let issued = SimTime::from_nanos(issued);
        issued <= now && now < issued + self.nonce_lifetime && proof == self.nonce_proof(issued, client)
    }
}
