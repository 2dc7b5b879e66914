//! What became of a case, and of all of them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;

use crate::plan::behavior::words;
use crate::plan::{Needs, Path};

/// How many calls of a case are told of one by one.
const MANY_CALLS: usize = 4;

words! {
    /// How a case ended.
    Status {
        /// Everything it demands holds.
        Passed = "passed",
        /// An expectation or its snapshot does not hold, or its outcome depends on the seed.
        Failed = "failed",
        /// Its file was rejected.
        Rejected = "rejected",
        /// Its run could not be finished.
        Broken = "broken",
        /// It was not run, because an earlier one had failed.
        Skipped = "skipped",
    }
}

words! {
    /// What kind of thing is wrong.
    ProblemKind {
        /// A line of `expect:` does not hold.
        Expectation = "expectation",
        /// The snapshot differs.
        Snapshot = "snapshot",
        /// Seeds disagree about the path of a call.
        Seeds = "seeds",
        /// The file was rejected.
        Rejected = "rejected",
        /// The run could not be finished.
        Broken = "broken",
    }
}

/// What became of one case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CaseResult {
    /// `folder/call.nat.yaml[a=symmetric]@rtc`: the file, the case of its matrix, the stack it was run with.
    pub id: String,
    /// The file, as it was found.
    pub file: String,
    /// The scenario's name; empty if the file was rejected.
    pub scenario: String,
    /// How it ended.
    pub status: Status,
    /// The seeds it ran with.
    pub seeds: Vec<u64>,
    /// What came of its calls, with the first seed.
    pub calls: Vec<CallLine>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Verdict and drops, to read; empty if nothing is wrong.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub details: String,
    /// The command that shows it again.
    pub reproduce: String,
}

/// A call in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CallLine {
    /// The caller.
    pub from: String,
    /// The callee.
    pub to: String,
    /// How the settled pair's packets travelled.
    pub path: Path,
    /// The least that still connects.
    pub needs: Option<Needs>,
}

/// Something wrong with a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// What kind of thing.
    pub kind: ProblemKind,
    /// What is wrong, in words; a diagnostic has several lines.
    pub what: String,
    /// The line of the file it is about, if it is about one.
    pub line: Option<u32>,
}

/// How many cases ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Summary {
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were rejected.
    pub rejected: usize,
    /// How many could not be finished.
    pub broken: usize,
    /// How many were not run.
    pub skipped: usize,
}

impl CaseResult {
    /// A case with which nothing is wrong so far.
    pub const fn new(id: String, file: String) -> Self {
        Self {
            id,
            file,
            scenario: String::new(),
            status: Status::Passed,
            seeds: Vec::new(),
            calls: Vec::new(),
            problems: Vec::new(),
            details: String::new(),
            reproduce: String::new(),
        }
    }

    /// A case that was not run.
    pub fn skipped(id: String, file: String) -> Self {
        Self { status: Status::Skipped, ..Self::new(id, file) }
    }

    /// Notes that something is wrong; the worst status stays.
    pub fn add(&mut self, problem: Problem) {
        let status = match problem.kind {
            ProblemKind::Expectation | ProblemKind::Snapshot | ProblemKind::Seeds => Status::Failed,
            ProblemKind::Rejected => Status::Rejected,
            ProblemKind::Broken => Status::Broken,
        };
        if self.status == Status::Passed {
            self.status = status;
        }
        self.problems.push(problem);
    }

    /// True if it passed, or was not run.
    pub fn is_fine(&self) -> bool {
        matches!(self.status, Status::Passed | Status::Skipped)
    }

    /// `relay`, or `relay, stun` for several calls, or `10 × relay, 5 × failed` for many.
    pub fn paths(&self) -> String {
        if self.calls.len() > MANY_CALLS {
            let count = |path| self.calls.iter().filter(|call| call.path == path).count();
            let counts = Path::ALL.iter().map(|path| (count(*path), path)).filter(|(count, _)| *count > 0);
            return counts.map(|(count, path)| format!("{count} × {path}")).collect::<Vec<_>>().join(", ");
        }
        self.calls.iter().map(|call| call.path.word()).collect::<Vec<_>>().join(", ")
    }
}

/// What is wrong with a whole file is told by its first case; the others refer to that.
pub fn tell_rejections_once(results: &mut [CaseResult]) {
    let mut told: BTreeMap<(String, String), String> = BTreeMap::new();
    for CaseResult { id, file, problems, .. } in results {
        for problem in problems.iter_mut().filter(|problem| problem.kind == ProblemKind::Rejected) {
            match told.entry((file.clone(), problem.what.clone())) {
                Entry::Vacant(new) => _ = new.insert(id.clone()),
                Entry::Occupied(first) => problem.what = format!("the same as with {}", first.get()),
            }
        }
    }
}

impl Summary {
    /// Counts results.
    pub fn of(results: &[CaseResult]) -> Self {
        let mut summary = Self::default();
        for result in results {
            *match result.status {
                Status::Passed => &mut summary.passed,
                Status::Failed => &mut summary.failed,
                Status::Rejected => &mut summary.rejected,
                Status::Broken => &mut summary.broken,
                Status::Skipped => &mut summary.skipped,
            } += 1;
        }
        summary
    }

    /// How many there are.
    pub const fn cases(self) -> usize {
        self.passed + self.failed + self.rejected + self.broken + self.skipped
    }
}

impl std::fmt::Display for Summary {
    /// `12 passed, 1 failed`, and what else there was.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        for (count, word) in [(self.rejected, "rejected"), (self.broken, "broken"), (self.skipped, "skipped")]
        {
            if count > 0 {
                write!(f, ", {count} {word}")?;
            }
        }
        Ok(())
    }
}
