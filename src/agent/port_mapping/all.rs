//! All NATs that an agent asks for mappings: the one nearest to each of its interfaces.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use super::super::server_link::Way;
use super::super::{AgentConfig, Output};
use super::lease::Lease;
use super::{Mapped, PortMapper};
use crate::base::{Random, SimDuration, SimTime};
use crate::wire::port_mapping::pcp;

/// One [`PortMapper`] for each address of ours that has a NAT to ask.
#[derive(Debug, Default)]
pub(in crate::agent) struct PortMappers(pub(super) Vec<PortMapper>);

impl PortMappers {
    /// What asks for the sockets of this agent, one each `spacing` from `now` on.
    pub(in crate::agent) fn new(config: &AgentConfig, now: SimTime, spacing: SimDuration) -> Self {
        let mut random = Random::stream(config.seed, &config.name, "port-mapping");
        let mut start = now;
        let mut lease = |base: &SocketAddr| {
            let mut nonce = pcp::Nonce::default();
            random.fill(&mut nonce);
            let lease = Lease::new(*base, nonce, start);
            start += spacing;
            lease
        };
        let mapper = |(address, gateway): &(IpAddr, IpAddr)| {
            let of_family = address.is_ipv4() == gateway.is_ipv4();
            let bases = config.sockets.iter().filter(|base| of_family && base.ip() == *address);
            PortMapper::new(*gateway, bases.map(&mut lease).collect())
        };
        let mut mappers: Vec<PortMapper> = config.port_mapping.iter().map(mapper).collect();
        mappers.retain(|mapper| !mapper.leases.is_empty());
        Self(mappers)
    }

    /// How many sockets they ask for.
    pub(in crate::agent) fn len(&self) -> u64 {
        self.0.iter().map(|mapper| mapper.leases.len() as u64).sum()
    }

    /// True once it is known of every socket whether it has a mapping.
    pub(in crate::agent) fn have_ended(&self) -> bool {
        self.0.iter().all(PortMapper::has_ended)
    }

    /// When they want [`PortMappers::step`].
    pub(in crate::agent) fn due(&self) -> Option<SimTime> {
        self.0.iter().filter_map(PortMapper::due).min()
    }

    /// Does what is due at `now`.
    pub(in crate::agent) fn step(&mut self, now: SimTime, out: &mut VecDeque<Output>) {
        for mapper in &mut self.0 {
            mapper.step(now, out);
        }
    }

    /// Takes what came by `way` if a NAT sent it: what is new about a base's address outside, and the NAT's own address.
    /// `None`: no NAT did.
    pub(in crate::agent) fn take(
        &mut self,
        now: SimTime,
        way: Way,
        payload: &[u8],
        out: &mut VecDeque<Output>,
    ) -> Option<(Option<Mapped>, IpAddr)> {
        let Way::Socket { socket, from } = way else { return None };
        let mapper = self.0.iter_mut().find(|mapper| mapper.is_way_of(socket, from))?;
        Some((mapper.take(now, socket, payload, out), from.ip()))
    }

    /// A base is gone: nothing more is asked for it.
    pub(in crate::agent) fn lose_base(&mut self, base: SocketAddr) {
        for mapper in &mut self.0 {
            mapper.leases.retain(|lease| lease.base() != base);
        }
        self.0.retain(|mapper| !mapper.leases.is_empty());
    }
}
