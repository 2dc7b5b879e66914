//! Addresses that NATs get while a scenario runs. Nobody else may have them at any time of it.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::file::{Action, Event};
use crate::base::NodeId;
use crate::plan::graph::{PUBLIC_REALM, RealmId};
use crate::plan::{Element, Topology};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::read::{At, Reader};
use crate::scenario::resolve::addresses::{OVERFLOW, PUBLIC, not_on_the_internet};
use crate::scenario::source::Span;

/// Who has which address at some time of the run.
#[derive(Debug, Default)]
pub struct Claims(Vec<Claim>);

#[derive(Debug)]
struct Claim {
    realm: RealmId,
    address: IpAddr,
    node: NodeId,
    /// Where an event says so.
    span: Option<Span>,
}

impl Claims {
    /// What nodes have from the beginning, and what events give them explicitly.
    pub fn collect(topology: &Topology, events: &[Event]) -> Self {
        let mut claims = Self::default();
        for (id, node) in topology.nodes() {
            for address in &node.addresses {
                claims.add(node.realm, *address, id, None);
            }
            if let Element::Nat(nat) = &node.element {
                claims.add(node.inner_realm, nat.gateway, id, None);
            }
        }
        let explicit = events.iter().filter_map(|event| match &event.action.value {
            Action::Renumber(nats) => Some(nats),
            _ => None,
        });
        for (name, addresses) in explicit.flatten() {
            let Some(id) = topology.find(&name.value) else { continue };
            for address in addresses.iter().flatten() {
                claims.add(topology.node(id).realm, address.value, id, Some(address.span));
            }
        }
        claims
    }

    fn add(&mut self, realm: RealmId, address: IpAddr, node: NodeId, span: Option<Span>) {
        self.0.push(Claim { realm, address, node, span });
    }

    /// What a NAT has after an event: what it says, or the next free address.
    pub fn addresses(
        &mut self,
        reader: &mut Reader<'_>,
        now: &Topology,
        node: NodeId,
        name: &At<String>,
        given: Option<&[At<IpAddr>]>,
    ) -> Option<Vec<IpAddr>> {
        let Some(given) = given else { return self.next_free(reader, now, node, name).map(|one| vec![one]) };
        let addresses: Vec<IpAddr> = given.iter().map(|at| at.value).collect();
        if addresses == now.node(node).addresses {
            reader.report(
                Diagnostic::new(Code::Contradiction, format!("`{}` has this address already", name.value))
                    .at(given.first().map_or(name.span, |at| at.span), "nothing changes")
                    .help("take another address, or `nat-reboot` if it should only forget its mappings"),
            );
            return None;
        }
        let before = reader.mistakes();
        for address in given {
            self.check(reader, now, node, name, address);
        }
        (reader.mistakes() == before).then_some(addresses)
    }

    fn check(
        &self,
        reader: &mut Reader<'_>,
        now: &Topology,
        node: NodeId,
        name: &At<String>,
        address: &At<IpAddr>,
    ) {
        let realm = now.node(node).realm;
        let cannot = |problem: String| {
            Diagnostic::new(
                Code::BadAddress,
                format!("`{}` cannot get {}: {problem}", name.value, address.value),
            )
            .at(address.span, "not possible here")
            .help(
                "take another address of its network, or write the NAT's name alone to get the next free one",
            )
        };
        if let Some(problem) = unroutable(now, realm, address.value) {
            reader.report(cannot(problem));
            return;
        }
        // Of two events that give away the same address the later line is the mistake.
        let is_first = |claim: &&Claim| {
            claim.realm == realm
                && claim.address == address.value
                && claim.node != node
                && claim.span.is_none_or(|span| span < address.span)
        };
        if let Some(claim) = self.0.iter().find(is_first) {
            let mut diagnostic = cannot(format!("`{}` has it", now.node(claim.node).name));
            diagnostic.code = Code::DuplicateAddress;
            if let Some(span) = claim.span {
                diagnostic = diagnostic.see(span, "given to it here");
            }
            reader.report(diagnostic);
        }
    }

    fn next_free(
        &mut self,
        reader: &mut Reader<'_>,
        now: &Topology,
        node: NodeId,
        name: &At<String>,
    ) -> Option<IpAddr> {
        let realm = now.node(node).realm;
        let networks = match network_of(now, realm) {
            None => vec![PUBLIC[0], PUBLIC[1], OVERFLOW],
            Some((_, IpNet::V4(inside))) => vec![inside],
            Some((_, IpNet::V6(_))) => Vec::new(),
        };
        let is_taken =
            |address: &IpAddr| self.0.iter().any(|claim| claim.realm == realm && claim.address == *address);
        let found = networks
            .iter()
            .flat_map(Ipv4Net::hosts)
            .map(IpAddr::V4)
            .find(|address| !is_taken(address) && unroutable(now, realm, *address).is_none());
        match found {
            Some(address) => self.add(realm, address, node, None),
            None => reader.report(
                Diagnostic::new(Code::NetworkFull, format!("no address is left for `{}`", name.value))
                    .at(name.span, "would get the next free one")
                    .help("write a larger `inside` for the NAT further out, such as `10.0.0.0/16`"),
            ),
        }
        found
    }
}

/// Why an address cannot be used in a network; `None`: it can.
fn unroutable(topology: &Topology, realm: RealmId, address: IpAddr) -> Option<String> {
    if let Some((name, inside)) = network_of(topology, realm) {
        return match () {
            () if !inside.contains(&address) => {
                Some(format!("it is not in {inside}, the network behind `{name}`"))
            }
            () if address == inside.network() => Some(format!("it is the name of the network {inside}")),
            () if address == inside.broadcast() => Some(format!("it is the broadcast address of {inside}")),
            () => None,
        };
    }
    if let IpAddr::V4(address) = address
        && let Some(space) = not_on_the_internet(address)
    {
        return Some(format!("it is on the internet, where {space} is not routed"));
    }
    topology.nodes().find_map(|(_, node)| match &node.element {
        Element::Nat(nat) if nat.inside.contains(&address) => {
            Some(format!("it is in {}, the inside of `{}`", nat.inside, node.name))
        }
        _ => None,
    })
}

/// The NAT whose inside a realm is, and that network; `None`: the internet.
fn network_of(topology: &Topology, realm: RealmId) -> Option<(&str, IpNet)> {
    if realm == PUBLIC_REALM {
        return None;
    }
    topology.nodes().find_map(|(_, node)| match &node.element {
        Element::Nat(nat) if node.inner_realm == realm => Some((node.name.as_str(), nat.inside)),
        _ => None,
    })
}
