//! NAT behaviour discovery: what a client behind NATs can find out about them with the help of a STUN server that has
//! two addresses.
//!
//! [`Discovery`] asks as RFC 5780 §4 says, from a fresh socket for each test, and beside it in the ways that go wrong:
//! both tests of RFC 5780 from one socket, and the algorithm of RFC 3489 §10.1, once and once more. It is sans-IO: it
//! has no clock and no socket of its own. [`lab`] runs it behind every NAT and firewall of a scenario; over real sockets it
//! measures the network it is in.

mod behavior;
mod classic;
mod dialog;
mod discovery;
mod exchange;
mod findings;
pub mod lab;
mod measurement;
mod more;
mod script;
#[cfg(test)]
mod tests;

pub use discovery::{Discovery, Options, SocketId, Want};
pub use exchange::Patience;
pub use findings::{Behaviors, Classic, Findings, Lifetime};
pub use measurement::Measurement;
