//! HTTP proxies: who goes through which, and what names mean to them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::addresses::Addresses;
use super::boxes::Boxes;
use crate::plan::{Element, Proxy, ProxyUse, Topology};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, File, Named};
use crate::scenario::read::Reader;

/// Tells every proxy what the names of servers stand for.
pub fn tell_names(file: &File, addresses: &Addresses, topology: &mut Topology) {
    let mut names: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    for (server, own) in file.servers.iter().zip(&addresses.servers) {
        let host = server.body.host.as_ref().map(|host| host.value.clone());
        for name in host.into_iter().chain([server.name.value.clone()]) {
            names.insert(name, own.clone());
        }
    }
    for node in topology.nodes_mut() {
        if let Element::Firewall(firewall) = &mut node.element
            && let Some(proxy) = &mut firewall.proxy
        {
            proxy.names.clone_from(&names);
        }
    }
}

/// The proxy that each interface of a peer goes through, the ones that are behind these boxes.
pub fn of_peer(
    reader: &mut Reader<'_>,
    peer: &Named<file::Peer>,
    boxes: &Boxes<'_>,
    behind: &[Option<usize>],
    addresses: &Addresses,
) -> Vec<Option<SocketAddr>> {
    let found: Vec<_> = behind.iter().map(|parent| boxes.proxy(*parent)).collect();
    let is_anywhere = found.iter().any(Option::is_some);
    if let Some(given) = peer.body.proxy.as_ref().filter(|_| !is_anywhere) {
        let name = &peer.name.value;
        reader.report(
            Diagnostic::new(Code::MeaninglessKey, format!("nothing that `{name}` is behind has a proxy"))
                .at(given.span, "no effect")
                .help("write `proxy: 3128` in a firewall it is behind, or remove it"),
        );
    }
    let is_used = peer.body.proxy.as_ref().is_none_or(|at| at.value == ProxyUse::Auto);
    let one = |found: Option<(usize, &Proxy)>| {
        let (at, proxy) = found.filter(|_| is_used)?;
        addresses.proxies[at].first().map(|address| SocketAddr::new(*address, proxy.port))
    };
    found.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Limits;
    use crate::plan::{Access, Firewall, Plan};
    use crate::scenario::{Overrides, Source, load};

    fn plan(firewalls: &str, peer: &str) -> Plan {
        let text = format!(
            "nats: {{ home: symmetric, inner: {{ behind: office-fw, type: symmetric }} }}
firewalls: {{ {firewalls} }}
servers: {{ relay: {{ turn: [443/tls], host: TURN.example.org }} }}
peers: {{ alice: {{ {peer} }}, bob: {{ behind: office-fw }} }}
calls: [alice -> bob]
"
        );
        load(&Source::new("proxies", text), &Overrides::default(), &Limits::DEFAULT)
            .unwrap_or_else(|rejection| panic!("{rejection}"))
    }

    fn proxy_of_alice(plan: &Plan) -> Option<String> {
        let alice = plan.topology.find("alice").expect("a peer");
        let Element::Peer(peer) = &plan.topology.node(alice).element else { panic!("not a peer") };
        peer.proxy.map(|proxy| proxy.to_string())
    }

    fn firewall<'p>(plan: &'p Plan, name: &str) -> &'p Firewall {
        let node = plan.topology.find(name).expect("a firewall");
        let Element::Firewall(firewall) = &plan.topology.node(node).element else { panic!("none") };
        firewall
    }

    #[test]
    fn a_peer_goes_through_the_nearest_proxy_above_it_unless_it_is_told_not_to() {
        let nested = "office-fw: { proxy: 3128 }, floor-fw: { behind: inner, proxy: { port: 8080 } }";
        for (peer, proxy) in [
            ("behind: inner", Some("203.0.113.2:3128")),
            ("behind: floor-fw, proxy: auto", Some("10.0.2.2:8080")),
            ("behind: floor-fw, proxy: none", None),
            ("behind: home", None),
        ] {
            assert_eq!(proxy_of_alice(&plan(nested, peer)).as_deref(), proxy, "{peer}");
        }
    }

    #[test]
    fn beside_a_proxy_nothing_leaves_unless_the_file_says_so() {
        for (keys, default) in [
            ("proxy: 3128", Access::Deny),
            ("proxy: 3128, outbound: { default: allow }", Access::Allow),
            ("proxy: 3128, profile: linux-stateful", Access::Allow),
            ("inbound: deny", Access::Allow),
        ] {
            let plan = plan(&format!("office-fw: {{ {keys} }}"), "behind: inner");
            assert_eq!(firewall(&plan, "office-fw").outbound.default, default, "{keys}");
        }
    }

    #[test]
    fn a_proxy_knows_every_name_of_a_server() {
        let plan = plan("office-fw: { profile: corporate-proxy }", "behind: inner");
        let proxy = firewall(&plan, "office-fw").proxy.as_ref().expect("a proxy");
        let relay: Vec<IpAddr> = vec![[192, 0, 2, 1].into()];
        let names = BTreeMap::from([("relay", &relay), ("turn.example.org", &relay)]);
        assert_eq!(
            proxy.names.iter().map(|(name, own)| (name.as_str(), own)).collect::<BTreeMap<_, _>>(),
            names
        );
    }
}
