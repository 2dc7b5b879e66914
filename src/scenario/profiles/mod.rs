//! Nicknames and device profiles, and both with all their axes spelled out.

use crate::base::SimDuration;
use crate::plan::{NatBehavior, Nickname, NicknameMeaning};

/// A device profile: a file that spells out every axis and cites its source.
#[derive(Debug)]
pub struct Profile {
    /// The name `profile:` takes.
    pub name: &'static str,
    /// What its file says.
    pub(super) text: &'static str,
}

macro_rules! profiles {
    ($($name:literal),+ $(,)?) => {
        &[$(Profile { name: $name, text: include_str!(concat!($name, ".yaml")) }),+]
    };
}

/// All of them, in the order of the reference.
static PROFILES: &[Profile] = profiles![
    "linux-masquerade",
    "linux-masquerade-random",
    "pf",
    "aws-nat-gateway",
    "azure-nat-gateway",
    "gcp-cloud-nat",
];

/// The words `type:` takes.
pub fn nickname_words() -> Vec<&'static str> {
    Nickname::ALL.iter().map(|nickname| nickname.word()).collect()
}

/// The words `profile:` takes.
pub fn profile_names() -> Vec<&'static str> {
    PROFILES.iter().map(|profile| profile.name).collect()
}

/// The profile of this name.
pub fn find(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.name == name)
}

/// All nicknames and what they stand for.
pub fn nicknames() -> Vec<(Nickname, NicknameMeaning)> {
    Nickname::ALL.iter().map(|nickname| (*nickname, nickname.meaning())).collect()
}

/// A nickname or profile, spelled out as the YAML a NAT would take; `None` if there is no such name.
pub fn profile(name: &str) -> Option<String> {
    if let Some(profile) = find(name) {
        return Some(profile.text.to_owned());
    }
    let nickname = Nickname::from_alias(name)?;
    Some(match nickname.meaning() {
        NicknameMeaning::Router => {
            format!("# {nickname}: no box at all. What is behind it is on the network outside.\n")
        }
        NicknameMeaning::Firewall(filtering) => {
            format!(
                "# {nickname}: no translation, a stateful firewall.\nfiltering: {filtering}\nudp-timeout: {}\n",
                FIREWALL_LIFETIME
            )
        }
        NicknameMeaning::Nat(behavior) => {
            let axes = axes_of(&behavior);
            let lines: String = axes.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
            format!("# {nickname}: {behavior}\n{lines}")
        }
    })
}

/// How long a firewall remembers a flow unless told otherwise, as a NAT does.
pub const FIREWALL_LIFETIME: SimDuration = SimDuration::from_secs(120);

/// Every axis of a behaviour, as the file writes it.
pub fn axes_of(behavior: &NatBehavior) -> Vec<(&'static str, String)> {
    let ports = &behavior.ports;
    let lifetimes = &behavior.lifetimes;
    let mut axes = vec![
        ("mapping", behavior.mapping.to_string()),
        ("filtering", behavior.filtering.to_string()),
        ("filter-scope", behavior.filter_scope.to_string()),
        ("reply-mapping", behavior.reply_mapping.to_string()),
        ("port-assignment", ports.assignment.to_string()),
        ("on-conflict", ports.on_conflict.to_string()),
        ("port-range", ports.range.to_string()),
        ("port-parity", ports.parity.to_string()),
        ("ip-pooling", behavior.pooling.to_string()),
    ];
    axes.extend(ports.max_per_host.map(|quota| ("max-ports-per-host", quota.to_string())));
    axes.extend(ports.block.map(|size| ("port-block-size", size.to_string())));
    if !ports.quarantine.is_zero() {
        axes.push(("port-quarantine", ports.quarantine.to_string()));
    }
    axes.extend([
        ("hairpinning", behavior.hairpinning.to_string()),
        ("udp-timeout", lifetimes.udp.to_string()),
        ("udp-timeout-unreplied", lifetimes.udp_unreplied.to_string()),
        ("timeout-refresh", lifetimes.refresh.to_string()),
        ("unsolicited", behavior.unsolicited.to_string()),
    ]);
    axes
}
