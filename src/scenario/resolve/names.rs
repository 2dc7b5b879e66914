//! Who is called what.

use rustc_hash::FxHashMap;

use crate::plan::Topology;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::File;
use crate::scenario::read::{At, Reader, nearest, shortened};
use crate::scenario::source::Span;

/// The section a node stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `nats`
    Nat,
    /// `firewalls`
    Firewall,
    /// `servers`
    Server,
    /// `peers`
    Peer,
    /// `interfaces` of a peer
    Interface,
}

impl Section {
    /// What a node of the section is called in a sentence.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Nat => "a NAT",
            Self::Firewall => "a firewall",
            Self::Server => "a server",
            Self::Peer => "a peer",
            Self::Interface => "an interface",
        }
    }
}

/// A node's place in the file.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its section.
    pub section: Section,
    /// Where its name stands.
    pub span: Span,
}

/// All names of a file.
#[derive(Debug)]
pub struct Names<'f> {
    places: FxHashMap<&'f str, Place>,
    /// In the order of the file, so that suggestions do not depend on hashing.
    order: Vec<&'f str>,
    /// Names given to two nodes: whichever is meant, one mistake is enough.
    ambiguous: Vec<&'f str>,
    incomplete: bool,
}

impl<'f> Names<'f> {
    /// Collects the names and reports those that stand in two sections.
    pub fn collect(reader: &mut Reader<'_>, file: &'f File) -> Self {
        let interfaces = file.peers.iter().flat_map(|peer| &peer.body.interfaces).map(|each| &each.name);
        let sections = [
            (Section::Nat, file.nats.iter().map(|node| &node.name).collect::<Vec<_>>()),
            (Section::Firewall, file.firewalls.iter().map(|node| &node.name).collect()),
            (Section::Server, file.servers.iter().map(|node| &node.name).collect()),
            (Section::Peer, file.peers.iter().map(|node| &node.name).collect()),
            (Section::Interface, interfaces.collect()),
        ];
        let mut names = Self {
            places: FxHashMap::default(),
            order: Vec::new(),
            ambiguous: Vec::new(),
            incomplete: file.lost_nodes,
        };
        for (section, nodes) in sections {
            for name in nodes {
                let place = Place { section, span: name.span };
                match names.places.get(name.value.as_str()) {
                    Some(first) => {
                        reader.report(taken(name, section, first));
                        names.ambiguous.push(&name.value);
                    }
                    None => {
                        names.places.insert(&name.value, place);
                        names.order.push(&name.value);
                    }
                }
            }
        }
        names
    }

    /// The node of this name.
    pub fn find(&self, name: &str) -> Option<Place> {
        self.places.get(name).copied()
    }

    /// True if a name that is not found may stand in a section that could not be read.
    pub const fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// The node of this name if its section is one of `allowed`; says what is wrong otherwise. `what` begins the
    /// message: "peer `alice` is behind".
    pub fn expect(
        &self,
        reader: &mut Reader<'_>,
        name: &At<String>,
        allowed: &[Section],
        what: &str,
        help: &str,
    ) -> Option<Place> {
        if let Some(place) = self.find(&name.value) {
            if allowed.contains(&place.section) {
                return Some(place);
            }
            if self.ambiguous.contains(&name.value.as_str()) {
                return None;
            }
            reader.report(
                Diagnostic::new(
                    Code::WrongNode,
                    format!("{what} `{}`, which is {}", name.value, place.section.noun()),
                )
                .at(name.span, format!("{} cannot stand here", place.section.noun()))
                .see(place.span, "defined here")
                .help(help),
            );
            return None;
        }
        if !self.incomplete {
            reader.report(self.unknown(name, allowed, what, help));
        }
        None
    }

    /// What is wrong with a name that is nobody's.
    pub fn unknown(&self, name: &At<String>, allowed: &[Section], what: &str, help: &str) -> Diagnostic {
        let candidates = || {
            self.order
                .iter()
                .copied()
                .filter(|name| self.find(name).is_some_and(|place| allowed.contains(&place.section)))
        };
        let wanted = match allowed {
            [Section::Interface, ..] => "no interface has this name",
            [Section::Peer] => "no peer has this name",
            [Section::Nat, Section::Firewall] => "no NAT or firewall has this name",
            [Section::Server] => "no server has this name",
            _ => "no node has this name",
        };
        let diagnostic = Diagnostic::new(
            Code::UnknownNode,
            format!("{what} `{}`, which is not a node", shortened(&name.value)),
        )
        .at(name.span, wanted);
        match nearest(&name.value, candidates()) {
            Some(near) => {
                let span = self.find(near).map_or(name.span, |place| place.span);
                diagnostic.see(span, "a similar name is defined here").help(format!("did you mean `{near}`?"))
            }
            None if name.value == Topology::INTERNET => diagnostic.help(help),
            None => diagnostic.help(
                match candidates().take(8).map(|name| format!("`{name}`")).collect::<Vec<_>>() {
                    some if !some.is_empty() => format!("{help}; there is {}", some.join(", ")),
                    _ => help.to_owned(),
                },
            ),
        }
    }
}

fn taken(name: &At<String>, section: Section, first: &Place) -> Diagnostic {
    let (here, there) = (section.noun(), first.section.noun());
    Diagnostic::new(
        Code::DuplicateKey,
        format!("the name `{}` is given to {there} and to {here}", shortened(&name.value)),
    )
    .at(name.span, format!("{here} here"))
    .see(first.span, format!("{there} here"))
    .help("give one of them another name: reports, calls and `behind` know nodes by their names alone")
}
