//! What stands in and beside the boxes of a picture. The lines are short: they decide how wide a picture is.

use crate::base::{LinkId, NodeId, Probability};
use crate::plan::{Access, Call, Element, Firewall, InboundPolicy, Inspect, Link, Nat, Node, Plan, Server};

/// How many of a node's addresses are listed before the rest is counted, and how many ports of a firewall.
const LISTED: usize = 3;

/// What a node is, in one line: `symmetric NAT, APDM-APDF`. Empty for the internet, whose name says it.
pub fn type_line(plan: &Plan, node: NodeId) -> String {
    type_lines(plan, node).join(", ")
}

/// The same on lines of their own.
pub fn type_lines(plan: &Plan, node: NodeId) -> Vec<String> {
    match &plan.topology.node(node).element {
        Element::Router if plan.topology.parent(node).is_none() => Vec::new(),
        Element::Router => vec!["router".into()],
        Element::Nat(nat) => nat_lines(nat),
        Element::Firewall(firewall) => firewall_lines(firewall),
        Element::Server(server) => server_lines(server),
        Element::Peer(peer) => {
            let what = if plan.topology.node(node).interface.is_some() { "interface" } else { "peer" };
            vec![format!("{what}, {}", peer.agent)]
        }
        Element::Clat(clat) => vec!["464XLAT".into(), format!("IPv4 as {}", clat.prefix)],
    }
}

/// The node's addresses, and of a NAT its inside network too.
pub fn label_lines(plan: &Plan, node: NodeId) -> Vec<String> {
    let Node { addresses, element, .. } = plan.topology.node(node);
    let mut lines = listed(addresses.iter().map(ToString::to_string).collect());
    if let Element::Nat(nat) = element {
        lines.extend(nat.ipv4_inside().map(|inside| format!("inside {inside}")));
        lines.extend(nat.ipv6.as_ref().map(|side| format!("inside {}", side.prefix)));
        lines.extend(nat.nat64.map(|nat64| format!("NAT64 {}", nat64.prefix)));
    }
    lines
}

/// Everything that stands in a box: the node's name, what it is, its addresses.
pub fn box_lines(plan: &Plan, node: NodeId) -> Vec<String> {
    let name = plan.name_of(node).to_owned();
    [vec![name], type_lines(plan, node), label_lines(plan, node)].concat()
}

/// The ends of a link, the one that is drawn above first: a server stands above its parent, everything else below.
pub fn ends_from_above(plan: &Plan, link: LinkId) -> [NodeId; 2] {
    let (child, parent) = plan.topology.ends(link);
    match plan.topology.node(child).element {
        Element::Server(_) => [child, parent],
        _ => [parent, child],
    }
}

/// What a link is like: its name, if it has one, and then its delay and what is wrong with it: `10ms, 1% loss`.
pub fn link_lines(link: &Link) -> Vec<String> {
    let mut facts = vec![link.delay.to_string()];
    if !link.jitter.is_zero() {
        facts[0] = format!("{} + {}", link.delay, link.jitter);
    }
    if !link.up {
        facts.push("down".into());
    }
    if link.loss != Probability::ZERO {
        facts.push(format!("{} loss", link.loss));
    }
    facts.extend(link.rate.map(|rate| rate.to_string()));
    link.label.clone().into_iter().chain([facts.join(", ")]).collect()
}

/// Who calls whom: `alice → bob`.
pub fn call_line(plan: &Plan, call: &Call) -> String {
    format!("{} → {}", plan.host_of(call.from), plan.host_of(call.to))
}

fn nat_lines(nat: &Nat) -> Vec<String> {
    let kind = match &nat.label {
        Some(label) => format!("{label} NAT"),
        None => "NAT".into(),
    };
    vec![kind, nat.behavior.to_string()]
}

fn firewall_lines(firewall: &Firewall) -> Vec<String> {
    let mut lines = vec![firewall.label.clone().unwrap_or_else(|| "firewall".into())];
    if firewall.outbound.default == Access::Deny {
        let allowed = listed(firewall.outbound.allow.iter().map(ToString::to_string).collect());
        let allowed = if allowed.is_empty() { "nothing".into() } else { allowed.join(", ") };
        lines.push(format!("lets out {allowed}"));
    }
    if let Some(proxy) = &firewall.proxy {
        let allowed = listed(proxy.allow.iter().map(ToString::to_string).collect());
        lines.push(format!("proxy on {}/tcp, to {}", proxy.port, allowed.join(", ")));
    }
    if firewall.inspect == Inspect::Tls {
        lines.push(format!("{} must be TLS", Inspect::TLS_PORT));
    }
    if firewall.inbound == InboundPolicy::Allow {
        lines.push("lets everything in".into());
    }
    lines
}

fn server_lines(server: &Server) -> Vec<String> {
    let kind = match (server.stun.is_empty(), server.turn.is_some()) {
        (false, true) => "STUN and TURN server",
        (true, true) => "TURN server",
        (false, false) => "STUN server",
        (true, false) => "server",
    };
    let mut lines = vec![kind.to_owned()];
    if !server.up {
        lines.push("down".into());
    }
    lines
}

/// The first few of `all`, and how many more there are.
fn listed(mut all: Vec<String>) -> Vec<String> {
    if all.len() > LISTED {
        let more = all.len() - LISTED;
        all.truncate(LISTED);
        all.push(format!("and {more} more"));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SimDuration;
    use crate::report::fixture::Fixture;

    #[test]
    fn a_box_says_what_it_is_and_where() {
        let plan = Fixture::relay().plan;
        let node = |name| plan.topology.find(name).expect("a node");

        assert_eq!(type_line(&plan, node("nat-a")), "symmetric NAT, APDM-APDF");
        assert_eq!(label_lines(&plan, node("nat-a")), ["203.0.113.1", "inside 10.0.1.0/24"]);
        assert_eq!(type_line(&plan, node("stun")), "STUN server");
        assert_eq!(type_line(&plan, node("alice")), "peer, is");
        assert_eq!(type_line(&plan, node("internet")), "");
    }

    #[test]
    fn a_link_says_its_delay_and_what_is_wrong_with_it() {
        let mut link = Link::with_delay(SimDuration::from_millis(20));
        assert_eq!(link_lines(&link), ["20ms"]);

        link.label = Some("wifi".into());
        link.up = false;
        link.loss = Probability::from_parts_per_billion(10_000_000).expect("one percent");
        assert_eq!(link_lines(&link), ["wifi", "20ms, down, 1% loss"]);
    }

    #[test]
    fn long_lists_are_counted() {
        let ports = (1..=5).map(|port| port.to_string()).collect();

        assert_eq!(listed(ports), ["1", "2", "3", "and 2 more"]);
    }
}
