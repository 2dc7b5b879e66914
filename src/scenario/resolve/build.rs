//! Boxes and their addresses become nodes.

use ipnet::IpNet;

use super::addresses::Addresses;
use super::assumed::{Assumed, list};
use super::boxes::{Boxes, What};
use super::link::{link, named_link};
use crate::base::{NodeId, SimDuration};
use crate::plan::{Element, FilteringBehavior, Ipv6Side, Link, Nat, Nat64, TcpLifetimes, Topology};
use crate::scenario::read::Reader;

/// RFC 6092 REC-14: how long a UDP flow over IPv6 is remembered.
const IPV6_LIFETIME: SimDuration = SimDuration::from_secs(300);

impl Boxes<'_> {
    /// Adds the boxes to the topology, parents first. Returns their ids.
    pub fn build(
        &self,
        reader: &mut Reader<'_>,
        addresses: &Addresses,
        topology: &mut Topology,
        assumed: &mut Assumed,
    ) -> Vec<Option<NodeId>> {
        let mut ids: Vec<Option<NodeId>> = vec![None; self.all.len()];
        for index in 0..self.all.len() {
            let mut chain = vec![index];
            while let Some(parent) =
                self.all[chain[chain.len() - 1]].parent.filter(|parent| ids[*parent].is_none())
            {
                chain.push(parent);
            }
            while let Some(next) = chain.pop().filter(|next| ids[*next].is_none()) {
                let above = self.all[next].parent.and_then(|parent| ids[parent]).unwrap_or(NodeId::new(0));
                ids[next] = Some(self.add(reader, next, above, addresses, topology, assumed));
            }
        }
        ids
    }

    fn add(
        &self,
        reader: &mut Reader<'_>,
        index: usize,
        above: NodeId,
        addresses: &Addresses,
        topology: &mut Topology,
        assumed: &mut Assumed,
    ) -> NodeId {
        let each = &self.all[index];
        let key = format!("{}.{}", each.section, each.name.value);
        if each.behind.is_none() {
            assumed.note(&key, "behind", Topology::INTERNET);
        }
        let default = if each.parent.is_none() {
            named_link("broadband")
        } else {
            Link::with_delay(SimDuration::from_millis(2))
        };
        let link = link(reader, each.link, default, &key, assumed);
        let (element, outside) = match &each.what {
            What::Forwards => (Element::Router, Vec::new()),
            What::Filters(firewall) => {
                for (axis, value) in &each.assumed {
                    assumed.note(&key, axis, value);
                }
                (Element::Firewall(firewall.clone()), addresses.proxies[index].clone())
            }
            What::Translates(behavior, _, label) => {
                let network = &addresses.networks[index];
                if !each.assumed.is_empty() {
                    let axes: Vec<String> =
                        each.assumed.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                    assumed.note("", &key, format!("{{ {} }}", axes.join(", ")));
                }
                if network.outside_assumed {
                    assumed.note(&key, "outside", list(&network.outside));
                }
                if network.inside_assumed && !each.ipv6_only {
                    assumed.note(&key, "inside", network.inside);
                }
                let ipv6 = self.ipv6_side(index, addresses, &key, assumed);
                let nat = Nat {
                    behavior: behavior.clone(),
                    inside: IpNet::V4(network.inside),
                    gateway: network.gateway.into(),
                    ipv6,
                    nat64: each.nat64.map(|prefix| Nat64 { prefix: prefix.value, ipv6_only: each.ipv6_only }),
                    label: label.clone(),
                };
                (Element::Nat(nat), network.outside.clone())
            }
        };
        topology.add(above, &each.name.value, element, outside, link)
    }

    fn ipv6_side(
        &self,
        index: usize,
        addresses: &Addresses,
        key: &str,
        assumed: &mut Assumed,
    ) -> Option<Ipv6Side> {
        let (network, given) = (addresses.ipv6[index]?, self.all[index].ipv6?);
        let filtering = given.filtering.as_ref().map(|at| at.value);
        let udp_lifetime = given.udp_timeout.as_ref().map(|at| at.value);
        let tcp = given.tcp_timeout.as_ref().map(|at| TcpLifetimes::established(at.value));
        let side = Ipv6Side {
            prefix: network.prefix,
            gateway: network.gateway,
            filtering: filtering.unwrap_or(FilteringBehavior::AddressAndPortDependent),
            udp_lifetime: udp_lifetime.unwrap_or(IPV6_LIFETIME),
            tcp: tcp.unwrap_or(TcpLifetimes::DEFAULT),
        };
        if filtering.is_none() {
            assumed.note(key, "ipv6.filtering", side.filtering);
        }
        if udp_lifetime.is_none() {
            assumed.note(key, "ipv6.udp-timeout", side.udp_lifetime);
        }
        if tcp.is_none() {
            assumed.note(key, "ipv6.tcp-timeout", side.tcp.established);
        }
        Some(side)
    }
}
