//! Interfaces that go, ICE restarts, and the end of a call.

use std::net::SocketAddr;

use super::super::conversation::IceCredentials;
use super::super::gatherer::{Gatherer, Incoming};
use super::super::retired::Servers as _;
use super::super::server_link::Way;
use super::super::{AgentConfig, DATA_FIRST_BYTE, Output, StreamEnd, StreamId, clock, seeded};
use super::{IsStack, local_candidate, refusal};
use crate::base::SimTime;
use crate::plan::IceState;
use crate::wire::signal::Description;

impl IsStack {
    /// A socket is gone. `is` forgets the candidates that were found through it, and with them their pairs.
    pub(super) fn lose_base(&mut self, now: SimTime, base: SocketAddr) {
        self.config.sockets.retain(|socket| *socket != base);
        self.retired.lose_base(base);
        let found = (0..self.introduced).filter_map(|index| self.gatherer.candidate(index));
        let gone: Vec<is::Candidate> = found
            .filter(|(_, through)| *through == base)
            .filter_map(|(candidate, through)| local_candidate(candidate, through))
            .collect();
        for candidate in gone {
            self.ice.call(|ice| ice.invalidate_candidate(&candidate));
        }
        self.gatherer.lose_base(base);
        if self.conversation.is_checking() && self.state != IceState::Failed {
            // Without it, `is` would see only at its next check that the pair it uses is gone.
            self.ice.call(|ice| ice.handle_timeout(clock::to_instant(now)));
        }
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
        let credentials = seeded::credentials(self.config.seed, &name);
        let ours = IceCredentials { ufrag: credentials.ufrag.clone(), password: credentials.pass.clone() };
        self.conversation.restart(now, generation, ours, offer, &mut self.out);
        let config = AgentConfig { name, sockets: sockets.to_vec(), ..self.config.clone() };
        self.retire(now, Gatherer::new(&config), config.sockets.clone());
        self.ice.call(|ice| ice.ice_restart(credentials, false));
        self.introduced = 0;
        self.ice_due = None;
        self.set_state(IceState::Checking);
        self.gatherer.start(now, &config, &mut self.streams, &mut self.out);
    }

    /// The call is over. `tell`: the peer does not know yet.
    pub(super) fn hang_up(&mut self, now: SimTime, tell: bool) {
        if !self.conversation.end(tell, &mut self.out) {
            return;
        }
        self.set_state(IceState::Closed);
        let none = Gatherer::new(&AgentConfig { sockets: Vec::new(), ..self.config.clone() });
        self.retire(now, none, Vec::new());
        self.retired.end(now);
    }

    /// Puts other servers and sockets in the place of those in use.
    fn retire(&mut self, now: SimTime, gatherer: Gatherer, sockets: Vec<SocketAddr>) {
        let pair = self.selected.take().filter(|_| self.state.is_connected());
        let old = std::mem::replace(&mut self.gatherer, gatherer);
        let old_sockets = std::mem::replace(&mut self.config.sockets, sockets);
        let pair = pair.map(|pair| (pair.local.address, pair.remote.address));
        self.retired.add(now, old_sockets, old, pair);
    }

    /// A stream to a server is open.
    pub(super) fn opened(&mut self, stream: StreamId) {
        match self.retired.servers_of(Way::Stream(stream)) {
            Some(servers) => servers.opened(stream),
            None => self.gatherer.opened(stream),
        }
    }

    /// A stream to a server is gone.
    pub(super) fn closed(&mut self, stream: StreamId, why: StreamEnd) {
        match self.retired.servers_of(Way::Stream(stream)) {
            Some(servers) => servers.closed(stream, why, &mut self.out),
            None => self.gatherer.closed(stream, why, &mut self.out),
        }
    }

    /// Takes what came to a socket, or over a stream, of before the last restart: servers' answers and data. False: it is none.
    pub(super) fn take_retired(&mut self, now: SimTime, way: Way, payload: &[u8]) -> bool {
        let Some(servers) = self.retired.servers_of(way) else { return false };
        let (from, relayed, data) = match servers.take(now, way, payload, &mut self.out) {
            Incoming::Answer => return true,
            Incoming::Relayed { peer, data, .. } => (peer, true, data),
            Incoming::Direct => match way {
                Way::Socket { from, .. } => (from, false, payload),
                // Peers are not at the end of any stream.
                Way::Stream(_) => return true,
            },
        };
        // Checks of the old pair are nobody's any more.
        if data.first().is_some_and(|first| DATA_FIRST_BYTE.contains(first)) {
            self.out.push_back(Output::Data { from, relayed, payload: data.to_vec() });
        }
        true
    }
}
