//! `--set PATH=VALUE`: changes one value of the tree before it is read.

use super::diagnostic::{Code, Diagnostic};
use super::read::shortened;
use super::source::Source;
use super::source::Span;
use super::tree::{self, Entry, Node, Scalar, Value};
use crate::base::Limits;

/// What diagnostics call the text of an override.
pub const SOURCE_NAME: &str = "--set";

/// The text of an override as a source of its own.
pub fn source(path: &str, value: &str) -> Source {
    Source::new(SOURCE_NAME, format!("{path}={value}"))
}

/// A text as a value of `--set` that is read back as this text: with quotes, where YAML would make something else of it.
pub fn spelled(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./%+@:".contains(c);
    let begins_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_word = begins_plain && text.chars().all(is_plain) && !text.ends_with(':');
    if is_word && !text.eq_ignore_ascii_case("null") {
        text.to_owned()
    } else {
        // What JSON writes, YAML reads.
        serde_json::Value::from(text).to_string()
    }
}

/// Applies the override in `source`, whose number is `number`, to the tree. `path_length` is where its `=` stands.
///
/// # Errors
/// The mistake in it.
pub fn apply(
    root: &mut Node,
    source: &Source,
    number: u16,
    path_length: usize,
    limits: &Limits,
) -> Result<(), Diagnostic> {
    if let Some(diagnostic) = source.check_text(number, limits) {
        return Err(diagnostic);
    }
    let steps = steps(source, number, path_length, limits)?;
    let value = tree::parse(source, number, path_length + 1, limits)?;
    let mut at = root;
    for (index, step) in steps.iter().enumerate() {
        at = enter(at, step, index.checked_sub(1).and_then(|before| steps.get(before)), &steps[..index])?;
    }
    *at = value;
    Ok(())
}

/// One part of the path.
struct Step<'s> {
    text: &'s str,
    span: Span,
}

fn steps<'s>(
    source: &'s Source,
    number: u16,
    path_length: usize,
    limits: &Limits,
) -> Result<Vec<Step<'s>>, Diagnostic> {
    let path = source.text.get(..path_length).unwrap_or_default();
    let mut steps = Vec::new();
    let mut start = 0;
    for text in path.split('.') {
        let span = Span { source: number, start: start as u32, end: (start + text.len()) as u32 };
        if text.is_empty() {
            return Err(Diagnostic::new(Code::BadOverride, "the path has an empty part")
                .at(span, "nothing between the dots")
                .help("write `--set nats.nat-a=full-cone`"));
        }
        steps.push(Step { text, span });
        start += text.len() + 1;
    }
    match steps.get(limits.yaml_depth) {
        Some(extra) => {
            Err(Diagnostic::new(Code::Limit, format!("the path has more than {} parts", limits.yaml_depth))
                .at(extra.span, "one too many")
                .help("a scenario needs six levels"))
        }
        None => Ok(steps),
    }
}

/// The value one step further, made if it is not there.
fn enter<'t>(
    node: &'t mut Node,
    step: &Step<'_>,
    before: Option<&Step<'_>>,
    path: &[Step<'_>],
) -> Result<&'t mut Node, Diagnostic> {
    let takes_type =
        before.is_some_and(|before| before.text == "link") || (path.len() == 2 && path[0].text == "nats");
    if let Value::Scalar(_) = node.value
        && takes_type
    {
        spell_out(node);
    }
    if let Value::Null = node.value {
        node.value = Value::Map(Vec::new());
    }
    let kind = node.kind();
    match &mut node.value {
        Value::Map(entries) => {
            let found = entries.iter().position(|entry| entry.key == step.text);
            let index = found.unwrap_or_else(|| {
                let value = Node { span: step.span, value: Value::Null };
                entries.push(Entry { key: step.text.into(), key_span: step.span, value });
                entries.len() - 1
            });
            Ok(&mut entries[index].value)
        }
        Value::List(items) => {
            let count = items.len();
            let index = step.text.parse::<usize>().ok().filter(|index| *index < count);
            index.and_then(move |index| items.get_mut(index)).ok_or_else(|| {
                let help = match count {
                    0 => "the list is empty: set all of it at once".to_owned(),
                    _ => format!("write a number from 0 to {}", count - 1),
                };
                Diagnostic::new(Code::BadOverride, format!("a list has no entry `{}`", shortened(step.text)))
                    .at(step.span, "not an entry")
                    .see(node.span, "the list begins here")
                    .help(help)
            })
        }
        Value::Scalar(_) | Value::Null => {
            Err(Diagnostic::new(Code::BadOverride, format!("there is nothing below this: it is {kind}"))
                .at(step.span, "leads nowhere")
                .see(node.span, kind)
                .help("set the whole value instead"))
        }
    }
}

/// `symmetric` is short for `{ type: symmetric }`, for NATs and links.
fn spell_out(node: &mut Node) {
    if let Value::Scalar(Scalar { .. }) = node.value {
        let span = node.span;
        let short = std::mem::replace(&mut node.value, Value::Null);
        let value = Node { span, value: short };
        node.value = Value::Map(vec![Entry { key: "type".into(), key_span: span, value }]);
    }
}
