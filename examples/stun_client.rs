//! A client for a server of the lab, byte by byte: asks two STUN servers which address they see (RFC 8489), and so finds
//! out how the NAT before it maps (RFC 4787 §4.1).
//!
//! Run it with `cargo run --example stun_client`.
#![allow(clippy::print_stdout)]

use std::net::{Ipv4Addr, SocketAddr};

use punchlab::base::{SimDuration, SimTime};
use punchlab::endpoint::{Endpoint, Failure, Host, Input};
use punchlab::lab::{Error, Scenario};

const NETWORK: &str = "
nats: { home: port-restricted-cone }
servers:
  stun-1: { stun: [3478/udp], address: 192.0.2.1 }
  stun-2: { stun: [3478/udp], address: 192.0.2.2 }
peers: { alice: { behind: home, ice-servers: [] } }
";

const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Asks its servers again and again until each has answered.
struct Client {
    servers: [SocketAddr; 2],
    seen: [Option<SocketAddr>; 2],
    socket: Option<SocketAddr>,
    again_at: Option<SimTime>,
}

impl Client {
    fn new() -> Self {
        let server = |last| SocketAddr::from(([192, 0, 2, last], 3478));
        Self { servers: [server(1), server(2)], seen: [None; 2], socket: None, again_at: None }
    }

    fn ask(&mut self, now: SimTime, host: &mut Host) -> Result<(), Failure> {
        let socket = self.socket.ok_or("it has no socket yet")?;
        for (server, _) in self.servers.iter().zip(self.seen).filter(|(_, seen)| seen.is_none()) {
            let mut request = vec![0x00, 0x01, 0x00, 0x00];
            request.extend(MAGIC_COOKIE);
            let mut transaction = [0; 12];
            host.random().fill(&mut transaction);
            request.extend(transaction);
            host.send(socket, *server, request)?;
        }
        self.again_at = Some(now + SimDuration::from_millis(500));
        Ok(())
    }
}

impl Endpoint for Client {
    fn handle(&mut self, now: SimTime, input: Input<'_>, host: &mut Host) -> Result<(), Failure> {
        match input {
            Input::Start => {
                self.socket = Some(host.bind(0)?);
                self.ask(now, host)?;
            }
            Input::Timeout => self.ask(now, host)?,
            Input::Datagram { from, payload, .. } => {
                if let Some(index) = self.servers.iter().position(|server| *server == from) {
                    self.seen[index] = xor_mapped_address(payload);
                }
            }
        }
        Ok(())
    }

    fn next_timeout(&self) -> Option<SimTime> {
        self.again_at.filter(|_| !self.is_done())
    }

    fn is_done(&self) -> bool {
        self.seen.iter().all(Option::is_some)
    }
}

/// XOR-MAPPED-ADDRESS (0x0020) of a message, if it is an IPv4 one (RFC 8489 §14.2).
fn xor_mapped_address(message: &[u8]) -> Option<SocketAddr> {
    let mut attributes = message.get(20..)?;
    while let [a, b, c, d, rest @ ..] = attributes {
        let (kind, length) = (u16::from_be_bytes([*a, *b]), usize::from(u16::from_be_bytes([*c, *d])));
        if let (0x0020, Some([_, 0x01, value @ ..])) = (kind, rest.get(..length)) {
            let [p, q, address @ ..]: [u8; 6] = value.try_into().ok()?;
            let port = u16::from_be_bytes([p ^ MAGIC_COOKIE[0], q ^ MAGIC_COOKIE[1]]);
            let octets: [u8; 4] = std::array::from_fn(|index| address[index] ^ MAGIC_COOKIE[index]);
            return Some((Ipv4Addr::from(octets), port).into());
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// What the two servers see of a client behind this kind of NAT.
fn seen_behind(nat: &str) -> Result<[Option<SocketAddr>; 2], Error> {
    let mut client = Client::new();
    let run =
        Scenario::text("stun", NETWORK).set("nats.home", nat).with_endpoint("alice", &mut client).run()?;
    run.assert_done();
    println!("{nat}: {:?}", client.seen);
    Ok(client.seen)
}

/// One NAT that keeps a mapping for all destinations, and one that does not.
pub fn main() -> Result<(), Error> {
    let [first, second] = seen_behind("port-restricted-cone")?;
    assert_eq!(first, second, "endpoint-independent mapping: one address for both");
    let [first, second] = seen_behind("symmetric")?;
    assert_ne!(first, second, "address-and-port-dependent mapping: a new port for each");
    Ok(())
}
