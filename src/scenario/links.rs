//! Named links: round values for teaching, not measurements.

use crate::base::{Probability, SimDuration};
use crate::plan::Link;

/// A link people know by name.
#[derive(Debug)]
pub struct NamedLink {
    /// The name.
    pub name: &'static str,
    /// One way, in milliseconds.
    pub delay_ms: u64,
    /// In milliseconds.
    pub jitter_ms: u64,
    /// In parts per billion.
    pub loss: u32,
    /// What it stands for.
    pub about: &'static str,
}

const fn named(name: &'static str, delay_ms: u64, jitter_ms: u64, about: &'static str) -> NamedLink {
    NamedLink { name, delay_ms, jitter_ms, loss: 0, about }
}

/// All of them, in the order of the reference.
pub static NAMED_LINKS: &[NamedLink] = &[
    named("lan", 1, 0, "a cable or switch in one building"),
    NamedLink { loss: 1_000_000, ..named("wifi", 3, 2, "a home or office access point") },
    named("fiber", 2, 0, "fibre to the home"),
    named("broadband", 10, 0, "an ordinary home or office line"),
    named("cable", 8, 0, "television cable"),
    named("dsl", 15, 0, "a telephone line"),
    named("5g", 12, 4, "a 5G phone"),
    named("lte", 35, 10, "an LTE phone"),
    named("3g", 80, 30, "a 3G phone"),
    named("satellite-leo", 20, 5, "a satellite in low orbit"),
    named("satellite-geo", 270, 0, "a geostationary satellite"),
];

/// The names.
pub fn names() -> Vec<&'static str> {
    NAMED_LINKS.iter().map(|link| link.name).collect()
}

/// The link with this name.
pub fn find(name: &str) -> Option<Link> {
    NAMED_LINKS.iter().find(|link| link.name == name).map(NamedLink::to_link)
}

impl NamedLink {
    /// The link it stands for.
    pub fn to_link(&self) -> Link {
        Link {
            label: Some(self.name.into()),
            jitter: SimDuration::from_millis(self.jitter_ms),
            loss: Probability::from_parts_per_billion(self.loss).unwrap_or_default(),
            ..Link::with_delay(SimDuration::from_millis(self.delay_ms))
        }
    }
}
