//! Why a call went as it did, and what would have made it go otherwise.
//!
//! The account of what happened is read off the trace. What would have happened is found by running the changed scenario,
//! so it cannot disagree with `punchlab run --set …`: it is the same run.

pub(crate) mod account;
pub(crate) mod catalogue;
pub(crate) mod change;
pub(crate) mod experiment;
mod search;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use account::{CallAccount, CheckAccount, DeathAccount, EndAccount, EndWord, PairAccount, SideAccount};
pub use catalogue::changes;
pub use change::{Assignment, Change};
pub use experiment::{Counterfactual, Effect, Experiment, Trial, TrialCall};
pub use search::{Flip, Flips, Set};

use self::search::Search;
use crate::engine::{Run, RunError};
use crate::outcome::Outcome;
use crate::plan::Plan;

/// How far to look for changes that flip a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Single changes.
    Singles,
    /// Single changes, and pairs of those that do nothing alone.
    #[default]
    Pairs,
}

/// Everything there is to say about why a scenario ended as it did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explanation {
    /// The version of this format.
    pub version: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The seed it ran with.
    pub seed: u64,
    /// What happened in each call.
    pub calls: Vec<CallAccount>,
    /// What would have happened without servers.
    pub counterfactuals: Vec<Counterfactual>,
    /// What would have given a call another path.
    pub flips: Flips,
}

/// The version of the JSON format.
pub const VERSION: u32 = 1;

/// Explains a recorded run of `plan`, one set of changes after the other. `plan` is what `experiment` gives without
/// changes.
///
/// # Errors
/// Those of the runs without servers. A changed scenario that cannot be run is left out.
pub fn explain(
    plan: &Plan,
    run: &Run,
    outcome: &Outcome,
    experiment: &Experiment<'_>,
    depth: Depth,
) -> Result<Explanation, RunError> {
    let flips = flips(plan, experiment, depth, |sets, try_one| sets.iter().map(try_one).collect())?;
    Ok(Explanation::new(plan, run, outcome, without(plan, experiment)?, flips))
}

/// The smallest sets of changes that give a call another path. `try_all` runs the trial of each set, side by side if it
/// likes, and gives what came of them in the order of the sets. `plan` is what `experiment` gives without changes.
///
/// # Errors
/// Those of the run without changes. A changed scenario that cannot be run is left out.
pub fn flips(
    plan: &Plan,
    experiment: &Experiment<'_>,
    depth: Depth,
    try_all: impl Fn(&[Set], &(dyn Fn(&Set) -> Option<Trial> + Sync)) -> Vec<Option<Trial>>,
) -> Result<Flips, RunError> {
    let catalogue = catalogue::changes(plan);
    let as_it_is = Trial::of(plan, experiment.limits)?;
    let mut search = Search::new(&catalogue, &as_it_is);
    let answer = |search: &mut Search<'_>, sets: Vec<Set>| {
        let trials = try_all(&sets, &|set| search.run(experiment, set));
        search.note(sets.into_iter().zip(trials));
    };
    let singles = search.singles();
    answer(&mut search, singles);
    if depth == Depth::Pairs {
        let pairs = search.pairs();
        answer(&mut search, pairs);
    }
    Ok(search.finish())
}

/// What would have happened without servers.
///
/// # Errors
/// Those of the runs.
pub fn without(plan: &Plan, experiment: &Experiment<'_>) -> Result<Vec<Counterfactual>, RunError> {
    experiment::without_servers(plan, experiment.limits)
}

impl Explanation {
    /// The account of a run beside what other runs have shown.
    pub fn new(
        plan: &Plan,
        run: &Run,
        outcome: &Outcome,
        counterfactuals: Vec<Counterfactual>,
        flips: Flips,
    ) -> Self {
        Self {
            version: VERSION,
            scenario: outcome.scenario.clone(),
            seed: outcome.seed,
            calls: account::calls(plan, run, outcome),
            counterfactuals,
            flips,
        }
    }
}
