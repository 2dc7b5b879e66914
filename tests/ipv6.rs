//! IPv6 in whole runs: dual stacks, firewalls instead of NATs, servers of both families.

mod common;

use common::{plan_of_file, plan_of_text};
use punchlab::engine::{RunOptions, run};
use punchlab::outcome::{Outcome, simulate};
use punchlab::plan::{DropReason, Element, Family, Path, Plan, StackKind};
use punchlab::trace::{AgentEvent, EventKind, Trace};
use punchlab::wire::Signal;

const STACKS: [StackKind; 2] = [StackKind::Is, StackKind::Rtc];

fn outcome_of(plan: &Plan) -> Outcome {
    let options = RunOptions { record: true, ..RunOptions::default() };
    simulate(plan, &options).expect("a run").1
}

fn trace_of(plan: &Plan) -> Trace {
    let options = RunOptions { record: true, ..RunOptions::default() };
    run(plan, &options).expect("a run").trace.expect("a trace")
}

/// The same plan with these stacks, in the order of its peers.
fn with_stacks(mut plan: Plan, stacks: [StackKind; 2]) -> Plan {
    let peers = plan.topology.nodes_mut().filter_map(|node| match &mut node.element {
        Element::Peer(peer) => Some(peer),
        _ => None,
    });
    for (peer, stack) in peers.zip(stacks) {
        peer.agent = stack;
    }
    plan
}

fn mixes() -> impl Iterator<Item = [StackKind; 2]> {
    STACKS.into_iter().flat_map(|first| STACKS.map(|second| [first, second]))
}

#[test]
fn ipv6_connects_two_homes_directly_with_any_seed_and_any_two_stacks() {
    let file = std::path::Path::new("scenarios/dual-stack-ipv6-firewall.nat.yaml");
    for seed in 1..=50 {
        for stacks in mixes().take(if seed <= 8 { 4 } else { 1 }) {
            let outcome = outcome_of(&with_stacks(plan_of_file(file, seed), stacks));
            let call = &outcome.calls[0];
            assert_eq!((call.path, call.family), (Path::Direct, Some(Family::Ipv6)), "{seed} {stacks:?}");
            assert_eq!(call.first_path, None, "{seed} {stacks:?}");
            assert!(outcome.ok, "{seed} {stacks:?}: {:?}", outcome.expectations);
        }
    }
}

/// A dual-stack host of which the other side can use one family only.
fn half(families: &str, ipv6: &str) -> String {
    format!(
        "nats: {{ home: {{ type: port-restricted-cone, ipv6: {ipv6} }} }}
servers: {{ stun: {{ stun: 3478/udp, ipv6: true }} }}
peers:
  alice: {{ behind: home }}
  bob: {{ families: {families} }}
calls: [alice -> bob]
"
    )
}

#[test]
fn a_dual_stack_host_meets_both_kinds_of_peer() {
    for stacks in mixes() {
        for (families, path, family) in
            [("[ipv4]", Path::Stun, Family::Ipv4), ("[ipv6]", Path::Direct, Family::Ipv6)]
        {
            let text = half(families, "{ prefix: \"2001:db8:a::/64\" }");
            let outcome = outcome_of(&with_stacks(plan_of_text(&text, 1), stacks));
            let call = &outcome.calls[0];
            assert_eq!((call.path, call.family), (path, Some(family)), "{families} {stacks:?}");
        }
    }
}

#[test]
fn where_ipv6_is_broken_ipv4_connects() {
    // The firewall has forgotten a flow before its answer can come.
    let text = half("[ipv4, ipv6]", "{ prefix: \"2001:db8:a::/64\", udp-timeout: 1ms }");
    for stacks in mixes() {
        let outcome = outcome_of(&with_stacks(plan_of_text(&text, 1), stacks));
        let call = &outcome.calls[0];
        assert_eq!((call.path, call.family), (Path::Stun, Some(Family::Ipv4)), "{stacks:?}");
    }
}

#[test]
fn families_are_never_paired() {
    let text = half("[ipv4, ipv6]", "{ prefix: \"2001:db8:a::/64\" }");
    for stacks in mixes() {
        let trace = trace_of(&with_stacks(plan_of_text(&text, 1), stacks));
        for (_, packet) in trace.packets.iter() {
            let flow = packet.flow;
            assert_eq!(flow.source.is_ipv4(), flow.destination.is_ipv4(), "{stacks:?}: {flow:?}");
        }
    }
}

/// RFC 8421 §4: IPv6 and IPv4 take turns, IPv6 first, and no two candidates have the same priority.
#[test]
fn candidates_of_two_families_take_turns() {
    let text = half("[ipv4, ipv6]", "{ prefix: \"2001:db8:a::/64\" }");
    let trace = trace_of(&plan_of_text(&text, 1));
    let told = trace.events.iter().find_map(|event| match &event.kind {
        EventKind::Signalled { signal: Signal::Offer(description), .. } => Some(&description.candidates),
        _ => None,
    });
    let priorities = told
        .expect("an offer")
        .iter()
        .map(|candidate| (candidate.address.is_ipv6(), candidate.priority >> 8 & 0xffff));
    let mut priorities: Vec<_> = priorities.collect();
    priorities.sort();
    assert_eq!(priorities, [(false, 65_534), (true, 65_535)]);
}

/// What a firewall box does to IPv4, the IPv6 side of a NAT does to IPv6.
#[test]
fn a_nat_with_ipv6_is_a_firewall_to_it() {
    let filterings = ["endpoint-independent", "address-dependent", "address-and-port-dependent"];
    let fate = |text: &str| {
        let outcome = outcome_of(&plan_of_text(text, 1));
        let call = &outcome.calls[0];
        let drops: Vec<_> = outcome.drops.iter().map(|drop| (drop.reason, drop.count)).collect();
        (call.path, call.connected_ms, drops)
    };
    for a in filterings {
        for b in filterings {
            let rest = "signalling: { delay: 200ms }\ncalls: [alice -> bob]\n";
            let ipv6 = fate(&format!(
                "nats:
  a: {{ type: symmetric, ipv6: {{ prefix: \"2001:db8:a::/64\", filtering: {a} }} }}
  b: {{ type: symmetric, ipv6: {{ prefix: \"2001:db8:b::/64\", filtering: {b} }} }}
peers:
  alice: {{ behind: a, families: [ipv6] }}
  bob: {{ behind: b, families: [ipv6] }}
{rest}"
            ));
            let ipv4 = fate(&format!(
                "firewalls:
  a: {{ filtering: {a} }}
  b: {{ filtering: {b} }}
peers:
  alice: {{ behind: a }}
  bob: {{ behind: b }}
{rest}"
            ));
            assert_eq!(ipv6, ipv4, "{a} x {b}");
            assert_eq!(ipv6.0, Path::Direct);
        }
    }
}

/// Two IPv6-only homes that may use relays only.
fn relayed(turn: &str) -> String {
    format!(
        "nats:
  a: {{ type: symmetric, ipv6: {{ prefix: \"2001:db8:a::/64\" }} }}
  b: {{ type: symmetric, ipv6: {{ prefix: \"2001:db8:b::/64\" }} }}
servers: {{ turn: {{ turn: 3478/udp, {turn} }} }}
peers:
  alice: {{ behind: a, families: [ipv6], ice-transport-policy: relay }}
  bob: {{ behind: b, families: [ipv6] }}
calls: [alice -> bob]
"
    )
}

#[test]
fn a_turn_server_with_ipv6_relays_it() {
    let outcome = outcome_of(&plan_of_text(&relayed("ipv6: true"), 1));
    let call = &outcome.calls[0];
    assert_eq!((call.path, call.family), (Path::Relay, Some(Family::Ipv6)), "{}", call.why);
}

#[test]
fn a_server_without_ipv6_is_trouble_to_a_host_without_ipv4() {
    let plan = plan_of_text(&relayed("address: 192.0.2.9"), 1);
    assert_eq!(outcome_of(&plan).calls[0].path, Path::Failed);
    let trace = trace_of(&plan);
    let troubles = trace.events.iter().filter_map(|event| match &event.kind {
        EventKind::Agent { event: AgentEvent::Trouble(text), .. } => Some(text.as_str()),
        _ => None,
    });
    let family =
        |trouble: &str| trouble.starts_with("turn server 192.0.2.9:3478") && trouble.contains("family");
    assert!(troubles.clone().any(family), "{:?}", troubles.collect::<Vec<_>>());
}

#[test]
fn a_uri_names_the_addresses_that_both_sides_have_or_the_one_it_spells_out() {
    let text = "servers: { stun: { stun: 3478/udp, ipv6: true } }
peers:
  both: { families: [ipv4, ipv6], ice-servers: [stun:stun] }
  new: { families: [ipv6], ice-servers: [stun:stun] }
  old: { ice-servers: [stun:stun] }
  one: { families: [ipv4, ipv6], ice-servers: [\"stun:[2001:db8:5::1]:3478\"] }
calls: [both -> new, old -> one]
";
    let plan = plan_of_text(text, 1);
    let known = |name: &str| -> Vec<String> {
        let node = plan.topology.find(name).expect("a node");
        let Element::Peer(peer) = &plan.topology.node(node).element else { panic!("{name} is no peer") };
        peer.ice_servers.iter().map(|server| server.address.to_string()).collect()
    };
    assert_eq!(known("both"), ["[2001:db8:5::1]:3478", "192.0.2.1:3478"]);
    assert_eq!(known("new"), ["[2001:db8:5::1]:3478"]);
    assert_eq!(known("old"), ["192.0.2.1:3478"]);
    assert_eq!(known("one"), ["[2001:db8:5::1]:3478"]);
}

#[test]
fn ipv6_passes_nested_nats_that_carry_it_and_firewalls() {
    let text = "nats:
  carrier: { type: symmetric, ipv6: { prefix: \"2001:db8:c::/64\" } }
  home: { type: symmetric, behind: guard, ipv6: { prefix: \"2001:db8:a::/64\" } }
firewalls: { guard: { behind: carrier } }
peers:
  alice: { behind: home }
  neighbour: { behind: carrier }
  bob: { families: [ipv6] }
calls: [alice -> bob, alice -> neighbour]
";
    let outcome = outcome_of(&plan_of_text(text, 1));
    for call in &outcome.calls {
        assert_eq!((call.path, call.family), (Path::Direct, Some(Family::Ipv6)), "{}", call.why);
    }
}

#[test]
fn hosts_behind_one_box_meet_inside() {
    let text = "nats: { home: { type: symmetric, ipv6: { prefix: \"2001:db8:a::/64\" } } }
peers:
  alice: { behind: home, address: [10.0.1.9, \"2001:db8:a::9\"] }
  bob: { behind: home }
calls: [alice -> bob]
";
    let outcome = outcome_of(&plan_of_text(text, 1));
    let call = &outcome.calls[0];
    assert_eq!((call.path, call.family), (Path::Direct, Some(Family::Ipv6)));
    assert!(call.why.contains("share the network behind home"), "{}", call.why);
    assert!(
        outcome.drops.iter().all(|drop| drop.reason != DropReason::FirewallInbound),
        "{:?}",
        outcome.drops
    );
}
