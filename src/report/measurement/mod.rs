//! What was found out about a real network: to read, and as a part of a scenario to paste.

mod profile;

pub use profile::profile;

use super::discovery::lifetime;
use super::human::Options;
use super::text::{Role, Text};
use crate::discover::lab::named;
use crate::discover::{Behaviors, Classic, Measurement};
use crate::plan::{FilteringBehavior, MappingBehavior};

/// How wide the column of names is.
const NAMES: usize = 24;

/// The whole text.
pub fn write(measurement: &Measurement, options: Options) -> String {
    let Measurement { server, address, found, .. } = measurement;
    let mut text = Text::new(options.style);
    text.paint(Role::Strong, server).paint(Role::Dim, &format!("  {address}"));
    text.end_line();
    let unknown = || "?".to_owned();
    let translated = found.translated.unwrap_or(true);
    let classic = |classic: Option<Classic>| classic.map_or_else(unknown, |classic| classic.to_string());
    let mut line = |name: &str, value: &str| {
        text.push(&format!("  {name:<NAMES$}{value}"));
        text.end_line();
    };
    line("its own address", &found.local.map_or_else(unknown, |local| local.to_string()));
    line("as the server sees it", &found.mapped.map_or_else(unknown, |mapped| mapped.to_string()));
    line("RFC 5780", &format!("{}{}", named(translated, found.fresh), in_words(translated, found.fresh)));
    line("  on one socket", &named(translated, found.one_socket));
    line("RFC 3489", &classic(found.classic));
    line("  once more", &classic(found.classic_again));
    if translated {
        line("ports", &found.port_assignment.map_or_else(unknown, |ports| ports.to_string()));
        line("hairpinning", &found.hairpinning.map_or_else(unknown, |hairpinning| hairpinning.to_string()));
    }
    if let Some(found) = found.lifetime {
        line("lifetime", &lifetime(found));
    }
    if !found.notes.is_empty() {
        text.heading("What could not be found out");
        for note in &found.notes {
            text.wrapped(Role::Normal, note, 2, options.width);
        }
    }
    text.finish()
}

/// The abbreviations spelled out, as far as they are known.
fn in_words(translated: bool, found: Behaviors) -> String {
    let mapping = found.mapping.filter(|_| translated).map(MappingBehavior::word);
    let filtering = found.filtering.map(FilteringBehavior::word);
    let words =
        [mapping.map(|word| format!("{word} mapping")), filtering.map(|word| format!("{word} filtering"))];
    let words: Vec<String> = words.into_iter().flatten().collect();
    if words.is_empty() { String::new() } else { format!("  {}", words.join(", ")) }
}
