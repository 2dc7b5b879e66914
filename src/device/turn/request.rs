//! TURN requests: Allocate, Refresh, CreatePermission, ChannelBind.

use std::net::{IpAddr, SocketAddr};

use super::allocation::Allocation;
use super::auth::UserIndex;
use super::{ClientId, TurnServer};
use crate::base::{SimDuration, SimTime};
use crate::device::Outbox;
use crate::device::stun_server::SOFTWARE;
use crate::plan::StateChange;
use crate::wire::stun::{
    AddressFamily, AttributeType, Builder, CHANNELS, Malformed, Message, TRANSPORT_UDP, attribute,
    error_code, method,
};

/// What must be understood and is: everything RFC 8489 and RFC 8656 define, without what is not offered here. What is
/// known and means nothing where it stands is ignored (RFC 8489 §6.3).
pub(super) const KNOWN: &[AttributeType] = &[
    attribute::MAPPED_ADDRESS,
    attribute::USERNAME,
    attribute::MESSAGE_INTEGRITY,
    attribute::ERROR_CODE,
    attribute::UNKNOWN_ATTRIBUTES,
    attribute::CHANNEL_NUMBER,
    attribute::LIFETIME,
    attribute::XOR_PEER_ADDRESS,
    attribute::DATA,
    attribute::REALM,
    attribute::NONCE,
    attribute::XOR_RELAYED_ADDRESS,
    attribute::REQUESTED_ADDRESS_FAMILY,
    attribute::EVEN_PORT,
    attribute::REQUESTED_TRANSPORT,
    attribute::MESSAGE_INTEGRITY_SHA256,
    attribute::PASSWORD_ALGORITHM,
    attribute::XOR_MAPPED_ADDRESS,
    attribute::RESERVATION_TOKEN,
];

/// A request from an authenticated user.
#[derive(Clone, Copy)]
struct Request<'r> {
    now: SimTime,
    client: ClientId,
    user: UserIndex,
    message: &'r Message<'r>,
}

/// Why a request is refused: the code of its error response.
struct Refused(u16);

impl From<u16> for Refused {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<Malformed> for Refused {
    fn from(_: Malformed) -> Self {
        Self(error_code::BAD_REQUEST)
    }
}

impl Request<'_> {
    fn success(&self) -> Builder {
        Builder::success(self.message.method(), self.message.transaction())
    }
}

impl TurnServer {
    /// The answer to a request; `None` for methods it does not know (RFC 8489 §6.3 has them discarded).
    pub(super) fn answer_request(
        &mut self,
        now: SimTime,
        client: ClientId,
        message: &Message<'_>,
        out: &mut Outbox,
    ) -> Option<Vec<u8>> {
        let of = message.method();
        if ![method::ALLOCATE, method::REFRESH, method::CREATE_PERMISSION, method::CHANNEL_BIND].contains(&of)
        {
            return None;
        }
        let (answer, key) = match self.auth.authenticate(now, client.flow.source, message) {
            Ok(user) => {
                let request = Request { now, client, user, message };
                (self.answer_authenticated(request, out), Some(self.auth.key(user)))
            }
            Err(code) => (self.auth.refuse(now, client.flow.source, message, code), None),
        };
        // RFC 8656 §5: in these two, success or failure.
        let tells_software = of == method::ALLOCATE || of == method::REFRESH;
        let answer = if tells_software { answer.software(SOFTWARE) } else { answer };
        Some(answer.finish_with(key, message.has(attribute::FINGERPRINT)))
    }

    fn answer_authenticated(&mut self, request: Request<'_>, out: &mut Outbox) -> Builder {
        let message = request.message;
        let unknown = message.unknown_required(KNOWN);
        if !unknown.is_empty() {
            return Builder::error(message.method(), message.transaction(), error_code::UNKNOWN_ATTRIBUTE)
                .unknown_attributes(&unknown);
        }
        let answer = match message.method() {
            method::ALLOCATE => self.allocate(request, out),
            method::REFRESH => self.refresh(request, out),
            method::CREATE_PERMISSION => self.create_permission(request, out),
            _ => self.bind_channel(request, out),
        };
        answer.unwrap_or_else(|Refused(code)| Builder::error(message.method(), message.transaction(), code))
    }

    /// RFC 8656 §7.2.
    fn allocate(&mut self, request: Request<'_>, out: &mut Outbox) -> Result<Builder, Refused> {
        let Request { now, client, user, message } = request;
        if let Some(allocation) = self.allocations.of_client(&client) {
            let again = allocation.made_by == message.transaction() && allocation.user == user;
            if !again {
                return Err(error_code::ALLOCATION_MISMATCH.into());
            }
            return Ok(self.allocated(&request, allocation.relayed, allocation.first_lifetime));
        }
        match message.requested_transport()? {
            None => return Err(error_code::BAD_REQUEST.into()),
            Some(TRANSPORT_UDP) => {}
            Some(_) => return Err(error_code::UNSUPPORTED_TRANSPORT_PROTOCOL.into()),
        }
        let even = even_port(message)?;
        let address = self.relay_address(message)?;
        let lifetime = self.allocation_lifetime(message.lifetime()?);
        if self.allocations.count_of(user) >= self.quota_per_user {
            return Err(error_code::ALLOCATION_QUOTA_REACHED.into());
        }
        if self.allocations.count() >= self.max_allocations {
            return Err(error_code::INSUFFICIENT_CAPACITY.into());
        }
        let port = self.allocations.free_port(address, even).ok_or(error_code::INSUFFICIENT_CAPACITY)?;
        let relayed = SocketAddr::new(address, port);
        let allocation = Allocation::new(user, relayed, message.transaction(), now, lifetime);
        self.allocations.insert(client, allocation);
        let username = self.auth.name(user);
        out.note(|| StateChange::AllocationCreated {
            client: client.flow.source,
            relayed,
            username: username.to_owned(),
            lifetime,
        });
        Ok(self.allocated(&request, relayed, lifetime))
    }

    /// The success response to an Allocate request. It offers no second relayed address to who asks for one.
    fn allocated(&self, request: &Request<'_>, relayed: SocketAddr, lifetime: SimDuration) -> Builder {
        let answer = request
            .success()
            .xor_relayed_address(relayed)
            .lifetime(whole_seconds(lifetime))
            .xor_mapped_address(request.client.flow.source);
        match request.message.additional_address_family() {
            Ok(Some(family)) => answer.address_error_code(family, self.why_no_second(family)),
            _ => answer,
        }
    }

    /// RFC 8656 §7.2: one of these two tells why only one of two relayed addresses was allocated.
    fn why_no_second(&self, family: AddressFamily) -> u16 {
        if self.address_of(family).is_some() {
            error_code::INSUFFICIENT_CAPACITY
        } else {
            error_code::ADDRESS_FAMILY_NOT_SUPPORTED
        }
    }

    /// The address to relay from.
    fn relay_address(&self, message: &Message<'_>) -> Result<IpAddr, Refused> {
        let (requested, additional) =
            (message.requested_address_family()?, message.additional_address_family()?);
        if additional.is_some_and(|family| family != AddressFamily::IPV6 || requested.is_some()) {
            return Err(error_code::BAD_REQUEST.into());
        }
        let address = self.address_of(requested.unwrap_or(AddressFamily::IPV4));
        Ok(address.ok_or(error_code::ADDRESS_FAMILY_NOT_SUPPORTED)?)
    }

    fn address_of(&self, family: AddressFamily) -> Option<IpAddr> {
        self.relay_addresses.iter().copied().find(|address| family_of(*address) == family)
    }

    /// RFC 8656 §7.2: never less than the default, never more than the maximum, which is not below the default.
    fn allocation_lifetime(&self, requested: Option<u32>) -> SimDuration {
        let requested = requested.map_or(SimDuration::ZERO, |secs| SimDuration::from_secs(secs.into()));
        requested.max(self.lifetimes.allocation).min(self.lifetimes.max_allocation)
    }

    /// RFC 8656 §8.2.
    fn refresh(&mut self, request: Request<'_>, out: &mut Outbox) -> Result<Builder, Refused> {
        let relayed = self.own_allocation(&request)?.relayed;
        let requested = request.message.lifetime()?;
        let family = request.message.requested_address_family()?;
        if family.is_some_and(|family| family != family_of(relayed.ip())) {
            return Err(error_code::PEER_ADDRESS_FAMILY_MISMATCH.into());
        }
        if requested == Some(0) {
            self.allocations.remove(&request.client, out);
            return Ok(request.success().lifetime(0));
        }
        let lifetime = self.allocation_lifetime(requested);
        self.allocations.refresh(&request.client, request.now + lifetime);
        out.note(|| StateChange::AllocationRefreshed { relayed, lifetime });
        Ok(request.success().lifetime(whole_seconds(lifetime)))
    }

    /// RFC 8656 §10.2: all of the peers, or none.
    fn create_permission(&mut self, request: Request<'_>, out: &mut Outbox) -> Result<Builder, Refused> {
        let lifetime = self.lifetimes.permission;
        let allocation = self.own_allocation(&request)?;
        let peers = request.message.peer_addresses()?;
        if peers.is_empty() {
            return Err(error_code::BAD_REQUEST.into());
        }
        if peers.iter().any(|peer| peer.is_ipv4() != allocation.relayed.is_ipv4()) {
            return Err(error_code::PEER_ADDRESS_FAMILY_MISMATCH.into());
        }
        for peer in &peers {
            permit(allocation, request.now, peer.ip(), lifetime, out);
        }
        Ok(request.success())
    }

    /// RFC 8656 §12.2.
    fn bind_channel(&mut self, request: Request<'_>, out: &mut Outbox) -> Result<Builder, Refused> {
        let (lifetime, cooldown) = (self.lifetimes.channel, self.lifetimes.channel_cooldown);
        let permission_lifetime = self.lifetimes.permission;
        let allocation = self.own_allocation(&request)?;
        let (channel, peer) = (request.message.channel_number()?, request.message.peer_address()?);
        let (Some(channel), Some(peer)) = (channel, peer) else {
            return Err(error_code::BAD_REQUEST.into());
        };
        if !CHANNELS.contains(&channel) {
            return Err(error_code::BAD_REQUEST.into());
        }
        if peer.is_ipv4() != allocation.relayed.is_ipv4() {
            return Err(error_code::PEER_ADDRESS_FAMILY_MISMATCH.into());
        }
        // The one restriction on peers: nobody can listen on port 0.
        if peer.port() == 0 {
            return Err(error_code::FORBIDDEN.into());
        }
        if !allocation.bind(request.now, channel, peer, lifetime, cooldown) {
            return Err(error_code::BAD_REQUEST.into());
        }
        let relayed = allocation.relayed;
        out.note(|| StateChange::ChannelBound { relayed, channel, peer, lifetime });
        permit(allocation, request.now, peer.ip(), permission_lifetime, out);
        Ok(request.success())
    }

    /// The allocation of the request's 5-tuple, if it is the user's (RFC 8656 §5).
    fn own_allocation(&mut self, request: &Request<'_>) -> Result<&mut Allocation, Refused> {
        let allocation = self.allocations.of_client_mut(&request.client);
        let allocation = allocation.ok_or(error_code::ALLOCATION_MISMATCH)?;
        if allocation.user == request.user {
            Ok(allocation)
        } else {
            Err(error_code::WRONG_CREDENTIALS.into())
        }
    }
}

fn permit(allocation: &mut Allocation, now: SimTime, peer: IpAddr, lifetime: SimDuration, out: &mut Outbox) {
    allocation.permit(now, peer, lifetime);
    let relayed = allocation.relayed;
    out.note(|| StateChange::PermissionInstalled { relayed, peer, lifetime });
}

/// True if the relayed port must be even. A server that reserves no ports cannot satisfy who wants the next one too,
/// or comes with a token (RFC 8656 §7.2).
fn even_port(message: &Message<'_>) -> Result<bool, Refused> {
    let (even, token) = (message.even_port()?, message.reservation_token()?);
    let asks_for_family =
        message.has(attribute::REQUESTED_ADDRESS_FAMILY) || message.has(attribute::ADDITIONAL_ADDRESS_FAMILY);
    let contradicts_token = token.is_some() && (even.is_some() || asks_for_family);
    let reserves_two_families = even == Some(true) && message.has(attribute::ADDITIONAL_ADDRESS_FAMILY);
    if contradicts_token || reserves_two_families {
        return Err(error_code::BAD_REQUEST.into());
    }
    if token.is_some() || even == Some(true) {
        return Err(error_code::INSUFFICIENT_CAPACITY.into());
    }
    Ok(even.is_some())
}

/// LIFETIME promises no more than there is; 0 would say that the allocation is gone.
fn whole_seconds(lifetime: SimDuration) -> u32 {
    u32::try_from(lifetime.as_nanos() / 1_000_000_000).unwrap_or(u32::MAX).max(1)
}

fn family_of(address: IpAddr) -> AddressFamily {
    AddressFamily::from(&address)
}
