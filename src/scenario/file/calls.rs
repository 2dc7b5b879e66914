//! `calls:` and `signalling:`.

use super::{media, mesh};
use crate::base::{Probability, SimDuration};
use crate::plan::MediaFlow;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::{CALL, SIGNALLING};
use crate::scenario::read::{At, Reader, shortened};
use crate::scenario::source::Span;
use crate::scenario::tree::{Node, Value};

/// A call as the file describes it.
#[derive(Debug)]
pub struct Call {
    /// Who calls.
    pub from: At<String>,
    /// Who is called.
    pub to: At<String>,
    /// `at`.
    pub at: Option<At<SimDuration>>,
    /// `media`.
    pub media: Vec<MediaFlow>,
    /// Where `media` stands, even if it could not be read.
    pub media_at: Option<Span>,
    /// The whole `alice -> bob`, or the mesh that it is part of.
    pub span: Span,
    /// True for a call of a `mesh`.
    pub is_of_mesh: bool,
}

/// `signalling`.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "each field is the key of the same name")]
pub struct Signalling {
    pub delay: Option<At<SimDuration>>,
    pub loss: Option<At<Probability>>,
    pub trickle: Option<At<bool>>,
}

/// The section `signalling`.
pub fn signalling(reader: &mut Reader<'_>, node: &Node) -> Signalling {
    let Some(fields) = reader.fields(node, &SIGNALLING) else { return Signalling::default() };
    Signalling {
        delay: fields.get("delay").and_then(|node| reader.leaf("delay", node)),
        loss: fields.get("loss").and_then(|node| reader.leaf("loss", node)),
        trickle: fields.get("trickle").and_then(|node| reader.truth("trickle", node)),
    }
}

const KIND: &str = "calls such as `alice -> bob`";

/// The section `calls`. `None` if any of it could not be read.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Call>> {
    let items = match &node.value {
        // `calls: { alice -> bob: … }`, with one call or several.
        Value::Map(_) | Value::Null => std::slice::from_ref(node),
        _ => reader.list("calls", node, KIND)?,
    };
    let calls: Vec<Option<Vec<Call>>> = items.iter().map(|item| entry(reader, item)).collect();
    let calls: Vec<Call> = calls.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    let most = reader.limits.calls;
    if let Some(extra) = calls.get(most) {
        reader.report(
            Diagnostic::new(
                Code::Limit,
                format!("the scenario has {} calls; at most {most} are allowed", calls.len()),
            )
            .at(extra.span, "the first one too many")
            .help("raise the limit with `--limit calls=N` if it is really needed"),
        );
        return None;
    }
    Some(calls)
}

/// One call, or those of a mesh.
fn entry(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Call>> {
    match &node.value {
        Value::Map(entries) if entries.iter().any(|entry| entry.key == "mesh") => mesh::read(reader, node),
        _ => call(reader, node).map(|call| vec![call]),
    }
}

fn call(reader: &mut Reader<'_>, node: &Node) -> Option<Call> {
    match &node.value {
        Value::Scalar(scalar) => arrow(reader, &scalar.text, node.span, None, None),
        Value::Map(entries) => match entries.as_slice() {
            [entry] => {
                let fields = reader.fields(&entry.value, &CALL);
                let get = |key| fields.as_ref().and_then(|fields| fields.get(key));
                let at = get("at").and_then(|node| reader.leaf("at", node));
                let media = get("media").map(|node| (media::flows(reader, node), node.span));
                arrow(reader, &entry.key, entry.key_span, at, media)
            }
            _ => {
                reader.report(
                    Diagnostic::new(Code::WrongKind, "each call is an entry of its own")
                        .at(node.span, "several keys in one entry")
                        .help("write `- alice -> bob: { at: 1s }` for each call, with a dash"),
                );
                None
            }
        },
        Value::Null | Value::List(_) => {
            reader.wrong_kind("an entry of `calls`", node, "a call such as `alice -> bob`");
            None
        }
    }
}

fn arrow(
    reader: &mut Reader<'_>,
    text: &str,
    span: Span,
    at: Option<At<SimDuration>>,
    media: Option<(Vec<MediaFlow>, Span)>,
) -> Option<Call> {
    let (from, to) = ends(reader, text, span)?;
    let (media, media_at) = media.unzip();
    let media = media.unwrap_or_default();
    Some(Call { from, to, at, media, media_at, span, is_of_mesh: false })
}

/// The two ends of `alice -> bob`.
pub fn ends(reader: &mut Reader<'_>, text: &str, span: Span) -> Option<(At<String>, At<String>)> {
    let (from, to) = text.split_once("->").map_or((text.trim(), ""), |(from, to)| (from.trim(), to.trim()));
    if from.is_empty() || to.is_empty() || to.contains("->") || from.contains(' ') || to.contains(' ') {
        reader.report(
            Diagnostic::new(Code::BadValue, format!("`{}` is not a call", shortened(text)))
                .at(span, "not of the form `alice -> bob`")
                .help("write the caller, `->` and the callee, with spaces between them"),
        );
        return None;
    }
    let part = |name: &str, start: usize| At::new(name.to_owned(), within(span, text, start, name.len()));
    let from_at = text.find(from).unwrap_or_default();
    let to_at = text.rfind(to).unwrap_or_default();
    Some((part(from, from_at), part(to, to_at)))
}

/// The part of `span` where a piece of `text` stands; all of it where quotes or escapes make that uncertain.
fn within(span: Span, text: &str, start: usize, length: usize) -> Span {
    let covered = (span.end - span.start) as usize;
    if covered != text.len() {
        return span;
    }
    let start = span.start + start as u32;
    Span { source: span.source, start, end: start + length as u32 }
}
