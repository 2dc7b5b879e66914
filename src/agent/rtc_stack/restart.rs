//! Interfaces that go, ICE restarts, and the end of a call.

use std::net::SocketAddr;

use sansio::Protocol as _;

use super::super::conversation::IceCredentials;
use super::super::retired::Servers as _;
use super::super::server_link::Way;
use super::super::{AgentConfig, DATA_FIRST_BYTE, Output, StreamEnd, StreamId, clock, seeded};
use super::server_client::News;
use super::{CandidateType, RtcStack, Selected, refusal};
use crate::base::SimTime;
use crate::plan::{IceState, Transport};
use crate::wire::signal::Description;

impl RtcStack {
    /// A socket is gone. rtc cannot be told to forget a local candidate: what it sends from this one goes nowhere, until it
    /// notices the silence.
    pub(super) fn lose_base(&mut self, base: SocketAddr) {
        self.config.sockets.retain(|socket| *socket != base);
        self.retired.lose_base(base);
        self.servers.lose_base(base);
    }

    /// Restarts ICE. Sockets it has no use for are closed.
    pub(super) fn restart(&mut self, now: SimTime, sockets: &[SocketAddr], offer: Option<&Description>) {
        let refused = offer.and_then(refusal);
        let generation = self.conversation.next_generation(offer).filter(|_| refused.is_none());
        self.out.extend(refused.map(Output::Trouble));
        let Some(generation) = generation else {
            self.out.extend(sockets.iter().map(|socket| Output::CloseSocket(*socket)));
            return;
        };
        self.restarts += 1;
        let name = format!("{} restart {}", self.config.name, self.restarts);
        let is::IceCreds { ufrag, pass } = seeded::credentials(self.config.seed, &name);
        let ours = IceCredentials { ufrag: ufrag.clone(), password: pass.clone() };
        self.conversation.restart(now, generation, ours, offer, &mut self.out);
        self.retire(now, sockets.to_vec());
        self.local.clear();
        // What it still wanted to send is of the old session.
        while self.ice.poll_write().is_some() {}
        if let Err(error) = self.ice.restart(clock::to_instant(now), ufrag, pass, false) {
            self.out.push_back(Output::Trouble(error.to_string()));
        }
        while self.ice.poll_event().is_some() {}
        self.set_state(IceState::Checking);
        for base in sockets {
            self.add_local(CandidateType::Host, *base, *base, None, Transport::Udp);
        }
        let config = AgentConfig { name, sockets: sockets.to_vec(), ..self.config.clone() };
        self.servers.start(now, &config, &self.crypto, &mut self.streams, &mut self.out);
    }

    /// The call is over. `tell`: the peer does not know yet.
    pub(super) fn hang_up(&mut self, now: SimTime, tell: bool) {
        if !self.conversation.end(tell, &mut self.out) {
            return;
        }
        self.set_state(IceState::Closed);
        self.retire(now, Vec::new());
        self.retired.end(now);
    }

    /// Puts other sockets, and servers that have not been asked for anything, in the place of those in use.
    fn retire(&mut self, now: SimTime, sockets: Vec<SocketAddr>) {
        let pair = self.selected.take().filter(|_| self.state.is_connected());
        let old = std::mem::take(&mut self.servers);
        let old_sockets = std::mem::replace(&mut self.config.sockets, sockets);
        let pair = pair.map(|Selected { pair, base }| (base, pair.remote.address));
        self.retired.add(now, old_sockets, old, pair);
    }

    /// A stream to a server is open.
    pub(super) fn opened(&mut self, stream: StreamId) {
        match self.retired.servers_of(Way::Stream(stream)) {
            Some(servers) => servers.opened(stream),
            None => self.servers.opened(stream),
        }
    }

    /// A stream to a server is gone.
    pub(super) fn closed(&mut self, stream: StreamId, why: StreamEnd) {
        match self.retired.servers_of(Way::Stream(stream)) {
            Some(servers) => servers.closed(stream, why, &mut self.out),
            None => self.servers.closed(stream, why, &mut self.out),
        }
    }

    /// Takes what came to a socket, or over a stream, of before the last restart: servers' answers and data. False: it is none.
    pub(super) fn take_retired(&mut self, now: SimTime, way: Way, payload: &[u8]) -> bool {
        let Some(servers) = self.retired.servers_of(way) else { return false };
        let mut data = Vec::new();
        if servers.take(now, way, payload, &mut self.out) {
            while let Some(news) = servers.next_news() {
                if let News::Data { peer, data: relayed, .. } = news {
                    data.push((peer, true, relayed));
                }
            }
        } else if let Way::Socket { from, .. } = way {
            data.push((from, false, payload.to_vec()));
        }
        // Checks of the old pair are nobody's any more.
        data.retain(|(.., bytes)| bytes.first().is_some_and(|first| DATA_FIRST_BYTE.contains(first)));
        self.out.extend(data.into_iter().map(|(from, relayed, payload)| Output::Data {
            from,
            relayed,
            payload,
        }));
        true
    }
}
