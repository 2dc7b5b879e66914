//! What sockets take as an address.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// An address and a port, as values or as text. Names are not resolved: inside the network there is no DNS.
pub trait ToSocketAddr {
    /// The address.
    ///
    /// # Errors
    /// The text is no address with a port.
    fn to_socket_addr(&self) -> io::Result<SocketAddr>;
}

impl ToSocketAddr for SocketAddr {
    fn to_socket_addr(&self) -> io::Result<SocketAddr> {
        Ok(*self)
    }
}

impl ToSocketAddr for SocketAddrV4 {
    fn to_socket_addr(&self) -> io::Result<SocketAddr> {
        Ok((*self).into())
    }
}

impl ToSocketAddr for (IpAddr, u16) {
    fn to_socket_addr(&self) -> io::Result<SocketAddr> {
        Ok((*self).into())
    }
}

impl ToSocketAddr for (Ipv4Addr, u16) {
    fn to_socket_addr(&self) -> io::Result<SocketAddr> {
        Ok((*self).into())
    }
}

impl ToSocketAddr for SocketAddrV6 {
    fn to_socket_addr(&self) -> io::Result<SocketAddr> {
        Ok((*self).into())
    }
}

impl ToSocketAddr for (Ipv6Addr, u16) {
    fn to_socket_addr(&self) -> io::Result<SocketAddr> {
        Ok((*self).into())
    }
}

impl ToSocketAddr for ([u8; 4], u16) {
    fn to_socket_addr(&self) -> io::Result<SocketAddr> {
        Ok((*self).into())
    }
}

impl ToSocketAddr for str {
    fn to_socket_addr(&self) -> io::Result<SocketAddr> {
        self.parse().map_err(|_| no_address(self))
    }
}

impl ToSocketAddr for String {
    fn to_socket_addr(&self) -> io::Result<SocketAddr> {
        self.as_str().to_socket_addr()
    }
}

impl ToSocketAddr for (&str, u16) {
    fn to_socket_addr(&self) -> io::Result<SocketAddr> {
        let address: IpAddr = self.0.parse().map_err(|_| no_address(self.0))?;
        Ok((address, self.1).into())
    }
}

impl<A: ToSocketAddr + ?Sized> ToSocketAddr for &A {
    fn to_socket_addr(&self) -> io::Result<SocketAddr> {
        (**self).to_socket_addr()
    }
}

fn no_address(text: &str) -> io::Error {
    let text = text.escape_debug();
    let message = format!(
        "`{text}` is no address with a port; write one such as 192.0.2.9:7000, names are not resolved"
    );
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
