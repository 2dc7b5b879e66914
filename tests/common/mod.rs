//! What several test binaries need: the shipped scenarios, and plans from them or from text.
#![allow(dead_code, reason = "each test binary uses a part of it")]

#[cfg(feature = "cli")]
pub mod program;
pub mod tshark;

use std::path::{Path, PathBuf};

use punchlab::base::Limits;
use punchlab::plan::Plan;
use punchlab::scenario::{self, Overrides, Source};

/// Every file in `scenarios/`, in the order of their names; not those in `scenarios/cases/`, which are several each.
pub fn scenario_files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("scenarios").expect("scenarios");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.is_file());
    files.sort();
    files
}

/// The plan of a scenario file.
pub fn plan_of_file(file: &Path, seed: u64) -> Plan {
    let source = Source::read(file, &Limits::DEFAULT).unwrap_or_else(|rejection| panic!("{rejection}"));
    plan_of(source, seed)
}

/// The plan of a scenario written in the test.
pub fn plan_of_text(text: &str, seed: u64) -> Plan {
    plan_of(Source::new("test", text), seed)
}

fn plan_of(source: Source, seed: u64) -> Plan {
    let overrides = Overrides { seed: Some(seed), ..Overrides::default() };
    scenario::load(&source, &overrides, &Limits::DEFAULT).unwrap_or_else(|rejection| panic!("{rejection}"))
}
