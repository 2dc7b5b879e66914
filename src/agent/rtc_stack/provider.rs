//! Cryptography for rtc, with randomness of our own.

use std::sync::{Arc, Mutex, PoisonError};

use rtc_ice::crypto::{CryptoError, RTCCrypto, RTCCryptoProvider, RTCRandom, default_provider};

use crate::base::Random;

/// rtc's own provider, but for its random numbers.
///
/// What rtc draws here is seeded: the tie-breaker, the user name fragment and the password. Transaction ids are not
/// among it: rtc draws them from the thread's generator, which cannot be seeded.
struct Seeded {
    inner: Arc<dyn RTCCryptoProvider>,
    random: SeededRandom,
}

struct SeededRandom(Mutex<Random>);

/// The provider of the peer called `name`.
///
/// # Errors
///
/// rtc has been built without any cryptography.
pub(super) fn seeded(seed: u64, name: &str) -> Result<Arc<dyn RTCCryptoProvider>, CryptoError> {
    let random = SeededRandom(Mutex::new(Random::stream(seed, name, "rtc")));
    Ok(Arc::new(Seeded { inner: default_provider()?, random }))
}

impl RTCCryptoProvider for Seeded {
    fn name(&self) -> &'static str {
        "seeded"
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self.inner.crypto()
    }

    fn random(&self) -> &dyn RTCRandom {
        &self.random
    }
}

impl RTCRandom for SeededRandom {
    fn fill(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(output);
        Ok(())
    }
}
