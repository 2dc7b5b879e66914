//! The keys of calls and expectations.

use super::{Kind, Section, key};
use crate::plan::{CandidateType, DropReason, Family, IceState, Needs, Path, Transport};
use crate::scenario::word::Word;

/// More ICE restarts than any file could bring about in one call.
pub const MOST_RESTARTS: u64 = 1_000;

/// Signalling.
pub static SIGNALLING: Section = Section {
    name: "signalling",
    about: "How offers, answers and candidates travel between peers.",
    keys: &[
        key("delay", Kind::Duration, "`50ms`", "From one peer to the other."),
        key("loss", Kind::Percent, "`0%`", "The chance that a message is lost for good."),
        key(
            "trickle",
            Kind::Truth,
            "`true`",
            "Whether candidates are sent as they are found (RFC 8838), or all together with the offer or answer.",
        ),
    ],
};

/// What a call may be given.
pub static CALL: Section = Section {
    name: "calls",
    about: "An entry is `alice -> bob`, or `alice -> bob: { … }` with the keys below, or a `mesh`. The caller starts as the controlling agent.",
    keys: &[
        key("at", Kind::Duration, "`0s`", "When the call begins."),
        key(
            "media",
            Kind::Media,
            "none",
            "What flows in both directions once there is a pair: kinds of flows, or a map that gives them rates.",
        ),
    ],
};

/// Calls of everybody to everybody.
pub static MESH: Section = Section {
    name: "mesh",
    about: "An entry of `calls` that stands for many: each peer of the list calls all that come after it.",
    keys: &[
        key("mesh", Kind::Peers, "required", "Who takes part, two peers at least."),
        key("at", Kind::Duration, "`0s`", "When all of these calls begin."),
        key("media", Kind::Media, "none", "What each of them carries."),
    ],
};

/// Expectations.
pub static EXPECT: Section = Section {
    name: "expect",
    about: "What should be true at the end of the run.",
    keys: &[
        key("path", Kind::Words(Path::words), "anything", "How the settled pair's packets travel."),
        key("never", Kind::Words(Path::words), "nothing", "How they must not."),
        key(
            "needs",
            Kind::Word(Needs::words),
            "anything",
            "The least that still connects, found by running again without TURN, then without STUN.",
        ),
        key(
            "within",
            Kind::Duration,
            "any time",
            "Both ends have a pair no later than this after the call began.",
        ),
        key("selected", Kind::Map(&SELECTED), "anything", "The caller's own words for its selected pair."),
        key("family", Kind::Word(Family::words), "anything", "The address family of the settled pair."),
        key(
            "relay-protocol",
            Kind::Word(Transport::words),
            "anything",
            "What the relayed end speaks to its TURN server.",
        ),
        key(
            "nat-hops",
            Kind::Counts,
            "anything",
            "How many NATs rewrite the settled pair's packets on each peer's side.",
        ),
        key("ice-state", Kind::Word(IceState::words), "anything", "The state of the caller's agent."),
        key("drops", Kind::MapList(&DROP), "anything", "Packets that have to die."),
        key(
            "ice-restarts",
            Kind::Integer(0, MOST_RESTARTS),
            "anything",
            "In how many ICE restarts both sides agreed on new credentials.",
        ),
        key(
            "media-gap",
            Kind::Gap,
            "anything",
            "The longest time in which nothing of a flow arrived, of all flows and both directions of a call with `media`. A duration is the most it may be.",
        ),
    ],
};

/// An expected selected pair.
pub static SELECTED: Section = Section {
    name: "selected",
    about: "The types of the caller's selected candidates, as its agent calls them.",
    keys: &[
        key("local", Kind::Word(CandidateType::words), "anything", "The caller's own end."),
        key("remote", Kind::Word(CandidateType::words), "anything", "The other end."),
    ],
};

/// Expected drops.
pub static DROP: Section = Section {
    name: "drops",
    about: "Packets that have to die at one place.",
    keys: &[
        key("by", Kind::NodeName, "required", "The node, or the node on whose uplink it happens."),
        key("reason", Kind::Word(DropReason::words), "any", "Why."),
        key("min", Kind::Integer(0, 1_000_000_000), "`1`, or `0` beside `max`", "At least this many."),
        key("max", Kind::Integer(0, 1_000_000_000), "no bound", "At most this many."),
    ],
};

/// The flows of a call.
pub static MEDIA: Section = Section {
    name: "media",
    about: "What a call carries, in bits of UDP payload per second, 1kbps to 1Gbps each. `media: audio` and `media: [audio, video]` take 40kbps of audio, 1.2Mbps of video and 100kbps of data.",
    keys: &[
        key("audio", Kind::Bandwidth, "none", "A packet every 20 ms."),
        key(
            "video",
            Kind::Bandwidth,
            "none",
            "30 frames a second, each in packets of up to 1200 bytes, sent at once.",
        ),
        key(
            "data",
            Kind::Bandwidth,
            "none",
            "Packets of 1200 bytes, evenly spaced; smaller ones if that were fewer than ten a second.",
        ),
    ],
};

/// How long media may be gone.
pub static MEDIA_GAP: Section = Section {
    name: "media-gap",
    about: "How long nothing of a flow arrived.",
    keys: &[
        key("min", Kind::Duration, "no bound", "At least this long."),
        key("max", Kind::Duration, "no bound", "At most this long."),
    ],
};
