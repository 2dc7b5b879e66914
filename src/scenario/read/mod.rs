//! From tree to typed values. Every mistake is noted and reading goes on, so that one look at a file finds all of them.

mod fields;
pub mod text;
pub mod units;
pub mod words;

pub use fields::Fields;

use super::diagnostic::{Code, Diagnostic};
use super::source::Span;
use super::tree::{Node, Value};
use crate::base::Limits;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> At<T> {
    /// `value`, which stands at `span`.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// Why a text is not a value of its kind. The sentence it ends begins with "`key: text`".
#[derive(Debug)]
pub struct Fault {
    code: Code,
    problem: &'static str,
    help: String,
    label: &'static str,
}

impl Fault {
    /// A fault of the given kind.
    pub const fn new(code: Code, problem: &'static str, help: String) -> Self {
        let label = match code {
            Code::MissingUnit => "a number without its unit",
            Code::OutOfRange => "out of range",
            Code::BadAddress => "not possible here",
            Code::NotBuiltYet => "not built yet",
            _ => "not understood",
        };
        Self { code, problem, help, label }
    }

    /// With other words beside the place.
    #[must_use]
    pub const fn label(mut self, label: &'static str) -> Self {
        self.label = label;
        self
    }
}

/// A value that is written as one word.
pub trait Leaf: Sized {
    /// What it is, with an example.
    const KIND: &'static str;

    /// Reads it.
    fn parse(text: &str) -> Result<Self, Fault>;
}

/// Reads a value that stands in no file; the error says what is wrong and what to write.
#[cfg(feature = "cli")]
pub fn parsed<T: Leaf>(text: &str) -> Result<T, String> {
    T::parse(text).map_err(|fault| format!("it {}; {}", fault.problem, fault.help))
}

/// Collects what is wrong while a tree is read.
pub struct Reader<'a> {
    /// The bounds of what is read.
    pub limits: &'a Limits,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// A reader that has found nothing wrong yet.
    pub const fn new(limits: &'a Limits) -> Self {
        Self { limits, diagnostics: Vec::new() }
    }

    /// Notes a mistake.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// How many mistakes were noted so far.
    pub fn mistakes(&self) -> usize {
        self.diagnostics.len()
    }

    /// Everything that was noted.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// One word. `kind` says what belongs here instead of a map or list.
    pub fn text<'n>(&mut self, key: &str, node: &'n Node, kind: &str) -> Option<At<&'n str>> {
        match &node.value {
            Value::Scalar(scalar) => Some(At::new(&scalar.text, node.span)),
            Value::Null => {
                self.report(
                    Diagnostic::new(Code::WrongKind, format!("`{key}` has no value"))
                        .at(node.span, format!("{kind} belongs here"))
                        .help(format!("write {kind}, or remove `{key}`")),
                );
                None
            }
            Value::List(_) | Value::Map(_) => {
                self.wrong_kind(key, node, kind);
                None
            }
        }
    }

    /// One value that is written as a word.
    pub fn leaf<T: Leaf>(&mut self, key: &str, node: &Node) -> Option<At<T>> {
        let text = self.text(key, node, T::KIND)?;
        match T::parse(text.value) {
            Ok(value) => Some(At::new(value, text.span)),
            Err(fault) => {
                self.fault(key, text.value, text.span, fault);
                None
            }
        }
    }

    /// Notes why `text` is not a value of its kind.
    pub fn fault(&mut self, key: &str, text: &str, span: Span, fault: Fault) {
        let Fault { code, problem, help, label } = fault;
        let message = format!("`{key}: {}` {problem}", shortened(text));
        self.report(Diagnostic::new(code, message).at(span, label).help(help));
    }

    /// `true` or `false`.
    pub fn truth(&mut self, key: &str, node: &Node) -> Option<At<bool>> {
        let text = self.text(key, node, "`true` or `false`")?;
        let quoted = matches!(&node.value, Value::Scalar(scalar) if scalar.quoted);
        match text.value {
            "true" if !quoted => Some(At::new(true, text.span)),
            "false" if !quoted => Some(At::new(false, text.span)),
            other => {
                let help = match other.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "y" | "true" | "1" => format!("write `{key}: true`"),
                    "no" | "off" | "n" | "false" | "0" => format!("write `{key}: false`"),
                    _ => "write `true` or `false`".into(),
                };
                let message = format!("`{key}: {}` is neither `true` nor `false`", shortened(other));
                self.report(
                    Diagnostic::new(Code::BadValue, message).at(text.span, "not understood").help(help),
                );
                None
            }
        }
    }

    /// A whole number from `least` to `most`.
    pub fn integer(&mut self, key: &str, node: &Node, least: u64, most: u64) -> Option<At<u64>> {
        let kind = format!("a whole number from {least} to {most}");
        let text = self.text(key, node, &kind)?;
        let digits = !text.value.is_empty() && text.value.bytes().all(|byte| byte.is_ascii_digit());
        let canonical = digits && (text.value == "0" || !text.value.starts_with('0'));
        if let Some(fault) = units::strange_number(text.value, &kind) {
            self.fault(key, text.value, text.span, fault);
            return None;
        }
        if !canonical {
            let fault = Fault::new(Code::BadValue, "is not a whole decimal number", format!("write {kind}"));
            self.fault(key, text.value, text.span, fault);
            return None;
        }
        let value = text.value.parse::<u64>().ok().filter(|value| (least..=most).contains(value));
        if value.is_none() {
            let fault = Fault::new(Code::OutOfRange, "is out of range", format!("write {kind}"));
            self.fault(key, text.value, text.span, fault);
        }
        value.map(|value| At::new(value, text.span))
    }

    /// The entries of a list; one value alone counts as a list of one.
    pub fn list<'n>(&mut self, key: &str, node: &'n Node, kind: &str) -> Option<&'n [Node]> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            Value::Scalar(_) => std::slice::from_ref(node),
            Value::Null | Value::Map(_) => {
                self.wrong_kind(key, node, &format!("a list: {kind}"));
                return None;
            }
        };
        let most = self.limits.list_entries;
        if let Some(extra) = items.get(most) {
            self.report(
                Diagnostic::new(
                    Code::Limit,
                    format!("`{key}` has {} entries; at most {most} are allowed", items.len()),
                )
                .at(extra.span, "the first one too many")
                .help("raise the limit with `--limit list-entries=N` if it is really needed"),
            );
            return None;
        }
        Some(items)
    }

    /// Notes that something other than `kind` stands here.
    pub fn wrong_kind(&mut self, key: &str, node: &Node, kind: &str) {
        let mut diagnostic = Diagnostic::new(
            Code::WrongKind,
            format!("{} is {}, but {kind} belongs here", quoted(key), node.kind()),
        )
        .at(node.span, node.kind());
        diagnostic = match &node.value {
            Value::List(items) if items.len() == 1 && kind.contains('`') => {
                diagnostic.help("remove the brackets or the dash")
            }
            Value::Map(entries) if entries.iter().all(|entry| matches!(entry.value.value, Value::Null)) => {
                diagnostic.help(
                    "in YAML `{ x }` is a map; write a list as `[x]` and a single value without brackets",
                )
            }
            _ => diagnostic.help(format!("write {kind}")),
        };
        self.report(diagnostic);
    }
}

/// A key in backticks; words for several of them as they are.
fn quoted(key: &str) -> String {
    if key.contains(' ') { key.into() } else { format!("`{key}`") }
}

/// `text`, cut if it is long, so that messages stay readable.
pub fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let line: String = text.chars().map(|c| if c == '\n' { ' ' } else { c }).take(MOST + 1).collect();
    if line.chars().count() <= MOST { line } else { line.chars().take(MOST).chain(['…']).collect() }
}

/// The nearest of `known` to a misspelled `word`, if any is near enough to be meant.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > 100 {
        return None;
    }
    let word = word.to_ascii_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(word.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` and `c`: a list of words for a sentence.
pub fn listed<'k>(words: impl IntoIterator<Item = &'k str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "none".into(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
