//! Where `is` 0.12 departs from the RFCs.

use super::super::Deviation;

/// What `is` 0.12.0 does otherwise, as read in its source.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        id: "response-source-unchecked",
        rfc: "RFC 8445 §7.2.5.2.1",
        what: "a check succeeds even if its response comes from another address than the request went to",
        effect: "pairs succeed whose two directions use different mappings: a direct path where others need a relay",
    },
    Deviation {
        id: "nomination-not-final",
        rfc: "RFC 8445 §8.1.1",
        what: "the best valid pair is nominated at once, and a better one later, without an ICE restart",
        effect: "the first selected pair may be a relayed one even where a direct path exists, and is left again",
    },
    Deviation {
        id: "unmirrored-pairs",
        rfc: "RFC 8445 §7.2.5.3.2, §8.1.1",
        what: "the controlled agent takes the nominated pair it ranks best, by the candidates it checked, not the last one",
        effect: "its host candidate is prflx or srflx to its peer: with two relays, each end may keep to the other's relay",
    },
    Deviation {
        id: "checks-go-on",
        rfc: "RFC 8445 §8.3, RFC 7675 §5.1",
        what: "every valid pair is checked at least each 3 s for ever, and dies after 9 unanswered checks",
        effect: "mappings of all valid pairs stay alive; a dead path is noticed after 21.5 s instead of 30 s",
    },
    Deviation {
        id: "initial-rto-250ms",
        rfc: "RFC 8445 §14.3",
        what: "a check is repeated after 250 ms, then 500 ms, up to 3 s, each time with a new transaction id",
        effect: "earlier and more checks, and up to 9 of them within 22 s instead of 7 within 39.5 s",
    },
    Deviation {
        id: "no-frozen-pairs",
        rfc: "RFC 8445 §6.1.2.6",
        what: "pairs start in the state Waiting, whatever their foundation",
        effect: "none with a single component; pairs are checked in another order",
    },
    Deviation {
        id: "no-triggered-checks",
        rfc: "RFC 8445 §7.3.1.4",
        what: "a check that arrives on a known pair does not trigger one in return: the pair's own repetition is awaited",
        effect: "a pair opened by the peer's check succeeds up to 3 s later",
    },
    Deviation {
        id: "early-checks-wait",
        rfc: "RFC 8445 §7.3",
        what: "checks that arrive before the peer's description are answered after it, not at once",
        effect: "a valid pair is found later if signalling is slower than the network",
    },
    Deviation {
        id: "tie-breaker-kept",
        rfc: "RFC 8445 §7.2.5.1",
        what: "the tie-breaker stays the same after a role conflict, and the check is not repeated at once",
        effect: "none between two agents with different tie-breakers",
    },
    Deviation {
        id: "relay-type-preference",
        rfc: "RFC 8445 §5.1.2.2",
        what: "relayed candidates over UDP have the type preference 2 instead of the recommended 0",
        effect: "none between agents that take the signalled priority; relayed pairs stay the last",
    },
    Deviation {
        id: "named-candidates-paired-with-relays",
        rfc: "draft-ietf-mmusic-mdns-ice-candidates §3.3.2",
        what: "relayed candidates are paired with the peer's that have mDNS names; the lab lets none of those checks out",
        effect: "such pairs fail unheard; checks of other pairs wait for their turns in between",
    },
    Deviation {
        id: "short-user-names",
        rfc: "RFC 8839 §5.4",
        what: "a USERNAME of more than 128 bytes cannot be written",
        effect: "a peer's user name fragment of more than 119 bytes is refused",
    },
    Deviation {
        id: "no-nat64-remotes",
        rfc: "RFC 8445 §5.1.1.2, RFC 7050 §3",
        what: "behind a NAT64 the prefix is not looked for, and the peer's IPv4 addresses are not turned into IPv6 ones",
        effect: "a host with IPv6 alone checks none of its peer's IPv4 candidates; the peer's relay is not recognized as one",
    },
];
