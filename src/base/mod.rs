//! Values that know nothing of NATs: virtual time, seeded randomness, exact quantities, ids, bounds, command lines.

pub mod id;
pub mod limits;
pub mod quantity;
pub mod random;
pub mod shell;
pub mod time;

pub use id::{LinkId, NodeId, PacketId, PortId, SessionId};
pub use limits::{LimitReached, Limits};
pub use quantity::{Bandwidth, PortRange, Probability};
pub use random::Random;
pub use time::{SimDuration, SimTime};
