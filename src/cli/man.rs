//! `punchlab man`: manual pages.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use super::Exit;
use super::console::Console;
use super::load::shown;
use super::output::save;
use crate::scenario::nearest;

/// `punchlab man [COMMAND]`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ManArguments {
    /// The page of this command instead of the program's.
    #[arg(value_name = "COMMAND", conflicts_with = "output")]
    command: Option<String>,

    /// Write the pages of all commands into this folder.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Overwrite pages that exist.
    #[arg(long, requires = "output")]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  punchlab man run | man -l -
  punchlab man -o /usr/local/share/man/man1";

/// What stands at the foot of a page.
const SOURCE: &str = concat!("punchlab ", env!("CARGO_PKG_VERSION"));

/// Prints one page, or writes all.
pub fn execute(arguments: &ManArguments, console: &mut Console) -> Exit {
    let program = program();
    match (&arguments.output, &arguments.command) {
        (Some(folder), _) => write_all(&program, folder, arguments.force, console),
        (None, None) => print(&program, console),
        (None, Some(name)) => match program.find_subcommand(name) {
            Some(command) => print(command, console),
            None => {
                let known = program.get_subcommands().map(Command::get_name);
                let hint =
                    nearest(name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                console.complain(&format!("error: no command is called `{name}`{hint}"));
                Exit::NothingMatched
            }
        },
    }
}

/// The program with all its commands, each with the name its page has: `punchlab-run`.
fn program() -> Command {
    let mut program = super::command();
    program.build();
    program
}

fn print(command: &Command, console: &mut Console) -> Exit {
    console.print_bytes(&page(command));
    Exit::Ok
}

fn write_all(program: &Command, folder: &Path, force: bool, console: &mut Console) -> Exit {
    if let Err(error) = std::fs::create_dir_all(folder) {
        console.complain(&format!("error: {}: {error}", shown(folder)));
        return Exit::CouldNotRun;
    }
    let commands = program.get_subcommands().filter(|command| command.get_name() != "help");
    let mut exit = Exit::Ok;
    for command in std::iter::once(program).chain(commands) {
        let path = folder.join(format!("{}.1", name_of(command)));
        exit = exit.and(save(&path, force, console, |file| file.write_all(&page(command))));
    }
    exit
}

fn name_of(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &Command) -> Vec<u8> {
    let mut page = Vec::new();
    // Writing to memory does not fail.
    let written = Man::new(command.clone()).title(name_of(command)).source(SOURCE).render(&mut page);
    debug_assert!(written.is_ok());
    page
}
