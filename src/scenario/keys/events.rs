//! The keys of events.

use super::{EXPECT, FIREWALL, Kind, NAT, Section, key, not_built};

/// What has to wait for peers with several interfaces.
const NO_INTERFACES: &str =
    "use `set-link: { PEER: { up: false } }`: in this version a peer has one interface";

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
        not_built("interface-down", NO_INTERFACES),
        not_built("interface-up", NO_INTERFACES),
        not_built("ice-restart", "leave the event out: in this version agents do not restart"),
        not_built("hang-up", "leave the event out: in this version a call lasts until the run ends"),
    ],
};
