//! Other people's programs: which of them are here, and what they say.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// False where the program is not installed, which is a failure in CI.
pub fn is_here(program: &str, version: &[&str]) -> bool {
    let mut probe = Command::new(program);
    with_modules(&mut probe).args(version).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let here = match version {
        // Their tools have no harmless option; that they can be started says enough.
        [] => probe.spawn().map(|mut child| (child.kill(), child.wait())).is_ok(),
        _ => probe.status().is_ok_and(|status| status.success()),
    };
    assert!(here || std::env::var_os("CI").is_none(), "{program} {version:?} is not installed");
    if !here {
        writeln!(std::io::stderr(), "skipped: {program} {version:?} is not installed")
            .expect("standard error");
    }
    here
}

/// Python finds aioice where CI puts it, beside what else it finds.
pub fn with_modules(command: &mut Command) -> &mut Command {
    command.env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/target/aioice"))
}

/// A program that is stopped if it hangs.
pub fn bounded(program: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=1", "60", program]);
    command
}

/// Runs a program to its end, which must be a good one, and returns what it printed.
pub fn output_of(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{command:?}: {}\n{text}", output.status);
    text
}
