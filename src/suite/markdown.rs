//! Results as Markdown, for summaries of CI servers and comments on changes.

use super::result::{CaseResult, Status, Summary};
use crate::report::svg::escape;
use crate::report::text::printable;

/// How many cases the table names; those that are not fine come first.
const MOST_ROWS: usize = 200;

/// A line with the count, a table of cases, and what is wrong with those that are not fine.
pub fn write(results: &[CaseResult]) -> String {
    let summary = Summary::of(results);
    let sign = if results.iter().all(CaseResult::is_fine) { "✅" } else { "❌" };
    let mut out = format!("## {sign} punchlab: {summary}\n\n| | case | path |\n|---|---|---|\n");
    let (fine, wrong): (Vec<_>, Vec<_>) = results.iter().partition(|result| result.is_fine());
    let rows: Vec<&CaseResult> = wrong.iter().chain(&fine).copied().collect();
    for result in rows.iter().take(MOST_ROWS) {
        let sign = match result.status {
            Status::Passed => "✅",
            Status::Failed => "❌",
            Status::Rejected | Status::Broken => "⚠️",
            Status::Skipped => "⏭️",
        };
        out.push_str(&format!("| {sign} | {} | {} |\n", cell(&result.id), cell(&result.paths())));
    }
    if rows.len() > MOST_ROWS {
        out.push_str(&format!("\nand {} more cases\n", rows.len() - MOST_ROWS));
    }
    for result in wrong {
        out.push_str(&section(result));
    }
    out
}

fn section(result: &CaseResult) -> String {
    let mut section = format!("\n<details><summary>{}</summary>\n\n", escape(&result.id));
    let mut body = String::new();
    for problem in &result.problems {
        let line = problem.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        body.push_str(&format!("✗ {}{line}\n", problem.what));
    }
    body.push_str(&result.details);
    if !result.reproduce.is_empty() {
        body.push_str(&format!("again: {}\n", result.reproduce));
    }
    section.push_str(&format!("{}\n</details>\n", fenced(&body)));
    section
}

/// A fence longer than any in the text.
fn fenced(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

/// Text in a cell of a table: what Markdown or HTML would obey is escaped.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for character in printable(text).chars() {
        if r"\`*_[]<>|&~!#".contains(character) {
            cell.push('\\');
        }
        cell.push(character);
    }
    cell
}
