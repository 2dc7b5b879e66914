//! One line of characters, each with its colour.

use crate::report::text::{Role, Text};

/// A line on which characters are put at columns, over each other if need be.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    cells: Vec<(char, Role)>,
}

impl Canvas {
    /// Puts one character.
    pub(super) fn put(&mut self, x: usize, character: char, role: Role) {
        if self.cells.len() <= x {
            self.cells.resize(x + 1, (' ', Role::Normal));
        }
        if let Some(cell) = self.cells.get_mut(x) {
            *cell = (character, role);
        }
    }

    /// Puts text from `x` on.
    pub(super) fn text(&mut self, x: usize, text: &str, role: Role) {
        for (offset, character) in text.chars().enumerate() {
            self.put(x + offset, character, role);
        }
    }

    /// Writes the line, without spaces at its end.
    pub(super) fn write(&self, text: &mut Text) {
        let used = self.cells.iter().rposition(|(character, _)| *character != ' ').map_or(0, |last| last + 1);
        for run in self.cells[..used].chunk_by(|a, b| a.1 == b.1) {
            let characters: String = run.iter().map(|(character, _)| character).collect();
            text.paint(run[0].1, &characters);
        }
        text.end_line();
    }
}
