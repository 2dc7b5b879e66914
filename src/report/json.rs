//! Values as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::text::is_hidden;

/// How a value is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// On many lines, for people.
    Pretty,
    /// On one line.
    Compact,
}

/// A value and a line break. Keys come in the order of the type's fields.
pub fn text(value: &impl Serialize, layout: Layout) -> String {
    let json = match layout {
        Layout::Pretty => serde_json::to_string_pretty(value),
        Layout::Compact => serde_json::to_string(value),
    };
    // What is written here has text, numbers and words as keys, which always have a JSON form.
    escaped(&json.unwrap_or_default(), layout)
}

/// One JSON text and a line break. Invisible characters, which stand inside strings only, are escaped: the value stays
/// what it is, and a terminal that shows it does not obey it.
fn escaped(json: &str, layout: Layout) -> String {
    let is_layout = |c| layout == Layout::Pretty && c == '\n';
    let mut text = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        if is_hidden(character) && !is_layout(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::report::fixture::Fixture;

    #[test]
    fn the_object_has_the_keys_of_the_contract() {
        insta::assert_snapshot!(text(&Fixture::relay().outcome, Layout::Pretty));
    }

    #[test]
    fn both_layouts_hold_the_same_value_and_the_compact_one_is_a_single_line() {
        let outcome = Fixture::relay().outcome;

        let (pretty, compact) = (text(&outcome, Layout::Pretty), text(&outcome, Layout::Compact));

        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(value(&pretty), value(&compact));
        assert_eq!(compact.lines().count(), 1);
    }

    #[test]
    fn hostile_names_are_escaped_and_read_back_as_they_were() {
        let name = "a\x1b[2J\u{9b}b\u{202e}c\u{e0041}";
        let outcome = Outcome { scenario: name.into(), ..Fixture::relay().outcome };

        let json = text(&outcome, Layout::Compact);

        assert!(json.trim_end().chars().all(|c| !is_hidden(c)), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(read["scenario"], name);
    }
}
