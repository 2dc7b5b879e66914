//! `punchlab review`: snapshots that a run disagreed with, one by one.

use std::ffi::OsStr;
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::console::Console;
use super::find;
use super::test::snapshots::{NEW_SNAPSHOT, diff, new_path, path_of};
use crate::report::text::{Role, Text, counted};

/// `punchlab review [PATH…]`
#[derive(Debug, Args)]
pub struct ReviewArguments {
    /// Files and folders whose snapshots are looked at.
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,

    /// Take every new snapshot, and ask nothing.
    #[arg(long, conflicts_with = "reject")]
    accept: bool,

    /// Keep every old snapshot, and ask nothing.
    #[arg(long)]
    reject: bool,
}

/// What to do with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Accept,
    Reject,
    Skip,
}

/// Shows each difference and asks what to do with it; what is skipped stays for the next time.
pub fn execute(arguments: &ReviewArguments, console: &mut Console) -> Exit {
    let snapshots = match found(&arguments.paths) {
        Ok(snapshots) => snapshots,
        Err(error) => {
            console.complain(&format!("error: {error}"));
            return Exit::Rejected;
        }
    };
    if snapshots.is_empty() {
        console.print("nothing to review\n");
        return Exit::Ok;
    }
    let asks = !arguments.accept && !arguments.reject;
    if asks && !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        for snapshot in &snapshots {
            show(snapshot, console);
        }
        let count = counted(snapshots.len() as u64, "snapshot");
        console.complain(&format!("{count} to review; take them with --accept or drop them with --reject"));
        return Exit::ExpectationFailed;
    }
    let mut exit = Exit::Ok;
    for snapshot in &snapshots {
        let choice = if arguments.accept {
            Choice::Accept
        } else if arguments.reject {
            Choice::Reject
        } else {
            show(snapshot, console);
            ask(console)
        };
        exit = exit.and(done(snapshot, choice, console));
    }
    exit
}

/// The snapshots that have a new version beside them, each once, in the order of their names.
fn found(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let files = find::files(paths, NEW_SNAPSHOT)?;
    let snapshots = files.iter().map(|file| snapshot_of(file));
    let mut snapshots: Vec<PathBuf> = snapshots.filter(|snapshot| new_path(snapshot).exists()).collect();
    snapshots.sort();
    snapshots.dedup();
    Ok(snapshots)
}

/// The snapshot that is meant by its own path, by that of its new version, or by that of its scenario.
fn snapshot_of(file: &Path) -> PathBuf {
    match file.extension().and_then(OsStr::to_str) {
        Some("new") => file.with_extension(""),
        Some("snap") => file.to_owned(),
        _ => path_of(file, ""),
    }
}

fn show(snapshot: &Path, console: &mut Console) {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    let mut text = Text::new(console.style());
    text.paint(Role::Strong, &snapshot.display().to_string());
    text.end_line();
    console.print(&text.finish());
    console.print(&diff(&read(snapshot), &read(&new_path(snapshot)), console.style()));
}

fn ask(console: &mut Console) -> Choice {
    console.print("[a]ccept, [r]eject, [s]kip? ");
    console.flush();
    let mut line = String::new();
    // The end of the input is no answer.
    let _ = std::io::stdin().lock().read_line(&mut line);
    match line.trim().chars().next() {
        Some('a') => Choice::Accept,
        Some('r') => Choice::Reject,
        _ => Choice::Skip,
    }
}

fn done(snapshot: &Path, choice: Choice, console: &mut Console) -> Exit {
    let new = new_path(snapshot);
    let (word, result) = match choice {
        Choice::Accept => ("accepted", std::fs::rename(&new, snapshot)),
        Choice::Reject => ("rejected", std::fs::remove_file(&new)),
        Choice::Skip => ("skipped", Ok(())),
    };
    match result {
        Ok(()) => {
            console.print(&format!("{word} {}\n", snapshot.display()));
            Exit::Ok
        }
        Err(error) => {
            console.complain(&format!("error: {}: {error}", new.display()));
            Exit::CouldNotRun
        }
    }
}
