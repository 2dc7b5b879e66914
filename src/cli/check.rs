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
        exit = exit.and(check(file, &arguments.overrides, console));
    }
    exit
}

/// Checks the cases of a file; a mistake that several of them share is told once.
fn check(file: &Path, overrides: &OverrideArguments, console: &mut Console) -> Exit {
    let (source, cases) = match load_cases(file, overrides, console) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let (mut exit, mut told) = (Exit::Ok, Vec::new());
    for case in &cases {
        let plan = match plan_of_case(&source, case, overrides, &mut told, console) {
            Ok(plan) => plan,
            Err(failure) => {
                exit = exit.and(failure);
                continue;
            }
        };
        let (nodes, calls) = (plan.topology.node_count(), plan.calls.len());
        let label =
            if case.label.is_empty() { String::new() } else { format!("[{}]", printable(&case.label)) };
        console.print(&format!(
            "{}{label}: ok, {nodes} nodes, {calls} {}\n",
            shown(file),
            plural(calls, "call")
        ));
    }
    exit
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
