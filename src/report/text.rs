//! Text for terminals: colours, and nothing in it that a terminal would obey.

use std::borrow::Cow;

use crate::plan::Path;

/// Whether text carries colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Characters only.
    #[default]
    Plain,
    /// With SGR sequences (ECMA-48 §8.3.117), as every terminal understands them.
    Ansi,
}

/// What a piece of text is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Ordinary text.
    #[default]
    Normal,
    /// A heading or a name to find again.
    Strong,
    /// What one may skip.
    Dim,
    /// Good news: a direct path, an expectation that held.
    Good,
    /// News that is neither: a path that needed STUN.
    Fair,
    /// News that costs something: a relayed path.
    Costly,
    /// Bad news: a failed call, a packet that died.
    Bad,
}

impl Role {
    const fn sgr(self) -> &'static str {
        match self {
            Self::Normal => "",
            Self::Strong => "1",
            Self::Dim => "2",
            Self::Good => "1;32",
            Self::Fair => "1;36",
            Self::Costly => "1;33",
            Self::Bad => "1;31",
        }
    }
}

/// Text under construction. Everything that goes in passes [`printable`], so no name, message or address from
/// a scenario can move the cursor, change colours or reverse the reading direction.
#[derive(Debug, Default)]
pub struct Text {
    out: String,
    style: Style,
}

impl Text {
    /// No text yet.
    pub const fn new(style: Style) -> Self {
        Self { out: String::new(), style }
    }

    /// Adds ordinary text to the current line.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.paint(Role::Normal, text)
    }

    /// Adds text in the colour of `role` to the current line.
    pub fn paint(&mut self, role: Role, text: &str) -> &mut Self {
        let text = printable(text);
        if self.style == Style::Plain || role == Role::Normal || text.trim().is_empty() {
            self.out.push_str(&text);
        } else {
            self.out.extend(["\x1b[", role.sgr(), "m", &text, "\x1b[0m"]);
        }
        self
    }

    /// Ends the current line.
    pub fn end_line(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }

    /// Adds `text` as lines of at most `width` characters, each behind `indent` spaces.
    pub fn wrapped(&mut self, role: Role, text: &str, indent: usize, width: usize) {
        for line in wrap(text, width.saturating_sub(indent)) {
            self.push(&" ".repeat(indent)).paint(role, &line);
            self.end_line();
        }
    }

    /// Begins a part of the report: an empty line, unless it is the first, and a heading.
    pub fn heading(&mut self, heading: &str) {
        if !self.out.is_empty() {
            self.end_line();
        }
        self.paint(Role::Strong, heading);
        self.end_line();
    }

    /// The finished text.
    pub fn finish(self) -> String {
        self.out
    }
}

/// `text` without control characters and without characters that are invisible or change the reading direction;
/// line breaks and tabs become spaces.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let visible = |c| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if is_hidden(c) => None,
        c => Some(c),
    };
    Cow::Owned(text.chars().filter_map(visible).collect())
}

/// True for characters a terminal obeys instead of showing: control characters, the bidirectional controls of
/// Unicode's UAX #9, line separators, zero-width characters, and tags.
pub(super) const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` broken between words into lines of at most `width` characters. Longer words stand alone, unbroken: they
/// are addresses, which people copy.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && length(&line) + 1 + length(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// `text` cut to `width` characters, the last of them `…` if something is missing.
pub fn shorten(text: &str, width: usize) -> String {
    if length(text) <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept + "…"
}

/// How many characters `text` has. Names and addresses are ASCII, so this is also its width.
pub fn length(text: &str) -> usize {
    text.chars().count()
}

/// Milliseconds as people read them: `280 ms`, `41.2 ms`, from ten seconds on `12.4 s`.
pub fn milliseconds(ms: f64) -> String {
    let (value, unit) = if ms >= 10_000.0 { (ms / 1_000.0, "s") } else { (ms, "ms") };
    let digits = format!("{value:.1}");
    format!("{} {unit}", digits.strip_suffix(".0").unwrap_or(&digits))
}

/// The colour of a path.
pub const fn path_role(path: Path) -> Role {
    match path {
        Path::Direct => Role::Good,
        Path::Stun => Role::Fair,
        Path::Relay => Role::Costly,
        Path::Failed => Role::Bad,
    }
}

/// `1 packet`, `2 packets`.
pub fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_never_reaches_it() {
        let hostile = "a\x1b[31mred\x07\u{9b}2J\u{202e}evil\u{2066}\u{200b}\u{feff}\r\nnext\tline\u{2028}end";

        assert_eq!(printable(hostile), "a[31mred2Jevil  next line end");
    }

    #[test]
    fn ordinary_text_in_any_language_stays_as_it_is() {
        for text in ["symmetric × symmetric", "Zürich → 東京", "שלום"] {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn colours_surround_the_text_and_the_text_cannot_add_its_own() {
        let mut text = Text::new(Style::Ansi);
        text.paint(Role::Bad, "a\x1b[0mb").push(" c");

        assert_eq!(text.finish(), "\x1b[1;31ma[0mb\x1b[0m c");
    }

    #[test]
    fn long_text_breaks_between_words_and_long_words_stay_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("to 198.51.100.1:41001 now", 6), ["to", "198.51.100.1:41001", "now"]);
        assert!(wrap("  ", 10).is_empty());
    }

    #[test]
    fn a_shortened_text_says_that_it_was_shortened() {
        assert_eq!(shorten("binding", 7), "binding");
        assert_eq!(shorten("binding request", 7), "bindin…");
    }

    #[test]
    fn times_have_one_decimal_where_they_need_it() {
        assert_eq!(milliseconds(280.0), "280 ms");
        assert_eq!(milliseconds(41.25), "41.2 ms");
        assert_eq!(milliseconds(39_500.0), "39.5 s");
    }
}
