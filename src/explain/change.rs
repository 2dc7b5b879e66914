//! Changes to a scenario, as `--set` makes them.

use serde::Serialize;

use crate::base::shell::quoted;

/// One thing that could be different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// What it does, as an order: `make nat-b's filtering address-dependent`.
    pub what: String,
    /// How `--set` says it: paths and values. Usually one; a new server needs its peers to know it.
    pub set: Vec<Assignment>,
}

/// A `--set PATH=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Assignment {
    /// Where: `nats.nat-b.filtering`.
    pub path: String,
    /// What, as YAML.
    pub value: String,
}

impl Change {
    /// A change of one value.
    pub fn one(what: impl Into<String>, path: impl Into<String>, value: impl Into<String>) -> Self {
        Self { what: what.into(), set: Vec::new() }.and(path, value)
    }

    /// This change with one more value.
    pub fn and(mut self, path: impl Into<String>, value: impl Into<String>) -> Self {
        self.set.push(Assignment { path: path.into(), value: value.into() });
        self
    }

    /// True if both cannot be made together, since one would undo the other.
    pub fn excludes(&self, other: &Self) -> bool {
        let touches = |one: &Assignment, other: &Assignment| {
            one.path == other.path
                || one.path.starts_with(&format!("{}.", other.path))
                || other.path.starts_with(&format!("{}.", one.path))
        };
        self.set.iter().any(|one| other.set.iter().any(|other| touches(one, other)))
    }
}

impl std::fmt::Display for Assignment {
    /// As a shell takes it: `--set nats.nat-b.filtering=address-dependent`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--set {}", quoted(&format!("{}={}", self.path, self.value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_one_value_or_of_what_lies_below_it_exclude_each_other() {
        let filtering = |value| Change::one("", "nats.a.filtering", value);
        assert!(filtering("eif").excludes(&filtering("adf")));
        assert!(Change::one("", "nats.a", "none").excludes(&filtering("adf")));
        assert!(!Change::one("", "nats.ab.filtering", "adf").excludes(&filtering("adf")));
    }

    #[test]
    fn an_assignment_is_quoted_where_a_shell_would_read_it_otherwise() {
        let plain = Assignment { path: "nats.a.udp-timeout".into(), value: "300s".into() };
        let list = Assignment { path: "servers.turn.turn".into(), value: "[3478/udp, 53/udp]".into() };
        assert_eq!(plain.to_string(), "--set nats.a.udp-timeout=300s");
        assert_eq!(list.to_string(), "--set 'servers.turn.turn=[3478/udp, 53/udp]'");
    }
}
