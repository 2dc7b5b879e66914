//! Virtual sockets for asynchronous code (feature `tokio`): code written for tokio runs inside the network as it is, with
//! [`UdpSocket`] in the place of tokio's.
//!
//! ```
//! use punchlab::lab::Scenario;
//! use punchlab::lab::sockets::UdpSocket;
//!
//! # fn main() -> Result<(), punchlab::lab::Error> {
//! let network = Scenario::text(
//!     "echo",
//!     "
//!     nats: { home: symmetric }
//!     peers: { server: { address: 192.0.2.9 }, alice: { behind: home } }
//!     ",
//! );
//! let run = network
//!     .with_service("server", async {
//!         let socket = UdpSocket::bind("0.0.0.0:7000").await?;
//!         let mut buffer = [0; 1500];
//!         loop {
//!             let (length, from) = socket.recv_from(&mut buffer).await?;
//!             socket.send_to(&buffer[..length], from).await?;
//!         }
//!     })
//!     .with_future("alice", async {
//!         let socket = UdpSocket::bind("0.0.0.0:0").await?;
//!         socket.connect("192.0.2.9:7000").await?;
//!         socket.send(b"hello").await?;
//!         let mut buffer = [0; 1500];
//!         let length = socket.recv(&mut buffer).await?;
//!         assert_eq!(&buffer[..length], b"hello");
//!         Ok(())
//!     })
//!     .run()?;
//! run.assert_done();
//! # Ok(())
//! # }
//! ```
//!
//! Every future is the program of one peer, and binds that peer's sockets. So does what it starts with
//! `tokio::task::spawn_local`. What it starts with `tokio::spawn` may use sockets it was given, and cannot bind any, since
//! it belongs to no peer.
//!
//! # Time
//!
//! All futures run on one thread, under tokio's paused clock: `sleep`, `timeout` and `interval` follow the network's
//! virtual time. tokio's timers count whole milliseconds, so a future gets what arrives after 10.25 ms when it is 11 ms;
//! in the network, and in what is written of it, the packet arrives after 10.25 ms.
//!
//! # The same bytes each time
//!
//! Runs repeat exactly if the futures do. `tokio::select!` picks its branches at random unless it begins with `biased;`.

mod address;
mod driver;
mod portal;
mod socket;

pub use address::ToSocketAddr;
pub(super) use driver::{Task, run};
pub use socket::UdpSocket;
