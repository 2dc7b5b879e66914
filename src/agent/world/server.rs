//! A scripted STUN and TURN server: just enough to talk to, with every refusal on demand.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use super::Datagram;
use crate::wire::stun::{
    Builder, Class, Key, Message, Method, channel_data, method, parse_channel_data, transaction_bytes,
};

/// Where it listens.
pub(super) const ADDRESS: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 3478));
const RELAY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
const REALM: &str = "example.org";

/// The server, and how it behaves.
#[derive(Debug)]
pub(in crate::agent) struct FakeServer {
    /// Answers nothing if true.
    pub(in crate::agent) is_dead: bool,
    /// What it says is the address of every client; `None`: the truth.
    pub(in crate::agent) mapped: Option<SocketAddr>,
    /// The nonce it takes.
    pub(in crate::agent) nonce: String,
    /// Refuses requests of this method with this code.
    pub(in crate::agent) refuses: Option<(Method, u16)>,
    /// The lifetime of allocations, in seconds.
    pub(in crate::agent) lifetime: u32,
    /// Every request it got: method, and whether it was signed.
    pub(in crate::agent) requests: Vec<(Method, bool)>,
    allocations: Vec<Allocation>,
}

#[derive(Debug)]
struct Allocation {
    client: SocketAddr,
    relayed: SocketAddr,
    permissions: Vec<IpAddr>,
    channels: Vec<(u16, SocketAddr)>,
}

type Outgoing = Vec<(SocketAddr, SocketAddr, Vec<u8>)>;

impl Default for FakeServer {
    fn default() -> Self {
        Self {
            is_dead: false,
            mapped: None,
            nonce: "nonce-1".to_owned(),
            refuses: None,
            lifetime: 600,
            requests: Vec::new(),
            allocations: Vec::new(),
        }
    }
}

impl FakeServer {
    /// Forgets every allocation, as a server that was started anew.
    pub(in crate::agent) fn restart(&mut self) {
        self.allocations.clear();
    }

    /// What it sends when `datagram` comes in.
    pub(super) fn take(&mut self, datagram: Datagram) -> Outgoing {
        let Datagram { from, to, payload, .. } = datagram;
        if self.is_dead {
            return Vec::new();
        }
        if to != ADDRESS {
            return self.relay_to_client(from, to, &payload).into_iter().collect();
        }
        if let Some((number, data)) = parse_channel_data(&payload) {
            return self.relay_channel(from, number, data).into_iter().collect();
        }
        let Some(message) = Message::parse(&payload) else { return Vec::new() };
        if (message.class(), message.method()) == (Class::Indication, method::SEND) {
            return self.relay_indication(from, &message).into_iter().collect();
        }
        if message.class() != Class::Request {
            return Vec::new();
        }
        vec![(ADDRESS, from, self.answer(from, &message))]
    }

    fn relay_to_client(
        &self,
        from: SocketAddr,
        to: SocketAddr,
        data: &[u8],
    ) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
        let allocation = self.allocations.iter().find(|allocation| allocation.relayed == to)?;
        if !allocation.permissions.contains(&from.ip()) {
            return None;
        }
        let channel = allocation.channels.iter().find(|(_, peer)| *peer == from);
        let payload = match channel {
            Some((number, _)) => channel_data(*number, data)?,
            None => {
                Builder::indication(method::DATA, 7_u128.into()).xor_peer_address(from).data(data).finish()
            }
        };
        Some((ADDRESS, allocation.client, payload))
    }

    fn relay_channel(
        &self,
        from: SocketAddr,
        number: u16,
        data: &[u8],
    ) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
        let allocation = self.allocations.iter().find(|allocation| allocation.client == from)?;
        let (_, peer) = allocation.channels.iter().find(|(known, _)| *known == number)?;
        Some((allocation.relayed, *peer, data.to_vec()))
    }

    fn relay_indication(
        &self,
        from: SocketAddr,
        message: &Message<'_>,
    ) -> Option<(SocketAddr, SocketAddr, Vec<u8>)> {
        let allocation = self.allocations.iter().find(|allocation| allocation.client == from)?;
        let peer = message.peer_address().ok().flatten()?;
        let permitted = allocation.permissions.contains(&peer.ip());
        permitted.then_some((allocation.relayed, peer, message.data()?.to_vec()))
    }

    fn answer(&mut self, from: SocketAddr, message: &Message<'_>) -> Vec<u8> {
        let (of, id) = (message.method(), message.transaction());
        let key = Key::long_term("demo", REALM, "secret");
        self.requests.push((of, message.username() == Ok(Some("demo"))));
        let mapped = self.mapped.unwrap_or(from);
        if of == method::BINDING {
            return Builder::success(of, id).xor_mapped_address(mapped).finish();
        }
        if let Some(code) = self.refusal(message, &key) {
            let error = Builder::error(of, id, code);
            return match code {
                401 | 438 => error.realm(REALM).nonce(&self.nonce).finish(),
                _ => error.finish_with(Some(&key), false),
            };
        }
        let success = Builder::success(of, id);
        let success = match of {
            method::ALLOCATE => {
                let relayed = self.allocate(from);
                success.xor_relayed_address(relayed).xor_mapped_address(mapped).lifetime(self.lifetime)
            }
            method::REFRESH => success.lifetime(self.lifetime),
            _ => success,
        };
        let peers = message.peer_addresses().unwrap_or_default();
        if let Some(allocation) = self.allocations.iter_mut().find(|allocation| allocation.client == from) {
            allocation.permissions.extend(peers.iter().map(SocketAddr::ip));
            if let (Ok(Some(number)), Some(peer)) = (message.channel_number(), peers.first()) {
                allocation.channels.push((number, *peer));
            }
        }
        success.finish_with(Some(&key), false)
    }

    /// RFC 8489 §9.2.4, and whatever the test wants refused.
    fn refusal(&self, message: &Message<'_>, key: &Key) -> Option<u16> {
        match message.nonce() {
            Ok(Some(nonce)) if message.verify(key) && nonce != self.nonce => Some(438),
            Ok(Some(_)) if message.verify(key) => {
                self.refuses.filter(|(of, _)| *of == message.method()).map(|(_, code)| code)
            }
            _ => Some(401),
        }
    }

    fn allocate(&mut self, client: SocketAddr) -> SocketAddr {
        let port = 50_000 + u16::try_from(self.allocations.len()).expect("few");
        let relayed = SocketAddr::new(RELAY, port);
        self.allocations.push(Allocation { client, relayed, permissions: Vec::new(), channels: Vec::new() });
        relayed
    }
}

/// The method and transaction of a STUN message.
pub(in crate::agent) fn stun_header(payload: &[u8]) -> Option<(Class, Method, [u8; 12])> {
    let message = Message::parse(payload)?;
    Some((message.class(), message.method(), transaction_bytes(message.transaction())))
}
