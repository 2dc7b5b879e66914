//! A client's requests.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use turn_types::AddressFamily;

use super::super::transaction::{Step, Transaction};
use crate::base::SimTime;
use crate::wire::stun::{Builder, TRANSPORT_UDP, TransactionId, method};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Allocate,
    Refresh,
    /// A Refresh with the lifetime 0.
    Release,
    Permission(IpAddr),
    Channel(SocketAddr),
}

/// A running request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) what: What,
    pub(super) signed: bool,
    /// How often it has been answered with 438.
    pub(super) stale_nonces: u8,
    transaction: Transaction,
}

impl Request {
    pub(super) fn new(what: What, signed: bool, stale_nonces: u8, transaction: Transaction) -> Self {
        Self { what, signed, stale_nonces, transaction }
    }

    pub(super) fn id(&self) -> TransactionId {
        self.transaction.id()
    }

    pub(super) fn due(&self) -> SimTime {
        self.transaction.due()
    }

    pub(super) fn step(&mut self, now: SimTime) -> Step {
        self.transaction.step(now)
    }
}

/// An Allocate request for a relayed address of the given family; IPv4 is what a server gives unasked.
pub(super) fn allocate(id: TransactionId, ipv6: bool) -> Builder {
    let builder = Builder::request(method::ALLOCATE, id).requested_transport(TRANSPORT_UDP);
    if ipv6 { builder.requested_address_family(AddressFamily::IPV6) } else { builder }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allocate => f.write_str("Allocate"),
            Self::Refresh | Self::Release => f.write_str("Refresh"),
            Self::Permission(peer) => write!(f, "CreatePermission for {peer}"),
            Self::Channel(peer) => write!(f, "ChannelBind to {peer}"),
        }
    }
}
