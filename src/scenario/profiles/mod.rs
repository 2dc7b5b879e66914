//! Nicknames and device profiles, and both with all their axes spelled out.

mod list;
mod summary;
#[cfg(test)]
mod tests;

pub use summary::Summary;

use crate::base::SimDuration;
use crate::plan::{
    Access, DenyAction, FilteringBehavior, Firewall, InboundPolicy, Inspect, NatBehavior, Nickname,
    NicknameMeaning, OutboundPolicy, PortMapping, TcpLifetimes,
};

/// A device profile: a file that spells out every axis, cites its sources and names what it has from memory only.
#[derive(Debug)]
pub struct Profile {
    /// The name `profile:` takes.
    pub name: &'static str,
    /// What it is listed under.
    pub group: Group,
    /// What it describes.
    pub kind: ProfileKind,
    /// What its file says.
    pub(super) text: &'static str,
    /// Set if it has no file of its own.
    pub alias: Option<Alias>,
}

/// A profile that differs from another in nothing but its name.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    /// The other one.
    pub of: &'static str,
    /// Why they are the same, and who says so.
    pub why: &'static str,
}

/// What a profile describes, and so where it may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileKind {
    /// `nats.NAME.profile`.
    Nat,
    /// `firewalls.NAME.profile`.
    Firewall,
}

impl ProfileKind {
    /// The section of the scenario file it belongs to.
    pub const fn section(self) -> &'static str {
        match self {
            Self::Nat => "nats",
            Self::Firewall => "firewalls",
        }
    }

    /// The words `profile:` takes there.
    pub fn words(self) -> Vec<&'static str> {
        of_kind(self).map(|profile| profile.name).collect()
    }
}

/// What profiles are listed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Operating systems and the routers of homes.
    Systems,
    /// Containers and virtual machines.
    Machines,
    /// Routers and firewalls of companies.
    Companies,
    /// Clouds.
    Clouds,
    /// Carriers.
    Carriers,
    /// Networks of hotels, campuses and other hosts.
    Guests,
}

impl Group {
    /// All of them, in the order of lists.
    pub const ALL: [Self; 6] =
        [Self::Systems, Self::Machines, Self::Companies, Self::Clouds, Self::Carriers, Self::Guests];

    /// The group as a heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Systems => "Operating systems and home routers",
            Self::Machines => "Containers and virtual machines",
            Self::Companies => "Routers and firewalls of companies",
            Self::Clouds => "Clouds",
            Self::Carriers => "Carriers",
            Self::Guests => "Away from home",
        }
    }
}

impl Profile {
    /// Its file, below the name it is an alias of.
    pub fn print(&self) -> String {
        match self.alias {
            None => self.text.to_owned(),
            Some(Alias { of, why }) => {
                let why: String = why.lines().map(|line| format!("# {line}\n")).collect();
                format!("# {}: another name for {of}.\n{why}#\n{}", self.name, self.text)
            }
        }
    }

    /// The keys whose values its file has from memory only.
    pub fn unverified(&self) -> Vec<&'static str> {
        let lines = self.text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
        let mut keys = Vec::new();
        for line in lines.skip_while(|line| !line.starts_with(UNVERIFIED)) {
            let line = line.strip_prefix(UNVERIFIED).unwrap_or(line);
            for word in line.split([',', ' ']).filter(|word| !word.is_empty()) {
                keys.push(word.trim_end_matches('.'));
                if word.ends_with('.') {
                    return keys;
                }
            }
        }
        keys
    }
}

/// What the list of keys starts with; it ends with a full stop.
const UNVERIFIED: &str = "Unverified:";

/// All profiles, in the order of lists.
pub fn profiles() -> impl Iterator<Item = &'static Profile> {
    list::PROFILES.iter()
}

/// Those that describe this, in the order of lists.
pub fn of_kind(kind: ProfileKind) -> impl Iterator<Item = &'static Profile> {
    profiles().filter(move |profile| profile.kind == kind)
}

/// The words `type:` takes.
pub fn nickname_words() -> Vec<&'static str> {
    Nickname::ALL.iter().map(|nickname| nickname.word()).collect()
}

/// The names of all profiles.
pub fn profile_names() -> Vec<&'static str> {
    profiles().map(|profile| profile.name).collect()
}

/// The profile of this name.
pub fn find(name: &str) -> Option<&'static Profile> {
    profiles().find(|profile| profile.name == name)
}

/// All nicknames and what they stand for.
pub fn nicknames() -> Vec<(Nickname, NicknameMeaning)> {
    Nickname::ALL.iter().map(|nickname| (*nickname, nickname.meaning())).collect()
}

/// A nickname or profile, spelled out as the YAML a NAT or firewall would take; `None` if there is no such name.
pub fn profile(name: &str) -> Option<String> {
    if let Some(profile) = find(name) {
        return Some(profile.print());
    }
    let nickname = Nickname::from_alias(name)?;
    Some(match nickname.meaning() {
        NicknameMeaning::Router => {
            format!("# {nickname}: no box at all. What is behind it is on the network outside.\n")
        }
        NicknameMeaning::Firewall(filtering) => {
            format!(
                "# {nickname}: no translation, a stateful firewall.\nfiltering: {filtering}\nudp-timeout: {}\n\
                 tcp-timeout: {}\n",
                FIREWALL_LIFETIME,
                TcpLifetimes::DEFAULT.established
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

/// A firewall that lets everything out, and in what was asked for. It remembers TCP connections as RFC 6092 asks.
pub(super) const fn stateful(filtering: FilteringBehavior, udp_lifetime: SimDuration) -> Firewall {
    Firewall {
        outbound: OutboundPolicy { default: Access::Allow, allow: Vec::new(), action: DenyAction::Drop },
        inbound: InboundPolicy::Deny,
        filtering,
        udp_lifetime,
        tcp: TcpLifetimes::DEFAULT,
        inspect: Inspect::Off,
        proxy: None,
        label: None,
    }
}

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
        ("tcp-timeout", lifetimes.tcp.established.to_string()),
        ("tcp-timeout-transitory", lifetimes.tcp.transitory.to_string()),
        ("unsolicited", behavior.unsolicited.to_string()),
    ]);
    if behavior.port_mapping != PortMapping::Off {
        axes.push(("port-mapping", behavior.port_mapping.to_string()));
    }
    axes
}
