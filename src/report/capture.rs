//! A trace as a capture file for Wireshark: what one would see with a sniffer on every port of every node.
//!
//! A packet is in the file twice per link, where it leaves and where it comes in; `frame.interface_name ==
//! "alice:0"` shows what one node sees. Interfaces are called `alice:0`, `nat-a:outside`, `nat-a:inside-1`. A
//! packet that died has a comment where it was last seen (`frame.comment`); one that died before it left its origin
//! was never seen. Times count from 2000-01-01T00:00:00Z, the run's start.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};

use rustc_hash::FxHashMap;

use super::names;
use super::text::printable;
use crate::base::{NodeId, PacketId, PortId};
use crate::plan::{Drop, Element, Plan, Rule};
use crate::trace::{EventKind, Hop, Place, Trace};
use crate::wire::packet::encode::encode;
use crate::wire::pcapng::{Captured, Direction, Interface, Writer};
use crate::wire::{Body, Flow, Icmp};

/// 2000-01-01T00:00:00Z in nanoseconds since 1970: captures of the same run are the same bytes on every day.
pub const EPOCH_NS: u64 = 946_684_800_000_000_000;

/// Writes the capture of a run of `plan` with `seed` to `out`, which should be buffered.
///
/// # Errors
/// Those of `out`.
pub fn write(out: impl io::Write, plan: &Plan, seed: u64, trace: &Trace) -> io::Result<()> {
    let application = concat!("punchlab ", env!("CARGO_PKG_VERSION"));
    let about = format!("{}, seed {seed}", printable(&plan.name));
    let mut writer = Writer::new(out, application, &about)?;
    let interfaces = interfaces(&mut writer, plan)?;
    let owners = owners(plan);
    writer.names(owners.iter().map(|(address, name)| (*address, *name)))?;
    let comments = comments(plan, trace);
    for (index, event) in trace.events.iter().enumerate() {
        let (hop, direction) = match &event.kind {
            EventKind::Departed(hop) => (hop, Direction::Outbound),
            EventKind::Arrived(hop) => (hop, Direction::Inbound),
            _ => continue,
        };
        let record = trace.packets.get(hop.packet);
        let (Some(record), Some(interface)) = (record, interfaces.get(&(hop.node, hop.port))) else {
            continue;
        };
        writer.packet(&Captured {
            interface: *interface,
            at_ns: EPOCH_NS.saturating_add(event.at.as_nanos()),
            direction,
            bytes: &encode(hop.flow, hop.hop_limit, &as_seen(plan, &record.body, hop.flow)),
            comment: comments.get(&index).map(String::as_str),
        })?;
    }
    writer.finish()?;
    Ok(())
}

/// An error is recorded as it was sent. Where a translator has given it another family since, what it quotes has that too.
fn as_seen<'b>(plan: &Plan, body: &'b Body, flow: Flow) -> Cow<'b, Body> {
    let Body::Icmp(icmp) = body else { return Cow::Borrowed(body) };
    if icmp.quoted.source.is_ipv4() == flow.source.is_ipv4() {
        return Cow::Borrowed(body);
    }
    // Who is told of the error has sent what it quotes.
    let source = SocketAddr::new(flow.destination.ip(), icmp.quoted.source.port());
    let prefixes = plan.topology.nodes().filter_map(|(_, node)| match &node.element {
        Element::Nat(nat) => nat.nat64.map(|nat64| nat64.prefix),
        _ => None,
    });
    let remote = icmp.quoted.destination;
    let translated = prefixes.into_iter().find_map(|prefix| match remote {
        SocketAddr::V4(_) => prefix.embedded(flow.source.ip()).map(|_| prefix.embed_socket(remote)),
        SocketAddr::V6(_) => prefix.embedded_socket(remote),
    });
    // What stands in no prefix is the address of a host that a translator shows at its own.
    let remote = translated.unwrap_or(SocketAddr::new(flow.source.ip(), remote.port()));
    Cow::Owned(Body::Icmp(Icmp { quoted: Flow::new(source, remote), ..icmp.clone() }))
}

fn interfaces<W: io::Write>(
    writer: &mut Writer<W>,
    plan: &Plan,
) -> io::Result<BTreeMap<(NodeId, PortId), Interface>> {
    let mut interfaces = BTreeMap::new();
    for (id, node) in plan.topology.nodes() {
        for (number, port) in node.ports.iter().enumerate() {
            let port_id = PortId::new(number as u16);
            let name = format!("{}:{}", node.name, names::port(plan, id, port_id));
            let towards =
                format!("{} {}, towards {}", node.element.kind(), node.name, plan.name_of(port.neighbor));
            interfaces.insert((id, port_id), writer.interface(&name, &towards)?);
        }
    }
    Ok(interfaces)
}

/// The names of all addresses that only one node has: two homes may both use 192.168.1.2, and a capture has no realms.
fn owners(plan: &Plan) -> BTreeMap<IpAddr, &str> {
    let mut owners: BTreeMap<IpAddr, Option<&str>> = BTreeMap::new();
    for (_, node) in plan.topology.nodes() {
        let gateways = match &node.element {
            Element::Nat(nat) => [Some(nat.gateway), nat.ipv6_gateway()],
            _ => [None; 2],
        };
        for address in node.addresses.iter().copied().chain(gateways.into_iter().flatten()) {
            owners
                .entry(address)
                .and_modify(|name| *name = name.filter(|name| *name == node.name))
                .or_insert(Some(&node.name));
        }
    }
    owners.into_iter().filter_map(|(address, name)| Some((address, name?))).collect()
}

/// For each packet that died, what killed it, keyed by the event in which it was last seen.
fn comments(plan: &Plan, trace: &Trace) -> BTreeMap<usize, String> {
    let mut last_seen: FxHashMap<PacketId, usize> = FxHashMap::default();
    let mut comments = BTreeMap::new();
    for (index, event) in trace.events.iter().enumerate() {
        match &event.kind {
            EventKind::Departed(Hop { packet, .. }) | EventKind::Arrived(Hop { packet, .. }) => {
                last_seen.insert(*packet, index);
            }
            EventKind::Dropped { packet, place, drop, .. } => {
                if let Some(seen) = last_seen.get(packet) {
                    comments.insert(*seen, comment(plan, *place, drop));
                }
            }
            _ => {}
        }
    }
    comments
}

fn comment(plan: &Plan, place: Place, drop: &Drop) -> String {
    let by = match place {
        Place::Node(_) => names::place(plan, place).to_owned(),
        Place::Link(_) => format!("the uplink of {}", names::place(plan, place)),
    };
    match &drop.rule {
        Rule::Plain => format!("dropped by {by}: {}", drop.reason),
        rule => format!("dropped by {by}: {}: {}", drop.reason, printable(&rule.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption as PacketOption;
    use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption as InterfaceOption;
    use pcap_file::pcapng::{Block, PcapNgReader};

    use super::*;
    use crate::report::fixture::Fixture;

    fn capture() -> Vec<u8> {
        let Fixture { plan, run, .. } = Fixture::relay();
        let mut bytes = Vec::new();
        write(&mut bytes, &plan, run.seed, run.trace.as_ref().expect("a trace")).expect("memory");
        bytes
    }

    #[test]
    fn a_capture_shows_every_hop_at_its_interface_and_why_packets_died() {
        insta::assert_snapshot!(listing(&capture()));
    }

    #[test]
    fn the_same_run_gives_the_same_bytes() {
        assert_eq!(capture(), capture());
    }

    #[test]
    fn an_address_that_two_nodes_have_is_not_named() {
        let mut plan = Fixture::relay().plan;
        let alices: IpAddr = "10.0.1.2".parse().expect("an address");
        assert_eq!(owners(&plan).get(&alices), Some(&"alice"));
        let bob = plan.topology.find("bob").expect("bob");

        plan.topology.node_mut(bob).addresses = vec![alices];

        assert_eq!(owners(&plan).get(&alices), None);
    }

    fn listing(bytes: &[u8]) -> String {
        let mut reader = PcapNgReader::new(bytes).expect("a section header");
        let mut lines = vec![format!("{:?}", reader.section().options)];
        while let Some(block) = reader.next_block() {
            let block = block.expect("a block").into_owned();
            if let Block::NameResolution(names) = &block {
                lines.extend(names.records.iter().map(|record| format!("{record:?}")));
            }
            if let Block::EnhancedPacket(packet) = &block {
                let interface = &reader.interfaces()[packet.interface_id as usize];
                let name = interface.options.iter().find_map(|option| match option {
                    InterfaceOption::IfName(name) => Some(name.to_string()),
                    _ => None,
                });
                let mut line = String::new();
                for option in &packet.options {
                    match option {
                        PacketOption::Flags(1) => line.insert_str(0, "in "),
                        PacketOption::Flags(2) => line.insert_str(0, "out"),
                        other => line.push_str(&format!("  {other:?}")),
                    }
                }
                let ms = (packet.timestamp.as_nanos() - u128::from(EPOCH_NS)) / 1_000_000;
                let name = name.expect("a name");
                lines.push(format!("{ms:>5} {name:<15} {} bytes {line}", packet.data.len()));
            }
        }
        lines.join("\n")
    }
}
