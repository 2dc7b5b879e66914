//! Plan and seed in, everything that happened out.

pub mod run;

pub use run::{Observed, Run, SessionRun};
