//! Text that Mermaid takes as text, whatever is in it.

use std::fmt::Write as _;

use super::text::printable;

/// `text` with everything that could mean something to Mermaid as a character code. Its codes are those of HTML with
/// `#` instead of `&`.
pub fn quoted(text: &str) -> String {
    let mut out = String::new();
    for character in printable(text).chars() {
        match character {
            character if character.is_alphanumeric() => out.push(character),
            ' ' | '.' | ',' | ':' | '/' | '(' | ')' | '-' | '_' | '=' | '+' | '→' | '⇒' | '×' | '…' => {
                out.push(character);
            }
            // Writing to a string does not fail.
            other => drop(write!(out, "#{};", u32::from(other))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_can_end_it() {
        assert_eq!(quoted("a\"]; %%{x}%%\nend"), "a#34;#93;#59; #37;#37;#123;x#125;#37;#37; end");
        assert_eq!(quoted("10.0.1.2:5 ⇒ x"), "10.0.1.2:5 ⇒ x");
    }
}
