//! All STUN and TURN servers of an agent, and the NATs it asks for mappings: who a datagram belongs to, and the way to the peer through relays.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use rtc_ice::crypto::RTCCryptoProvider;

use super::super::gatherer::TA;
use super::super::port_mapping::{Mapped, PortMappers};
use super::super::retired;
use super::super::server_link::{ServerLink, StreamIds, Way};
use super::super::{AgentConfig, Output, StreamEnd, StreamId};
use super::server_client::{News, ServerClient, Sink};
use crate::base::SimTime;
use crate::plan::{IceServer, IceServerKind};
use crate::wire::stun::{Class, Kind, Message, classify};

/// The clients of all servers.
#[derive(Default)]
pub(super) struct Servers {
    clients: Vec<ServerClient>,
    mappers: PortMappers,
    /// The peer's candidates, for which every relay needs a permission.
    peers: Vec<SocketAddr>,
    /// What the clients found out, in order.
    news: VecDeque<News>,
}

impl Servers {
    /// Asks the nearest NATs for mappings, and every server from every base of its family, all at once: rtc's clients know
    /// no pacing. The NATs come first: they answer soonest, and what they map is what servers then see.
    pub(super) fn start(
        &mut self,
        now: SimTime,
        config: &AgentConfig,
        crypto: &Arc<dyn RTCCryptoProvider>,
        streams: &mut StreamIds,
        out: &mut VecDeque<Output>,
    ) {
        self.mappers = PortMappers::new(config, now, TA);
        self.mappers.step(now, out);
        for server in &config.ice_servers {
            for link in ServerLink::all(server, &config.sockets, streams, out) {
                match ServerClient::new(link, server, crypto) {
                    Ok(client) => self.clients.push(client),
                    Err(error) => {
                        let IceServer { kind, address, .. } = server;
                        out.push_back(Output::Trouble(format!("{kind} server {address}: {error}")));
                    }
                }
            }
        }
        for index in 0..self.clients.len() {
            let (before, rest) = self.clients.split_at_mut(index);
            let Some(client) = rest.first_mut() else { continue };
            let mut sink = Sink { out, news: &mut self.news };
            // One server of two URIs tells a base's mapped address once; that of a stream is of no use to datagrams.
            let is_stream = client.link().stream().is_some();
            if !is_stream && before.iter().all(|other| other.link() != client.link()) {
                client.ask_binding(now, &mut sink);
            }
            if client.kind() == IceServerKind::Turn {
                client.ask_allocation(now, &mut sink);
            }
        }
    }

    /// True once every transaction that may yield a candidate has ended.
    pub(super) fn is_complete(&self) -> bool {
        self.mappers.have_ended() && self.clients.iter().all(ServerClient::has_ended)
    }

    /// Takes what came by `way` if it comes from a server and is one of its answers, or carries relayed data, or comes from
    /// a NAT that maps ports.
    pub(super) fn take(
        &mut self,
        now: SimTime,
        way: Way,
        payload: &[u8],
        out: &mut VecDeque<Output>,
    ) -> bool {
        if let Some((mapped, _)) = self.mappers.take(now, way, payload, out) {
            let tell = |Mapped { base, external }| News::Mapped { base, mapped: external };
            self.news.extend(mapped.map(tell));
            return true;
        }
        let Some(index) = self.addressee(way, payload) else { return false };
        self.clients[index].take(now, payload, &mut Sink { out, news: &mut self.news });
        true
    }

    /// rtc's client believes any sender, and several of them may share one server: told apart here.
    fn addressee(&self, way: Way, payload: &[u8]) -> Option<usize> {
        let is_way = |client: &ServerClient| client.link().is(way);
        let relays = || self.clients.iter().position(|client| is_way(client) && client.has_relay());
        match classify(payload) {
            Kind::Channel => relays(),
            Kind::Data => None,
            Kind::Stun => {
                let message = Message::parse(payload)?;
                match message.class() {
                    Class::Request => None,
                    Class::Indication => relays(),
                    Class::Success | Class::Error => self
                        .clients
                        .iter()
                        .position(|client| is_way(client) && client.expects(message.transaction())),
                }
            }
        }
    }

    /// What the clients found out next.
    pub(super) fn next_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// Sees to it that every relay lets `peer` through, now or as soon as it is allocated (RFC 8445 §7.2.1).
    pub(super) fn permit(&mut self, now: SimTime, peer: SocketAddr, out: &mut VecDeque<Output>) {
        if self.peers.contains(&peer) {
            return;
        }
        self.peers.push(peer);
        for client in &mut self.clients {
            client.permit(now, peer, &mut Sink { out, news: &mut self.news });
        }
    }

    /// A relay is there: it lets everybody through whom the others let through.
    pub(super) fn permit_all(&mut self, now: SimTime, relayed: SocketAddr, out: &mut VecDeque<Output>) {
        let Some(client) = self.clients.iter_mut().find(|client| client.relayed() == Some(relayed)) else {
            return;
        };
        for peer in &self.peers {
            client.permit(now, *peer, &mut Sink { out, news: &mut self.news });
        }
    }

    /// Sends `data` to `peer` from our relayed address `relayed`; nothing if there is no such allocation.
    pub(super) fn send_relayed(
        &mut self,
        now: SimTime,
        relayed: SocketAddr,
        peer: SocketAddr,
        data: &[u8],
        out: &mut VecDeque<Output>,
    ) {
        if let Some(client) = self.clients.iter_mut().find(|client| client.relayed() == Some(relayed)) {
            client.send(now, peer, data, &mut Sink { out, news: &mut self.news });
        }
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

    fn client_of(&mut self, stream: StreamId) -> Option<&mut ServerClient> {
        self.clients.iter_mut().find(|client| client.link().stream() == Some(stream))
    }

    /// Nothing is sent any more: no stream is needed.
    pub(super) fn close(&mut self, out: &mut VecDeque<Output>) {
        for client in &mut self.clients {
            client.close(out);
        }
    }

    /// When it wants [`Servers::step`].
    pub(super) fn due(&mut self) -> Option<SimTime> {
        let clients = self.clients.iter_mut().filter_map(ServerClient::due);
        clients.chain(self.mappers.due()).min()
    }

    /// Does what is due at `now`.
    pub(super) fn step(&mut self, now: SimTime, out: &mut VecDeque<Output>) {
        self.mappers.step(now, out);
        for client in &mut self.clients {
            client.step(now, &mut Sink { out, news: &mut self.news });
        }
    }
}

impl retired::Servers for Servers {
    fn release(&mut self, now: SimTime, out: &mut VecDeque<Output>) {
        self.mappers = PortMappers::default();
        for mut client in self.clients.extract_if(.., |client| !client.has_relay()) {
            client.close(out);
        }
        for client in &mut self.clients {
            client.release(now, &mut Sink { out, news: &mut self.news });
        }
    }

    fn is_released(&self) -> bool {
        self.clients.iter().all(|client| !client.has_relay())
    }

    fn lose_base(&mut self, base: SocketAddr) {
        self.mappers.lose_base(base);
        self.clients.retain(|client| client.link().base() != base);
    }

    fn knows(&self, stream: StreamId) -> bool {
        self.clients.iter().any(|client| client.link().stream() == Some(stream))
    }

    fn send_relayed(
        &mut self,
        now: SimTime,
        relayed: SocketAddr,
        peer: SocketAddr,
        data: &[u8],
        out: &mut VecDeque<Output>,
    ) {
        self.send_relayed(now, relayed, peer, data, out);
    }

    fn due(&mut self) -> Option<SimTime> {
        self.due()
    }

    fn step(&mut self, now: SimTime, out: &mut VecDeque<Output>) {
        self.step(now, out);
    }
}
