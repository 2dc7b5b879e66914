//! From what a file says to a [`Plan`]: every name resolved, every default filled in, every address assigned.

mod addresses;
mod assumed;
mod boxes;
mod build;
mod calls;
mod events;
mod expect;
mod families;
mod ice;
mod link;
mod lite;
mod mtu;
mod names;
mod own;
mod peers;
mod port_mapping;
mod proxy;
mod servers;

use crate::base::{Probability, SimDuration};
use crate::plan::{AFTERMATH, MEDIA_TIME, Plan, Signalling, StackKind, Topology};

use super::Own;
use super::diagnostic::{Code, Diagnostic};
use super::file::File;
use super::read::{At, Reader};
use super::source::Source;
use addresses::Addresses;
use assumed::Assumed;
use boxes::Boxes;
use names::Names;

/// What the command line puts above the file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Above<'o> {
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--agent`.
    pub agent: Option<StackKind>,
    /// `--agent PEER=STACK`.
    pub peer_agents: &'o [(At<String>, StackKind)],
    /// Peers with programs of the user's own.
    pub own: &'o [(At<String>, Own)],
}

impl<'o> Above<'o> {
    /// The peers that endpoints drive.
    fn endpoints(self) -> impl Iterator<Item = &'o At<String>> {
        self.own.iter().filter(|(_, own)| *own == Own::Endpoint).map(|(name, _)| name)
    }

    /// True if an endpoint drives some peer.
    fn has_endpoints(self) -> bool {
        self.endpoints().next().is_some()
    }
}

/// The seed of a file that gives none.
const DEFAULT_SEED: u64 = 1;

/// The plan `file` describes. Whoever calls this looks at the reader's mistakes before using it.
pub fn resolve(reader: &mut Reader<'_>, file: &File, source: &Source, above: Above<'_>) -> Plan {
    check_sizes(reader, file);
    let names = Names::collect(reader, file);
    peers::check_agents(reader, &names, above);
    own::check(reader, file, &names, above);
    let boxes = Boxes::collect(reader, file, &names);
    let families = families::of_leaves(reader, file, &boxes);
    lite::check(reader, file, &boxes, &families);
    let addresses = Addresses::assign(reader, file, &boxes, &families);
    let mut assumed = Assumed::default();
    assume_file(file, above, &mut assumed);
    let mut topology = Topology::new();
    let nodes = boxes.build(reader, &addresses, &mut topology, &mut assumed);
    let servers = servers::build(reader, file, &addresses, &mut topology, &mut assumed);
    proxy::tell_names(file, &addresses, &mut topology);
    let ground = peers::Ground {
        file,
        names: &names,
        above,
        boxes: &boxes,
        nodes: &nodes,
        families: &families,
        addresses: &addresses,
        servers: &servers,
    };
    peers::build(reader, &ground, &mut topology, &mut assumed);
    mtu::check(reader, file, &topology);
    let signalling = signalling(file, &mut assumed);
    let calls = calls::resolve(reader, file, &names, &topology, above);
    let events = events::resolve(reader, file, &names, &topology, &calls, source);
    let expectations = expect::resolve(reader, file, &file.expect, &names, (&topology, &calls), source);
    Plan {
        name: file.name.as_ref().map_or_else(|| default_name(source), |name| name.value.clone()),
        seed: above.seed.or(file.seed.as_ref().map(|seed| seed.value)).unwrap_or(DEFAULT_SEED),
        duration: file.duration.as_ref().map(|duration| duration.value),
        topology,
        signalling,
        calls,
        events,
        expectations,
        tags: file.tags.iter().map(|tag| tag.value.clone()).collect(),
        assumptions: assumed.0,
    }
}

fn check_sizes(reader: &mut Reader<'_>, file: &File) {
    let leaves = file.leaves();
    let nodes = 1 + file.nats.len() + file.firewalls.len() + file.servers.len() + leaves.len();
    let (most_nodes, most_peers) = (reader.limits.nodes, reader.limits.peers);
    if nodes > most_nodes {
        let last = leaves.last().map(|leaf| leaf.name.span).or(file.nats.last().map(|nat| nat.name.span));
        reader.report(
            Diagnostic::new(
                Code::Limit,
                format!("the scenario has {nodes} nodes with the internet; at most {most_nodes} are allowed"),
            )
            .at(last.unwrap_or(file.span), "up to here")
            .help("raise the limit with `--limit nodes=N` if it is really needed"),
        );
    }
    if let Some(extra) = file.peers.get(most_peers) {
        reader.report(
            Diagnostic::new(
                Code::Limit,
                format!("the scenario has {} peers; at most {most_peers} are allowed", file.peers.len()),
            )
            .at(extra.name.span, "the first one too many")
            .help("raise the limit with `--limit peers=N` if it is really needed"),
        );
    }
    if let Some(duration) = &file.duration {
        let most = reader.limits.virtual_time;
        if duration.value.is_zero() || duration.value > most {
            let (code, problem) = if duration.value.is_zero() {
                (Code::OutOfRange, "is no time at all".to_owned())
            } else {
                (Code::Limit, format!("is more than the limit of {most}"))
            };
            reader.report(
                Diagnostic::new(code, format!("`duration: {}` {problem}", duration.value))
                    .at(duration.span, "out of range")
                    .help("write a duration such as `60s`, or leave it out: then a run ends when every call is settled"),
            );
        }
    }
}

fn assume_file(file: &File, above: Above<'_>, assumed: &mut Assumed) {
    if file.seed.is_none() && above.seed.is_none() {
        assumed.note("", "seed", DEFAULT_SEED);
    }
    if file.duration.is_none() {
        let mut until = "until every call is settled or has failed".to_owned();
        if !file.events.is_empty() {
            until.push_str(&format!(", and {AFTERMATH} after the last change"));
        }
        if above.has_endpoints() {
            until.push_str(", and every endpoint is done");
        }
        if file.calls.iter().flatten().any(|call| !call.media.is_empty()) {
            until.push_str(&format!("; calls with media go on for {MEDIA_TIME}"));
        }
        assumed.note("", "duration", until);
    }
}

fn signalling(file: &File, assumed: &mut Assumed) -> Signalling {
    let given = &file.signalling;
    let mut or = |key: &str, given: bool, value: &str| {
        if !given {
            assumed.note("signalling", key, value);
        }
    };
    or("delay", given.delay.is_some(), "50ms");
    or("loss", given.loss.is_some(), "0%");
    or("trickle", given.trickle.is_some(), "true");
    Signalling {
        delay: given.delay.as_ref().map_or(SimDuration::from_millis(50), |at| at.value),
        loss: given.loss.as_ref().map_or(Probability::ZERO, |at| at.value),
        trickle: given.trickle.as_ref().is_none_or(|at| at.value),
    }
}

/// The file's name without folders and extension.
fn default_name(source: &Source) -> String {
    let file = source.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem =
        [".nat.yaml", ".nat.yml", ".yaml", ".yml"].iter().find_map(|extension| file.strip_suffix(extension));
    let stem: String = stem.unwrap_or(file).chars().filter(|c| !super::source::is_harmful(*c)).collect();
    if stem.is_empty() { "scenario".into() } else { stem }
}
