//! Links and signalling.

use super::map::{Map, quoted, settings};
use crate::base::{Bandwidth, Probability, SimDuration};

/// A link, alike in both directions.
#[derive(Debug, Clone)]
#[must_use = "give it to a NAT, firewall, server or peer"]
pub struct Link {
    pub(super) keys: Map,
}

impl Link {
    /// A link people know by name: `wifi`, `lte`, `satellite-geo` … Settings override what it says.
    pub fn named(name: impl AsRef<str>) -> Self {
        Self { keys: Map::of("type", quoted(name.as_ref())) }
    }

    /// A link as it is when an [`Event`](super::Event) changes it: only settings that follow are new.
    pub fn as_it_is() -> Self {
        Self { keys: Map::default() }
    }

    /// A link on which a packet takes this long, one way, and which is otherwise without faults.
    pub fn with_delay(delay: SimDuration) -> Self {
        Self { keys: Map::default() }.delay(delay)
    }
}

settings! { Link {
    /// How long a packet takes, one way.
    delay = "delay": SimDuration,
    /// By how much a packet may take longer. Packets keep their order all the same.
    jitter = "jitter": SimDuration,
    /// The chance that a packet is lost.
    loss = "loss": Probability,
    /// The chance that a packet arrives twice.
    duplicate = "duplicate": Probability,
    /// The chance that a packet is held back for 5 ms, so that later ones overtake it.
    reorder = "reorder": Probability,
    /// How fast packets leave. Without: at once.
    rate = "rate": Bandwidth,
    /// How many packets wait when there is a rate, 1 to 1000.
    queue = "queue": u32,
    /// The largest IP packet it carries, in bytes, 576 and more.
    mtu = "mtu": u16,
    /// False: everything sent on it is lost.
    up = "up": bool,
} }

/// How offers, answers and candidates travel between peers.
#[derive(Debug, Clone, Default)]
#[must_use = "give it to `Draft::signalling`"]
pub struct Signalling {
    pub(super) keys: Map,
}

impl Signalling {
    /// Signalling as it is if nothing is said of it.
    pub fn new() -> Self {
        Self::default()
    }
}

settings! { Signalling {
    /// From one peer to the other.
    delay = "delay": SimDuration,
    /// The chance that a message is lost for good.
    loss = "loss": Probability,
    /// Whether candidates are sent as they are found (RFC 8838), or all together with the offer or answer.
    trickle = "trickle": bool,
} }
