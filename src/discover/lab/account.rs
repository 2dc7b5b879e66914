//! What was found out beside what is configured.

use serde::Serialize;

use crate::discover::{Behaviors, Findings};
use crate::plan::behavior::words;
use crate::plan::{FilteringBehavior, Plan};

/// The version of the JSON format.
pub const VERSION: u32 = 1;

/// What was found out about a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Discoveries {
    /// The version of this format.
    pub version: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The seed it ran with.
    pub seed: u64,
    /// True if nothing was found that differs from what is configured without a known reason. Methods that are known to
    /// go wrong do not count.
    pub ok: bool,
    /// Each NAT, firewall and router, in the order of the file.
    pub boxes: Vec<BoxDiscovery>,
}

/// What was found out from behind one node.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoxDiscovery {
    /// The node.
    pub name: String,
    /// What it is.
    pub kind: BoxKind,
    /// The boxes between it and the internet, nearest first: the client looks through all of them.
    pub behind: Vec<String>,
    /// True if it or one of those translates.
    pub translated: bool,
    /// What they are configured to do together: of each axis the strictest.
    pub configured: Behaviors,
    /// What the client found out.
    pub found: Findings,
    /// What it found otherwise than it is, by which method, and why.
    pub disagreements: Vec<Disagreement>,
}

words! {
    /// Which kind of box it is.
    BoxKind {
        /// It translates.
        Nat = "nat",
        /// It filters.
        Firewall = "firewall",
        /// It does neither.
        Router = "router",
    }
}

words! {
    /// A way to find out about NATs.
    Method {
        /// RFC 5780, each test from a socket of its own.
        Fresh = "rfc5780",
        /// RFC 5780 from one socket.
        OneSocket = "rfc5780-one-socket",
        /// RFC 3489.
        Classic = "rfc3489",
        /// RFC 3489 once more from the same socket.
        ClassicAgain = "rfc3489-again",
    }
}

/// Something a method got wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Disagreement {
    /// The method.
    pub method: Method,
    /// What it says.
    pub says: String,
    /// Why that is wrong.
    pub why: String,
    /// False if no reason is known: then something is wrong with this program.
    pub known: bool,
}

impl Discoveries {
    /// The discoveries behind the boxes of `plan`.
    pub fn new(plan: &Plan, boxes: Vec<BoxDiscovery>) -> Self {
        let ok = boxes.iter().all(|one| one.disagreements.iter().all(|disagreement| disagreement.known));
        Self { version: VERSION, scenario: plan.name.clone(), seed: plan.seed, ok, boxes }
    }
}

impl BoxDiscovery {
    /// True if this method's result is wrong.
    pub fn is_wrong(&self, method: Method) -> bool {
        self.disagreements.iter().any(|disagreement| disagreement.method == method)
    }
}

/// `EIM-APDF`, or `no NAT, APDF` where nothing translates.
pub fn named(translated: bool, behaviors: Behaviors) -> String {
    if translated {
        behaviors.to_string()
    } else {
        let filtering = behaviors.filtering.map_or("?", FilteringBehavior::abbreviation);
        format!("no NAT, {filtering}")
    }
}
