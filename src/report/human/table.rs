//! Aligned columns.

use comfy_table::Table;
use comfy_table::presets::NOTHING;

use crate::report::text::{Role, Text, printable};

/// How many rows a table has before the rest is counted, unless the full report is asked for.
pub(super) const MAX_ROWS: usize = 20;

/// Adds `rows` under `header` (none if empty), indented by two, cut to [`MAX_ROWS`] unless `full`.
pub(in crate::report) fn write(text: &mut Text, header: &[&str], rows: Vec<Vec<String>>, full: bool) {
    let shown = if full { rows.len() } else { rows.len().min(MAX_ROWS) };
    let hidden = rows.len() - shown;
    let mut table = Table::new();
    table.load_style(NOTHING);
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    for row in rows.into_iter().take(shown) {
        table.add_row(row.iter().map(|cell| printable(cell).into_owned()).collect::<Vec<_>>());
    }
    for (index, line) in table.lines().enumerate() {
        let role = if index == 0 && !header.is_empty() { Role::Dim } else { Role::Normal };
        text.push(" ").paint(role, line.trim_end());
        text.end_line();
    }
    if hidden > 0 {
        more(text, hidden, "row");
    }
}

/// A line that says that something was left out, and how to see it.
pub(super) fn more(text: &mut Text, hidden: usize, thing: &str) {
    let plural = if hidden == 1 { "" } else { "s" };
    text.paint(Role::Dim, &format!("  … {hidden} more {thing}{plural}; --full shows everything"));
    text.end_line();
}
