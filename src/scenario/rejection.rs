//! Everything that is wrong with a scenario, with the texts it speaks of.

use std::fmt;

use super::diagnostic::Diagnostic;
use super::render;
use super::source::Source;

/// Everything that is wrong with a scenario. Displayed, it is what `punchlab check` prints, without colour.
#[derive(Debug, Clone)]
pub struct Rejection {
    /// The mistakes, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    sources: Vec<Source>,
}

impl Rejection {
    /// How many mistakes are shown; a file with more is told how many there are.
    pub const SHOWN: usize = 30;

    pub(super) fn new(sources: Vec<Source>, mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by_key(Diagnostic::span);
        Self { diagnostics, sources }
    }

    /// The one mistake that keeps `source` from being read any further.
    pub(super) fn one(source: Source, diagnostic: Diagnostic) -> Self {
        Self::new(vec![source], vec![diagnostic])
    }

    /// What of it is news: without the mistakes that are `told`, among which the others are from now on. Cases of one file
    /// share most of theirs. `None` if there is no news.
    pub fn untold(mut self, told: &mut Vec<Diagnostic>) -> Option<Self> {
        self.diagnostics.retain(|diagnostic| !told.contains(diagnostic));
        told.extend_from_slice(&self.diagnostics);
        if self.diagnostics.is_empty() { None } else { Some(self) }
    }

    /// Where a mistake is: source name, line and column, both counted from 1 in characters.
    pub fn position(&self, diagnostic: &Diagnostic) -> Option<(&str, usize, usize)> {
        let span = diagnostic.span()?;
        let source = self.sources.get(usize::from(span.source))?;
        let (line, column) = source.line_and_column(span.start);
        Some((&source.name, line, column))
    }

    /// The text for a terminal, with ANSI colours if `color`.
    pub fn render(&self, color: bool) -> String {
        render::diagnostics(&self.sources, &self.diagnostics, Self::SHOWN, color)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Rejection {}
