//! Gathering candidates (RFC 8445 §5.1.1), and the way to the peer through relays.

mod preference;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use self::preference::Families;
#[cfg(feature = "rtc")]
pub(super) use self::preference::highest;
use super::port_mapping::{Mapped, PortMappers};
use super::privacy::Privacy;
use super::retired;
use super::server_link::{ServerLink, StreamIds, Tools, Way};
use super::stun_client::{Answer, StunClient};
use super::transaction::TransactionIds;
use super::turn_client::{Allocation, TurnClient};
use super::{AgentConfig, Output, StreamEnd, StreamId};
use crate::base::{SimDuration, SimTime};
use crate::plan::{CandidateType, IceServerKind, Transport};
use crate::wire::Candidate;
use crate::wire::stun::{Class, Kind, Message, classify};

/// RFC 8445 §14.2: transactions begin no closer to each other than this.
pub(super) const TA: SimDuration = SimDuration::from_millis(50);

/// Finds out which candidates an agent has, and keeps them alive.
#[derive(Debug)]
pub(super) struct Gatherer {
    max_candidates: usize,
    privacy: Privacy,
    families: Families,
    ids: TransactionIds,
    mappers: PortMappers,
    stun: Vec<StunClient>,
    turn: Vec<TurnClient>,
    candidates: Vec<Candidate>,
    /// How each of them was found, in the same order.
    sources: Vec<Source>,
    foundations: Vec<Foundation>,
    /// Addresses of the peer's candidates, for which every relay needs a permission.
    peers: Vec<IpAddr>,
    /// True until a pair is selected: mappings learned from STUN servers may still be needed.
    keep_alive: bool,
}

/// RFC 8445 §5.1.1.3: candidates that agree in all of these share a foundation.
#[derive(Debug, PartialEq, Eq)]
struct Foundation {
    kind: CandidateType,
    base: IpAddr,
    server: Option<IpAddr>,
    /// What is spoken to the server.
    transport: Transport,
}

/// How a candidate was found.
#[derive(Debug, Clone, Copy)]
struct Source {
    /// The base it was found through.
    base: SocketAddr,
    /// The server that told of it.
    server: Option<IpAddr>,
    /// What is spoken to that server.
    transport: Transport,
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
            privacy: Privacy::of(config),
            families: Families::of(&config.sockets),
            ids: TransactionIds::new(config.seed, &config.name),
            mappers: PortMappers::default(),
            stun: Vec::new(),
            turn: Vec::new(),
            candidates: Vec::new(),
            sources: Vec::new(),
            foundations: Vec::new(),
            peers: Vec::new(),
            keep_alive: true,
        }
    }

    /// Takes the host candidates and asks the nearest NATs for mappings and every server from every base of its family, one
    /// each [`TA`]. The NATs come first: they answer soonest, and what they map is what servers then see.
    pub(super) fn start(
        &mut self,
        now: SimTime,
        config: &AgentConfig,
        streams: &mut StreamIds,
        out: &mut VecDeque<Output>,
    ) {
        for base in &config.sockets {
            let source = Source { base: *base, server: None, transport: Transport::Udp };
            self.add(CandidateType::Host, *base, source, None, out);
        }
        self.mappers = PortMappers::new(config, now, TA);
        let mut start = now + TA.times(self.mappers.len());
        for server in &config.ice_servers {
            for link in ServerLink::all(server, &config.sockets, streams, out) {
                match server.kind {
                    IceServerKind::Stun => self.stun.push(StunClient::new(link, &mut self.ids, start)),
                    IceServerKind::Turn => {
                        self.turn.push(TurnClient::new(link, server, &mut self.ids, start));
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
        self.candidates.get(index).zip(self.sources.get(index).map(|source| source.base))
    }

    /// True once every transaction that may yield a candidate has ended.
    pub(super) fn is_complete(&self) -> bool {
        self.mappers.have_ended()
            && self.stun.iter().all(StunClient::has_ended)
            && self.turn.iter().all(TurnClient::has_ended)
    }

    /// Sees whether what came by `way` comes from one of the servers.
    pub(super) fn take<'a>(
        &mut self,
        now: SimTime,
        way: Way,
        payload: &'a [u8],
        out: &mut VecDeque<Output>,
    ) -> Incoming<'a> {
        if let Some((mapped, gateway)) = self.mappers.take(now, way, payload, out) {
            if let Some(Mapped { base, external }) = mapped {
                let source = Source { base, server: Some(gateway), transport: Transport::Udp };
                self.add_reflexive(external, source, out);
            }
            return Incoming::Answer;
        }
        let Some(link) = self.links().find(|link| link.is(way)) else {
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
                    self.add_reflexive(mapped, Source::of(link), out);
                }
                Answer::Refused(code) => {
                    let why = code.map_or("an answer without an address".to_owned(), |code| code.to_string());
                    out.push_back(Output::Trouble(format!("STUN server {link}: Binding failed: {why}")));
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
                if let Some(mapped) = mapped.filter(|_| link.stream().is_none()) {
                    self.add_reflexive(mapped, Source::of(link), out);
                }
                self.add(CandidateType::Relayed, relayed, Source::of(link), mapped, out);
                for peer in &self.peers {
                    self.turn[index].permit(now, *peer, &mut Tools { ids: &mut self.ids, out });
                }
            }
            // RFC 8445 §5.1.1.2: what lacks the resources for an allocation can still tell the mapped address. That of a
            // stream is none that datagrams come to.
            Some(Allocation::Refused { busy: true }) if link.stream().is_none() => {
                self.stun.push(StunClient::new(link, &mut self.ids, now));
            }
            Some(Allocation::Refused { .. }) | None => {}
        }
    }

    /// The base's address outside, as a server saw it or as the NAT promised it.
    fn add_reflexive(&mut self, mapped: SocketAddr, source: Source, out: &mut VecDeque<Output>) {
        self.add(CandidateType::ServerReflexive, mapped, source, Some(source.base), out);
    }

    /// Adds a candidate unless it is redundant: the same transport address and base as
    /// another's (§5.1.3). Two bases never share an address, not even a mapped one.
    fn add(
        &mut self,
        kind: CandidateType,
        address: SocketAddr,
        source: Source,
        related: Option<SocketAddr>,
        out: &mut VecDeque<Output>,
    ) {
        let Source { base, server, transport } = source;
        if !is_plausible(kind, address, base) {
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
        let foundation = self.foundation(Foundation { kind, base: own_base.ip(), server, transport });
        let is_alike =
            |other: &&Candidate| other.kind == kind && other.address.is_ipv4() == address.is_ipv4();
        let earlier = self.candidates.iter().filter(is_alike).count();
        let local_preference = self.families.local_preference(address, earlier, transport);
        let candidate = Candidate {
            foundation,
            priority: Candidate::priority_of(type_preference(kind), local_preference),
            address,
            name: self.privacy.name_of(kind, address.ip()),
            kind,
            related,
        };
        out.push_back(Output::Gathered(candidate.clone()));
        self.candidates.push(candidate);
        self.sources.push(source);
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

    /// What is spoken to the server that relays for `address`; `None` if that is none of our relayed candidates.
    pub(super) fn relay_transport(&self, address: SocketAddr) -> Option<Transport> {
        let is_it =
            |candidate: &Candidate| candidate.kind == CandidateType::Relayed && candidate.address == address;
        let index = self.candidates.iter().position(is_it)?;
        self.sources.get(index).map(|source| source.transport)
    }

    /// A stream to a server is open.
    pub(super) fn opened(&mut self, stream: StreamId) {
        if let Some(client) = self.client_of(stream) {
            client.opened();
        }
    }

    /// A stream to a server is gone.
    pub(super) fn closed(&mut self, stream: StreamId, why: StreamEnd, out: &mut VecDeque<Output>) {
        if let Some(client) = self.client_of(stream) {
            client.closed(why, out);
        }
    }

    fn client_of(&mut self, stream: StreamId) -> Option<&mut TurnClient> {
        self.turn.iter_mut().find(|client| client.link().stream() == Some(stream))
    }

    /// Nothing is sent any more: no stream is needed.
    pub(super) fn close(&mut self, out: &mut VecDeque<Output>) {
        for client in &mut self.turn {
            client.close(out);
        }
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
        let turn = self.turn.iter().filter_map(TurnClient::due);
        self.mappers.due().into_iter().chain(stun).chain(turn).min()
    }

    /// Does what is due at `now`.
    pub(super) fn step(&mut self, now: SimTime, out: &mut VecDeque<Output>) {
        if self.due().is_none_or(|due| now < due) {
            return;
        }
        self.mappers.step(now, out);
        for client in &mut self.stun {
            if client.step(now, self.keep_alive, &mut Tools { ids: &mut self.ids, out }) {
                let server = client.link();
                out.push_back(Output::Trouble(format!("STUN server {server}: Binding failed: no answer")));
            }
        }
        for index in 0..self.turn.len() {
            let allocation = self.turn[index].step(now, &mut Tools { ids: &mut self.ids, out });
            self.settle(now, index, allocation, out);
        }
    }
}

impl retired::Servers for Gatherer {
    fn release(&mut self, now: SimTime, out: &mut VecDeque<Output>) {
        self.mappers = PortMappers::default();
        self.stun.clear();
        for client in &mut self.turn {
            client.release(now, &mut Tools { ids: &mut self.ids, out });
        }
    }

    fn is_released(&self) -> bool {
        self.turn.iter().all(TurnClient::is_over)
    }

    fn lose_base(&mut self, base: SocketAddr) {
        self.mappers.lose_base(base);
        self.stun.retain(|client| client.link().base() != base);
        self.turn.retain(|client| client.link().base() != base);
    }

    fn knows(&self, stream: StreamId) -> bool {
        self.turn.iter().any(|client| client.link().stream() == Some(stream))
    }

    fn send_relayed(
        &mut self,
        now: SimTime,
        relayed: SocketAddr,
        peer: SocketAddr,
        data: &[u8],
        out: &mut VecDeque<Output>,
    ) {
        self.send_relayed(now, relayed, peer, data.to_vec(), out);
    }

    fn due(&mut self) -> Option<SimTime> {
        Self::due(self)
    }

    fn step(&mut self, now: SimTime, out: &mut VecDeque<Output>) {
        self.step(now, out);
    }
}

impl Source {
    fn of(link: ServerLink) -> Self {
        Self { base: link.base(), server: Some(link.server().ip()), transport: link.transport() }
    }
}

/// The type preferences of `is`. Both agents must compute a pair's priority from the same numbers (RFC 8445
/// §6.1.2.3), or each ends up on a pair of its own. Relays over TCP, which are UDP candidates too, come after those over
/// UDP by their local preference.
fn type_preference(kind: CandidateType) -> u8 {
    match kind {
        CandidateType::Relayed => 2,
        _ => Candidate::type_preference(kind),
    }
}

/// True if a candidate of this kind may be found at `address` through `base`. Behind a NAT64 an IPv6 base is seen at an
/// IPv4 address (RFC 8445 §5.1.1.2), and a relay may be of either family.
pub(super) fn is_plausible(kind: CandidateType, address: SocketAddr, base: SocketAddr) -> bool {
    let of_family = kind == CandidateType::Relayed || address.is_ipv4() || base.is_ipv6();
    of_family && is_usable(address)
}

/// True for an address that datagrams can be sent to: not what a broken or forged message may hold.
pub(super) fn is_usable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !ip.is_loopback() && !broadcast
}
