//! Where what was found out differs from what is configured, and why.

use super::account::{BoxDiscovery, BoxKind, Disagreement, Method, named};
use crate::base::{NodeId, SimDuration};
use crate::discover::{Behaviors, Classic, Findings, Patience};
use crate::plan::{
    Access, Element, FilteringBehavior, Firewall, InboundPolicy, Link, MappingBehavior, Nat, Plan, Pooling,
    ReplyMapping, Unsolicited,
};

/// How many external ports are enough for all tests, even if each packet takes one.
const ENOUGH_PORTS: u32 = 64;

/// What stands between the client and the internet, and what that does to what it finds out.
pub(super) struct Judge<'p> {
    plan: &'p Plan,
    /// The node, then those before it, nearest first.
    chain: Vec<NodeId>,
    /// How long the client waits for answers.
    patience: Patience,
}

impl<'p> Judge<'p> {
    /// For a client behind `node`.
    pub(super) fn new(plan: &'p Plan, node: NodeId, patience: Patience) -> Self {
        let chain = std::iter::once(node).chain(plan.topology.ancestors(node)).collect();
        Self { plan, chain, patience }
    }

    /// The findings with everything that is wrong with them.
    pub(super) fn account(&self, mut found: Findings) -> BoxDiscovery {
        found.notes.extend(self.hints(&found));
        let disagreements = [
            self.fresh(&found),
            self.one_socket(&found),
            self.classic(Method::Classic, found.classic, &found),
            self.classic(Method::ClassicAgain, found.classic_again, &found),
        ];
        let names = self.chain.iter().map(|node| self.plan.name_of(*node).to_owned());
        let mut names: Vec<String> = names.collect();
        let name = names.remove(0);
        BoxDiscovery {
            name,
            kind: kind_of(&self.plan.topology.node(self.chain[0]).element),
            behind: names,
            translated: self.translates(),
            configured: self.configured(),
            found,
            disagreements: disagreements.into_iter().flatten().collect(),
        }
    }

    fn elements(&self) -> impl Iterator<Item = &'p Element> {
        self.chain.iter().map(|node| &self.plan.topology.node(*node).element)
    }

    fn nats(&self) -> impl Iterator<Item = (&'p str, &'p Nat)> {
        self.chain.iter().filter_map(|node| match &self.plan.topology.node(*node).element {
            Element::Nat(nat) => Some((self.plan.name_of(*node), nat)),
            _ => None,
        })
    }

    fn translates(&self) -> bool {
        self.nats().next().is_some()
    }

    /// Of each axis the strictest of all boxes in a row.
    fn strictest(&self) -> (MappingBehavior, FilteringBehavior) {
        let mapping = self.nats().map(|(_, nat)| nat.behavior.mapping).max();
        let filtering = self.elements().filter_map(|element| match element {
            Element::Nat(nat) => Some(nat.behavior.filtering),
            Element::Firewall(Firewall { inbound: InboundPolicy::Deny, filtering, .. }) => Some(*filtering),
            _ => None,
        });
        (
            mapping.unwrap_or(MappingBehavior::EndpointIndependent),
            filtering.max().unwrap_or(FilteringBehavior::EndpointIndependent),
        )
    }

    fn configured(&self) -> Behaviors {
        let (mapping, filtering) = self.strictest();
        Behaviors { mapping: Some(mapping), filtering: Some(filtering) }
    }

    /// Why there may have been no answer.
    fn hints(&self, found: &Findings) -> Vec<String> {
        let told = found.fresh.mapping.is_some() && found.fresh.filtering.is_some();
        if told && (found.port_assignment.is_some() || !self.translates()) {
            return Vec::new();
        }
        let topology = &self.plan.topology;
        let hint = |node: &NodeId| match &topology.node(*node).element {
            Element::Firewall(firewall) if firewall.outbound.default == Access::Deny => {
                let name = self.plan.name_of(*node);
                Some(format!("{name} lets only some ports out; the server is asked on 3478/udp and 3479/udp"))
            }
            _ => None,
        };
        self.chain.iter().filter_map(hint).chain(self.few_ports()).collect()
    }

    /// A NAT that has fewer ports for a host than the tests may need.
    fn few_ports(&self) -> Option<String> {
        self.nats().find_map(|(name, nat)| {
            let ports = &nat.behavior.ports;
            let count = ports.max_per_host.map_or_else(|| ports.range.count(), u32::from);
            (count < ENOUGH_PORTS)
                .then(|| format!("{name} has {count} external ports for a host, and the tests may need more"))
        })
    }

    fn fresh(&self, found: &Findings) -> Option<Disagreement> {
        let says = found.fresh;
        let wrong = !agrees(says, self.configured());
        wrong.then(|| self.disagreement(Method::Fresh, self.named(says), self.reason()))
    }

    fn one_socket(&self, found: &Findings) -> Option<Disagreement> {
        let (says, configured) = (found.one_socket, self.configured());
        if agrees(says, configured) {
            return None;
        }
        let opened = Behaviors { filtering: Some(FilteringBehavior::EndpointIndependent), ..configured };
        let why = if agrees(says, opened) {
            let opened = "the mapping test had sent to the server's other address, which opened the filter for the \
                          answer that was to show that it is closed";
            Some(opened.into())
        } else {
            self.reason()
        };
        Some(self.disagreement(Method::OneSocket, self.named(says), why))
    }

    fn classic(&self, method: Method, name: Option<Classic>, found: &Findings) -> Option<Disagreement> {
        let blocked = found.mapped.is_none();
        let found = name?;
        let (mapping, filtering) = self.strictest();
        if (found == Classic::Blocked && blocked)
            || found == classic_name(self.translates(), mapping, filtering)
        {
            return None;
        }
        let why = self.why_classic(method, found, mapping, filtering);
        Some(self.disagreement(method, found.word().into(), why))
    }

    fn disagreement(&self, method: Method, says: String, why: Option<String>) -> Disagreement {
        let known = why.is_some();
        let why = why.unwrap_or_else(|| {
            format!("no reason is known; it is configured as {}", self.named(self.configured()))
        });
        Disagreement { method, says, why, known }
    }

    fn why_classic(
        &self,
        method: Method,
        found: Classic,
        mapping: MappingBehavior,
        filtering: FilteringBehavior,
    ) -> Option<String> {
        let dependent = mapping != MappingBehavior::EndpointIndependent;
        let closed = filtering != FilteringBehavior::EndpointIndependent;
        match found {
            Classic::FullCone if method == Method::ClassicAgain && closed => Some(
                "the first time test I had gone to the server's other address too, which opened the filter for test \
                 II's answer"
                    .into(),
            ),
            Classic::FullCone if dependent => Some(
                "test II's answer was let in, so the algorithm never asked whether the mapping depends on the \
                 destination"
                    .into(),
            ),
            Classic::Restricted | Classic::PortRestricted if dependent => self.admits_for_others().map(|name| {
                format!(
                    "{name} let test II's answer in, which died further in; so test I to where it came from left \
                     through the mapping that had admitted it (reply-mapping: admitting)"
                )
            }),
            Classic::Symmetric => self.takes_flows().map(|name| {
                format!(
                    "{name} took test II's answer for itself, so the endpoint it came from was taken when test I \
                     went there, and the NAT gave another port"
                )
            }),
            _ => None,
        }
        .or_else(|| self.reason())
    }

    /// What may mislead any method.
    fn reason(&self) -> Option<String> {
        let pooled = self.chain.iter().find_map(|node| match &self.plan.topology.node(*node).element {
            Element::Nat(nat) if nat.behavior.pooling == Pooling::Arbitrary => {
                let outside = self.plan.topology.node(*node).addresses.len();
                (outside > 1).then(|| self.plan.name_of(*node))
            }
            _ => None,
        });
        let patience = self.patience.total();
        let short = self.nats().find(|(_, nat)| shortest(nat) < patience);
        if let Some(name) = pooled {
            Some(format!("{name} gives each mapping any of its outside addresses (ip-pooling: arbitrary)"))
        } else if let Some(few) = self.few_ports() {
            Some(few)
        } else if self.loses_packets() {
            Some("packets were lost on the way, and a lost answer looks like one that was filtered".into())
        } else {
            short.map(|(name, nat)| {
                format!("{name} forgets a mapping after {}, sooner than a test ends", shortest(nat))
            })
        }
    }

    /// A NAT that lets anybody in through mappings that depend on the destination, and answers through the one that was
    /// used.
    fn admits_for_others(&self) -> Option<&'p str> {
        let admits = |nat: &Nat| {
            nat.behavior.mapping != MappingBehavior::EndpointIndependent
                && nat.behavior.filtering == FilteringBehavior::EndpointIndependent
                && nat.behavior.reply_mapping == ReplyMapping::Admitting
        };
        self.nats().find(|(_, nat)| admits(nat)).map(|(name, _)| name)
    }

    fn takes_flows(&self) -> Option<&'p str> {
        self.nats().find(|(_, nat)| nat.behavior.unsolicited == Unsolicited::Accept).map(|(name, _)| name)
    }

    fn loses_packets(&self) -> bool {
        let topology = &self.plan.topology;
        self.chain.iter().filter_map(|node| topology.uplink(*node)).any(Link::may_lose)
    }

    fn named(&self, behaviors: Behaviors) -> String {
        named(self.translates(), behaviors)
    }
}

/// True if nothing that was found is otherwise.
fn agrees(found: Behaviors, configured: Behaviors) -> bool {
    (found.mapping.is_none() || found.mapping == configured.mapping)
        && (found.filtering.is_none() || found.filtering == configured.filtering)
}

/// RFC 3489's name for a behaviour; all NATs whose mapping depends on the destination share one.
const fn classic_name(translated: bool, mapping: MappingBehavior, filtering: FilteringBehavior) -> Classic {
    match (translated, mapping, filtering) {
        (false, _, FilteringBehavior::EndpointIndependent) => Classic::Open,
        (false, _, _) => Classic::SymmetricFirewall,
        (true, MappingBehavior::EndpointIndependent, FilteringBehavior::EndpointIndependent) => {
            Classic::FullCone
        }
        (true, MappingBehavior::EndpointIndependent, FilteringBehavior::AddressDependent) => {
            Classic::Restricted
        }
        (true, MappingBehavior::EndpointIndependent, FilteringBehavior::AddressAndPortDependent) => {
            Classic::PortRestricted
        }
        (true, _, _) => Classic::Symmetric,
    }
}

fn kind_of(element: &Element) -> BoxKind {
    match element {
        Element::Nat(_) => BoxKind::Nat,
        Element::Firewall(_) => BoxKind::Firewall,
        Element::Router | Element::Server(_) | Element::Peer(_) | Element::Clat(_) => BoxKind::Router,
    }
}

fn shortest(nat: &Nat) -> SimDuration {
    nat.behavior.lifetimes.udp.min(nat.behavior.lifetimes.udp_unreplied)
}
