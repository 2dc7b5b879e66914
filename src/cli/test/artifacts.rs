//! Files that each case leaves: a page, a capture.

use std::io;
use std::path::{Path, PathBuf};

use crate::report::{capture, html};
use crate::suite::Seen;

/// Where to put them.
#[derive(Debug, Clone, Default)]
pub struct Artifacts {
    /// The folder for pages.
    pub html: Option<PathBuf>,
    /// The folder for captures.
    pub pcap: Option<PathBuf>,
}

impl Artifacts {
    /// Makes the folders.
    pub fn prepare(&self) -> Result<(), String> {
        for folder in [&self.html, &self.pcap].into_iter().flatten() {
            std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(())
    }

    /// Writes what this run leaves.
    pub fn write(&self, number: usize, id: &str, seen: Seen<'_>) -> Result<(), String> {
        if let Some(folder) = &self.html {
            let page = html::write(seen.report, seen.source, None);
            save(&folder.join(page_name(number, id)), |path| std::fs::write(path, page))?;
        }
        if let (Some(folder), Some(trace)) = (&self.pcap, &seen.report.run.trace) {
            save(&folder.join(format!("{}.pcapng", stem(number, id))), |path| {
                let file = std::fs::File::create(path)?;
                capture::write(io::BufWriter::new(file), seen.report.plan, seen.report.run.seed, trace)
            })?;
        }
        Ok(())
    }
}

fn save(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), String> {
    write(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The file name of a case's page.
pub fn page_name(number: usize, id: &str) -> String {
    format!("{}.html", stem(number, id))
}

/// A name that every file system takes and no two cases share: the case's number, and what of its id is harmless.
fn stem(number: usize, id: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "-_.=".contains(c) { c } else { '-' };
    let name: String = id.replace(".nat.yaml", "").chars().map(kept).collect();
    let name = name.trim_matches(['-', '.']);
    let from = name.len().saturating_sub(100);
    format!("{number:04}-{}", &name[from..])
}
