//! The text of a scenario and where it came from.

/// The text of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path as the user wrote it; reports and diagnostics show it.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// A text that came from elsewhere than a file.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Line and column of a byte, both counted from 1, columns in characters.
    pub fn line_and_column(&self, at: u32) -> (usize, usize) {
        let mut at = (at as usize).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// A stretch of a source's text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Which source: 0 is the file, the others are `--set` arguments.
    pub source: u16,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// Control characters, and those that make a line read differently from what it says.
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
}
