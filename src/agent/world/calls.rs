//! The calls that tests begin with, and questions about what became of them.

use std::net::SocketAddr;

use super::{ALICE, BOB, Datagram, World, address, config, stun_header, stun_server, turn_server};
use crate::agent::{AgentConfig, build};
use crate::base::SimTime;
use crate::plan::{CandidateType, IceServer, StackKind};
use crate::wire::stun::{Class, Method};
use crate::wire::{Candidate, PairEnd};

/// A world of two agents of one kind.
pub(in crate::agent) fn world(kind: StackKind, configs: [AgentConfig; 2]) -> World {
    World::new(|config| build(kind, config).expect("this build has the stack"), configs)
}

/// A call without any server.
pub(in crate::agent) fn call(kind: StackKind) -> World {
    world(kind, [config(ALICE), config(BOB)])
}

/// A call where the caller alone knows these servers.
pub(in crate::agent) fn call_with(kind: StackKind, ice_servers: Vec<IceServer>) -> World {
    world(kind, [AgentConfig { ice_servers, ..config(ALICE) }, config(BOB)])
}

/// The same where nobody trickles.
pub(in crate::agent) fn untrickled_call_with(kind: StackKind, ice_servers: Vec<IceServer>) -> World {
    let [alice, bob] = [ALICE, BOB].map(|side| AgentConfig { trickle: false, ..config(side) });
    world(kind, [AgentConfig { ice_servers, ..alice }, bob])
}

/// Sides that both have the fake server as STUN and TURN server.
pub(in crate::agent) fn configs_with_servers() -> [AgentConfig; 2] {
    let ice_servers = vec![stun_server(), turn_server("secret")];
    [ALICE, BOB].map(|side| AgentConfig { ice_servers: ice_servers.clone(), ..config(side) })
}

/// A call of such sides, behind addresses they do not know themselves.
pub(in crate::agent) fn call_with_servers(kind: StackKind) -> World {
    let mut world = world(kind, configs_with_servers());
    world.server.mapped = Some(address("203.0.113.1:40001"));
    world
}

/// A call where nothing passes but through Alice's relay.
pub(in crate::agent) fn relayed_call(kind: StackKind) -> World {
    let mut world = call_with(kind, vec![turn_server("secret")]);
    world.loses = Box::new(is_between_peers);
    world
}

pub(in crate::agent) fn is_between_peers(datagram: &Datagram) -> bool {
    let is_peer = |address: SocketAddr| address.ip().to_string().starts_with("10.0.0.");
    is_peer(datagram.from) && is_peer(datagram.to)
}

pub(in crate::agent) fn seconds(seconds: u64) -> SimTime {
    SimTime::from_millis(seconds * 1_000)
}

pub(in crate::agent) fn end(kind: CandidateType, text: &str) -> PairEnd {
    PairEnd { kind, address: address(text), relay: None }
}

/// What a side signalled, by name, and when, in milliseconds.
pub(in crate::agent) fn names(world: &World, side: usize) -> Vec<(u64, &'static str)> {
    world.signals(side).iter().map(|(at, signal)| (at.as_nanos() / 1_000_000, signal.name())).collect()
}

pub(in crate::agent) fn kinds(candidates: &[Candidate]) -> Vec<CandidateType> {
    candidates.iter().map(|candidate| candidate.kind).collect()
}

/// When requests of this method were sent.
pub(in crate::agent) fn requests(world: &World, of: Method) -> Vec<SimTime> {
    let is_one = |payload: &[u8]| {
        stun_header(payload).is_some_and(|(class, method, _)| class == Class::Request && method == of)
    };
    world.sent.iter().filter(|datagram| is_one(&datagram.payload)).map(|datagram| datagram.at).collect()
}

pub(in crate::agent) fn is_message(payload: &[u8], of: Method) -> bool {
    stun_header(payload).is_some_and(|(_, method, _)| method == of)
}
