//! One rule a test, in the RFC's words. Each test drives a [`Nat`] by hand through a [`Lab`].

mod blocks;
mod changes;
mod filtering;
mod groups;
mod hairpin;
mod icmp;
mod invariants;
mod ipv6;
mod lifetimes;
mod mapping;
mod nat64;
mod pipeline;
mod pooling;
mod port_mapping;
mod ports;
mod quarantine;
mod tcp;
mod tcp_hosts;
mod traversal;
mod unsolicited;

use std::net::{IpAddr, SocketAddr};

use super::Nat;
use crate::base::{Limits, NodeId, PortId, Random, SimDuration, SimTime};
use crate::device::{Device, Outbox, Verdict};
use crate::plan::{
    self, DropReason, Element, FilteringBehavior, MappingBehavior, MappingRow, NatBehavior, Rule,
    StateChange, Topology,
};
use crate::wire::{Body, Flow, IcmpKind, Packet, TcpFlags, TcpSegment};

const OUTSIDE: &str = "198.51.100.1";
const HOSTS: u16 = 8;

/// A NAT with hosts 10.0.0.2 to 10.0.0.9 behind it, on its ports 1 to 8, and what it has said so far.
struct Lab {
    nat: Nat,
    now: SimTime,
    out: Outbox,
}

impl Lab {
    fn new(behavior: NatBehavior) -> Self {
        Self::with(behavior, &[OUTSIDE], &Limits::DEFAULT)
    }

    fn with(behavior: NatBehavior, outside: &[&str], limits: &Limits) -> Self {
        let outside: Vec<IpAddr> = outside.iter().map(|text| ip(text)).collect();
        let config = plan::Nat {
            behavior,
            inside: "10.0.0.0/8".parse().expect("a network"),
            gateway: ip("10.0.0.1"),
            ipv6: None,
            nat64: None,
            label: None,
        };
        let mut topology = Topology::new();
        let link = || plan::Link::with_delay(SimDuration::from_millis(1));
        let id = topology.add(NodeId::new(0), "nat", Element::Nat(config.clone()), outside.clone(), link());
        for host in 0..HOSTS {
            let element = Element::Server(plan::Server { stun: Vec::new(), turn: None, up: true });
            let address = ip(&format!("10.0.0.{}", host + 2));
            topology.add(id, format!("host-{host}"), element, vec![address], link());
        }
        let random = Random::stream(1, "nat", "ports");
        let nat = Nat::new(&config, &outside, topology.routes(id), limits, random);
        Self { nat, now: SimTime::ZERO, out: Outbox::new(true) }
    }

    /// Lets time pass, without telling the NAT.
    fn wait(&mut self, duration: SimDuration) {
        self.now += duration;
    }

    fn handle(&mut self, port: PortId, packet: &mut Packet) -> Verdict {
        self.nat.handle(self.now, port, packet, &mut self.out)
    }

    /// A UDP packet from inside; the external endpoint it leaves from.
    fn send(&mut self, from: &str, to: &str) -> Result<SocketAddr, plan::Drop> {
        let mut packet = udp(from, to);
        match self.handle(port_of(at(from)), &mut packet) {
            Verdict::Forward(PortId::UPLINK) => Ok(packet.flow.source),
            Verdict::Drop(drop) => Err(*drop),
            other => panic!("unexpected {other:?}"),
        }
    }

    /// As [`Lab::send`], when nothing can go wrong.
    fn sent(&mut self, from: &str, to: &str) -> SocketAddr {
        self.send(from, to).expect("the packet leaves")
    }

    /// A UDP packet from outside; the internal endpoint it reaches.
    fn receive(&mut self, from: &str, to: SocketAddr) -> Result<SocketAddr, plan::Drop> {
        let mut packet = Packet::udp(Flow::new(at(from), to), &b"in"[..]);
        match self.handle(PortId::UPLINK, &mut packet) {
            Verdict::Forward(port) => {
                assert_eq!(port, port_of(packet.flow.destination));
                Ok(packet.flow.destination)
            }
            Verdict::Drop(drop) => Err(*drop),
            Verdict::Deliver => panic!("a NAT has nothing to take packets for"),
        }
    }

    /// Why a UDP packet from outside dies.
    fn refused(&mut self, from: &str, to: SocketAddr) -> DropReason {
        self.receive(from, to).expect_err("the packet dies").reason
    }

    fn rows(&self) -> Vec<MappingRow> {
        self.nat.mappings(self.now)
    }

    /// The ICMP errors sent so far, each with the port it left on.
    fn errors(&self) -> Vec<(PortId, IcmpKind)> {
        let errors = self.out.packets.iter().filter_map(|emitted| match &emitted.packet.body {
            Body::Icmp(icmp) => Some((emitted.port, icmp.kind)),
            _ => None,
        });
        errors.collect()
    }
}

fn behavior(mapping: MappingBehavior, filtering: FilteringBehavior) -> NatBehavior {
    NatBehavior::new(mapping, filtering)
}

/// RFC 4787's recommendation: EIM with APDF.
fn port_restricted() -> NatBehavior {
    behavior(MappingBehavior::EndpointIndependent, FilteringBehavior::AddressAndPortDependent)
}

fn full_cone() -> NatBehavior {
    behavior(MappingBehavior::EndpointIndependent, FilteringBehavior::EndpointIndependent)
}

fn udp(from: &str, to: &str) -> Packet {
    Packet::udp(Flow::new(at(from), at(to)), &b"payload"[..])
}

fn tcp(from: &str, to: &str) -> Packet {
    let flags = TcpFlags { syn: true, ..TcpFlags::default() };
    let segment = TcpSegment { sequence: 1, window: 1_024, flags, ..TcpSegment::default() };
    Packet::tcp(Flow::new(at(from), at(to)), segment)
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("a transport address")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// The port of the NAT behind which an inside host is.
fn port_of(internal: SocketAddr) -> PortId {
    let IpAddr::V4(address) = internal.ip() else { panic!("inside hosts have IPv4 addresses") };
    PortId::new(u16::from(address.octets()[3]) - 1)
}

fn secs(seconds: u64) -> SimDuration {
    SimDuration::from_secs(seconds)
}

fn millis(milliseconds: u64) -> SimDuration {
    SimDuration::from_millis(milliseconds)
}
