//! Which changes flip a call: single ones, then pairs of which neither does it alone.

use serde::Serialize;

use super::change::Change;
use super::experiment::{Effect, Experiment, Trial};

/// How many calls are run in search of pairs of changes: a few seconds. Pairs grow with the square of the scenario;
/// those beyond this are counted and not tried.
const MOST_CALLS: usize = 20_000;

/// A smallest set of changes that gives a call another path, and what comes of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Flip {
    /// One change, or two of which neither is enough alone.
    pub changes: Vec<Change>,
    /// What became of the changed scenario.
    #[serde(flatten)]
    pub trial: Trial,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Flips {
    /// Sets that give some call a better path and none a worse one, the best first.
    pub better: Vec<Flip>,
    /// Sets that give some call a worse path and none a better one, the worst last.
    pub worse: Vec<Flip>,
    /// Sets with which one call gains and another loses.
    pub mixed: Vec<Flip>,
    /// How many sets were run.
    pub tried: usize,
    /// How many pairs were not, because there are too many.
    pub untried: usize,
}

/// Single changes, or pairs, as indexes into the catalogue.
pub type Set = Vec<usize>;

/// A search for the smallest sets of changes, in steps so that runs may go on side by side: [`Search::singles`], then
/// [`Search::pairs`], each answered with [`Search::note`].
#[derive(Debug)]
pub struct Search<'a> {
    catalogue: &'a [Change],
    as_it_is: &'a Trial,
    /// The effect of each single change, as far as it could be run.
    effects: Vec<Option<Effect>>,
    flips: Flips,
}

impl<'a> Search<'a> {
    /// A search among the changes of `catalogue` for sets that make another outcome than `as_it_is`.
    pub fn new(catalogue: &'a [Change], as_it_is: &'a Trial) -> Self {
        Self { catalogue, as_it_is, effects: vec![None; catalogue.len()], flips: Flips::default() }
    }

    /// Every single change.
    pub fn singles(&self) -> Vec<Set> {
        (0..self.catalogue.len()).map(|index| vec![index]).collect()
    }

    /// Every pair that may be a smallest set: both changes can be made together, and neither flips anything alone.
    pub fn pairs(&mut self) -> Vec<Set> {
        let silent: Vec<usize> =
            (0..self.catalogue.len()).filter(|index| self.effects[*index] == Some(Effect::None)).collect();
        let mut pairs = Vec::new();
        for (position, &first) in silent.iter().enumerate() {
            for &second in &silent[position + 1..] {
                if !self.catalogue[first].excludes(&self.catalogue[second]) {
                    pairs.push(vec![first, second]);
                }
            }
        }
        let most = MOST_CALLS / self.as_it_is.calls.len().max(1);
        self.flips.untried = pairs.len().saturating_sub(most);
        pairs.truncate(most);
        pairs
    }

    /// Runs one set.
    pub fn run(&self, experiment: &Experiment<'_>, set: &Set) -> Option<Trial> {
        let changes: Vec<&Change> = set.iter().filter_map(|index| self.catalogue.get(*index)).collect();
        experiment.run(&changes)
    }

    /// Takes what became of each set. Sets that cannot be run count for nothing.
    pub fn note(&mut self, results: impl IntoIterator<Item = (Set, Option<Trial>)>) {
        for (set, trial) in results {
            let Some(trial) = trial else { continue };
            self.flips.tried += 1;
            let effect = trial.effect(self.as_it_is);
            if let [single] = set[..] {
                self.effects[single] = Some(effect);
            }
            let list = match effect {
                Effect::None => continue,
                Effect::Better => &mut self.flips.better,
                Effect::Worse => &mut self.flips.worse,
                Effect::Mixed => &mut self.flips.mixed,
            };
            let changes = set.iter().filter_map(|index| self.catalogue.get(*index).cloned()).collect();
            list.push(Flip { changes, trial });
        }
    }

    /// What was found: smaller sets first, then better outcomes, then the order of the catalogue.
    pub fn finish(mut self) -> Flips {
        for list in [&mut self.flips.better, &mut self.flips.worse, &mut self.flips.mixed] {
            list.sort_by(|a, b| a.changes.len().cmp(&b.changes.len()).then(a.trial.compare(&b.trial)));
        }
        self.flips
    }
}
