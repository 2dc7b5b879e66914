//! A map whose keys are those of a [`Section`].

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use super::{At, Reader, listed, nearest, shortened};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::{Kind, Section};
use crate::scenario::source::Span;
use crate::scenario::tree::{Entry, Node, Value};

/// A map's entries, looked up by the section's own names for its keys.
pub struct Fields<'n> {
    section: &'static Section,
    entries: FxHashMap<&'static str, &'n Entry>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'n> Fields<'n> {
    /// The value of a key, if the map has it.
    pub fn get(&self, name: &'static str) -> Option<&'n Node> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// A key with its value, if the map has it.
    pub fn entry(&self, name: &'static str) -> Option<&'n Entry> {
        debug_assert!(self.section.key(name).is_some(), "`{name}` is not a key of {}", self.section.name);
        if cfg!(debug_assertions) {
            self.asked.borrow_mut().push(name);
        }
        self.entries.get(name).copied()
    }

    /// The value of a key that is a whole number, within the bounds of the table of keys.
    pub fn integer(&self, reader: &mut Reader<'_>, name: &'static str) -> Option<At<u64>> {
        let node = self.get(name)?;
        let Some(Kind::Integer(least, most)) = self.section.key(name).map(|key| key.kind) else {
            return None;
        };
        reader.integer(name, node, least, most)
    }

    /// Which of these keys the map has.
    pub fn first_of(&self, names: impl IntoIterator<Item = &'static str>) -> Option<&'n Entry> {
        names.into_iter().find_map(|name| self.entry(name))
    }
}

impl Drop for Fields<'_> {
    /// A key that is allowed but never read would be accepted and ignored.
    fn drop(&mut self) {
        if cfg!(debug_assertions) && !std::thread::panicking() {
            let asked = self.asked.borrow();
            for key in self.section.keys.iter() {
                debug_assert!(
                    asked.contains(&key.name),
                    "nobody reads `{}` of {}",
                    key.name,
                    self.section.name
                );
            }
        }
    }
}

impl Reader<'_> {
    /// The entries of a map of this section. Keys that are unknown, stand twice or are not built yet are
    /// reported and left out. Nothing at all is an empty map.
    pub fn fields<'n>(&mut self, node: &'n Node, section: &'static Section) -> Option<Fields<'n>> {
        let found = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null => &[],
            Value::Scalar(_) | Value::List(_) => {
                let keys = listed(section.keys.iter().take(4).map(|key| key.name));
                self.wrong_kind(section.name, node, &format!("a map with keys such as {keys}"));
                return None;
            }
        };
        let mut entries: FxHashMap<&'static str, &'n Entry> = FxHashMap::default();
        for entry in found {
            let Some(key) = section.key(&entry.key) else {
                self.report(unknown_key(entry, section));
                continue;
            };
            if let Some(first) = entries.get(key.name) {
                self.report(duplicate(&entry.key, "key", first.key_span, entry.key_span));
                continue;
            }
            entries.insert(key.name, entry);
        }
        Some(Fields { section, entries, asked: RefCell::default() })
    }

    /// The entries of a map whose keys are names the author chose.
    pub fn named<'n>(&mut self, key: &str, node: &'n Node) -> Vec<(At<String>, &'n Node)> {
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null => &[],
            Value::Scalar(_) => {
                self.wrong_kind(key, node, &format!("a map from names to {key}"));
                return Vec::new();
            }
            Value::List(items) => {
                self.report(list_of_names(key, node, items));
                return Vec::new();
            }
        };
        let most = self.limits.nodes;
        if let Some(extra) = entries.get(most) {
            self.report(
                Diagnostic::new(
                    Code::Limit,
                    format!("`{key}` has {} entries; at most {most} are allowed", entries.len()),
                )
                .at(extra.key_span, "the first one too many")
                .help("raise the limit with `--limit nodes=N` if it is really needed"),
            );
            return Vec::new();
        }
        let mut first: FxHashMap<&str, Span> = FxHashMap::default();
        let mut named = Vec::new();
        for entry in entries {
            if let Some(first) = first.get(entry.key.as_str()) {
                self.report(duplicate(&entry.key, "name", *first, entry.key_span));
                continue;
            }
            first.insert(&entry.key, entry.key_span);
            named.push((At::new(entry.key.clone(), entry.key_span), &entry.value));
        }
        named
    }
}

/// `peers: [alice, bob]`: the names are there, only the form is not.
fn list_of_names(key: &str, node: &Node, items: &[Node]) -> Diagnostic {
    let names: Vec<String> = items
        .iter()
        .take(2)
        .filter_map(|item| match &item.value {
            Value::Scalar(scalar) => Some(format!("{}: {{}}", shortened(&scalar.text))),
            _ => None,
        })
        .collect();
    let example = if names.is_empty() { "NAME: {}".to_owned() } else { names.join(", ") };
    Diagnostic::new(Code::WrongKind, format!("`{key}` is a list, but a map from names to {key} belongs here"))
        .at(node.span, "a list")
        .help(format!("write `{key}: {{ {example} }}`, or one name a line with a colon after it"))
}

fn duplicate(text: &str, what: &str, first: Span, second: Span) -> Diagnostic {
    Diagnostic::new(Code::DuplicateKey, format!("the {what} `{}` stands twice", shortened(text)))
        .at(second, "again here")
        .see(first, "first here")
        .help(match what {
            "key" => "remove one of them",
            _ => "give one of them another name",
        })
}

fn unknown_key(entry: &Entry, section: &Section) -> Diagnostic {
    let message = format!("`{}` is not a key of {}", shortened(&entry.key), section.called());
    let diagnostic = Diagnostic::new(Code::UnknownKey, message).at(entry.key_span, "unknown key");
    let names = || section.keys.iter().map(|key| key.name);
    let spellings =
        section.keys.iter().flat_map(|key| [key.name].into_iter().chain(key.aliases.iter().copied()));
    let diagnostic = match nearest(&entry.key, spellings) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    };
    diagnostic.help(format!("the keys of {} are {}", section.called(), listed(names())))
}
