//! What can be saved from inside the page.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use crate::base::shell::quoted;
use crate::report::text::printable;
use crate::report::{Report, capture, jsonl};
use crate::scenario::Source;

/// How many bytes of base64 one download may add to a page, so that pages stay below 2 MB.
const MOST_BYTES: usize = 400_000;

/// A file that the page can save.
#[derive(Debug, Serialize)]
pub struct Download {
    label: &'static str,
    name: String,
    mime: &'static str,
    /// Its bytes, compressed, as base64.
    gzip: Option<String>,
    /// Why they are not there, and how to get the file.
    instead: Option<String>,
}

/// A text of the page.
#[derive(Debug, Serialize)]
pub struct Text {
    name: String,
    text: String,
}

/// The scenario itself.
pub fn scenario(source: &Source) -> Text {
    Text { name: format!("{}.nat.yaml", stem(source)), text: source.text.clone() }
}

/// The trace as JSON Lines and as a capture.
pub fn downloads(report: Report<'_>, source: &Source) -> Vec<Download> {
    let Some(trace) = &report.run.trace else { return Vec::new() };
    let (file, stem) = (quoted(&printable(&source.name)), stem(source));
    let lines = gzipped(|out| jsonl::write(out, report));
    let packets = gzipped(|out| capture::write(out, report.plan, report.run.seed, trace));
    vec![
        Download::new("JSON Lines", format!("{stem}.jsonl"), "application/jsonl", lines, || {
            format!("punchlab run {file} --format jsonl")
        }),
        Download::new("capture", format!("{stem}.pcapng"), "application/octet-stream", packets, || {
            format!("punchlab run {file} --pcap {stem}.pcapng")
        }),
    ]
}

impl Download {
    fn new(
        label: &'static str,
        name: String,
        mime: &'static str,
        gzip: Option<String>,
        command: impl FnOnce() -> String,
    ) -> Self {
        let instead = gzip.is_none().then(|| format!("too large for this page; get it with: {}", command()));
        Self { label, name, mime, gzip, instead }
    }
}

/// What `write` writes, compressed and as base64; `None` if that is too large for a page.
fn gzipped(
    write: impl FnOnce(&mut std::io::BufWriter<GzEncoder<Vec<u8>>>) -> std::io::Result<()>,
) -> Option<String> {
    let mut out = std::io::BufWriter::new(GzEncoder::new(Vec::new(), Compression::best()));
    write(&mut out).ok()?;
    out.flush().ok()?;
    let bytes = out.into_inner().ok()?.finish().ok()?;
    let text = STANDARD.encode(bytes);
    (text.len() <= MOST_BYTES).then_some(text)
}

/// The file's name without folders and ending, made of characters that every file system takes.
fn stem(source: &Source) -> String {
    let name = source.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.strip_suffix(".nat.yaml").unwrap_or(name);
    let kept: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(100).collect();
    if kept.is_empty() { "scenario".into() } else { kept }
}
