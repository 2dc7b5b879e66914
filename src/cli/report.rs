//! `punchlab report`: a run as one HTML file.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::console::Console;
use super::explain::flips;
use super::load::{Detail, Ran, load_source, ran, shown};
use super::output::OutputArguments;
use super::overrides::OverrideArguments;
use crate::explain::{Depth, Experiment, Flips};
use crate::plan::Plan;
use crate::report::html;
use crate::scenario::Source;

/// `punchlab report FILE -o OUT.html`
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// The scenario file.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    overrides: OverrideArguments,

    #[command(flatten)]
    output: OutputArguments,
}

/// Runs the scenario and writes the page. What the file expects is shown there and decides the exit code.
pub fn execute(arguments: &ReportArguments, console: &mut Console) -> Exit {
    match made(arguments, console) {
        Ok((page, ran)) => arguments.output.deliver(&page, console).and(ran.exit()),
        Err(exit) => exit,
    }
}

fn made(arguments: &ReportArguments, console: &mut Console) -> Result<(String, Ran), Exit> {
    let ReportArguments { file, overrides, output } = arguments;
    let (source, plan) = load_source(file, overrides, console)?;
    output.check(file, console)?;
    let ran = ran(file, &plan, Detail::Story, overrides, console)?;
    let page = page(file, &source, &plan, &ran, overrides, console)?;
    Ok((page, ran))
}

/// The page of a run, with the single changes that would have given a call another path.
pub fn page(
    file: &Path,
    source: &Source,
    plan: &Plan,
    ran: &Ran,
    overrides: &OverrideArguments,
    console: &mut Console,
) -> Result<String, Exit> {
    let flips = single_flips(file, source, plan, overrides, console)?;
    Ok(html::write(ran.report(plan), source, Some(&flips)))
}

/// The single changes that would have given a call another path.
pub fn single_flips(
    file: &Path,
    source: &Source,
    plan: &Plan,
    overrides: &OverrideArguments,
    console: &mut Console,
) -> Result<Flips, Exit> {
    let (changed, limits) = (overrides.overrides(), overrides.limits());
    let experiment = Experiment { source, overrides: &changed, limits: &limits };
    flips(plan, &experiment, Depth::Singles).map_err(|error| {
        console.complain(&format!("error: {}: {error}", shown(file)));
        Exit::CouldNotRun
    })
}
