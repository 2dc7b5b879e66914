//! The `punchlab` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    punchlab::cli::main()
}
