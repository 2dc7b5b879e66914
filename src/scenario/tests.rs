//! What plans come of scenarios.

mod cases;
mod consistency;
mod timers;

use std::net::IpAddr;

use super::*;
use crate::base::{PortRange, SimDuration};
use crate::plan::*;

const SYMMETRIC: &str = "\
name: symmetric x symmetric, TURN available
nats:
  nat-a: symmetric              # RFC 3489 name = mapping + filtering address-and-port-dependent
  nat-b: symmetric
servers:
  stun: { stun: [3478/udp] }
  turn: { turn: [3478/udp], users: { demo: secret } }
peers:
  alice: { behind: nat-a }
  bob:   { behind: nat-b }
calls:
  - alice -> bob
expect:
  path: relay
  within: 5s
";

const DOUBLE_NAT: &str = "\
nats:
  cgn:
    inside: 100.64.0.0/10
    outside: [203.0.113.10, 203.0.113.11]
    mapping: endpoint-independent
    filtering: endpoint-independent
    ip-pooling: paired
    max-ports-per-host: 512
    hairpinning: external-source
    udp-timeout: 30s
  hotspot: { behind: cgn, type: port-restricted-cone }
  home: port-restricted-cone
servers:
  stun: { stun: [3478/udp] }
  turn: { turn: [3478/udp] }
peers:
  alice: { behind: hotspot, link: lte }
  bob:   { behind: home, link: wifi }
calls: [alice -> bob]
expect:
  path: stun
  nat-hops: { alice: 2, bob: 1 }
  within: 3s
";

const SAME_LAN: &str = "\
nats:
  home: { type: port-restricted-cone, hairpinning: off }
servers:
  stun: { stun: [3478/udp] }
peers:
  alice: { behind: home }
  bob:   { behind: home }
calls: [alice -> bob]
expect: { path: direct, within: 500ms }
";

#[test]
fn a_short_file_is_complete() {
    let plan = plan(SYMMETRIC);
    assert_eq!(plan.name, "symmetric x symmetric, TURN available");
    assert_eq!(plan.seed, 1);
    assert_eq!(addresses(&plan, "nat-a"), ["203.0.113.1"]);
    assert_eq!(addresses(&plan, "nat-b"), ["198.51.100.1"]);
    assert_eq!(addresses(&plan, "stun"), ["192.0.2.1"]);
    assert_eq!(addresses(&plan, "turn"), ["192.0.2.2"]);
    assert_eq!(addresses(&plan, "alice"), ["10.0.1.2"]);
    assert_eq!(addresses(&plan, "bob"), ["10.0.2.2"]);
    assert_eq!(link(&plan, "alice").label.as_deref(), Some("lan"));
    assert_eq!(link(&plan, "nat-a").delay, SimDuration::from_millis(10));
    assert_eq!(link(&plan, "turn").delay, SimDuration::from_millis(5));
    assert!(plan.signalling.trickle);
    assert_eq!(plan.signalling.delay, SimDuration::from_millis(50));
}

#[test]
fn expectations_know_their_lines() {
    let plan = plan(SYMMETRIC);
    let path = Expectation { fact: ExpectedFact::Path(vec![Path::Relay]), line: 14 };
    let within = Expectation { fact: ExpectedFact::Within(SimDuration::from_secs(5)), line: 15 };
    assert_eq!(plan.expectations, [path, within]);
}

#[test]
fn peers_know_every_server_and_the_right_credentials() {
    let plan = plan(SYMMETRIC);
    let servers: Vec<_> = peer(&plan, "alice")
        .ice_servers
        .iter()
        .map(|server| (server.kind, server.address.to_string()))
        .collect();
    assert_eq!(
        servers,
        [(IceServerKind::Stun, "192.0.2.1:3478".into()), (IceServerKind::Turn, "192.0.2.2:3478".into())]
    );
    let login = peer(&plan, "bob").ice_servers[1].credentials.clone().expect("TURN needs credentials");
    assert_eq!((login.username.as_str(), login.password.as_str()), ("demo", "secret"));
}

#[test]
fn generated_users_are_one_for_each_peer() {
    let plan = plan(DOUBLE_NAT);
    let Element::Server(Server { turn: Some(turn), .. }) = element(&plan, "turn") else {
        panic!("a TURN server")
    };
    let names: Vec<_> = turn.users.iter().map(|user| user.username.as_str()).collect();
    assert_eq!(names, ["alice", "bob"]);
    let login = peer(&plan, "bob").ice_servers[1].credentials.as_ref();
    assert_eq!(login, Some(&turn.users[1]));
}

#[test]
fn axes_override_what_a_nat_starts_from() {
    let Element::Nat(nat) = element(&plan(DOUBLE_NAT), "cgn").clone() else { panic!("a NAT") };
    assert_eq!(nat.behavior.mapping, MappingBehavior::EndpointIndependent);
    assert_eq!(nat.behavior.ports.max_per_host, Some(512));
    assert_eq!(nat.behavior.hairpinning, Hairpinning::ExternalSource);
    assert_eq!(nat.behavior.lifetimes.udp, SimDuration::from_secs(30));
    assert_eq!(nat.inside.to_string(), "100.64.0.0/10");
    assert_eq!(nat.gateway.to_string(), "100.64.0.1");
}

#[test]
fn a_nat_behind_a_nat_has_an_outside_address_in_its_parents_network() {
    let plan = plan(DOUBLE_NAT);
    assert_eq!(addresses(&plan, "cgn"), ["203.0.113.10", "203.0.113.11"]);
    assert_eq!(addresses(&plan, "hotspot"), ["100.64.0.2"]);
    assert_eq!(addresses(&plan, "alice"), ["10.0.2.2"]);
    assert_eq!(plan.topology.ancestors(find(&plan, "alice")), [find(&plan, "hotspot"), find(&plan, "cgn")]);
    assert_eq!(link(&plan, "hotspot").delay, SimDuration::from_millis(2));
    assert_eq!(link(&plan, "alice").jitter, SimDuration::from_millis(10));
}

#[test]
fn peers_behind_one_nat_share_its_network() {
    let plan = plan(SAME_LAN);
    assert_eq!(addresses(&plan, "alice"), ["10.0.1.2"]);
    assert_eq!(addresses(&plan, "bob"), ["10.0.1.3"]);
    assert_eq!(
        plan.topology.node(find(&plan, "alice")).realm,
        plan.topology.node(find(&plan, "home")).inner_realm
    );
}

#[test]
fn what_is_behind_a_firewall_is_in_the_firewalls_own_network() {
    let plan = plan(
        "firewalls: { fw: { outbound: { allow: [53/udp, 80/tcp], action: reject } } }
nats: { open: none, sf: symmetric-firewall, home: { type: full-cone, behind: fw } }
peers: { a: { behind: fw }, b: { behind: open }, c: { behind: sf }, d: { behind: home } }
calls: [a -> b, c -> d: { at: 2s }]",
    );
    assert_eq!(addresses(&plan, "fw"), [""; 0]);
    assert_eq!(addresses(&plan, "home"), ["203.0.113.1"]);
    assert_eq!(addresses(&plan, "a"), ["198.51.100.1"]);
    assert_eq!(addresses(&plan, "b"), ["203.0.113.2"]);
    assert!(matches!(element(&plan, "open"), Element::Router));
    let Element::Firewall(firewall) = element(&plan, "sf") else { panic!("a firewall") };
    assert_eq!(firewall.filtering, FilteringBehavior::AddressAndPortDependent);
    let Element::Firewall(firewall) = element(&plan, "fw") else { panic!("a firewall") };
    assert_eq!((firewall.outbound.default, firewall.outbound.action), (Access::Deny, DenyAction::Reject));
    assert_eq!(plan.calls[1].at, crate::base::SimTime::from_millis(2_000));
}

#[test]
fn nodes_may_be_behind_what_the_file_names_later() {
    let plan = plan(
        "peers: { b: {}, a: { behind: inner } }\nnats: { inner: { type: symmetric, behind: outer }, outer: full-cone }\ncalls: [a -> b]",
    );
    assert_eq!(plan.topology.ancestors(find(&plan, "a")), [find(&plan, "inner"), find(&plan, "outer")]);
    assert_eq!(addresses(&plan, "inner"), ["10.0.2.2"]);
}

#[test]
fn explicit_addresses_are_taken_before_others_are_given_out() {
    let plan = plan(
        "nats: { n: { type: symmetric, inside: 192.168.7.0/29 } }
servers: { s: { stun: 3478/udp }, t: { turn: 3478/udp, addresses: [192.0.2.1, 192.0.2.3] } }
peers: { a: { behind: n }, b: { behind: n, address: 192.168.7.2 }, c: { address: 203.0.113.1 } }
calls: [a -> b]",
    );
    assert_eq!(addresses(&plan, "s"), ["192.0.2.2"]);
    assert_eq!(addresses(&plan, "t"), ["192.0.2.1", "192.0.2.3"]);
    assert_eq!(addresses(&plan, "a"), ["192.168.7.3"]);
    assert_eq!(addresses(&plan, "n"), ["203.0.113.2"]);
}

#[test]
fn a_default_network_avoids_the_ones_the_file_names_around_it() {
    let plan = plan(
        "nats: { cgn: { type: full-cone, inside: 10.0.0.0/8 }, home: { type: symmetric, behind: cgn } }\npeers: { a: { behind: home }, b: {} }\ncalls: [a -> b]",
    );
    assert_eq!(addresses(&plan, "home"), ["10.0.0.2"]);
    assert_eq!(addresses(&plan, "a"), ["192.168.2.2"]);
}

#[test]
fn many_public_nodes_overflow_into_the_benchmarking_range() {
    let nats: String = (0..600).map(|n| format!("  n{n}: symmetric\n")).collect();
    let plan = plan(&format!("nats:\n{nats}peers: {{ a: {{ behind: n599 }}, b: {{}} }}\ncalls: [a -> b]"));
    assert_eq!(addresses(&plan, "n507"), ["198.51.100.254"]);
    assert_eq!(addresses(&plan, "n508"), ["198.18.0.1"]);
    assert_eq!(addresses(&plan, "a"), ["10.2.88.2"]);
}

#[test]
fn webrtc_spellings_and_objects_are_understood() {
    let plan = plan(
        "servers: { t: { stun: 3478/udp, turn: [3478/udp, 5349/udp], host: turn.example.org, users: { u: p } } }
peers:
  a:
    iceServers: [{ urls: [stun:t, 'turn:turn.example.org:5349?transport=udp'], username: u, credential: wrong }]
    iceTransportPolicy: relay
  b: { ice-servers: [] }
calls: [a -> b]",
    );
    let servers = &peer(&plan, "a").ice_servers;
    assert_eq!(servers[0].credentials, None);
    assert_eq!(servers[1].address.to_string(), "192.0.2.1:5349");
    assert_eq!(servers[1].credentials.as_ref().map(|login| login.password.as_str()), Some("wrong"));
    assert_eq!(peer(&plan, "a").ice_transport_policy, IceTransportPolicy::Relay);
    assert!(peer(&plan, "b").ice_servers.is_empty());
}

#[test]
fn links_start_from_a_named_one_or_from_the_default_of_their_place() {
    let plan = plan(
        "peers: { a: { link: { type: lte, loss: 1% } }, b: { link: { rate: 20Mbps, queue: 50 } }, c: { link: satellite-geo } }
calls: [a -> b]",
    );
    assert_eq!(
        (link(&plan, "a").delay, link(&plan, "a").label.clone()),
        (SimDuration::from_millis(35), None)
    );
    assert_eq!(link(&plan, "a").loss.to_string(), "1%");
    assert_eq!((link(&plan, "b").delay, link(&plan, "b").queue), (SimDuration::from_millis(10), 50));
    assert_eq!(link(&plan, "c").label.as_deref(), Some("satellite-geo"));
}

#[test]
fn overrides_change_what_is_there_and_add_what_is_not() {
    let overrides = Overrides {
        set: [
            ("nats.nat-a", "full-cone"),
            ("nats.nat-b.port-range", "2000-3000"),
            ("peers.alice.link.delay", "20ms"),
            ("servers.stun.stun.0", "19302/udp"),
            ("calls.0", "bob -> alice"),
            ("duration", "9s"),
        ]
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .to_vec(),
        agent: Some(StackKind::Rtc),
        peer_agents: Vec::new(),
        seed: Some(7),
        own: Vec::new(),
        matrix: Vec::new(),
    };
    let plan = load(&Source::new("a.nat.yaml", SYMMETRIC), &overrides, &Limits::DEFAULT).expect("a plan");
    assert!(
        matches!(element(&plan, "nat-a"), Element::Nat(nat) if nat.behavior.filtering == FilteringBehavior::EndpointIndependent)
    );
    let Element::Nat(nat) = element(&plan, "nat-b") else { panic!("a NAT") };
    assert_eq!(nat.behavior.ports.range, PortRange::new(2_000, 3_000).expect("a range"));
    assert_eq!(nat.label.as_deref(), Some("symmetric"));
    assert_eq!(link(&plan, "alice").delay, SimDuration::from_millis(20));
    assert_eq!(peer(&plan, "bob").ice_servers[0].address.port(), 19_302);
    assert_eq!(plan.name_of(plan.calls[0].from), "bob");
    assert_eq!((plan.seed, plan.duration), (7, Some(SimDuration::from_secs(9))));
    assert_eq!(peer(&plan, "alice").agent, StackKind::Rtc);
}

#[test]
fn mistakes_in_overrides_point_at_the_override() {
    let message = |path: &str, value: &str| {
        let overrides = Overrides { set: vec![(path.into(), value.into())], ..Overrides::default() };
        load(&Source::new("a.nat.yaml", SYMMETRIC), &overrides, &Limits::DEFAULT)
            .expect_err("a mistake")
            .to_string()
    };
    assert!(
        message("peers.alice.link.delay", "20").contains("--> --set:1:24"),
        "{}",
        message("peers.alice.link.delay", "20")
    );
    assert!(message("peers.alise.behind", "nat-a; rm").contains("--set"));
    assert!(message("calls.3", "a -> b").contains("a number from 0 to 0"));
    assert!(message("seed.x", "1").contains("not a key") || message("seed.x", "1").contains("a map"));
    assert!(message("nats..x", "1").contains("nothing between the dots"));
    assert!(message("name.x", "1").contains("leads nowhere"));
    assert!(message("seed", "[1").contains("not YAML"));
}

#[test]
fn what_was_left_open_is_listed() {
    let plan = plan(SAME_LAN);
    let keys: Vec<_> = plan
        .assumptions
        .iter()
        .map(|assumption| format!("{}: {}", assumption.key, assumption.value))
        .collect();
    insta::assert_snapshot!(keys.join("\n"));
}

#[test]
fn reading_order_does_not_depend_on_hashing() {
    let text = "peers: { a: { behind: nat-x }, b: {} }\nnats: { nat-y: symmetric, nat-z: symmetric }\ncalls: [a -> b]";
    let first = rejection(text);
    assert!(first.contains("did you mean `nat-y`?"), "{first}");
    for _ in 0..20 {
        assert_eq!(rejection(text), first);
    }
}

#[test]
fn nicknames_print_as_a_nat_would_be_written() {
    for nickname in Nickname::ALL {
        let text = profiles::profile(nickname.word()).expect("a nickname");
        if let NicknameMeaning::Nat(behavior) = nickname.meaning() {
            let body: String = text.lines().map(|line| format!("    {line}\n")).collect();
            let plan = plan(&format!(
                "nats:\n  n:\n{body}peers: {{ a: {{ behind: n }}, b: {{}} }}\ncalls: [a -> b]"
            ));
            assert!(
                matches!(element(&plan, "n"), Element::Nat(nat) if nat.behavior == behavior),
                "{nickname}"
            );
        }
    }
}

#[test]
fn the_reference_states_the_defaults_that_are_taken() {
    let plan = plan(DOUBLE_NAT);
    let default = |section: &keys::Section, key: &str| section.key(key).map_or("", |key| key.default);
    for (key, value) in profiles::axes_of(&NatBehavior::new(
        MappingBehavior::EndpointIndependent,
        FilteringBehavior::EndpointIndependent,
    )) {
        let stated = default(&keys::NAT, key);
        assert!(
            stated.contains(&format!("`{value}`")) || stated == "from `type` or `profile`",
            "{key}: {value}"
        );
    }
    let mut checked = 0;
    for assumption in &plan.assumptions {
        let section = match assumption.key.split('.').next() {
            Some("servers") => &keys::SERVER,
            Some("peers") => &keys::PEER,
            Some("signalling") => &keys::SIGNALLING,
            _ => &keys::FILE,
        };
        let key = assumption.key.rsplit('.').next().unwrap_or_default();
        let stated = default(section, key);
        if stated.starts_with('`') && !stated.contains("ms") {
            assert!(
                stated.contains(&format!("`{}`", assumption.value)),
                "{}: {}",
                assumption.key,
                assumption.value
            );
            checked += 1;
        }
    }
    assert!(checked > 12, "{checked}");
}

#[test]
fn two_overrides_of_one_value_leave_the_later() {
    let overrides = Overrides {
        set: vec![("seed".into(), "5".into()), ("seed".into(), "6".into())],
        ..Overrides::default()
    };
    let plan = load(&Source::new("a.nat.yaml", SYMMETRIC), &overrides, &Limits::DEFAULT).expect("a plan");
    assert_eq!(plan.seed, 6);
}

#[test]
fn an_agent_for_one_peer_counts_more_than_one_for_all() {
    let overrides = Overrides {
        agent: Some(StackKind::Is),
        peer_agents: vec![("bob".into(), StackKind::Rtc)],
        ..Overrides::default()
    };
    let plan = load(&Source::new("a.nat.yaml", SYMMETRIC), &overrides, &Limits::DEFAULT).expect("a plan");
    assert_eq!([peer(&plan, "alice").agent, peer(&plan, "bob").agent], [StackKind::Is, StackKind::Rtc]);
}

#[test]
fn a_uri_may_name_any_address_of_a_server_given_or_not() {
    let plan = plan(
        "servers: { s: { stun: 3478/udp }, t: { stun: 3478/udp, addresses: [192.0.2.8, 192.0.2.9] } }\n\
         peers: { a: { ice-servers: [stun:192.0.2.1, stun:192.0.2.9, stun:t] }, b: {} }\ncalls: [a -> b]",
    );
    let addresses: Vec<String> =
        peer(&plan, "a").ice_servers.iter().map(|server| server.address.to_string()).collect();
    assert_eq!(addresses, ["192.0.2.1:3478", "192.0.2.9:3478", "192.0.2.8:3478"]);
}

#[test]
fn an_agent_for_nobody_is_refused() {
    let overrides = Overrides { peer_agents: vec![("bobb".into(), StackKind::Rtc)], ..Overrides::default() };
    let text = load(&Source::new("a.nat.yaml", SYMMETRIC), &overrides, &Limits::DEFAULT)
        .expect_err("no such peer")
        .to_string();
    assert!(text.contains("--agent:1:1") && text.contains("did you mean `bob`?"), "{text}");
}

#[test]
fn only_what_the_file_leaves_open_is_assumed() {
    let plan = plan(
        "nats: { n: { type: symmetric, ip-pooling: arbitrary, udp-timeout: 40s }, s: symmetric-firewall }\n\
         firewalls: { f: { inbound: deny } }\npeers: { a: { behind: n }, b: {} }\ncalls: [a -> b]",
    );
    let assumed =
        |key: &str| plan.assumptions.iter().find(|one| one.key == key).map(|one| one.value.as_str());
    let axes = assumed("nats.n").expect("the other axes");
    assert!(axes.contains("mapping: address-and-port-dependent"), "{axes}");
    assert!(!axes.contains("ip-pooling") && !axes.contains("udp-timeout:"), "{axes}");
    assert_eq!(assumed("nats.s.udp-timeout"), Some("120s"));
    assert_eq!(assumed("firewalls.f.filtering"), Some("address-and-port-dependent"));
    assert_eq!(assumed("firewalls.f.outbound.default"), Some("allow"));
    assert_eq!(assumed("firewalls.f.inbound"), None);
}

#[test]
fn a_plan_without_a_name_has_its_files() {
    assert_eq!(plan(DOUBLE_NAT).name, "test");
}

#[test]
fn a_path_that_would_colour_the_terminal_is_written_out() {
    let source = Source::new("\u{1b}[31m.nat.yaml", "peers: [");
    let text = load(&source, &Overrides::default(), &Limits::DEFAULT).expect_err("a mistake").to_string();
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

fn plan(text: &str) -> Plan {
    load(&Source::new("dir/test.nat.yaml", text), &Overrides::default(), &Limits::DEFAULT)
        .unwrap_or_else(|rejection| panic!("{rejection}"))
}

fn rejection(text: &str) -> String {
    load(&Source::new("test.nat.yaml", text), &Overrides::default(), &Limits::DEFAULT)
        .expect_err("a mistake")
        .to_string()
}

fn find(plan: &Plan, name: &str) -> crate::base::NodeId {
    plan.topology.find(name).expect("a node")
}

fn element<'p>(plan: &'p Plan, name: &str) -> &'p Element {
    &plan.topology.node(find(plan, name)).element
}

fn peer<'p>(plan: &'p Plan, name: &str) -> &'p Peer {
    match element(plan, name) {
        Element::Peer(peer) => peer,
        other => panic!("{name} is a {}", other.kind()),
    }
}

fn addresses(plan: &Plan, name: &str) -> Vec<String> {
    plan.topology.node(find(plan, name)).addresses.iter().map(IpAddr::to_string).collect()
}

fn link<'p>(plan: &'p Plan, name: &str) -> &'p Link {
    plan.topology.link(plan.topology.node(find(plan, name)).ports[0].link)
}
