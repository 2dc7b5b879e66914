//! A scenario whose peers run programs of the user's own.

use super::{Error, Finished, Scenario};
use crate::base::NodeId;
use crate::endpoint::Endpoint;
use crate::engine::{Guest, run_with};
use crate::outcome::judge;
use crate::plan::Plan;
use crate::scenario::Own;

/// A scenario with endpoints on its peers, ready to run once. The endpoints are borrowed: what they came to know can be
/// read off them afterwards.
///
/// Without `duration` in its file the run ends when every endpoint is done and every call settled, and at the latest
/// after a minute of virtual time. What a call *needs* stays open: it is found by running the call again, and endpoints
/// run once.
#[must_use = "nothing happens before `run`"]
pub struct Staged<'e> {
    scenario: Scenario,
    endpoints: Vec<(String, &'e mut dyn Endpoint)>,
}

impl<'e> Staged<'e> {
    pub(super) fn new(scenario: Scenario) -> Self {
        Self { scenario, endpoints: Vec::new() }
    }

    /// One more peer runs a protocol of your own. At one moment endpoints act in the order in which they were given.
    pub fn with_endpoint(mut self, peer: impl Into<String>, endpoint: &'e mut dyn Endpoint) -> Self {
        self.endpoints.push((peer.into(), endpoint));
        self
    }

    /// Runs it, in virtual time.
    ///
    /// # Errors
    /// It is no scenario, an endpoint has no peer to run on, or the run could not be finished.
    pub fn run(self) -> Result<Finished, Error> {
        let Self { scenario, endpoints } = self;
        let mut visited = scenario.clone();
        visited.overrides.own.extend(endpoints.iter().map(|(peer, _)| (peer.clone(), Own::Endpoint)));
        let plan = visited.plan()?;
        let guests =
            endpoints.into_iter().map(|(peer, endpoint)| Guest { node: node(&plan, &peer), endpoint });
        let run = run_with(&plan, &scenario.options(), guests.collect())?;
        let outcome = judge(&plan, &run, &[]);
        Ok(Finished { scenario, plan, run, outcome })
    }
}

/// The node of a peer that the scenario layer has found.
fn node(plan: &Plan, peer: &str) -> NodeId {
    plan.topology.find(peer).unwrap_or_default()
}
