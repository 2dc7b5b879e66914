//! Scenarios inside `cargo test`: load, change, run, look, assert. What fails shows what happened on the wire.
//!
//! ```
//! use punchlab::lab::Scenario;
//! use punchlab::plan::Path;
//!
//! # fn main() -> Result<(), punchlab::lab::Error> {
//! let call = Scenario::text(
//!     "home to office",
//!     "
//!     nats: { home: port-restricted-cone, office: symmetric }
//!     servers: { stun: { stun: [3478/udp] }, turn: { turn: [3478/udp] } }
//!     peers: { alice: { behind: home }, bob: { behind: office } }
//!     calls: [alice -> bob]
//!     ",
//! );
//! call.run()?.assert_path("alice -> bob", Path::Relay);
//! call.set("nats.office.filtering", "endpoint-independent").run()?.assert_path("alice -> bob", Path::Stun);
//! # Ok(())
//! # }
//! ```

pub mod build;
mod failure;
#[cfg(feature = "tokio")]
pub mod sockets;
mod staged;

use std::fmt;
use std::path::Path as FilePath;

pub use staged::Staged;

use crate::agent::{AgentConfig, IceStack, OwnStacks};
use crate::base::Limits;
use crate::endpoint::Endpoint;
#[cfg(feature = "tokio")]
use crate::endpoint::Failure;
use crate::engine::{Run, RunError, RunOptions};
use crate::outcome::{CallOutcome, Outcome, simulate};
use crate::plan::{Path, Plan, StackKind};
use crate::report::human::{self, Options, Part};
use crate::report::json::{self, Layout};
use crate::report::{Report, capture, jsonl, snapshot};
use crate::scenario::{self, Overrides, Own, Rejection, Source};

/// Why a scenario came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no scenario; the message shows the places and what to write instead.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A bound was reached, or an agent crashed, or a program of your own failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Futures cannot run inside another runtime.
    #[cfg(feature = "tokio")]
    #[error(
        "futures run on a runtime of the lab's own, whose time is virtual: call `run` from a plain `#[test]`, not from within another runtime"
    )]
    InsideRuntime,
    /// The runtime for futures could not be made.
    #[cfg(feature = "tokio")]
    #[error("the runtime for futures could not be made: {0}")]
    Runtime(std::io::Error),
}

/// A scenario to run, perhaps with changes.
#[derive(Debug, Clone)]
pub struct Scenario {
    source: Source,
    is_file: bool,
    overrides: Overrides,
    limits: Limits,
    stacks: OwnStacks,
}

impl Scenario {
    /// A scenario file. Its path is relative to where the test runs: with `cargo test` the package's folder.
    ///
    /// # Errors
    /// It cannot be read, or is no text.
    pub fn file(path: impl AsRef<FilePath>) -> Result<Self, Error> {
        Ok(Self { is_file: true, ..Self::of(Source::read(path.as_ref(), &Limits::DEFAULT)?) })
    }

    /// A scenario written in the test, in the format of the files. Mistakes come to light when it is run.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::of(Source::new(name, text))
    }

    /// A scenario made of typed calls: see [`build`].
    pub fn build(name: impl Into<String>) -> build::Draft {
        build::Draft::new(name)
    }

    /// Its text, without what was changed since: as a file it is the same scenario.
    pub fn yaml(&self) -> &str {
        &self.source.text
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            is_file: false,
            overrides: Overrides::default(),
            limits: Limits::DEFAULT,
            stacks: OwnStacks::default(),
        }
    }

    /// Changes a value, or adds it: `("nats.home.filtering", "endpoint-independent")`. The value is YAML.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.overrides.set.push((key.into(), value.into()));
        self
    }

    /// The stack of every peer, whatever the file says.
    #[must_use]
    pub const fn agent(mut self, stack: StackKind) -> Self {
        self.overrides.agent = Some(stack);
        self
    }

    /// The stack of one peer.
    #[must_use]
    pub fn agent_of(mut self, peer: impl Into<String>, stack: StackKind) -> Self {
        self.overrides.peer_agents.push((peer.into(), stack));
        self
    }

    /// One peer runs an ICE stack of your own, which `build` makes: anew for each call of the peer, and again for each
    /// run that finds out what a call needs. Its sockets are open already (`AgentConfig::sockets`). The peer has to take part
    /// in a call.
    #[must_use]
    pub fn with_stack(
        mut self,
        peer: impl Into<String>,
        build: impl Fn(AgentConfig) -> Box<dyn IceStack> + Send + Sync + 'static,
    ) -> Self {
        let peer = peer.into();
        self.overrides.own.push((peer.clone(), Own::Stack));
        self.stacks.insert(peer, build);
        self
    }

    /// One peer runs a UDP protocol of your own. The peer takes part in no call, and the scenario may do without any.
    pub fn with_endpoint<'e>(&self, peer: impl Into<String>, endpoint: &'e mut dyn Endpoint) -> Staged<'e> {
        Staged::new(self.clone()).with_endpoint(peer, endpoint)
    }

    /// One peer runs a future of your own, and the run waits until it has finished: see [`sockets`].
    #[cfg(feature = "tokio")]
    pub fn with_future<'e>(
        &self,
        peer: impl Into<String>,
        future: impl Future<Output = Result<(), Failure>> + 'e,
    ) -> Staged<'e> {
        Staged::new(self.clone()).with_future(peer, future)
    }

    /// One peer runs a future of your own for which nobody waits: see [`sockets`].
    #[cfg(feature = "tokio")]
    pub fn with_service<'e>(
        &self,
        peer: impl Into<String>,
        future: impl Future<Output = Result<(), Failure>> + 'e,
    ) -> Staged<'e> {
        Staged::new(self.clone()).with_service(peer, future)
    }

    /// The seed. The same seed gives the same bytes.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.overrides.seed = Some(seed);
        self
    }

    /// Other bounds than [`Limits::DEFAULT`].
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The cases of its matrix, in order; itself, if it has none.
    ///
    /// # Errors
    /// The text, or its matrix, has mistakes.
    pub fn cases(&self) -> Result<Vec<Self>, Error> {
        let cases = scenario::cases(&self.source, &self.overrides, &self.limits)?;
        Ok(cases.into_iter().map(|case| Self { overrides: case.overrides, ..self.clone() }).collect())
    }

    /// What it says, with every default filled in: which addresses its nodes have, for instance.
    ///
    /// # Errors
    /// It is no scenario.
    pub fn plan(&self) -> Result<Plan, Error> {
        Ok(scenario::load(&self.source, &self.overrides, &self.limits)?)
    }

    /// Runs it, in virtual time: a call of a minute takes milliseconds.
    ///
    /// # Errors
    /// It is no scenario, or the run could not be finished.
    pub fn run(&self) -> Result<Finished, Error> {
        let plan = self.plan()?;
        let (run, outcome) = simulate(&plan, &self.options())?;
        Ok(Finished { scenario: self.clone(), plan, run, outcome })
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            record: true,
            limits: self.limits.clone(),
            stacks: self.stacks.clone(),
            ..RunOptions::default()
        }
    }
}

/// A run and what it came to.
///
/// It is shown as `punchlab test` keeps it in snapshots (paths, causes, pairs, NAT tables, drops, and no times), so that
/// `insta::assert_snapshot!(finished)` gives a page that reads well in review.
#[derive(Debug)]
pub struct Finished {
    scenario: Scenario,
    plan: Plan,
    run: Run,
    outcome: Outcome,
}

impl Finished {
    /// Paths, causes, expectations, drops: what `punchlab run --format json` prints.
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// What was run, to run it again with another change.
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The same with every default filled in.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Everything that happened, packet by packet.
    pub const fn run(&self) -> &Run {
        &self.run
    }

    /// For the writers of [`crate::report`].
    pub const fn report(&self) -> Report<'_> {
        Report { plan: &self.plan, run: &self.run, outcome: &self.outcome }
    }

    /// The first call with this name: `alice -> bob`, as the file has it.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn call(&self, name: &str) -> &CallOutcome {
        let wanted: Option<(&str, &str)> = name.split_once("->").map(|(from, to)| (from.trim(), to.trim()));
        let calls = &self.outcome.calls;
        match calls.iter().find(|call| wanted == Some((call.from.as_str(), call.to.as_str()))) {
            Some(call) => call,
            None => panic!("no call is named `{name}`; there is {}", failure::names(calls)),
        }
    }

    /// The page of this run: network, packets and tables at every instant.
    #[cfg(feature = "html")]
    pub fn html(&self) -> String {
        crate::report::html::write(self.report(), &self.scenario.source, None)
    }

    /// The packets of each call, and of the endpoints, as text.
    pub fn ladder(&self) -> String {
        human::write_parts(self.report(), &[Part::Ladder], Options::default())
    }

    /// The outcome: what `punchlab run --format json` prints.
    pub fn json(&self) -> String {
        json::text(&self.outcome, Layout::Pretty)
    }

    /// Every event of the run, one JSON object a line: what `punchlab run --format jsonl` prints.
    pub fn jsonl(&self) -> String {
        jsonl::text(self.report())
    }

    /// The packets as a pcapng file, for Wireshark.
    pub fn capture(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(trace) = &self.run.trace {
            // Writing to memory cannot fail.
            let _ = capture::write(&mut bytes, &self.plan, self.run.seed, trace);
        }
        bytes
    }

    /// All that the file expects holds.
    ///
    /// # Panics
    /// Something does not; the message has the verdict, the expectations and the ladder.
    #[track_caller]
    pub fn assert_expected(&self) {
        if !self.outcome.ok {
            panic!("{}", failure::message(self, "an expectation does not hold"));
        }
    }

    /// Every endpoint was done before the run ended.
    ///
    /// # Panics
    /// Some was not; the message names them and has the ladder.
    #[track_caller]
    pub fn assert_done(&self) {
        let waiting = self.run.endpoints.iter().filter(|endpoint| endpoint.done_at.is_none());
        let names: Vec<_> =
            waiting.map(|endpoint| format!("`{}`", self.plan.name_of(endpoint.node))).collect();
        if !names.is_empty() {
            let what = format!("not done after {}: {}", self.run.ended_at, names.join(", "));
            panic!("{}", failure::message(self, &what));
        }
    }

    /// A call went this way.
    ///
    /// # Panics
    /// It went another, or there is no such call.
    #[track_caller]
    pub fn assert_path(&self, call: &str, path: Path) {
        let got = self.call(call).path;
        if got != path {
            panic!("{}", failure::message(self, &format!("{call}: wanted {path}, got {got}")));
        }
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&snapshot::write(self.report(), false))
    }
}
