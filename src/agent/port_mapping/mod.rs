//! Asking the nearest NAT for mappings of our sockets, by PCP or, where the NAT answers that it knows only that, by NAT-PMP.
//!
//! Requests leave from the socket that is to be mapped: NAT-PMP and PCP both say which port is meant, so any would do.
//! A mapping is renewed at half of its lifetime and kept until the agent ends. A NAT that has forgotten everything shows it
//! by its epoch, in an announcement or in its next answer; then all mappings are asked for again. After an ICE restart the
//! new sockets ask for mappings of their own; those of the old ones are renewed while the old pair is of use, and then expire.

mod all;
mod lease;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub(super) use self::all::PortMappers;
use self::lease::Lease;
use super::Output;
use crate::base::{SimDuration, SimTime};
use crate::wire::port_mapping::{ANNOUNCED_AT, SERVER_PORT, nat_pmp, pcp};

/// How often we follow a NAT that says it speaks the other protocol.
const MOST_SWITCHES: u8 = 4;

/// Our side of NAT-PMP and PCP, for all sockets of an interface that its NAT could map.
#[derive(Debug)]
struct PortMapper {
    /// The NAT's own address, and the port that both protocols share.
    server: SocketAddr,
    speaks: Speaks,
    switches: u8,
    leases: Vec<Lease>,
    /// The NAT's external address, as NAT-PMP tells it apart from mappings.
    external: Option<Ipv4Addr>,
    /// The NAT's last epoch, in seconds, and when it was told.
    epoch: Option<(SimTime, u32)>,
}

/// The protocol that is spoken. PCP comes first (RFC 6887 appendix A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    Pcp,
    NatPmp,
}

/// A base has this address outside from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) base: SocketAddr,
    pub(super) external: SocketAddr,
}

/// What an answer says of one lease.
enum Said {
    Granted { external: SocketAddr, lifetime: SimDuration },
    Denied(String),
}

impl PortMapper {
    /// What asks the NAT at `gateway` for these.
    fn new(gateway: IpAddr, leases: Vec<Lease>) -> Self {
        Self {
            server: SocketAddr::new(gateway, SERVER_PORT),
            speaks: Speaks::Pcp,
            switches: 0,
            leases,
            external: None,
            epoch: None,
        }
    }

    /// True if what came to `socket` from `from` is the NAT's answer, or what it tells everybody.
    fn is_way_of(&self, socket: SocketAddr, from: SocketAddr) -> bool {
        from == self.server
            && (socket == ANNOUNCED_AT || self.leases.iter().any(|lease| lease.base() == socket))
    }

    /// True once it is known of every socket whether it has a mapping.
    fn has_ended(&self) -> bool {
        self.leases.iter().all(Lease::is_known)
    }

    /// When it wants [`PortMapper::step`].
    fn due(&self) -> Option<SimTime> {
        self.leases.iter().filter_map(Lease::due).min()
    }

    /// Does what is due at `now`.
    fn step(&mut self, now: SimTime, out: &mut VecDeque<Output>) {
        let (speaks, external, server) = (self.speaks, self.external, self.server);
        for lease in &mut self.leases {
            match lease.step(now, speaks) {
                lease::Step::Wait => {}
                lease::Step::Ask => {
                    let payload = lease.request(speaks, external);
                    out.push_back(Output::Transmit { from: lease.base(), to: server, payload });
                }
                lease::Step::Fail => trouble(server, "no answer", out),
            }
        }
    }

    /// Reads an answer that came to `socket`. What is new about its address outside.
    fn take(
        &mut self,
        now: SimTime,
        socket: SocketAddr,
        payload: &[u8],
        out: &mut VecDeque<Output>,
    ) -> Option<Mapped> {
        if socket == ANNOUNCED_AT {
            self.hear(now, payload);
            return None;
        }
        let index = self.leases.iter().position(|lease| lease.base() == socket)?;
        let said = match self.speaks {
            Speaks::Pcp => self.read_pcp(now, index, payload),
            Speaks::NatPmp => self.read_nat_pmp(now, index, payload),
        };
        if said.is_none() {
            self.follow_version(now, payload, out);
        }
        match said? {
            Said::Denied(why) => {
                self.leases[index].end();
                trouble(self.server, &why, out);
                None
            }
            Said::Granted { external, lifetime } => {
                let is_new = self.leases[index].hold(now, external, lifetime);
                is_new.then_some(Mapped { base: socket, external })
            }
        }
    }

    /// The NAT tells everybody its epoch. We ask at once: the random wait of RFC 6887 §8.5 is for many hosts together.
    fn hear(&mut self, now: SimTime, payload: &[u8]) {
        let of_pcp = pcp::Response::parse(payload).filter(|response| response.asked == pcp::Asked::Announce);
        let told = of_pcp.map(|response| response.epoch).or_else(|| {
            let response = nat_pmp::Response::parse(payload)?;
            matches!(response.answer, nat_pmp::Answer::ExternalAddress(_)).then_some(response.epoch)
        });
        if told.is_some_and(|epoch| self.has_forgotten(now, epoch)) {
            self.external = None;
            self.ask_again(now, None);
        }
    }

    fn read_pcp(&mut self, now: SimTime, index: usize, payload: &[u8]) -> Option<Said> {
        let response = pcp::Response::parse(payload)?;
        let pcp::Asked::Map(map) = response.asked else { return None };
        if !self.leases[index].is_about(&map) {
            return None;
        }
        if self.has_forgotten(now, response.epoch) {
            self.ask_again(now, Some(index));
        }
        let lifetime = SimDuration::from_secs(response.lifetime.into());
        match response.result {
            pcp::ResultCode::Success if lifetime.is_zero() => None,
            pcp::ResultCode::Success => {
                Some(Said::Granted { external: SocketAddr::new(map.external, map.external_port), lifetime })
            }
            error => Some(Said::Denied(error.to_string())),
        }
    }

    fn read_nat_pmp(&mut self, now: SimTime, index: usize, payload: &[u8]) -> Option<Said> {
        let nat_pmp::Response { result, epoch, answer } = nat_pmp::Response::parse(payload)?;
        let port = self.leases[index].base().port();
        if self.has_forgotten(now, epoch) {
            // Its address may be another one: that has to be asked first.
            self.external = None;
            self.ask_again(now, None);
            return None;
        }
        match (result, answer) {
            (nat_pmp::ResultCode::Success, nat_pmp::Answer::ExternalAddress(address)) => {
                self.external = Some(address);
                self.leases[index].go_on(now);
                None
            }
            (
                nat_pmp::ResultCode::Success,
                nat_pmp::Answer::Mapped { internal_port, external_port, lifetime, .. },
            ) if internal_port == port && lifetime > 0 => {
                let external = SocketAddr::new(self.external?.into(), external_port);
                Some(Said::Granted { external, lifetime: SimDuration::from_secs(lifetime.into()) })
            }
            // The second answer to a PCP request that was sent, or came, twice.
            (nat_pmp::ResultCode::Success | nat_pmp::ResultCode::UnsupportedVersion, _) => None,
            (error, _) => Some(Said::Denied(error.to_string())),
        }
    }

    /// Speaks the other protocol if that is what the NAT says (RFC 6887 §9, RFC 6886 §3.5).
    fn follow_version(&mut self, now: SimTime, payload: &[u8], out: &mut VecDeque<Output>) {
        let spoken = match payload.first() {
            Some(&pcp::VERSION) => pcp::Response::parse(payload)
                .filter(|response| response.result == pcp::ResultCode::UnsupportedVersion)
                .map(|_| Speaks::Pcp),
            _ => nat_pmp::Response::parse(payload)
                .filter(|response| response.result == nat_pmp::ResultCode::UnsupportedVersion)
                .map(|_| Speaks::NatPmp),
        };
        let Some(spoken) = spoken.filter(|spoken| *spoken != self.speaks) else { return };
        if self.switches == MOST_SWITCHES {
            self.leases.iter_mut().for_each(Lease::end);
            trouble(self.server, "neither PCP nor NAT-PMP is spoken", out);
            return;
        }
        self.switches += 1;
        self.speaks = spoken;
        self.ask_again(now, None);
    }

    /// Asks for all mappings again but that of the lease `but`, which has just been answered.
    fn ask_again(&mut self, now: SimTime, but: Option<usize>) {
        let leases = self.leases.iter_mut().enumerate();
        leases.filter(|(index, _)| Some(*index) != but).for_each(|(_, lease)| lease.ask(now));
    }

    /// True if the NAT lost its mappings since its last answer (RFC 6887 §8.5; RFC 6886 §3.6 is more patient): its clock,
    /// which starts anew then, has not gone on as ours has.
    fn has_forgotten(&mut self, now: SimTime, epoch: u32) -> bool {
        let Some((then, before)) = self.epoch.replace((now, epoch)) else { return false };
        let ours = now.since(then).as_nanos() / 1_000_000_000;
        let (before, epoch) = (u64::from(before), u64::from(epoch));
        let theirs = epoch.saturating_sub(before);
        epoch + 1 < before || ours + 2 < theirs - theirs / 16 || theirs + 2 < ours - ours / 16
    }
}

fn trouble(server: SocketAddr, why: &str, out: &mut VecDeque<Output>) {
    out.push_back(Output::Trouble(format!("port mapping by {}: {why}", server.ip())));
}
