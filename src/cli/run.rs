//! `punchlab run`: from scenario files to verdicts.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Exit;
use super::console::Console;
use super::load::{Detail, cases_of, load_cases, plan_of_case, ran, shown};
use super::output::{file_path, is_same, save};
use super::overrides::OverrideArguments;
use super::report::page;
use crate::plan::Plan;
use crate::report::human::{self, Options, Part};
use crate::report::json::{self, Layout};
use crate::report::text::Style;
use crate::report::{Report, capture, jsonl};
use crate::scenario::{Case, Source};

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
    #[arg(long, value_name = "FILE", value_parser = file_path)]
    pcap: Option<PathBuf>,

    /// Also write the run as one HTML file to open in a browser. It must not exist yet.
    #[arg(long, value_name = "FILE", value_parser = file_path)]
    html: Option<PathBuf>,

    /// Overwrite the capture and the HTML file if they exist.
    #[arg(long)]
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
    /// What changed while it ran.
    Events,
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
            Show::Events => Self::Events,
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

impl RunArguments {
    /// True if this is the one scenario to run.
    pub fn is_about(&self, path: &str) -> bool {
        matches!(self.files.as_slice(), [file] if file.as_os_str() == path)
    }

    /// The files to write: option, what it writes, and where.
    fn written(&self) -> impl Iterator<Item = (&'static str, &'static str, &Path)> {
        let written = [("--pcap", "capture", &self.pcap), ("--html", "page", &self.html)];
        written.into_iter().filter_map(|(option, what, path)| Some((option, what, path.as_deref()?)))
    }

    /// What makes no sense about the files to write.
    fn mistake(&self) -> Option<String> {
        if self.force && self.written().next().is_none() {
            return Some("--force replaces what --pcap or --html writes; give one of them".into());
        }
        self.written().find_map(|(option, what, path)| {
            if self.files.len() > 1 {
                return Some(format!("{option} writes one {what}; give it one scenario file"));
            }
            let replaces = self.files.iter().any(|file| is_same(file, path));
            replaces.then(|| format!("{option} would replace the scenario itself; name another file"))
        })
    }
}

/// Runs every case of every file and prints what came of it. Of several results the worst is the exit code.
pub fn execute(arguments: &RunArguments, console: &mut Console) -> Exit {
    if let Some(mistake) = arguments.mistake() {
        console.complain(&format!("error: {mistake}"));
        return Exit::Rejected;
    }
    let mut exit = Exit::Ok;
    for (index, file) in arguments.files.iter().enumerate() {
        separate(arguments, index, console);
        exit = exit.and(match load_cases(file, &arguments.overrides, console) {
            Ok((source, cases)) => run_cases(arguments, file, &source, &cases, console),
            Err(exit) => exit,
        });
    }
    exit
}

/// Runs a scenario that is no file.
pub fn execute_source(arguments: &RunArguments, source: &Source, console: &mut Console) -> Exit {
    match cases_of(source, &arguments.overrides, console) {
        Ok(cases) => run_cases(arguments, Path::new(&source.name), source, &cases, console),
        Err(exit) => exit,
    }
}

fn run_cases(
    arguments: &RunArguments,
    file: &Path,
    source: &Source,
    cases: &[Case],
    console: &mut Console,
) -> Exit {
    if let (true, Some((option, what, _))) = (cases.len() > 1, arguments.written().next()) {
        let count = cases.len();
        let which = "choose one with `--set matrix.NAME=VALUE`, or let `punchlab test` write all of them";
        console.complain(&format!(
            "error: {option} writes one {what}, and {} holds {count} cases; {which}",
            shown(file)
        ));
        return Exit::Rejected;
    }
    let mut exit = Exit::Ok;
    let mut told = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        exit = exit.and(match plan_of_case(source, case, &arguments.overrides, &mut told, console) {
            Ok(plan) => {
                separate(arguments, index, console);
                run_plan(arguments, file, source, &plan, console)
            }
            Err(exit) => exit,
        });
    }
    exit
}

/// An empty line between two reports.
fn separate(arguments: &RunArguments, index: usize, console: &mut Console) {
    if index > 0 && arguments.format == Format::Human {
        console.print("\n");
    }
}

fn run_plan(
    arguments: &RunArguments,
    file: &Path,
    source: &Source,
    plan: &Plan,
    console: &mut Console,
) -> Exit {
    let is_exported = arguments.format == Format::Jsonl || arguments.pcap.is_some();
    let detail = if is_exported { Detail::Everything } else { Detail::Story };
    let ran = match ran(file, plan, detail, &arguments.overrides, console) {
        Ok(ran) => ran,
        Err(exit) => return exit,
    };
    let report = ran.report(plan);
    console.print(&rendered(arguments, report, console.style()));
    let mut written = Exit::Ok;
    if let (Some(path), Some(trace)) = (&arguments.pcap, &ran.run.trace) {
        let capture = |file: &mut _| capture::write(file, plan, ran.run.seed, trace);
        written = written.and(save(path, arguments.force, console, capture));
    }
    if let Some(path) = &arguments.html {
        written = written.and(match page(file, source, plan, &ran, &arguments.overrides, console) {
            Ok(page) => save(path, arguments.force, console, |file| file.write_all(page.as_bytes())),
            Err(exit) => exit,
        });
    }
    written.and(ran.exit())
}

fn rendered(arguments: &RunArguments, report: Report<'_>, style: Style) -> String {
    match arguments.format {
        Format::Human => {
            let chosen: Vec<Part> = arguments.show.iter().map(|show| Part::from(*show)).collect();
            let parts = if chosen.is_empty() { Part::ALL } else { &chosen };
            let options = Options { style, full: arguments.full, ..Options::default() };
            human::write_parts(report, parts, options)
        }
        Format::Json => json::text(report.outcome, Layout::Pretty),
        Format::Jsonl => jsonl::text(report),
    }
}
