//! The command line: the only place with files, standard output and exit codes. One file a command.

mod check;
mod completions;
mod console;
mod discover;
mod exit;
mod explain;
mod find;
mod graph;
mod ladder;
mod lesson;
mod load;
mod man;
mod matrix;
mod new;
mod output;
mod overrides;
mod profiles;
mod progress;
mod report;
mod review;
mod run;
mod schema;
mod test;
#[cfg(feature = "watch")]
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use exit::Exit;

/// What `--help` ends with; the numbers are those of [`Exit`].
const EXIT_CODES: &str = "\
Exit codes:
  0  all expectations hold
  1  an expectation failed
  2  wrong usage, or a scenario was rejected
  3  a run could not be finished (a limit was reached, an agent crashed)
  4  nothing matched";

/// What `--help` begins with.
const EXAMPLES: &str = "\
Examples:
  punchlab run scenarios/symmetric-x-symmetric.nat.yaml
  punchlab run call.nat.yaml --set nats.nat-a=full-cone
  punchlab run call.nat.yaml --agent rtc --pcap call.pcapng
  punchlab report call.nat.yaml -o call.html
  punchlab explain scenarios/symmetric-x-symmetric.nat.yaml
  punchlab discover scenarios/discovery-nine-nats.nat.yaml
  punchlab graph call.nat.yaml -o call.svg
  punchlab ladder call.nat.yaml --call 'alice->bob' --format svg -o ladder.svg
  punchlab test tests/nat --junit junit.xml
  punchlab matrix
  punchlab lesson 1
  punchlab profiles symmetric
  punchlab new -o call.nat.yaml

";

/// Will two peers behind NATs connect directly, through a punched hole, or only through a relay, and why?
#[derive(Debug, Parser)]
#[command(name = "punchlab", version, before_help = EXAMPLES, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    console: console::ConsoleArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios: verdict, why, ladder, candidates, NAT tables, drops.
    Run(run::RunArguments),
    /// Write a run as one HTML file: network, packets and tables at every instant.
    Report(report::ReportArguments),
    /// Say what each side tried, and which smallest changes would have given the call another path.
    Explain(explain::ExplainArguments),
    /// Find out about each NAT by STUN, as RFC 5780 and RFC 3489 do, and show where that goes wrong.
    Discover(discover::DiscoverArguments),
    /// Run every scenario of a folder as a test: expectations, snapshots, reports for CI.
    Test(test::TestArguments),
    /// Run a scenario again whenever it is saved, and keep an open page of it fresh.
    #[cfg(feature = "watch")]
    Watch(watch::WatchArguments),
    /// Look at snapshots that a run disagreed with: accept, reject, skip.
    Review(review::ReviewArguments),
    /// Read scenarios and report every mistake, without running them.
    Check(check::CheckArguments),
    /// List NAT nicknames and profiles, or print one with every axis spelled out.
    Profiles(profiles::ProfilesArguments),
    /// Draw the topology of a scenario: SVG, Graphviz or Mermaid.
    Graph(graph::GraphArguments),
    /// Draw the packets of a call in time: text, SVG or Mermaid.
    Ladder(ladder::LadderArguments),
    /// Learn how NATs decide calls: short lessons that ask for a prediction, then run it.
    Lesson(lesson::LessonArguments),
    /// One call between every pair of NAT types, as a grid.
    Matrix(matrix::MatrixArguments),
    /// Begin a scenario from a template, every line explained.
    New(new::NewArguments),
    /// Print the JSON schema of scenario files, for editors, or of what commands write, for programs.
    Schema(schema::SchemaArguments),
    /// Print what makes a shell complete this program's commands and options.
    Completions(completions::CompletionsArguments),
    /// Print a manual page, or write all of them into a folder.
    Man(man::ManArguments),
}

/// Parses the arguments, runs the command, and returns the exit code.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are not errors; clap knows which stream each belongs to.
            let code = if error.use_stderr() { Exit::Rejected } else { Exit::Ok };
            let _ = error.print();
            return code.into();
        }
    };
    let mut console = arguments.console.open();
    let exit = match arguments.command {
        Command::Run(arguments) => run::execute(&arguments, &mut console),
        Command::Report(arguments) => report::execute(&arguments, &mut console),
        Command::Explain(arguments) => explain::execute(&arguments, &mut console),
        Command::Discover(arguments) => discover::execute(&arguments, &mut console),
        Command::Test(arguments) => test::execute(&arguments, &mut console),
        #[cfg(feature = "watch")]
        Command::Watch(arguments) => watch::execute(&arguments, &mut console),
        Command::Review(arguments) => review::execute(&arguments, &mut console),
        Command::Check(arguments) => check::execute(&arguments, &mut console),
        Command::Profiles(arguments) => profiles::execute(&arguments, &mut console),
        Command::Graph(arguments) => graph::execute(&arguments, &mut console),
        Command::Ladder(arguments) => ladder::execute(&arguments, &mut console),
        Command::Lesson(arguments) => lesson::execute(&arguments, &mut console),
        Command::Matrix(arguments) => matrix::execute(&arguments, &mut console),
        Command::New(arguments) => new::execute(&arguments, &mut console),
        Command::Schema(arguments) => schema::execute(&arguments, &mut console),
        Command::Completions(arguments) => completions::execute(&arguments, &mut console),
        Command::Man(arguments) => man::execute(&arguments, &mut console),
    };
    console.finish(exit).into()
}

/// The whole command line as clap describes it, for completions, manual pages and tests.
pub fn command() -> clap::Command {
    Arguments::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
