//! `punchlab test`: every scenario of a folder as a test.

mod artifacts;
mod reports;
mod select;
pub mod snapshots;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use indicatif::ProgressBar;
use rayon::prelude::*;

use self::artifacts::Artifacts;
use self::reports::ReportArguments;
use self::select::Shard;
use self::snapshots::Mode;
use super::Exit;
use super::console::Console;
use super::find;
use super::overrides::{ChangeArguments, parse_stack};
use super::progress;
use crate::base::Limits;
use crate::base::shell::quoted;
use crate::plan::StackKind;
use crate::report::snapshot;
use crate::scenario::{self, Case, Overrides, Source};
use crate::suite::{self, CaseResult, Problem, ProblemKind, Summary, TestCase};

/// `punchlab test [PATH…]`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TestArguments {
    /// Scenario files, and folders in which every `*.nat.yaml` is one.
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    change: ChangeArguments,

    /// Run with this stack on every peer instead of the file's own. Repeatable: each case runs once with each.
    #[arg(long, value_name = "STACK", value_parser = parse_stack)]
    agent: Vec<StackKind>,

    /// Only cases whose name (path, `[case]`, `@stack`) contains this. Repeatable: any of them.
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,

    /// Only files with this tag. Repeatable: any of them.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,

    /// Only one part of several: `2/4`.
    #[arg(long, value_name = "I/N", value_parser = Shard::parse)]
    shard: Option<Shard>,

    /// Only what failed last time; everything if nothing did.
    #[arg(long)]
    last_failed: bool,

    /// Print the names of the cases, and run nothing.
    #[arg(long)]
    list: bool,

    /// Run each case with seeds 1 to N, and fail where they disagree about a path.
    #[arg(long, value_name = "N", conflicts_with = "seed", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    repeat: Option<u64>,

    /// How many runs go on side by side; otherwise one for each core.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// Begin nothing new after the first failure.
    #[arg(long)]
    fail_fast: bool,

    /// Write the snapshots anew, and those that are missing.
    #[arg(long)]
    update: bool,

    /// With --update: snapshots that tell times too, and differ whenever those do.
    #[arg(long, requires = "update")]
    times: bool,

    /// Print a line for every case, not only for those that fail.
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    reports: ReportArguments,
}

const EXAMPLES: &str = "\
Examples:
  punchlab test
  punchlab test tests/nat --junit junit.xml --html target/nat
  punchlab test --agent is --agent rtc
  punchlab test --repeat 20 --filter cgn
  punchlab test --update

A snapshot `call.nat.yaml.snap` beside a file is compared where the file runs as it is written; --update makes it.";

impl TestArguments {
    /// What makes no sense about the options.
    fn mistake(&self) -> Option<String> {
        let twice = self.agent.iter().enumerate().find(|(index, stack)| self.agent[..*index].contains(stack));
        let twice = twice.map(|(_, stack)| {
            format!("--agent names {stack} twice, which would make the same cases twice; name it once")
        });
        twice.or_else(|| self.reports.mistake())
    }
}

/// Finds, chooses and runs the cases, and reports about them.
pub fn execute(arguments: &TestArguments, console: &mut Console) -> Exit {
    if let Some(mistake) = arguments.mistake() {
        console.complain(&format!("error: {mistake}"));
        return Exit::Rejected;
    }
    let limits = arguments.change.limits();
    let found = match found(arguments, &limits) {
        Ok(found) => found,
        Err(error) => {
            console.complain(&format!("error: {error}"));
            return Exit::Rejected;
        }
    };
    let chosen = chosen(arguments, &found, console);
    if chosen.is_empty() {
        console.complain(&format!("error: no scenario matches; {} were found", found.len()));
        return Exit::NothingMatched;
    }
    if arguments.list {
        chosen.iter().for_each(|entry| console.print(&format!("{}\n", entry.id())));
        return Exit::Ok;
    }
    let mut results = match ran(arguments, &chosen, &limits) {
        Ok(results) => results,
        Err(error) => {
            console.complain(&format!("error: {error}"));
            return Exit::CouldNotRun;
        }
    };
    suite::tell_rejections_once(&mut results);
    let written = arguments.reports.write(&results, arguments.verbose, console);
    let failed = results.iter().filter(|result| !result.is_fine()).map(|result| result.id.as_str());
    if let Err(error) = select::note_failed(failed) {
        console.complain(&format!("warning: --last-failed will not know of this run: {error}"));
    }
    written.and(exit_of(&results))
}

/// A case, or a file that has none because it was rejected.
enum Entry<'a> {
    Case(TestCase<'a>, Vec<String>),
    Rejected(Box<CaseResult>),
}

impl Entry<'_> {
    fn id(&self) -> String {
        match self {
            Self::Case(case, _) => case.id(),
            Self::Rejected(result) => result.id.clone(),
        }
    }

    fn tags(&self) -> &[String] {
        match self {
            Self::Case(_, tags) => tags,
            Self::Rejected(_) => &[],
        }
    }
}

/// The text of a file; of one that cannot be read its result.
type Found = Result<Source, Box<CaseResult>>;

/// The texts of all files.
fn found(arguments: &TestArguments, limits: &Limits) -> Result<Vec<Found>, String> {
    let files = find::files(&arguments.paths, find::SCENARIO)?;
    Ok(files
        .par_iter()
        .map(|file| Source::read(file, limits).map_err(|rejection| rejected(file, &rejection.to_string())))
        .collect())
}

fn rejected(file: &Path, what: &str) -> Box<CaseResult> {
    let file = file.display().to_string();
    let mut result = CaseResult::new(file.clone(), file.clone());
    result.reproduce = format!("punchlab check {}", quoted(&file));
    result.add(Problem { kind: ProblemKind::Rejected, what: what.to_owned(), line: None });
    Box::new(result)
}

/// The cases that were asked for, in order.
fn chosen<'a>(arguments: &TestArguments, found: &'a [Found], console: &mut Console) -> Vec<Entry<'a>> {
    let limits = arguments.change.limits();
    let entries: Vec<Vec<Entry<'a>>> = found
        .par_iter()
        .map(|file| match file {
            Ok(source) => cases_of(arguments, source, &limits),
            Err(result) => vec![Entry::Rejected(result.clone())],
        })
        .collect();
    let is_named = |entry: &Entry<'_>| {
        let id = entry.id();
        arguments.filter.is_empty() || arguments.filter.iter().any(|text| id.contains(text.as_str()))
    };
    let is_tagged = |entry: &Entry<'_>| {
        arguments.tag.is_empty() || entry.tags().iter().any(|tag| arguments.tag.contains(tag))
    };
    let mut entries: Vec<Entry<'a>> =
        entries.into_iter().flatten().filter(|entry| is_named(entry) && is_tagged(entry)).collect();
    if arguments.last_failed {
        let failed = select::last_failed().unwrap_or_default();
        if entries.iter().any(|entry| failed.contains(&entry.id())) {
            entries.retain(|entry| failed.contains(&entry.id()));
        } else {
            console.complain("nothing failed last time; everything is run");
        }
    }
    let numbered = entries.into_iter().enumerate();
    let held = numbered.filter(|(number, _)| arguments.shard.is_none_or(|shard| shard.holds(*number)));
    held.map(|(_, entry)| entry).collect()
}

/// The cases of a file, each once for each stack.
fn cases_of<'a>(arguments: &TestArguments, source: &'a Source, limits: &Limits) -> Vec<Entry<'a>> {
    let cases = match scenario::cases(source, &arguments.change.overrides(), limits) {
        Ok(cases) => cases,
        Err(rejection) => {
            return vec![Entry::Rejected(rejected(Path::new(&source.name), &rejection.to_string()))];
        }
    };
    let stacks: Vec<Option<StackKind>> = match arguments.agent.as_slice() {
        [] => vec![None],
        stacks => stacks.iter().copied().map(Some).collect(),
    };
    let repeat = arguments.repeat.unwrap_or(0);
    let mut entries = Vec::new();
    for Case { label, overrides } in cases {
        // Tags are only asked for where they decide; a case that is rejected says so when it is run.
        let tags = if arguments.tag.is_empty() { Vec::new() } else { tags_of(source, &overrides, limits) };
        for stack in &stacks {
            let (overrides, label) = (overrides.clone(), label.clone());
            entries.push(Entry::Case(
                TestCase { source, overrides, label, stack: *stack, repeat },
                tags.clone(),
            ));
        }
    }
    entries
}

fn tags_of(source: &Source, overrides: &Overrides, limits: &Limits) -> Vec<String> {
    scenario::load(source, overrides, limits).map(|plan| plan.tags).unwrap_or_default()
}

/// Runs all cases, on as many cores as there may be; results come in the order of the cases.
fn ran(arguments: &TestArguments, entries: &[Entry<'_>], limits: &Limits) -> Result<Vec<CaseResult>, String> {
    let artifacts = arguments.reports.artifacts();
    artifacts.prepare()?;
    let runner = Runner {
        limits,
        artifacts,
        mode: mode(arguments),
        fail_fast: arguments.fail_fast,
        failed: AtomicBool::new(false),
        progress: progress::bar(entries.len(), "cases"),
    };
    let threads = usize::from(arguments.jobs.unwrap_or(0));
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| error.to_string())?;
    let results = pool.install(|| {
        entries.par_iter().enumerate().map(|(number, entry)| runner.run(number, entry)).collect()
    });
    runner.progress.finish_and_clear();
    results
}

fn mode(arguments: &TestArguments) -> Mode {
    let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    match (arguments.update, in_ci) {
        (true, _) => Mode::Update { times: arguments.times },
        (false, true) => Mode::Compare,
        (false, false) => Mode::Note,
    }
}

struct Runner<'a> {
    limits: &'a Limits,
    artifacts: Artifacts,
    mode: Mode,
    fail_fast: bool,
    failed: AtomicBool,
    progress: ProgressBar,
}

impl Runner<'_> {
    fn run(&self, number: usize, entry: &Entry<'_>) -> Result<CaseResult, String> {
        let result = match entry {
            _ if self.fail_fast && self.failed.load(Ordering::Relaxed) => {
                let file = match entry {
                    Entry::Case(case, _) => case.source.name.clone(),
                    Entry::Rejected(result) => result.file.clone(),
                };
                CaseResult::skipped(entry.id(), file)
            }
            Entry::Rejected(result) => (**result).clone(),
            Entry::Case(case, _) => self.judge(number, case)?,
        };
        if !result.is_fine() {
            self.failed.store(true, Ordering::Relaxed);
        }
        self.progress.inc(1);
        Ok(result)
    }

    fn judge(&self, number: usize, case: &TestCase<'_>) -> Result<CaseResult, String> {
        let mut left: Result<Option<Problem>, String> = Ok(None);
        let mut result = suite::judge(case, self.limits, |seen| {
            left = self.artifacts.write(number, &case.id(), seen).and_then(|()| {
                if !case.is_as_written() {
                    return Ok(None);
                }
                let path = snapshots::path_of(Path::new(&case.source.name), &case.label);
                snapshots::check(&path, |times| snapshot::write(seen.report, times), self.mode)
            });
        });
        if let Some(problem) = left? {
            result.add(problem);
        }
        Ok(result)
    }
}

fn exit_of(results: &[CaseResult]) -> Exit {
    let summary = Summary::of(results);
    let when = |count: usize, exit: Exit| if count > 0 { exit } else { Exit::Ok };
    when(summary.failed, Exit::ExpectationFailed)
        .and(when(summary.broken, Exit::CouldNotRun))
        .and(when(summary.rejected, Exit::Rejected))
}
