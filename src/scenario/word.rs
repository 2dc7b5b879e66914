//! The words that values take.

use crate::plan::{
    Access, CandidateType, ConflictBehavior, DenyAction, DropReason, Family, FilterScope, FilteringBehavior,
    Hairpinning, HostCandidates, IceState, IceTransportPolicy, InboundPolicy, Inspect, MappingBehavior,
    MediaKind, Needs, Path, Pooling, PortAssignment, PortMapping, ProxyUse, RefreshDirection, ReplyMapping,
    StackKind, Transport, Unsolicited,
};

/// A closed set of words.
pub trait Word: Copy + PartialEq + 'static {
    /// All its words.
    fn words() -> Vec<&'static str>;

    /// The value with this word or one of its short forms.
    fn from_text(text: &str) -> Option<Self>;
}

macro_rules! word {
    ($($name:ident $({ $($short:literal => $value:ident),+ })?),+ $(,)?) => {$(
        impl Word for $name {
            fn words() -> Vec<&'static str> {
                Self::ALL.iter().map(|value| value.word()).collect()
            }

            fn from_text(text: &str) -> Option<Self> {
                $($(if text == $short { return Some(Self::$value); })+)?
                Self::from_word(text)
            }
        }
    )+};
}

word! {
    MappingBehavior { "eim" => EndpointIndependent, "adm" => AddressDependent, "apdm" => AddressAndPortDependent },
    FilteringBehavior { "eif" => EndpointIndependent, "adf" => AddressDependent, "apdf" => AddressAndPortDependent },
    FilterScope, ReplyMapping, PortAssignment, ConflictBehavior, Pooling, Hairpinning, RefreshDirection, Unsolicited,
    PortMapping, Access, InboundPolicy, DenyAction, Inspect, ProxyUse, StackKind, IceTransportPolicy,
    HostCandidates, Path, Needs, CandidateType, IceState, Family, Transport, DropReason, MediaKind,
}
