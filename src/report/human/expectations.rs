//! What the scenario expects, and what came of it.

use crate::report::text::{Role, Text};
use crate::report::{Report, sentences};

pub(super) fn write(text: &mut Text, report: Report<'_>) {
    if report.outcome.expectations.is_empty() {
        return;
    }
    text.heading("Expectations");
    for expectation in &report.outcome.expectations {
        let (mark, role) = if expectation.ok { ("✓", Role::Good) } else { ("✗", Role::Bad) };
        text.push("  ").paint(role, mark).push(&format!(" {}", sentences::expectation(expectation)));
        text.paint(Role::Dim, &format!("  (line {})", expectation.line));
        text.end_line();
    }
}
