//! punchlab: a NAT traversal simulator and test lab.

pub mod agent;
pub mod base;
#[cfg(feature = "cli")]
pub mod cli;
pub mod device;
pub mod engine;
pub mod outcome;
pub mod plan;
pub mod report;
pub mod scenario;
pub mod trace;
pub mod wire;
