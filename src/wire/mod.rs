//! What travels: IP packets, STUN and TURN messages inside them, candidate lines, capture files.

pub mod candidate;
pub mod packet;
pub mod pcapng;
pub mod signal;
pub mod stun;

pub use candidate::{Candidate, PairEnd, SelectedPair};
pub use packet::{Body, Flow, Icmp, IcmpKind, Packet, TcpFlags, TcpSegment, Trail};
pub use signal::Signal;
