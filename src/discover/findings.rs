//! What discovery finds out.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use crate::plan::behavior::words;
use crate::plan::{FilteringBehavior, Hairpinning, MappingBehavior, PortAssignment};

words! {
    /// What RFC 3489 §10.1 calls the network a client is in.
    Classic {
        /// Nothing comes back.
        Blocked = "udp-blocked",
        /// No NAT and no firewall.
        Open = "open-internet",
        /// No NAT, and a firewall that lets in only what was asked for.
        SymmetricFirewall = "symmetric-udp-firewall",
        /// EIM + EIF.
        FullCone = "full-cone",
        /// EIM + ADF.
        Restricted = "restricted-cone",
        /// EIM + APDF.
        PortRestricted = "port-restricted-cone",
        /// Another external endpoint for another destination.
        Symmetric = "symmetric",
    }
}

/// Everything that was found out. What could not be told is `None`, and a note says why.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Findings {
    /// The client's first socket.
    pub local: Option<SocketAddr>,
    /// That socket as the server saw it.
    pub mapped: Option<SocketAddr>,
    /// True if the two differ: there is a NAT.
    pub translated: Option<bool>,
    /// RFC 5780 §4.3 and §4.4, each test from a socket of its own.
    pub fresh: Behaviors,
    /// The same tests one after the other from one socket, which RFC 5780 §4.1 warns of.
    pub one_socket: Behaviors,
    /// RFC 3489 §10.1.
    pub classic: Option<Classic>,
    /// RFC 3489 §10.1 once more, from the same socket.
    pub classic_again: Option<Classic>,
    /// RFC 5780 §4.5: what becomes of packets to the client's own external endpoint.
    pub hairpinning: Option<Hairpinning>,
    /// How the external ports of a few sockets in a row relate to each other and to the inside. Ports that are kept may
    /// also be `overloading`: one host alone cannot tell.
    pub port_assignment: Option<PortAssignment>,
    /// RFC 5780 §4.6: how long a mapping lives after its last packet out; `None` also if that was not asked for.
    pub lifetime: Option<Lifetime>,
    /// What could not be told, and why.
    pub notes: Vec<String>,
}

/// The two axes of RFC 4787 that discovery is about. `None`: could not be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Behaviors {
    /// When destinations share an external endpoint. Where there is no NAT they all do.
    pub mapping: Option<MappingBehavior>,
    /// Whose packets are let in.
    pub filtering: Option<FilteringBehavior>,
}

/// The bounds between which a lifetime lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lifetime {
    /// The longest silence in milliseconds after which a mapping was still there; 0 if it was never found so.
    pub at_least_ms: f64,
    /// The shortest after which it was gone; `null` if it outlived the longest that was tried.
    pub below_ms: Option<f64>,
}

impl Findings {
    /// Nothing, for this reason.
    pub(super) fn nothing(note: &str) -> Self {
        Self {
            local: None,
            mapped: None,
            translated: None,
            fresh: Behaviors::default(),
            one_socket: Behaviors::default(),
            classic: None,
            classic_again: None,
            hairpinning: None,
            port_assignment: None,
            lifetime: None,
            notes: vec![note.into()],
        }
    }
}

impl fmt::Display for Behaviors {
    /// `EIM-APDF`; a question mark stands for what could not be told.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mapping = self.mapping.map_or("?", MappingBehavior::abbreviation);
        let filtering = self.filtering.map_or("?", FilteringBehavior::abbreviation);
        formatter.pad(&format!("{mapping}-{filtering}"))
    }
}
