//! What the file left open.

use crate::plan::Assumption;

/// What the file left open and how it was filled in.
#[derive(Debug, Default)]
pub struct Assumed(pub Vec<Assumption>);

impl Assumed {
    /// Notes that `key` under `at` was taken to be `value`.
    pub fn note(&mut self, at: &str, key: &str, value: impl std::fmt::Display) {
        let key = if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
        self.0.push(Assumption { key, value: value.to_string() });
    }
}

/// Values as a list of the file: `[a, b]`.
pub fn list<T: ToString>(values: &[T]) -> String {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("[{}]", texts.join(", "))
}

/// A value alone, or several as a list.
pub fn one_or_list<T: ToString>(values: &[T]) -> String {
    match values {
        [one] => one.to_string(),
        several => list(several),
    }
}
