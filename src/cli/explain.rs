//! `punchlab explain`: what each side tried, and the smallest changes that would have given the call another path.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rayon::prelude::*;

use super::Exit;
use super::console::Console;
use super::load::{Detail, load_source, ran, shown};
use super::overrides::OverrideArguments;
use super::progress;
use crate::engine::RunError;
use crate::explain::{self, Depth, Experiment, Explanation, Flips, without};
use crate::plan::Plan;
use crate::report::explanation;
use crate::report::human::Options;
use crate::report::json::{self, Layout};

/// `punchlab explain FILE`
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The scenario file.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    overrides: OverrideArguments,

    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// Try single changes only; otherwise also pairs of changes that do nothing alone.
    #[arg(long)]
    singles: bool,

    /// Print every set of changes that was found.
    #[arg(long)]
    full: bool,
}

/// What `explain` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An account to read.
    Human,
    /// One JSON object.
    Json,
}

/// Runs the scenario, then runs it again and again with something changed. What the file expects is not judged.
pub fn execute(arguments: &ExplainArguments, console: &mut Console) -> Exit {
    let (source, plan) = match load_source(&arguments.file, &arguments.overrides, console) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let ran = match ran(&arguments.file, &plan, Detail::Story, &arguments.overrides, console) {
        Ok(ran) => ran,
        Err(exit) => return exit,
    };
    let (overrides, limits) = (arguments.overrides.overrides(), arguments.overrides.limits());
    let experiment = Experiment { source: &source, overrides: &overrides, limits: &limits };
    let depth = if arguments.singles { Depth::Singles } else { Depth::Pairs };
    let explanation = flips(&plan, &experiment, depth).and_then(|flips| {
        let counterfactuals = without(&plan, &experiment)?;
        Ok(Explanation::new(&plan, &ran.run, &ran.outcome, counterfactuals, flips))
    });
    match explanation {
        Ok(explanation) => {
            let options = Options { style: console.style(), full: arguments.full, ..Options::default() };
            match arguments.format {
                Format::Human => console.print(&explanation::write(&explanation, options)),
                Format::Json => console.print(&json::text(&explanation, Layout::Pretty)),
            }
            Exit::Ok
        }
        Err(error) => {
            console.complain(&format!("error: {}: {error}", shown(&arguments.file)));
            Exit::CouldNotRun
        }
    }
}

/// The smallest sets of changes that flip a call, with the runs spread over all cores.
pub fn flips(plan: &Plan, experiment: &Experiment<'_>, depth: Depth) -> Result<Flips, RunError> {
    explain::flips(plan, experiment, depth, |sets, try_one| {
        let progress = progress::bar(sets.len(), "changes tried");
        let trials = sets.par_iter().map(|set| {
            let trial = try_one(set);
            progress.inc(1);
            trial
        });
        let trials = trials.collect();
        progress.finish_and_clear();
        trials
    })
}
