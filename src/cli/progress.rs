//! How far many runs have come.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error, if somebody looks at it: `12 of 40`, and what there are 40 of.
pub fn bar(count: usize, what: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count as u64);
    match ProgressStyle::with_template(&format!("{{bar:40}} {{pos}} of {{len}} {what}")) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
