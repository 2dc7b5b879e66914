//! Snapshots beside scenarios: `call.nat.yaml.snap`, and `….snap.new` where a run gave something else.

use std::path::{Path, PathBuf};

use similar::{ChangeTag, TextDiff};

use crate::report::snapshot::has_times;
use crate::report::text::{Role, Style, Text};
use crate::suite::{Problem, ProblemKind};

/// What to do with snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Compare those that are there, and note what differs beside them.
    Note,
    /// Compare those that are there, and write nothing: where `CI` is set.
    Compare,
    /// Write them all.
    Update {
        /// True: with times.
        times: bool,
    },
}

/// Where the snapshot of a case is kept: beside its file, with the case of its matrix in the name.
pub fn path_of(file: &Path, label: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    if !label.is_empty() {
        name.push(format!("[{label}]"));
    }
    name.push(".snap");
    PathBuf::from(name)
}

/// Where a difference is noted.
pub fn new_path(snapshot: &Path) -> PathBuf {
    let mut name = snapshot.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Holds a run against its snapshot, and does what `mode` says. `text` gives the run's own, with times if the snapshot has
/// them. `None`: they agree, or there is none.
pub fn check(
    snapshot: &Path,
    text: impl FnOnce(bool) -> String,
    mode: Mode,
) -> Result<Option<Problem>, String> {
    let new = new_path(snapshot);
    let known = match std::fs::read_to_string(snapshot) {
        Ok(known) => Some(known.replace("\r\n", "\n")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("{}: {error}", snapshot.display())),
    };
    let (updates, times) = match mode {
        Mode::Update { times } => (true, times),
        Mode::Note | Mode::Compare => (false, known.as_deref().is_some_and(has_times)),
    };
    if known.is_none() && !updates {
        return Ok(None);
    }
    let text = text(times);
    let agrees = known.as_ref() == Some(&text);
    if updates && !agrees {
        write(snapshot, &text)?;
    }
    if agrees || updates {
        // A note of an earlier run has no object any more.
        if mode != Mode::Compare && new.exists() {
            std::fs::remove_file(&new).map_err(|error| format!("{}: {error}", new.display()))?;
        }
        return Ok(None);
    }
    let known = known.unwrap_or_default();
    let mut what = format!("the snapshot differs: {}", snapshot.display());
    if mode == Mode::Note {
        write(&new, &text)?;
        what.push_str("; look at it with `punchlab review`, or take it with --update");
    }
    what.push('\n');
    what.push_str(&diff(&known, &text, Style::Plain));
    Ok(Some(Problem { kind: ProblemKind::Snapshot, what, line: None }))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The lines that differ, with a few around them.
pub fn diff(old: &str, new: &str, style: Style) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut text = Text::new(style);
    for (number, group) in diff.grouped_ops(2).iter().enumerate() {
        if number > 0 {
            text.paint(Role::Dim, "  …");
            text.end_line();
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, role) = match change.tag() {
                ChangeTag::Delete => ("- ", Role::Bad),
                ChangeTag::Insert => ("+ ", Role::Good),
                ChangeTag::Equal => ("  ", Role::Dim),
            };
            text.paint(role, &format!("{sign}{}", change.value().trim_end_matches('\n')));
            text.end_line();
        }
    }
    text.finish()
}
