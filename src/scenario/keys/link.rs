//! The keys of links.

use super::{Kind, Section, key};
use crate::scenario::links;

/// A link.
pub static LINK: Section = Section {
    name: "link",
    about: "A link, alike in both directions. A named link alone (`link: wifi`) is short for `link: { type: wifi }`.",
    keys: &[
        key("type", Kind::Word(links::names), "the default of the place", "A named link to start from."),
        key("delay", Kind::Duration, "from `type`", "How long a packet takes, one way."),
        key(
            "jitter",
            Kind::Duration,
            "from `type`",
            "By how much a packet may take longer. Packets keep their order all the same.",
        ),
        key("loss", Kind::Percent, "from `type`", "The chance that a packet is lost."),
        key("duplicate", Kind::Percent, "`0%`", "The chance that a packet arrives twice."),
        key(
            "reorder",
            Kind::Percent,
            "`0%`",
            "The chance that a packet is held back for 5 ms, so that later ones overtake it.",
        ),
        key("rate", Kind::Bandwidth, "no limit", "How fast packets leave."),
        key("queue", Kind::Integer(1, 1_000), "`100`", "How many packets wait when `rate` is set."),
        key("mtu", Kind::Integer(576, 65_535), "`1500`", "The largest IP packet it carries, in bytes."),
        key("up", Kind::Truth, "`true`", "`false`: everything sent on it is lost."),
    ],
};
