//! Plan and seed in, everything that happened out.
//!
//! [`run()`] is a pure function of the plan and the seed: no clock, no thread, no randomness but the streams of
//! [`Random`](crate::base::Random).

pub(crate) mod host;
pub(crate) mod machine;
pub(crate) mod mdns;
pub(crate) mod media;
pub(crate) mod network;
pub(crate) mod queue;
pub(crate) mod recorder;
pub(crate) mod run;
pub(crate) mod seat;
pub(crate) mod session;
pub(crate) mod settle;
pub(crate) mod signalling;
pub(crate) mod streams;
pub(crate) mod world;

pub use media::FlowRun;
pub use network::{Delivery, Network};
pub use recorder::Recorder;
pub use run::{DropCount, EndpointRun, Moment, Observed, Run, SessionRun};
pub use seat::Guest;
pub use streams::StreamNews;
pub use world::World;

use crate::agent::{OwnStacks, StackError};
use crate::base::{LimitReached, Limits};
use crate::endpoint::EndpointError;
use crate::plan::{Plan, StackKind};

/// How to run a plan.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The seed; `None`: the plan's.
    pub seed: Option<u64>,
    /// True: keep a trace of every packet.
    pub record: bool,
    /// True: the trace leaves out what calls at rest send to stay alive, so that hours of it take no room.
    pub skip_rest: bool,
    /// The bounds of the run.
    pub limits: Limits,
    /// Peers that run an ICE stack of the user's own.
    pub stacks: OwnStacks,
}

/// A run that could not be finished. The command line answers it with exit code 3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// A bound was reached.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// An ICE stack failed.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// An endpoint failed.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// This build does not have the stack.
    #[error("this build has no `{0}` agent; build it with `--features {0}`")]
    NoSuchStack(StackKind),
}

/// Runs `plan` to its end.
pub fn run(plan: &Plan, options: &RunOptions) -> Result<Run, RunError> {
    run_with(plan, options, Vec::new())
}

/// Runs `plan` with endpoints on peers that take part in no call.
pub fn run_with(plan: &Plan, options: &RunOptions, guests: Vec<Guest<'_>>) -> Result<Run, RunError> {
    let mut world = World::new(plan, options, guests)?;
    world.run_until(world.end())?;
    Ok(world.finish())
}
