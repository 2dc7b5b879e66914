//! A TURN client (RFC 8656): one way to a server, one allocation.

mod channel;
mod login;
mod permission;
mod request;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use self::channel::Channels;
use self::login::Login;
use self::permission::{Grant, Permissions};
use self::request::{Request, What};
use super::connection::Connection;
use super::server_link::{ServerLink, Tools};
use super::transaction::{Step, Transaction, TransactionIds};
use super::{Output, StreamEnd};
use crate::base::{SimDuration, SimTime};
use crate::plan::IceServer;
use crate::wire::stun::{
    Builder, Class, Message, TransactionId, attribute, channel_data, method, parse_channel_data,
};

/// How long before its end an allocation is refreshed (§7.1 suggests about a minute).
const REFRESH_MARGIN: SimDuration = SimDuration::from_secs(60);
/// What an allocation lives if the server does not say (§3.2).
const DEFAULT_LIFETIME: u32 = 600;
/// How often one request may be answered with 438 before the server is taken for broken.
const STALE_NONCES: u8 = 3;

/// A client of one TURN server.
#[derive(Debug)]
pub(super) struct TurnClient {
    connection: Connection,
    login: Login,
    stage: Stage,
    requests: Vec<Request>,
    permissions: Permissions,
    channels: Channels,
    /// True: it asks for an IPv6 address.
    ipv6: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Allocating,
    /// The allocation stands; `refresh` is `None` while it is being refreshed.
    Allocated {
        relayed: SocketAddr,
        refresh: Option<SimTime>,
    },
    Over,
}

/// What a client tells its gatherer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allocation {
    /// The server allocated this relayed transport address and saw the client at the mapped one.
    Made { relayed: SocketAddr, mapped: Option<SocketAddr> },
    /// There is none and will be none. `busy`: the server lacks the resources (486, 508).
    Refused { busy: bool },
}

impl TurnClient {
    /// Asks `server`, at the end of `link`, for an allocation, first at `start`.
    pub(super) fn new(
        link: ServerLink,
        server: &IceServer,
        ids: &mut TransactionIds,
        start: SimTime,
    ) -> Self {
        let mut client = Self {
            connection: Connection::new(link, server),
            login: Login::new(server.credentials.clone()),
            stage: Stage::Allocating,
            requests: Vec::new(),
            permissions: Permissions::default(),
            channels: Channels::default(),
            // A relayed address is of use to a base of its own family.
            ipv6: link.base().is_ipv6(),
        };
        client.ask(start, What::Allocate, 0, ids);
        client
    }

    /// The way to the server.
    pub(super) fn link(&self) -> ServerLink {
        self.connection.link()
    }

    /// The relayed transport address, while the allocation stands.
    pub(super) fn relayed(&self) -> Option<SocketAddr> {
        match self.stage {
            Stage::Allocated { relayed, .. } => Some(relayed),
            Stage::Allocating | Stage::Over => None,
        }
    }

    /// True once it is known whether there is an allocation.
    pub(super) fn has_ended(&self) -> bool {
        self.stage != Stage::Allocating
    }

    /// True if `id` is that of a running request.
    pub(super) fn expects(&self, id: TransactionId) -> bool {
        self.requests.iter().any(|request| request.id() == id)
    }

    /// Takes an answer to one of the running requests.
    pub(super) fn answer(
        &mut self,
        now: SimTime,
        message: &Message<'_>,
        tools: &mut Tools<'_>,
    ) -> Option<Allocation> {
        let index = self.requests.iter().position(|request| request.id() == message.transaction())?;
        if !self.is_genuine(&self.requests[index], message) {
            return None;
        }
        let request = self.requests.remove(index);
        match message.class() {
            Class::Success => self.succeed(now, request.what, message, tools),
            _ => self.reconsider(now, request, message, tools),
        }
    }

    /// RFC 8489 §9.2.5: what answers a signed request is signed too, or is discarded. Errors that tell what to sign
    /// with cannot be.
    fn is_genuine(&self, request: &Request, message: &Message<'_>) -> bool {
        let signed = message.has(attribute::MESSAGE_INTEGRITY);
        match message.class() {
            Class::Success => !request.signed || self.login.verifies(message),
            Class::Error => !request.signed || !signed || self.login.verifies(message),
            _ => false,
        }
    }

    fn succeed(
        &mut self,
        now: SimTime,
        what: What,
        message: &Message<'_>,
        tools: &mut Tools<'_>,
    ) -> Option<Allocation> {
        match what {
            What::Allocate => {
                let Ok(Some(relayed)) = message.relayed_address() else {
                    return self.give_up(what, "an answer without a relayed address", false, tools);
                };
                self.stage = Stage::Allocated { relayed, refresh: Some(now + refresh_after(message)) };
                let mapped = message.mapped_address().ok().flatten();
                return Some(Allocation::Made { relayed, mapped });
            }
            What::Refresh => {
                if let Stage::Allocated { refresh, .. } = &mut self.stage {
                    *refresh = Some(now + refresh_after(message));
                }
            }
            What::Permission(peer) => {
                for (peer, data) in self.permissions.granted(now, peer) {
                    self.send_indication(peer, &data, tools);
                }
            }
            What::Channel(peer) => self.channels.bound(now, peer),
            What::Release => self.lose(tools.out),
        }
        None
    }

    /// An error response: log in, take the new nonce, or give up.
    fn reconsider(
        &mut self,
        now: SimTime,
        request: Request,
        message: &Message<'_>,
        tools: &mut Tools<'_>,
    ) -> Option<Allocation> {
        let (code, reason) = message.error().ok().flatten().unwrap_or_default();
        let again = match code {
            // The same credentials would be refused again (RFC 8489 §9.2.5).
            401 => !request.signed && self.login.challenged(message),
            438 => request.stale_nonces < STALE_NONCES && self.login.challenged(message),
            // The server has IPv4 alone; a NAT64 stands on the way to it.
            440 => request.what == What::Allocate && std::mem::take(&mut self.ipv6),
            _ => false,
        };
        if again {
            let stale_nonces = request.stale_nonces + u8::from(code == 438);
            self.ask(now, request.what, stale_nonces, tools.ids);
            self.step(now, tools)
        } else {
            let lost = code == 437;
            let answer =
                self.give_up(request.what, &format!("{code} {reason}"), matches!(code, 486 | 508), tools);
            if lost {
                self.lose(tools.out);
            }
            answer
        }
    }

    fn give_up(&mut self, what: What, why: &str, busy: bool, tools: &mut Tools<'_>) -> Option<Allocation> {
        let server = self.link();
        tools.out.push_back(Output::Trouble(format!("TURN server {server}: {what} failed: {why}")));
        match what {
            What::Allocate => {
                self.lose(tools.out);
                return Some(Allocation::Refused { busy });
            }
            What::Refresh | What::Release => self.lose(tools.out),
            What::Permission(peer) => self.permissions.denied(peer),
            What::Channel(peer) => self.channels.failed(peer),
        }
        None
    }

    /// Gives the allocation back (§7.1), or stops asking for one. [`TurnClient::is_over`] tells when that is done.
    pub(super) fn release(&mut self, now: SimTime, tools: &mut Tools<'_>) {
        self.requests.clear();
        match &mut self.stage {
            Stage::Allocating | Stage::Over => self.lose(tools.out),
            Stage::Allocated { refresh, .. } => {
                *refresh = None;
                self.permissions = Permissions::default();
                self.channels = Channels::default();
                self.ask(now, What::Release, 0, tools.ids);
                self.step(now, tools);
            }
        }
    }

    /// True once there is no allocation and will be none.
    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    fn lose(&mut self, out: &mut VecDeque<Output>) {
        self.stage = Stage::Over;
        self.requests.clear();
        self.connection.close(out);
    }

    /// The stream to the server is open.
    pub(super) fn opened(&mut self) {
        self.connection.opened();
    }

    /// The stream to the server is gone: every request has failed (RFC 8489 §6.2.2), and the allocation, which belonged to
    /// it, with them.
    pub(super) fn closed(&mut self, why: StreamEnd, out: &mut VecDeque<Output>) {
        self.connection.closed();
        self.give_up_connection(why, out);
    }

    fn give_up_connection(&mut self, why: StreamEnd, out: &mut VecDeque<Output>) {
        out.push_back(Output::Trouble(format!("TURN server {}: the connection {why}", self.link())));
        self.lose(out);
    }

    /// Nobody needs the stream to the server any more, if there is one.
    pub(super) fn close(&mut self, out: &mut VecDeque<Output>) {
        self.connection.close(out);
    }

    /// Asks for a permission for `peer`, unless it has been asked for before (§9: permissions are for addresses,
    /// whatever the port).
    pub(super) fn permit(&mut self, now: SimTime, peer: IpAddr, tools: &mut Tools<'_>) {
        if self.can_reach(peer) && self.permissions.wants(peer) {
            self.ask(now, What::Permission(peer), 0, tools.ids);
            // Nothing but sending can come of a fresh request.
            self.step(now, tools);
        }
    }

    /// Sends data to `peer` from the relayed address: at once, or as soon as there is a permission for it.
    pub(super) fn send(&mut self, now: SimTime, peer: SocketAddr, data: Vec<u8>, tools: &mut Tools<'_>) {
        if !self.can_reach(peer.ip()) {
            return;
        }
        if let Some(number) = self.channels.number(peer) {
            if let Some(payload) = channel_data(number, &data) {
                self.connection.send(payload, tools.out);
            }
            return;
        }
        self.permit(now, peer.ip(), tools);
        match self.permissions.grant(peer.ip()) {
            Grant::Standing => self.send_indication(peer, &data, tools),
            Grant::Pending => self.permissions.hold(peer, data),
            Grant::Denied => {}
        }
    }

    fn send_indication(&mut self, peer: SocketAddr, data: &[u8], tools: &mut Tools<'_>) {
        let builder = Builder::indication(method::SEND, tools.ids.next()).xor_peer_address(peer);
        if builder.fits(data.len()) {
            self.connection.send(builder.data(data).finish(), tools.out);
        }
    }

    /// Binds a channel to `peer`, so that its data need no more than four bytes of overhead.
    pub(super) fn bind(&mut self, now: SimTime, peer: SocketAddr, tools: &mut Tools<'_>) {
        if self.can_reach(peer.ip()) && self.channels.wants(peer) {
            self.ask(now, What::Channel(peer), 0, tools.ids);
            self.step(now, tools);
        }
    }

    fn can_reach(&self, peer: IpAddr) -> bool {
        self.relayed().is_some_and(|relayed| relayed.is_ipv4() == peer.is_ipv4())
    }

    /// Unwraps ChannelData: the peer it came from, and the data.
    pub(super) fn read_channel<'a>(&self, payload: &'a [u8]) -> Option<(SocketAddr, &'a [u8])> {
        let (number, data) = parse_channel_data(payload)?;
        Some((self.channels.peer(number)?, data))
    }

    /// Unwraps a Data indication: the peer it came from, and the data.
    pub(super) fn read_indication<'a>(&self, message: &Message<'a>) -> Option<(SocketAddr, &'a [u8])> {
        if message.class() != Class::Indication || message.method() != method::DATA {
            return None;
        }
        let peer = message.peer_address().ok().flatten()?;
        // §11.4: what comes from a peer nobody asked a permission for is not relayed but forged.
        let asked_for = self.permissions.grant(peer.ip()) != Grant::Denied;
        asked_for.then_some((peer, message.data()?))
    }

    /// When it wants [`TurnClient::step`].
    pub(super) fn due(&self) -> Option<SimTime> {
        let requests = self.requests.iter().map(Request::due).min();
        let Stage::Allocated { refresh, .. } = self.stage else { return requests };
        [requests, refresh, self.permissions.due(), self.channels.due()].into_iter().flatten().min()
    }

    /// Does what is due at `now`.
    pub(super) fn step(&mut self, now: SimTime, tools: &mut Tools<'_>) -> Option<Allocation> {
        self.refresh_what_is_due(now, tools);
        let mut result = None;
        let mut index = 0;
        while index < self.requests.len() {
            match self.requests[index].step(now) {
                Step::Wait => index += 1,
                Step::Send(payload) => {
                    self.connection.send(payload, tools.out);
                    index += 1;
                }
                Step::Fail if self.connection.is_opening() => {
                    self.give_up_connection(StreamEnd::TimedOut, tools.out);
                    return Some(Allocation::Refused { busy: false });
                }
                Step::Fail => {
                    let request = self.requests.remove(index);
                    result = result.or(self.give_up(request.what, "no answer", false, tools));
                }
            }
        }
        result
    }

    fn refresh_what_is_due(&mut self, now: SimTime, tools: &mut Tools<'_>) {
        let Stage::Allocated { refresh, .. } = &mut self.stage else { return };
        if refresh.is_some_and(|due| due <= now) {
            *refresh = None;
            self.ask(now, What::Refresh, 0, tools.ids);
        }
        while let Some(peer) = self.permissions.take_due(now) {
            self.ask(now, What::Permission(peer), 0, tools.ids);
        }
        while let Some(peer) = self.channels.take_due(now) {
            self.ask(now, What::Channel(peer), 0, tools.ids);
        }
    }

    fn ask(&mut self, start: SimTime, what: What, stale_nonces: u8, ids: &mut TransactionIds) {
        let id = ids.next();
        let builder = match what {
            What::Allocate => request::allocate(id, self.ipv6),
            What::Refresh => Builder::request(method::REFRESH, id),
            What::Release => Builder::request(method::REFRESH, id).lifetime(0),
            What::Permission(peer) => {
                Builder::request(method::CREATE_PERMISSION, id).xor_peer_address(SocketAddr::new(peer, 0))
            }
            What::Channel(peer) => Builder::request(method::CHANNEL_BIND, id)
                .channel_number(self.channels.number_for(peer))
                .xor_peer_address(peer),
        };
        let (bytes, signed) = self.login.sign(builder);
        let transaction = match self.link().stream() {
            Some(_) => Transaction::reliable(id, bytes, start),
            None => Transaction::new(id, bytes, start),
        };
        self.requests.push(Request::new(what, signed, stale_nonces, transaction));
    }
}

fn refresh_after(answer: &Message<'_>) -> SimDuration {
    let seconds = answer.lifetime().ok().flatten().unwrap_or(DEFAULT_LIFETIME);
    let lifetime = SimDuration::from_secs(u64::from(seconds));
    let half = SimDuration::from_nanos(lifetime.as_nanos() / 2);
    // An allocation that lives no longer than the margin, even none at all, must not be refreshed without pause.
    half.max(lifetime - REFRESH_MARGIN).max(SimDuration::from_secs(1))
}
