//! What a call needs: a counterfactual, found by running it again with less.

use super::classify::Sides;
use crate::engine::{Run, RunError, RunOptions, run};
use crate::plan::{Needs, Path, Plan, WithoutServers};

/// For each call the least that still connects; `None` for calls that do not connect at all.
///
/// Runs the plan again without TURN, and without TURN and STUN, each only if some call connects with more.
pub fn find(
    plan: &Plan,
    with_everything: &Run,
    options: &RunOptions,
) -> Result<Vec<Option<Needs>>, RunError> {
    let mut needs = connected(plan, with_everything, Needs::Turn);
    for (without, level) in [(WithoutServers::Turn, Needs::Stun), (WithoutServers::StunAndTurn, Needs::None)]
    {
        if needs.iter().all(Option::is_none) {
            break;
        }
        let reduced = plan.without_servers(without);
        let same = reduced.ice_servers().count() == plan.ice_servers().count();
        let found = if same {
            connected(plan, with_everything, level)
        } else {
            let quiet = RunOptions { record: false, ..options.clone() };
            connected(&reduced, &run(&reduced, &quiet)?, level)
        };
        for (least, found) in needs.iter_mut().zip(found) {
            // A call that connects with nothing may, by bad luck, have failed with STUN: the least counts.
            if least.is_some() && found.is_some() {
                *least = found;
            }
        }
    }
    Ok(needs)
}

fn connected(plan: &Plan, run: &Run, level: Needs) -> Vec<Option<Needs>> {
    let connects = |call| Sides::of(run, call).is_some_and(|sides| sides.path() != Path::Failed);
    (0..plan.calls.len()).map(|call| connects(call).then_some(level)).collect()
}
