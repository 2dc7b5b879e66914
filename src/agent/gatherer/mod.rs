//! Gathering candidates (RFC 8445 §5.1.1), and the way to the peer through relays.

mod preference;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

pub(super) use self::preference::Families;
use super::port_mapping::PortMapper;
use super::server_link::{ServerLink, Tools};
use super::stun_client::{Answer, StunClient};
use super::transaction::TransactionIds;
use super::turn_client::{Allocation, TurnClient};
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
    max_candidates: usize,
    families: Families,
    ids: TransactionIds,
    /// `None`: there is no NAT to ask for mappings.
    mapper: Option<PortMapper>,
    stun: Vec<StunClient>,
    turn: Vec<TurnClient>,
    candidates: Vec<Candidate>,
    /// The base through which each of them was found, in the same order.
    found_through: Vec<SocketAddr>,
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
            max_candidates: config.max_candidates,
            families: Families::of(&config.sockets),
            ids: TransactionIds::new(config.seed, &config.name),
            mapper: None,
            stun: Vec::new(),
            turn: Vec::new(),
            candidates: Vec::new(),
            found_through: Vec::new(),
            foundations: Vec::new(),
            peers: Vec::new(),
            keep_alive: true,
        }
    }

    /// Takes the host candidates and asks the nearest NAT for mappings and every server from every base of its family, one
    /// each [`TA`]. The NAT comes first: it answers soonest, and what it maps is what servers then see.
    pub(super) fn start(&mut self, now: SimTime, config: &AgentConfig, out: &mut VecDeque<Output>) {
        for base in &config.sockets {
            self.add(CandidateType::Host, *base, *base, None, None, out);
        }
        self.mapper = PortMapper::new(config, now, TA);
        let mut start = now + TA.times(self.mapper.as_ref().map_or(0, PortMapper::len) as u64);
        for server in &config.ice_servers {
            for link in ServerLink::all(server, &config.sockets, out) {
                match server.kind {
                    IceServerKind::Stun => self.stun.push(StunClient::new(link, &mut self.ids, start)),
                    IceServerKind::Turn => {
                        let credentials = server.credentials.clone();
                        self.turn.push(TurnClient::new(link, credentials, &mut self.ids, start));
                    }
                }
                start += TA;
            }
        }
    }

    /// All candidates found so far, in the order in which they were found.
    pub(super) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The candidate with this index, and the base through which it was found.
    pub(super) fn candidate(&self, index: usize) -> Option<(&Candidate, SocketAddr)> {
        self.candidates.get(index).zip(self.found_through.get(index).copied())
    }

    /// True once every transaction that may yield a candidate has ended.
    pub(super) fn is_complete(&self) -> bool {
        self.mapper.as_ref().is_none_or(PortMapper::has_ended)
            && self.stun.iter().all(StunClient::has_ended)
            && self.turn.iter().all(TurnClient::has_ended)
    }

    /// Sees whether a datagram that came to `socket` comes from one of the servers.
    pub(super) fn take<'a>(
        &mut self,
        now: SimTime,
        socket: SocketAddr,
        from: SocketAddr,
        payload: &'a [u8],
        out: &mut VecDeque<Output>,
    ) -> Incoming<'a> {
        if let Some(mapper) = self.mapper.as_mut().filter(|mapper| mapper.is_way_of(socket, from)) {
            let gateway = mapper.gateway();
            if let Some(mapped) = mapper.take(now, socket, payload, out) {
                self.add_reflexive(mapped.external, mapped.base, gateway, out);
            }
            return Incoming::Answer;
        }
        let Some(link) = self.links().find(|link| link.is_way_of(socket, from)) else {
            return Incoming::Direct;
        };
        match classify(payload) {
            Kind::Channel => self.unwrap(link, |client| client.read_channel(payload)),
            Kind::Stun => match Message::parse(payload) {
                None => Incoming::Direct,
                Some(message) if message.class() == Class::Indication => {
                    self.unwrap(link, |client| client.read_indication(&message))
                }
                Some(message) if message.class() == Class::Request => Incoming::Direct,
                Some(message) if self.take_answer(now, link, &message, out) => Incoming::Answer,
                Some(_) => Incoming::Direct,
            },
            Kind::Data => Incoming::Direct,
        }
    }

    fn links(&self) -> impl Iterator<Item = ServerLink> {
        self.stun.iter().map(StunClient::link).chain(self.turn.iter().map(TurnClient::link))
    }

    fn unwrap<'a>(
        &self,
        link: ServerLink,
        read: impl Fn(&TurnClient) -> Option<(SocketAddr, &'a [u8])>,
    ) -> Incoming<'a> {
        let mut clients = self.turn.iter().filter(|client| client.link() == link);
        let relayed = clients.find_map(|client| {
            let (relayed, (peer, data)) = client.relayed().zip(read(client))?;
            Some(Incoming::Relayed { relayed, peer, data })
        });
        relayed.unwrap_or(Incoming::Direct)
    }

    /// False if no transaction on this link waits for `message`.
    fn take_answer(
        &mut self,
        now: SimTime,
        link: ServerLink,
        message: &Message<'_>,
        out: &mut VecDeque<Output>,
    ) -> bool {
        let id = message.transaction();
        if let Some(client) = self.stun.iter_mut().find(|client| client.link() == link && client.expects(id))
        {
            match client.answer(now, message) {
                Answer::Mapped(mapped) => {
                    self.add_reflexive(mapped, link.base(), link.server().ip(), out);
                }
                Answer::Refused(code) => {
                    let server = link.server();
                    let why = code.map_or("an answer without an address".to_owned(), |code| code.to_string());
                    out.push_back(Output::Trouble(format!("STUN server {server}: Binding failed: {why}")));
                }
            }
            return true;
        }
        let Some(index) = self.turn.iter().position(|client| client.link() == link && client.expects(id))
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
        let link = self.turn[index].link();
        match allocation {
            Some(Allocation::Made { relayed, mapped }) => {
                if let Some(mapped) = mapped {
                    self.add_reflexive(mapped, link.base(), link.server().ip(), out);
                }
                let server = Some(link.server().ip());
                self.add(CandidateType::Relayed, relayed, link.base(), mapped, server, out);
                for peer in &self.peers {
                    self.turn[index].permit(now, *peer, &mut Tools { ids: &mut self.ids, out });
                }
            }
            // RFC 8445 §5.1.1.2: what lacks the resources for an allocation can still tell the mapped address.
            Some(Allocation::Refused { busy: true }) => {
                self.stun.push(StunClient::new(link, &mut self.ids, now));
            }
            Some(Allocation::Refused { busy: false }) | None => {}
        }
    }

    /// The base's address outside, as a server saw it or as the NAT promised it.
    fn add_reflexive(
        &mut self,
        mapped: SocketAddr,
        base: SocketAddr,
        server: IpAddr,
        out: &mut VecDeque<Output>,
    ) {
        self.add(CandidateType::ServerReflexive, mapped, base, Some(base), Some(server), out);
    }

    /// Adds a candidate that was found through `base` unless it is redundant: the same transport address and base as
    /// another's (§5.1.3). Two bases never share an address, not even a mapped one.
    fn add(
        &mut self,
        kind: CandidateType,
        address: SocketAddr,
        base: SocketAddr,
        related: Option<SocketAddr>,
        server: Option<IpAddr>,
        out: &mut VecDeque<Output>,
    ) {
        if !is_usable(address) || address.is_ipv4() != base.is_ipv4() {
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
        let own_base = if kind == CandidateType::ServerReflexive { base } else { address };
        let foundation = self.foundation(Foundation { kind, base: own_base.ip(), server });
        let is_alike =
            |other: &&Candidate| other.kind == kind && other.address.is_ipv4() == address.is_ipv4();
        let earlier = self.candidates.iter().filter(is_alike).count();
        let local_preference = self.families.local_preference(address, earlier);
        let candidate = Candidate {
            foundation,
            priority: Candidate::priority_of(type_preference(kind), local_preference),
            address,
            kind,
            related,
        };
        out.push_back(Output::Gathered(candidate.clone()));
        self.candidates.push(candidate);
        self.found_through.push(base);
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
        let mapper = self.mapper.iter().filter_map(PortMapper::due);
        mapper.chain(stun).chain(self.turn.iter().filter_map(TurnClient::due)).min()
    }

    /// Does what is due at `now`.
    pub(super) fn step(&mut self, now: SimTime, out: &mut VecDeque<Output>) {
        if self.due().is_none_or(|due| now < due) {
            return;
        }
        if let Some(mapper) = &mut self.mapper {
            mapper.step(now, out);
        }
        for client in &mut self.stun {
            if client.step(now, self.keep_alive, &mut Tools { ids: &mut self.ids, out }) {
                let server = client.link().server();
                out.push_back(Output::Trouble(format!("STUN server {server}: Binding failed: no answer")));
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

/// True for an address that datagrams can be sent to: not what a broken or forged message may hold.
pub(super) fn is_usable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !ip.is_loopback() && !broadcast
}
