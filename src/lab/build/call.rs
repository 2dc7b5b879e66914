//! Calls that are more than who calls whom.

use super::map::{Map, settings};
use crate::base::{Bandwidth, SimDuration};
use crate::plan::MediaKind;

/// What a call is given.
#[derive(Debug, Clone, Default)]
#[must_use = "give it to `Draft::call_with`"]
pub struct Call {
    pub(super) keys: Map,
    pub(super) media: Map,
}

impl Call {
    /// A call that begins at once and carries nothing but the lab's probes.
    pub fn new() -> Self {
        Self::default()
    }

    /// A flow that it carries in both directions, in bits of UDP payload per second; given again, one more.
    pub fn media(mut self, kind: MediaKind, rate: Bandwidth) -> Self {
        self.media.set(kind.word(), rate);
        self.keys.set("media", &self.media);
        self
    }
}

settings! { Call {
    /// When it begins, after the run began.
    at = "at": SimDuration,
} }
