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
