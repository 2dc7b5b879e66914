//! `punchlab review`: snapshots that a run disagreed with, one by one.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::console::Console;
use super::test::snapshots::{diff, new_path};
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
    let mut snapshots = Vec::new();
    for path in &arguments.paths {
        if let Err(error) = collect(path, &mut snapshots) {
            console.complain(&format!("error: {error}"));
            return Exit::Rejected;
        }
    }
    snapshots.sort();
    snapshots.dedup();
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

/// The snapshots below `path` that have a new version beside them.
fn collect(path: &Path, snapshots: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(unreadable)?;
            let is_made = name.starts_with('.') || name == "target" || name == "node_modules";
            if kind.is_dir() && !is_made {
                collect(&entry.path(), snapshots)?;
            } else if kind.is_file() && name.ends_with(".snap.new") {
                snapshots.push(entry.path().with_extension(""));
            }
        }
        return Ok(());
    }
    if !path.exists() {
        return Err(format!("{}: there is no such file or folder", path.display()));
    }
    let snapshot = match path.to_string_lossy().strip_suffix(".new") {
        Some(known) => PathBuf::from(known),
        None if path.extension().is_some_and(|extension| extension == "snap") => path.to_owned(),
        None => super::test::snapshots::path_of(path, ""),
    };
    if new_path(&snapshot).exists() {
        snapshots.push(snapshot);
    }
    Ok(())
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
