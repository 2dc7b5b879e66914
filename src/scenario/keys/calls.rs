//! The keys of calls and expectations.

use super::{Kind, Section, key, not_built};
use crate::plan::{CandidateType, DropReason, Family, IceState, Needs, Path};
use crate::scenario::word::Word;

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
    about: "An entry is `alice -> bob`, or `alice -> bob: { … }` with the keys below. The caller starts as the controlling agent.",
    keys: &[
        key("at", Kind::Duration, "`0s`", "When the call begins."),
        not_built("media", "leave the key out: in this version a call carries probes of the lab, not media"),
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
            Kind::Word(|| vec!["udp"]),
            "anything",
            "What the relayed end speaks to its TURN server. `tcp` and `tls` are not built yet.",
        ),
        key(
            "nat-hops",
            Kind::Counts,
            "anything",
            "How many NATs rewrite the settled pair's packets on each peer's side.",
        ),
        key("ice-state", Kind::Word(IceState::words), "anything", "The state of the caller's agent."),
        key("drops", Kind::MapList(&DROP), "anything", "Packets that have to die."),
        not_built("ice-restarts", "leave the key out: in this version agents do not restart"),
        not_built("media-gap", "leave the key out: in this version calls carry no media"),
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
