//! The ways from an agent to its servers: a server is asked from every base of its family, each time for itself.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;

use super::transaction::TransactionIds;
use super::{Output, StreamId};
use crate::plan::{IceServer, IceServerKind, Transport};

/// A way from one of our bases to one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerLink {
    base: SocketAddr,
    server: SocketAddr,
    transport: Transport,
    /// What the messages of this way go over; `None` for datagrams.
    stream: Option<StreamId>,
}

/// The way something has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// A datagram to one of our sockets.
    Socket { socket: SocketAddr, from: SocketAddr },
    /// A message over a stream.
    Stream(StreamId),
}

/// The numbers of an agent's streams. They go on over ICE restarts: a stream of before may still be open.
#[derive(Debug, Default)]
pub(super) struct StreamIds(u32);

impl StreamIds {
    fn next(&mut self) -> StreamId {
        let id = StreamId(self.0);
        self.0 += 1;
        id
    }
}

impl ServerLink {
    /// The ways to `server`, one from each base of its family, in the order of the bases. None is trouble.
    pub(super) fn all(
        server: &IceServer,
        bases: &[SocketAddr],
        streams: &mut StreamIds,
        out: &mut VecDeque<Output>,
    ) -> Vec<Self> {
        let IceServer { kind, address, transport, .. } = *server;
        let mut trouble =
            |why: String| out.push_back(Output::Trouble(format!("{kind} server {address}: {why}")));
        if kind == IceServerKind::Stun && transport != Transport::Udp {
            trouble(format!("{transport} tells a port that no UDP candidate can use"));
            return Vec::new();
        }
        let of_family = bases.iter().filter(|base| base.is_ipv4() == address.is_ipv4());
        let link = |base: &SocketAddr| Self {
            base: *base,
            server: address,
            transport,
            stream: (transport != Transport::Udp).then(|| streams.next()),
        };
        let links: Vec<Self> = of_family.map(link).collect();
        if links.is_empty() {
            trouble(match bases {
                [one] => format!("the socket {one} is of the other address family"),
                _ => "no socket is of its address family".to_owned(),
            });
        }
        links
    }

    /// Our end. Of a stream it is only the address.
    pub(super) fn base(self) -> SocketAddr {
        self.base
    }

    /// The server's end.
    pub(super) fn server(self) -> SocketAddr {
        self.server
    }

    /// What is spoken on it.
    pub(super) fn transport(self) -> Transport {
        self.transport
    }

    /// What the messages go over; `None` for datagrams.
    pub(super) fn stream(self) -> Option<StreamId> {
        self.stream
    }

    /// True if what came by `way` came from this server to this base.
    pub(super) fn is(self, way: Way) -> bool {
        match way {
            Way::Socket { socket, from } => {
                self.stream.is_none() && (self.base, self.server) == (socket, from)
            }
            Way::Stream(stream) => self.stream == Some(stream),
        }
    }
}

impl fmt::Display for ServerLink {
    /// The server as troubles name it: `192.0.2.1:3478`, `192.0.2.1:443 (tls)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transport {
            Transport::Udp => write!(f, "{}", self.server),
            Transport::Tcp | Transport::Tls => write!(f, "{} ({})", self.server, self.transport),
        }
    }
}

/// What the clients of servers work with from call to call: the agent's ids and its outputs.
#[derive(Debug)]
pub(super) struct Tools<'a> {
    pub(super) ids: &'a mut TransactionIds,
    pub(super) out: &'a mut VecDeque<Output>,
}
