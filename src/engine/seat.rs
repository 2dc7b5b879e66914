//! An endpoint on its host.

use std::net::SocketAddr;

use super::run::EndpointRun;
use crate::base::{NodeId, SimTime};
use crate::endpoint::{Endpoint, EndpointError, Host, Input, Request};
use crate::plan::Plan;

/// An endpoint and the node it runs on.
pub struct Guest<'e> {
    /// The peer. It takes part in no call.
    pub node: NodeId,
    /// Its program.
    pub endpoint: &'e mut dyn Endpoint,
}

/// An endpoint with its host and its diary.
pub struct Seat<'e> {
    /// What is known of it so far.
    pub diary: EndpointRun,
    /// When the world will call it; the queue's entries for other times are stale.
    pub timer: Option<SimTime>,
    endpoint: &'e mut dyn Endpoint,
    host: Host,
}

impl<'e> Seat<'e> {
    /// An endpoint at rest; `None` if its node has no address to bind to.
    pub fn new(plan: &Plan, seed: u64, guest: Guest<'e>) -> Option<Self> {
        let node = plan.topology.node(guest.node);
        let host = Host::new(node.name.clone(), *node.addresses.first()?, seed);
        let diary = EndpointRun { node: guest.node, sockets: Vec::new(), done_at: None };
        Some(Self { diary, timer: None, endpoint: guest.endpoint, host })
    }

    /// Hands something to the endpoint and takes what it asks for.
    pub fn handle(&mut self, now: SimTime, input: Input<'_>) -> Result<Vec<Request>, EndpointError> {
        let _span = tracing::debug_span!("endpoint", peer = self.host.name(), at = %now).entered();
        self.endpoint.handle(now, input, &mut self.host).map_err(|failure| EndpointError {
            peer: self.host.name().to_owned(),
            what: failure.to_string(),
        })?;
        if self.diary.done_at.is_none() && self.endpoint.is_done() {
            self.diary.done_at = Some(now);
        }
        Ok(self.host.take_requests())
    }

    /// When the endpoint wants to be called next.
    pub fn next_timeout(&self) -> Option<SimTime> {
        self.endpoint.next_timeout()
    }

    /// True while the run has to wait for it.
    pub fn is_open(&self) -> bool {
        !self.endpoint.is_done()
    }

    /// Notes a socket.
    pub fn opened(&mut self, socket: SocketAddr) {
        if !self.diary.sockets.contains(&socket) {
            self.diary.sockets.push(socket);
        }
    }
}
