//! A scenario whose peers run programs of the user's own.

use super::{Error, Finished, Scenario};
use crate::base::NodeId;
use crate::endpoint::Endpoint;
#[cfg(feature = "tokio")]
use crate::endpoint::Failure;
use crate::engine::{Guest, Run, RunOptions, run_with};
use crate::outcome::judge;
use crate::plan::Plan;
use crate::scenario::Own;

#[cfg(feature = "tokio")]
use super::sockets::{self, Task};

/// A scenario with programs on its peers, ready to run once. Endpoints are borrowed: what they came to know can be read
/// off them afterwards.
///
/// Without `duration` in its file the run ends when every program is done and every call settled, and at the latest
/// after a minute of virtual time. What a call *needs* stays open: it is found by running the call again, and programs
/// run once.
#[must_use = "nothing happens before `run`"]
pub struct Staged<'e> {
    scenario: Scenario,
    programs: Vec<(String, Program<'e>)>,
}

enum Program<'e> {
    Endpoint(&'e mut dyn Endpoint),
    #[cfg(feature = "tokio")]
    Task(Task<'e>),
}

impl<'e> Staged<'e> {
    pub(super) fn new(scenario: Scenario) -> Self {
        Self { scenario, programs: Vec::new() }
    }

    /// One more peer runs a protocol of your own. At one moment programs act in the order in which they were given.
    pub fn with_endpoint(mut self, peer: impl Into<String>, endpoint: &'e mut dyn Endpoint) -> Self {
        self.programs.push((peer.into(), Program::Endpoint(endpoint)));
        self
    }

    /// One more peer runs a future, and the run waits until it has finished: see [`sockets`].
    #[cfg(feature = "tokio")]
    pub fn with_future(
        mut self,
        peer: impl Into<String>,
        future: impl Future<Output = Result<(), Failure>> + 'e,
    ) -> Self {
        self.programs.push((peer.into(), Program::Task(Task::new(future, false))));
        self
    }

    /// One more peer runs a future for which nobody waits, as one does not for a server: see [`sockets`].
    #[cfg(feature = "tokio")]
    pub fn with_service(
        mut self,
        peer: impl Into<String>,
        future: impl Future<Output = Result<(), Failure>> + 'e,
    ) -> Self {
        self.programs.push((peer.into(), Program::Task(Task::new(future, true))));
        self
    }

    /// Runs it, in virtual time.
    ///
    /// # Errors
    /// It is no scenario, a program has no peer to run on, or the run could not be finished.
    pub fn run(self) -> Result<Finished, Error> {
        let Self { scenario, programs } = self;
        let mut visited = scenario.clone();
        visited.overrides.own.extend(programs.iter().map(|(peer, _)| (peer.clone(), Own::Endpoint)));
        let plan = visited.plan()?;
        let programs = programs.into_iter().map(|(peer, program)| (node(&plan, &peer), program)).collect();
        let run = perform(&plan, &scenario.options(), programs)?;
        let outcome = judge(&plan, &run, &[]);
        Ok(Finished { scenario, plan, run, outcome })
    }
}

/// The node of a peer that the scenario layer has found.
fn node(plan: &Plan, peer: &str) -> NodeId {
    plan.topology.find(peer).unwrap_or_default()
}

fn perform(plan: &Plan, options: &RunOptions, programs: Vec<(NodeId, Program<'_>)>) -> Result<Run, Error> {
    let mut guests = Vec::new();
    #[cfg(feature = "tokio")]
    let mut tasks = Vec::new();
    for (node, program) in programs {
        match program {
            Program::Endpoint(endpoint) => guests.push(Guest { node, endpoint }),
            #[cfg(feature = "tokio")]
            Program::Task(task) => tasks.push((guests.len() + tasks.len(), node, task)),
        }
    }
    #[cfg(feature = "tokio")]
    if !tasks.is_empty() {
        return sockets::run(plan, options, guests, tasks);
    }
    Ok(run_with(plan, options, guests)?)
}
