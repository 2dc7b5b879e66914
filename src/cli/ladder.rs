//! `punchlab ladder`: the packets of a call in time, as text or as a picture.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Exit;
use super::console::Console;
use super::load::{Detail, load, ran};
use super::output::OutputArguments;
use super::overrides::OverrideArguments;
use crate::base::{SimDuration, SimTime};
use crate::plan::Plan;
use crate::report::human::{Options, write_ladder};
use crate::report::journey::journeys;
use crate::report::ladder::{Ladder, mermaid, svg};
use crate::scenario;

/// `punchlab ladder FILE`
#[derive(Debug, Args)]
pub struct LadderArguments {
    /// A scenario file. It is run; whether its expectations hold is not looked at.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    overrides: OverrideArguments,

    /// What to draw.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Which call, as `alice->bob` or by its number, counted from 0. It may be left out if there is only one.
    #[arg(long, value_name = "CALL")]
    call: Option<String>,

    /// Leave out what began earlier than this: `100ms`.
    #[arg(long, value_name = "TIME", value_parser = scenario::duration)]
    from: Option<SimDuration>,

    /// Leave out what began later than this: `1.5s`.
    #[arg(long, value_name = "TIME", value_parser = scenario::duration)]
    until: Option<SimDuration>,

    /// Draw every packet, also those that repeat, however many there are.
    #[arg(long)]
    full: bool,

    #[command(flatten)]
    output: OutputArguments,
}

/// What `ladder` draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines of characters for terminals.
    Text,
    /// A picture for web pages, light and dark.
    Svg,
    /// Text for Mermaid, which GitHub draws.
    Mermaid,
}

/// Runs the scenario and draws one of its calls.
pub fn execute(arguments: &LadderArguments, console: &mut Console) -> Exit {
    match ladder(arguments, console) {
        Ok(text) => arguments.output.deliver(&text, console),
        Err(exit) => exit,
    }
}

fn ladder(arguments: &LadderArguments, console: &mut Console) -> Result<String, Exit> {
    let (from, until) = window(arguments, console)?;
    let plan = load(&arguments.file, &arguments.overrides, console)?;
    arguments.output.check(&arguments.file, console)?;
    let call = chosen(&plan, arguments.call.as_deref()).map_err(|explanation| {
        console.complain(&format!("error: {explanation}"));
        Exit::Rejected
    })?;
    let ran = ran(&arguments.file, &plan, Detail::Everything, &arguments.overrides, console)?;
    let report = ran.report(&plan);
    if let Some(missing) = ran.run.trace.as_ref().map(|trace| trace.truncated).filter(|missing| *missing > 0)
    {
        console.complain(&format!(
            "warning: the trace was full, and {missing} later events are not drawn; raise it with `--limit trace-bytes=N`"
        ));
    }
    let journeys = journeys(report);
    let Some(ladder) = Ladder::new(report, &journeys, call) else { return Err(Exit::NothingMatched) };
    let ladder = ladder.between(from, until);
    if ladder.rows.is_empty() {
        let ended = ran.run.ended_at;
        console.complain(&match arguments.until {
            Some(until) => {
                format!("error: nothing began between {from} and {until}; the run ended at {ended}")
            }
            None => format!("error: nothing began after {from}; the run ended at {ended}"),
        });
        return Err(Exit::NothingMatched);
    }
    Ok(match arguments.format {
        Format::Text => {
            let style = arguments.output.style(console);
            write_ladder(&ladder, Options { style, full: arguments.full, ..Options::default() })
        }
        Format::Svg => svg::write(&ladder, arguments.full),
        Format::Mermaid => mermaid::write(&ladder, arguments.full),
    })
}

fn window(arguments: &LadderArguments, console: &mut Console) -> Result<(SimTime, SimTime), Exit> {
    let from = arguments.from.unwrap_or(SimDuration::ZERO);
    if let Some(until) = arguments.until.filter(|until| *until < from) {
        console
            .complain(&format!("error: --until {until} is before --from {from}; nothing lies between them"));
        return Err(Exit::Rejected);
    }
    let until = arguments.until.map_or(SimTime::MAX, |until| SimTime::ZERO + until);
    Ok((SimTime::ZERO + from, until))
}

/// The index of the call that was asked for.
fn chosen(plan: &Plan, asked: Option<&str>) -> Result<usize, String> {
    let ends = |call: &crate::plan::Call| format!("{}->{}", plan.host_of(call.from), plan.host_of(call.to));
    let calls: Vec<String> = plan.calls.iter().map(ends).collect();
    let listed: Vec<String> =
        calls.iter().enumerate().map(|(number, call)| format!("\n  {number}  {call}")).collect();
    let Some(asked) = asked else {
        return match calls.len() {
            1 => Ok(0),
            count => Err(format!("there are {count} calls; choose one with --call:{}", listed.concat())),
        };
    };
    let plain = asked.replace([' ', '\t'], "").replace('→', "->");
    let by_number = plain.parse().ok().filter(|number: &usize| *number < calls.len());
    by_number
        .or_else(|| calls.iter().position(|call| *call == plain))
        .ok_or_else(|| format!("there is no call `{}`; there are:{}", asked.escape_debug(), listed.concat()))
}
