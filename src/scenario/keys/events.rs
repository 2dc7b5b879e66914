//! The keys of events.

use super::{EXPECT, FIREWALL, Kind, NAT, Section, key};

/// An event.
pub static EVENT: Section = Section {
    name: "events",
    about: "What changes, or is looked at, while the scenario runs: one key beside `at` in each entry. Events of one moment happen in \
            the order of the file, after the packets that arrive at that moment and before anything peers do at it.",
    keys: &[
        key("at", Kind::Duration, "required", "When it happens."),
        key(
            "set-link",
            Kind::Links,
            "none",
            "The uplinks of these nodes are like this from now on; what is left open stays. Packets on their way arrive as they would have.",
        ),
        key(
            "set-nat",
            Kind::NamedOrNickname(&NAT),
            "none",
            "These NATs translate like this from now on; what is left open stays, and so do the mappings they have.",
        ),
        key(
            "set-firewall",
            Kind::Named(&FIREWALL),
            "none",
            "These firewalls have these rules from now on; what is left open stays, and flows they know stay known.",
        ),
        key("nat-reboot", Kind::NodeName, "none", "This NAT forgets all of its mappings. It takes no time."),
        key(
            "renumber",
            Kind::Renumber,
            "none",
            "These NATs have these outside addresses from now on, or the next free one, and forget all of their mappings.",
        ),
        key(
            "server-down",
            Kind::NodeName,
            "none",
            "This server answers no more, and forgets its allocations.",
        ),
        key("server-up", Kind::NodeName, "none", "This server answers again."),
        key(
            "server-restart",
            Kind::NodeName,
            "none",
            "This server forgets its allocations. It takes no time.",
        ),
        key(
            "partition",
            Kind::Sides,
            "none",
            "No packet passes the internet any more between these two nodes, or two lists of nodes, and whatever else hangs on the internet by the same NAT or firewall.",
        ),
        key(
            "heal",
            Kind::SidesOrAll,
            "none",
            "Packets pass again between them, or with `all` between everybody.",
        ),
        key(
            "expect",
            Kind::Map(&EXPECT),
            "none",
            "What should be true at this moment. `needs` is about the whole run and cannot stand here.",
        ),
        key(
            "interface-down",
            Kind::NodeName,
            "none",
            "This interface of a peer is gone: its link carries nothing, its sockets are closed, and the peer's agents are told.",
        ),
        key(
            "interface-up",
            Kind::NodeName,
            "none",
            "This interface of a peer can be used again. Agents have sockets on it after their next ICE restart.",
        ),
        key(
            "ice-restart",
            Kind::CallSide,
            "none",
            "This peer's agent restarts ICE (RFC 8445), in all of its calls or in the one with OTHER: it gathers anew on the \
             interfaces that are up, and makes an offer. Data go over the old pair until there is a new one.",
        ),
        key(
            "hang-up",
            Kind::CallSide,
            "none",
            "This peer hangs up, all of its calls or the one with OTHER: its media stop, it gives back what TURN servers have \
             allocated, and tells the other side.",
        ),
    ],
};
