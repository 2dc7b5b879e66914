//! A run depends on plan and seed alone.

use super::*;

fn run(seeds: [u64; 2]) -> World {
    let [alice, bob] = configs_with_servers();
    let [of_alice, of_bob] = seeds;
    let configs = [AgentConfig { seed: of_alice, ..alice }, AgentConfig { seed: of_bob, ..bob }];
    let mut world = world(IS, configs);
    world.server.mapped = Some(address("203.0.113.1:40001"));
    world.run(seconds(5));
    world
}

/// What an agent draws for itself: its offer's credentials and the ids of its transactions, in order.
fn draws(world: &World) -> (String, Vec<[u8; 12]>) {
    let (_, Signal::Offer(offer)) = &world.signals(ALICE)[0] else { panic!("no offer") };
    let ids = world.log(ALICE).iter().filter_map(|(_, output)| match output {
        Output::Transmit { payload, .. } => stun_header(payload),
        _ => None,
    });
    let own =
        ids.filter(|(class, ..)| matches!(class, Class::Request | Class::Indication)).map(|(.., id)| id);
    (offer.ufrag.clone() + &offer.password, own.collect())
}

#[test]
fn two_runs_of_one_seed_are_equal_in_every_byte() {
    let (first, second) = (run([1, 1]), run([1, 1]));
    assert_eq!(first.sent, second.sent);
    for side in [ALICE, BOB] {
        assert_eq!(first.log(side), second.log(side));
    }
}

#[test]
fn another_seed_draws_other_numbers() {
    let ((creds, ids), (other_creds, other_ids)) = (draws(&run([1, 1])), draws(&run([2, 2])));
    assert_ne!(creds, other_creds);
    assert!(!ids.is_empty() && ids.iter().all(|id| !other_ids.contains(id)));
}

#[test]
fn the_peers_seed_changes_nothing_of_what_an_agent_draws() {
    assert_eq!(draws(&run([1, 1])), draws(&run([1, 2])));
}

#[test]
fn the_thread_wide_generator_changes_nothing() {
    fastrand::seed(1);
    let first = run([1, 1]);
    fastrand::seed(2);
    assert_eq!(first.sent, run([1, 1]).sent);
}
