//! The `is` agent with randomness of its own.

use is::{IceAgent, IceCreds};

use crate::base::Random;

/// An [`IceAgent`] that draws from its own stream.
///
/// `is` draws transaction ids and pair ids from `fastrand`'s thread-wide generator. Its state is exchanged for this
/// agent's around every call, so that agents of one thread, and other users of `fastrand`, do not influence each other.
#[derive(Debug)]
pub(super) struct SeededIce {
    agent: IceAgent,
    fastrand: u64,
}

impl SeededIce {
    /// The agent of the peer called `name`.
    pub(super) fn new(seed: u64, name: &str, credentials: IceCreds) -> Self {
        let mut fastrand = Random::stream(seed, name, "is").next_u64();
        let mut agent = with_fastrand(&mut fastrand, || IceAgent::new(credentials));
        agent.set_control_tie_breaker(Random::stream(seed, name, "tie-breaker").next_u64());
        Self { agent, fastrand }
    }

    /// Does something with the agent.
    pub(super) fn call<R>(&mut self, f: impl FnOnce(&mut IceAgent) -> R) -> R {
        let Self { agent, fastrand } = self;
        with_fastrand(fastrand, || f(agent))
    }

    /// The agent, to ask what it wants and how it is: none of which draws anything.
    pub(super) fn peek(&mut self) -> &mut IceAgent {
        &mut self.agent
    }
}

fn with_fastrand<R>(state: &mut u64, f: impl FnOnce() -> R) -> R {
    let outside = fastrand::get_seed();
    fastrand::seed(*state);
    let result = f();
    *state = fastrand::get_seed();
    fastrand::seed(outside);
    result
}

/// The length of a user name fragment of ours.
pub(super) const UFRAG_LEN: usize = 8;

/// Fresh credentials: 48 and 144 random bits, more than the 24 and 128 that RFC 8445 §5.3 asks for.
pub(super) fn credentials(seed: u64, name: &str) -> IceCreds {
    let mut random = Random::stream(seed, name, "ice-credentials");
    IceCreds { ufrag: ice_chars(&mut random, UFRAG_LEN), pass: ice_chars(&mut random, 24) }
}

/// `len` characters of RFC 8839's `ice-char`, of which there are 64.
fn ice_chars(random: &mut Random, len: usize) -> String {
    const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = vec![0; len];
    random.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ICE_CHARS[usize::from(byte % 64)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calling_an_agent_leaves_the_thread_wide_generator_as_it_was() {
        fastrand::seed(7);
        let mut ice = SeededIce::new(1, "alice", credentials(1, "alice"));
        ice.call(|_| fastrand::u64(..));
        assert_eq!(fastrand::get_seed(), 7);
    }

    #[test]
    fn an_agent_draws_the_same_whatever_happens_around_it() {
        let draws = |noise: bool| {
            let mut ice = SeededIce::new(1, "alice", credentials(1, "alice"));
            let first = ice.call(|_| fastrand::u64(..));
            if noise {
                fastrand::u64(..);
                SeededIce::new(2, "bob", credentials(2, "bob")).call(|_| fastrand::u64(..));
            }
            [first, ice.call(|_| fastrand::u64(..))]
        };
        assert_eq!(draws(false), draws(true));
    }

    #[test]
    fn credentials_are_long_enough_and_their_own() {
        let (alice, bob) = (credentials(1, "alice"), credentials(1, "bob"));
        assert_eq!((alice.ufrag.len(), alice.pass.len()), (8, 24));
        assert_ne!(alice, bob);
        assert_eq!(alice, credentials(1, "alice"));
    }
}
