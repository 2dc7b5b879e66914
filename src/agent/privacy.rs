//! What the peer is told of our addresses (RFC 8828, draft-ietf-mmusic-mdns-ice-candidates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::AgentConfig;
use crate::plan::{CandidateType, HostCandidates};
use crate::wire::{Candidate, MdnsName};

/// The port that stands for none (RFC 8839 §5.1).
const DISCARD: u16 = 9;

/// What an agent keeps to itself, and the names it tells instead.
#[derive(Debug, Clone)]
pub(super) struct Privacy {
    mode: HostCandidates,
    names: Vec<(IpAddr, MdnsName)>,
}

impl Privacy {
    /// What the configuration asks for.
    pub(super) fn of(config: &AgentConfig) -> Self {
        Self { mode: config.host_candidates, names: config.names.clone() }
    }

    /// The name that stands for a candidate's address; `None`: the address is told, or nothing.
    pub(super) fn name_of(&self, kind: CandidateType, address: IpAddr) -> Option<MdnsName> {
        let is_named = kind == CandidateType::Host && self.mode == HostCandidates::Mdns;
        let own = self.names.iter().filter(|_| is_named).find(|(known, _)| *known == address);
        own.map(|(_, name)| name.clone())
    }

    /// One of our candidates as the peer is told of it; `None`: it is not.
    pub(super) fn told(&self, candidate: &Candidate) -> Option<Candidate> {
        if matches!(self.mode, HostCandidates::Visible | HostCandidates::DefaultRoute) {
            return Some(candidate.clone());
        }
        let Candidate { address, kind, related, .. } = candidate;
        if *kind != CandidateType::Host {
            let related = related.map(|related| SocketAddr::new(unspecified(related.ip()), DISCARD));
            return Some(Candidate { related, ..candidate.clone() });
        }
        let name = self.name_of(*kind, address.ip())?;
        let hidden = SocketAddr::new(unspecified(address.ip()), address.port());
        Some(Candidate { address: hidden, name: Some(name), ..candidate.clone() })
    }
}

/// The address of the same family that says nothing.
fn unspecified(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::{ALICE, config};
    use super::*;

    const HOST: &str = "candidate:1 1 udp 1 10.0.0.1 5000 typ host";
    const SRFLX: &str = "candidate:2 1 udp 1 203.0.113.1 4000 typ srflx raddr 10.0.0.1 rport 5000";
    const RELAY: &str = "candidate:3 1 udp 1 192.0.2.1 50000 typ relay raddr 203.0.113.1 rport 4000";

    /// What a peer is told of the line.
    fn told(mode: HostCandidates, line: &str) -> Option<String> {
        let names = vec![("10.0.0.1".parse().expect("an address"), "x.local".parse().expect("a name"))];
        let config = AgentConfig { host_candidates: mode, names, ..config(ALICE) };
        Privacy::of(&config).told(&line.parse().expect("a candidate")).map(|told| told.to_string())
    }

    #[test]
    fn whoever_hides_nothing_tells_candidates_as_they_are() {
        for mode in [HostCandidates::Visible, HostCandidates::DefaultRoute] {
            for line in [HOST, SRFLX, RELAY] {
                assert_eq!(told(mode, line).as_deref(), Some(line));
            }
        }
    }

    #[test]
    fn names_stand_for_host_addresses_and_nothing_hides_behind_them() {
        assert_eq!(
            told(HostCandidates::Mdns, HOST).as_deref(),
            Some("candidate:1 1 udp 1 x.local 5000 typ host")
        );
    }

    #[test]
    fn hidden_hosts_are_not_told() {
        assert_eq!(told(HostCandidates::Hidden, HOST), None);
    }

    #[test]
    fn related_addresses_are_told_by_nobody_who_hides_something() {
        for mode in [HostCandidates::Mdns, HostCandidates::Hidden] {
            for line in [SRFLX, RELAY] {
                let told = told(mode, line).expect("it is told");
                assert!(told.ends_with(" raddr 0.0.0.0 rport 9"), "{told}");
            }
        }
    }
}
