//! What a failed assertion says.

use super::Finished;
use crate::base::shell::quoted;
use crate::outcome::CallOutcome;
use crate::report::human::{self, Options, Part};
use crate::scenario::Overrides;

/// Verdict, expectations and ladder of a run that disappoints, and how to see it again.
pub fn message(finished: &Finished, what: &str) -> String {
    let parts = [Part::Title, Part::Verdict, Part::Expectations, Part::Ladder];
    let mut message =
        format!("{what}\n\n{}\n", human::write_parts(finished.report(), &parts, Options::default()));
    if let Some(page) = page(finished) {
        message.push_str(&format!("The page of this run: {page}\n"));
    }
    message.push_str(&format!("again: {}\n", again(finished)));
    message
}

/// The command that makes the same run, if a command can: the program knows neither texts nor programs of a test.
fn again(finished: &Finished) -> String {
    let scenario = finished.scenario();
    let changes = Overrides { seed: Some(finished.outcome().seed), ..scenario.overrides.clone() };
    let has_own_programs = !changes.own.is_empty() || !finished.run().endpoints.is_empty();
    if scenario.is_file && !has_own_programs {
        format!("punchlab run {}{}", quoted(&scenario.source.name), changes.options())
    } else {
        format!("this test, whose scenario has{}", changes.options())
    }
}

/// The calls there are.
pub fn names(calls: &[CallOutcome]) -> String {
    if calls.is_empty() {
        return "none".into();
    }
    calls.iter().map(|call| format!("`{} -> {}`", call.from, call.to)).collect::<Vec<_>>().join(", ")
}

/// Leaves the page below the package's `target`, named after the test; where that cannot be written, there is none.
#[cfg(feature = "html")]
fn page(finished: &Finished) -> Option<String> {
    let package = std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    let folder = package.join("target").join("punchlab");
    std::fs::create_dir_all(&folder).ok()?;
    let thread = std::thread::current();
    let name = format!("{}-{}", thread.name().unwrap_or("run"), finished.outcome().scenario);
    let harmless: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_=".contains(c) { c } else { '-' })
        .take(120)
        .collect();
    let path = folder.join(format!("{harmless}.html"));
    std::fs::write(&path, finished.html()).ok()?;
    Some(path.display().to_string())
}

#[cfg(not(feature = "html"))]
fn page(_finished: &Finished) -> Option<String> {
    None
}
