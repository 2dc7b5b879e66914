//! Asynchronous code as it would be written for tokio, across two NATs: bob serves echoes at home, a directory on the
//! internet knows where he is seen, and alice asks it.
//!
//! Run it with `cargo run --example async_echo --features tokio`.
#![allow(clippy::print_stdout)]

use std::net::SocketAddr;
use std::time::Duration;

use punchlab::endpoint::Failure;
use punchlab::lab::sockets::UdpSocket;
use punchlab::lab::{Error, Scenario};
use tokio::time::{Instant, sleep, timeout};

const NETWORK: &str = "
nats:
  office: symmetric
  home: { type: full-cone, udp-timeout: 30s }
peers:
  directory: { address: 192.0.2.10 }
  alice: { behind: office }
  bob: { behind: home }
";

const DIRECTORY: &str = "192.0.2.10:7000";

/// Tells whoever asks where the peer was seen that registered last.
async fn directory() -> Result<(), Failure> {
    let socket = UdpSocket::bind("0.0.0.0:7000").await?;
    let mut registered: Option<SocketAddr> = None;
    let mut buffer = [0; 1500];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await?;
        match (&buffer[..length], registered) {
            (b"register", _) => registered = Some(from),
            (b"ask", Some(known)) => drop(socket.send_to(known.to_string().as_bytes(), from).await?),
            _ => {}
        }
    }
}

/// Registers, again and again so that its NAT does not forget it, and sends back what it gets.
async fn bob(pause: Duration) -> Result<(), Failure> {
    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    let mut buffer = [0; 1500];
    loop {
        socket.send_to(b"register", DIRECTORY).await?;
        let next = Instant::now() + pause;
        while let Ok(received) = tokio::time::timeout_at(next, socket.recv_from(&mut buffer)).await {
            let (length, from) = received?;
            socket.send_to(&buffer[..length], from).await?;
        }
    }
}

/// Waits for half a minute and more, asks where bob is, and measures how long an echo takes.
async fn alice(echo_after: &mut Option<Duration>) -> Result<(), Failure> {
    sleep(Duration::from_secs(45)).await;
    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    let mut buffer = [0; 1500];
    socket.send_to(b"ask", DIRECTORY).await?;
    let (length, _) = socket.recv_from(&mut buffer).await?;
    let bob: SocketAddr = std::str::from_utf8(&buffer[..length])?.parse()?;

    let asked = Instant::now();
    socket.connect(bob).await?;
    socket.send(b"are you there?").await?;
    if let Ok(received) = timeout(Duration::from_secs(5), socket.recv(&mut buffer)).await {
        assert_eq!(&buffer[..received?], b"are you there?");
        *echo_after = Some(asked.elapsed());
    }
    Ok(())
}

/// How long alice waits for her echo if bob registers as often as this.
fn echo(pause: Duration) -> Result<Option<Duration>, Error> {
    let mut echo_after = None;
    let run = Scenario::text("echo", NETWORK)
        .with_service("directory", directory())
        .with_service("bob", bob(pause))
        .with_future("alice", alice(&mut echo_after))
        .run()?;
    run.assert_done();
    println!("bob registers every {pause:?}\n{run}");
    Ok(echo_after)
}

/// Once bob keeps his mapping alive, and once he lets it expire.
pub fn main() -> Result<(), Error> {
    let answered = echo(Duration::from_secs(20))?;
    assert!(answered.is_some_and(|after| after < Duration::from_millis(200)), "{answered:?}");
    let forgotten = echo(Duration::from_secs(3600))?;
    assert_eq!(forgotten, None, "his NAT has forgotten him");
    Ok(())
}
