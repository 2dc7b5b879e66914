//! Where `rtc-ice` and `rtc-turn` 0.21 depart from the RFCs.

use super::super::Deviation;

/// What rtc 0.21.1 does otherwise, as read in its source.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        id: "no-pacing",
        rfc: "RFC 8445 §14.2, §6.1.4.2",
        what: "all pairs are checked at once, each 200 ms and whenever a candidate is added; all servers are asked at once",
        effect: "several times the packets of a paced agent, in bursts",
    },
    Deviation {
        id: "checks-end-early",
        rfc: "RFC 8445 §14.3",
        what: "a pair fails after eight checks 200 ms apart, each with a new transaction id",
        effect: "a path that opens later than about 1.6 s after the pair was formed may never be found",
    },
    Deviation {
        id: "lite-agents-check",
        rfc: "RFC 8445 §2.5, §7.3.1.4",
        what: "a lite agent checks each pair on which a check arrives, and selects one only after its own check succeeded",
        effect: "it connects a round trip later than one that only answers",
    },
    Deviation {
        id: "no-frozen-pairs",
        rfc: "RFC 8445 §6.1.2.6",
        what: "pairs start in the state Waiting, whatever their foundation",
        effect: "none with a single component beyond those of no pacing",
    },
    Deviation {
        id: "reflexive-pairs-not-pruned",
        rfc: "RFC 8445 §6.1.2.4",
        what: "server-reflexive local candidates form pairs beside those of their base",
        effect: "their checks leave from the same socket twice; answers count for the host candidate's pair",
    },
    Deviation {
        id: "acceptance-waits",
        rfc: "RFC 8445 §8.1.1",
        what: "a pair is nominated 0, 500, 1000 or 2000 ms after checks began if an end is host, srflx, prflx or relay",
        effect: "a call that needs a NAT traversed or a relay connects that much later, and is more often direct",
    },
    Deviation {
        id: "nomination-never-withdrawn",
        rfc: "RFC 8445 §7.2.5.2, §8.1.1",
        what: "a nominating check is repeated each 200 ms until it succeeds, and no other pair is tried meanwhile",
        effect: "if the nominated pair dies before it is selected, the call fails although other pairs are valid",
    },
    Deviation {
        id: "no-triggered-checks-when-controlling",
        rfc: "RFC 8445 §7.3.1.4",
        what: "a controlling agent answers a check on a known pair without checking that pair itself",
        effect: "it goes on with the next round; a failed pair stays failed even if the peer's checks arrive",
    },
    Deviation {
        id: "local-prflx-never-created",
        rfc: "RFC 8445 §7.2.5.3.1",
        what: "the mapped address in a response is ignored",
        effect: "the local end of a selected pair is never called prflx; its priority is that of its base",
    },
    Deviation {
        id: "prflx-priority-own",
        rfc: "RFC 8445 §7.1.1, §7.3.1.3",
        what: "PRIORITY holds the local candidate's own priority and is not read: a peer-reflexive one gets 1862270975",
        effect: "the two agents may rank pairs differently, and relays behind peer-reflexive addresses too high",
    },
    Deviation {
        id: "prflx-not-replaced",
        rfc: "RFC 8838 §11",
        what: "a signalled candidate whose address is known as peer-reflexive becomes a second candidate",
        effect: "the remote end of a selected pair may be called prflx, and is accepted only after 1000 ms",
    },
    Deviation {
        id: "role-conflict-response-ignored",
        rfc: "RFC 8445 §7.2.5.1",
        what: "487 responses are discarded; only the agent that gets a conflicting request may switch roles",
        effect: "a role conflict ends one check later, or never if that agent's requests are lost",
    },
    Deviation {
        id: "role-conflict-before-authentication",
        rfc: "RFC 8445 §7.3, §7.3.1.1",
        what: "a conflict is dealt with before MESSAGE-INTEGRITY is checked; both agents answer with 487 and then with a success",
        effect: "a forged request can switch an agent's role; a conflicting check has two answers",
    },
    Deviation {
        id: "early-checks-discarded",
        rfc: "RFC 8445 §7.3",
        what: "checks that arrive before the peer's description are discarded",
        effect: "a valid pair is found later if signalling is slower than the network",
    },
    Deviation {
        id: "response-path-unchecked-locally",
        rfc: "RFC 8445 §7.2.5.2.1",
        what: "a response has to come from where the request went, but may come to another local candidate",
        effect: "a pair may succeed whose responses take a relay that its requests did not",
    },
    Deviation {
        id: "consent-by-any-packet",
        rfc: "RFC 7675 §5.1",
        what: "a check each 2 s, not randomised; anything the peer sends, data included, renews consent",
        effect: "consent lasts while data arrive, even if no check is answered",
    },
    Deviation {
        id: "no-keepalive-while-waiting",
        rfc: "RFC 8445 §5.1.1.4",
        what: "nothing keeps the mappings behind server-reflexive candidates alive until checks begin",
        effect: "they may be gone if the answer takes longer than a NAT remembers",
    },
    Deviation {
        id: "equal-local-preferences",
        rfc: "RFC 8445 §5.1.2.1, RFC 8421 §4",
        what: "every candidate has the local preference 65535, whatever its address family",
        effect: "several candidates of one type have equal priorities; the first one found wins, which may be IPv4",
    },
    Deviation {
        id: "named-candidates-paired-with-relays",
        rfc: "draft-ietf-mmusic-mdns-ice-candidates §3.3.2",
        what: "relayed candidates are paired with the peer's that have mDNS names; the lab lets none of those checks out",
        effect: "such pairs fail unheard",
    },
    Deviation {
        id: "foundation-by-address",
        rfc: "RFC 8445 §5.1.1.3",
        what: "a foundation is a checksum of the candidate's own type and address, not of its base and server",
        effect: "none: nothing is frozen",
    },
    Deviation {
        id: "port-5353-is-mdns",
        rfc: "RFC 8445 §7.3",
        what: "datagrams from port 5353 are taken for mDNS, and so discarded",
        effect: "a peer whose NAT maps it to that port is not heard",
    },
    Deviation {
        id: "stun-rto-200ms",
        rfc: "RFC 8489 §6.2.1",
        what: "requests to servers are repeated after 200 ms, doubling up to 1.6 s, and given up after 7.8 s",
        effect: "a slow server gets more requests, and gathering ends after 7.8 s instead of 39.5 s",
    },
    Deviation {
        id: "turn-answers-unverified",
        rfc: "RFC 8489 §9.2.5",
        what: "MESSAGE-INTEGRITY of a TURN server's answers is not looked at",
        effect: "who can forge the server's address and a transaction id can answer in its place",
    },
    Deviation {
        id: "stale-nonce-not-repeated",
        rfc: "RFC 8489 §9.2.5",
        what: "after a 438, an Allocate is given up, and a Refresh or a refresh of permissions waits for its next turn",
        effect: "an allocation of 600 s whose Refresh meets a stale nonce expires just before the next one",
    },
    Deviation {
        id: "refresh-after-437",
        rfc: "RFC 8656 §7.4",
        what: "an allocation of which the server knows nothing (437) is refreshed again and again, never given up",
        effect: "a relay whose NAT mapping expired while it was not in use stays a candidate, and nothing passes it",
    },
    Deviation {
        id: "permission-per-port",
        rfc: "RFC 8656 §9",
        what: "permissions are known by transport address instead of IP address",
        effect: "one CreatePermission for each remote candidate; a new port of a known peer waits for another one",
    },
    Deviation {
        id: "local-candidates-never-removed",
        rfc: "RFC 8445 §8.3",
        what: "there is no way to take one local candidate back, as where its interface is gone",
        effect: "a pair whose own end is gone is noticed after 5 s of silence, and fails 25 s later",
    },
    Deviation {
        id: "no-ipv6-relay",
        rfc: "RFC 8656 §7.1",
        what: "an Allocate request never asks for an address family",
        effect: "relayed addresses are IPv4, and asked for over IPv6 still are; there is no relay for an IPv6 peer",
    },
    Deviation {
        id: "no-nat64-remotes",
        rfc: "RFC 8445 §5.1.1.2, RFC 7050 §3",
        what: "behind a NAT64 the prefix is not looked for, and the peer's IPv4 addresses are not turned into IPv6 ones",
        effect: "a host with IPv6 alone checks none of its peer's IPv4 candidates; the peer's relay is not recognized as one",
    },
];
