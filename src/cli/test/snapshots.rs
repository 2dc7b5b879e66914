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

/// How the files end that note a difference.
pub const NEW_SNAPSHOT: &str = ".snap.new";

/// Where the snapshot of a case is kept: beside its file, with the case of its matrix in the name.
pub fn path_of(file: &Path, label: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    if !label.is_empty() {
        name.push(format!("[{}]", file_name(label)));
    }
    name.push(".snap");
    PathBuf::from(name)
}

/// The label with the characters that file names cannot have, on one system or another, written as in URLs.
fn file_name(label: &str) -> String {
    let mut name = String::new();
    for c in label.chars() {
        if c.is_control() || r#"/\:*?"<>|%"#.contains(c) {
            name.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            name.push(c);
        }
    }
    name
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_stands_beside_its_file_whatever_the_values_of_the_matrix_are() {
        let path = |label| path_of(Path::new("calls/a.nat.yaml"), label);
        assert_eq!(path(""), Path::new("calls/a.nat.yaml.snap"));
        assert_eq!(path("a=symmetric,b=5s"), Path::new("calls/a.nat.yaml[a=symmetric,b=5s].snap"));
        assert_eq!(path("net=10.0.0.0/24"), Path::new("calls/a.nat.yaml[net=10.0.0.0%2F24].snap"));
        for label in ["a=../../x", r"a=..\..\x", "a=/etc", "a=what?", "a=C:"] {
            assert_eq!(path(label).parent(), Some(Path::new("calls")), "{label}");
        }
        assert_ne!(path("a=1/2"), path("a=1%2F2"), "two cases, two files");
    }
}
