//! The topology: where nodes stand, what they are, and what connects them.

use serde::Serialize;

use crate::engine::EndpointRun;
use crate::plan::{Element, Firewall, Inspect, Listen, Nat, Peer, Plan, Server};
use crate::report::Report;
use crate::report::topology::{label_lines, layout, link_lines, type_line};
use crate::scenario::profiles::axes_of;

/// The drawing of the topology.
#[derive(Debug)]
pub struct Scene {
    pub(super) canvas: Canvas,
    pub(super) nodes: Vec<Node>,
    pub(super) links: Vec<Link>,
}

/// How large the drawing is.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Canvas {
    width: f64,
    height: f64,
}

/// A node; `x` and `y` are its centre.
#[derive(Debug, Serialize)]
pub struct Node {
    name: String,
    kind: &'static str,
    lines: Vec<String>,
    #[serde(rename = "type")]
    type_line: Option<String>,
    x: f64,
    y: f64,
    w: f64,
    h: f64,
    about: Vec<String>,
}

/// A link between two nodes.
#[derive(Debug, Serialize)]
pub struct Link {
    a: usize,
    b: usize,
    /// The corners of its line, from `a` to `b`.
    points: Vec<(f64, f64)>,
    about: String,
}

impl Scene {
    /// The drawing of the plan that was run.
    pub fn new(report: Report<'_>) -> Self {
        let plan = report.plan;
        let layout = layout(plan);
        let endpoint_on = |id| report.run.endpoints.iter().find(|endpoint| endpoint.node == id);
        let nodes = plan.topology.nodes().zip(&layout.boxes).map(|((id, node), place)| Node {
            name: node.name.clone(),
            kind: if plan.topology.parent(id).is_none() { "internet" } else { node.element.kind() },
            lines: label_lines(plan, id),
            type_line: match endpoint_on(id) {
                Some(_) => Some("peer, endpoint".into()),
                None => Some(type_line(plan, id)).filter(|line| !line.is_empty()),
            },
            x: place.x,
            y: place.y,
            w: place.w,
            h: place.h,
            about: match endpoint_on(id) {
                Some(endpoint) => endpoint_lines(endpoint),
                None => about(plan, &node.element),
            },
        });
        let links = plan.topology.link_ids().zip(&layout.wires).map(|(id, points)| {
            let (a, b) = plan.topology.ends(id);
            Link {
                a: a.index(),
                b: b.index(),
                points: points.clone(),
                about: link_lines(plan.topology.link(id)).join(", "),
            }
        });
        Self {
            canvas: Canvas { width: layout.width, height: layout.height },
            nodes: nodes.collect(),
            links: links.collect(),
        }
    }
}

fn about(plan: &Plan, element: &Element) -> Vec<String> {
    match element {
        Element::Router => vec!["forwards by destination and nothing else".into()],
        Element::Nat(nat) => nat_lines(nat),
        Element::Firewall(firewall) => firewall_lines(firewall),
        Element::Server(server) => server_lines(server),
        Element::Peer(peer) => peer_lines(plan, peer),
        Element::Clat(clat) => {
            vec![format!("what programs send by IPv4 leaves from {} to {}", clat.address, clat.prefix)]
        }
    }
}

fn nat_lines(nat: &Nat) -> Vec<String> {
    let axes = axes_of(&nat.behavior).into_iter().map(|(key, value)| format!("{key}: {value}"));
    let ipv6 = nat.ipv6.iter().flat_map(|side| {
        [
            format!("ipv6.prefix: {}", side.prefix),
            format!("ipv6.filtering: {}", side.filtering),
            format!("ipv6.udp-timeout: {}", side.udp_lifetime),
            format!("ipv6.tcp-timeout: {}", side.tcp.established),
        ]
    });
    let inside = nat.ipv4_inside().map(|inside| format!("inside: {inside}"));
    let nat64 = nat.nat64.map(|nat64| format!("nat64.prefix: {}", nat64.prefix));
    inside.into_iter().chain(axes).chain(ipv6).chain(nat64).collect()
}

fn firewall_lines(firewall: &Firewall) -> Vec<String> {
    let allowed: Vec<String> = firewall.outbound.allow.iter().map(ToString::to_string).collect();
    let except = if allowed.is_empty() { String::new() } else { format!(", except {}", allowed.join(", ")) };
    let mut lines = vec![
        format!("outbound: {}{except}", firewall.outbound.default),
        format!("inbound: {}", firewall.inbound),
        format!("filtering: {}", firewall.filtering),
        format!("udp-timeout: {}", firewall.udp_lifetime),
        format!("tcp-timeout: {}", firewall.tcp.established),
    ];
    if firewall.inspect != Inspect::Off {
        lines.push(format!("inspect: {}", firewall.inspect));
    }
    if let Some(proxy) = &firewall.proxy {
        let allowed: Vec<String> = proxy.allow.iter().map(ToString::to_string).collect();
        lines.push(format!("proxy: {}, to {}", proxy.port, allowed.join(", ")));
    }
    lines
}

fn server_lines(server: &Server) -> Vec<String> {
    let ports = |ports: &[Listen]| ports.iter().map(Listen::to_string).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    if !server.stun.is_empty() {
        lines.push(format!("stun: {}", ports(&server.stun)));
    }
    if let Some(turn) = &server.turn {
        lines.push(format!("turn: {}", ports(&turn.listen)));
        lines.push(format!("relay-port-range: {}", turn.relay_ports));
    }
    if !server.up {
        lines.push("up: false".into());
    }
    lines
}

/// An endpoint needs no ICE agent, so what the scenario says of one would mislead.
fn endpoint_lines(endpoint: &EndpointRun) -> Vec<String> {
    endpoint.sockets.iter().map(|socket| format!("socket: {socket}")).collect()
}

fn peer_lines(plan: &Plan, peer: &Peer) -> Vec<String> {
    let mut servers: Vec<String> =
        peer.ice_servers.iter().map(|one| format!("{}:{}", one.kind, plan.name_of(one.node))).collect();
    // A server with both families is told once.
    servers.dedup();
    vec![
        format!("agent: {}", peer.agent),
        format!("ice-servers: [{}]", servers.join(", ")),
        format!("ice-transport-policy: {}", peer.ice_transport_policy),
    ]
}
