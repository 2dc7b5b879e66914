//! Results as JSON: one object, or one line for each case and one for the count.

use serde::Serialize;

use super::result::{CaseResult, Summary};
use crate::report::json::{Layout, text};

/// The version of this format.
pub const VERSION: u32 = 1;

/// The results of a run.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Suite<'a> {
    /// The version of this format.
    version: u32,
    /// True if nothing is wrong.
    ok: bool,
    /// How many cases ended how.
    summary: Summary,
    /// Every case, in order.
    cases: &'a [CaseResult],
}

/// What follows the cases in JSON Lines.
#[derive(Serialize)]
struct LastLine {
    version: u32,
    ok: bool,
    summary: Summary,
}

/// `{ "version": 1, "ok": …, "summary": { … }, "cases": [ … ] }`.
pub fn write(results: &[CaseResult]) -> String {
    let (ok, summary) = (results.iter().all(CaseResult::is_fine), Summary::of(results));
    text(&Suite { version: VERSION, ok, summary, cases: results }, Layout::Pretty)
}

/// One case a line, and the summary last.
pub fn write_lines(results: &[CaseResult]) -> String {
    let mut lines: String = results.iter().map(|result| text(result, Layout::Compact)).collect();
    let (ok, summary) = (results.iter().all(CaseResult::is_fine), Summary::of(results));
    lines.push_str(&text(&LastLine { version: VERSION, ok, summary }, Layout::Compact));
    lines
}
