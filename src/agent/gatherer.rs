//! Gathering candidates (RFC 8445 §5.1.1), and the way to the peer through relays.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use super::stun_client::{Answer, StunClient};
use super::transaction::{Step, TransactionIds};
use super::turn_client::{Allocation, Tools, TurnClient};
use super::{AgentConfig, Output};
use crate::base::{SimDuration, SimTime};
use crate::plan::{CandidateType, IceServerKind};
use crate::wire::Candidate;
use crate::wire::stun::{Class, Kind, Message, classify};

/// RFC 8445 §14.2: transactions begin no closer to each other than this.
pub(super) const TA: SimDuration = SimDuration::from_millis(50);

/// Finds out which candidates an agent has, and keeps them alive.
#[derive(Debug)]
pub(super) struct Gatherer {
    socket: SocketAddr,
    max_candidates: usize,
    ids: TransactionIds,
    stun: Vec<StunClient>,
    turn: Vec<TurnClient>,
    candidates: Vec<Candidate>,
    foundations: Vec<Foundation>,
    /// Addresses of the peer's candidates, for which every relay needs a permission.
    peers: Vec<IpAddr>,
    /// True until a pair is selected: mappings learned from STUN servers may still be needed.
    keep_alive: bool,
}

/// RFC 8445 §5.1.1.3: candidates that agree in all of these (and in the transport, UDP here) share a foundation.
#[derive(Debug, PartialEq, Eq)]
struct Foundation {
    kind: CandidateType,
    base: IpAddr,
    server: Option<IpAddr>,
}

/// What a datagram turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    /// A server's answer, which has been dealt with.
    Answer,
    /// Data from `peer` that a server relayed from our address `relayed`.
    Relayed { relayed: SocketAddr, peer: SocketAddr, data: &'a [u8] },
    /// Nothing a server says: it comes straight from a peer.
    Direct,
}

impl Gatherer {
    /// A gatherer that has not begun.
    pub(super) fn new(config: &AgentConfig) -> Self {
        Self {
            socket: config.socket,
            max_candidates: config.max_candidates,
            ids: TransactionIds::new(config.seed, &config.name),
            stun: Vec::new(),
            turn: Vec::new(),
            candidates: Vec::new(),
            foundations: Vec::new(),
            peers: Vec::new(),
            keep_alive: true,
        }
    }

    /// Takes the host candidate and asks every server, one each [`TA`].
    pub(super) fn start(&mut self, now: SimTime, config: &AgentConfig, out: &mut VecDeque<Output>) {
        self.add(CandidateType::Host, self.socket, None, None, out);
        let mut start = now;
        for server in &config.ice_servers {
            let address = server.address;
            if address.is_ipv4() != self.socket.is_ipv4() {
                out.push_back(Output::Trouble(format!(
                    "{} server {address}: the socket {} is of the other address family",
                    server.kind, self.socket
                )));
                continue;
            }
            match server.kind {
                IceServerKind::Stun => self.stun.push(StunClient::new(address, &mut self.ids, start)),
                IceServerKind::Turn => {
                    let credentials = server.credentials.clone();
                    let ipv6 = self.socket.is_ipv6();
                    self.turn.push(TurnClient::new(address, ipv6, credentials, &mut self.ids, start));
                }
            }
            start += TA;
        }
    }

    /// All candidates found so far, in the order in which they were found.
    pub(super) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// True once every transaction that may yield a candidate has ended.
    pub(super) fn is_complete(&self) -> bool {
        self.stun.iter().all(StunClient::has_ended) && self.turn.iter().all(TurnClient::has_ended)
    }

    /// Sees whether a datagram comes from one of the servers.
    pub(super) fn take<'a>(
        &mut self,
        now: SimTime,
        from: SocketAddr,
        payload: &'a [u8],
        out: &mut VecDeque<Output>,
    ) -> Incoming<'a> {
        let is_stun = self.stun.iter().any(|client| client.server() == from);
        if !is_stun && !self.turn.iter().any(|client| client.server() == from) {
            return Incoming::Direct;
        }
        match classify(payload) {
            Kind::Channel => self.unwrap(from, |client| client.read_channel(payload)),
            Kind::Stun => match Message::parse(payload) {
                None => Incoming::Direct,
                Some(message) if message.class() == Class::Indication => {
                    self.unwrap(from, |client| client.read_indication(&message))
                }
                Some(message) if message.class() == Class::Request => Incoming::Direct,
                Some(message) if self.take_answer(now, from, &message, out) => Incoming::Answer,
                Some(_) => Incoming::Direct,
            },
            Kind::Data => Incoming::Direct,
        }
    }

    fn unwrap<'a>(
        &self,
        server: SocketAddr,
        read: impl Fn(&TurnClient) -> Option<(SocketAddr, &'a [u8])>,
    ) -> Incoming<'a> {
        let mut clients = self.turn.iter().filter(|client| client.server() == server);
        let relayed = clients.find_map(|client| {
            let (relayed, (peer, data)) = client.relayed().zip(read(client))?;
            Some(Incoming::Relayed { relayed, peer, data })
        });
        relayed.unwrap_or(Incoming::Direct)
    }

    /// False if no transaction with this server waits for `message`.
    fn take_answer(
        &mut self,
        now: SimTime,
        from: SocketAddr,
        message: &Message<'_>,
        out: &mut VecDeque<Output>,
    ) -> bool {
        let id = message.transaction();
        if let Some(client) =
            self.stun.iter_mut().find(|client| client.server() == from && client.expects(id))
        {
            match client.answer(now, message) {
                Answer::Mapped(mapped) => self.add_reflexive(mapped, from, out),
                Answer::Refused(code) => {
                    let why = code.map_or("an answer without an address".to_owned(), |code| code.to_string());
                    out.push_back(Output::Trouble(format!("STUN server {from}: Binding failed: {why}")));
                }
            }
            return true;
        }
        let Some(index) = self.turn.iter().position(|client| client.server() == from && client.expects(id))
        else {
            return false;
        };
        let allocation = self.turn[index].answer(now, message, &mut Tools { ids: &mut self.ids, out });
        self.settle(now, index, allocation, out);
        true
    }

    /// Draws the consequences of what became of an allocation.
    fn settle(
        &mut self,
        now: SimTime,
        index: usize,
        allocation: Option<Allocation>,
        out: &mut VecDeque<Output>,
    ) {
        let server = self.turn[index].server();
        match allocation {
            Some(Allocation::Made { relayed, mapped }) => {
                if let Some(mapped) = mapped {
                    self.add_reflexive(mapped, server, out);
                }
                self.add(CandidateType::Relayed, relayed, mapped, Some(server.ip()), out);
                for peer in &self.peers {
                    self.turn[index].permit(now, *peer, &mut Tools { ids: &mut self.ids, out });
                }
            }
            // RFC 8445 §5.1.1.2: what lacks the resources for an allocation can still tell the mapped address.
            Some(Allocation::Refused { busy: true }) => {
                self.stun.push(StunClient::new(server, &mut self.ids, now));
            }
            Some(Allocation::Refused { busy: false }) | None => {}
        }
    }

    fn add_reflexive(&mut self, mapped: SocketAddr, server: SocketAddr, out: &mut VecDeque<Output>) {
        self.add(CandidateType::ServerReflexive, mapped, Some(self.socket), Some(server.ip()), out);
    }

    /// Adds a candidate unless it is redundant: the same transport address and base as another's (§5.1.3).
    fn add(
        &mut self,
        kind: CandidateType,
        address: SocketAddr,
        related: Option<SocketAddr>,
        server: Option<IpAddr>,
        out: &mut VecDeque<Output>,
    ) {
        if !is_usable(address) || address.is_ipv4() != self.socket.is_ipv4() {
            out.push_back(Output::Trouble(format!(
                "{kind} candidate {address} is not an address to send to"
            )));
            return;
        }
        let redundant = self.candidates.iter().any(|other| other.address == address);
        if redundant || self.candidates.len() >= self.max_candidates {
            return;
        }
        // A host candidate and a relayed one are their own base (§5.1.1.1, §5.1.1.2).
        let base = if kind == CandidateType::ServerReflexive { self.socket } else { address };
        let foundation = self.foundation(Foundation { kind, base: base.ip(), server });
        let same_kind = self.candidates.iter().filter(|other| other.kind == kind).count();
        let candidate = Candidate {
            foundation,
            priority: Candidate::priority_of(type_preference(kind), local_preference(same_kind)),
            address,
            kind,
            related,
        };
        out.push_back(Output::Gathered(candidate.clone()));
        self.candidates.push(candidate);
    }

    fn foundation(&mut self, wanted: Foundation) -> String {
        let known = self.foundations.iter().position(|known| *known == wanted);
        let index = known.unwrap_or(self.foundations.len());
        if known.is_none() {
            self.foundations.push(wanted);
        }
        (index + 1).to_string()
    }

    /// Sees to it that every relay lets `peer` through, now or as soon as it is allocated (RFC 8445 §7.2.1).
    pub(super) fn permit(&mut self, now: SimTime, peer: IpAddr, out: &mut VecDeque<Output>) {
        if self.peers.contains(&peer) {
            return;
        }
        self.peers.push(peer);
        for client in &mut self.turn {
            client.permit(now, peer, &mut Tools { ids: &mut self.ids, out });
        }
    }

    /// True if `address` is one of our relayed transport addresses.
    pub(super) fn is_relayed(&self, address: SocketAddr) -> bool {
        self.turn.iter().any(|client| client.relayed() == Some(address))
    }

    /// Sends `data` to `peer` from our relayed address `relayed`; nothing if there is no such allocation any more.
    pub(super) fn send_relayed(
        &mut self,
        now: SimTime,
        relayed: SocketAddr,
        peer: SocketAddr,
        data: Vec<u8>,
        out: &mut VecDeque<Output>,
    ) {
        if let Some(client) = self.turn.iter_mut().find(|client| client.relayed() == Some(relayed)) {
            client.send(now, peer, data, &mut Tools { ids: &mut self.ids, out });
        }
    }

    /// A pair was selected. Its relay, if any, gets a channel; mappings need no more keepalives of ours.
    pub(super) fn selected(
        &mut self,
        now: SimTime,
        source: SocketAddr,
        peer: SocketAddr,
        out: &mut VecDeque<Output>,
    ) {
        self.keep_alive = false;
        if let Some(client) = self.turn.iter_mut().find(|client| client.relayed() == Some(source)) {
            client.bind(now, peer, &mut Tools { ids: &mut self.ids, out });
        }
    }

    /// When it wants [`Gatherer::step`].
    pub(super) fn due(&self) -> Option<SimTime> {
        let stun = self.stun.iter().filter_map(|client| client.due(self.keep_alive));
        stun.chain(self.turn.iter().filter_map(TurnClient::due)).min()
    }

    /// Does what is due at `now`.
    pub(super) fn step(&mut self, now: SimTime, out: &mut VecDeque<Output>) {
        if self.due().is_none_or(|due| now < due) {
            return;
        }
        for client in &mut self.stun {
            match client.step(now, &mut self.ids, self.keep_alive) {
                Step::Wait => {}
                Step::Send(payload) => out.push_back(Output::Transmit { to: client.server(), payload }),
                Step::Fail => {
                    let server = client.server();
                    out.push_back(Output::Trouble(format!(
                        "STUN server {server}: Binding failed: no answer"
                    )));
                }
            }
        }
        for index in 0..self.turn.len() {
            let allocation = self.turn[index].step(now, &mut Tools { ids: &mut self.ids, out });
            self.settle(now, index, allocation, out);
        }
    }
}

/// The type preferences of `is`, which ranks a relay over UDP above those over TCP as libwebrtc does. Both agents
/// must compute a pair's priority from the same numbers (RFC 8445 §6.1.2.3), or each ends up on a pair of its own.
fn type_preference(kind: CandidateType) -> u8 {
    match kind {
        CandidateType::Relayed => 2,
        _ => Candidate::type_preference(kind),
    }
}

/// RFC 8445 §5.1.2.1: 65535 for an only candidate, and one of its own for each further one of a type.
pub(super) fn local_preference(same_kind: usize) -> u16 {
    u16::MAX - u16::try_from(same_kind).unwrap_or(u16::MAX)
}

/// True for an address that datagrams can be sent to: not what a broken or forged message may hold.
pub(super) fn is_usable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !ip.is_loopback() && !broadcast
}
