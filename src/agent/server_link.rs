//! The ways from an agent to its servers: a server is asked from every base of its family, each time for itself.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::Output;
use super::transaction::TransactionIds;
use crate::plan::IceServer;

/// A way from one of our bases to one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerLink {
    base: SocketAddr,
    server: SocketAddr,
}

impl ServerLink {
    /// The ways to `server`, one from each base of its family, in the order of the bases. None is trouble.
    pub(super) fn all(server: &IceServer, bases: &[SocketAddr], out: &mut VecDeque<Output>) -> Vec<Self> {
        let of_family = bases.iter().filter(|base| base.is_ipv4() == server.address.is_ipv4());
        let links: Vec<Self> = of_family.map(|base| Self { base: *base, server: server.address }).collect();
        if links.is_empty() {
            let IceServer { kind, address, .. } = server;
            let why = match bases {
                [one] => format!("the socket {one} is of the other address family"),
                _ => "no socket is of its address family".to_owned(),
            };
            out.push_back(Output::Trouble(format!("{kind} server {address}: {why}")));
        }
        links
    }

    /// Our end.
    pub(super) fn base(self) -> SocketAddr {
        self.base
    }

    /// The server's end.
    pub(super) fn server(self) -> SocketAddr {
        self.server
    }

    /// True if what came to `socket` from `from` came this way.
    pub(super) fn is_way_of(self, socket: SocketAddr, from: SocketAddr) -> bool {
        (self.base, self.server) == (socket, from)
    }

    /// Sends the server a message.
    pub(super) fn send(self, payload: Vec<u8>, out: &mut VecDeque<Output>) {
        out.push_back(Output::Transmit { from: self.base, to: self.server, payload });
    }
}

/// What the clients of servers work with from call to call: the agent's ids and its outputs.
#[derive(Debug)]
pub(super) struct Tools<'a> {
    pub(super) ids: &'a mut TransactionIds,
    pub(super) out: &'a mut VecDeque<Output>,
}

impl Tools<'_> {
    /// Sends the server at the end of `link` a message.
    pub(super) fn send(&mut self, link: ServerLink, payload: Vec<u8>) {
        link.send(payload, self.out);
    }
}
