//! Seeded randomness: one independent stream per (seed, name, purpose).
//!
//! A stream depends on nothing but these three, so adding a node, or drawing more numbers in one place,
//! changes no other. All draws are integers; ChaCha8's output is fixed for ever, unlike `StdRng`'s.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::quantity::Probability;

/// A stream of random integers.
#[derive(Debug, Clone)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream of `name` (a node, a link) for one `purpose` ("ports", "loss") under `seed`.
    pub fn stream(seed: u64, name: &str, purpose: &str) -> Self {
        let mut state = fnv1a(fnv1a(seed ^ FNV_OFFSET, name.as_bytes()), &[0xff]);
        state = fnv1a(state, purpose.as_bytes());
        let mut key = [0; 32];
        for word in key.chunks_exact_mut(8) {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            word.copy_from_slice(&splitmix64(state).to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Any `u64`.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 up to but not including `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // Lemire's multiply-shift; the bias is below 2^-32 for every bound used here.
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True with probability `p`. Certain and impossible events draw nothing.
    pub fn chance(&mut self, p: Probability) -> bool {
        match p.parts_per_billion() {
            0 => false,
            Probability::ONE_IN_PARTS => true,
            parts => self.below(u64::from(Probability::ONE_IN_PARTS)) < u64::from(parts),
        }
    }

    /// Fills `bytes` with random bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv1a(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn splitmix64(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_draws(seed: u64, name: &str, purpose: &str) -> [u64; 4] {
        let mut random = Random::stream(seed, name, purpose);
        std::array::from_fn(|_| random.next_u64())
    }

    #[test]
    fn a_stream_is_fixed_by_seed_name_and_purpose_alone() {
        assert_eq!(first_draws(1, "nat-a", "ports"), first_draws(1, "nat-a", "ports"));
        for other in [
            first_draws(2, "nat-a", "ports"),
            first_draws(1, "nat-b", "ports"),
            first_draws(1, "nat-a", "loss"),
        ] {
            assert_ne!(first_draws(1, "nat-a", "ports"), other);
        }
    }

    #[test]
    fn name_and_purpose_do_not_run_into_each_other() {
        assert_ne!(first_draws(1, "ab", "c"), first_draws(1, "a", "bc"));
    }

    #[test]
    fn streams_never_change_between_versions() {
        assert_eq!(Random::stream(1, "alice", "port").next_u64(), 18_271_993_729_765_775_577);
    }

    #[test]
    fn draws_stay_below_their_bound_and_reach_all_of_it() {
        let mut random = Random::stream(7, "x", "y");
        let mut seen = [false; 6];
        for _ in 0..200 {
            seen[random.below(6) as usize] = true;
        }
        assert_eq!(seen, [true; 6]);
    }
}
