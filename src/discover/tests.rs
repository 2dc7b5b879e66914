//! The client against servers that misbehave, and against the NATs of the simulation.

use std::net::SocketAddr;

use super::lab::{self, BoxDiscovery, Method};
use super::{Classic, Discovery, Findings, Options, Patience, SocketId, Want};
use crate::base::{Limits, Random, SimDuration, SimTime};
use crate::plan::{FilteringBehavior as F, Hairpinning, MappingBehavior as M, Plan, PortAssignment};
use crate::scenario::{self, Overrides, Source};
use crate::wire::stun::{Builder, Message, attribute, method};

const SERVER: &str = "198.51.100.1:3478";
const OTHER: &str = "198.51.100.2:3479";
const CLIENT: &str = "192.0.2.9";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// What a client without a NAT found out, and what it sent; `answers` are those to a request from a socket.
fn against(
    answers: impl Fn(SocketAddr, SocketAddr, &Message<'_>) -> Vec<(SocketAddr, Vec<u8>)>,
) -> (Findings, Vec<(SimTime, SocketAddr)>) {
    asking(Options::default(), answers)
}

fn asking(
    options: Options,
    answers: impl Fn(SocketAddr, SocketAddr, &Message<'_>) -> Vec<(SocketAddr, Vec<u8>)>,
) -> (Findings, Vec<(SimTime, SocketAddr)>) {
    let random = Random::stream(1, "client", "discovery");
    let mut discovery = Discovery::new(address(SERVER), options, random);
    let (mut now, mut sent, mut sockets) = (SimTime::ZERO, Vec::new(), 0);
    let mut open: Vec<(SocketId, SocketAddr)> = Vec::new();
    discovery.handle_timeout(now);
    loop {
        while let Some(want) = discovery.poll() {
            match want {
                Want::Open(id) => {
                    sockets += 1;
                    let local = SocketAddr::new(CLIENT.parse().expect("an address"), 50_000 + sockets);
                    open.push((id, local));
                    discovery.opened(now, id, local);
                }
                Want::Send { socket, to, payload } => {
                    sent.push((now, to));
                    let (_, local) = open.iter().find(|(id, _)| *id == socket).expect("an open socket");
                    let message = Message::parse(&payload).expect("a message");
                    for (from, answer) in answers(*local, to, &message) {
                        discovery.datagram(now, socket, from, &answer);
                    }
                }
            }
        }
        if let Some(findings) = discovery.findings() {
            return (findings.clone(), sent);
        }
        now = discovery.next_timeout().expect("something to wait for");
        discovery.handle_timeout(now);
    }
}

fn told(request: &Message<'_>, seen: SocketAddr) -> Builder {
    Builder::success(method::BINDING, request.transaction()).xor_mapped_address(seen)
}

#[test]
fn a_network_from_which_a_silent_server_is_asked_is_called_blocked() {
    let (findings, sent) = against(|_, _, _| Vec::new());
    assert_eq!((findings.classic, findings.mapped), (Some(Classic::Blocked), None));
    assert_eq!(sent.len(), 3);
}

#[test]
fn a_server_with_one_address_tells_the_external_endpoint_and_no_more() {
    let (findings, sent) = against(|_, to, request| {
        let seen = address("203.0.113.1:40000");
        vec![(to, told(request, seen).finish())]
    });
    assert_eq!(findings.mapped, Some(address("203.0.113.1:40000")));
    assert_eq!((findings.fresh.mapping, findings.fresh.filtering, findings.classic), (None, None, None));
    assert!(findings.notes[0].starts_with("the server has one address"), "{:?}", findings.notes);
    assert!(sent.iter().all(|(_, to)| *to == address(SERVER)));
}

#[test]
fn without_a_nat_mapping_is_endpoint_independent_even_if_the_server_has_one_address() {
    let (findings, _) = against(|local, to, request| vec![(to, told(request, local).finish())]);
    assert_eq!((findings.translated, findings.fresh.mapping), (Some(false), Some(M::EndpointIndependent)));
}

#[test]
fn a_server_that_ignores_what_it_is_asked_to_change_is_no_open_filter() {
    let (findings, _) =
        against(|local, to, request| vec![(to, told(request, local).other_address(address(OTHER)).finish())]);
    assert_eq!((findings.fresh.filtering, findings.classic), (None, None));
    assert!(findings.notes.iter().any(|note| note.starts_with("the filtering cannot be told")));
}

#[test]
fn a_server_that_refuses_change_request_leaves_filtering_open() {
    let (findings, _) = against(|local, to, request| {
        if request.has(attribute::CHANGE_REQUEST) {
            return vec![(to, Builder::error(method::BINDING, request.transaction(), 420).finish())];
        }
        vec![(to, told(request, local).other_address(address(OTHER)).finish())]
    });
    assert_eq!((findings.translated, findings.fresh.filtering), (Some(false), None));
}

/// Whoever does not see the requests does not know their ids, and whoever does is told by where he sends from.
#[test]
fn forged_answers_are_ignored() {
    let (findings, _) = against(|local, to, request| {
        let forged = Builder::success(method::BINDING, 7.into());
        let forged = forged.xor_mapped_address(address("203.0.113.66:6666")).finish();
        let elsewhere = told(request, address("203.0.113.66:6666")).finish();
        let request_back = Builder::request(method::BINDING, request.transaction()).finish();
        let answer = told(request, local).finish();
        vec![(to, forged), (address("203.0.113.66:3478"), elsewhere), (to, request_back), (to, answer)]
    });
    assert_eq!(findings.translated, Some(false));
}

#[test]
fn nothing_is_sent_to_a_private_address_that_a_public_server_names() {
    let (findings, sent) = against(|local, to, request| {
        vec![(to, told(request, local).other_address(address("192.168.1.1:53")).finish())]
    });
    assert!(sent.iter().all(|(_, to)| *to == address(SERVER)));
    assert!(findings.notes[0].contains("private address"), "{:?}", findings.notes);
}

/// RFC 5780 §5, and a bound on what a server can make a client send.
#[test]
fn at_most_ten_transactions_begin_in_a_second_and_there_are_not_many() {
    let (_, sent) = against(|_, to, request| {
        let change = request.change_request().ok().flatten();
        let seen = address("203.0.113.1:40000");
        match change {
            Some(_) => Vec::new(),
            None => vec![(to, told(request, seen).other_address(address(OTHER)).finish())],
        }
    });
    for window in sent.windows(11) {
        assert!(window[10].0.since(window[0].0).as_nanos() >= 1_000_000_000);
    }
    assert!(sent.len() < 100, "{} packets", sent.len());
}

/// RFC 8489 §6.2.1 for its own 39.5 s, and the beginning of that for less time.
#[test]
fn requests_are_sent_again_after_time_outs_that_double() {
    for (patience, times) in [
        (Patience::LONG, &[0, 500, 1_500, 3_500, 7_500, 15_500, 31_500][..]),
        (Patience::within(SimDuration::from_secs(10)), &[0, 500, 1_500, 3_500, 7_500]),
        (Patience::SHORT, &[0, 500, 1_500]),
        (Patience::within(SimDuration::from_millis(500)), &[0, 100, 300]),
    ] {
        let (_, sent) = asking(Options { patience, lifetime: false }, |_, _, _| Vec::new());
        let sent: Vec<_> = sent.iter().map(|(at, _)| at.as_nanos() / 1_000_000).collect();
        assert_eq!(sent, times);
    }
}

fn plan(text: &str) -> Plan {
    let source = Source::new("test", text);
    scenario::load(&source, &Overrides::default(), &Limits::DEFAULT)
        .unwrap_or_else(|rejection| panic!("{rejection}"))
}

/// What a client behind `name` finds out; the rest of the scenario is added.
fn behind(nats: &str, name: &str) -> BoxDiscovery {
    behind_for(nats, name, false)
}

fn behind_for(nats: &str, name: &str, lifetime: bool) -> BoxDiscovery {
    let text = format!("{nats}\npeers: {{ alice: {{}}, bob: {{}} }}\ncalls: [alice -> bob]\n");
    let plan = plan(&text);
    let node = plan.topology.find(name).expect("a node");
    lab::discover(&plan, node, lifetime, &Limits::DEFAULT).expect("a finished run")
}

/// A NAT with these two behaviours. Ports are random, so that those of dependent mappings differ.
fn nat(mapping: M, filtering: F) -> String {
    format!("mapping: {mapping}, filtering: {filtering}, port-assignment: random")
}

/// All combinations: what RFC 5780 finds from fresh sockets and from one, what RFC 3489 finds, and once more. The last
/// three are wrong where they are known to be.
#[test]
fn each_method_is_right_and_wrong_where_it_should_be() {
    use Classic as C;
    let (eim, adm, apdm) = (M::EndpointIndependent, M::AddressDependent, M::AddressAndPortDependent);
    let (eif, adf, apdf) = (F::EndpointIndependent, F::AddressDependent, F::AddressAndPortDependent);
    for (mapping, filtering, one_socket, classic, again) in [
        (eim, eif, eif, C::FullCone, C::FullCone),
        (eim, adf, eif, C::Restricted, C::FullCone),
        (eim, apdf, apdf, C::PortRestricted, C::FullCone),
        (adm, eif, eif, C::FullCone, C::FullCone),
        (adm, adf, adf, C::Symmetric, C::Symmetric),
        (adm, apdf, apdf, C::Symmetric, C::Symmetric),
        (apdm, eif, eif, C::FullCone, C::FullCone),
        (apdm, adf, adf, C::Symmetric, C::Symmetric),
        (apdm, apdf, apdf, C::Symmetric, C::Symmetric),
    ] {
        let found = behind(&format!("nats: {{ home: {{ {} }} }}", nat(mapping, filtering)), "home").found;
        let fresh = (found.fresh.mapping, found.fresh.filtering);
        assert_eq!(fresh, (Some(mapping), Some(filtering)));
        let same = (found.one_socket.mapping, found.one_socket.filtering);
        assert_eq!(same, (Some(mapping), Some(one_socket)), "{mapping} {filtering}");
        assert_eq!(
            (found.classic, found.classic_again),
            (Some(classic), Some(again)),
            "{mapping} {filtering}"
        );
    }
}

#[test]
fn without_a_nat_there_is_an_open_network_or_a_firewall() {
    for (nats, classic, filtering) in [
        ("nats: { home: none }", Classic::Open, F::EndpointIndependent),
        ("nats: { home: symmetric-firewall }", Classic::SymmetricFirewall, F::AddressAndPortDependent),
        ("firewalls: { home: { inbound: allow } }", Classic::Open, F::EndpointIndependent),
    ] {
        let one = behind(nats, "home");
        assert_eq!(
            (one.found.translated, one.found.fresh.filtering),
            (Some(false), Some(filtering)),
            "{nats}"
        );
        assert_eq!((one.found.classic, one.found.classic_again), (Some(classic), Some(classic)), "{nats}");
        assert_eq!(one.disagreements, [], "{nats}");
    }
}

/// Two NATs in a row look like one with the stricter mapping and the stricter filtering.
#[test]
fn two_layers_look_like_the_stricter_of_them() {
    let kinds: Vec<(M, F)> = M::ALL
        .iter()
        .flat_map(|mapping| F::ALL.iter().map(move |filtering| (*mapping, *filtering)))
        .collect();
    for outer in &kinds {
        for inner in &kinds {
            let text = format!(
                "nats: {{ outer: {{ {} }}, inner: {{ behind: outer, {} }} }}",
                nat(outer.0, outer.1),
                nat(inner.0, inner.1)
            );
            let one = behind(&text, "inner");
            let strictest = (Some(outer.0.max(inner.0)), Some(outer.1.max(inner.1)));
            assert_eq!((one.found.fresh.mapping, one.found.fresh.filtering), strictest, "{text}");
            assert_eq!((one.configured.mapping, one.configured.filtering), strictest, "{text}");
            assert!(one.disagreements.iter().all(|disagreement| disagreement.known), "{text}: {one:?}");
        }
    }
}

#[test]
fn a_box_that_takes_test_iis_answer_for_itself_looks_symmetric_to_rfc_3489_alone() {
    let one = behind("nats: { home: { type: port-restricted-cone, unsolicited: accept } }", "home");
    assert_eq!(one.found.fresh.to_string(), "EIM-APDF");
    assert_eq!(one.found.classic, Some(Classic::Symmetric));
    assert!(one.is_wrong(Method::Classic) && !one.is_wrong(Method::Fresh));
    assert!(one.disagreements.iter().all(|disagreement| disagreement.known), "{one:?}");
}

#[test]
fn a_pool_of_which_any_address_is_taken_looks_like_a_dependent_mapping_for_a_known_reason() {
    let one = behind(
        "nats: { home: { type: symmetric, ip-pooling: arbitrary, outside: [203.0.113.1, 203.0.113.2], mapping: adm } }",
        "home",
    );
    assert!(one.disagreements.iter().all(|disagreement| disagreement.known), "{one:?}");
}

#[test]
fn a_quota_that_the_tests_use_up_is_named() {
    let enough_for_some = "nats: { home: { type: symmetric, max-ports-per-host: 8 } }";
    let notes = behind_for(enough_for_some, "home", true).found.notes.join("\n");
    assert!(notes.contains("the server no longer answered"), "{notes}");
    assert!(notes.contains("has 8 external ports for a host"), "{notes}");
    let one = behind("nats: { home: { type: symmetric, max-ports-per-host: 2 } }", "home");
    assert_eq!(one.found.fresh.mapping, None);
    assert!(
        one.found.notes.iter().any(|note| note.contains("has 2 external ports for a host")),
        "{:?}",
        one.found.notes
    );
    assert!(one.is_wrong(Method::Classic), "it says that UDP is blocked: {one:?}");
}

#[test]
fn a_firewall_that_lets_only_the_first_port_out_leaves_the_mapping_of_a_symmetric_nat_open() {
    let text = "

nats: { home: { behind: office, type: symmetric } }
firewalls: { office: { outbound: { default: deny, allow: [3478/udp] } } }";
    let one = behind(text, "home");
    assert_eq!((one.found.fresh.mapping, one.found.classic), (None, None));
    assert!(one.found.notes.iter().any(|note| note.starts_with("office lets only some")), "{one:?}");
}

#[test]
fn lost_packets_are_asked_for_again() {
    for seed in ["1", "2", "3"] {
        let text =
            format!("seed: {seed}\nnats: {{ home: {{ type: restricted-cone, link: {{ loss: 10% }} }} }}");
        assert_eq!(behind(&text, "home").found.fresh.to_string(), "EIM-ADF", "seed {seed}");
    }
}

#[test]
fn hairpinning_is_found_where_the_mapping_lets_it_be_found() {
    for (hairpinning, found) in [
        ("external-source", Hairpinning::ExternalSource),
        ("internal-source", Hairpinning::InternalSource),
        ("off", Hairpinning::Off),
    ] {
        for filtering in ["eif", "apdf"] {
            let text = format!(
                "nats: {{ home: {{ mapping: eim, filtering: {filtering}, hairpinning: {hairpinning} }} }}"
            );
            assert_eq!(behind(&text, "home").found.hairpinning, Some(found), "{text}");
        }
    }
    let symmetric = "nats: { home: { type: symmetric, hairpinning: external-source } }";
    assert_eq!(behind(symmetric, "home").found.hairpinning, None);
}

#[test]
fn ports_are_found_to_be_kept_given_in_turn_or_random() {
    for (assignment, found) in [
        ("preservation", PortAssignment::Preservation),
        ("overloading", PortAssignment::Preservation),
        ("sequential", PortAssignment::Sequential),
        ("random", PortAssignment::Random),
    ] {
        let text = format!("nats: {{ home: {{ type: full-cone, port-assignment: {assignment} }} }}");
        assert_eq!(behind(&text, "home").found.port_assignment, Some(found), "{assignment}");
    }
}

#[test]
fn a_lifetime_is_found_to_within_a_few_seconds() {
    for (timeout, at_least, below) in [
        ("5s", 0.0..=0.0, Some(11_000.0)),
        ("30s", 25_000.0..=30_000.0, Some(31_000.0)),
        ("120s", 115_000.0..=120_000.0, Some(121_000.0)),
        ("1h", 600_000.0..=600_000.0, None),
    ] {
        let text = format!(
            "nats: {{ home: {{ type: symmetric, udp-timeout: {timeout}, udp-timeout-unreplied: 5s }} }}"
        );
        let lifetime = behind_for(&text, "home", true).found.lifetime.expect("a lifetime");
        assert!(at_least.contains(&lifetime.at_least_ms), "{timeout}: {lifetime:?}");
        assert_eq!(lifetime.below_ms, below, "{timeout}");
    }
}

/// Whatever one NAT does, RFC 5780 from fresh sockets finds it out, and where another method is wrong, it is known why.
#[test]
fn no_single_nat_is_without_a_reason() {
    let mut wrong = Vec::new();
    for (mapping, filtering) in M::ALL.iter().flat_map(|m| F::ALL.iter().map(move |f| (m, f))) {
        for ports in ["preservation", "sequential", "random", "overloading"] {
            for (scope, reply) in [("mapping", "admitting"), ("endpoint", "by-destination")] {
                for unsolicited in ["drop", "accept", "icmp"] {
                    let axes = format!(
                        "mapping: {mapping}, filtering: {filtering}, port-assignment: {ports}, filter-scope: {scope}, \
                         reply-mapping: {reply}, unsolicited: {unsolicited}"
                    );
                    let one = behind(&format!("nats: {{ home: {{ {axes} }} }}"), "home");
                    if one.found.fresh != one.configured || one.disagreements.iter().any(|one| !one.known) {
                        wrong.push(format!("{axes}: {:?}", one.disagreements));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_found_out_is_the_network_as_it_begins() {
    let change = "set-nat: { home: { mapping: address-and-port-dependent, filtering: address-dependent } }";
    let home = "nats: { home: port-restricted-cone }";
    assert_eq!(behind(&format!("{home}\nevents: [{{ at: 1s, {change} }}]"), "home"), behind(home, "home"));
}

#[test]
fn a_nat_that_forgets_before_a_slow_test_ends_is_a_reason() {
    let home = "{ type: port-restricted-cone, port-assignment: random, udp-timeout: 5s, udp-timeout-unreplied: 5s, \
                link: { delay: 450ms } }";
    let found = behind(&format!("nats: {{ home: {home} }}"), "home");
    assert!(found.disagreements.iter().all(|wrong| wrong.known), "{:?}", found.disagreements);
    let forgets = |wrong: &lab::Disagreement| wrong.why.contains("forgets a mapping after 5s");
    assert!(found.disagreements.iter().any(forgets), "{:?}", found.disagreements);
}
