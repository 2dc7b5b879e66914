//! What changed while the scenario ran.

use super::Options;
use crate::report::Report;
use crate::report::text::{Role, Text, milliseconds};

pub(super) fn write(text: &mut Text, report: Report<'_>, options: Options) {
    if report.outcome.events.is_empty() {
        return;
    }
    text.heading("Events");
    for event in &report.outcome.events {
        let entry = format!("at {}, {}", milliseconds(event.at_ms), event.text);
        text.wrapped(Role::Normal, &entry, 2, options.width);
    }
}
