//! `media` of a call, and `media-gap`.

use crate::base::{Bandwidth, SimDuration};
use crate::plan::{MediaFlow, MediaKind};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::{MEDIA, MEDIA_GAP};
use crate::scenario::read::{At, Reader};
use crate::scenario::tree::{Node, Value};

/// The least and the most a flow may have, in bits per second.
const RATES: std::ops::RangeInclusive<u64> = 1_000..=1_000_000_000;

/// `media`: kinds of flows, or a map from them to rates. The flows are in the order of [`MediaKind::ALL`].
pub fn flows(reader: &mut Reader<'_>, node: &Node) -> Vec<MediaFlow> {
    if !matches!(node.value, Value::Map(_)) {
        return named(reader, node);
    }
    let Some(fields) = reader.fields(node, &MEDIA) else { return Vec::new() };
    if matches!(&node.value, Value::Map(entries) if entries.is_empty()) {
        reader.report(
            Diagnostic::new(Code::BadValue, "`media` names no flow")
                .at(node.span, "nothing in it")
                .help("write `media: audio` or `media: { audio: 40kbps, video: 1.2Mbps }`, or remove it"),
        );
    }
    let flow = |kind: &MediaKind| {
        let rate: At<Bandwidth> = reader.leaf(kind.word(), fields.get(kind.word())?)?;
        check_rate(reader, *kind, &rate);
        Some(MediaFlow { kind: *kind, rate: rate.value })
    };
    MediaKind::ALL.iter().filter_map(flow).collect()
}

/// Flows with their usual rates.
fn named(reader: &mut Reader<'_>, node: &Node) -> Vec<MediaFlow> {
    let kinds: Vec<At<MediaKind>> = reader.word_list("media", node).unwrap_or_default();
    for (index, kind) in kinds.iter().enumerate() {
        if let Some(first) = kinds[..index].iter().find(|first| first.value == kind.value) {
            reader.report(
                Diagnostic::new(Code::DuplicateKey, format!("`{}` stands twice in the list", kind.value))
                    .at(kind.span, "again here")
                    .see(first.span, "first here")
                    .help("remove one of them; a call has one flow of each kind"),
            );
        }
    }
    let is_named = |kind: &&MediaKind| kinds.iter().any(|named| named.value == **kind);
    let flow = |kind: &MediaKind| MediaFlow { kind: *kind, rate: kind.usual_rate() };
    MediaKind::ALL.iter().filter(is_named).map(flow).collect()
}

fn check_rate(reader: &mut Reader<'_>, kind: MediaKind, rate: &At<Bandwidth>) {
    if !RATES.contains(&rate.value.bits_per_second()) {
        reader.report(
            Diagnostic::new(Code::OutOfRange, format!("`{kind}: {}` is out of range", rate.value))
                .at(rate.span, "out of range")
                .help(format!("write a rate from `1kbps` to `1Gbps`, such as `{}`", kind.usual_rate())),
        );
    }
}

/// How long a gap may be.
#[derive(Debug)]
#[allow(missing_docs, reason = "each field is the key of the same name")]
pub struct MediaGap {
    pub min: Option<SimDuration>,
    pub max: Option<SimDuration>,
}

/// `media-gap`: the longest one alone, or a map.
pub fn gap(reader: &mut Reader<'_>, node: &Node) -> Option<MediaGap> {
    if let Value::Scalar(_) = node.value {
        let max: At<SimDuration> = reader.leaf("media-gap", node)?;
        return Some(MediaGap { min: None, max: Some(max.value) });
    }
    let fields = reader.fields(node, &MEDIA_GAP)?;
    let min: Option<At<SimDuration>> = fields.get("min").and_then(|node| reader.leaf("min", node));
    let max: Option<At<SimDuration>> = fields.get("max").and_then(|node| reader.leaf("max", node));
    if matches!(&node.value, Value::Map(entries) if entries.is_empty()) {
        reader.report(
            Diagnostic::new(Code::BadValue, "`media-gap` says nothing")
                .at(node.span, "nothing in it")
                .help("write `media-gap: 1s` or `media-gap: { min: 1s, max: 2s }`, or remove it"),
        );
    }
    if let (Some(min), Some(max)) = (&min, &max)
        && min.value > max.value
    {
        reader.report(
            Diagnostic::new(Code::Contradiction, "`min` is more than `max`")
                .at(min.span, "at least this long")
                .see(max.span, "but at most this long")
                .help(format!("write `min: {}` or less", max.value)),
        );
    }
    Some(MediaGap { min: min.map(|at| at.value), max: max.map(|at| at.value) })
}
