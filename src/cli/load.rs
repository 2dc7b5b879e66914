//! What every command does with a scenario: read it, and run it; what goes wrong goes to standard error.

use std::path::Path;

use super::Exit;
use super::console::Console;
use super::overrides::OverrideArguments;
use crate::engine::{Run, RunOptions};
use crate::outcome::{Outcome, simulate};
use crate::plan::Plan;
use crate::report::Report;
use crate::report::text::{Style, printable};
use crate::scenario::{self, Rejection, Source};

/// Reads one scenario; what is wrong with it goes to standard error.
pub fn load(file: &Path, overrides: &OverrideArguments, console: &mut Console) -> Result<Plan, Exit> {
    load_source(file, overrides, console).map(|(_, plan)| plan)
}

/// Reads one scenario and keeps its text.
pub fn load_source(
    file: &Path,
    overrides: &OverrideArguments,
    console: &mut Console,
) -> Result<(Source, Plan), Exit> {
    let source = Source::read(file, &overrides.limits()).map_err(|rejection| refused(&rejection, console))?;
    let plan = plan_of(&source, overrides, console)?;
    Ok((source, plan))
}

/// The plan of a scenario that has been read already.
pub fn plan_of(source: &Source, overrides: &OverrideArguments, console: &mut Console) -> Result<Plan, Exit> {
    if let Some(contradiction) = overrides.contradiction() {
        console.complain(&format!("error: {contradiction}"));
        return Err(Exit::Rejected);
    }
    scenario::load(source, &overrides.overrides(), &overrides.limits())
        .map_err(|rejection| refused(&rejection, console))
}

fn refused(rejection: &Rejection, console: &mut Console) -> Exit {
    let color = console.error_style() == Style::Ansi;
    console.complain(&rejection.render(color));
    Exit::Rejected
}

/// A finished run and what it means.
pub struct Ran {
    /// What happened.
    pub run: Run,
    /// What it means.
    pub outcome: Outcome,
}

impl Ran {
    /// What writers need.
    pub const fn report<'a>(&'a self, plan: &'a Plan) -> Report<'a> {
        Report { plan, run: &self.run, outcome: &self.outcome }
    }

    /// What the expectations make of it.
    pub const fn exit(&self) -> Exit {
        if self.outcome.ok { Exit::Ok } else { Exit::ExpectationFailed }
    }
}

/// Runs a plan with its trace, which explains the verdict; a run that does not finish goes to standard error.
pub fn ran(
    file: &Path,
    plan: &Plan,
    overrides: &OverrideArguments,
    console: &mut Console,
) -> Result<Ran, Exit> {
    let options = RunOptions { record: true, limits: overrides.limits(), ..RunOptions::default() };
    match simulate(plan, &options) {
        Ok((run, mut outcome)) => {
            outcome.file = Some(file.display().to_string());
            Ok(Ran { run, outcome })
        }
        Err(error) => {
            console.complain(&format!("error: {}: {error}", shown(file)));
            Err(Exit::CouldNotRun)
        }
    }
}

/// A path as a terminal may be shown it.
pub fn shown(path: &Path) -> String {
    printable(&path.display().to_string()).into_owned()
}
