//! `punchlab run`: from scenario files to verdicts.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Exit;
use super::console::Console;
use super::overrides::OverrideArguments;
use crate::engine::{Run, RunOptions};
use crate::outcome::simulate;
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

fn run_file(arguments: &RunArguments, file: &Path, console: &mut Console) -> Exit {
    let plan = match load(file, &arguments.overrides, console) {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    // The trace is what explains the verdict, so it is always kept here.
    let options = RunOptions { record: true, limits: arguments.overrides.limits(), ..RunOptions::default() };
    let (run, mut outcome) = match simulate(&plan, &options) {
        Ok(done) => done,
        Err(error) => {
            console.complain(&format!("error: {}: {error}", shown(file)));
            return Exit::CouldNotRun;
        }
    };
    outcome.file = Some(file.display().to_string());
    console.print_bytes(&rendered(
        arguments,
        Report { plan: &plan, run: &run, outcome: &outcome },
        console.style(),
    ));
    if let Some(path) = &arguments.pcap
        && let Err(error) = write_capture(path, arguments.force, &plan, &run)
    {
        console.complain(&format!("error: cannot write {}: {}", shown(path), plain_words(&error, path)));
        return Exit::CouldNotRun;
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

fn is_same(one: &Path, other: &Path) -> bool {
    let (one, other) = (one.canonicalize(), other.canonicalize());
    matches!((one, other), (Ok(one), Ok(other)) if one == other)
}

/// A path as a terminal may be shown it.
pub fn shown(path: &Path) -> String {
    printable(&path.display().to_string()).into_owned()
}

/// Why a capture could not be written, and what helps.
fn plain_words(error: &std::io::Error, path: &Path) -> String {
    match error.kind() {
        _ if path.is_dir() => "it is a directory".into(),
        ErrorKind::AlreadyExists => "it exists already; `--force` replaces it".into(),
        ErrorKind::NotFound => "its folder does not exist".into(),
        _ => error.to_string(),
    }
}

fn write_capture(path: &Path, force: bool, plan: &Plan, run: &Run) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        // An existing file is somebody's; only --force replaces it.
        options.create_new(true);
    }
    let mut file = std::io::BufWriter::new(options.open(path)?);
    if let Some(trace) = &run.trace {
        capture::write(&mut file, plan, run.seed, trace)?;
    }
    file.flush()
}
