//! Values that are one of a few words.

use super::{At, Reader, listed, nearest, shortened};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::tree::Node;
use crate::scenario::word::Word;

impl Reader<'_> {
    /// One of the words of `T`.
    pub fn word<T: Word>(&mut self, key: &str, node: &Node) -> Option<At<T>> {
        let text = self.text(key, node, &format!("one of {}", listed(T::words())))?;
        if let Some(value) = T::from_text(text.value) {
            return Some(At::new(value, text.span));
        }
        self.report(unknown_word(key, text.value, &T::words()).at(text.span, "not one of its words"));
        None
    }

    /// A list of the words of `T`, or one alone.
    pub fn word_list<T: Word>(&mut self, key: &str, node: &Node) -> Option<Vec<At<T>>> {
        let kind = format!("one or more of {}", listed(T::words()));
        let items = self.list(key, node, &kind)?;
        if items.is_empty() {
            self.report(
                Diagnostic::new(Code::BadValue, format!("`{key}` is an empty list"))
                    .at(node.span, "nothing in it")
                    .help(format!("write {kind}")),
            );
            return None;
        }
        let words: Vec<At<T>> = items.iter().filter_map(|item| self.word(key, item)).collect();
        (words.len() == items.len()).then_some(words)
    }
}

/// A word that none of `known` is.
pub fn unknown_word(key: &str, text: &str, known: &[&str]) -> Diagnostic {
    unlisted_word(key, text, known).help(format!("`{key}` takes {}", listed(known.iter().copied())))
}

/// A word that none of `known` is, which are too many to name.
pub fn unlisted_word(key: &str, text: &str, known: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::UnknownWord, format!("`{key}` cannot be `{}`", shortened(text)));
    match nearest(text, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

impl Reader<'_> {
    /// A word of which this version has only some. True if it is one of `built`; false after a report.
    pub fn built_word(&mut self, key: &str, node: &Node, built: &[&str], not_built: &[&str]) -> bool {
        let Some(text) = self.text(key, node, &format!("one of {}", listed(built.iter().copied()))) else {
            return false;
        };
        if built.contains(&text.value) {
            return true;
        }
        if not_built.contains(&text.value) {
            let message = format!("this version of punchlab does not have `{key}: {}` yet", text.value);
            self.report(
                Diagnostic::new(Code::NotBuiltYet, message)
                    .at(text.span, "not built yet")
                    .help(format!("write {}, or leave `{key}` out", listed(built.iter().copied()))),
            );
        } else {
            let known: Vec<&str> = built.iter().chain(not_built).copied().collect();
            self.report(unknown_word(key, text.value, &known).at(text.span, "not one of its words"));
        }
        false
    }
}
