//! Results to read: what is wrong first, the count last.

use super::result::{CaseResult, Status, Summary};
use crate::report::text::{Role, Style, Text};

/// Where the lines about a case begin.
const INDENT: usize = 5;

/// Every case that is not fine, with all there is to know; with `verbose` also a line for every other one.
pub fn write(results: &[CaseResult], verbose: bool, style: Style) -> String {
    let mut text = Text::new(style);
    for result in results {
        if result.is_fine() && !verbose {
            continue;
        }
        case(&mut text, result);
    }
    summary(&mut text, results);
    text.finish()
}

fn case(text: &mut Text, result: &CaseResult) {
    let (word, role) = match result.status {
        Status::Passed => ("PASS", Role::Good),
        Status::Failed => ("FAIL", Role::Bad),
        Status::Rejected | Status::Broken => ("ERR ", Role::Bad),
        Status::Skipped => ("SKIP", Role::Dim),
    };
    text.paint(role, word).push(" ").paint(Role::Strong, &result.id);
    if !result.calls.is_empty() {
        text.paint(Role::Dim, &format!("  {}", result.paths()));
    }
    text.end_line();
    for problem in &result.problems {
        let line = problem.line.map(|line| format!("  (line {line})")).unwrap_or_default();
        let mut lines = problem.what.lines();
        text.push(&" ".repeat(INDENT)).paint(Role::Bad, "✗ ").push(lines.next().unwrap_or_default());
        text.paint(Role::Dim, &line);
        text.end_line();
        block(text, lines);
    }
    block(text, result.details.lines());
    if !result.reproduce.is_empty() && !result.is_fine() {
        text.push(&" ".repeat(INDENT)).paint(Role::Dim, "again: ").push(&result.reproduce);
        text.end_line();
    }
    if !result.is_fine() {
        text.end_line();
    }
}

fn block<'a>(text: &mut Text, lines: impl Iterator<Item = &'a str>) {
    for line in lines {
        if !line.is_empty() {
            text.push(&" ".repeat(INDENT)).push(line);
        }
        text.end_line();
    }
}

fn summary(text: &mut Text, results: &[CaseResult]) {
    let summary = Summary::of(results);
    let role = if results.iter().all(CaseResult::is_fine) { Role::Good } else { Role::Bad };
    text.paint(role, &summary.to_string());
    text.end_line();
}
