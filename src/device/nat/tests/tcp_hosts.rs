//! Real TCP on both sides of NATs: what their timers and answers do to connections.

use std::collections::VecDeque;

use super::*;
use crate::base::PacketId;
use crate::plan::{PortAssignment, TcpLifetimes, TcpPhase, Unsolicited};
use crate::transport::tcp::{ConnectionId, Event, Reason, Sockets};

const CLIENT: &str = "10.0.0.2:5000";
const SERVER: &str = "192.0.2.1:443";
const ALICE: &str = "198.51.100.1:5000";
const BOB: &str = "198.51.100.2:5000";

/// Hosts and the internet between them, which takes no time.
struct World {
    hosts: Vec<Host>,
    now: SimTime,
}

struct Host {
    sockets: Sockets,
    nat: Option<Lab>,
    /// What the internet reaches it, or its NAT, at.
    address: IpAddr,
    happened: Vec<Event>,
    /// Why packets to it died at its NAT.
    dropped: Vec<DropReason>,
}

impl Host {
    fn new(address: &str, nat: Option<NatBehavior>) -> Self {
        let random = Random::stream(1, address, "tcp");
        Self {
            sockets: Sockets::new(random, 1_500, 8),
            nat: nat.map(|behavior| Lab::with(behavior, &[address], &Limits::DEFAULT)),
            address: ip(address),
            happened: Vec::new(),
            dropped: Vec::new(),
        }
    }

    /// A packet of this host as the internet sees it.
    fn leave(&mut self, mut packet: Packet) -> Option<Packet> {
        let Some(nat) = &mut self.nat else { return Some(packet) };
        let port = port_of(packet.flow.source);
        matches!(nat.handle(port, &mut packet), Verdict::Forward(PortId::UPLINK)).then_some(packet)
    }

    /// A packet for this host comes from the internet.
    fn enter(&mut self, now: SimTime, mut packet: Packet) {
        if let Some(nat) = &mut self.nat
            && let Verdict::Drop(drop) = nat.handle(PortId::UPLINK, &mut packet)
        {
            self.dropped.push(drop.reason);
            return;
        }
        self.sockets.receive(now, &packet);
    }

    fn next_timeout(&self) -> Option<SimTime> {
        let nat = self.nat.as_ref().and_then(|nat| nat.nat.next_timeout());
        self.sockets.next_timeout().into_iter().chain(nat).min()
    }

    fn has_closed(&self, why: Reason) -> bool {
        self.happened.iter().any(|event| matches!(event, Event::Closed(_, reason) if *reason == why))
    }

    fn opened(&self) -> Option<ConnectionId> {
        self.happened.iter().find_map(|event| match event {
            Event::Opened(id) => Some(*id),
            _ => None,
        })
    }

    fn heard(&self) -> Vec<u8> {
        let pieces = self.happened.iter().filter_map(|event| match event {
            Event::Data(_, piece) => Some(piece.bytes.to_vec()),
            _ => None,
        });
        pieces.flatten().collect()
    }
}

impl World {
    fn new(hosts: Vec<Host>) -> Self {
        Self { hosts, now: SimTime::ZERO }
    }

    /// A client behind such a NAT, connected to a server on the internet.
    fn connected(behavior: NatBehavior) -> (Self, ConnectionId) {
        let mut world = Self::new(vec![Host::new(OUTSIDE, Some(behavior)), Host::new("192.0.2.1", None)]);
        world.hosts[1].sockets.listen(at(SERVER));
        let flow = Flow::new(at(CLIENT), at(SERVER));
        let id = world.hosts[0].sockets.connect(SimTime::ZERO, flow).expect("room");
        world.run_for(secs(1));
        assert_eq!(world.hosts[0].opened(), Some(id));
        (world, id)
    }

    fn run_for(&mut self, duration: SimDuration) {
        let end = self.now + duration;
        loop {
            self.settle();
            let next = self.hosts.iter().filter_map(Host::next_timeout).min();
            self.now = next.unwrap_or(end).clamp(self.now, end);
            let is_over = next.is_none_or(|next| next > end);
            for host in &mut self.hosts {
                host.sockets.handle_timeout(self.now);
                if let Some(nat) = &mut host.nat {
                    nat.now = self.now;
                    nat.nat.handle_timeout(self.now, &mut nat.out);
                }
            }
            self.settle();
            if is_over {
                return;
            }
        }
    }

    /// Everything that was sent arrives, and what comes of it.
    fn settle(&mut self) {
        let mut flying = VecDeque::new();
        loop {
            for host in &mut self.hosts {
                while let Some(event) = host.sockets.poll(self.now) {
                    match event {
                        Event::Send(packet, _) => flying.extend(host.leave(packet)),
                        other => host.happened.push(other),
                    }
                }
                let own = host.nat.iter_mut().flat_map(|nat| nat.out.packets.drain(..));
                flying.extend(own.map(|emitted| emitted.packet));
            }
            let Some(mut packet) = flying.pop_front() else { return };
            packet.id = PacketId::default();
            let to = packet.flow.destination.ip();
            if let Some(host) = self.hosts.iter_mut().find(|host| host.address == to) {
                host.enter(self.now, packet);
            }
        }
    }

    /// How far the client's NAT thinks its connection has come; `None`: it knows of none.
    fn phase(&self) -> Option<TcpPhase> {
        self.hosts[0].nat.as_ref().and_then(|nat| nat.rows().first()?.phase)
    }
}

/// A NAT that forgets connections after a minute, with ports of this kind.
fn impatient(assignment: PortAssignment) -> NatBehavior {
    let mut behavior = port_restricted();
    behavior.lifetimes.tcp = TcpLifetimes::established(secs(60));
    behavior.ports.assignment = assignment;
    behavior
}

#[test]
fn an_idle_connection_outlives_its_mapping_where_it_gets_the_same_port_again() {
    let (mut world, id) = World::connected(impatient(PortAssignment::Preservation));
    assert_eq!(world.phase(), Some(TcpPhase::Established));
    world.run_for(secs(100));
    assert_eq!(world.phase(), None);

    world.hosts[0].sockets.write(id, &b"still there?"[..], None);
    world.run_for(secs(1));

    assert_eq!(world.hosts[1].heard(), b"still there?");
    assert_eq!(world.phase(), Some(TcpPhase::Opening), "the NAT has not seen how it began");
}

#[test]
fn an_idle_connection_is_reset_where_it_gets_another_port() {
    let (mut world, id) = World::connected(impatient(PortAssignment::Random));
    world.run_for(secs(100));

    world.hosts[0].sockets.write(id, &b"still there?"[..], None);
    world.run_for(secs(1));

    assert!(world.hosts[0].has_closed(Reason::Reset), "{:?}", world.hosts[0].happened);
    assert_eq!(world.hosts[1].heard(), b"", "the server knows no connection from there");
}

#[test]
fn nobody_outside_reaches_an_idle_client() {
    let (mut world, _) = World::connected(impatient(PortAssignment::Preservation));
    world.run_for(secs(100));
    let accepted = world.hosts[1].opened().expect("a connection");

    world.hosts[1].sockets.write(accepted, &b"news"[..], None);
    world.run_for(secs(10));

    assert_eq!(world.hosts[0].heard(), b"");
    assert!(world.hosts[0].dropped.iter().all(|reason| *reason == DropReason::NatExpired));
    assert!(world.hosts[0].dropped.len() > 1, "TCP tries again, and again in vain");
}

#[test]
fn something_said_in_time_keeps_a_connection_alive() {
    let (mut world, id) = World::connected(impatient(PortAssignment::Random));
    for _ in 0..5 {
        world.run_for(secs(50));
        world.hosts[0].sockets.write(id, &b"."[..], None);
    }
    world.run_for(secs(1));
    assert_eq!(world.hosts[1].heard(), b".....");
}

/// Alice and Bob open a connection to each other; Alice's SYN comes too early for Bob's NAT.
fn punch(bobs: Unsolicited) -> World {
    let nat = |unsolicited| Some(NatBehavior { unsolicited, ..port_restricted() });
    let alice = Host::new("198.51.100.1", nat(Unsolicited::Drop));
    let mut world = World::new(vec![alice, Host::new("198.51.100.2", nat(bobs))]);
    for (host, remote) in [(0, BOB), (1, ALICE)] {
        let now = world.now;
        world.hosts[host].sockets.connect(now, Flow::new(at(CLIENT), at(remote))).expect("room");
        world.run_for(millis(100));
    }
    world.run_for(secs(10));
    assert_eq!(world.hosts[1].dropped.first(), Some(&DropReason::NatNoMapping));
    world
}

#[test]
fn holes_are_punched_through_nats_that_wait_with_their_answer() {
    for unsolicited in [Unsolicited::Drop, Unsolicited::Icmp] {
        let world = punch(unsolicited);
        assert!(world.hosts.iter().all(|host| host.opened().is_some()), "{unsolicited}");
    }
}

#[test]
fn a_hole_is_closed_by_a_nat_that_answers_a_syn_with_a_reset() {
    let world = punch(Unsolicited::Rst);
    for host in &world.hosts {
        assert!(host.opened().is_none() && host.has_closed(Reason::Refused), "{:?}", host.happened);
    }
}
