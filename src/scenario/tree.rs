//! YAML as a tree in which every value and key knows where it stands.
//!
//! `serde_yaml` is known to this file, `yaml` and `syntax` alone. It does the parsing; the tree keeps what it would
//! lose on the way to a typed value: positions, the original spelling of numbers (`0x10`, `010`), both places of a duplicate key.
//! What a scenario does without (anchors, aliases, merge keys, tags) is refused here, so a tree is never larger
//! than its text.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

use super::diagnostic::{Code, Diagnostic};
use super::source::{Source, Span, is_harmful};
use super::syntax;
use super::yaml::{byte_range, options};
use crate::base::Limits;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it stands; of maps and lists, where they begin.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A word, number or text: not interpreted any further.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map. Keys may stand twice; readers report it.
    Map(Vec<Entry>),
}

/// A word, number or text.
#[derive(Debug, Clone)]
pub struct Scalar {
    /// As it is spelled, without quotes.
    pub text: String,
    /// True if it stands in quotes.
    pub quoted: bool,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// What it is, for messages: `a map`.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar(scalar) if scalar.quoted => "a text",
            Value::Scalar(scalar) if scalar.text.parse::<f64>().is_ok() => "a number",
            Value::Scalar(scalar) if scalar.text.contains(' ') => "a text",
            Value::Scalar(_) => "a word",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// The tree of `source`, from byte `from` on. `number` is what spans call the source.
///
/// # Errors
/// The one mistake that keeps the text from being a tree.
pub fn parse(source: &Source, number: u16, from: usize, limits: &Limits) -> Result<Node, Diagnostic> {
    let text = source.text.get(from..).unwrap_or_default();
    let origin = Origin { text, number, from };
    let raw: Spanned<Raw> = serde_yaml::from_str_with_options(text, options(limits))
        .map_err(|error| syntax::explain(&error, source, number, from, limits))?;
    origin.node(raw)
}

/// What the parser hands over. `Unread` is a number or truth value whose spelling is taken from the text.
enum Raw {
    Null,
    Unread,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Unread)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Unread)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Unread)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Unread)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

/// The text a tree is made from.
struct Origin<'a> {
    text: &'a str,
    number: u16,
    from: usize,
}

impl Origin<'_> {
    fn node(&self, raw: Spanned<Raw>) -> Result<Node, Diagnostic> {
        let range = byte_range(raw.defined, self.text);
        let mut span = self.span(&range);
        self.refuse_tag(&range)?;
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Unread => self.scalar(String::new(), span)?,
            Raw::Text(text) => self.scalar(text, span)?,
            Raw::List(items) => {
                Value::List(items.into_iter().map(|item| self.node(item)).collect::<Result<_, _>>()?)
            }
            Raw::Map(entries) => {
                let entries: Vec<Entry> = entries
                    .into_iter()
                    .map(|(key, value)| self.entry(key, value))
                    .collect::<Result<_, _>>()?;
                Value::Map(entries)
            }
        };
        if let Value::List(_) | Value::Map(_) = value {
            span.end = span.start + 1;
        }
        Ok(Node { span, value })
    }

    fn entry(&self, key: Spanned<Raw>, value: Spanned<Raw>) -> Result<Entry, Diagnostic> {
        let key = self.node(key)?;
        let Value::Scalar(Scalar { text, .. }) = key.value else {
            return Err(Diagnostic::new(Code::BadYaml, format!("{} cannot be a key", key.kind()))
                .at(key.span, "not a word")
                .help("a key is a word followed by a colon; put quotes around a text that begins with `[`, `{` or `~`"));
        };
        Ok(Entry { key: text, key_span: key.span, value: self.node(value)? })
    }

    /// The parser reports tags of an application; those of YAML itself (`!!int`) it would silently honour.
    fn refuse_tag(&self, range: &std::ops::Range<usize>) -> Result<(), Diagnostic> {
        let before = &self.text[..range.start];
        let word_end = before.trim_end_matches(' ').len();
        let word = before[..word_end].rsplit(char::is_whitespace).next().unwrap_or_default();
        if word_end == range.start || word.is_empty() {
            return Ok(());
        }
        let span = self.span(&(word_end - word.len()..word_end));
        let is_tag = word == "!" || word.starts_with("!!") || word.starts_with("!<");
        if is_tag && !word.ends_with([',', ':', '[', '{']) { Err(syntax::tag(span)) } else { Ok(()) }
    }

    /// Escapes in a quoted text can say what the file itself must not hold.
    fn scalar(&self, text: String, span: Span) -> Result<Value, Diagnostic> {
        if let Some(found) = text.chars().find(|c| is_harmful(*c) && !matches!(c, '\n' | '\t')) {
            let message =
                format!("the text holds the character U+{:04X}, which no value may have", found as u32);
            return Err(Diagnostic::new(Code::BadText, message).at(span, "written here").help("remove it"));
        }
        let spelled = &self.text[span.start as usize - self.from..span.end as usize - self.from];
        let before = self.text[..span.start as usize - self.from].trim_end().chars().next_back();
        let quoted = spelled.starts_with(['"', '\'']) || matches!(before, Some('|' | '>'));
        // The parser hands `1e999` over as `.inf`; what was written explains itself better.
        let text =
            if quoted || spelled.contains('\n') || spelled.is_empty() { text } else { spelled.trim().into() };
        Ok(Value::Scalar(Scalar { text, quoted }))
    }

    fn span(&self, range: &std::ops::Range<usize>) -> Span {
        Span {
            source: self.number,
            start: (self.from + range.start) as u32,
            end: (self.from + range.end) as u32,
        }
    }
}
