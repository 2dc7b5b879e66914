//! Maps of settings, as YAML has them.

use std::fmt;
use std::net::IpAddr;

/// How long a line may be.
const MAX_LINE: usize = 100;

/// Settings in the order in which they were first given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map(Vec<(String, String)>);

impl Map {
    /// One setting.
    pub fn of(key: &str, value: impl fmt::Display) -> Self {
        let mut map = Self::default();
        map.set(key, value);
        map
    }

    /// One setting, instead of what it was. Both are YAML already.
    pub fn set(&mut self, key: &str, value: impl fmt::Display) {
        let value = value.to_string();
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, before)) => *before = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// The settings of another map behind its own.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// True if nothing was set.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One line a setting.
    pub fn write_lines(&self, text: &mut String, indent: usize) {
        for (key, value) in &self.0 {
            text.push_str(&format!("{:indent$}{key}: {value}\n", ""));
        }
    }

    /// Under its name in one line, or, if that would be long, in one line a setting.
    pub fn write(&self, text: &mut String, name: &str, indent: usize) {
        let line = format!("{:indent$}{name}: {self}\n", "");
        if line.len() <= MAX_LINE {
            text.push_str(&line);
        } else {
            text.push_str(&format!("{:indent$}{name}:\n", ""));
            self.write_lines(text, indent + 2);
        }
    }

    /// What was set.
    #[cfg(test)]
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("{}");
        }
        let settings: Vec<String> = self.0.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        write!(f, "{{ {} }}", settings.join(", "))
    }
}

/// A text as YAML: as it is where it is plain for sure, else in quotes, which JSON and YAML write alike.
pub fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " ->.".contains(c))
        && !text.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// An address as YAML. One of IPv6 may end in a colon, which YAML takes for its own.
pub fn address(address: impl Into<IpAddr>) -> String {
    match address.into() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => quoted(&address.to_string()),
    }
}

/// Methods that set a key whose value is shown as the file writes it.
macro_rules! settings {
    ($name:ident { $($(#[$doc:meta])* $method:ident = $key:literal: $type:ty),+ $(,)? }) => {
        impl $name {
            $(
                $(#[$doc])*
                pub fn $method(mut self, value: $type) -> Self {
                    self.keys.set($key, value);
                    self
                }
            )+
        }
    };
}
pub(super) use settings;
