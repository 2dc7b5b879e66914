//! Pure writers: a run and its outcome become text, JSON, or a capture.
//!
//! Nothing here opens a file or prints: every writer returns text or writes to what it is given, and the same
//! input always gives the same bytes.

pub mod capture;
pub mod discovery;
pub mod explanation;
#[cfg(feature = "html")]
pub mod html;
pub mod human;
pub mod journey;
pub mod json;
pub mod jsonl;
pub mod ladder;
pub mod matrix;
pub mod measurement;
pub(crate) mod mermaid;
pub(crate) mod names;
pub(crate) mod sentences;
pub mod snapshot;
pub(crate) mod svg;
pub(crate) mod text;
pub mod topology;

#[cfg(test)]
mod fixture;

pub use text::Style;

use crate::engine::Run;
use crate::outcome::Outcome;
use crate::plan::Plan;

/// What there is to report about one scenario.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What was run.
    pub plan: &'a Plan,
    /// What happened.
    pub run: &'a Run,
    /// What it means.
    pub outcome: &'a Outcome,
}
