//! Discovery in the simulated network: behind every NAT, firewall and router of a scenario a client is put, on the
//! internet a STUN server with two addresses, and the client finds out what it can. The scenario's own calls,
//! servers and events take no part.

mod account;
mod judge;
mod probe;
mod stage;

pub use account::{BoxDiscovery, BoxKind, Disagreement, Discoveries, Method, VERSION, named};

use self::judge::Judge;
use self::probe::Probe;
use self::stage::Stage;
use super::{Findings, Options};
use crate::base::{Limits, NodeId};
use crate::engine::{Guest, RunError, RunOptions, run_with};
use crate::plan::{Element, Plan};

/// Why nothing could be found out about a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No client fits behind it, or no server onto the internet.
    #[error("`{name}` cannot be asked: {why}")]
    NoPlace {
        /// The node.
        name: String,
        /// Why, in words.
        why: &'static str,
    },
    /// The run did not finish.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The nodes behind which a client can be: NATs, firewalls, and routers but the internet.
pub fn boxes(plan: &Plan) -> Vec<NodeId> {
    let topology = &plan.topology;
    let is_box = |id: &NodeId| {
        let element = &topology.node(*id).element;
        matches!(element, Element::Nat(_) | Element::Firewall(_) | Element::Router)
            && topology.parent(*id).is_some()
    };
    topology.node_ids().filter(is_box).collect()
}

/// Finds out what can be found out from behind `node`, one of [`boxes`]: about it and all that is before it.
///
/// # Errors
/// There is no place for the client or the server, or the run could not be finished.
pub fn discover(plan: &Plan, node: NodeId, lifetime: bool, limits: &Limits) -> Result<BoxDiscovery, Error> {
    let stage = Stage::new(plan, node, limits)
        .map_err(|why| Error::NoPlace { name: plan.name_of(node).to_owned(), why })?;
    let options = Options { patience: stage.patience(), lifetime };
    let judge = Judge::new(plan, node, options.patience);
    let mut probe = Probe::new(stage.server, options, plan.seed, plan.name_of(node));
    let guest = Guest { node: stage.probe, endpoint: &mut probe };
    let run_options = RunOptions { limits: limits.clone(), ..RunOptions::default() };
    run_with(&stage.plan, &run_options, vec![guest])?;
    let findings = probe.into_findings().unwrap_or_else(unfinished);
    Ok(judge.account(findings))
}

/// What is left if the end of the run comes first.
fn unfinished() -> Findings {
    Findings::nothing(
        "virtual time ended before anything was found out; raise it with `--limit virtual-time=N`",
    )
}
