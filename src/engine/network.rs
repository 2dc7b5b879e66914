//! The network: devices joined by links, with packets on their way between them.
//!
//! Sans-IO: [`Network::send`] puts a packet in, [`Network::handle_timeout`] lets everything happen that is due,
//! [`Network::poll_delivery`] takes out what reached a host: datagrams, and what happens to its streams. It owns no clock: whoever drives it decides whether
//! time is virtual.

mod change;
mod streams;

use std::collections::VecDeque;
use std::net::SocketAddr;

use self::change::Cut;
pub use self::change::Ground;
use super::machine::Machine;
use super::queue::EventQueue;
use super::recorder::Recorder;
use super::streams::{StreamNews, TcpSettings};
use crate::base::{LimitReached, Limits, LinkId, NodeId, PacketId, PortId, Random, SimTime};
use crate::device::link::{Channel, Passage};
use crate::device::{Outbox, Verdict};
use crate::plan::{Drop, DropReason, MappingRow, Plan, Rule};
use crate::trace::{EventKind, Hop, Place};
use crate::wire::{Body, Packet};

/// What reached a host.
#[derive(Debug)]
pub enum Delivery {
    /// A datagram, to an open port.
    Datagram {
        /// The host.
        node: NodeId,
        /// The packet as it arrived.
        packet: Packet,
    },
    /// Something happened to one of its streams.
    Stream {
        /// The host.
        node: NodeId,
        /// What.
        news: StreamNews,
    },
}

/// The node that everything hangs on; it is in every topology.
const INTERNET: NodeId = NodeId::new(0);

/// Devices, links, and packets on their way.
pub struct Network {
    nodes: Vec<Station>,
    /// Two for each link.
    channels: Vec<Channel>,
    queue: EventQueue<NetworkEvent>,
    slots: Slots,
    next_packet: u64,
    outbox: Outbox,
    deliveries: VecDeque<Delivery>,
    max_in_flight: usize,
    /// What cannot reach each other at the moment.
    cuts: Vec<Cut>,
    /// The names of nodes, for what is said of cuts, and for the random streams of hosts.
    names: Vec<String>,
    /// What every host's TCP is made with.
    tcp: TcpSettings,
    /// What has happened so far.
    pub recorder: Recorder,
}

struct Station {
    machine: Machine,
    ports: Vec<Plug>,
    timer: Option<SimTime>,
}

/// Where a port's link leads.
#[derive(Debug, Clone, Copy)]
struct Plug {
    link: LinkId,
    /// The direction of the link that leaves here; it is a lane of the queue as well.
    channel: usize,
    neighbor: NodeId,
    neighbor_port: PortId,
}

enum NetworkEvent {
    Arrival { node: NodeId, port: PortId, slot: u32 },
    Timer(NodeId),
}

impl Network {
    /// The plan's network at rest. Every device and link draws from streams of its own, keyed by its name.
    pub fn new(plan: &Plan, seed: u64, limits: &Limits, recorder: Recorder) -> Self {
        let topology = &plan.topology;
        let tcp = TcpSettings { seed, mtu: streams::least_mtu(plan), limit: limits.tcp_connections };
        let nodes = topology.nodes().map(|(id, node)| Station {
            machine: Machine::new(plan, id, node, limits, tcp),
            ports: plugs(plan, id),
            timer: None,
        });
        let channels = topology.link_ids().flat_map(|id| {
            let name = topology.link_name(id);
            ["up", "down"]
                .map(|direction| Channel::new(topology.link(id), Random::stream(seed, name, direction)))
        });
        Self {
            nodes: nodes.collect(),
            channels: channels.collect(),
            queue: EventQueue::with_lanes(2 * topology.link_count()),
            slots: Slots::default(),
            next_packet: 0,
            outbox: Outbox::new(recorder.is_on()),
            deliveries: VecDeque::new(),
            max_in_flight: limits.packets_in_flight,
            cuts: Vec::new(),
            names: topology.nodes().map(|(_, node)| node.name.clone()).collect(),
            tcp,
            recorder,
        }
    }

    /// Opens a UDP socket on a host, so that packets to it are delivered.
    pub fn open_socket(&mut self, node: NodeId, socket: SocketAddr) {
        if let Machine::Host(host) = &mut self.nodes[node.index()].machine {
            host.open(socket);
        }
    }

    /// Closes a UDP socket on a host: packets to it are refused from now on.
    pub fn close_socket(&mut self, node: NodeId, socket: SocketAddr) {
        if let Machine::Host(host) = &mut self.nodes[node.index()].machine {
            host.close(socket);
        }
    }

    /// A host sends a packet.
    pub fn send(&mut self, now: SimTime, node: NodeId, packet: Packet) -> Result<(), LimitReached> {
        self.originate(now, node, PortId::UPLINK, packet, None)
    }

    /// When something happens next.
    pub fn next_timeout(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    /// Lets the next thing happen that is due at `now`; false if there is none.
    pub fn handle_timeout(&mut self, now: SimTime) -> Result<bool, LimitReached> {
        match self.queue.pop_due(now) {
            None => return Ok(false),
            Some(NetworkEvent::Arrival { node, port, slot }) => self.arrive(now, node, port, slot)?,
            Some(NetworkEvent::Timer(node)) => {
                let station = &mut self.nodes[node.index()];
                // A timer that was moved in the meantime is not due.
                if station.timer == Some(now) {
                    station.timer = None;
                    station.machine.handle_timeout(now, &mut self.outbox);
                    self.take_news(node);
                    self.follow_up(now, node)?;
                }
            }
        }
        Ok(true)
    }

    /// The next thing that reached a host.
    pub fn poll_delivery(&mut self) -> Option<Delivery> {
        self.deliveries.pop_front()
    }

    /// How many packets have come to be.
    pub const fn packet_count(&self) -> u64 {
        self.next_packet
    }

    /// The live mappings of every NAT.
    pub fn nat_tables(&self, now: SimTime) -> Vec<(NodeId, Vec<MappingRow>)> {
        let tables = self.nodes.iter().enumerate().filter_map(|(index, station)| match &station.machine {
            Machine::Nat(nat) => Some((NodeId::new(index as u32), nat.mappings(now))),
            _ => None,
        });
        tables.collect()
    }

    fn arrive(&mut self, now: SimTime, node: NodeId, port: PortId, slot: u32) -> Result<(), LimitReached> {
        let packet = self.slots.get_mut(slot);
        self.recorder.event(now, || EventKind::Arrived(hop(packet, node, port)));
        let machine = &mut self.nodes[node.index()].machine;
        match machine.handle(now, port, packet, &mut self.outbox) {
            Verdict::Forward(to) => match self.cut(node, port, to) {
                None => self.depart(now, node, to, slot)?,
                Some(drop) => {
                    let packet = self.slots.take(slot);
                    self.recorder.dropped(now, &packet, Place::Node(node), drop);
                }
            },
            Verdict::Deliver => {
                let packet = self.slots.take(slot);
                let id = packet.id;
                self.recorder.event(now, || EventKind::Delivered { packet: id, node });
                match packet.body {
                    Body::Udp(_) if matches!(machine, Machine::Host(_)) => {
                        self.deliveries.push_back(Delivery::Datagram { node, packet });
                    }
                    Body::Udp(_) => {}
                    Body::Tcp(_) | Body::Icmp(_) => self.take_news(node),
                }
            }
            Verdict::Drop(drop) => {
                let packet = self.slots.take(slot);
                self.recorder.dropped(now, &packet, Place::Node(node), drop);
            }
        }
        self.follow_up(now, node)
    }

    /// Why a packet dies that would go from one port of the internet to another; `None`: it does not.
    #[inline]
    fn cut(&self, node: NodeId, from: PortId, to: PortId) -> Option<Box<Drop>> {
        if self.cuts.is_empty() || node != INTERNET { None } else { self.cut_at_internet(from, to) }
    }

    #[cold]
    fn cut_at_internet(&self, from: PortId, to: PortId) -> Option<Box<Drop>> {
        let ports = &self.nodes[INTERNET.index()].ports;
        let (from, to) = (ports.get(from.index())?.neighbor, ports.get(to.index())?.neighbor);
        let since = self.cut_between(from, to)?.since;
        let name = |node: NodeId| self.names[node.index()].clone();
        let rule = Rule::Partition { from: name(from), to: name(to), since };
        Some(Box::new(Drop { reason: DropReason::Partition, rule }))
    }

    /// Sends what a device wants to say, and asks when it wants to be called next.
    #[inline]
    fn follow_up(&mut self, now: SimTime, node: NodeId) -> Result<(), LimitReached> {
        if !self.outbox.is_empty() {
            self.flush_outbox(now, node)?;
        }
        let station = &mut self.nodes[node.index()];
        if let Some(at) = station.machine.next_timeout() {
            let at = at.max(now);
            if station.timer.is_none_or(|timer| at < timer) {
                station.timer = Some(at);
                self.queue.push(at, NetworkEvent::Timer(node));
            }
        }
        Ok(())
    }

    /// Few packets make a device say something.
    #[cold]
    fn flush_outbox(&mut self, now: SimTime, node: NodeId) -> Result<(), LimitReached> {
        for change in self.outbox.changes.drain(..) {
            self.recorder.event(now, || EventKind::State { node, change });
        }
        let mut emitted = std::mem::take(&mut self.outbox.packets);
        for one in emitted.drain(..) {
            self.originate(now, node, one.port, one.packet, one.cause)?;
        }
        self.outbox.packets = emitted;
        Ok(())
    }

    fn originate(
        &mut self,
        now: SimTime,
        node: NodeId,
        port: PortId,
        mut packet: Packet,
        cause: Option<PacketId>,
    ) -> Result<(), LimitReached> {
        packet.id = self.fresh_id();
        self.recorder.packet(now, &packet, node, cause);
        let slot = self.insert(packet)?;
        self.depart(now, node, port, slot)
    }

    fn depart(&mut self, now: SimTime, node: NodeId, port: PortId, slot: u32) -> Result<(), LimitReached> {
        let packet = self.slots.get_mut(slot);
        let Some(&plug) = self.nodes[node.index()].ports.get(port.index()) else {
            let rule = Rule::NoRoute { destination: packet.flow.destination.ip() };
            let packet = self.slots.take(slot);
            let drop = Box::new(Drop { reason: DropReason::NoRoute, rule });
            self.recorder.dropped(now, &packet, Place::Node(node), drop);
            return Ok(());
        };
        self.recorder.event(now, || EventKind::Departed(hop(packet, node, port)));
        let arrival = |slot| NetworkEvent::Arrival { node: plug.neighbor, port: plug.neighbor_port, slot };
        match self.channels[plug.channel].admit(now, packet.len()) {
            Passage::Arrives(at) => self.queue.push_in_lane(plug.channel, at, arrival(slot)),
            Passage::Twice(first, second) => {
                let mut copy = packet.clone();
                let original = copy.id;
                copy.id = self.fresh_id();
                self.recorder.packet(now, &copy, node, Some(original));
                let id = copy.id;
                self.recorder.event(now, || EventKind::Duplicated {
                    packet: original,
                    copy: id,
                    link: plug.link,
                });
                let copy = self.insert(copy)?;
                self.queue.push_in_lane(plug.channel, first, arrival(slot));
                self.queue.push_in_lane(plug.channel, second, arrival(copy));
            }
            Passage::Lost(reason) => {
                let packet = self.slots.take(slot);
                self.recorder.dropped(now, &packet, Place::Link(plug.link), Box::new(Drop::plain(reason)));
            }
        }
        Ok(())
    }

    fn insert(&mut self, packet: Packet) -> Result<u32, LimitReached> {
        if self.slots.in_use() >= self.max_in_flight {
            return Err(LimitReached {
                key: "packets-in-flight",
                name: "packets on their way at one time",
                value: self.max_in_flight as u64,
            });
        }
        Ok(self.slots.insert(packet))
    }

    fn fresh_id(&mut self) -> PacketId {
        let id = PacketId::new(self.next_packet);
        self.next_packet += 1;
        id
    }
}

/// Packets on their way, in reusable slots so that queue entries stay small.
#[derive(Debug, Default)]
struct Slots {
    packets: Vec<Option<Packet>>,
    free: Vec<u32>,
}

impl Slots {
    fn insert(&mut self, packet: Packet) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.packets[slot as usize] = Some(packet);
                slot
            }
            None => {
                self.packets.push(Some(packet));
                (self.packets.len() - 1) as u32
            }
        }
    }

    /// The packet in a slot that is in use: every queue entry owns its slot.
    fn get_mut(&mut self, slot: u32) -> &mut Packet {
        self.packets[slot as usize].as_mut().expect("a scheduled packet is in its slot")
    }

    fn take(&mut self, slot: u32) -> Packet {
        self.free.push(slot);
        self.packets[slot as usize].take().expect("a scheduled packet is in its slot")
    }

    fn in_use(&self) -> usize {
        self.packets.len() - self.free.len()
    }
}

fn hop(packet: &Packet, node: NodeId, port: PortId) -> Hop {
    Hop { packet: packet.id, node, port, flow: packet.flow, hop_limit: packet.hop_limit }
}

fn plugs(plan: &Plan, node: NodeId) -> Vec<Plug> {
    let topology = &plan.topology;
    let plug = |port: &crate::plan::Port| {
        let neighbor_ports = &topology.node(port.neighbor).ports;
        let neighbor_port = neighbor_ports.iter().position(|other| other.link == port.link).unwrap_or(0);
        let direction = usize::from(topology.ends(port.link).0 != node);
        Plug {
            link: port.link,
            channel: 2 * port.link.index() + direction,
            neighbor: port.neighbor,
            neighbor_port: PortId::new(neighbor_port as u16),
        }
    };
    topology.node(node).ports.iter().map(plug).collect()
}
