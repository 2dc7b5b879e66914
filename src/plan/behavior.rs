//! How a NAT behaves: the axes of RFC 4787, and the choices that RFC leaves open.
//!
//! "Cone" and "symmetric" are nicknames for points in this space; only [`Nickname`] knows them.

use std::fmt;

use crate::base::{PortRange, SimDuration};

/// Gives a plain enum its word in scenarios, JSON and reports, and the list of all its values.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in scenarios, JSON and reports.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value with this word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.word())
            }
        }

        #[cfg(feature = "schema")]
        impl ::schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// When two packets from one internal endpoint share an external endpoint (RFC 4787 §4.1).
    MappingBehavior {
        /// Always, whatever the destination.
        EndpointIndependent = "endpoint-independent",
        /// When they go to the same address, on any port.
        AddressDependent = "address-dependent",
        /// When they go to the same address and port.
        AddressAndPortDependent = "address-and-port-dependent",
    }
}

words! {
    /// Which inbound packets a mapping lets in (RFC 4787 §5).
    FilteringBehavior {
        /// Those from anywhere.
        EndpointIndependent = "endpoint-independent",
        /// Those from an address the inside has sent to.
        AddressDependent = "address-dependent",
        /// Those from an address and port the inside has sent to.
        AddressAndPortDependent = "address-and-port-dependent",
    }
}

words! {
    /// Whose destinations open a filter. RFC 4787 §5 speaks of the internal endpoint; common NATs keep it per mapping.
    FilterScope {
        /// Those the packets of this mapping went to.
        Mapping = "mapping",
        /// Those any packet of the internal endpoint went to.
        Endpoint = "endpoint",
    }
}

words! {
    /// Which mapping an outbound packet uses when its destination was let in through another one.
    /// RFC 4787 leaves it open; it decides calls that involve a NAT with dependent mapping and open filtering.
    ReplyMapping {
        /// The mapping through which the remote's latest packet was admitted, as connection trackers do.
        Admitting = "admitting",
        /// Always the one the mapping rule gives for the destination.
        ByDestination = "by-destination",
    }
}

words! {
    /// How a NAT chooses the external port of a new mapping (RFC 4787 §4.2.1).
    PortAssignment {
        /// The internal port, if it is free.
        Preservation = "preservation",
        /// The next free port after the last one given.
        Sequential = "sequential",
        /// A random free port.
        Random = "random",
        /// The internal port, shared between internal hosts as long as their remotes differ.
        Overloading = "overloading",
    }
}

words! {
    /// What happens when the preferred port is taken (RFC 4787 §8 calls it the secondary behaviour).
    ConflictBehavior {
        /// The next free port above it is used.
        Sequential = "sequential",
        /// A random free port is used.
        Random = "random",
        /// The packet is dropped.
        Drop = "drop",
    }
}

words! {
    /// How a NAT with several outside addresses picks one (RFC 4787 §4.1).
    Pooling {
        /// All mappings of one internal host get the same address.
        Paired = "paired",
        /// Each new mapping gets any of them.
        Arbitrary = "arbitrary",
    }
}

words! {
    /// What happens to a packet from inside to an outside address of the NAT itself (RFC 4787 §6).
    Hairpinning {
        /// It is delivered, and its source is the sender's external endpoint.
        ExternalSource = "external-source",
        /// It is delivered, and its source is the sender's internal endpoint.
        InternalSource = "internal-source",
        /// It is dropped.
        Off = "off",
    }
}

words! {
    /// Packets of which direction keep a mapping alive (RFC 4787 §4.3).
    RefreshDirection {
        /// Those going out.
        Outbound = "outbound",
        /// Those coming in.
        Inbound = "inbound",
        /// Both.
        Both = "both",
    }
}

words! {
    /// What happens to an inbound packet that no mapping admits.
    Unsolicited {
        /// It is dropped.
        Drop = "drop",
        /// The box takes it for itself and tracks it, so that the remote's endpoint is taken: a later packet from
        /// inside to that remote gets another port. Linux does so where its input chain accepts.
        Accept = "accept",
        /// It is dropped and answered with ICMP port unreachable; a SYN only after 6 seconds, and not at all if a SYN of
        /// the same connection has left by then (RFC 5382 REQ-4).
        Icmp = "icmp",
        /// It is dropped, and a SYN is answered with a RST at once, which RFC 5382 REQ-4 forbids: it ends the connection
        /// that both sides are about to open.
        Rst = "rst",
    }
}

impl Unsolicited {
    /// Those that differ for UDP, which `rst` drops.
    pub const FOR_UDP: &[Self] = &[Self::Drop, Self::Accept, Self::Icmp];
}

words! {
    /// By which protocol hosts inside may ask for mappings.
    PortMapping {
        /// By none: nobody answers.
        Off = "off",
        /// NAT-PMP (RFC 6886).
        NatPmp = "nat-pmp",
        /// PCP (RFC 6887).
        Pcp = "pcp",
    }
}

/// How external ports are assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortPolicy {
    /// The first choice.
    pub assignment: PortAssignment,
    /// What happens when the first choice is taken.
    pub on_conflict: ConflictBehavior,
    /// The external ports there are.
    pub range: PortRange,
    /// True: even internal ports get even external ports, odd ones odd (RFC 4787 §4.2.2).
    pub parity: bool,
    /// How many external ports one internal host may hold at a time (RFC 6888 REQ-4); `None`: no quota.
    pub max_per_host: Option<u16>,
    /// Hosts get blocks of this many consecutive ports of the range, counted from its start (RFC 6888 §5); `None`: they
    /// get ports one by one.
    pub block: Option<u16>,
    /// How long a port rests after its last mapping before it may serve another one (RFC 6888 REQ-8).
    pub quarantine: SimDuration,
}

/// How long state lives after the packet that last refreshed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingLifetimes {
    /// A UDP mapping that has seen traffic in both directions.
    pub udp: SimDuration,
    /// A UDP mapping that has seen outbound packets only.
    pub udp_unreplied: SimDuration,
    /// A TCP mapping, after the last packet in either direction.
    pub tcp: TcpLifetimes,
    /// Which packets refresh a UDP mapping.
    pub refresh: RefreshDirection,
}

/// How long a TCP connection may be idle before a box forgets it (RFC 5382 REQ-5, RFC 7857 §2, RFC 6092 REC-35).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpLifetimes {
    /// While it is established.
    pub established: SimDuration,
    /// While it opens, while it closes, and after a RST.
    pub transitory: SimDuration,
}

impl TcpLifetimes {
    /// The least the RFCs allow: 2 hours and 4 minutes, and 4 minutes.
    pub const DEFAULT: Self =
        Self { established: SimDuration::from_secs(7_440), transitory: SimDuration::from_secs(240) };

    /// The defaults, but for connections that are established. None lives longer before it is than after.
    pub fn established(lifetime: SimDuration) -> Self {
        Self { established: lifetime, transitory: Self::DEFAULT.transitory.min(lifetime) }
    }
}

/// Everything that tells one NAT from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatBehavior {
    /// When flows share an external endpoint.
    pub mapping: MappingBehavior,
    /// Which inbound packets are admitted.
    pub filtering: FilteringBehavior,
    /// Whose destinations open the filter.
    pub filter_scope: FilterScope,
    /// Which mapping carries a reply.
    pub reply_mapping: ReplyMapping,
    /// How external ports are assigned.
    pub ports: PortPolicy,
    /// How an outside address is picked.
    pub pooling: Pooling,
    /// What happens to packets to the NAT's own outside addresses from inside.
    pub hairpinning: Hairpinning,
    /// How long state lives.
    pub lifetimes: MappingLifetimes,
    /// What happens to packets nobody asked for.
    pub unsolicited: Unsolicited,
    /// How hosts inside may ask for mappings.
    pub port_mapping: PortMapping,
}

impl NatBehavior {
    /// What a NAT does where neither a nickname nor an axis says otherwise: RFC 4787's recommendations
    /// for everything but mapping and filtering, with the timers of today's Linux (120 s, 30 s unreplied).
    pub const fn new(mapping: MappingBehavior, filtering: FilteringBehavior) -> Self {
        Self {
            mapping,
            filtering,
            filter_scope: FilterScope::Mapping,
            reply_mapping: ReplyMapping::Admitting,
            ports: PortPolicy {
                assignment: PortAssignment::Preservation,
                on_conflict: ConflictBehavior::Random,
                range: PortRange::UNPRIVILEGED,
                parity: false,
                max_per_host: None,
                block: None,
                quarantine: SimDuration::ZERO,
            },
            pooling: Pooling::Paired,
            hairpinning: Hairpinning::Off,
            lifetimes: MappingLifetimes {
                udp: SimDuration::from_secs(120),
                udp_unreplied: SimDuration::from_secs(30),
                tcp: TcpLifetimes::DEFAULT,
                refresh: RefreshDirection::Outbound,
            },
            unsolicited: Unsolicited::Drop,
            port_mapping: PortMapping::Off,
        }
    }
}

words! {
    /// The nicknames people use for NATs, from RFC 3489 and common speech.
    Nickname {
        /// No box at all: the network behind it is routed.
        None = "none",
        /// EIM + EIF.
        FullCone = "full-cone",
        /// EIM + ADF.
        RestrictedCone = "restricted-cone",
        /// EIM + APDF.
        PortRestrictedCone = "port-restricted-cone",
        /// APDM + APDF with random ports.
        Symmetric = "symmetric",
        /// No translation; only answers to what went out come in.
        SymmetricFirewall = "symmetric-firewall",
    }
}

/// What a [`Nickname`] stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NicknameMeaning {
    /// A router: no state, no translation.
    Router,
    /// A stateful firewall with this filtering, without translation.
    Firewall(FilteringBehavior),
    /// A NAT.
    Nat(NatBehavior),
}

impl Nickname {
    /// What the nickname expands to.
    pub const fn meaning(self) -> NicknameMeaning {
        use FilteringBehavior as F;
        use MappingBehavior as M;
        match self {
            Self::None => NicknameMeaning::Router,
            Self::SymmetricFirewall => NicknameMeaning::Firewall(F::AddressAndPortDependent),
            Self::FullCone => {
                NicknameMeaning::Nat(NatBehavior::new(M::EndpointIndependent, F::EndpointIndependent))
            }
            Self::RestrictedCone => {
                NicknameMeaning::Nat(NatBehavior::new(M::EndpointIndependent, F::AddressDependent))
            }
            Self::PortRestrictedCone => {
                NicknameMeaning::Nat(NatBehavior::new(M::EndpointIndependent, F::AddressAndPortDependent))
            }
            Self::Symmetric => {
                let mut behavior = NatBehavior::new(M::AddressAndPortDependent, F::AddressAndPortDependent);
                behavior.ports.assignment = PortAssignment::Random;
                NicknameMeaning::Nat(behavior)
            }
        }
    }

    /// The nickname with this word, other spellings included (`address-restricted-cone`).
    pub fn from_alias(word: &str) -> Option<Self> {
        match word {
            "address-restricted-cone" => Some(Self::RestrictedCone),
            _ => Self::from_word(word),
        }
    }
}

impl MappingBehavior {
    /// The abbreviation used in tables: `EIM`, `ADM`, `APDM`.
    pub const fn abbreviation(self) -> &'static str {
        match self {
            Self::EndpointIndependent => "EIM",
            Self::AddressDependent => "ADM",
            Self::AddressAndPortDependent => "APDM",
        }
    }
}

impl FilteringBehavior {
    /// The abbreviation used in tables: `EIF`, `ADF`, `APDF`.
    pub const fn abbreviation(self) -> &'static str {
        match self {
            Self::EndpointIndependent => "EIF",
            Self::AddressDependent => "ADF",
            Self::AddressAndPortDependent => "APDF",
        }
    }
}

impl fmt::Display for NatBehavior {
    /// `EIM-APDF`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.mapping.abbreviation(), self.filtering.abbreviation())
    }
}
