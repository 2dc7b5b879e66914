//! `punchlab matrix`: one call between every pair of NAT types, as a grid.

use clap::{Args, ValueEnum};
use rayon::prelude::*;

use super::Exit;
use super::console::Console;
use super::overrides::{parse_seed, parse_stack, parse_word};
use crate::matrix::{Matrix, MatrixError, MatrixOptions, legacy_sites, rfc4787_sites, row};
use crate::plan::{FilterScope, ReplyMapping, StackKind};
use crate::report;
use crate::report::json::{self, Layout};

/// `punchlab matrix`
#[derive(Debug, Args)]
pub struct MatrixArguments {
    /// All nine RFC 4787 combinations of mapping and filtering, instead of the legacy types.
    #[arg(long)]
    full: bool,

    /// The ICE stack of both peers, or the caller's and the callee's: `rtc`, `is,rtc`.
    #[arg(long, value_name = "STACK[,STACK]", value_delimiter = ',', num_args = 1..=2, value_parser = parse_stack)]
    agent: Vec<StackKind>,

    /// The seed of every run.
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = parse_seed)]
    seed: u64,

    /// Whose destinations open a NAT's filter, which RFC 4787 leaves open: `mapping` or `endpoint`.
    #[arg(long, value_name = "SCOPE", default_value = "mapping", value_parser = parse_word(FilterScope::from_word, FilterScope::ALL))]
    filter_scope: FilterScope,

    /// Which mapping carries a reply, likewise: `admitting` or `by-destination`.
    #[arg(long, value_name = "RULE", default_value = "admitting", value_parser = parse_word(ReplyMapping::from_word, ReplyMapping::ALL))]
    reply_mapping: ReplyMapping,

    /// Without a TURN server: which pairs can reach each other on their own?
    #[arg(long)]
    no_turn: bool,

    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// What `matrix` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table.
    Human,
    /// `{ "sites": […], "paths": [[…]] }`.
    Json,
}

/// Fills the grid on all cores and prints it.
pub fn execute(arguments: &MatrixArguments, console: &mut Console) -> Exit {
    let [caller, callee] = match arguments.agent.as_slice() {
        [] => [StackKind::Is; 2],
        [both] => [*both; 2],
        [caller, callee] => [*caller, *callee],
        _ => {
            console.complain("error: --agent takes one stack, or two: the caller's and the callee's");
            return Exit::Rejected;
        }
    };
    let options = MatrixOptions {
        seed: arguments.seed,
        caller,
        callee,
        turn: !arguments.no_turn,
        filter_scope: arguments.filter_scope,
        reply_mapping: arguments.reply_mapping,
    };
    match fill(arguments.full, &options) {
        Ok(matrix) => {
            let text = match arguments.format {
                Format::Human => report::matrix::write(&matrix, &options, console.style()),
                Format::Json => json::text(&matrix, Layout::Compact),
            };
            console.print(&text);
            Exit::Ok
        }
        Err(error) => {
            console.complain(&format!("error: {error}"));
            Exit::CouldNotRun
        }
    }
}

/// Rows are independent, so the order in which the cores take them does not matter.
fn fill(full: bool, options: &MatrixOptions) -> Result<Matrix, MatrixError> {
    let sites = if full { rfc4787_sites() } else { legacy_sites() };
    let paths = sites.par_iter().map(|caller| row(caller, &sites, options)).collect::<Result<_, _>>()?;
    Ok(Matrix::new(&sites, paths))
}
