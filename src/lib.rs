//! punchlab runs real ICE stacks over simulated NATs, firewalls, STUN and TURN servers, in virtual time, and says
//! whether two peers connect directly, through a punched hole, or only through a relay — and why.
//!
//! Everything flows one way. A scenario is text; it becomes a validated [`plan::Plan`]; a plan and a seed become an
//! [`engine::Run`], everything that happened, packet by packet; a run becomes an [`outcome::Outcome`]; an outcome
//! becomes a report. Each arrow is a pure function.
//!
//! ```text
//! YAML ─ scenario ─→ Plan ─ engine(seed) ─→ Run ─ outcome ─→ Outcome ─ report ─→ text · JSON · pcapng
//! ```
//!
//! The folders are layers, and each knows only those before it:
//!
//! | layer | what it is |
//! |---|---|
//! | [`base`] | virtual time, seeded randomness, exact quantities, ids, bounds |
//! | [`plan`] | plain data: what a scenario says, in the field's own words |
//! | [`wire`] | IP packets, STUN and TURN messages, candidate lines, capture files |
//! | [`transport`] | byte streams: TCP connections, a model of TLS, messages in streams, tunnels through proxies |
//! | [`device`] | sans-IO network elements: links, routers, firewalls, NATs, STUN and TURN servers |
//! | [`agent`] | real ICE stacks behind one sans-IO interface |
//! | [`endpoint`] | any other UDP protocol, yours for instance, behind another |
//! | [`scenario`] | YAML becomes a plan, or diagnostics that teach |
//! | [`trace`] | everything that happened |
//! | [`engine`] | the network and the one run loop |
//! | [`outcome`] | path, needs, why, expectations |
//! | [`explain`] | what would have given a call another path, found by running it |
//! | [`discover`] | what STUN can find out about NATs, and what it gets wrong |
//! | [`matrix`] | one call between every pair of NAT types |
//! | [`report`] | pure writers |
//! | [`lab`] | scenarios inside `cargo test` |
//! | `suite` | many scenarios as tests of the program |
//! | `cli` | the only place with files, standard output and exit codes |
//!
//! # In tests
//!
//! [`lab`] is the front door: load or write a scenario, run it, assert what it came to.
//!
//! ```
//! use punchlab::lab::Scenario;
//! use punchlab::plan::{Needs, Path};
//!
//! let text = "
//! nats: { nat-a: symmetric, nat-b: symmetric }
//! servers: { stun: { stun: [3478/udp] }, turn: { turn: [3478/udp] } }
//! peers: { alice: { behind: nat-a }, bob: { behind: nat-b } }
//! calls: [alice -> bob]
//! ";
//! let call = Scenario::text("call", text).run()?;
//! call.assert_path("alice -> bob", Path::Relay);
//! assert_eq!(call.outcome().calls[0].needs, Some(Needs::Turn));
//! # Ok::<(), punchlab::lab::Error>(())
//! ```

pub mod agent;
pub mod base;
#[cfg(feature = "cli")]
pub mod cli;
pub mod device;
pub mod discover;
pub mod endpoint;
pub mod engine;
pub mod explain;
pub mod lab;
pub mod matrix;
pub mod outcome;
pub mod plan;
pub mod report;
pub mod scenario;
#[cfg(feature = "cli")]
pub mod suite;
pub mod trace;
pub mod transport;
pub mod wire;

/// The pages of `docs/` whose code is Rust are tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
mod library_page {}
