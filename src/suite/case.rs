//! One case: a scenario, run with one seed or several, and judged.

use std::collections::BTreeMap;

use super::result::{CallLine, CaseResult, Problem, ProblemKind};
use crate::base::Limits;
use crate::base::shell::quoted;
use crate::engine::RunOptions;
use crate::outcome::{CallOutcome, ExpectationOutcome, Outcome, simulate};
use crate::plan::{Path, StackKind};
use crate::report::human::{self, Options, Part};
use crate::report::{Report, sentences};
use crate::scenario::{self, Overrides, Source};

/// A scenario to be judged.
#[derive(Debug, Clone)]
pub struct TestCase<'a> {
    /// The file, as it was found, and its text.
    pub source: &'a Source,
    /// What is changed about the file, its case of the matrix included.
    pub overrides: Overrides,
    /// The case of its matrix: `a=symmetric,b=full-cone`; empty for a file without one.
    pub label: String,
    /// The stack of every peer, if it is run with another than the file's.
    pub stack: Option<StackKind>,
    /// Run it with seeds 1 to this, and demand that they agree; 0: with its own seed only.
    pub repeat: u64,
}

/// What a case looked like while it was there.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The run.
    pub report: Report<'a>,
    /// The scenario's text.
    pub source: &'a Source,
}

impl TestCase<'_> {
    /// `folder/call.nat.yaml[a=symmetric]@rtc`.
    pub fn id(&self) -> String {
        let label = if self.label.is_empty() { String::new() } else { format!("[{}]", self.label) };
        let stack = self.stack.map(|stack| format!("@{stack}")).unwrap_or_default();
        format!("{}{label}{stack}", self.source.name)
    }

    /// True if it runs as its file says, so that its snapshot applies.
    pub fn is_as_written(&self) -> bool {
        self.stack.is_none()
            && self.repeat == 0
            && self.overrides.set.is_empty()
            && self.overrides.seed.is_none()
    }

    /// What is changed about the file in the run with this seed.
    fn changes(&self, seed: Option<u64>) -> Overrides {
        Overrides { seed, agent: self.stack.or(self.overrides.agent), ..self.overrides.clone() }
    }

    /// The command that makes the run with this seed again.
    fn command(&self, seed: Option<u64>) -> String {
        format!("punchlab run {}{}", quoted(&self.source.name), self.changes(seed).options())
    }
}

/// Runs and judges a case. `look` sees the run that the result is about: the first that disappoints, or the last. It sees
/// none if the file is rejected or the run cannot be finished.
pub fn judge(case: &TestCase<'_>, limits: &Limits, look: impl FnOnce(Seen<'_>)) -> CaseResult {
    let result = CaseResult::new(case.id(), case.source.name.clone());
    let mut judge = Judge { case, limits, result, paths: BTreeMap::new() };
    let mut look = Some(look);
    let own = case.overrides.seed;
    let seeds: Vec<Option<u64>> =
        if case.repeat == 0 { vec![own] } else { (1..=case.repeat).map(Some).collect() };
    let last = seeds.len() - 1;
    for (number, seed) in seeds.into_iter().enumerate() {
        if judge.run(seed, number == last, &mut look).is_none() {
            break;
        }
    }
    judge.compare_seeds();
    judge.result
}

struct Judge<'a, 'c> {
    case: &'a TestCase<'c>,
    limits: &'a Limits,
    result: CaseResult,
    /// For the paths of all calls the seeds that gave them.
    paths: BTreeMap<Vec<Path>, Vec<u64>>,
}

impl Judge<'_, '_> {
    /// Runs with one seed; `None` if no other seed need be tried.
    fn run(
        &mut self,
        seed: Option<u64>,
        is_last: bool,
        look: &mut Option<impl FnOnce(Seen<'_>)>,
    ) -> Option<()> {
        let plan = match scenario::load(self.case.source, &self.case.changes(seed), self.limits) {
            Ok(plan) => plan,
            Err(rejection) => {
                let position = rejection.diagnostics.first().and_then(|first| rejection.position(first));
                let in_file = position.filter(|(name, ..)| *name == self.case.source.name);
                let line = in_file.and_then(|(_, line, _)| u32::try_from(line).ok());
                self.result.reproduce = self.case.command(seed).replacen("run", "check", 1);
                self.result.add(Problem { kind: ProblemKind::Rejected, what: rejection.to_string(), line });
                return None;
            }
        };
        let (limits, skip_rest) = (self.limits.clone(), plan.is_long());
        let options = RunOptions { record: true, skip_rest, limits, ..RunOptions::default() };
        let (run, mut outcome) = match simulate(&plan, &options) {
            Ok(done) => done,
            Err(error) => {
                self.result.reproduce = self.case.command(seed);
                self.result.add(Problem { kind: ProblemKind::Broken, what: error.to_string(), line: None });
                return None;
            }
        };
        outcome.file = Some(self.case.source.name.clone());
        let report = Report { plan: &plan, run: &run, outcome: &outcome };
        let disappoints = !outcome.ok && self.result.problems.is_empty();
        self.note(&outcome);
        if disappoints {
            self.result.details = human::write_parts(report, &DETAILS, Options::default());
            self.result.reproduce = self.case.command(seed);
        }
        if (disappoints || is_last)
            && let Some(look) = look.take()
        {
            look(Seen { report, source: self.case.source });
        }
        Some(())
    }

    fn note(&mut self, outcome: &Outcome) {
        if self.result.calls.is_empty() {
            self.result.scenario = outcome.scenario.clone();
            self.result.calls = outcome.calls.iter().map(call_line).collect();
        }
        self.result.seeds.push(outcome.seed);
        self.paths
            .entry(outcome.calls.iter().map(|call| call.path).collect())
            .or_default()
            .push(outcome.seed);
        let with_seed =
            if self.case.repeat > 0 { format!(" with seed {}", outcome.seed) } else { String::new() };
        for expectation in outcome.expectations.iter().filter(|expectation| !expectation.ok) {
            let problem = expectation_problem(expectation, &with_seed);
            // One seed that disappoints is enough to tell.
            let is_new = self.result.problems.iter().all(|known| known.line != problem.line);
            if is_new {
                self.result.add(problem);
            }
        }
    }

    fn compare_seeds(&mut self) {
        if self.paths.len() < 2 {
            return;
        }
        let told: Vec<String> = self.paths.iter().map(|(paths, seeds)| seeds_line(paths, seeds)).collect();
        let what = format!("the outcome depends on the seed: {}", told.join("; "));
        self.result.add(Problem { kind: ProblemKind::Seeds, what, line: None });
        if self.result.reproduce.is_empty() {
            let odd = self.paths.values().min_by_key(|seeds| seeds.len()).and_then(|seeds| seeds.first());
            self.result.reproduce = self.case.command(odd.copied());
        }
    }
}

/// What is shown of a run that disappoints.
const DETAILS: [Part; 2] = [Part::Verdict, Part::Drops];
/// How many seeds are named before the rest is counted.
const NAMED_SEEDS: usize = 5;

fn call_line(call: &CallOutcome) -> CallLine {
    CallLine { from: call.from.clone(), to: call.to.clone(), path: call.path, needs: call.needs }
}

fn expectation_problem(outcome: &ExpectationOutcome, with_seed: &str) -> Problem {
    let what = format!("{}{with_seed}", sentences::expectation(outcome));
    Problem { kind: ProblemKind::Expectation, what, line: Some(outcome.line) }
}

/// `relay with 18 seeds (1, 2, 3, 4, 5, …)`.
fn seeds_line(paths: &[Path], seeds: &[u64]) -> String {
    let words: Vec<&str> = paths.iter().map(|path| path.word()).collect();
    let named: Vec<String> = seeds.iter().take(NAMED_SEEDS).map(u64::to_string).collect();
    let rest = if seeds.len() > NAMED_SEEDS { ", …" } else { "" };
    let word = if seeds.len() == 1 { "seed" } else { "seeds" };
    format!("{} with {} {word} ({}{rest})", words.join(", "), seeds.len(), named.join(", "))
}
