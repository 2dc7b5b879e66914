//! Many scenarios as tests: what each case came to, and reports about all of them.
//!
//! Nothing here opens a file or starts a thread: a case is text, its result is data, and the writers turn results into
//! what people, CI servers and other programs read. The same results always give the same bytes.

pub mod case;
pub mod github;
pub mod human;
pub mod index;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod result;
#[cfg(feature = "schema")]
pub mod schema;
pub mod tap;
#[cfg(test)]
mod tests;

pub use case::{Seen, TestCase, judge};
pub use result::{CallLine, CaseResult, Problem, ProblemKind, Status, Summary, tell_rejections_once};
