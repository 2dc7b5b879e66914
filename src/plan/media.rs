//! What a call carries once it has a pair.

use super::behavior::words;
use crate::base::{Bandwidth, SimDuration};

/// How long a run without `duration` goes on after its calls have settled, if they carry media.
pub const MEDIA_TIME: SimDuration = SimDuration::from_secs(10);

words! {
    /// Kinds of media. Each has a rhythm of its own.
    MediaKind {
        /// A packet every 20 ms.
        Audio = "audio",
        /// 30 frames a second, each as many packets as it needs, sent at once.
        Video = "video",
        /// Packets of 1200 bytes, evenly spaced.
        Data = "data",
    }
}

/// One flow of a call. Both sides send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaFlow {
    /// What it is.
    pub kind: MediaKind,
    /// How much of it there is, in bits of UDP payload per second.
    pub rate: Bandwidth,
}

impl MediaKind {
    /// The rate of a flow nobody gave one.
    pub const fn usual_rate(self) -> Bandwidth {
        let bits = match self {
            Self::Audio => 40_000,
            Self::Video => 1_200_000,
            Self::Data => 100_000,
        };
        match Bandwidth::from_bits_per_second(bits) {
            Some(rate) => rate,
            None => unreachable!(),
        }
    }
}
