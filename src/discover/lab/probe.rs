//! The client as a peer's program.

use std::net::SocketAddr;

use crate::base::{Random, SimTime};
use crate::discover::{Discovery, Findings, Options, SocketId, Want};
use crate::endpoint::{Endpoint, Failure, Host, Input};

/// A [`Discovery`] and its sockets.
pub(super) struct Probe {
    discovery: Discovery,
    sockets: Vec<(SocketId, SocketAddr)>,
}

impl Probe {
    /// A client of `server` behind the box called `name`.
    pub(super) fn new(server: SocketAddr, options: Options, seed: u64, name: &str) -> Self {
        let random = Random::stream(seed, name, "discovery");
        Self { discovery: Discovery::new(server, options, random), sockets: Vec::new() }
    }

    /// What it found out, if it came to an end.
    pub(super) fn into_findings(self) -> Option<Findings> {
        self.discovery.findings().cloned()
    }

    fn fulfil(&mut self, now: SimTime, host: &mut Host) -> Result<(), Failure> {
        while let Some(want) = self.discovery.poll() {
            match want {
                Want::Open(id) => {
                    let address = host.bind(0)?;
                    self.sockets.push((id, address));
                    self.discovery.opened(now, id, address);
                }
                Want::Send { socket, to, payload } => {
                    if let Some((_, address)) = self.sockets.iter().find(|(id, _)| *id == socket) {
                        host.send(*address, to, payload)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Endpoint for Probe {
    fn handle(&mut self, now: SimTime, input: Input<'_>, host: &mut Host) -> Result<(), Failure> {
        match input {
            Input::Start | Input::Timeout => self.discovery.handle_timeout(now),
            Input::Datagram { socket, from, payload } => {
                if let Some((id, _)) = self.sockets.iter().find(|(_, address)| *address == socket) {
                    self.discovery.datagram(now, *id, from, payload);
                }
            }
        }
        self.fulfil(now, host)
    }

    fn next_timeout(&self) -> Option<SimTime> {
        self.discovery.next_timeout()
    }

    fn is_done(&self) -> bool {
        self.discovery.findings().is_some()
    }
}
