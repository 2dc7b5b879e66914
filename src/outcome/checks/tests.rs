//! Checks and pairs of real runs.

use super::*;
use crate::base::Limits;
use crate::engine::{RunOptions, run};
use crate::plan::{CandidateType, DropReason, PairState};
use crate::scenario::{Overrides, Source, load};

#[test]
fn a_check_that_dies_tells_where_and_one_that_is_answered_ends_its_pair_well() {
    let (plan, run) = recorded("port-restricted-cone", "port-restricted-cone");
    let pairs = Checks::read(&plan, &run).expect("a trace").pairs(SessionId::new(1));

    let reflexive = pair_to(&pairs, CandidateType::ServerReflexive);
    let ends: Vec<bool> =
        reflexive.checks.iter().map(|c| matches!(c.end, CheckEnd::Answered { .. })).collect();
    assert!(reflexive.answered_at().is_some() && ends.contains(&true), "{reflexive:?}");
    let private = pair_to(&pairs, CandidateType::Host);
    let CheckEnd::Died(death) = &private.checks[0].end else { panic!("{private:?}") };
    assert_eq!(death.drop.reason, DropReason::NoRoute);
    assert_eq!(private.states().last().map(|(_, state)| *state), Some(PairState::Failed));
}

#[test]
fn a_check_through_a_relay_belongs_to_the_relayed_address_that_sent_it_on() {
    let (plan, run) = recorded("symmetric", "symmetric");
    let checks = Checks::read(&plan, &run).expect("a trace");

    let relayed: Vec<Pair<'_>> = [0, 1]
        .into_iter()
        .flat_map(|side| checks.pairs(SessionId::new(side)))
        .filter(|pair| matches!(pair.local, LocalEnd::Relay(_)))
        .collect();

    assert!(relayed.iter().any(|pair| pair.answered_at().is_some()), "{relayed:?}");
    for pair in &relayed {
        let owner = run.sessions.iter().any(|side| {
            side.local_candidates
                .iter()
                .any(|c| c.kind == CandidateType::Relayed && c.address == pair.local.address())
        });
        assert!(owner, "{pair:?}");
    }
}

#[test]
fn pairs_stand_even_if_they_were_never_checked_and_states_follow_each_other() {
    let (plan, run) = recorded("symmetric", "full-cone");
    let checks = Checks::read(&plan, &run).expect("a trace");
    for side in [0, 1] {
        let pairs = checks.pairs(SessionId::new(side));
        assert!(pairs.len() >= 6, "two bases and three kinds of remote candidates: {pairs:?}");
        for pair in pairs {
            let states = pair.states();
            assert_eq!(states[0].1, PairState::Waiting);
            assert!(states.is_sorted_by_key(|(at, _)| *at), "{states:?}");
        }
    }
}

/// The first pair from the side's socket to a candidate of this kind.
fn pair_to<'p, 'a>(pairs: &'p [Pair<'a>], kind: CandidateType) -> &'p Pair<'a> {
    let found = |pair: &&Pair<'_>| matches!(pair.local, LocalEnd::Socket(_)) && pair.remote_kind == kind;
    pairs.iter().find(found).expect("a pair")
}

fn recorded(caller: &str, callee: &str) -> (Plan, Run) {
    let text = format!(
        "nats: {{ nat-a: {caller}, nat-b: {callee} }}
servers: {{ stun: {{ stun: [3478/udp] }}, turn: {{ turn: [3478/udp] }} }}
peers: {{ alice: {{ behind: nat-a }}, bob: {{ behind: nat-b }} }}
calls: [alice -> bob]
"
    );
    let plan = load(&Source::new("test", text), &Overrides::default(), &Limits::DEFAULT).expect("a plan");
    let run = run(&plan, &RunOptions { record: true, ..RunOptions::default() }).expect("a run");
    (plan, run)
}
