//! rtc and `is` understand each other, whoever calls.

use super::*;
use crate::agent::build;

const MIXES: [[StackKind; 2]; 2] = [[StackKind::Rtc, StackKind::Is], [StackKind::Is, StackKind::Rtc]];

fn mixed([caller, callee]: [StackKind; 2], configs: [AgentConfig; 2]) -> World {
    let build = move |config: AgentConfig| {
        let kind = if config.caller { caller } else { callee };
        build(kind, config).expect("built with both")
    };
    let mut world = World::new(build, configs);
    world.server.mapped = Some(address("203.0.113.1:40001"));
    world
}

fn with_servers(trickle: bool) -> [AgentConfig; 2] {
    configs_with_servers().map(|config| AgentConfig { trickle, ..config })
}

fn mirrored(world: &World) -> bool {
    let last = |side| world.selections(side).last().expect("selected").1;
    let (alice, bob) = (last(ALICE), last(BOB));
    alice.local.address == bob.remote.address && alice.remote.address == bob.local.address
}

#[test]
fn on_one_network_both_select_their_host_candidates() {
    for mix in MIXES {
        for trickle in [true, false] {
            let mut world = mixed(mix, with_servers(trickle));
            world.run(seconds(10));
            assert!(world.state(ALICE).is_connected() && world.state(BOB).is_connected(), "{mix:?}");
            assert!(mirrored(&world), "{mix:?}");
            for side in [ALICE, BOB] {
                let (_, pair) = world.selections(side)[0];
                assert_eq!((pair.local.kind, pair.remote.kind), (CandidateType::Host, CandidateType::Host));
            }
        }
    }
}

#[test]
fn where_nothing_else_passes_they_meet_at_a_relay_and_exchange_data() {
    for mix in MIXES {
        let mut world = mixed(mix, with_servers(true));
        world.loses = Box::new(is_between_peers);
        world.run(seconds(10));
        for side in [ALICE, BOB] {
            assert!(world.state(side).is_connected(), "{mix:?}");
            world.input(side, Input::Send(b"Pdata"));
        }
        world.continue_until(seconds(11));
        assert!(mirrored(&world), "{mix:?}");
        for side in [ALICE, BOB] {
            assert_eq!(world.data(side).len(), 1, "{mix:?}");
        }
    }
}

#[test]
fn a_role_conflict_between_them_is_resolved() {
    for mix in MIXES {
        let [alice, bob] = with_servers(true);
        // Both call; `build` tells them apart by name here.
        let build = move |config: AgentConfig| {
            let kind = if config.name == "alice" { mix[0] } else { mix[1] };
            build(kind, config).expect("built with both")
        };
        let mut world = World::new(build, [alice, AgentConfig { caller: true, ..bob }]);
        world.input(BOB, Input::Start);
        world.run(seconds(20));
        assert!(world.state(ALICE).is_connected() && world.state(BOB).is_connected(), "{mix:?}");
    }
}
