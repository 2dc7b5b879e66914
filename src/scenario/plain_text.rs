//! Reads scenario files, and refuses what is not plain text.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::diagnostic::{Code, Diagnostic};
use super::rejection::Rejection;
use super::source::{Source, Span, is_harmful};
use crate::base::Limits;

impl Source {
    /// Reads a regular file. Anything else is refused before it is opened, so a FIFO blocks nobody and
    /// `/dev/zero` fills no memory.
    ///
    /// # Errors
    /// If there is no such regular file, if it is larger than [`Limits::file_bytes`], or if it is not UTF-8.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self, Rejection> {
        let name = path.display().to_string();
        let reject = |diagnostic| Rejection::one(Self::new(name.clone(), ""), diagnostic);
        let unreadable = |error: &std::io::Error| {
            reject(Diagnostic::new(
                Code::Unreadable,
                format!("cannot read the scenario: {}", plain_words(error)),
            ))
        };
        let metadata = fs::metadata(path).map_err(|error| unreadable(&error))?;
        if !metadata.is_file() {
            let what = if metadata.is_dir() { "a directory" } else { "not a regular file" };
            let help = "name a `.nat.yaml` file";
            return Err(reject(
                Diagnostic::new(Code::Unreadable, format!("cannot read the scenario: it is {what}"))
                    .help(help),
            ));
        }
        let file = fs::File::open(path).map_err(|error| unreadable(&error))?;
        let mut bytes = Vec::new();
        // One byte more than allowed tells "at the limit" from "beyond it", however large the file has become.
        let most = u64::try_from(limits.file_bytes).unwrap_or(u64::MAX).saturating_add(1);
        file.take(most).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        if bytes.len() > limits.file_bytes {
            return Err(reject(too_large(limits)));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => Err(not_utf8(&name, &error)),
        }
    }

    /// Refuses what no scenario needs and a terminal or reader could be fooled by.
    pub(super) fn check_text(&self, number: u16, limits: &Limits) -> Option<Diagnostic> {
        if self.text.len() > limits.file_bytes {
            return Some(too_large(limits));
        }
        let start = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let (offset, found) = self.text[start..]
            .char_indices()
            .find(|(_, c)| is_harmful(*c) && !matches!(c, '\n' | '\r' | '\t'))?;
        let at = (start + offset) as u32;
        let span = Span { source: number, start: at, end: at + found.len_utf8() as u32 };
        let (what, help) = describe(found);
        Some(
            Diagnostic::new(Code::BadText, format!("the text holds {what}"))
                .at(span, format!("U+{:04X}", found as u32))
                .help(help),
        )
    }
}

fn describe(c: char) -> (&'static str, &'static str) {
    match c {
        '\0' => ("a NUL byte", "save the file as UTF-8 text; UTF-16 files look like this"),
        '\u{feff}' => ("a byte order mark in the middle of the text", "remove it"),
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => (
            "a character that changes the direction of the text",
            "remove it: what one reads would not be what runs",
        ),
        '\u{2028}' | '\u{2029}' => ("a Unicode line separator", "write an ordinary line break"),
        _ => ("a control character", "remove it"),
    }
}

fn too_large(limits: &Limits) -> Diagnostic {
    Diagnostic::new(Code::Limit, format!("the scenario is larger than {} bytes", limits.file_bytes))
        .help("a thousand nodes need about 100 KiB; raise the limit with `--limit file-bytes=N` if it is really needed")
}

fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Rejection {
    let good = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let span = Span { source: 0, start: good as u32, end: good as u32 + 1 };
    let diagnostic = Diagnostic::new(Code::BadText, "the file is not UTF-8 text")
        .at(span, "this byte is not part of any UTF-8 character")
        .help("save the file as UTF-8");
    Rejection::one(Source::new(name, text), diagnostic)
}

/// The error without the operating system's number, which differs between systems.
fn plain_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => {
            let words = error.to_string();
            words.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}
