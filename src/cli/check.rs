//! `punchlab check`: reads scenarios and reports every mistake, without running them.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::console::Console;
use super::load::{load_cases, plan_of_case, shown};
use super::overrides::OverrideArguments;
use crate::report::text::printable;

/// `punchlab check FILE…`
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Scenario files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    overrides: OverrideArguments,
}

/// Checks every file; all their mistakes are reported.
pub fn execute(arguments: &CheckArguments, console: &mut Console) -> Exit {
    let mut exit = Exit::Ok;
    for file in &arguments.files {
        exit = exit.and(match check(file, &arguments.overrides, console) {
            Ok(()) => Exit::Ok,
            Err(failure) => failure,
        });
    }
    exit
}

/// Checks the cases of a file, up to the first with mistakes: those of the others are mostly the same.
fn check(file: &Path, overrides: &OverrideArguments, console: &mut Console) -> Result<(), Exit> {
    let (source, cases) = load_cases(file, overrides, console)?;
    for case in &cases {
        let plan = plan_of_case(&source, case, overrides, console)?;
        let (nodes, calls) = (plan.topology.node_count(), plan.calls.len());
        let label =
            if case.label.is_empty() { String::new() } else { format!("[{}]", printable(&case.label)) };
        console.print(&format!(
            "{}{label}: ok, {nodes} nodes, {calls} {}\n",
            shown(file),
            plural(calls, "call")
        ));
    }
    Ok(())
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
