//! What travels: IP packets, STUN and TURN messages inside them, port mapping, candidate lines, capture files.

pub(crate) mod candidate;
pub(crate) mod mdns;
pub(crate) mod packet;
pub mod pcapng;
pub mod port_mapping;
pub(crate) mod signal;
pub mod stun;

pub use candidate::{Candidate, PairEnd, SelectedPair};
pub use mdns::{MdnsMessage, MdnsName};
pub use packet::{
    Body, Carried, Flow, INITIAL_HOP_LIMIT, Icmp, IcmpKind, Packet, TcpFlags, TcpSegment, Trail,
};
pub use signal::{Description, Signal};
