//! Runs of a scenario with something changed.

use serde::Serialize;

use super::change::{Assignment, Change};
use crate::base::Limits;
use crate::engine::{self, RunError, RunOptions};
use crate::outcome::classify::Sides;
use crate::plan::{Path, Plan, WithoutServers};
use crate::scenario::{self, Overrides, Source};

/// A scenario that can be run with changes. A trial is what `punchlab run --set …` would do: the text is read again with
/// the changes made, and what comes of it is run.
#[derive(Debug, Clone, Copy)]
pub struct Experiment<'a> {
    /// The scenario's text.
    pub source: &'a Source,
    /// What the command line has changed already.
    pub overrides: &'a Overrides,
    /// The bounds of each run.
    pub limits: &'a Limits,
}

/// What became of a run with something changed: the path of each call, and how soon it had settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trial {
    /// One per call.
    pub calls: Vec<TrialCall>,
}

/// A call of a [`Trial`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrialCall {
    /// How the settled pair's packets travelled.
    pub path: Path,
    /// From the call's start until both sides had the pair they kept; `null` if it failed.
    pub settled_ms: Option<f64>,
}

/// How a trial compares with the run as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// No call takes another path.
    None,
    /// Some call takes a better path, and none a worse one.
    Better,
    /// Some call takes a worse path, and none a better one.
    Worse,
    /// One call gains and another loses.
    Mixed,
}

impl Experiment<'_> {
    /// Runs the scenario with these changes; `None` if it cannot be: one undoes the other, or the changed scenario
    /// makes no sense, or its run reaches a limit.
    pub fn run(&self, changes: &[&Change]) -> Option<Trial> {
        let mut overrides = self.overrides.clone();
        let assignments = changes.iter().flat_map(|change| &change.set);
        overrides.set.extend(assignments.map(|Assignment { path, value }| (path.clone(), value.clone())));
        let plan = scenario::load(self.source, &overrides, self.limits).ok()?;
        Trial::of(&plan, self.limits).ok()
    }
}

impl Trial {
    /// Runs a plan and keeps what matters.
    ///
    /// # Errors
    /// Those of the run.
    pub fn of(plan: &Plan, limits: &Limits) -> Result<Self, RunError> {
        let run = engine::run(plan, &RunOptions { limits: limits.clone(), ..RunOptions::default() })?;
        let calls = plan.calls.iter().enumerate().map(|(number, call)| {
            let sides = Sides::of(&run, number);
            let path = sides.map_or(Path::Failed, Sides::path);
            let settled = sides.and_then(Sides::settled_at).filter(|_| path != Path::Failed);
            TrialCall { path, settled_ms: settled.map(|at| at.since(call.at).as_millis_f64()) }
        });
        Ok(Self { calls: calls.collect() })
    }

    /// What changed against `before`.
    pub fn effect(&self, before: &Self) -> Effect {
        // Paths are ordered from direct to failed.
        let both = || self.calls.iter().zip(&before.calls);
        let better = both().any(|(now, then)| now.path < then.path);
        let worse = both().any(|(now, then)| now.path > then.path);
        match (better, worse) {
            (false, false) => Effect::None,
            (true, false) => Effect::Better,
            (false, true) => Effect::Worse,
            (true, true) => Effect::Mixed,
        }
    }

    /// What to sort by: better paths first, then the soonest.
    fn rank(&self) -> (Vec<Path>, f64) {
        let paths = self.calls.iter().map(|call| call.path).collect();
        (paths, self.calls.iter().filter_map(|call| call.settled_ms).sum())
    }

    /// Better paths before worse ones, and among equals the soonest.
    pub fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let ((paths, ms), (other_paths, other_ms)) = (self.rank(), other.rank());
        paths.cmp(&other_paths).then(ms.total_cmp(&other_ms))
    }
}

/// The scenario as it is, and with servers taken away.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counterfactual {
    /// `without TURN`.
    pub what: String,
    /// What became of it.
    #[serde(flatten)]
    pub trial: Trial,
}

/// Runs `plan` without TURN, without STUN, and without both; each only if there is something to take away.
///
/// # Errors
/// Those of the runs.
pub fn without_servers(plan: &Plan, limits: &Limits) -> Result<Vec<Counterfactual>, RunError> {
    let all = plan.ice_servers().count();
    let mut found: Vec<(usize, Counterfactual)> = Vec::new();
    for (without, what) in [
        (WithoutServers::Turn, "without TURN"),
        (WithoutServers::Stun, "without STUN"),
        (WithoutServers::StunAndTurn, "without STUN and TURN"),
    ] {
        let reduced = plan.without_servers(without);
        let left = reduced.ice_servers().count();
        let is_new = left < all && found.iter().all(|(known, _)| *known != left || left > 0);
        if is_new {
            let trial = Trial::of(&reduced, limits)?;
            found.push((left, Counterfactual { what: what.into(), trial }));
        }
    }
    Ok(found.into_iter().map(|(_, counterfactual)| counterfactual).collect())
}
