//! What was found out about NATs, as a table; then why what is wrong in it is wrong.

use super::human::{Options, table};
use super::text::{Role, Text, milliseconds};
use crate::discover::lab::{BoxDiscovery, Discoveries, Method, named};
use crate::discover::{Classic, Lifetime};

/// The methods, the heads of their columns, and how a sentence calls them.
const METHODS: [(Method, &str, &str); 4] = [
    (Method::Fresh, "RFC 5780", "RFC 5780"),
    (Method::OneSocket, "on one socket", "RFC 5780 on one socket"),
    (Method::Classic, "RFC 3489", "RFC 3489"),
    (Method::ClassicAgain, "once more", "RFC 3489 once more"),
];

/// The whole text.
pub fn write(discoveries: &Discoveries, options: Options) -> String {
    let mut text = Text::new(options.style);
    text.paint(Role::Strong, &discoveries.scenario);
    text.paint(Role::Dim, &format!("  seed {}", discoveries.seed));
    text.end_line();
    if discoveries.boxes.is_empty() {
        text.push("There is no NAT and no firewall, so there is nothing to find out.");
        text.end_line();
        return text.finish();
    }
    text.heading("What a client behind it finds out");
    let header = ["box", "configured"].into_iter().chain(METHODS.map(|(_, head, _)| head));
    table::write(&mut text, &header.collect::<Vec<_>>(), discoveries.boxes.iter().map(row).collect(), true);
    if discoveries.boxes.iter().any(|one| !one.disagreements.is_empty()) {
        text.heading("! What is wrong, and why");
        wrong(&mut text, discoveries, options);
    }
    text.heading("What else it finds out");
    let header = ["box", "its own address", "as the server sees it", "ports", "hairpinning", "lifetime"];
    table::write(&mut text, &header, discoveries.boxes.iter().map(more).collect(), true);
    notes(&mut text, discoveries, options);
    text.finish()
}

fn row(one: &BoxDiscovery) -> Vec<String> {
    let through: String = one.behind.iter().map(|outer| format!(" < {outer}")).collect();
    let found = METHODS.map(|(method, ..)| {
        let mark = if one.is_wrong(method) { " !" } else { "" };
        format!("{}{mark}", says(one, method))
    });
    let mut row = vec![format!("{}{through}", one.name), named(one.translated, one.configured)];
    row.extend(found);
    row
}

fn says(one: &BoxDiscovery, method: Method) -> String {
    let found = &one.found;
    let unknown = || "?".to_owned();
    let behaviors = |behaviors| match found.translated {
        Some(translated) => named(translated, behaviors),
        None => unknown(),
    };
    let classic = |classic: Option<Classic>| classic.map_or_else(unknown, |classic| classic.to_string());
    match method {
        Method::Fresh => behaviors(found.fresh),
        Method::OneSocket => behaviors(found.one_socket),
        Method::Classic => classic(found.classic),
        Method::ClassicAgain => classic(found.classic_again),
    }
}

/// Each reason once, with all it is the reason for.
fn wrong(text: &mut Text, discoveries: &Discoveries, options: Options) {
    for (method, _, name) in METHODS {
        let of_method = discoveries.boxes.iter().flat_map(|one| {
            let mine = one.disagreements.iter().filter(|disagreement| disagreement.method == method);
            mine.map(|wrong| (wrong.why.as_str(), format!("{} as {}", one.name, wrong.says)))
        });
        for (why, whom) in grouped(of_method) {
            text.push("  ").paint(Role::Strong, name).push(&format!(" sees {}", whom.join(", ")));
            text.end_line();
            text.wrapped(Role::Dim, why, 6, options.width);
        }
    }
}

fn more(one: &BoxDiscovery) -> Vec<String> {
    let found = &one.found;
    let address =
        |address: Option<std::net::SocketAddr>| address.map_or_else(|| "?".into(), |a| a.to_string());
    let translated = found.translated == Some(true);
    // What only a NAT has is not asked where there is none.
    let none = || if translated { "?" } else { "-" }.to_owned();
    vec![
        one.name.clone(),
        address(found.local),
        address(found.mapped),
        found.port_assignment.map_or_else(none, |ports| ports.to_string()),
        found.hairpinning.map_or_else(none, |hairpinning| hairpinning.to_string()),
        found.lifetime.map_or_else(|| "-".into(), lifetime),
    ]
}

/// `115 s to 121 s`.
pub(super) fn lifetime(lifetime: Lifetime) -> String {
    match lifetime.below_ms {
        None => format!("{} or more", milliseconds(lifetime.at_least_ms)),
        Some(below) if lifetime.at_least_ms == 0.0 => format!("less than {}", milliseconds(below)),
        Some(below) => format!("{} to {}", milliseconds(lifetime.at_least_ms), milliseconds(below)),
    }
}

fn notes(text: &mut Text, discoveries: &Discoveries, options: Options) {
    let boxes = discoveries.boxes.iter();
    let all = boxes.flat_map(|one| one.found.notes.iter().map(|note| (note.as_str(), one.name.clone())));
    let notes = grouped(all);
    if notes.is_empty() {
        return;
    }
    text.heading("What could not be found out");
    for (note, names) in notes {
        text.wrapped(Role::Normal, &format!("{}: {note}", names.join(", ")), 2, options.width);
    }
}

/// Each sentence once, with all it is said of.
fn grouped<'a>(said: impl Iterator<Item = (&'a str, String)>) -> Vec<(&'a str, Vec<String>)> {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for (sentence, of) in said {
        match groups.iter_mut().find(|(known, _)| *known == sentence) {
            Some((_, all)) => all.push(of),
            None => groups.push((sentence, vec![of])),
        }
    }
    groups
}
