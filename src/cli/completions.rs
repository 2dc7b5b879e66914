//! `punchlab completions`: for shells.

use clap::Args;
use clap_complete::Shell;

use super::Exit;
use super::console::Console;

/// `punchlab completions SHELL`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  punchlab completions bash >~/.local/share/bash-completion/completions/punchlab
  punchlab completions zsh >~/.zfunc/_punchlab
  punchlab completions fish >~/.config/fish/completions/punchlab.fish";

/// Prints the shell's script.
pub fn execute(arguments: &CompletionsArguments, console: &mut Console) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::command(), "punchlab", &mut script);
    console.print_bytes(&script);
    Exit::Ok
}
