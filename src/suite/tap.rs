//! Results as TAP 13, the Test Anything Protocol.

use super::result::{CaseResult, Status};
use crate::report::text::printable;

/// One line for each case, and a YAML block for what is wrong with it.
pub fn write(results: &[CaseResult]) -> String {
    let mut out = format!("TAP version 13\n1..{}\n", results.len());
    for (number, result) in (1..).zip(results) {
        let ok = if result.is_fine() { "ok" } else { "not ok" };
        let skip = if result.status == Status::Skipped { " # SKIP an earlier case failed" } else { "" };
        out.push_str(&format!("{ok} {number} - {}{skip}\n", described(&result.id)));
        if !result.is_fine() {
            out.push_str(&yaml_block(result));
        }
    }
    out
}

/// A description must not look like a directive, nor end its line.
fn described(id: &str) -> String {
    printable(id).replace('#', "\\#")
}

fn yaml_block(result: &CaseResult) -> String {
    let mut block = format!("  ---\n  status: {}\n  problems:\n", result.status);
    for problem in &result.problems {
        block.push_str(&format!("    - kind: {}\n      message: {}\n", problem.kind, string(&problem.what)));
        if let Some(line) = problem.line {
            block.push_str(&format!("      line: {line}\n"));
        }
    }
    block.push_str(&format!(
        "  file: {}\n  reproduce: {}\n  ...\n",
        string(&result.file),
        string(&result.reproduce)
    ));
    block
}

/// A JSON string is a YAML string too.
fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
