//! Small numbers that name things of one run. They index vectors and never leave the program: reports use names.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name($inner);

        impl $name {
            /// The id with this number.
            pub const fn new(number: $inner) -> Self {
                Self(number)
            }

            /// The number, as an index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id! {
    /// A node of the topology, numbered in the order of the plan.
    NodeId(u32)
}
id! {
    /// A link of the topology.
    LinkId(u32)
}
id! {
    /// A port of a node, where a link is plugged in. Port 0 of a NAT, firewall or host is its uplink.
    PortId(u16)
}
id! {
    /// A packet, numbered in the order in which packets came to be.
    PacketId(u64)
}
id! {
    /// One end of a call: an ICE agent on a host. The caller's of call `n` is `2n`, the callee's `2n + 1`.
    SessionId(u32)
}

impl PortId {
    /// The port towards the outside of a NAT or firewall, and the only port of a host.
    pub const UPLINK: Self = Self(0);
}
