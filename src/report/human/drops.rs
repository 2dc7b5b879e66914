//! Where packets died and why, each with one example.

use super::Options;
use crate::report::text::{Role, Text, counted};
use crate::report::{Report, sentences};

pub(super) fn write(text: &mut Text, report: Report<'_>, options: Options) {
    if report.outcome.drops.is_empty() {
        return;
    }
    text.heading("Drops");
    for row in &report.outcome.drops {
        text.push("  ").paint(Role::Strong, &row.by).push(" ");
        text.paint(Role::Bad, row.reason.word()).push(&format!(": {}", counted(row.count, "packet")));
        text.end_line();
        if let Some(example) = sentences::drop_example(report, &row.by, row.reason) {
            text.wrapped(Role::Dim, &format!("e.g. {example}"), 4, options.width);
        }
    }
}
