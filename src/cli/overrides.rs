//! Options that change what a scenario file says, and how far a run may go.

use clap::Args;

use crate::base::{Limits, SimDuration};
use crate::plan::StackKind;
use crate::scenario::Overrides;

/// Options that change a scenario and its bounds, whatever runs on its peers.
#[derive(Debug, Args)]
pub struct ChangeArguments {
    /// Change the file before it is read: `nats.nat-a=full-cone`, `peers.alice.link.delay=80ms`. Repeatable.
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_assignment)]
    set: Vec<(String, String)>,

    /// The seed, instead of the file's.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_seed)]
    seed: Option<u64>,

    /// Raise or lower a limit: `events=20000000`; `virtual-time` is in seconds. Repeatable.
    #[arg(long, value_name = "NAME=N", value_parser = parse_limit)]
    limit: Vec<(String, u64)>,
}

/// Options shared by all commands that read one scenario after the other.
#[derive(Debug, Args)]
pub struct OverrideArguments {
    #[command(flatten)]
    change: ChangeArguments,

    /// The ICE stack of every peer (`is`, `rtc`), or of one (`alice=rtc`). Repeatable.
    #[arg(long, value_name = "[PEER=]STACK", value_parser = parse_agent)]
    agent: Vec<(Option<String>, StackKind)>,
}

impl ChangeArguments {
    /// What the scenario layer needs to know.
    pub fn overrides(&self) -> Overrides {
        Overrides { set: self.set.clone(), seed: self.seed, ..Overrides::default() }
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::DEFAULT;
        for (name, value) in &self.limit {
            set_limit(&mut limits, name, *value);
        }
        limits
    }
}

impl OverrideArguments {
    /// What the scenario layer needs to know.
    pub fn overrides(&self) -> Overrides {
        let mut overrides = self.change.overrides();
        for (peer, stack) in &self.agent {
            match peer {
                None => overrides.agent = Some(*stack),
                Some(peer) => overrides.peer_agents.push((peer.clone(), *stack)),
            }
        }
        overrides
    }

    /// What the options say twice, of which one would have no effect.
    pub fn contradiction(&self) -> Option<String> {
        self.agent.iter().enumerate().find_map(|(index, (peer, _))| {
            let again = self.agent[..index].iter().any(|(earlier, _)| earlier == peer);
            let whom = peer.as_ref().map_or("every peer".into(), |peer| format!("`{}`", peer.escape_debug()));
            again.then(|| format!("--agent gives {whom} a stack twice"))
        })
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        self.change.limits()
    }
}

fn parse_assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, for instance nats.nat-a=full-cone".into()),
    }
}

/// Reads a seed.
pub fn parse_seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("write a whole number from 0 to {}", u64::MAX))
}

/// Reads the name of a stack.
pub fn parse_stack(text: &str) -> Result<StackKind, String> {
    StackKind::from_word(text).ok_or_else(|| {
        let known: Vec<_> = StackKind::ALL.iter().map(|stack| stack.word()).collect();
        format!("no ICE stack has this name; there are: {}", known.join(", "))
    })
}

/// Reads one of a closed list of words.
pub fn parse_word<T: Copy + std::fmt::Display + Send + Sync + 'static>(
    from_word: fn(&str) -> Option<T>,
    all: &'static [T],
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        from_word(text).ok_or_else(|| {
            let known: Vec<String> = all.iter().map(ToString::to_string).collect();
            format!("write one of: {}", known.join(", "))
        })
    }
}

fn parse_agent(text: &str) -> Result<(Option<String>, StackKind), String> {
    match text.split_once('=') {
        Some(("", _)) => Err("write PEER=STACK, for instance alice=rtc".into()),
        Some((peer, stack)) => Ok((Some(peer.to_owned()), parse_stack(stack)?)),
        None => Ok((None, parse_stack(text)?)),
    }
}

fn parse_limit(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=N, for instance events=20000000")?;
    let value =
        value.parse().map_err(|_| format!("`{value}` is not a whole number from 0 to {}", u64::MAX))?;
    if set_limit(&mut Limits::default(), name, value) {
        Ok((name.to_owned(), value))
    } else {
        Err(format!("no limit has this name; there are: {}", LIMIT_NAMES.join(", ")))
    }
}

const LIMIT_NAMES: [&str; 11] = [
    "events",
    "events-at-one-instant",
    "packets-in-flight",
    "virtual-time",
    "trace-bytes",
    "file-bytes",
    "nodes",
    "peers",
    "calls",
    "list-entries",
    "cases",
];

/// Sets the limit with this name (virtual time in seconds); false if there is none.
fn set_limit(limits: &mut Limits, name: &str, value: u64) -> bool {
    let size = usize::try_from(value).unwrap_or(usize::MAX);
    match name {
        "events" => limits.events = value,
        "events-at-one-instant" => limits.events_at_one_instant = value,
        "packets-in-flight" => limits.packets_in_flight = size,
        "virtual-time" => limits.virtual_time = SimDuration::from_secs(value),
        "trace-bytes" => limits.trace_bytes = size,
        "file-bytes" => limits.file_bytes = size,
        "nodes" => limits.nodes = size,
        "peers" => limits.peers = size,
        "calls" => limits.calls = size,
        "list-entries" => limits.list_entries = size,
        "cases" => limits.cases = size,
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_that_is_named_can_be_set() {
        for name in LIMIT_NAMES {
            assert!(set_limit(&mut Limits::default(), name, 1), "{name}");
        }
        assert!(parse_limit("nonsense=1").is_err());
    }

    #[test]
    fn an_agent_is_given_to_everybody_or_to_one_peer() {
        assert_eq!(parse_agent("is"), Ok((None, StackKind::Is)));
        assert_eq!(parse_agent("bob=rtc"), Ok((Some("bob".into()), StackKind::Rtc)));
        assert!(parse_agent("bob=ice").is_err());
        assert!(parse_agent("=is").is_err());
    }
}
