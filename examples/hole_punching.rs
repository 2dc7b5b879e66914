//! A protocol of one's own, hole punching without ICE, between two homes: once through NATs that let it, and once
//! through NATs that do not.
//!
//! Run it with `cargo run --example hole_punching`.
#![allow(clippy::print_stdout)]

use std::net::SocketAddr;

use punchlab::base::{SimDuration, SimTime};
use punchlab::endpoint::{Endpoint, Failure, Host, Input};
use punchlab::lab::{Error, Finished, Scenario};
use punchlab::plan::DropReason;

/// Two homes, and a meeting point on the internet.
pub const NETWORK: &str = "
nats: { home: port-restricted-cone, office: port-restricted-cone }
peers:
  meeting: { address: 192.0.2.10 }
  alice: { behind: home }
  bob: { behind: office }
";

/// How long a peer waits before it sends again.
const PATIENCE: SimDuration = SimDuration::from_millis(100);

/// Tells every peer that says hello where all the others are, as it sees them from the internet.
#[derive(Default)]
struct Meeting {
    guests: Vec<SocketAddr>,
}

impl Endpoint for Meeting {
    fn handle(&mut self, _now: SimTime, input: Input<'_>, host: &mut Host) -> Result<(), Failure> {
        match input {
            Input::Start => {
                host.bind(7000)?;
            }
            Input::Datagram { socket, from, .. } => {
                if !self.guests.contains(&from) {
                    self.guests.push(from);
                }
                for guest in &self.guests {
                    let others = self.guests.iter().filter(|other| *other != guest);
                    for other in others {
                        host.send(socket, *guest, format!("meet {other}"))?;
                    }
                }
            }
            Input::Timeout => {}
        }
        Ok(())
    }

    fn next_timeout(&self) -> Option<SimTime> {
        None
    }

    /// Nobody waits for a server.
    fn is_done(&self) -> bool {
        true
    }
}

/// Says hello to the meeting point, learns of the other peer, and sends to it until something comes back.
struct Puncher {
    meeting: SocketAddr,
    socket: Option<SocketAddr>,
    other: Option<SocketAddr>,
    heard: Option<SocketAddr>,
    answered: bool,
    again_at: Option<SimTime>,
}

impl Puncher {
    fn new(meeting: SocketAddr) -> Self {
        Self { meeting, socket: None, other: None, heard: None, answered: false, again_at: None }
    }

    fn knock(&mut self, now: SimTime, host: &mut Host) -> Result<(), Failure> {
        let Some(socket) = self.socket else { return Ok(()) };
        match (self.other, self.heard) {
            (None, _) => host.send(socket, self.meeting, "hello")?,
            (Some(other), None) => host.send(socket, other, "punch")?,
            (Some(_), Some(heard)) => host.send(socket, heard, "through")?,
        }
        self.again_at = Some(now + PATIENCE);
        Ok(())
    }
}

impl Endpoint for Puncher {
    fn handle(&mut self, now: SimTime, input: Input<'_>, host: &mut Host) -> Result<(), Failure> {
        match input {
            Input::Start => {
                self.socket = Some(host.bind(0)?);
                self.knock(now, host)?;
            }
            Input::Timeout => self.knock(now, host)?,
            Input::Datagram { from, payload, .. } if from == self.meeting => {
                let text = std::str::from_utf8(payload)?;
                self.other = text.strip_prefix("meet ").map(str::parse).transpose()?;
            }
            Input::Datagram { from, payload, .. } => {
                self.heard = Some(from);
                self.answered |= payload == b"through";
            }
        }
        Ok(())
    }

    fn next_timeout(&self) -> Option<SimTime> {
        self.again_at
    }

    /// Both ways work: the other has heard us, since it says so.
    fn is_done(&self) -> bool {
        self.answered
    }
}

/// Runs the network and tells whether both peers got through.
pub fn punch(network: &Scenario) -> Result<(bool, Finished), Error> {
    let meeting = SocketAddr::from(([192, 0, 2, 10], 7000));
    let (mut server, mut alice, mut bob) = (Meeting::default(), Puncher::new(meeting), Puncher::new(meeting));
    let run = network
        .with_endpoint("meeting", &mut server)
        .with_endpoint("alice", &mut alice)
        .with_endpoint("bob", &mut bob)
        .run()?;
    Ok((alice.answered && bob.answered, run))
}

/// Both networks.
pub fn main() -> Result<(), Error> {
    let network = Scenario::text("hole punching", NETWORK);

    let (through, run) = punch(&network)?;
    println!("{run}");
    assert!(through, "each mapping serves all destinations, so what the meeting point sees is the way in");

    let (through, run) = punch(&network.set("nats.office", "symmetric"))?;
    println!("{run}");
    assert!(!through, "bob's NAT takes a new port for alice, which nobody told her");
    let filtered = run.outcome().drops.iter().find(|drop| drop.reason == DropReason::NatFiltered);
    assert_eq!(filtered.map(|drop| drop.by.as_str()), Some("home"));
    Ok(())
}
