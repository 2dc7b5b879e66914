//! The default stack: str0m's ICE agent (the crate `is`) with our own gatherer and TURN client.
//!
//! `is` pairs candidates, checks pairs and nominates; it is taken as it is, and where it departs from the RFCs
//! [`DEVIATIONS`] says so. What it leaves to its user is here: gathering, signalling, routing datagrams through
//! relays, and the decision that a call has failed.

mod deviations;
mod restart;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;

use is::stun::{StunMessage, StunPacket};
use is::{CandidateKind, IceAgentEvent, IceConnectionState, IceCreds, Protocol};

use super::conversation::{Conversation, IceCredentials};
use super::gatherer::{Gatherer, Incoming, TA};
use super::retired::Retired;
use super::seeded::{self, SeededIce};
use super::server_link::{StreamIds, Way};
use super::{AgentConfig, DATA_FIRST_BYTE, IceStack, Input, Output, StackError, StreamId, clock};
use crate::base::SimTime;
use crate::plan::{CandidateType, IceState, StackKind};
use crate::wire::signal::Description;
use crate::wire::{Candidate, PairEnd, SelectedPair, Signal};

pub use self::deviations::DEVIATIONS;

/// The largest message `is` writes: a check with the longest USERNAME it accepts needs 208 bytes.
const STUN_BUFFER: usize = 320;
/// `is` cannot write a USERNAME of more than 128 bytes: the peer's fragment, a colon and our own fragment.
const MAX_UFRAG: usize = 128 - 1 - seeded::UFRAG_LEN;
/// How many checks `is` keeps while it does not know the peer's password; it answers one per call.
const EARLY_CHECKS: usize = 100;

/// An `is` agent for one side of one call.
#[derive(Debug)]
pub struct IsStack {
    config: AgentConfig,
    conversation: Conversation,
    ice: SeededIce,
    gatherer: Gatherer,
    /// What was in use before a restart.
    retired: Retired<Gatherer>,
    /// How many restarts there were.
    restarts: u32,
    streams: StreamIds,
    /// How many of the gatherer's candidates `is` has been told of.
    introduced: usize,
    state: IceState,
    selected: Option<SelectedPair>,
    /// When `is` wants to be called.
    ice_due: Option<SimTime>,
    /// It is not called again before this time, whatever it asks for.
    ice_not_before: SimTime,
    out: VecDeque<Output>,
}

impl IsStack {
    /// An agent that has not begun.
    pub fn new(config: AgentConfig) -> Self {
        let credentials = seeded::credentials(config.seed, &config.name);
        let ours = IceCredentials { ufrag: credentials.ufrag.clone(), password: credentials.pass.clone() };
        let conversation = Conversation::new(&config, ours);
        let mut ice = SeededIce::new(config.seed, &config.name, credentials);
        ice.call(|ice| {
            ice.set_controlling(config.caller);
            ice.set_ice_lite(config.lite);
            ice.set_mtu(STUN_BUFFER..=1_500);
        });
        Self {
            gatherer: Gatherer::new(&config),
            retired: Retired::default(),
            restarts: 0,
            streams: StreamIds::default(),
            config,
            conversation,
            ice,
            introduced: 0,
            state: IceState::New,
            selected: None,
            ice_due: None,
            ice_not_before: SimTime::ZERO,
            out: VecDeque::new(),
        }
    }

    fn start(&mut self, now: SimTime) {
        if !self.conversation.start() {
            return;
        }
        // The first call only tells `is` the time; without it, it names no time-out.
        self.ice.call(|ice| ice.handle_timeout(clock::to_instant(now)));
        let Self { gatherer, config, streams, out, .. } = self;
        gatherer.start(now, config, streams, out);
    }

    fn take_signal(&mut self, now: SimTime, signal: &Signal) {
        self.conversation.take(signal, refusal, &mut self.out);
        match signal {
            Signal::Offer(_) => self.start(now),
            Signal::Bye => self.hang_up(now, false),
            _ => {}
        }
    }

    fn take_datagram(&mut self, now: SimTime, socket: SocketAddr, from: SocketAddr, payload: &[u8]) {
        if !self.conversation.has_started()
            || self.take_retired(now, Way::Socket { socket, from }, payload)
            || self.conversation.is_ended()
        {
            return;
        }
        match self.gatherer.take(now, Way::Socket { socket, from }, payload, &mut self.out) {
            Incoming::Answer => {}
            Incoming::Relayed { relayed, peer, data } => self.take_from_peer(now, peer, relayed, data, true),
            Incoming::Direct => self.take_from_peer(now, from, socket, payload, false),
        }
    }

    /// Takes what came over a stream to a server; peers are not at the end of any.
    fn take_message(&mut self, now: SimTime, stream: StreamId, message: &[u8]) {
        let way = Way::Stream(stream);
        if self.take_retired(now, way, message) {
            return;
        }
        let incoming = self.gatherer.take(now, way, message, &mut self.out);
        if let Incoming::Relayed { relayed, peer, data } = incoming {
            self.take_from_peer(now, peer, relayed, data, true);
        }
    }

    fn take_from_peer(
        &mut self,
        now: SimTime,
        source: SocketAddr,
        destination: SocketAddr,
        payload: &[u8],
        relayed: bool,
    ) {
        match payload.first() {
            Some(0..=3) => {
                let Ok(message) = StunMessage::parse(payload) else { return };
                let packet = StunPacket { proto: Protocol::Udp, source, destination, message };
                self.ice.call(|ice| ice.handle_packet(clock::to_instant(now), packet));
            }
            Some(first) if DATA_FIRST_BYTE.contains(first) => {
                self.out.push_back(Output::Data { from: source, relayed, payload: payload.to_vec() });
            }
            _ => {}
        }
    }

    fn send(&mut self, now: SimTime, data: &[u8]) {
        match self.selected {
            // RFC 8445 §9: until a restart has found a pair, data go over the old one.
            None => self.retired.send(now, data, &mut self.out),
            Some(SelectedPair { local, remote }) if self.state.is_connected() => {
                self.transmit(now, local.address, remote.address, data.to_vec());
            }
            // A pair that went silent has lost the peer's consent (RFC 7675 §5.1).
            Some(_) => {}
        }
    }

    /// Sends from one of our sockets, or through the relay, whose address `source` is.
    fn transmit(&mut self, now: SimTime, source: SocketAddr, destination: SocketAddr, payload: Vec<u8>) {
        if source.is_ipv4() != destination.is_ipv4() {
            return;
        }
        if self.config.sockets.contains(&source) {
            self.out.push_back(Output::Transmit { from: source, to: destination, payload });
        } else if !self.conversation.is_named(destination) {
            // What hides behind a name is not paired with relays (draft-ietf-mmusic-mdns-ice-candidates §3.3.2).
            self.gatherer.send_relayed(now, source, destination, payload, &mut self.out);
        }
    }

    /// Lets everything happen that can happen at `now`.
    fn advance(&mut self, now: SimTime) {
        self.retired.step(now, &mut self.out);
        if self.conversation.is_over(now) {
            self.set_state(IceState::Failed);
        }
        if matches!(self.state, IceState::Failed | IceState::Closed) {
            return;
        }
        self.gatherer.step(now, &mut self.out);
        self.introduce_candidates();
        self.conversation.tell(self.gatherer.candidates(), || self.gatherer.is_complete(), &mut self.out);
        self.begin_checks(now);
        self.hand_over_candidates(now);
        self.run_ice(now);
        if self.config.lite {
            self.look_for_nominations(now);
        }
        self.update_state();
    }

    /// Tells `is` of the candidates we have found.
    fn introduce_candidates(&mut self) {
        while let Some((candidate, base)) = self.gatherer.candidate(self.introduced) {
            self.introduced += 1;
            if self.conversation.allows(candidate)
                && let Some(local) = local_candidate(candidate, base)
            {
                // What we signal is what `is` must reckon with, or the two agents rank pairs differently.
                let preference = candidate.local_preference();
                self.ice.call(|ice| {
                    ice.set_local_preference(move |_: &is::Candidate, _: usize| u32::from(preference));
                    ice.add_local_candidate(local);
                });
            }
        }
    }

    fn begin_checks(&mut self, now: SimTime) {
        if let Some(IceCredentials { ufrag, password }) = self.conversation.begin_checks(now).cloned() {
            self.ice.call(|ice| ice.set_remote_credentials(IceCreds { ufrag, pass: password }));
            self.set_state(IceState::Checking);
        }
    }

    /// Tells `is` of the peer's candidates.
    fn hand_over_candidates(&mut self, now: SimTime) {
        while let Some(candidate) = self.conversation.hand_over() {
            if candidate.name.is_none() {
                self.gatherer.permit(now, candidate.address.ip(), &mut self.out);
            }
            let remote = remote_candidate(candidate);
            self.ice.call(|ice| ice.add_remote_candidate(remote));
        }
    }

    fn run_ice(&mut self, now: SimTime) {
        self.drain_ice(now);
        // One call per Ta, but for early checks: `is` answers one of them per call and stays due meanwhile.
        for _ in 0..=EARLY_CHECKS {
            self.ask_when_due();
            if self.ice_due.is_none_or(|due| now < due) {
                return;
            }
            self.ice.call(|ice| ice.handle_timeout(clock::to_instant(now)));
            self.drain_ice(now);
        }
        self.ice_not_before = now + TA;
        self.ask_when_due();
    }

    /// A lite agent's pairs are nominated by what arrives. `is` sees that when it is called, for which such an agent asks
    /// but each 3 s.
    fn look_for_nominations(&mut self, now: SimTime) {
        if self.conversation.is_checking() {
            self.ice.call(|ice| ice.handle_timeout(clock::to_instant(now)));
            self.drain_ice(now);
        }
    }

    fn drain_ice(&mut self, now: SimTime) {
        while let Some(transmit) = self.ice.peek().poll_transmit() {
            self.transmit(now, transmit.source, transmit.destination, transmit.contents.into());
        }
        while let Some(event) = self.ice.peek().poll_event() {
            if let IceAgentEvent::NominatedSend { source, destination, .. } = event {
                self.select(now, source, destination);
            }
        }
    }

    fn ask_when_due(&mut self) {
        // `is` does nothing by itself before checks begin.
        if self.conversation.is_checking() {
            let due = self.ice.peek().poll_timeout();
            self.ice_due = due.map(|due| clock::from_instant(due).max(self.ice_not_before));
        }
    }

    fn select(&mut self, now: SimTime, source: SocketAddr, destination: SocketAddr) {
        // `is` knows a pair by the address it sends from: the base of a reflexive candidate.
        let relay = self.gatherer.relay_transport(source);
        let local_kind = if relay.is_some() { CandidateType::Relayed } else { CandidateType::Host };
        let signalled = self.conversation.signalled_type(destination);
        let remote_kind = signalled.unwrap_or(CandidateType::PeerReflexive);
        let pair = SelectedPair {
            local: PairEnd { kind: local_kind, address: source, relay },
            remote: PairEnd { kind: remote_kind, address: destination, relay: None },
        };
        if self.selected.replace(pair) != Some(pair) {
            self.conversation.wait_until(None);
            self.retired.replaced(now);
            self.gatherer.selected(now, source, destination, &mut self.out);
            self.out.push_back(Output::Selected(pair));
        }
    }

    /// Follows `is`, which knows no failure, and gives up and takes heart again while pairs come and go.
    fn update_state(&mut self) {
        if self.selected.is_none() {
            return;
        }
        let state = match self.ice.peek().state() {
            IceConnectionState::Connected => IceState::Connected,
            IceConnectionState::Completed => IceState::Completed,
            // The selected pair is gone, whether or not others are still being checked.
            IceConnectionState::New | IceConnectionState::Checking | IceConnectionState::Disconnected => {
                IceState::Disconnected
            }
        };
        self.set_state(state);
    }

    fn set_state(&mut self, state: IceState) {
        if self.state != state {
            self.state = state;
            if state == IceState::Failed {
                self.gatherer.close(&mut self.out);
            }
            self.out.push_back(Output::State(state));
        }
    }
}

impl IceStack for IsStack {
    fn name(&self) -> &'static str {
        StackKind::Is.word()
    }

    fn handle(&mut self, now: SimTime, input: Input<'_>) -> Result<(), StackError> {
        let revives = matches!(input, Input::Restart { .. } | Input::HangUp | Input::Signal(Signal::Bye));
        if self.state == IceState::Failed && !revives {
            return Ok(());
        }
        match input {
            Input::Start => self.start(now),
            Input::Signal(signal) => self.take_signal(now, signal),
            Input::Datagram { socket, from, payload } => self.take_datagram(now, socket, from, payload),
            Input::Timeout => {}
            Input::Resolved { name, address } => self.conversation.resolved(name, address),
            Input::Send(data) => self.send(now, data),
            Input::BaseLost(base) => self.lose_base(now, base),
            Input::Restart { sockets, offer } => self.restart(now, sockets, offer),
            Input::HangUp => self.hang_up(now, true),
            Input::Opened { stream, .. } => self.opened(stream),
            Input::Read { stream, message } => self.take_message(now, stream, message),
            Input::Closed { stream, why } => self.closed(stream, why),
        }
        self.advance(now);
        Ok(())
    }

    fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn next_timeout(&mut self) -> Option<SimTime> {
        if self.state == IceState::Failed {
            return None;
        }
        let ice_due = self.ice_due.filter(|_| !self.conversation.is_ended());
        let deadlines = [self.conversation.deadline(), self.gatherer.due(), ice_due, self.retired.due()];
        deadlines.into_iter().flatten().min()
    }
}

/// What is wrong with a description `is` cannot use.
fn refusal(description: &Description) -> Option<String> {
    let ufrag_len = description.ufrag.len();
    let usable = (1..=MAX_UFRAG).contains(&ufrag_len);
    (!usable).then(|| format!("a user name fragment of {ufrag_len} bytes is not usable"))
}

/// Our candidate, found through `base`, as `is` wants it; `None` for an address it refuses.
fn local_candidate(candidate: &Candidate, base: SocketAddr) -> Option<is::Candidate> {
    let address = candidate.address;
    match candidate.kind {
        CandidateType::Host => is::Candidate::host(address, Protocol::Udp),
        CandidateType::ServerReflexive => is::Candidate::server_reflexive(address, base, Protocol::Udp),
        CandidateType::Relayed => is::Candidate::relayed(address, base, Protocol::Udp),
        // Found by `is` itself, never by gathering.
        CandidateType::PeerReflexive => return None,
    }
    .ok()
}

/// The peer's candidate as `is` wants it.
fn remote_candidate(candidate: &Candidate) -> is::Candidate {
    let kind = match candidate.kind {
        CandidateType::Host => CandidateKind::Host,
        CandidateType::ServerReflexive => CandidateKind::ServerReflexive,
        CandidateType::PeerReflexive => CandidateKind::PeerReflexive,
        CandidateType::Relayed => CandidateKind::Relayed,
    };
    let Candidate { foundation, priority, address, related, .. } = candidate;
    is::Candidate::from_parts(
        foundation.clone(),
        1,
        Protocol::Udp,
        *priority,
        *address,
        kind,
        *related,
        None,
        None,
    )
}
