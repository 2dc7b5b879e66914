//! `punchlab graph`: a picture of a scenario's topology.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Exit;
use super::console::Console;
use super::load::load;
use super::output::OutputArguments;
use super::overrides::OverrideArguments;
use crate::report::topology::{dot, mermaid, svg};

/// `punchlab graph FILE`
#[derive(Debug, Args)]
pub struct GraphArguments {
    /// A scenario file. It is read and not run.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    overrides: OverrideArguments,

    /// What to draw.
    #[arg(long, value_enum, default_value_t = Format::Svg)]
    format: Format,

    #[command(flatten)]
    output: OutputArguments,
}

/// What `graph` draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A picture for web pages, light and dark.
    Svg,
    /// Text for Graphviz.
    Dot,
    /// Text for Mermaid, which GitHub draws.
    Mermaid,
}

/// Draws the topology.
pub fn execute(arguments: &GraphArguments, console: &mut Console) -> Exit {
    let plan = match load(&arguments.file, &arguments.overrides, console) {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    if let Err(exit) = arguments.output.check(&arguments.file, console) {
        return exit;
    }
    let text = match arguments.format {
        Format::Svg => svg::write(&plan),
        Format::Dot => dot::write(&plan),
        Format::Mermaid => mermaid::write(&plan),
    };
    arguments.output.deliver(&text, console)
}
