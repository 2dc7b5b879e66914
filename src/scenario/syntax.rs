//! What the YAML parser objects to, in the words of somebody who writes scenarios.

use serde_yaml::Error;
use serde_yaml::budget::BudgetBreach;

use super::diagnostic::{Code, Diagnostic};
use super::source::{Source, Span};
use super::yaml::{byte_range, most_values};
use crate::base::Limits;

/// The diagnostic for `error`, met in `source` from byte `from` on.
pub fn explain(error: &Error, source: &Source, number: u16, from: usize, limits: &Limits) -> Diagnostic {
    let error = error.without_snippet();
    let text = source.text.get(from..).unwrap_or_default();
    let span = error.location().map_or(Span { source: number, ..Span::default() }, |location| {
        let range = byte_range(location, text);
        Span { source: number, start: (from + range.start) as u32, end: (from + range.end) as u32 }
    });
    match error {
        Error::Budget { breach, .. } => over_budget(breach, source, span, limits),
        Error::MergeKeyNotAllowed { .. } => feature("YAML merge keys (`<<`)", span, "write the keys out"),
        Error::UnknownAnchor { .. } => {
            feature("YAML aliases (`*name`)", span, "put quotes around a text that begins with `*`")
        }
        Error::UnsupportedTag { .. } | Error::TaggedScalarCannotDeserializeIntoString { .. } => {
            tag(word_before(source, span, '!'))
        }
        Error::MultipleDocuments { .. } => feature(
            "a second YAML document in the same file",
            span,
            "put each scenario into a file of its own",
        ),
        Error::Eof { .. } => empty(span),
        other if other.to_string().contains("recursion limit") => too_deep(span, limits),
        other => not_yaml(other, source, span),
    }
}

/// A value with a YAML tag.
pub fn tag(span: Span) -> Diagnostic {
    feature("YAML tags (`!name`)", span, "remove the tag; put quotes around a text that begins with `!`")
}

/// A file without anything in it but comments.
pub fn empty(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NothingToSimulate, "the scenario is empty, so there is nothing to simulate")
        .at(span, "nothing here")
        .help("the shortest scenario is `peers: { alice: {}, bob: {} }` and `calls: [alice -> bob]`")
}

fn over_budget(breach: &BudgetBreach, source: &Source, span: Span, limits: &Limits) -> Diagnostic {
    match breach {
        BudgetBreach::Aliases { .. } => {
            feature("YAML aliases (`*name`)", span, "write the value out; put quotes around a text that begins with `*`")
        }
        BudgetBreach::Anchors { .. } => {
            let span = word_before(source, span, '&');
            feature("YAML anchors (`&name`)", span, "write values out; put quotes around a text that begins with `&`")
        }
        BudgetBreach::Documents { .. } => {
            feature("a second YAML document in the same file", span, "put each scenario into a file of its own")
        }
        BudgetBreach::Depth { .. } => too_deep(span, limits),
        _ => Diagnostic::new(Code::Limit, format!("the scenario holds more than {} values", most_values(limits)))
            .at(span, "one too many")
            .help("the bound follows from the limit of nodes; raise it with `--limit nodes=N` if it is really needed"),
    }
}

/// The word just before `span` from `mark` on: the parser speaks of the value behind an anchor or tag.
fn word_before(source: &Source, span: Span, mark: char) -> Span {
    let Some(before) = source.text.get(..span.start as usize).map(str::trim_end) else { return span };
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    // The text of an override begins with its path: `name=&x`.
    let Some(start) = word.find(mark) else { return span };
    let end = before.len() as u32;
    Span { source: span.source, start: end - (word.len() - start) as u32, end }
}

fn too_deep(span: Span, limits: &Limits) -> Diagnostic {
    Diagnostic::new(Code::Limit, format!("the YAML is nested more than {} levels deep", limits.yaml_depth))
        .at(span, "one level too many")
        .help("a scenario needs six levels")
}

fn feature(what: &str, span: Span, help: &str) -> Diagnostic {
    Diagnostic::new(Code::YamlFeature, format!("scenarios do without {what}"))
        .at(span, "not allowed here")
        .help(help)
}

fn not_yaml(error: &Error, source: &Source, span: Span) -> Diagnostic {
    let message = error.to_string();
    let reason = first_sentence(&message);
    let mut diagnostic = Diagnostic::new(Code::BadYaml, format!("the text is not YAML: {reason}"))
        .at(span, "the parser stopped here");
    diagnostic.help = advice(line_of(&source.text, span.start), reason).into_iter().map(Into::into).collect();
    diagnostic
}

/// The parser's message without the position, which the snippet shows.
fn first_sentence(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let end = [" at line ", " at byte ", " (line "].iter().filter_map(|mark| line.find(mark)).min();
    line[..end.unwrap_or(line.len())].trim_end_matches([':', ',', ' '])
}

fn line_of(text: &str, at: u32) -> &str {
    let mut at = (at as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..].lines().next().unwrap_or_default()
}

/// The usual causes, judged by the look of the line.
fn advice(line: &str, reason: &str) -> Vec<&'static str> {
    let mut advice = Vec::new();
    if line.starts_with('\t') || line.trim_start_matches(' ').starts_with('\t') || reason.contains("tab") {
        advice.push("indent with spaces: YAML forbids tabs there");
    }
    if line.contains("::") {
        advice.push("put quotes around IPv6 addresses: `\"fe80::1\"`");
    }
    if line.contains("]:") {
        advice.push("put quotes around an address with a port: `\"[2001:db8::1]:3478\"`");
    }
    if line.contains(['{', '[']) && advice.is_empty() {
        advice.push("see that every `{` and `[` is closed, and that a comma stands between entries");
    }
    if line.contains(": ") && line.matches(": ").count() > 1 && !line.contains('{') {
        advice.push("put quotes around a text that holds `: `");
    }
    if line.trim_start().starts_with(['@', '`', '%', '|', '>', '&', '*', '!']) {
        advice.push("put quotes around a text that begins with a special character");
    }
    if advice.is_empty() {
        advice.push("see that lines of one level are indented alike, and that a space follows each colon");
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_left_to_the_snippet() {
        assert_eq!(
            first_sentence("error: line 3: mapping values are not allowed at line 3, column 4"),
            "line 3: mapping values are not allowed"
        );
    }
}
