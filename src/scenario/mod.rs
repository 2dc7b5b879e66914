//! A scenario file becomes a [`Plan`], or diagnostics that teach.
//!
//! ```text
//! text ─tree→ positions ─file→ typed sections ─resolve→ Plan
//! ```
//! Each step notes what is wrong and goes on, so that a [`Rejection`] names every mistake of a file at once.
//!
//! ```
//! use punchlab::base::Limits;
//! use punchlab::scenario::{Overrides, Source, load};
//!
//! let text = "nats: { home: symmetric }\npeers: { alice: { behind: hoem }, bob: {} }\ncalls: [alice -> bob]";
//! let rejection = load(&Source::new("call.nat.yaml", text), &Overrides::default(), &Limits::DEFAULT).unwrap_err();
//! assert!(rejection.to_string().contains("did you mean `home`?"));
//! ```

pub(crate) mod diagnostic;
mod file;
mod keys;
mod links;
mod matrix;
mod overrides;
mod plain_text;
pub mod profiles;
mod read;
mod reference;
mod rejection;
mod render;
mod resolve;
mod schema;
mod set;
pub(crate) mod source;
mod syntax;
mod tree;
mod word;
mod yaml;

pub use diagnostic::{Code, Diagnostic, Label};
pub use overrides::{Overrides, Own};
pub use reference::reference;
pub use rejection::Rejection;
pub use schema::schema;
pub use source::{Source, Span};

use crate::base::Limits;
use crate::plan::{Plan, StackKind};
#[cfg(feature = "cli")]
pub(crate) use read::nearest;
use read::{At, Reader};
use resolve::Above;
use tree::Node;

/// One combination of a file's matrix. A file without one is a single case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// `a=symmetric,b=full-cone`; empty for a file without a matrix.
    pub label: String,
    /// What is changed about the file, this case's choice included.
    pub overrides: Overrides,
}

/// The cases of a file, in order: the first name of the matrix varies slowest. Names with a value in `overrides` have no other.
///
/// # Errors
/// What is wrong with the text as a whole, with its matrix, or with what stands for its values.
pub fn cases(source: &Source, overrides: &Overrides, limits: &Limits) -> Result<Vec<Case>, Rejection> {
    let mut sources = vec![source.clone()];
    let mut reader = Reader::new(limits);
    let choices = match positioned(&mut sources, overrides, limits) {
        Ok(Positioned { tree, mentioned }) => matrix::cases(&mut reader, tree, &overrides.matrix, &mentioned),
        Err(diagnostic) => {
            reader.report(diagnostic);
            Vec::new()
        }
    };
    if reader.mistakes() > 0 {
        return Err(Rejection::new(sources, reader.into_diagnostics()));
    }
    let case = |choice| Case {
        label: matrix::label(&choice),
        overrides: Overrides { matrix: choice, ..overrides.clone() },
    };
    Ok(choices.into_iter().map(case).collect())
}

/// The plan a scenario describes.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(source: &Source, overrides: &Overrides, limits: &Limits) -> Result<Plan, Rejection> {
    let mut sources = vec![source.clone()];
    let mut reader = Reader::new(limits);
    let tree = positioned(&mut sources, overrides, limits);
    let peer_agents = peer_agents(&mut sources, overrides);
    let own = own_programs(&mut sources, overrides);
    let plan = match tree {
        Ok(Positioned { mut tree, mentioned }) => {
            let label = matrix::fill(&mut reader, &mut tree, &overrides.matrix, &mentioned);
            // Where no case is chosen, most values are not known.
            let file = if reader.mistakes() == 0 { file::read(&mut reader, &tree) } else { None };
            file.map(|file| {
                let above = Above {
                    seed: overrides.seed,
                    agent: overrides.agent,
                    peer_agents: &peer_agents,
                    own: &own,
                };
                let mut plan = resolve::resolve(&mut reader, &file, source, above);
                if !label.is_empty() {
                    plan.name = format!("{}[{label}]", plan.name);
                }
                plan
            })
        }
        Err(diagnostic) => {
            reader.report(diagnostic);
            None
        }
    };
    plan.filter(|_| reader.mistakes() == 0).ok_or_else(|| Rejection::new(sources, reader.into_diagnostics()))
}

/// Reads a duration as scenarios write it, for options that take one; the error says what to write instead.
#[cfg(feature = "cli")]
pub(crate) fn duration(text: &str) -> Result<crate::base::SimDuration, String> {
    read::parsed(text)
}

/// The peers of `--agent PEER=STACK`, each in a source of its own.
fn peer_agents(sources: &mut Vec<Source>, overrides: &Overrides) -> Vec<(At<String>, StackKind)> {
    let agents = overrides.peer_agents.iter();
    agents
        .map(|(peer, stack)| (placed(sources, "--agent", peer, &format!("{peer}={stack}")), *stack))
        .collect()
}

/// The peers with programs of the user's own, each in a source named after the method that was given it.
fn own_programs(sources: &mut Vec<Source>, overrides: &Overrides) -> Vec<(At<String>, Own)> {
    let method = |own| match own {
        Own::Endpoint => "with_endpoint",
        Own::Stack => "with_stack",
    };
    overrides.own.iter().map(|(peer, own)| (placed(sources, method(*own), peer, peer), *own)).collect()
}

/// A name at the start of a source of its own.
fn placed(sources: &mut Vec<Source>, source: &str, name: &str, text: &str) -> At<String> {
    let number = u16::try_from(sources.len()).unwrap_or(u16::MAX);
    let span = Span { source: number, start: 0, end: u32::try_from(name.len()).unwrap_or(u32::MAX) };
    sources.push(Source::new(source, text));
    At::new(name.to_owned(), span)
}

/// The tree of the file with the overrides applied.
struct Positioned {
    tree: Node,
    /// The names of the matrix that the file mentions. An override may take the place of the expression: that is no mistake
    /// of the file.
    mentioned: Vec<String>,
}

fn positioned(
    sources: &mut Vec<Source>,
    overrides: &Overrides,
    limits: &Limits,
) -> Result<Positioned, Diagnostic> {
    if let Some(diagnostic) = sources[0].check_text(0, limits) {
        return Err(diagnostic);
    }
    let mut tree = tree::parse(&sources[0], 0, 0, limits)?;
    let mentioned = matrix::mentioned(&tree);
    for (path, value) in &overrides.set {
        let Some(number) =
            u16::try_from(sources.len()).ok().filter(|number| usize::from(*number) <= limits.list_entries)
        else {
            return Err(Diagnostic::new(
                Code::Limit,
                format!("there are more than {} overrides", limits.list_entries),
            ));
        };
        sources.push(set::source(path, value));
        set::apply(&mut tree, &sources[usize::from(number)], number, path.len(), limits)?;
    }
    Ok(Positioned { tree, mentioned })
}

#[cfg(test)]
mod tests;
