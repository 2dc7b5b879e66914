//! `punchlab schema`: JSON schemas, draft 7.

use clap::{Args, ValueEnum};

use super::Exit;
use super::console::Console;
use super::output::OutputArguments;
use crate::scenario;
use crate::suite::schema::{of_discoveries, of_explanation, of_measurement, of_outcome, of_results};

/// `punchlab schema [OF]`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArguments {
    /// Of what.
    #[arg(value_enum, default_value_t = Of::Scenario)]
    of: Of,

    #[command(flatten)]
    output: OutputArguments,
}

const EXAMPLES: &str = "\
Examples:
  punchlab schema -o punchlab.schema.json
  punchlab schema outcome

An editor with a YAML language server completes and checks a scenario whose first line is
  # yaml-language-server: $schema=punchlab.schema.json";

/// What has a schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// Scenario files, for an editor's YAML language server.
    Scenario,
    /// What `run --format json` prints.
    Outcome,
    /// What `explain --format json` prints.
    Explanation,
    /// What `discover FILE --format json` prints.
    Discover,
    /// What `discover --server … --format json` prints.
    Measurement,
    /// What `test --json` writes.
    Results,
}

/// Prints a schema.
pub fn execute(arguments: &SchemaArguments, console: &mut Console) -> Exit {
    let schema = match arguments.of {
        Of::Scenario => scenario::schema(),
        Of::Outcome => of_outcome(),
        Of::Explanation => of_explanation(),
        Of::Discover => of_discoveries(),
        Of::Measurement => of_measurement(),
        Of::Results => of_results(),
    };
    arguments.output.deliver(&format!("{schema:#}\n"), console)
}
