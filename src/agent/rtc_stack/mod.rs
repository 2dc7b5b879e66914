//! The second stack: webrtc-rs' ICE agent (the crate `rtc-ice`) with its STUN and TURN client (`rtc-turn`).
//!
//! Pairing, checks, nomination, consent, and every STUN and TURN message are rtc's, with its own timers; where they
//! depart from the RFCs [`DEVIATIONS`] says so. What it leaves to its user is here: which servers to ask, signalling,
//! routing datagrams through relays, and the decision that a call has failed.
//!
//! # Randomness
//! The user name fragment, the password and the tie-breaker are drawn from the peer's stream. Transaction ids come
//! from the thread's generator, which cannot be seeded: they, and with them MESSAGE-INTEGRITY, FINGERPRINT and XORed
//! IPv6 addresses, differ between runs. Nothing else does. rtc-ice walks no hash map; where rtc-turn walks one,
//! `order` sorts what comes of it.

mod candidates;
mod deviations;
mod order;
mod permissions;
mod provider;
mod restart;
mod server_client;
mod servers;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rtc_ice::agent::agent_config::AgentConfig as RtcConfig;
use rtc_ice::agent::{Agent, Event};
use rtc_ice::candidate::Candidate as RtcCandidate;
use rtc_ice::candidate::CandidateType as RtcType;
use rtc_ice::crypto::RTCCryptoProvider;
use rtc_ice::mdns::MulticastDnsMode;
use rtc_ice::state::ConnectionState;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use sansio::Protocol as _;

use self::server_client::News;
use self::servers::Servers;
use super::conversation::{Conversation, IceCredentials};
use super::gatherer::is_plausible;
use super::privacy::Privacy;
use super::retired::Retired;
use super::server_link::{StreamIds, Way};
use super::{AgentConfig, DATA_FIRST_BYTE, IceStack, Input, Output, StackError, StreamId, clock};
use crate::base::{SimDuration, SimTime};
use crate::plan::{CandidateType, IceState, StackKind, Transport};
use crate::wire::signal::Description;
use crate::wire::stun::{Kind, classify};
use crate::wire::{Candidate, PairEnd, SelectedPair, Signal};

pub use self::deviations::DEVIATIONS;

/// rtc's own interval between rounds of checks.
const CHECK_INTERVAL: SimDuration = SimDuration::from_millis(200);
/// From `Disconnected`, which rtc sees after 5 s of silence, to `Failed`: rtc's own default. Together they are the
/// 30 s after which consent expires (RFC 7675 §5.1).
const DISCONNECTED_TO_FAILED: SimDuration = SimDuration::from_secs(25);
/// How often rtc may ask to be called again at one moment.
const ROUNDS: usize = 8;
/// The longest user name fragment and password RFC 8839 §5.4 allows, in bytes.
const MAX_CREDENTIAL: usize = 256;

/// An rtc agent for one side of one call.
pub struct RtcStack {
    config: AgentConfig,
    /// It gives up without a selected pair, or with one that is silent.
    conversation: Conversation,
    privacy: Privacy,
    crypto: Arc<dyn RTCCryptoProvider>,
    ice: Agent,
    servers: Servers,
    /// What was in use before a restart.
    retired: Retired<Servers>,
    /// How many restarts there were.
    restarts: u32,
    streams: StreamIds,
    /// Our candidates in the order in which they were found.
    local: Vec<Candidate>,
    /// Our relayed addresses, and what is spoken to the servers that relay for them.
    relays: Vec<(SocketAddr, Transport)>,
    state: IceState,
    selected: Option<Selected>,
    /// rtc is not called again before this time, whatever it asks for.
    ice_not_before: SimTime,
    out: VecDeque<Output>,
}

/// The pair that rtc uses now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Selected {
    pair: SelectedPair,
    /// The base of its own end, where data leave from.
    base: SocketAddr,
}

impl RtcStack {
    /// An agent that has not begun.
    ///
    /// # Errors
    ///
    /// rtc has been built without any cryptography.
    pub fn new(config: AgentConfig) -> Result<Self, StackError> {
        let failed =
            |what: String| StackError { stack: StackKind::Rtc.word(), peer: config.name.clone(), what };
        let crypto =
            provider::seeded(config.seed, &config.name).map_err(|error| failed(error.to_string()))?;
        let rtc_config = RtcConfig {
            is_controlling: config.caller,
            lite: config.lite,
            candidate_types: if config.lite { vec![RtcType::Host] } else { Vec::new() },
            // The end is ours to declare: rtc would fail 30 s after checks began.
            failed_timeout: Some(Duration::ZERO),
            multicast_dns_mode: MulticastDnsMode::Disabled,
            // rtc would draw a random one.
            multicast_dns_local_name: "unused.local".to_owned(),
            ..RtcConfig::default()
        };
        let epoch = clock::to_instant(SimTime::ZERO);
        let ice = Agent::new(epoch, Arc::new(rtc_config), Arc::clone(&crypto))
            .map_err(|error| failed(error.to_string()))?;
        let credentials = ice.get_local_credentials();
        let ours = IceCredentials { ufrag: credentials.ufrag.clone(), password: credentials.pwd.clone() };
        Ok(Self {
            conversation: Conversation::new(&config, ours),
            privacy: Privacy::of(&config),
            config,
            crypto,
            ice,
            servers: Servers::default(),
            retired: Retired::default(),
            restarts: 0,
            streams: StreamIds::default(),
            local: Vec::new(),
            relays: Vec::new(),
            state: IceState::New,
            selected: None,
            ice_not_before: SimTime::ZERO,
            out: VecDeque::new(),
        })
    }

    fn start(&mut self, now: SimTime) {
        if !self.conversation.start() {
            return;
        }
        for base in self.config.sockets.clone() {
            self.add_local(CandidateType::Host, base, base, None, Transport::Udp);
        }
        let Self { servers, config, crypto, streams, out, .. } = self;
        servers.start(now, config, crypto, streams, out);
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
        let way = Way::Socket { socket, from };
        if !self.conversation.has_started()
            || self.take_retired(now, way, payload)
            || self.conversation.is_ended()
        {
            return;
        }
        if !self.servers.take(now, way, payload, &mut self.out) {
            self.take_from_peer(now, from, socket, payload);
        }
    }

    /// Takes what came over a stream to a server; peers are not at the end of any.
    fn take_message(&mut self, now: SimTime, stream: StreamId, message: &[u8]) {
        let way = Way::Stream(stream);
        if !self.take_retired(now, way, message) {
            self.servers.take(now, way, message, &mut self.out);
        }
    }

    fn take_from_peer(&mut self, now: SimTime, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        let transport = TransportContext {
            local_addr: destination,
            peer_addr: source,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let at = clock::to_instant(now);
        if classify(payload) == Kind::Stun {
            let message = BytesMut::from(payload);
            // Errors tell what rtc does not take: broken, forged, early or stray messages. They are discarded.
            let _ = self.ice.handle_read(TaggedBytesMut { now: at, transport, message });
            return;
        }
        let is_data = payload.first().is_some_and(|first| DATA_FIRST_BYTE.contains(first));
        if is_data && self.ice.is_valid_non_stun_traffic(at, transport) {
            let relayed = !self.config.sockets.contains(&destination);
            self.out.push_back(Output::Data { from: source, relayed, payload: payload.to_vec() });
        }
    }

    fn send(&mut self, now: SimTime, data: &[u8]) {
        match self.selected {
            // RFC 8445 §9: until a restart has found a pair, data go over the old one.
            None => self.retired.send(now, data, &mut self.out),
            Some(Selected { pair, base }) => self.transmit(now, base, pair.remote.address, data),
        }
    }

    /// Sends from one of our sockets, or through the relay, whose address `source` is.
    fn transmit(&mut self, now: SimTime, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        if self.config.sockets.contains(&source) {
            let payload = payload.to_vec();
            self.out.push_back(Output::Transmit { from: source, to: destination, payload });
        } else if !self.conversation.is_named(destination) {
            // What hides behind a name is not paired with relays (draft-ietf-mmusic-mdns-ice-candidates §3.3.2).
            self.servers.send_relayed(now, source, destination, payload, &mut self.out);
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
        self.servers.step(now, &mut self.out);
        self.take_news(now);
        self.conversation.tell(&self.local, || self.servers.is_complete(), &mut self.out);
        self.begin_checks(now);
        self.hand_over_candidates(now);
        self.run_ice(now);
    }

    fn take_news(&mut self, now: SimTime) {
        while let Some(news) = self.servers.next_news() {
            match news {
                News::Mapped { base, mapped } => {
                    let kind = CandidateType::ServerReflexive;
                    self.add_local(kind, mapped, base, Some(base), Transport::Udp);
                }
                News::Allocated { link, relayed, mapped } => {
                    self.relays.push((relayed, link.transport()));
                    let kind = CandidateType::Relayed;
                    self.add_local(kind, relayed, link.base(), mapped, link.transport());
                    self.servers.permit_all(now, relayed, &mut self.out);
                }
                News::Data { relayed, peer, data } => self.take_from_peer(now, peer, relayed, &data),
            }
        }
    }

    /// Adds a candidate that was found through `base`, and over `transport`, unless it is redundant (RFC 8445 §5.1.3), and
    /// tells rtc if it may be used.
    fn add_local(
        &mut self,
        kind: CandidateType,
        address: SocketAddr,
        base: SocketAddr,
        related: Option<SocketAddr>,
        transport: Transport,
    ) {
        let candidate =
            is_plausible(kind, address, base).then(|| candidates::local(kind, address, base, transport));
        let Some(candidate) = candidate.flatten() else {
            let trouble = format!("{kind} candidate {address} is not an address to send to");
            self.out.push_back(Output::Trouble(trouble));
            return;
        };
        let redundant = self.local.iter().any(|other| other.address == address);
        if redundant || self.local.len() >= self.config.max_candidates {
            return;
        }
        let name = self.privacy.name_of(kind, address.ip());
        let described = Candidate { name, ..candidates::described(&candidate, related) };
        // An IPv6 base that a NAT64 shows at an IPv4 address is of use to the peer alone.
        let is_own = kind == CandidateType::Relayed || address.is_ipv4() == base.is_ipv4();
        if is_own && self.conversation.allows(&described) {
            // It only fails for what `candidates::local` does not make.
            let _ = self.ice.add_local_candidate(candidate);
        }
        self.out.push_back(Output::Gathered(described.clone()));
        self.local.push(described);
    }

    fn begin_checks(&mut self, now: SimTime) {
        if let Some(IceCredentials { ufrag, password }) = self.conversation.begin_checks(now).cloned() {
            let at = clock::to_instant(now);
            let begun = match self.restarts {
                0 => self.ice.start_connectivity_checks(at, self.config.caller, ufrag, password),
                // It has been checking since the restart, in the role it had.
                _ => self.ice.set_remote_credentials(ufrag, password),
            };
            if let Err(error) = begun {
                self.out.push_back(Output::Trouble(error.to_string()));
            }
        }
    }

    /// Tells rtc of the peer's candidates.
    fn hand_over_candidates(&mut self, now: SimTime) {
        while let Some(candidate) = self.conversation.hand_over() {
            if candidate.name.is_none() {
                self.servers.permit(now, candidate.address, &mut self.out);
            }
            if let Some(remote) = candidates::remote(candidate) {
                // It only fails for mDNS names and TCP, which a candidate of ours never has.
                let _ = self.ice.add_remote_candidate(remote);
            }
        }
    }

    fn run_ice(&mut self, now: SimTime) {
        self.drain_ice(now);
        for _ in 0..ROUNDS {
            if self.ice_due().is_none_or(|due| now < due) {
                return;
            }
            // rtc's agent never fails here.
            let _ = self.ice.handle_timeout(clock::to_instant(now));
            self.drain_ice(now);
        }
        self.ice_not_before = now + CHECK_INTERVAL;
    }

    fn drain_ice(&mut self, now: SimTime) {
        while let Some(TaggedBytesMut { transport, message, .. }) = self.ice.poll_write() {
            self.transmit(now, transport.local_addr, transport.peer_addr, &message);
        }
        let mut states = Vec::new();
        while let Some(tagged) = self.ice.poll_event() {
            match tagged.event {
                Event::ConnectionStateChange(state) => states.push(state),
                Event::SelectedCandidatePairChange(local, remote) => {
                    let pair = SelectedPair { local: self.own_end(&local), remote: candidates::end(&remote) };
                    self.select(now, Selected { pair, base: local.base_addr() });
                }
                _ => {}
            }
        }
        // A pair comes first, and then the state it leads to; rtc tells it the other way round.
        for state in states {
            self.follow(now, state);
        }
    }

    fn own_end(&self, candidate: &RtcCandidate) -> PairEnd {
        let end = candidates::end(candidate);
        let relay = self.relays.iter().find(|(relayed, _)| *relayed == end.address);
        let relay = relay.filter(|_| end.kind == CandidateType::Relayed);
        PairEnd { relay: relay.map(|(_, transport)| *transport), ..end }
    }

    /// When rtc wants to be called.
    fn ice_due(&mut self) -> Option<SimTime> {
        let due = self.ice.poll_timeout()?;
        Some(clock::from_instant(due).max(self.ice_not_before))
    }

    fn select(&mut self, now: SimTime, selected: Selected) {
        if self.selected.replace(selected) != Some(selected) {
            self.retired.replaced(now);
            self.out.push_back(Output::Selected(selected.pair));
        }
    }

    fn follow(&mut self, now: SimTime, state: ConnectionState) {
        let state = match state {
            ConnectionState::Checking => IceState::Checking,
            ConnectionState::Connected => IceState::Connected,
            ConnectionState::Completed => IceState::Completed,
            ConnectionState::Disconnected => IceState::Disconnected,
            ConnectionState::Failed => IceState::Failed,
            ConnectionState::Closed => IceState::Closed,
            _ => IceState::New,
        };
        match state {
            IceState::Connected | IceState::Completed => self.conversation.wait_until(None),
            IceState::Disconnected => self.conversation.wait_until(Some(now + DISCONNECTED_TO_FAILED)),
            _ => {}
        }
        self.set_state(state);
    }

    fn set_state(&mut self, state: IceState) {
        if self.state != state {
            self.state = state;
            if state == IceState::Failed {
                self.servers.close(&mut self.out);
            }
            self.out.push_back(Output::State(state));
        }
    }
}

impl IceStack for RtcStack {
    fn name(&self) -> &'static str {
        StackKind::Rtc.word()
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
            Input::BaseLost(base) => self.lose_base(base),
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
        let ice_due = if self.conversation.is_ended() { None } else { self.ice_due() };
        let deadlines = [self.conversation.deadline(), self.servers.due(), ice_due, self.retired.due()];
        deadlines.into_iter().flatten().min()
    }
}

/// What is wrong with a description rtc cannot use.
fn refusal(description: &Description) -> Option<String> {
    let lengths @ [ufrag_len, password_len] = [description.ufrag.len(), description.password.len()];
    let usable = lengths.iter().all(|len| (1..=MAX_CREDENTIAL).contains(len));
    (!usable).then(|| {
        format!(
            "a user name fragment of {ufrag_len} bytes with a password of {password_len} bytes is not usable"
        )
    })
}
