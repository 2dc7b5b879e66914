//! Diagnostics as text, in the manner of rustc.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::diagnostic::Diagnostic;
use super::source::{Source, Span, is_harmful};

/// The first `most` diagnostics and how many more there are, a blank line after each but the last.
pub fn diagnostics(sources: &[Source], diagnostics: &[Diagnostic], most: usize, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut parts: Vec<String> = diagnostics
        .iter()
        .take(most)
        .map(|diagnostic| renderer.render(&report(sources, diagnostic)))
        .collect();
    if diagnostics.len() > most {
        parts.push(format!("error: and {} more mistakes", diagnostics.len() - most));
    }
    parts.join("\n\n")
}

fn report<'a>(sources: &'a [Source], diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let title = Level::ERROR.primary_title(printable(&diagnostic.message)).id(diagnostic.code.word());
    let mut main = Group::with_title(title);
    for (number, source) in sources.iter().enumerate() {
        let labels = diagnostic.labels.iter().filter(|label| usize::from(label.span.source) == number);
        let annotations: Vec<_> = labels
            .map(|label| {
                let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                kind.span(visible(&source.text, label.span)).label(printable(&label.text))
            })
            .collect();
        if !annotations.is_empty() {
            let snippet = Snippet::source(source.text.as_str()).path(printable(&source.name));
            main = main.element(snippet.fold(true).annotations(annotations));
        }
    }
    if diagnostic.labels.is_empty()
        && let Some(source) = sources.first()
    {
        main = main.element(Origin::path(printable(&source.name)));
    }
    let mut groups = vec![main];
    for help in &diagnostic.help {
        groups.push(Group::with_title(Level::HELP.secondary_title(printable(help))));
    }
    groups
}

/// The part of `span` that lies in its first line, and at least one character of it.
fn visible(text: &str, span: Span) -> std::ops::Range<usize> {
    let start = floor_char(text, span.start as usize);
    let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let end = floor_char(text, span.end as usize).clamp(start, line_end.max(start));
    let end = start + text[start..end].trim_end().len();
    if end > start {
        return start..end;
    }
    let next = text[start..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    start..start + next
}

fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// `text` with characters that would disturb a terminal written out.
fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) && c != '\n' {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
    }
    clean
}
