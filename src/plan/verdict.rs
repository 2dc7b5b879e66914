//! The words an outcome is told in: the contract's vocabulary, shared by expectations and reports.

use super::behavior::words;

words! {
    /// How the settled pair's packets travelled.
    Path {
        /// No NAT rewrote them and no relay carried them.
        Direct = "direct",
        /// A NAT rewrote them; no relay carried them.
        Stun = "stun",
        /// A TURN server relayed them.
        Relay = "relay",
        /// There is no settled pair.
        Failed = "failed",
    }
}

words! {
    /// The least that still connects, found by running again without TURN and then without STUN.
    Needs {
        /// Neither STUN nor TURN.
        None = "none",
        /// STUN.
        Stun = "stun",
        /// TURN.
        Turn = "turn",
    }
}

words! {
    /// An ICE candidate's type (RFC 8445 §4).
    CandidateType {
        /// An address of one of the host's own interfaces.
        Host = "host",
        /// An address a NAT gave it, learned from a server.
        ServerReflexive = "srflx",
        /// An address a NAT gave it, learned from the peer.
        PeerReflexive = "prflx",
        /// An address of a TURN server.
        Relayed = "relay",
    }
}

words! {
    /// The state of an ICE agent, in WebRTC's words.
    IceState {
        /// Nothing has happened yet.
        New = "new",
        /// Candidates are being paired and checked.
        Checking = "checking",
        /// A pair is selected; others are still being checked.
        Connected = "connected",
        /// A pair is selected and all checks are done.
        Completed = "completed",
        /// The selected pair went silent.
        Disconnected = "disconnected",
        /// No pair works.
        Failed = "failed",
        /// The agent was shut down.
        Closed = "closed",
    }
}

words! {
    /// The state of a candidate pair (RFC 8445 §6.1.2.6).
    PairState {
        /// It may not be checked yet.
        Frozen = "frozen",
        /// It is to be checked.
        Waiting = "waiting",
        /// A check is under way.
        InProgress = "in-progress",
        /// Its checks got no answer, and there will be no more.
        Failed = "failed",
        /// A check was answered.
        Succeeded = "succeeded",
    }
}

words! {
    /// An address family.
    Family {
        /// IPv4.
        Ipv4 = "ipv4",
        /// IPv6.
        Ipv6 = "ipv6",
    }
}

impl IceState {
    /// True once a pair is selected and alive.
    pub const fn is_connected(self) -> bool {
        matches!(self, Self::Connected | Self::Completed)
    }
}

impl From<std::net::IpAddr> for Family {
    fn from(address: std::net::IpAddr) -> Self {
        if address.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }
}
