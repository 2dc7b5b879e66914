//! Whatever is accepted becomes a plan that keeps its promises.

use super::*;

const DUAL_STACK: &str = "\
nats:
  home: { type: symmetric, ipv6: { prefix: \"2001:db8:a::/64\", filtering: eif } }
  flat: { type: full-cone, behind: home, ipv6: { prefix: \"2001:db8:b::/60\" } }
servers:
  stun: { stun: [3478/udp], ipv6: true }
  turn: { turn: [3478/udp], addresses: [192.0.2.9, \"2001:db8::9\"] }
peers:
  alice: { behind: flat, address: [10.0.2.9, \"2001:db8:b::9\"] }
  bob: { behind: home, families: [ipv6] }
  carol: { families: [ipv4, ipv6], ice-servers: [\"stun:[2001:db8:5::1]:3478\"] }
calls: [alice -> bob, bob -> carol]
";

/// What every plan promises its reader.
fn assert_consistent(plan: &Plan) {
    let mut owners = std::collections::BTreeMap::new();
    // IPv6 addresses belong to one node alone, wherever it is.
    let mut ipv6 = std::collections::BTreeMap::new();
    for (id, node) in plan.topology.nodes() {
        if !matches!(node.element, Element::Router | Element::Firewall(_)) {
            assert!(!node.addresses.is_empty(), "{} has no address", node.name);
        }
        for address in &node.addresses {
            assert!(!address.is_unspecified(), "{}", node.name);
            let other = owners.insert((node.realm, *address), id);
            assert!(other.is_none(), "{address} twice in one network");
            assert!(address.is_ipv4() || ipv6.insert(*address, id).is_none(), "{address} twice");
        }
        if let Element::Nat(nat) = &node.element {
            assert!(nat.inside.contains(&nat.gateway));
            if let Some(side) = &nat.ipv6 {
                assert!(side.prefix.contains(&side.gateway));
                let other = ipv6.insert(side.gateway.into(), id);
                assert!(other.is_none(), "{} is not alone with its gateway's address", node.name);
            }
            let other = owners.insert((node.inner_realm, nat.gateway), id);
            assert!(other.is_none(), "{} is not alone with its gateway's address", node.name);
            assert!(
                !node.addresses.iter().any(|address| nat.inside.contains(address)),
                "{} is inside of itself",
                node.name
            );
        }
        if let Element::Peer(peer) = &node.element {
            for server in &peer.ice_servers {
                assert_eq!(plan.public_owner(server.address.ip()), Some(server.node));
                assert_eq!(server.credentials.is_some(), server.kind == IceServerKind::Turn);
            }
        }
    }
    assert!(!plan.calls.is_empty());
    for call in &plan.calls {
        assert!(call.from != call.to);
        for end in [call.from, call.to] {
            assert!(matches!(plan.topology.node(end).element, Element::Peer(_)));
        }
    }
}

#[test]
fn a_dual_stack_scenario_becomes_a_consistent_plan() {
    assert_consistent(&plan(DUAL_STACK));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_scenario_that_is_accepted_becomes_a_consistent_plan(
        base in 0..4_usize,
        cuts in proptest::collection::vec((0..600_usize, 0..6_usize, "[a-z0-9.:/ {}-]{0,3}"), 0..3),
    ) {
        let mut text = [SYMMETRIC, DOUBLE_NAT, SAME_LAN, DUAL_STACK][base].to_owned();
        for (start, length, insert) in cuts {
            let start = start.min(text.len());
            let end = (start + length).min(text.len());
            text.replace_range(start..end, &insert);
        }
        if let Ok(plan) = load(&Source::new("f.nat.yaml", text), &Overrides::default(), &Limits::DEFAULT) {
            assert_consistent(&plan);
        }
    }

    #[test]
    fn any_tree_of_nats_gets_consistent_addresses(
        parents in proptest::collection::vec(0..100_usize, 1..30),
        insides in proptest::collection::vec(proptest::option::of((0..4_u8, 0..3_u8)), 30),
    ) {
        let mut text = "nats:\n".to_owned();
        for (index, parent) in parents.iter().enumerate() {
            let parent = match parent % (index + 1) {
                0 => "internet".to_owned(),
                above => format!("n{}", above - 1),
            };
            let inside = match insides[index] {
                Some((third, size)) => format!(", inside: 10.{third}.0.0/{}", 16 + 4 * size),
                None => String::new(),
            };
            text.push_str(&format!("  n{index}: {{ type: symmetric, behind: {parent}{inside} }}\n"));
        }
        text.push_str("servers: { s: { stun: 3478/udp, turn: 3478/udp } }\npeers:\n");
        for index in 0..parents.len() {
            text.push_str(&format!("  p{index}: {{ behind: n{index} }}\n"));
        }
        text.push_str("  q: {}\ncalls: [q -> p0]\n");
        match load(&Source::new("f.nat.yaml", text), &Overrides::default(), &Limits::DEFAULT) {
            Ok(plan) => assert_consistent(&plan),
            Err(rejection) => {
                let overlap = rejection.diagnostics.iter().all(|each| each.code == Code::OverlappingNetworks);
                assert!(overlap, "{rejection}");
            }
        }
    }
}
