//! `punchlab check`: reads scenarios and reports every mistake, without running them.

use std::path::PathBuf;

use clap::Args;

use super::Exit;
use super::console::Console;
use super::load::{load, shown};
use super::overrides::OverrideArguments;

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
        match load(file, &arguments.overrides, console) {
            Ok(plan) => {
                let (nodes, calls) = (plan.topology.node_count(), plan.calls.len());
                console.print(&format!(
                    "{}: ok, {nodes} nodes, {calls} {}\n",
                    shown(file),
                    plural(calls, "call")
                ));
            }
            Err(failure) => exit = exit.and(failure),
        }
    }
    exit
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
