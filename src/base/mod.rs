//! Values that know nothing of NATs: virtual time, seeded randomness, exact quantities, ids, bounds, command lines.

pub(crate) mod id;
pub(crate) mod limits;
pub(crate) mod quantity;
pub(crate) mod random;
pub(crate) mod shell;
pub(crate) mod time;

pub use id::{LinkId, NodeId, PacketId, PortId, SessionId};
pub use limits::{LimitReached, Limits};
pub use quantity::{Bandwidth, PortRange, Probability};
pub use random::Random;
pub use time::{SimDuration, SimTime};
