//! Discovery in a real network: what there is to say of it.

use std::net::SocketAddr;

use serde::Serialize;

use super::Findings;

/// What was measured with the help of a STUN server.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Measurement {
    /// The version of this format.
    pub version: u32,
    /// The server, as it was named.
    pub server: String,
    /// Its address.
    pub address: SocketAddr,
    /// What was found out.
    pub found: Findings,
}

impl Measurement {
    /// The version of the JSON form.
    pub const VERSION: u32 = 1;

    /// What was found out with the help of this server.
    pub fn new(server: &str, address: SocketAddr, found: Findings) -> Self {
        Self { version: Self::VERSION, server: server.to_owned(), address, found }
    }
}
