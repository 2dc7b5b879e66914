//! Which files there are to test, or to review.

use std::path::{Path, PathBuf};

/// How scenario files end.
pub const SCENARIO: &str = ".nat.yaml";
/// Folders that hold what programs made. Hidden ones are left out too.
const SKIPPED: [&str; 2] = ["target", "node_modules"];
/// How many files one run takes; more is a mistaken path.
const MOST_FILES: usize = 100_000;

/// The files at these paths, each once, in the order of their names: files as they are given, and of folders every file
/// below that ends in `ending`.
///
/// # Errors
/// A path that cannot be read, with the reason.
pub fn files(paths: &[PathBuf], ending: &str) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            below(path, ending, &mut files)?;
        } else if path.exists() {
            files.push(path.clone());
        } else {
            return Err(format!("{}: there is no such file or folder", path.display()));
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn below(folder: &Path, ending: &str, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder == Path::new(".") { PathBuf::from(entry.file_name()) } else { entry.path() };
        // Links are not followed: they may lead in a circle.
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
            below(&path, ending, files)?;
        } else if kind.is_file() && name.ends_with(ending) {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            return Err(format!(
                "there are more than {MOST_FILES} files that end in `{ending}`; name the folders that matter"
            ));
        }
    }
    Ok(())
}
