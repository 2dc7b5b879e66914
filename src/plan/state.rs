//! What NATs and TURN servers remember, as tables and reports show it.

use std::net::{IpAddr, SocketAddr};

use super::behavior::words;
use super::drop::Accepts;
use crate::base::{PortRange, SimDuration, SimTime};

words! {
    /// The protocol of a packet or mapping.
    Protocol {
        /// UDP.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
        /// ICMP.
        Icmp = "icmp",
    }
}

words! {
    /// How far a TCP connection has come, as a box on its way can tell.
    TcpPhase {
        /// Not each side's SYN has been acknowledged; also a connection whose beginning was not seen.
        Opening = "opening",
        /// Each side's SYN has been acknowledged.
        Established = "established",
        /// Each side has sent its FIN.
        Closing = "closing",
        /// One side has sent a RST, and nothing else has followed.
        Reset = "reset",
    }
}

/// One live mapping of a NAT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingRow {
    /// The protocol it translates.
    pub protocol: Protocol,
    /// How far the connection through it has come that lives longest; `None` where it is not TCP's.
    pub phase: Option<TcpPhase>,
    /// The endpoint inside.
    pub internal: SocketAddr,
    /// The endpoint it has outside.
    pub external: SocketAddr,
    /// For which destinations it is used: `None` for all; a port of 0 means all ports of that address.
    pub for_remote: Option<SocketAddr>,
    /// Whose packets its filter admits; `None`: anybody's.
    pub accepts: Option<Accepts>,
    /// When it was made.
    pub created: SimTime,
    /// When it will go unless it is refreshed.
    pub expires: SimTime,
    /// True if its host asked for it (RFC 6887 §2 calls it explicit): no traffic prolongs it, and it is for all remotes.
    pub explicit: bool,
}

/// External ports that a NAT has given to one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortBlock {
    /// Whose they are.
    pub host: IpAddr,
    /// The outside address they are of.
    pub outside: IpAddr,
    /// The ports, for every protocol.
    pub ports: PortRange,
}

/// A change in what a device remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange {
    /// A NAT made a mapping.
    MappingCreated(Box<MappingRow>),
    /// A filter now admits one more sender (port 0: all of its ports).
    FilterOpened {
        /// The protocol of the mapping.
        protocol: Protocol,
        /// The external endpoint of the mapping; for a firewall the inside endpoint.
        external: SocketAddr,
        /// Who may send to it now.
        remote: SocketAddr,
    },
    /// A NAT promised a host the mapping that it had asked for, or promised it anew.
    MappingGranted {
        /// The protocol of the mapping.
        protocol: Protocol,
        /// The endpoint inside.
        internal: SocketAddr,
        /// The endpoint it has outside.
        external: SocketAddr,
        /// For how long from now.
        lifetime: SimDuration,
    },
    /// The connection that keeps a TCP mapping alive the longest came to another phase, or another connection does now.
    MappingPhase {
        /// The endpoint inside.
        internal: SocketAddr,
        /// The endpoint it has outside.
        external: SocketAddr,
        /// The phase.
        phase: TcpPhase,
    },
    /// A mapping's lifetime ran out, or its host gave it back.
    MappingExpired {
        /// The protocol of the mapping.
        protocol: Protocol,
        /// The endpoint inside.
        internal: SocketAddr,
        /// The endpoint it had outside.
        external: SocketAddr,
    },
    /// A NAT gave a host a block of ports: what a carrier logs instead of every mapping (RFC 6888 §4).
    PortBlockGiven(PortBlock),
    /// No port of a host's block is mapped or in quarantine any more, so the block is nobody's.
    PortBlockReturned(PortBlock),
    /// A NAT or server lost everything it remembered.
    Forgot,
    /// A TURN server made an allocation.
    AllocationCreated {
        /// The client, as the server sees it.
        client: SocketAddr,
        /// The relayed transport address.
        relayed: SocketAddr,
        /// Who it belongs to.
        username: String,
        /// For how long.
        lifetime: SimDuration,
    },
    /// An allocation was refreshed.
    AllocationRefreshed {
        /// The relayed transport address.
        relayed: SocketAddr,
        /// For how long from now.
        lifetime: SimDuration,
    },
    /// An allocation was deleted or expired.
    AllocationGone {
        /// The relayed transport address.
        relayed: SocketAddr,
    },
    /// A permission was installed or refreshed.
    PermissionInstalled {
        /// The allocation's relayed transport address.
        relayed: SocketAddr,
        /// Whose packets are relayed now.
        peer: IpAddr,
        /// For how long.
        lifetime: SimDuration,
    },
    /// A channel was bound or refreshed.
    ChannelBound {
        /// The allocation's relayed transport address.
        relayed: SocketAddr,
        /// 0x4000 to 0x4FFF.
        channel: u16,
        /// The peer it stands for.
        peer: SocketAddr,
        /// For how long.
        lifetime: SimDuration,
    },
}
