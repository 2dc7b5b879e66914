//! Streams of messages over TCP, as agents ask for them. Framing, TLS and proxies are the host's business.

use std::fmt;
use std::net::SocketAddr;

use crate::transport::framing::Framing;

/// A stream, by the agent's own number; one agent never uses a number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

/// What stands between TCP and the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Nothing.
    Plain,
    /// TLS.
    Tls,
}

/// A stream to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// The number it is called by from now on.
    pub stream: StreamId,
    /// Where it leaves from. Of an agent's UDP socket only the address is taken, and the system chooses the port.
    pub from: SocketAddr,
    /// Where it leads.
    pub to: SocketAddr,
    /// What stands between TCP and the messages.
    pub security: Security,
    /// The name of the other end, if it is known by one: what a TLS handshake and an HTTP proxy are told.
    pub host: Option<String>,
    /// What tells its messages apart.
    pub framing: Framing,
}

/// Why a stream is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// The other side closed it.
    Finished,
    /// Nobody listens there: a reset or an ICMP error answered the SYN.
    Refused,
    /// The other side knows of no such connection any more.
    Reset,
    /// The other side has been silent for too long.
    TimedOut,
    /// The HTTP proxy refused to connect, with this status code.
    ProxyRefused(u16),
    /// What answers speaks no TLS, or hangs up in the middle of the handshake.
    NotTls,
    /// What came is no message.
    Malformed,
    /// The host has no room for one more connection.
    NoRoom,
}

impl fmt::Display for StreamEnd {
    /// As in "the connection …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("was closed by the other side"),
            Self::Refused => f.write_str("was refused"),
            Self::Reset => f.write_str("was reset"),
            Self::TimedOut => f.write_str("timed out"),
            Self::ProxyRefused(status) => write!(f, "was refused by the proxy ({status})"),
            Self::NotTls => f.write_str("is not a TLS one: what answers speaks something else"),
            Self::Malformed => f.write_str("was closed: what came is no message"),
            Self::NoRoom => f.write_str("could not be opened: the host has no room for one more"),
        }
    }
}
