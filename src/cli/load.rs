//! What every command does with a scenario: read it, and run it; what goes wrong goes to standard error.

use std::path::Path;

use super::Exit;
use super::console::Console;
use super::overrides::OverrideArguments;
use crate::base::Limits;
use crate::engine::{Run, RunOptions};
use crate::outcome::{Outcome, simulate};
use crate::plan::Plan;
use crate::report::Report;
use crate::report::text::{Style, printable};
use crate::scenario::{self, Case, Diagnostic, Overrides, Rejection, Source};

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
    not_contradictory(overrides, console)?;
    load_with(file, &overrides.overrides(), &overrides.limits(), console)
}

/// Reads one scenario with these changes, and keeps its text.
pub fn load_with(
    file: &Path,
    overrides: &Overrides,
    limits: &Limits,
    console: &mut Console,
) -> Result<(Source, Plan), Exit> {
    let source = Source::read(file, limits).map_err(|rejection| refused(&rejection, console))?;
    let plan =
        scenario::load(&source, overrides, limits).map_err(|rejection| refused(&rejection, console))?;
    Ok((source, plan))
}

/// The text of a scenario and its cases.
pub fn load_cases(
    file: &Path,
    overrides: &OverrideArguments,
    console: &mut Console,
) -> Result<(Source, Vec<Case>), Exit> {
    let source = Source::read(file, &overrides.limits()).map_err(|rejection| refused(&rejection, console))?;
    let cases = cases_of(&source, overrides, console)?;
    Ok((source, cases))
}

/// The cases of a scenario that has been read already.
pub fn cases_of(
    source: &Source,
    overrides: &OverrideArguments,
    console: &mut Console,
) -> Result<Vec<Case>, Exit> {
    not_contradictory(overrides, console)?;
    scenario::cases(source, &overrides.overrides(), &overrides.limits())
        .map_err(|rejection| refused(&rejection, console))
}

/// The plan of one case. What is wrong with it goes to standard error, unless an earlier case has `told` it.
pub fn plan_of_case(
    source: &Source,
    case: &Case,
    overrides: &OverrideArguments,
    told: &mut Vec<Diagnostic>,
    console: &mut Console,
) -> Result<Plan, Exit> {
    scenario::load(source, &case.overrides, &overrides.limits()).map_err(|rejection| {
        if let Some(news) = rejection.untold(told) {
            refused(&news, console);
        }
        Exit::Rejected
    })
}

fn not_contradictory(overrides: &OverrideArguments, console: &mut Console) -> Result<(), Exit> {
    overrides.contradiction().map_or(Ok(()), |contradiction| {
        console.complain(&format!("error: {contradiction}"));
        Err(Exit::Rejected)
    })
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

/// How much of a long run its trace holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Every packet.
    Everything,
    /// What happens, without the packets of calls at rest.
    Story,
}

/// Runs a plan with its trace, which explains the verdict; a run that does not finish goes to standard error.
pub fn ran(
    file: &Path,
    plan: &Plan,
    detail: Detail,
    overrides: &OverrideArguments,
    console: &mut Console,
) -> Result<Ran, Exit> {
    let skip_rest = detail == Detail::Story && plan.is_long();
    let options = RunOptions { record: true, skip_rest, limits: overrides.limits(), ..RunOptions::default() };
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
