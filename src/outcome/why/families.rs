//! What has to do with address families: pairs that never come to be, and what a NAT64 makes of addresses.

use std::net::SocketAddr;

use super::{Case, addresses_of};
use crate::engine::SessionRun;
use crate::plan::{CandidateType, Family, IceServerKind};

impl Case<'_> {
    /// Candidates of different address families are never paired.
    pub(super) fn families_apart(&self) -> Option<String> {
        let only = |side: &SessionRun| {
            let families = side.local_candidates.iter().map(|candidate| Family::from(candidate.address.ip()));
            let (first, mut rest) = (families.clone().next()?, families);
            rest.all(|family| family == first).then_some(first)
        };
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        let (of_caller, of_callee) = (only(caller)?, only(callee)?);
        (of_caller != of_callee).then(|| {
            format!(
                "{} has {} candidates only and {} {} ones only, and those are never paired.",
                self.name(caller),
                family_name(of_caller),
                self.name(callee),
                family_name(of_callee),
            )
        })
    }

    /// Whoever is behind a NAT64 may be told of IPv4 addresses, and is seen at one, but sends to none.
    pub(super) fn without_ipv4(&self) -> Option<String> {
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        let is_shown = |side: &SessionRun| {
            self.plan.topology.nat64_prefix(side.node).is_some()
                && side.sockets.iter().all(SocketAddr::is_ipv6)
        };
        let has_ipv4 = |side: &SessionRun| {
            let mut candidates = side.local_candidates.iter();
            side.local_candidates.iter().any(|c| c.kind == CandidateType::Host)
                && candidates.all(|candidate| candidate.address.is_ipv4())
        };
        // Of whom nothing has IPv4, not even what a NAT64 shows, that is said already.
        if self.families_apart().is_some() {
            return None;
        }
        let (side, other) = [(caller, callee), (callee, caller)]
            .into_iter()
            .find(|(side, other)| is_shown(side) && has_ipv4(other))?;
        Some(format!(
            "{} has no IPv4 address of its own: it can check none of {}'s addresses, so nothing it sends opens a NAT for them.",
            self.name(side),
            self.name(other),
        ))
    }

    /// True if a TURN server of the side's has the family of one of its sockets.
    pub(super) fn can_ask_for_relay(&self, side: &SessionRun) -> bool {
        let servers = self.peer(side).map(|peer| peer.ice_servers.as_slice()).unwrap_or_default();
        let turn = servers.iter().filter(|server| server.kind == IceServerKind::Turn);
        let is_reached =
            |address: SocketAddr| side.sockets.iter().any(|socket| socket.is_ipv4() == address.is_ipv4());
        turn.into_iter().any(|server| is_reached(server.address))
    }

    /// Behind a NAT64 the peer's relay is seen at an address nobody has told of, and counts as the peer's own.
    pub(super) fn relay_in_disguise(&self) -> Option<String> {
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        [(caller, callee), (callee, caller)].into_iter().find_map(|(side, other)| {
            let (_, pair) = side.selections.last()?;
            let seen = pair.remote.address;
            let relay = self.plan.topology.nat64_prefix(side.node)?.embedded_socket(seen)?;
            addresses_of(other, CandidateType::Relayed).find(|address| *address == relay)?;
            Some(format!(
                "{} sees {}'s relay {relay} as {seen} and takes that for an address of {}'s own.",
                self.name(side),
                self.name(other),
                self.name(other),
            ))
        })
    }

    /// An address of `owner`, as `side` knows it, with what kind of address it is.
    pub(super) fn seen_words(&self, side: &SessionRun, owner: &SessionRun, address: SocketAddr) -> String {
        let ipv4 =
            self.plan.topology.nat64_prefix(side.node).and_then(|prefix| prefix.embedded_socket(address));
        match ipv4 {
            Some(ipv4) => format!("{}, seen as {address}", self.aim_words(owner, ipv4)),
            None => self.aim_words(owner, address),
        }
    }
}

const fn family_name(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "IPv4",
        Family::Ipv6 => "IPv6",
    }
}
