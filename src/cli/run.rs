//! `punchlab run`: from scenario files to verdicts.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Exit;
use super::console::Console;
use super::output::{is_same, save};
use super::overrides::OverrideArguments;
use crate::engine::{Run, RunOptions};
use crate::outcome::{Outcome, simulate};
use crate::plan::Plan;
use crate::report::human::{self, Options, Part};
use crate::report::json::{self, Layout};
use crate::report::text::{Style, printable};
use crate::report::{Report, capture, jsonl};
use crate::scenario::{self, Source};

/// `punchlab run FILE…`
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Scenario files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    overrides: OverrideArguments,

    /// What to print: a report to read, one JSON object, or JSON Lines with every packet.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// Also write every packet to this capture file, for Wireshark and tshark. It must not exist yet.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,

    /// Overwrite the capture file if it exists.
    #[arg(long, requires = "pcap")]
    force: bool,

    /// Print every packet and every table row, however many there are.
    #[arg(long)]
    full: bool,

    /// Print only these parts of the report, in this order.
    #[arg(long, value_enum, value_name = "PART", value_delimiter = ',')]
    show: Vec<Show>,
}

/// A part of the human report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Show {
    /// Name, seed, virtual time.
    Title,
    /// How each call went, and why.
    Verdict,
    /// The packets between the nodes.
    Ladder,
    /// What each agent gathered and selected.
    Candidates,
    /// What each NAT remembered at the end.
    NatTables,
    /// Where packets died, and by which rule.
    Drops,
    /// What was expected and what came of it.
    Expectations,
    /// What the scenario left open.
    Assumptions,
}

impl From<Show> for Part {
    fn from(show: Show) -> Self {
        match show {
            Show::Title => Self::Title,
            Show::Verdict => Self::Verdict,
            Show::Ladder => Self::Ladder,
            Show::Candidates => Self::Candidates,
            Show::NatTables => Self::NatTables,
            Show::Drops => Self::Drops,
            Show::Expectations => Self::Expectations,
            Show::Assumptions => Self::Assumptions,
        }
    }
}

/// What `run` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A report to read.
    Human,
    /// The contract's JSON object, one per scenario.
    Json,
    /// Every event of the run, a JSON object per line.
    Jsonl,
}

/// Runs every file and prints what came of it. Of several results the worst is the exit code.
pub fn execute(arguments: &RunArguments, console: &mut Console) -> Exit {
    if arguments.pcap.is_some() && arguments.files.len() > 1 {
        console.complain("error: --pcap writes one capture; give it one scenario file");
        return Exit::Rejected;
    }
    if let Some(capture) = arguments.pcap.as_deref()
        && arguments.files.iter().any(|file| is_same(file, capture))
    {
        console.complain("error: --pcap would replace the scenario itself; name another file");
        return Exit::Rejected;
    }
    let mut exit = Exit::Ok;
    for (index, file) in arguments.files.iter().enumerate() {
        if index > 0 && arguments.format == Format::Human {
            console.print("\n");
        }
        exit = exit.and(run_file(arguments, file, console));
    }
    exit
}

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
    let limits = overrides.limits();
    if let Some(contradiction) = overrides.contradiction() {
        console.complain(&format!("error: {contradiction}"));
        return Err(Exit::Rejected);
    }
    let loaded = Source::read(file, &limits).and_then(|source| {
        let plan = scenario::load(&source, &overrides.overrides(), &limits)?;
        Ok((source, plan))
    });
    loaded.map_err(|rejection| {
        let color = console.error_style() == Style::Ansi;
        console.complain(&rejection.render(color));
        Exit::Rejected
    })
}

/// Runs one scenario and keeps its trace, which is what explains the verdict; what goes wrong goes to standard error.
pub fn simulated(
    plan: &Plan,
    file: &Path,
    overrides: &OverrideArguments,
    console: &mut Console,
) -> Result<(Run, Outcome), Exit> {
    let options = RunOptions { record: true, limits: overrides.limits(), ..RunOptions::default() };
    simulate(plan, &options).map_err(|error| {
        console.complain(&format!("error: {}: {error}", shown(file)));
        Exit::CouldNotRun
    })
}

fn run_file(arguments: &RunArguments, file: &Path, console: &mut Console) -> Exit {
    let plan = match load(file, &arguments.overrides, console) {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    let (run, mut outcome) = match simulated(&plan, file, &arguments.overrides, console) {
        Ok(done) => done,
        Err(exit) => return exit,
    };
    outcome.file = Some(file.display().to_string());
    let report = Report { plan: &plan, run: &run, outcome: &outcome };
    console.print_bytes(&rendered(arguments, report, console.style()));
    let captured = match (&arguments.pcap, &run.trace) {
        (Some(path), Some(trace)) => {
            save(path, arguments.force, console, |file| capture::write(file, &plan, run.seed, trace))
        }
        _ => Exit::Ok,
    };
    if captured != Exit::Ok {
        return captured;
    }
    if outcome.ok { Exit::Ok } else { Exit::ExpectationFailed }
}

fn rendered(arguments: &RunArguments, report: Report<'_>, style: Style) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = match arguments.format {
        Format::Human => {
            let chosen: Vec<Part> = arguments.show.iter().map(|show| Part::from(*show)).collect();
            let parts = if chosen.is_empty() { Part::ALL } else { &chosen };
            let options = Options { style, full: arguments.full, ..Options::default() };
            bytes = human::write_parts(report, parts, options).into_bytes();
            Ok(())
        }
        Format::Json => json::write(&mut bytes, report.outcome, Layout::Pretty),
        Format::Jsonl => jsonl::write(&mut bytes, report),
    };
    // Writing to memory does not fail.
    debug_assert!(written.is_ok());
    bytes
}

/// A path as a terminal may be shown it.
pub fn shown(path: &Path) -> String {
    printable(&path.display().to_string()).into_owned()
}
