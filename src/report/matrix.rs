//! A matrix of paths as a grid.

use super::text::{Role, Style, Text, path_role};
use crate::matrix::{Matrix, MatrixOptions};
use crate::plan::StackKind;

/// The grid, with a line above that says what was run and one below that explains the words.
pub fn write(matrix: &Matrix, options: &MatrixOptions, style: Style) -> String {
    let mut text = Text::new(style);
    let MatrixOptions { caller, callee, seed, turn, filter_scope, reply_mapping } = options;
    let servers = if *turn { "STUN and TURN over UDP" } else { "STUN only" };
    text.push(&format!("Rows call, columns answer. {}, {servers}, seed {seed}.", agents(*caller, *callee)));
    let defaults = MatrixOptions::default();
    if (*filter_scope, *reply_mapping) != (defaults.filter_scope, defaults.reply_mapping) {
        text.push(&format!(" NATs: filter-scope {filter_scope}, reply-mapping {reply_mapping}."));
    }
    text.end_line();
    text.end_line();
    let row_head = widest(matrix.sites.iter().map(String::as_str));
    let columns: Vec<usize> = matrix.sites.iter().map(|site| site.len().max(LONGEST_PATH) + 2).collect();
    text.push(&" ".repeat(row_head));
    for (site, width) in matrix.sites.iter().zip(&columns) {
        text.paint(Role::Strong, &format!("{site:>width$}"));
    }
    text.end_line();
    for (site, row) in matrix.sites.iter().zip(&matrix.paths) {
        text.paint(Role::Strong, &format!("{site:<row_head$}"));
        for (path, width) in row.iter().zip(&columns) {
            text.paint(path_role(*path), &format!("{:>width$}", path.word()));
        }
        text.end_line();
    }
    text.end_line();
    text.push("direct: no NAT rewrote the packets. stun: NATs did, and a hole was punched. relay: only TURN helps. ");
    text.push("failed: nothing does.");
    text.end_line();
    text.finish()
}

const LONGEST_PATH: usize = 6;

fn agents(caller: StackKind, callee: StackKind) -> String {
    if caller == callee {
        format!("Both agents: {caller}")
    } else {
        format!("Caller: {caller}, callee: {callee}")
    }
}

fn widest<'a>(words: impl Iterator<Item = &'a str>) -> usize {
    words.map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Path;
    use crate::report::json::{self, Layout};

    fn matrix() -> Matrix {
        Matrix {
            sites: vec!["none".into(), "symmetric".into()],
            paths: vec![vec![Path::Direct, Path::Stun], vec![Path::Relay, Path::Failed]],
        }
    }

    #[test]
    fn a_grid_has_a_row_per_caller_and_a_column_per_callee() {
        insta::assert_snapshot!(write(&matrix(), &MatrixOptions::default(), Style::Plain));
    }

    #[test]
    fn the_json_form_holds_the_same() {
        let expected = r#"{"sites":["none","symmetric"],"paths":[["direct","stun"],["relay","failed"]]}"#;
        assert_eq!(json::text(&matrix(), Layout::Compact).trim_end(), expected);
    }
}
