//! What an endpoint sees of the peer it runs on.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use crate::base::{PortRange, Random};

/// The most a UDP datagram carries over IPv4 (RFC 768): 65,535 bytes less the headers.
const MAX_PAYLOAD: usize = 65_507;

/// A peer as its endpoint sees it. What is asked of it happens in order, at the time of the input in which it is asked.
#[derive(Debug)]
pub struct Host {
    name: String,
    address: IpAddr,
    ports: Random,
    random: Random,
    /// The ports of the open sockets.
    open: BTreeSet<u16>,
    requests: Vec<Request>,
}

/// What an endpoint asks of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Take what comes to this address from now on.
    Open(SocketAddr),
    /// Take it no longer.
    Close(SocketAddr),
    /// Send a datagram.
    Send {
        /// The socket it leaves from.
        socket: SocketAddr,
        /// Where to.
        to: SocketAddr,
        /// What it carries.
        payload: Vec<u8>,
    },
}

/// Why a socket cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// The port is taken.
    #[error("port {0} is in use on this peer; bind another, or 0 for any that is free")]
    InUse(u16),
    /// Every dynamic port is taken.
    #[error("this peer has no free dynamic port left; close sockets that are not used any more")]
    NoneLeft,
}

/// Why a datagram cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no such socket.
    #[error("{0} is no open socket of this peer; send from an address that `bind` has returned")]
    NotOpen(SocketAddr),
    /// It is too long.
    #[error("a datagram of {0} bytes is longer than the 65507 that UDP carries; send it in parts")]
    TooLong(usize),
    /// Its destination has another address family.
    #[error("{to} cannot be reached from {socket}, which has another address family")]
    OtherFamily {
        /// The socket.
        socket: SocketAddr,
        /// The destination.
        to: SocketAddr,
    },
    /// Its destination is no place a datagram can go to.
    #[error("{0} is no destination; it needs an address and a port other than 0")]
    NoDestination(SocketAddr),
}

impl Host {
    /// A peer without sockets. Its random streams are keyed by its name; the engine makes one for each endpoint, and
    /// tests of an endpoint alone may.
    pub fn new(name: impl Into<String>, address: IpAddr, seed: u64) -> Self {
        let name = name.into();
        let stream = |purpose| Random::stream(seed, &name, purpose);
        let (ports, random) = (stream("endpoint-ports"), stream("endpoint"));
        Self { ports, random, name, address, open: BTreeSet::new(), requests: Vec::new() }
    }

    /// The peer's name in the scenario.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address, as it knows it itself: behind a NAT an inside one.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// The peer's own stream of random numbers. It depends on the seed and the peer's name, and on nothing else.
    pub const fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Opens a socket. Port 0 stands for a free dynamic port at random, as operating systems choose them (RFC 6056
    /// §3.3.1).
    ///
    /// # Errors
    /// The port is taken, or none is left.
    pub fn bind(&mut self, port: u16) -> Result<SocketAddr, BindError> {
        let port = match port {
            0 => self.free_port().ok_or(BindError::NoneLeft)?,
            taken if self.open.contains(&taken) => return Err(BindError::InUse(taken)),
            free => free,
        };
        let socket = SocketAddr::new(self.address, port);
        self.open.insert(port);
        self.requests.push(Request::Open(socket));
        Ok(socket)
    }

    /// Closes a socket: what still comes to it is refused. Nothing happens if it is not open.
    pub fn close(&mut self, socket: SocketAddr) {
        if self.is_open(socket) {
            self.open.remove(&socket.port());
            self.requests.push(Request::Close(socket));
        }
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// It cannot leave this peer. What becomes of it afterwards nobody tells its sender.
    pub fn send(
        &mut self,
        socket: SocketAddr,
        to: SocketAddr,
        payload: impl Into<Vec<u8>>,
    ) -> Result<(), SendError> {
        let payload = payload.into();
        if !self.is_open(socket) {
            return Err(SendError::NotOpen(socket));
        }
        check_send(socket, to, payload.len())?;
        self.requests.push(Request::Send { socket, to, payload });
        Ok(())
    }

    /// Takes what was asked for since the last time, in order.
    pub fn take_requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.requests)
    }

    fn is_open(&self, socket: SocketAddr) -> bool {
        socket.ip() == self.address && self.open.contains(&socket.port())
    }

    /// A random start, then upwards, so that the last free port is found too.
    fn free_port(&mut self) -> Option<u16> {
        let range = PortRange::DYNAMIC;
        let count = u64::from(range.count());
        let start = self.ports.below(count);
        let port = |step| range.first() + ((start + step) % count) as u16;
        (0..count).map(port).find(|port| !self.open.contains(port))
    }
}

/// What a socket says at once about a datagram of this many bytes.
///
/// # Errors
/// It cannot leave.
pub fn check_send(socket: SocketAddr, to: SocketAddr, bytes: usize) -> Result<(), SendError> {
    if bytes > MAX_PAYLOAD {
        return Err(SendError::TooLong(bytes));
    }
    if socket.is_ipv4() != to.is_ipv4() {
        return Err(SendError::OtherFamily { socket, to });
    }
    if to.port() == 0 || to.ip().is_unspecified() {
        return Err(SendError::NoDestination(to));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        Host::new("alice", [10, 0, 1, 2].into(), 1)
    }

    fn far() -> SocketAddr {
        ([192, 0, 2, 1], 3478).into()
    }

    #[test]
    fn any_free_port_is_a_dynamic_one_that_depends_on_the_seed_and_the_name_alone() {
        let bound = |name, seed| Host::new(name, [10, 0, 1, 2].into(), seed).bind(0).expect("a socket");
        assert!(bound("alice", 1).port() >= PortRange::DYNAMIC.first());
        assert_eq!(bound("alice", 1), bound("alice", 1));
        assert_ne!(bound("alice", 1), bound("alice", 2));
        assert_ne!(bound("alice", 1), bound("bob", 1));
    }

    #[test]
    fn a_port_is_bound_once_until_it_is_closed() {
        let mut host = host();
        let socket = host.bind(5000).expect("a socket");
        assert_eq!(host.bind(5000), Err(BindError::InUse(5000)));
        host.close(socket);
        assert_eq!(host.bind(5000), Ok(socket));
    }

    #[test]
    fn all_dynamic_ports_can_be_bound_and_then_there_is_none_left() {
        let mut host = host();
        for _ in 0..PortRange::DYNAMIC.count() {
            host.bind(0).expect("a socket");
        }
        assert_eq!(host.bind(0), Err(BindError::NoneLeft));
    }

    #[test]
    fn what_cannot_leave_is_an_error() {
        let mut host = host();
        let socket = host.bind(5000).expect("a socket");
        let closed = SocketAddr::new(host.address(), 5001);
        assert_eq!(host.send(closed, far(), "x"), Err(SendError::NotOpen(closed)));
        assert_eq!(host.send(socket, far(), vec![0; 65_508]), Err(SendError::TooLong(65_508)));
        let other = "[2001:db8::1]:9".parse().expect("an address");
        assert_eq!(host.send(socket, other, "x"), Err(SendError::OtherFamily { socket, to: other }));
        let nowhere = SocketAddr::new(far().ip(), 0);
        assert_eq!(host.send(socket, nowhere, "x"), Err(SendError::NoDestination(nowhere)));
    }

    #[test]
    fn requests_come_out_once_and_in_order() {
        let mut host = host();
        let socket = host.bind(5000).expect("a socket");
        host.send(socket, far(), "hello").expect("sent");
        host.close(socket);
        let sent = Request::Send { socket, to: far(), payload: b"hello".to_vec() };
        assert_eq!(host.take_requests(), [Request::Open(socket), sent, Request::Close(socket)]);
        assert_eq!(host.take_requests(), []);
    }
}
