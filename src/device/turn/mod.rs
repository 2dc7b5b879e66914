//! A TURN server (RFC 8656): messages in, messages out. Whoever holds it brings them from clients and peers, and knows
//! how they travel.
//!
//! What a server may leave out, and this one does:
//! - It sends no datagram with DF set: DONT-FRAGMENT is an unknown attribute (§7.2, §11.2).
//! - It reserves no ports: who asks for the next port too, or comes with a RESERVATION-TOKEN, hears that there is no
//!   capacity (508).
//! - An allocation has one relayed address: ADDITIONAL-ADDRESS-FAMILY is answered by ADDRESS-ERROR-CODE.
//! - Every user may talk to every peer (no 403, but for port 0), and no client is sent elsewhere (no 300).
//! - Bandwidth has no quota; links have.
//!
//! Where the text leaves room, or this server is stricter:
//! - An allocation over a stream ends with it at once: nobody could use its 5-tuple any more.
//! - Requests are processed again when they are retransmitted; an allocation knows the transaction that made it
//!   (§7.2), and answers it with the lifetime granted then.
//! - A channel carries data to the peer only under a permission. §12.6 names no such check, but servers in the field
//!   end a channel along with its permission.
//! - For the 5 minutes in which a client must not bind an expired channel's number or peer anew (§12), the server
//!   refuses it (400). `channel-cooldown: 0s` makes it one that trusts its clients.
//! - ICMP's type and code take eight bits each in the ICMP attribute, as in ICMP itself, whose values §18.13 has it
//!   hold. That section's figure draws seven and nine.

mod allocation;
mod auth;
mod relay;
mod request;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use self::allocation::Allocations;
use self::auth::Authenticator;
use super::Outbox;
use super::stun_server::answer_binding;
use crate::base::{PortRange, Random, SimDuration, SimTime};
use crate::plan::{self, Drop, Listen, Transport};
use crate::wire::Flow;
use crate::wire::stun::{Class, Kind, Message, classify, method};

/// Which client: RFC 8656's 5-tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientId {
    /// From the client to the server.
    pub flow: Flow,
    /// What the client speaks to the server.
    pub transport: Transport,
}

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// To a client: the answer to its request.
    Answer {
        /// The client.
        client: ClientId,
        /// A STUN message.
        bytes: Vec<u8>,
    },
    /// To a client: what a peer sent, or an ICMP error about what went to one.
    ToClient {
        /// The client.
        client: ClientId,
        /// ChannelData or a Data indication.
        bytes: Vec<u8>,
    },
    /// To a peer: what a client sent.
    ToPeer {
        /// The client.
        client: ClientId,
        /// From the relayed transport address to the peer.
        flow: Flow,
        /// Without any envelope.
        payload: Bytes,
    },
}

/// What becomes of something a server takes: what the server says because of it, if anything, or why it dies.
pub type Handled = Result<Option<Said>, Box<Drop>>;

/// A TURN server.
#[derive(Debug)]
pub struct TurnServer {
    auth: Authenticator,
    allocations: Allocations,
    lifetimes: Lifetimes,
    udp_ports: Vec<u16>,
    relay_ports: PortRange,
    relay_addresses: Vec<IpAddr>,
    quota_per_user: usize,
    max_allocations: usize,
    /// Transaction ids of Data indications.
    indications: Random,
}

#[derive(Debug)]
struct Lifetimes {
    allocation: SimDuration,
    max_allocation: SimDuration,
    permission: SimDuration,
    channel: SimDuration,
    channel_cooldown: SimDuration,
}

impl TurnServer {
    /// A server that relays from the first of `addresses` of each family. `listening` are the ports its node
    /// listens on, which are never relayed from; it holds at most `max_allocations`.
    pub fn new(
        config: &plan::Turn,
        addresses: &[IpAddr],
        listening: Vec<u16>,
        max_allocations: usize,
        mut random: Random,
    ) -> Self {
        let mut stream = |purpose| Random::stream(random.next_u64(), "turn", purpose);
        let (ports, indications) = (stream("ports"), stream("indications"));
        let first = |of_family: fn(&IpAddr) -> bool| addresses.iter().copied().find(of_family);
        Self {
            auth: Authenticator::new(config, &mut random),
            allocations: Allocations::new(config.relay_ports, listening, ports),
            lifetimes: Lifetimes {
                allocation: config.allocation_lifetime,
                max_allocation: config.max_allocation_lifetime,
                permission: config.permission_lifetime,
                channel: config.channel_lifetime,
                channel_cooldown: config.channel_cooldown,
            },
            udp_ports: Listen::udp_ports(&config.listen).collect(),
            relay_ports: config.relay_ports,
            relay_addresses: first(IpAddr::is_ipv4).into_iter().chain(first(IpAddr::is_ipv6)).collect(),
            quota_per_user: config.quota_per_user as usize,
            max_allocations,
            indications,
        }
    }

    /// True if clients send it datagrams on this port.
    pub fn listens_on(&self, port: u16) -> bool {
        self.udp_ports.contains(&port)
    }

    /// True if this transport address is, or could be, relayed from.
    pub fn relays_from(&self, address: SocketAddr) -> bool {
        self.relay_ports.contains(address.port()) && self.relay_addresses.contains(&address.ip())
    }

    /// When [`TurnServer::expire`] wants to be called.
    pub fn next_timeout(&self) -> Option<SimTime> {
        self.allocations.first_expiry()
    }

    /// Lets allocations go whose time has come.
    pub fn expire(&mut self, now: SimTime, out: &mut Outbox) {
        self.allocations.expire(now, out);
    }

    /// A client's stream is gone, and with it the 5-tuple by which its allocation is known.
    pub fn client_gone(&mut self, client: &ClientId, out: &mut Outbox) {
        self.allocations.remove(client, out);
    }

    /// Takes a message from a client: a datagram, or one of a stream's.
    ///
    /// # Errors
    ///
    /// What it carries is not relayed.
    pub fn handle_client(
        &mut self,
        now: SimTime,
        client: ClientId,
        payload: &Bytes,
        out: &mut Outbox,
    ) -> Handled {
        self.allocations.expire(now, out);
        match classify(payload) {
            Kind::Channel => self.relay_channel_data(now, client, payload),
            Kind::Stun => match Message::parse(payload) {
                Some(message) => self.handle_message(now, client, payload, &message, out),
                None => Ok(None),
            },
            Kind::Data => Ok(None),
        }
    }

    fn handle_message(
        &mut self,
        now: SimTime,
        client: ClientId,
        payload: &Bytes,
        message: &Message<'_>,
        out: &mut Outbox,
    ) -> Handled {
        let answer = match (message.class(), message.method()) {
            (Class::Request, method::BINDING) => Some(answer_binding(client.flow.source, message)),
            (Class::Request, _) => self.answer_request(now, client, message, out),
            (Class::Indication, method::SEND) => return self.relay_indication(now, client, payload, message),
            // Binding indications keep mappings alive; nothing else is for a server.
            _ => None,
        };
        Ok(answer.map(|bytes| Said::Answer { client, bytes }))
    }
}
