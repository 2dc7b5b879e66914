//! Plain data: what a validated scenario says, in the field's own words.
//!
//! A [`Plan`] is complete and consistent: every default is filled in, every name resolved, every address
//! assigned. Whoever holds one need not check it again. Nothing here does anything.

pub(crate) mod behavior;
pub(crate) mod drop;
pub(crate) mod element;
pub(crate) mod event;
pub(crate) mod expectation;
pub(crate) mod graph;
pub(crate) mod ice_uri;
pub(crate) mod media;
pub(crate) mod nat64;
pub(crate) mod state;
pub(crate) mod verdict;

use std::borrow::Cow;
use std::net::IpAddr;

pub use behavior::*;
pub use drop::{Accepts, Drop, DropReason, Rule};
pub use element::*;
pub use event::{AFTERMATH, Action, CallSide, Event};
pub use expectation::{DropExpectation, Expectation, ExpectedFact, Selection};
pub use graph::{Interface, Node, Port, Topology};
pub use ice_uri::{default_port, ice_uri};
pub use media::{MEDIA_TIME, MediaFlow, MediaKind};
pub use nat64::{Clat, Nat64, Nat64Prefix};
pub use state::{MappingRow, PortBlock, Protocol, StateChange, TcpPhase};
pub use verdict::{CandidateType, Family, IceState, Needs, PairState, Path};

use crate::base::{NodeId, SimDuration, SimTime};

/// A whole scenario, ready to run with any seed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The scenario's `name`, or its file name without `.nat.yaml`.
    pub name: String,
    /// The seed to run with unless the command line gives another.
    pub seed: u64,
    /// How long to run; `None`: until every call is settled or has failed.
    pub duration: Option<SimDuration>,
    /// Nodes, links and addresses.
    pub topology: Topology,
    /// How the peers exchange credentials and candidates.
    pub signalling: Signalling,
    /// The calls, in the order of the file.
    pub calls: Vec<Call>,
    /// What happens while it runs, in order of time.
    pub events: Vec<Event>,
    /// What the file expects of the end state.
    pub expectations: Vec<Expectation>,
    /// Words to choose scenarios by.
    pub tags: Vec<String>,
    /// What the file left open and how it was filled in, in the order of the file's keys.
    pub assumptions: Vec<Assumption>,
}

/// One call between two peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The peer that sends the offer and starts as the controlling agent.
    pub from: NodeId,
    /// The peer that answers.
    pub to: NodeId,
    /// When the caller begins to gather.
    pub at: SimTime,
    /// What it carries in both directions, a kind at most once; empty: nothing but the lab's probes.
    pub media: Vec<MediaFlow>,
}

/// How offers, answers and trickled candidates travel between peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signalling {
    /// From one peer to the other.
    pub delay: SimDuration,
    /// The chance that a message is lost for good.
    pub loss: crate::base::Probability,
    /// True: candidates are sent as they are found (RFC 8838). False: with the offer or answer, once all are known.
    pub trickle: bool,
}

/// A value the scenario file did not give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumption {
    /// Where it would stand in the file: `peers.alice.link`.
    pub key: String,
    /// What was taken, as the file would write it.
    pub value: String,
}

/// A run that is to take longer than this is a long one.
const LONG: SimDuration = SimDuration::from_secs(600);

impl Plan {
    /// True if the run is to take more than ten minutes, in which calls do little but stay alive.
    pub fn is_long(&self) -> bool {
        self.duration.is_some_and(|duration| duration > LONG)
    }

    /// The name of a node.
    pub fn name_of(&self, node: NodeId) -> &str {
        &self.topology.node(node).name
    }

    /// The name of the peer that a node is or is an interface of; of other nodes their own.
    pub fn host_of(&self, node: NodeId) -> &str {
        let node = self.topology.node(node);
        node.interface.as_ref().map_or(&node.name, |interface| &interface.host)
    }

    /// The node that owns `address` in the public address space at some time of the run, if any: for reports.
    pub fn public_owner(&self, address: IpAddr) -> Option<NodeId> {
        self.topology.owner(graph::PUBLIC_REALM, address).or_else(|| self.later_owner(address))
    }

    fn later_owner(&self, address: IpAddr) -> Option<NodeId> {
        let renumbered = self.events.iter().filter_map(|event| match &event.action {
            Action::Renumber(nats) => Some(nats),
            _ => None,
        });
        renumbered
            .flatten()
            .find(|(node, addresses)| {
                self.topology.node(*node).realm == graph::PUBLIC_REALM && addresses.contains(&address)
            })
            .map(|(node, _)| *node)
    }

    /// What a node is at this moment: events may have given a NAT or firewall other rules.
    pub fn element_at(&self, node: NodeId, at: SimTime) -> Cow<'_, Element> {
        let mut element = Cow::Borrowed(&self.topology.node(node).element);
        for event in self.events.iter().take_while(|event| event.at <= at) {
            match &event.action {
                Action::SetNat(nats) => {
                    let change = nats.iter().find(|(changed, _)| *changed == node);
                    if let (Some((_, behavior)), Element::Nat(nat)) = (change, &*element) {
                        element = Cow::Owned(Element::Nat(Nat { behavior: behavior.clone(), ..nat.clone() }));
                    }
                }
                Action::SetFirewall(firewalls) => {
                    if let Some((_, rules)) = firewalls.iter().find(|(changed, _)| *changed == node) {
                        element = Cow::Owned(Element::Firewall(rules.clone()));
                    }
                }
                _ => {}
            }
        }
        element
    }

    /// The NAT nearest to a node that maps per destination at this moment, and how.
    pub fn maps_per_destination(&self, node: NodeId, at: SimTime) -> Option<(NodeId, MappingBehavior)> {
        self.topology.ancestors(node).into_iter().find_map(|above| match &*self.element_at(above, at) {
            Element::Nat(nat) if nat.behavior.mapping != MappingBehavior::EndpointIndependent => {
                Some((above, nat.behavior.mapping))
            }
            _ => None,
        })
    }

    /// Every ICE server of every peer.
    pub fn ice_servers(&self) -> impl Iterator<Item = &IceServer> {
        self.topology.nodes().flat_map(|(_, node)| match &node.element {
            Element::Peer(peer) => peer.ice_servers.as_slice(),
            _ => &[],
        })
    }

    /// This plan with every ICE server of the given kinds taken away from every peer: the counterfactual
    /// behind [`Needs`].
    pub fn without_servers(&self, without: WithoutServers) -> Self {
        let mut plan = self.clone();
        for node in plan.topology.nodes_mut() {
            if let Element::Peer(peer) = &mut node.element {
                peer.ice_servers.retain(|server| match server.kind {
                    IceServerKind::Stun => without == WithoutServers::Turn,
                    IceServerKind::Turn => without == WithoutServers::Stun,
                });
            }
        }
        plan
    }
}

/// Which servers [`Plan::without_servers`] takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutServers {
    /// TURN only; STUN stays.
    Turn,
    /// STUN only; TURN stays, and tells reflexive addresses too.
    Stun,
    /// Both STUN and TURN.
    StunAndTurn,
}
