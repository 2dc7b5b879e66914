//! The client: drives the tests, whatever carries its packets.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::dialog::{Dialog, Outcome, Step};
use super::exchange::{Exchange, Patience};
use super::findings::Findings;
use super::script;
use crate::base::{Random, SimDuration, SimTime};

/// RFC 5780 §5: no more than ten new transactions a second.
const PACE: SimDuration = SimDuration::from_millis(100);

/// What to find out, and how patiently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// When silence counts as an answer.
    pub patience: Patience,
    /// True: find out how long mappings live, which takes as long as they do, several times over.
    pub lifetime: bool,
}

/// One of the client's sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub(super) u32);

/// What the client wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// Open a socket on any free port, and tell its address by [`Discovery::opened`].
    Open(SocketId),
    /// Send a datagram.
    Send {
        /// From this socket.
        socket: SocketId,
        /// Where to.
        to: SocketAddr,
        /// What it carries.
        payload: Vec<u8>,
    },
}

/// NAT behaviour discovery by a client that does no input or output of its own.
///
/// Start it with [`Discovery::handle_timeout`], then do what [`Discovery::poll`] wants after every input, until
/// [`Discovery::findings`] are there.
#[derive(Debug)]
pub struct Discovery {
    server: SocketAddr,
    options: Options,
    random: Random,
    /// The sockets that were asked for, and their addresses once they are open.
    sockets: Vec<(SocketId, Option<SocketAddr>)>,
    known: Vec<Outcome>,
    running: Option<Exchange>,
    next_start: SimTime,
    wants: VecDeque<Want>,
    findings: Option<Box<Findings>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { patience: Patience::SHORT, lifetime: false }
    }
}

impl Discovery {
    /// A client of this STUN server. `random` gives it its transaction ids, by which it knows answers from forgeries.
    pub const fn new(server: SocketAddr, options: Options, random: Random) -> Self {
        Self {
            server,
            options,
            random,
            sockets: Vec::new(),
            known: Vec::new(),
            running: None,
            next_start: SimTime::ZERO,
            wants: VecDeque::new(),
            findings: None,
        }
    }

    /// A socket it wanted is open, and has this address.
    pub fn opened(&mut self, now: SimTime, socket: SocketId, local: SocketAddr) {
        if let Some((_, address)) = self.sockets.iter_mut().find(|(id, _)| *id == socket) {
            *address = Some(local);
        }
        self.go_on(now);
    }

    /// A datagram came to one of its sockets. What is no answer to what it asked is ignored.
    pub fn datagram(&mut self, now: SimTime, socket: SocketId, from: SocketAddr, payload: &[u8]) {
        let local = |socket| local(&self.sockets, socket);
        let outcome = self.running.as_ref().and_then(|running| running.hear(socket, from, payload, local));
        if let Some(outcome) = outcome {
            self.note(outcome);
        }
        self.go_on(now);
    }

    /// The time it asked for has come, or it is to begin.
    pub fn handle_timeout(&mut self, now: SimTime) {
        self.go_on(now);
    }

    /// When it wants [`Discovery::handle_timeout`]; `None`: never.
    pub fn next_timeout(&self) -> Option<SimTime> {
        self.running.as_ref().filter(|running| self.has_sockets(running)).map(Exchange::due)
    }

    /// What it wants done next; `None`: nothing until the next input.
    pub fn poll(&mut self) -> Option<Want> {
        self.wants.pop_front()
    }

    /// What it found out, once it is done.
    pub fn findings(&self) -> Option<&Findings> {
        self.findings.as_deref()
    }

    fn note(&mut self, outcome: Outcome) {
        self.running = None;
        self.known.push(outcome);
    }

    /// Does all that can be done at `now`.
    fn go_on(&mut self, now: SimTime) {
        while self.findings.is_none() {
            let Some(mut running) = self.running.take() else {
                self.begin_next(now);
                continue;
            };
            if !self.has_sockets(&running) {
                self.running = Some(running);
                return;
            }
            let mut datagrams = Vec::new();
            let outcome = running.advance(now, &mut datagrams);
            self.wants.extend(datagrams.into_iter().map(|(socket, to, payload)| Want::Send {
                socket,
                to,
                payload,
            }));
            match outcome {
                Some(outcome) => self.note(outcome),
                None => {
                    self.running = Some(running);
                    return;
                }
            }
        }
    }

    /// Runs the tests with all that is known, as far as they come.
    fn begin_next(&mut self, now: SimTime) {
        match script::findings(&mut Dialog::new(&self.known), self.server, &self.options) {
            Ok(findings) => self.findings = Some(Box::new(findings)),
            Err(step) => self.begin(now, step),
        }
    }

    fn begin(&mut self, now: SimTime, step: Step) {
        let start = now.max(self.next_start);
        if !matches!(step, Step::Wait(_)) {
            self.next_start = start + PACE;
        }
        let running = Exchange::new(step, self.options.patience, start, &mut self.random);
        for socket in running.sockets() {
            if !self.sockets.iter().any(|(id, _)| *id == socket) {
                self.sockets.push((socket, None));
                self.wants.push_back(Want::Open(socket));
            }
        }
        self.running = Some(running);
    }

    fn has_sockets(&self, exchange: &Exchange) -> bool {
        exchange.sockets().into_iter().all(|socket| local(&self.sockets, socket).is_some())
    }
}

fn local(sockets: &[(SocketId, Option<SocketAddr>)], socket: SocketId) -> Option<SocketAddr> {
    sockets.iter().find(|(id, _)| *id == socket).and_then(|(_, address)| *address)
}
