//! Why a scenario was rejected: what is wrong, where, and what to write instead.

use std::fmt;

use super::source::Span;

/// Gives every code its stable name and its line in the reference.
macro_rules! codes {
    ($($variant:ident = $word:literal: $meaning:literal),+ $(,)?) => {
        /// What kind of mistake a [`Diagnostic`] reports. The names are stable: added to, never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $meaning] $variant),+ }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name between the brackets of `error[…]`.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),+ }
            }
        }
    };
}

codes! {
    Unreadable = "unreadable": "The file cannot be read, or is not a regular file.",
    BadText = "bad-text": "The file is not plain UTF-8 text, or holds control characters.",
    BadYaml = "bad-yaml": "The text is not YAML.",
    YamlFeature = "yaml-feature": "It uses a part of YAML that scenarios do without: anchors, aliases, merge keys, tags, several documents.",
    Limit = "limit": "Something is larger or more than the limits allow.",
    NothingToSimulate = "nothing-to-simulate": "There are no peers or no calls.",
    UnknownKey = "unknown-key": "This section has no such key.",
    DuplicateKey = "duplicate-key": "A key or name stands twice.",
    MissingKey = "missing-key": "A key that has no default is missing.",
    WrongKind = "wrong-kind": "A map stands where a word belongs, a list where a map belongs, and so on.",
    MissingUnit = "missing-unit": "A bare number where a value carries its unit.",
    BadValue = "bad-value": "The value is not written as its kind is.",
    OutOfRange = "out-of-range": "The value is well written, but too small or too large.",
    UnknownWord = "unknown-word": "The value is not one of the words this key takes.",
    BadName = "bad-name": "A name that is not made of `a-z`, `0-9` and `-`, or that is reserved.",
    NotBuiltYet = "not-built-yet": "It belongs to the format, but this version does not have it.",
    UnknownNode = "unknown-node": "No node has this name.",
    WrongNode = "wrong-node": "The node is of a kind that cannot stand here.",
    BehindCycle = "behind-cycle": "Nodes are behind each other in a circle, so none leads to the internet.",
    BadAddress = "bad-address": "An address that no host can have there.",
    DuplicateAddress = "duplicate-address": "Two nodes of one network have the same address.",
    OverlappingNetworks = "overlapping-networks": "The inside of a NAT overlaps what lies outside of it.",
    NetworkFull = "network-full": "A network has fewer addresses than nodes.",
    MeaninglessKey = "meaningless-key": "The key would have no effect beside the others.",
    BadUri = "bad-uri": "Not a `stun:` or `turn:` URI (RFC 7064, RFC 7065).",
    NoSuchService = "no-such-service": "The server does not offer that on this port.",
    BadCredentials = "bad-credentials": "A user name or password that could not be used.",
    SelfCall = "self-call": "A peer calls itself.",
    DuplicateCall = "duplicate-call": "Two calls are the same.",
    Contradiction = "contradiction": "Two values cannot both hold, so the scenario could never pass.",
    ManyCases = "many-cases": "The file has a matrix, and it was not said which of its cases is meant.",
    BadOverride = "bad-override": "A `--set` that does not name a value of the file.",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A stretch of text with a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The text meant.
    pub span: Span,
    /// The remark.
    pub text: String,
    /// True for the place where the mistake is, false for places that help to understand it.
    pub primary: bool,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
    /// Where.
    pub labels: Vec<Label>,
    /// What to write instead.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A mistake that is nowhere yet.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: Vec::new(), help: Vec::new() }
    }

    /// Adds the place of the mistake.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), primary: true });
        self
    }

    /// Adds a place that helps to understand.
    #[must_use]
    pub fn see(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), primary: false });
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Where the mistake is; `None` if it has no place in a text.
    pub fn span(&self) -> Option<Span> {
        self.labels.iter().find(|label| label.primary).map(|label| label.span)
    }
}
