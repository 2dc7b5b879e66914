//! IPv6-only networks: NAT64, the DNS64 model and 464XLAT (RFC 6146, RFC 6147, RFC 6877).

mod common;

use common::plan_of_text;
use common::tshark::{tshark, tshark_is_here};
use punchlab::engine::{RunOptions, run};
use punchlab::outcome::{Outcome, simulate};
use punchlab::plan::{CandidateType, Element, Family, Path, Plan, StackKind};
use punchlab::report::capture;
use punchlab::trace::{AgentEvent, EventKind, Trace};
use punchlab::wire::Body;

fn outcome_of(plan: &Plan) -> Outcome {
    let options = RunOptions { record: true, ..RunOptions::default() };
    simulate(plan, &options).expect("a run").1
}

fn trace_of(plan: &Plan) -> Trace {
    let options = RunOptions { record: true, ..RunOptions::default() };
    run(plan, &options).expect("a run").trace.expect("a trace")
}

/// A phone behind a NAT64 that calls a home with IPv4 alone.
fn phone(filtering: &str, phone: &str, servers: &str) -> String {
    format!(
        "nats:
  carrier:
    mapping: endpoint-independent
    filtering: {filtering}
    ipv6: {{ prefix: \"2001:db8:a::/64\" }}
    nat64: {{ prefix: \"64:ff9b::/96\" }}
  home: port-restricted-cone
servers: {{ stun: {{ stun: 3478/udp, address: 192.0.2.1 }}{servers} }}
peers:
  phone: {{ behind: carrier{phone} }}
  bob: {{ behind: home }}
calls: [phone -> bob]
"
    )
}

const TURN: &str = ", turn: { turn: 3478/udp, address: 192.0.2.9 }";
const CLAT: &str = ", clat: true";

/// Every mix of stacks on the two sides.
fn mixes() -> impl Iterator<Item = [StackKind; 2]> {
    let kinds = StackKind::ALL;
    kinds.iter().flat_map(|a| kinds.iter().map(|b| [*a, *b]))
}

fn with_stacks(mut plan: Plan, stacks: [StackKind; 2]) -> Plan {
    let mut stacks = stacks.into_iter();
    for node in plan.topology.nodes_mut() {
        if let Element::Peer(peer) = &mut node.element {
            peer.agent = stacks.next().unwrap_or(peer.agent);
        }
    }
    plan
}

fn fate(text: &str, stacks: [StackKind; 2]) -> (Path, Option<Family>, String) {
    let call = outcome_of(&with_stacks(plan_of_text(text, 1), stacks)).calls.remove(0);
    (call.path, call.family, call.why)
}

#[test]
fn who_may_send_first_decides() {
    let cells = [
        ("endpoint-independent", "", "", Path::Stun),
        ("endpoint-independent", "", TURN, Path::Stun),
        ("endpoint-independent", CLAT, "", Path::Stun),
        ("endpoint-independent", CLAT, TURN, Path::Stun),
        ("address-dependent", "", "", Path::Failed),
        ("address-dependent", "", TURN, Path::Relay),
        ("address-dependent", CLAT, "", Path::Stun),
    ];
    for (filtering, clat, turn, expected) in cells {
        for stacks in mixes() {
            let (path, _, why) = fate(&phone(filtering, clat, turn), stacks);
            assert_eq!(path, expected, "{filtering}{clat}{turn} {stacks:?}: {why}");
        }
    }
}

/// A relay is seen at an address nobody told of and passes for the peer's own. Whether it is preferred is up to the stacks.
#[test]
fn a_relay_may_pass_for_the_peer_itself() {
    let text = phone("address-dependent", CLAT, TURN);
    for stacks in mixes() {
        let (path, _, why) = fate(&text, stacks);
        assert!([Path::Stun, Path::Relay].contains(&path), "{stacks:?}");
        let told = why.contains("takes that for an address of bob's own");
        assert_eq!(told, path == Path::Relay, "{stacks:?}: {why}");
    }
    assert_eq!(fate(&text, [StackKind::Is; 2]).0, Path::Relay);
}

#[test]
fn each_translation_counts_as_one_nat() {
    let hops = |clat: &str, filtering: &str| {
        let call = outcome_of(&plan_of_text(&phone(filtering, clat, ""), 1)).calls.remove(0);
        (call.nat_hops["phone"], call.nat_hops["bob"], call.family)
    };
    assert_eq!(hops("", "endpoint-independent"), (1, 1, Some(Family::Ipv6)));
    assert_eq!(hops(CLAT, "address-dependent"), (2, 1, Some(Family::Ipv4)));
}

/// No packet has addresses of two families, whatever happens to it, nor does what an error quotes when it is sent.
#[test]
fn packets_never_mix_families() {
    for filtering in ["endpoint-independent", "address-dependent"] {
        for clat in ["", CLAT] {
            for stacks in mixes() {
                let text = phone(filtering, clat, TURN);
                let trace = trace_of(&with_stacks(plan_of_text(&text, 1), stacks));
                let hops = trace.events.iter().filter_map(|event| match &event.kind {
                    EventKind::Departed(hop) | EventKind::Arrived(hop) => Some(hop.flow),
                    EventKind::Dropped { flow, .. } => Some(*flow),
                    _ => None,
                });
                let quoted = trace.packets.iter().filter_map(|(_, packet)| match &packet.body {
                    Body::Icmp(icmp) => {
                        assert_eq!(icmp.quoted.source.is_ipv4(), packet.flow.source.is_ipv4());
                        Some(icmp.quoted)
                    }
                    _ => None,
                });
                for flow in hops.chain(quoted) {
                    assert_eq!(flow.source.is_ipv4(), flow.destination.is_ipv4(), "{stacks:?}: {flow}");
                }
            }
        }
    }
}

fn servers_of(text: &str, name: &str) -> Vec<String> {
    let plan = plan_of_text(text, 1);
    let node = plan.topology.find(name).expect("a node");
    let Element::Peer(peer) = &plan.topology.node(node).element else { panic!("{name} is no peer") };
    peer.ice_servers.iter().map(|server| server.address.to_string()).collect()
}

/// RFC 6147: an address is made up where a name has none, and an address in a URI stays what it is.
#[test]
fn names_are_translated_and_addresses_are_not() {
    let uses = |peer: &str| {
        let text = phone("address-dependent", peer, TURN);
        servers_of(&text, "phone")
    };
    assert_eq!(uses(", ice-servers: [stun:stun]"), ["[64:ff9b::c000:201]:3478"]);
    assert_eq!(uses(", ice-servers: ['stun:192.0.2.1']"), ["192.0.2.1:3478"]);
    assert_eq!(
        uses(", clat: true, ice-servers: [stun:stun]"),
        ["[64:ff9b::c000:201]:3478", "192.0.2.1:3478"]
    );

    let both = phone("address-dependent", "", "")
        .replace("stun: 3478/udp, address: 192.0.2.1", "stun: 3478/udp, ipv6: true");
    assert_eq!(
        servers_of(&both, "phone"),
        ["[2001:db8:5::1]:3478"],
        "a name that has an address gets no other"
    );
}

#[test]
fn a_literal_is_trouble_without_a_translator_and_works_with_one() {
    let text =
        |clat: &str| phone("address-dependent", &format!("{clat}, ice-servers: ['stun:192.0.2.1']"), "");
    for stacks in mixes() {
        let trace = trace_of(&with_stacks(plan_of_text(&text(""), 1), stacks));
        let troubled = trace.events.iter().any(|event| {
            matches!(&event.kind, EventKind::Agent { event: AgentEvent::Trouble(text), .. }
                if text.starts_with("stun server 192.0.2.1:3478") && text.contains("family"))
        });
        assert!(troubled, "{stacks:?}");
        assert_eq!(fate(&text(CLAT), stacks).0, Path::Stun);
    }
}

/// RFC 6146 §3.8: what two phones send to each other's outside addresses turns round at the NAT64.
#[test]
fn two_phones_meet_behind_one_nat64() {
    let text = "nats:
  carrier:
    mapping: endpoint-independent
    filtering: endpoint-independent
    hairpinning: external-source
    ipv6: { prefix: \"2001:db8:a::/64\" }
    nat64: { prefix: \"64:ff9b::/96\" }
servers: { stun: { stun: 3478/udp } }
peers:
  alice: { behind: carrier, clat: true }
  bob: { behind: carrier, clat: true }
calls: [alice -> bob]
";
    for stacks in mixes() {
        let (path, family, why) = fate(text, stacks);
        assert_eq!((path, family), (Path::Direct, Some(Family::Ipv6)), "{why}");
    }
    let plan = plan_of_text(text, 1);
    let trace = trace_of(&plan);
    let outside = plan.topology.node(plan.topology.find("carrier").expect("a node")).addresses[0];
    let turned_round = trace.events.iter().any(|event| match &event.kind {
        EventKind::Departed(hop) => {
            plan.name_of(hop.node) == "carrier"
                && hop.port.index() > 0
                && hop.flow.source.ip()
                    == format!("64:ff9b::{outside}").parse::<std::net::IpAddr>().expect("an address")
        }
        _ => false,
    });
    assert!(turned_round, "no check came back from {outside}");
}

#[test]
fn a_nat64_with_an_ipv4_inside_is_a_nat_too() {
    let text = "nats:
  carrier: { type: full-cone, inside: 10.7.0.0/24, ipv6: { prefix: \"2001:db8:a::/64\" }, nat64: { prefix: 64:ff9b::/96 } }
servers: { stun: { stun: 3478/udp } }
peers:
  both: { behind: carrier }
  new: { behind: carrier, families: [ipv6] }
  bob: {}
calls: [both -> bob, new -> bob]
";
    let outcome = outcome_of(&plan_of_text(text, 1));
    let found: Vec<_> = outcome.calls.iter().map(|call| (call.path, call.family)).collect();
    assert_eq!(found, [(Path::Stun, Some(Family::Ipv4)), (Path::Stun, Some(Family::Ipv6))]);
}

/// An IPv6 home router before its hosts, and the carrier's NAT64 before that.
#[test]
fn a_home_behind_a_nat64_reaches_it_through_its_firewall() {
    let text = "nats:
  carrier: { type: full-cone, inside: 100.64.0.0/16, ipv6: { prefix: \"2001:db8:c::/64\" }, nat64: { prefix: 64:ff9b::/96 } }
  home: { type: symmetric, behind: carrier, ipv6: { prefix: \"2001:db8:a::/64\" } }
servers: { stun: { stun: 3478/udp }, turn: { turn: 3478/udp } }
peers:
  alice: { behind: home, families: [ipv6] }
  bob: {}
calls: [alice -> bob]
";
    let call = outcome_of(&plan_of_text(text, 1)).calls.remove(0);
    assert_eq!(call.path, Path::Relay, "{}", call.why);
    assert!(call.why.contains("at home (firewall-inbound)"), "{}", call.why);
}

#[test]
fn events_reach_the_link_of_a_host_with_a_translator() {
    let text = phone("address-dependent", CLAT, "")
        + "duration: 5s
events:
  - { at: 1s, set-link: { phone: { up: false } } }
";
    let plan = plan_of_text(&text, 1);
    let trace = trace_of(&plan);
    let last = trace.events.iter().rev().find_map(|event| match &event.kind {
        EventKind::Dropped { drop, .. } => Some(drop.reason.to_string()),
        _ => None,
    });
    assert_eq!(last.as_deref(), Some("link-down"));
}

/// RFC 7915 §4.2, §5.2: errors are translated by every translator on their way, and so is what they quote.
#[test]
fn errors_reach_a_host_with_a_translator_and_can_be_read_everywhere() {
    let text = phone("address-dependent", CLAT, "")
        .replace("home: port-restricted-cone", "home: { type: port-restricted-cone, unsolicited: icmp }");
    let plan = plan_of_text(&text, 1);
    let trace = trace_of(&plan);
    let phone = plan.topology.find("phone").expect("a node");
    let is_error =
        |packet| matches!(trace.packets.get(packet), Some(record) if matches!(record.body, Body::Icmp(_)));
    let arrived = trace.events.iter().any(|event| match &event.kind {
        EventKind::Delivered { packet, node } => *node == phone && is_error(*packet),
        _ => false,
    });
    assert!(arrived, "no error reached the phone");

    let mut bytes = Vec::new();
    capture::write(&mut bytes, &plan, 1, &trace).expect("memory");
    if tshark_is_here() {
        let errors = [
            "-Y",
            "icmp || icmpv6",
            "-T",
            "fields",
            "-e",
            "_ws.malformed",
            "-e",
            "udp.srcport",
            "-e",
            "ipv6.addr",
            "-e",
            "ip.addr",
        ];
        let lines = tshark(bytes, &errors);
        for line in lines.lines().filter(|line| !line.is_empty()) {
            let [malformed, ports, ipv6, ipv4] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            assert!(malformed.is_empty() && !ports.is_empty(), "{line}");
            // Four addresses, the quoted two among them, all of one family.
            let addresses: Vec<_> = [ipv6, ipv4].into_iter().filter(|all| !all.is_empty()).collect();
            assert_eq!(addresses.len(), 1, "{line}");
            assert_eq!(addresses[0].split(',').count(), 4, "{line}");
        }
        assert!(lines.contains("64:ff9b::"), "{lines}");
    }
}

/// A client asks for a relay of its own family first; 440 tells it that the server behind the NAT64 has IPv4 alone.
#[test]
fn an_ipv6_socket_gets_an_ipv4_relay_of_a_server_that_has_no_other() {
    let text = phone("address-dependent", "", TURN);
    for stacks in mixes() {
        let plan = with_stacks(plan_of_text(&text, 1), stacks);
        let trace = trace_of(&plan);
        let told = |event: &AgentEvent| match event {
            AgentEvent::Gathered(candidate) => {
                candidate.kind == CandidateType::Relayed && candidate.address.is_ipv4()
            }
            AgentEvent::Trouble(text) => panic!("{stacks:?}: {text}"),
            _ => false,
        };
        let relays = trace.events.iter().filter(|event| match &event.kind {
            EventKind::Agent { event, .. } => told(event),
            _ => false,
        });
        assert_eq!(relays.count(), 2, "{stacks:?}: one each");
    }
}
