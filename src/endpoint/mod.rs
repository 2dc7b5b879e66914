//! Any UDP protocol on a peer, behind one sans-IO interface: bring your own.
//!
//! An [`Endpoint`] is a peer's whole program. It gets [`Input`]s with the time they happen at, and a [`Host`] through
//! which it opens sockets, sends datagrams and draws random numbers. It has no clock and no socket of its own, so a run
//! depends on the plan and the seed alone.

mod host;

use std::net::SocketAddr;

pub use host::{BindError, Host, Request, SendError, check_send};

use crate::base::SimTime;

/// Something that happens to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// The run begins. The first input, and given once.
    Start,
    /// A datagram came to one of its sockets.
    Datagram {
        /// The socket it came to.
        socket: SocketAddr,
        /// Who sent it, as its headers say.
        from: SocketAddr,
        /// What it carried.
        payload: &'a [u8],
    },
    /// The time it asked for has come.
    Timeout,
}

/// Why an endpoint cannot go on: any error, or a sentence.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A UDP protocol on one peer.
pub trait Endpoint {
    /// Something happens. A panic in here is not caught: it is the program's own, and fails the test it is in.
    ///
    /// # Errors
    /// The endpoint cannot go on; the run ends with this error.
    fn handle(&mut self, now: SimTime, input: Input<'_>, host: &mut Host) -> Result<(), Failure>;

    /// When it wants [`Input::Timeout`]; `None`: never. A time in the past means at once. Asked after every input.
    fn next_timeout(&self) -> Option<SimTime>;

    /// True once the run need not wait for it any more. It still gets what happens while the run waits for others, so a
    /// server is done from its beginning. Asked after every input.
    fn is_done(&self) -> bool;
}

/// An endpoint that could not go on; the run ends with exit code 3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint of `{peer}` failed: {what}")]
pub struct EndpointError {
    /// The peer's name.
    pub peer: String,
    /// What happened.
    pub what: String,
}
