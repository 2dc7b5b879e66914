//! Which of the cases are run.

use std::collections::BTreeSet;
use std::path::Path;

/// Where the ids of the cases that failed last are kept.
pub const LAST_FAILED: &str = ".punchlab/last-failed";

/// One part of several of the same size: `2/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    of: usize,
}

impl Shard {
    /// Reads `2/4`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err("write which part of how many, for instance 2/4".into()),
        }
    }

    /// True if the case with this place in the list, counted from 0, belongs to this part.
    pub const fn holds(self, index: usize) -> bool {
        index % self.of == self.number - 1
    }
}

/// The ids that failed last; `None` if there is no note of them.
pub fn last_failed() -> Option<BTreeSet<String>> {
    let text = std::fs::read_to_string(LAST_FAILED).ok()?;
    Some(text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect())
}

/// Notes the ids that failed. A note that cannot be written is worth a word, and no more.
pub fn note_failed<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let path = Path::new(LAST_FAILED);
    let ids: Vec<&str> = ids.collect();
    if ids.is_empty() && !path.exists() {
        return Ok(());
    }
    let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
    let written = folder(path)
        .and_then(|()| std::fs::write(path, format!("# What `punchlab test --last-failed` runs.\n{text}")));
    written.map_err(|error| format!("{LAST_FAILED}: {error}"))
}

/// Makes the folder, and has version control ignore what is in it.
fn folder(path: &Path) -> std::io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder)?;
    let ignore = folder.join(".gitignore");
    if ignore.exists() { Ok(()) } else { std::fs::write(ignore, "*\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_hold_every_case_once() {
        let shards: Vec<Shard> = (1..=3).map(|number| Shard { number, of: 3 }).collect();
        for index in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.holds(index)).count(), 1);
        }
    }

    #[test]
    fn a_shard_that_is_none_is_explained() {
        assert_eq!(Shard::parse("2/4"), Ok(Shard { number: 2, of: 4 }));
        for wrong in ["", "2", "0/4", "5/4", "1/0", "a/b", "-1/4"] {
            assert!(Shard::parse(wrong).is_err(), "{wrong}");
        }
    }
}
