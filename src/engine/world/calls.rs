//! The calls: how each side gets its socket and its agent, and how far each call is.

use std::net::{IpAddr, SocketAddr};

use super::{World, WorldEvent};
use crate::agent::{self, AgentConfig};
use crate::base::{NodeId, PortRange, Random, SessionId};
use crate::engine::mdns::Mdns;
use crate::engine::media;
use crate::engine::session::{Session, blank_diary};
use crate::engine::settle::{CallProgress, progress};
use crate::engine::{Network, RunError, RunOptions};
use crate::plan::{Element, Node, Plan};

impl World<'_, '_> {
    /// Looks how far the call of this session is now.
    pub(super) fn note_progress(&mut self, session: SessionId) {
        let call = session.index() / 2;
        let Some([caller, callee]) = self.sessions.get(2 * call..2 * call + 2) else { return };
        let progress = progress(caller, callee, self.quiet);
        let before = std::mem::replace(&mut self.calls[call], progress);
        self.open_calls += usize::from(progress == CallProgress::Open);
        self.open_calls -= usize::from(before == CallProgress::Open);
    }

    /// Notes when a session wants to be called next.
    pub(super) fn schedule(&mut self, id: SessionId) {
        let session = &mut self.sessions[id.index()];
        let wanted = session.next_timeout().map(|at| at.max(self.now));
        if wanted != session.timer {
            session.timer = wanted;
            if let Some(at) = wanted {
                self.queue.push(at, WorldEvent::SessionTimer { session: id, at });
            }
        }
    }
}

/// Gives every side of every call its sockets, one on each address of its host, and an agent.
pub(super) fn open_sessions(
    plan: &Plan,
    seed: u64,
    options: &RunOptions,
    mdns: &Mdns,
    network: &mut Network,
) -> Result<Vec<Session>, RunError> {
    let mut sessions: Vec<Session> = Vec::with_capacity(plan.calls.len() * 2);
    for (index, call) in plan.calls.iter().enumerate() {
        let (caller, callee) = (SessionId::new(2 * index as u32), SessionId::new(2 * index as u32 + 1));
        for (node, caller_side, counterpart) in [(call.from, true, callee), (call.to, false, caller)] {
            let place = plan.topology.node(node);
            // A call connects peers: the scenario layer refuses everything else.
            let Element::Peer(peer) = &place.element else { continue };
            let earlier: Vec<_> = sessions.iter().filter(|session| session.diary.node == node).collect();
            let mut taken: Vec<SocketAddr> =
                earlier.iter().flat_map(|session| session.diary.sockets.iter().copied()).collect();
            let host = plan.host_of(node);
            // A peer's second call has streams of its own.
            let name = match earlier.len() {
                0 => host.to_owned(),
                calls => format!("{host} #{}", calls + 1),
            };
            let mut ports = Random::stream(seed, &name, "socket");
            let (mut sockets, mut places) = (Vec::new(), Vec::new());
            let interfaces = plan.topology.interfaces(node).into_iter();
            for place in interfaces.filter(|interface| plan.topology.is_up(*interface)) {
                for address in &plan.topology.node(place).addresses {
                    let socket = free_socket(*address, &taken, &mut ports);
                    network.open_socket(place, socket);
                    taken.push(socket);
                    sockets.push(socket);
                    places.push(place);
                }
            }
            let config = AgentConfig {
                name,
                seed,
                sockets: sockets.clone(),
                caller: caller_side,
                ice_servers: peer.ice_servers.clone(),
                port_mapping: port_mapping(plan, node),
                policy: peer.ice_transport_policy,
                trickle: plan.signalling.trickle,
                lite: peer.ice_lite,
                host_candidates: peer.host_candidates,
                names: mdns.names_of(node),
                max_candidates: options.limits.candidates_per_agent,
            };
            let stack = match options.stacks.of(host) {
                Some(build) => build(config),
                None => agent::build(peer.agent, config).ok_or(RunError::NoSuchStack(peer.agent))?,
            };
            let mut diary = blank_diary(node, (sockets, places), stack.name(), counterpart);
            diary.media = media::flows(&call.media);
            sessions.push(Session::new(stack, diary, host.to_owned(), ports));
        }
    }
    Ok(sessions)
}

/// The NAT that each address of the peer with this node is mapped by, if it asks one, whether its interface is up or not.
fn port_mapping(plan: &Plan, node: NodeId) -> Vec<(IpAddr, IpAddr)> {
    let asks = |place: &Node| match &place.element {
        Element::Peer(peer) => peer.port_mapping,
        _ => None,
    };
    let interfaces = plan.topology.interfaces(node).into_iter().map(|node| plan.topology.node(node));
    let asking = interfaces.filter_map(|place| Some((&place.addresses, asks(place)?)));
    asking.flat_map(|(own, nat)| own.iter().map(move |address| (*address, nat))).collect()
}

/// A dynamic port at random, as operating systems choose them (RFC 6056 §3.3.1).
pub(super) fn free_socket(address: IpAddr, taken: &[SocketAddr], random: &mut Random) -> SocketAddr {
    let ports = PortRange::DYNAMIC;
    loop {
        let port = ports.first() + random.below(u64::from(ports.count())) as u16;
        let socket = SocketAddr::new(address, port);
        if !taken.contains(&socket) {
            return socket;
        }
    }
}
