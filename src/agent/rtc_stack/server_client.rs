//! rtc's client of one STUN or TURN server, and what it leaves to its user: whose request an answer is for,
//! permissions, and an order that does not depend on hash maps.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use rtc_ice::crypto::RTCCryptoProvider;
use rtc_shared::error::Error;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc_stun::message::TransactionId as RtcId;
use rtc_turn::client::{Client, ClientConfig, Event};
use sansio::Protocol as _;

use super::super::connection::Connection;
use super::super::server_link::ServerLink;
use super::super::{Output, StreamEnd, clock};
use super::order::Order;
use super::permissions::{Grant, Permissions};
use super::{CHECK_INTERVAL, permissions};
use crate::base::{SimDuration, SimTime};
use crate::plan::{Credentials, IceServer, IceServerKind, Transport};
use crate::wire::stun::{Class, Message, TransactionId, method, transaction_bytes};

/// How often one request may be answered with 438 before the server is taken for broken.
const STALE_NONCES: u8 = 3;

/// How long an answer is waited for when an allocation is given back: as long as rtc repeats a request.
const RELEASE_WAIT: SimDuration = SimDuration::from_millis(7_800);

/// What a client finds out.
#[derive(Debug)]
pub(super) enum News {
    /// A server saw this base at the mapped address.
    Mapped { base: SocketAddr, mapped: SocketAddr },
    /// A server allocated this relayed transport address for us, and saw us at the mapped one.
    Allocated { link: ServerLink, relayed: SocketAddr, mapped: Option<SocketAddr> },
    /// `peer` sent this to our relayed address.
    Data { relayed: SocketAddr, peer: SocketAddr, data: Vec<u8> },
}

/// Where a client puts what it wants and tells.
pub(super) struct Sink<'a> {
    pub(super) out: &'a mut VecDeque<Output>,
    pub(super) news: &'a mut VecDeque<News>,
}

/// A client of one server.
pub(super) struct ServerClient {
    connection: Connection,
    kind: IceServerKind,
    client: Client,
    binding: Option<RtcId>,
    stage: Stage,
    /// XOR-MAPPED-ADDRESS of an Allocate response, which rtc's client does not tell.
    mapped: Option<SocketAddr>,
    permissions: Permissions,
    order: Order,
    /// It is not called again before this time, whatever it asks for.
    not_before: SimTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing allocated, and nothing asked for.
    Bare,
    Allocating(RtcId),
    Allocated(SocketAddr),
    /// The allocation is being given back. rtc makes no second attempt, so after this time it is left alone.
    Releasing(SocketAddr, SimTime),
    /// The stream to the server is gone, and nothing is possible any more.
    Over,
}

impl ServerClient {
    /// A client of `server`, at the end of `link`, that has not asked for anything.
    ///
    /// # Errors
    ///
    /// rtc does not take the server's address.
    pub(super) fn new(
        link: ServerLink,
        server: &IceServer,
        crypto: &Arc<dyn RTCCryptoProvider>,
    ) -> Result<Self, Error> {
        let IceServer { address, kind, .. } = *server;
        let Credentials { username, password } = server
            .credentials
            .clone()
            .unwrap_or(Credentials { username: String::new(), password: String::new() });
        let order = Order::new(&username, &password);
        let config = ClientConfig {
            stun_serv_addr: address.to_string(),
            turn_serv_addr: address.to_string(),
            local_addr: link.base(),
            transport_protocol: protocol(link),
            username,
            password,
            ..ClientConfig::default()
        };
        Ok(Self {
            connection: Connection::new(link, server),
            kind,
            client: Client::new(config, Arc::clone(crypto))?,
            binding: None,
            stage: Stage::Bare,
            mapped: None,
            permissions: Permissions::default(),
            order,
            not_before: SimTime::ZERO,
        })
    }

    /// The way to the server.
    pub(super) fn link(&self) -> ServerLink {
        self.connection.link()
    }

    /// What the server is used for.
    pub(super) fn kind(&self) -> IceServerKind {
        self.kind
    }

    /// The relayed transport address, once there is one.
    pub(super) fn relayed(&self) -> Option<SocketAddr> {
        match self.stage {
            Stage::Allocated(relayed) | Stage::Releasing(relayed, _) => Some(relayed),
            Stage::Bare | Stage::Allocating(_) | Stage::Over => None,
        }
    }

    /// True once there is a relayed transport address.
    pub(super) fn has_relay(&self) -> bool {
        self.relayed().is_some()
    }

    /// True once neither a mapped nor a relayed address is waited for.
    pub(super) fn has_ended(&self) -> bool {
        self.binding.is_none() && !matches!(self.stage, Stage::Allocating(_))
    }

    /// True if `id` is that of a running request.
    pub(super) fn expects(&self, id: TransactionId) -> bool {
        self.client.has_transaction(&RtcId(transaction_bytes(id)))
    }

    /// Asks for the mapped address.
    pub(super) fn ask_binding(&mut self, now: SimTime, sink: &mut Sink<'_>) {
        match self.client.send_binding_request(clock::to_instant(now)) {
            Ok(id) => self.binding = Some(id),
            Err(error) => self.trouble("Binding", &error.to_string(), sink),
        }
        self.transmit(sink);
    }

    /// Asks for an allocation.
    pub(super) fn ask_allocation(&mut self, now: SimTime, sink: &mut Sink<'_>) {
        match self.client.allocate(clock::to_instant(now)) {
            Ok(id) => self.stage = Stage::Allocating(id),
            Err(error) => self.trouble("Allocate", &error.to_string(), sink),
        }
        self.transmit(sink);
    }

    /// Gives the allocation back, if there is one.
    pub(super) fn release(&mut self, now: SimTime, sink: &mut Sink<'_>) {
        let Stage::Allocated(relayed) = self.stage else { return };
        // The allocation is there, so that it does not fail.
        let _ = self.client.relay(relayed).and_then(|mut relay| relay.close(clock::to_instant(now)));
        self.stage = Stage::Releasing(relayed, now + RELEASE_WAIT);
        self.transmit(sink);
    }

    /// rtc's client forgets an allocation that was given back.
    fn note_release(&mut self, now: SimTime, sink: &mut Sink<'_>) {
        if let Stage::Releasing(relayed, until) = self.stage
            && (until <= now || self.client.relay(relayed).is_err())
        {
            self.stage = Stage::Bare;
            self.connection.close(sink.out);
        }
    }

    /// Takes an answer of the server, or data it relays.
    pub(super) fn take(&mut self, now: SimTime, payload: &[u8], sink: &mut Sink<'_>) {
        let message = Message::parse(payload);
        let answers = message.as_ref().map(Message::method);
        if let Some(message) = message
            && (message.class(), message.method()) == (Class::Success, method::ALLOCATE)
        {
            self.mapped = message.mapped_address().ok().flatten();
        }
        let read = self.client.handle_read(TaggedBytesMut {
            now: clock::to_instant(now),
            transport: TransportContext {
                local_addr: self.link().base(),
                peer_addr: self.link().server(),
                transport_protocol: protocol(self.link()),
                ecn: None,
            },
            message: BytesMut::from(payload),
        });
        // rtc makes no event of a refused or unusable Refresh.
        if let Err(error) = &read
            && answers == Some(method::REFRESH)
        {
            self.trouble("Refresh", &error.to_string(), sink);
        }
        self.settle(now, sink);
        self.conclude(read.err(), sink);
        self.note_release(now, sink);
    }

    /// When it wants [`ServerClient::step`].
    pub(super) fn due(&mut self) -> Option<SimTime> {
        if self.stage == Stage::Over {
            return None;
        }
        let due = self.client.poll_timeout().map(|due| clock::from_instant(due).max(self.not_before));
        let until = match self.stage {
            Stage::Releasing(_, until) => Some(until),
            _ => None,
        };
        due.into_iter().chain(until).min()
    }

    /// Does what is due at `now`.
    pub(super) fn step(&mut self, now: SimTime, sink: &mut Sink<'_>) {
        self.note_release(now, sink);
        if self.due().is_none_or(|due| now < due) {
            return;
        }
        // rtc's client never fails here.
        let _ = self.client.handle_timeout(clock::to_instant(now));
        self.settle(now, sink);
        self.conclude(None, sink);
        if self.due().is_some_and(|due| due <= now) {
            self.not_before = now + CHECK_INTERVAL;
        }
    }

    /// Has `peer` let through. rtc knows permissions by transport address, TURN by IP address alone: every
    /// port of a peer costs a request.
    pub(super) fn permit(&mut self, now: SimTime, peer: SocketAddr, sink: &mut Sink<'_>) {
        let Some(relayed) = self.relayed() else { return };
        if relayed.is_ipv4() == peer.is_ipv4() && self.permissions.want(peer) {
            self.ask_permission(now, peer, 0, sink);
        }
    }

    fn ask_permission(&mut self, now: SimTime, peer: SocketAddr, stale_nonces: u8, sink: &mut Sink<'_>) {
        let Stage::Allocated(relayed) = self.stage else { return };
        let at = clock::to_instant(now);
        let asked = self.client.relay(relayed).and_then(|mut relay| relay.create_permission(at, peer));
        match asked {
            Ok(Some(id)) => self.permissions.asked(peer, id, stale_nonces),
            Ok(None) => {
                self.permissions.granted(peer);
            }
            Err(error) => {
                self.permissions.refused(peer);
                self.trouble(&format!("CreatePermission for {peer}"), &error.to_string(), sink);
            }
        }
        self.transmit(sink);
    }

    /// Sends `data` to `peer` through the relay, now or as soon as it lets `peer` through.
    pub(super) fn send(&mut self, now: SimTime, peer: SocketAddr, data: &[u8], sink: &mut Sink<'_>) {
        self.permit(now, peer, sink);
        if self.permissions.hold_or_pass(peer, data) == Grant::Pass {
            self.send_permitted(now, peer, data, sink);
        }
    }

    fn send_permitted(&mut self, now: SimTime, peer: SocketAddr, data: &[u8], sink: &mut Sink<'_>) {
        let Stage::Allocated(relayed) = self.stage else { return };
        let at = clock::to_instant(now);
        // The allocation and the permission are there, so that only data too large for a message fail; they are lost.
        let _ = self.client.relay(relayed).and_then(|mut relay| relay.send_to(at, data, peer));
        self.transmit(sink);
    }

    /// Follows rtc's client: what it found out, and what that leads to.
    fn settle(&mut self, now: SimTime, sink: &mut Sink<'_>) {
        loop {
            let mut events: Vec<Event> = std::iter::from_fn(|| self.client.poll_event()).collect();
            if events.is_empty() {
                break;
            }
            self.order.sort_events(&mut events);
            for event in events {
                self.take_event(now, event, sink);
            }
        }
        self.transmit(sink);
    }

    fn take_event(&mut self, now: SimTime, event: Event, sink: &mut Sink<'_>) {
        match event {
            Event::BindingResponse(_, mapped) => {
                self.binding = None;
                sink.news.push_back(News::Mapped { base: self.link().base(), mapped });
            }
            Event::BindingError(_, error) => {
                self.binding = None;
                self.trouble("Binding", &error.to_string(), sink);
            }
            Event::AllocateResponse(_, relayed) => {
                self.stage = Stage::Allocated(relayed);
                let (link, mapped) = (self.link(), self.mapped);
                sink.news.push_back(News::Allocated { link, relayed, mapped });
            }
            Event::AllocateError(_, error) => {
                self.not_allocated(&error.to_string(), sink);
            }
            Event::CreatePermissionResponse(_, peer) => {
                for data in self.permissions.granted(peer) {
                    self.send_permitted(now, peer, &data, sink);
                }
            }
            Event::CreatePermissionError(id, error) => self.permission_refused(now, id, &error, sink),
            Event::DataIndicationOrChannelData(_, peer, data) => {
                if let Some(relayed) = self.relayed() {
                    sink.news.push_back(News::Data { relayed, peer, data: data.into() });
                }
            }
            Event::TransactionTimeout(id) => self.timed_out(id, sink),
            _ => {}
        }
    }

    fn permission_refused(&mut self, now: SimTime, id: RtcId, error: &Error, sink: &mut Sink<'_>) {
        let Some(permissions::Asked { peer, stale_nonces }) = self.permissions.asked_with(id) else { return };
        // rtc has taken the new nonce and leaves the second attempt to its user.
        if *error == Error::ErrTryAgain && stale_nonces < STALE_NONCES {
            self.ask_permission(now, peer, stale_nonces + 1, sink);
        } else {
            self.permissions.refused(peer);
            self.trouble(&format!("CreatePermission for {peer}"), &error.to_string(), sink);
        }
    }

    fn timed_out(&mut self, id: RtcId, sink: &mut Sink<'_>) {
        if self.connection.is_opening() {
            self.give_up_connection(StreamEnd::TimedOut, sink.out);
            return;
        }
        let what = if self.binding == Some(id) {
            self.binding = None;
            "Binding".to_owned()
        } else if self.is_allocating_with(id) {
            self.not_allocated("no answer", sink);
            return;
        } else if let Some(permissions::Asked { peer, .. }) = self.permissions.asked_with(id) {
            self.permissions.forget(peer);
            format!("CreatePermission for {peer}")
        } else {
            "Refresh, ChannelBind or CreatePermission".to_owned()
        };
        self.trouble(&what, "no answer", sink);
    }

    /// `allocate` names the signed request's id, which is the first request's with its last byte plus one.
    fn is_allocating_with(&self, id: RtcId) -> bool {
        let Stage::Allocating(signed) = self.stage else { return false };
        id == signed || id == first_request(signed)
    }

    /// rtc drops an answer it cannot use without an event: nothing is waited for any longer.
    fn conclude(&mut self, why: Option<Error>, sink: &mut Sink<'_>) {
        let why = why.map_or_else(|| "an unusable answer".to_owned(), |why| why.to_string());
        if self.binding.is_some_and(|id| !self.client.has_transaction(&id)) {
            self.binding = None;
            self.trouble("Binding", &why, sink);
        }
        if let Stage::Allocating(signed) = self.stage
            && !self.client.has_transaction(&signed)
            && !self.client.has_transaction(&first_request(signed))
        {
            self.not_allocated(&why, sink);
        }
    }

    fn transmit(&mut self, sink: &mut Sink<'_>) {
        let wanted: Vec<TaggedBytesMut> = std::iter::from_fn(|| self.client.poll_write()).collect();
        for payload in self.order.sort(wanted.into_iter().map(|datagram| datagram.message.into()).collect()) {
            self.connection.send(payload, sink.out);
        }
    }

    /// There is no allocation and will be none, so that a stream is of no use any more.
    fn not_allocated(&mut self, why: &str, sink: &mut Sink<'_>) {
        self.trouble("Allocate", why, sink);
        self.stage = if self.link().stream().is_some() { Stage::Over } else { Stage::Bare };
        self.connection.close(sink.out);
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
        self.stage = Stage::Over;
        self.close(out);
    }

    /// Nobody needs the stream to the server any more, if there is one.
    pub(super) fn close(&mut self, out: &mut VecDeque<Output>) {
        self.connection.close(out);
    }

    fn trouble(&self, what: &str, why: &str, sink: &mut Sink<'_>) {
        let server = self.link();
        let name = match self.kind {
            IceServerKind::Stun => "STUN",
            IceServerKind::Turn => "TURN",
        };
        sink.out.push_back(Output::Trouble(format!("{name} server {server}: {what} failed: {why}")));
    }
}

/// What rtc takes a link for. TLS is the host's business.
fn protocol(link: ServerLink) -> TransportProtocol {
    match link.transport() {
        Transport::Udp => TransportProtocol::UDP,
        Transport::Tcp | Transport::Tls => TransportProtocol::TCP,
    }
}

fn first_request(mut signed: RtcId) -> RtcId {
    if let Some(last) = signed.0.last_mut() {
        *last = last.wrapping_sub(1);
    }
    signed
}
