//! Names instead of numbers: how reports call nodes, ports, places, calls and packets.

use std::net::SocketAddr;

use crate::base::{NodeId, PortId, SessionId};
use crate::engine::Run;
use crate::plan::{Element, Plan};
use crate::trace::{PacketRecord, Place};
use crate::wire::{Body, Candidate, MdnsMessage, MdnsName, TcpFlags, mdns, port_mapping, stun};

/// What a port is called: `outside` and `inside-1`, `inside-2` … for NATs and firewalls, its number for all others.
pub fn port(plan: &Plan, node: NodeId, port: PortId) -> String {
    match plan.topology.node(node).element {
        Element::Nat(_) | Element::Firewall(_) | Element::Clat(_) if port == PortId::UPLINK => {
            "outside".into()
        }
        Element::Nat(_) | Element::Firewall(_) => format!("inside-{port}"),
        Element::Clat(_) => "inside".into(),
        Element::Router | Element::Server(_) | Element::Peer(_) => port.to_string(),
    }
}

/// The node, or the node whose uplink the link is: the `by` of the outcome's drops.
pub fn place(plan: &Plan, place: Place) -> &str {
    match place {
        Place::Node(node) => plan.name_of(node),
        Place::Link(link) => plan.topology.link_name(link),
    }
}

/// The peer on which a session runs.
pub fn session<'a>(plan: &'a Plan, run: &Run, id: SessionId) -> &'a str {
    run.sessions.get(id.index()).map_or("?", |session| plan.host_of(session.node))
}

/// The other side of a session's call.
pub fn counterpart(run: &Run, id: SessionId) -> SessionId {
    run.sessions.get(id.index()).map_or(id, |session| session.counterpart)
}

/// What a packet is, in a few words: `Binding request (check)`, `data, 160 bytes`, `TCP SYN`.
pub fn packet(record: &PacketRecord) -> String {
    packet_with(record, message(record).as_ref())
}

/// The same where the packet's message has been read already.
pub fn packet_with(record: &PacketRecord, message: Option<&stun::Described<'_>>) -> String {
    match (&record.body, message) {
        (Body::Udp(_), Some(message)) => message.summary(),
        (Body::Udp(payload), None) => match mdns(record) {
            Some(MdnsMessage::Question { name, .. }) => format!("mDNS question {}", short_name(&name)),
            Some(MdnsMessage::Answer { name, address }) => {
                format!("mDNS answer {} is {address}", short_name(&name))
            }
            None => port_mapping::describe(&record.flow, payload)
                .unwrap_or_else(|| format!("data, {} bytes", payload.len())),
        },
        (Body::Tcp(segment), _) => tcp(segment.flags, segment.payload.len()),
        (Body::Icmp(icmp), _) => format!("ICMP {}", icmp.kind),
    }
}

/// What an mDNS packet says.
fn mdns(record: &PacketRecord) -> Option<MdnsMessage> {
    let is_mdns = record.flow.destination.port() == mdns::PORT;
    is_mdns.then(|| MdnsMessage::parse(record.body.payload())).flatten()
}

/// The first STUN or TURN message in a packet; `None` if it carries none.
pub fn message(record: &PacketRecord) -> Option<stun::Described<'_>> {
    record.messages().find_map(|message| stun::describe(message))
}

/// What a packet is, in fewer words: of a message in a relay's envelope only the message, and what the envelope is.
pub fn packet_briefly(record: &PacketRecord) -> String {
    let Some(described) = message(record) else { return packet_with(record, None) };
    let envelope = match (described.method, described.channel) {
        (Some(method), _) if method == stun::method::SEND => "Send",
        (Some(_), _) => "Data",
        (None, _) => "ChannelData",
    };
    match (&described.inner, described.nested) {
        (Some(inner), _) if inner.use_candidate => format!("{envelope} [check, USE-CANDIDATE]"),
        (Some(inner), _) if inner.is_ice_check => format!("{envelope} [check]"),
        (Some(inner), _) => format!("{envelope} [{inner}]"),
        (None, Some(nested)) => format!("{envelope} [{} bytes]", nested.len()),
        (None, None) => described.summary(),
    }
}

fn tcp(flags: TcpFlags, bytes: usize) -> String {
    let all = [
        (flags.syn, " SYN"),
        (flags.fin, " FIN"),
        (flags.rst, " RST"),
        (flags.psh, " PSH"),
        (flags.ack, " ACK"),
    ];
    let mut label = String::from("TCP");
    label.extend(all.iter().filter(|(set, _)| *set).map(|(_, name)| *name));
    if bytes > 0 {
        label.push_str(&format!(", {bytes} bytes"));
    }
    label
}

/// A candidate in a few words: `srflx 203.0.113.1:40001`.
pub fn candidate(candidate: &Candidate) -> String {
    if let Some(name) = candidate.name.as_ref().filter(|_| candidate.is_unresolved()) {
        return format!("{} {}:{}", candidate.kind, short_name(name), candidate.address.port());
    }
    format!("{} {}", candidate.kind, candidate.address)
}

/// The beginning and the end of an mDNS name, whose middle tells nobody anything: `1f4712db….local`.
pub fn short_name(name: &MdnsName) -> String {
    const SHOWN: usize = 8;
    let text = name.to_string();
    match text.strip_suffix(".local") {
        Some(label) if label.len() > SHOWN => format!("{}….local", &label[..SHOWN]),
        _ => text,
    }
}

/// An endpoint, without a port if it stands for all of them: `192.0.2.3`.
pub fn endpoint(address: SocketAddr) -> String {
    match address.port() {
        0 => address.ip().to_string(),
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn ports_are_named_by_the_side_of_the_box_they_are_on() {
        let plan = Fixture::relay().plan;
        let node = |name| plan.topology.find(name).expect("a node");

        assert_eq!(port(&plan, node("nat-a"), PortId::UPLINK), "outside");
        assert_eq!(port(&plan, node("nat-a"), PortId::new(1)), "inside-1");
        assert_eq!(port(&plan, node("alice"), PortId::UPLINK), "0");
    }

    #[test]
    fn a_tcp_segment_is_named_by_its_control_bits() {
        let flags = TcpFlags { syn: true, ack: true, ..TcpFlags::default() };

        assert_eq!(tcp(flags, 0), "TCP SYN ACK");
        assert_eq!(tcp(TcpFlags { psh: true, ..TcpFlags::default() }, 3), "TCP PSH, 3 bytes");
    }

    #[test]
    fn an_endpoint_that_stands_for_all_ports_has_none() {
        assert_eq!(endpoint("192.0.2.3:0".parse().expect("address")), "192.0.2.3");
    }
}
