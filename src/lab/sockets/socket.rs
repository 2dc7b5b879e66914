//! A UDP socket that looks like tokio's.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::address::ToSocketAddr;
use super::portal::{Ask, Inbox, Portal};
use crate::endpoint::{SendError, check_send};

/// A UDP socket of a peer. Its methods are named as those of tokio's own, and do the same.
pub struct UdpSocket {
    local: SocketAddr,
    remote: Mutex<Option<SocketAddr>>,
    inbox: Arc<Inbox>,
    portal: Portal,
}

impl UdpSocket {
    /// Opens a socket of the peer whose future this is called in. Its address may be `0.0.0.0`, port 0 stands for any that
    /// is free.
    ///
    /// # Errors
    /// The address is not the peer's, the port is taken, or the future belongs to no peer.
    pub async fn bind(address: impl ToSocketAddr) -> io::Result<Self> {
        let wanted = address.to_socket_addr()?;
        let portal = Portal::current().ok_or_else(|| {
            io::Error::other(
                "this code belongs to no peer: bind in the future that was given to the scenario, or in what it starts with `spawn_local`",
            )
        })?;
        let (answer, opened) = oneshot::channel();
        portal.ask(Ask::Bind(wanted.port(), answer));
        let gone = |_| io::Error::other("the run is over");
        let (local, inbox) = opened.await.map_err(gone)??;
        let socket = Self { local, remote: Mutex::default(), inbox, portal };
        let of_family = wanted.is_ipv4() == local.is_ipv4();
        if wanted.ip() == local.ip() || (wanted.ip().is_unspecified() && of_family) {
            return Ok(socket);
        }
        let any = if local.is_ipv4() { "0.0.0.0" } else { "::" };
        let message = format!("{} is no address of this peer; bind {any} or {}", wanted.ip(), local.ip());
        Err(io::Error::new(io::ErrorKind::AddrNotAvailable, message))
    }

    /// The socket's address: the peer's own, also where it was bound to `0.0.0.0` or `::`.
    ///
    /// # Errors
    /// None; tokio's has some.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    /// Where [`UdpSocket::send`] sends to.
    ///
    /// # Errors
    /// The socket is not connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.remote().ok_or_else(not_connected)
    }

    /// From now on [`UdpSocket::send`] sends there, and what comes from elsewhere is lost.
    ///
    /// # Errors
    /// Nothing can be sent there.
    pub async fn connect(&self, address: impl ToSocketAddr) -> io::Result<()> {
        let remote = address.to_socket_addr()?;
        check_send(self.local, remote, 0).map_err(unsendable)?;
        *self.remote.lock().unwrap_or_else(PoisonError::into_inner) = Some(remote);
        Ok(())
    }

    /// Sends a datagram to where the socket is connected.
    ///
    /// # Errors
    /// The socket is not connected, or the datagram is too long.
    pub async fn send(&self, payload: &[u8]) -> io::Result<usize> {
        self.try_send_to(payload, self.peer_addr()?)
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// It cannot leave the peer.
    pub async fn send_to(&self, payload: &[u8], target: impl ToSocketAddr) -> io::Result<usize> {
        self.try_send_to(payload, target.to_socket_addr()?)
    }

    /// Sends a datagram; sending never waits.
    ///
    /// # Errors
    /// It cannot leave the peer.
    pub fn try_send_to(&self, payload: &[u8], target: SocketAddr) -> io::Result<usize> {
        check_send(self.local, target, payload.len()).map_err(unsendable)?;
        self.portal.ask(Ask::Send(self.local, target, payload.to_vec()));
        Ok(payload.len())
    }

    /// Waits for a datagram from where the socket is connected. What the buffer has no room for is lost.
    ///
    /// # Errors
    /// The socket is not connected.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.peer_addr()?;
        self.recv_from(buffer).await.map(|(length, _)| length)
    }

    /// Waits for a datagram. What the buffer has no room for is lost.
    ///
    /// # Errors
    /// None; tokio's has some.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        loop {
            match self.try_recv_from(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.inbox.came.notified().await,
                received => return received,
            }
        }
    }

    /// Takes a datagram that has come already. What the buffer has no room for is lost.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`]: none has.
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let remote = self.remote();
        let wanted = |from| remote.is_none_or(|remote| remote == from);
        let (from, payload) = self.inbox.take(wanted).ok_or(io::ErrorKind::WouldBlock)?;
        let length = payload.len().min(buffer.len());
        buffer[..length].copy_from_slice(&payload[..length]);
        Ok((length, from))
    }

    fn remote(&self) -> Option<SocketAddr> {
        *self.remote.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        self.portal.ask(Ask::Close(self.local));
    }
}

impl std::fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdpSocket").field("local", &self.local).field("remote", &self.remote()).finish()
    }
}

fn not_connected() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "the socket is not connected; call `connect`, or use `send_to`",
    )
}

fn unsendable(error: SendError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
