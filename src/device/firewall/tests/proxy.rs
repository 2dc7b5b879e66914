//! Tunnels through the proxy of a firewall that lets nothing else out.

use std::collections::BTreeMap;

use super::*;
use crate::base::PacketId;
use crate::transport::connect::{Answer, Target, Tunnel};
use crate::transport::tcp::{ConnectionId, Event, Reason, Sockets};
use crate::transport::{Note, Piece};
use crate::wire::Trail;

const PROXY: &str = "203.0.113.9:3128";
const SERVER: &str = "192.0.2.1:443";
const CLIENT: usize = 0;
const FAR: usize = 1;

/// A client inside and a server outside, with a wire that takes no time. NATs on both sides of the proxy rewrite what is on
/// its way outwards.
struct Office {
    lab: Lab,
    hosts: [Sockets; 2],
    heard: [Vec<Event>; 2],
    packets: u64,
    /// True if nothing reaches the client.
    is_cut: bool,
}

impl Office {
    fn new() -> Self {
        let mut lab = Lab::new(|config| {
            config.outbound.default = Access::Deny;
            config.proxy = Some(plan::Proxy {
                port: 3128,
                allow: vec![Inspect::TLS_PORT],
                names: BTreeMap::from([("turn.example.org".to_owned(), vec![at(SERVER).ip()])]),
            });
        });
        lab.firewall = Firewall::new(&lab.firewall.config, lab.firewall.routes.clone(), &Limits::DEFAULT)
            .with_proxy(&[at(PROXY).ip()], 1_500, 6, Random::stream(1, "firewall", "proxy"));
        let host = |name| Sockets::new(Random::stream(1, name, "tcp"), 1_500, 99);
        let mut hosts = [host("client"), host("server")];
        hosts[FAR].listen(at(SERVER));
        Self { lab, hosts, heard: [Vec::new(), Vec::new()], packets: 0, is_cut: false }
    }

    /// Carries segments until none is left, and lets a second pass.
    fn run(&mut self) {
        self.run_for(SimDuration::from_secs(1));
    }

    fn run_for(&mut self, time: SimDuration) {
        let end = self.lab.now + time;
        loop {
            while self.carry() {}
            let timeouts = self.hosts.iter().filter_map(Sockets::next_timeout);
            let next = timeouts.chain(self.lab.firewall.next_timeout()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.lab.now = next;
            self.hosts.iter_mut().for_each(|host| host.handle_timeout(next));
            self.lab.firewall.handle_timeout(next, &mut self.lab.out);
        }
        self.lab.now = end;
    }

    fn carry(&mut self) -> bool {
        let mut any = false;
        for host in [CLIENT, FAR] {
            while let Some(event) = self.hosts[host].poll(self.lab.now) {
                any = true;
                match event {
                    Event::Send(packet, _) => self.pass(host, packet),
                    event => self.heard[host].push(event),
                }
            }
        }
        for emitted in std::mem::take(&mut self.lab.out.packets) {
            any = true;
            let to = if emitted.port == PortId::UPLINK { FAR } else { CLIENT };
            // Nobody answers for another host.
            if to == CLIENT && self.is_cut {
                continue;
            }
            if to == FAR && emitted.packet.flow.destination.ip() != at(SERVER).ip() {
                continue;
            }
            let rewrites = u8::from(to == FAR);
            let trail = Trail { source_rewrites: rewrites, ..Trail::default() };
            self.hosts[to].receive(self.lab.now, &Packet { trail, ..emitted.packet });
        }
        any
    }

    /// A host's packet comes to the firewall, and dies or is the proxy's.
    fn pass(&mut self, host: usize, mut packet: Packet) {
        self.packets += 1;
        packet.id = PacketId::new(self.packets);
        packet.trail.source_rewrites = u8::from(host == CLIENT);
        let port = if host == CLIENT { PortId::new(1) } else { PortId::UPLINK };
        self.lab.handle(port, &mut packet);
    }

    fn take(&mut self, host: usize) -> Vec<Event> {
        std::mem::take(&mut self.heard[host])
    }

    /// The client opens a connection to the proxy and asks it for a tunnel.
    fn ask(&mut self, host: &str, port: u16) -> ConnectionId {
        let free = 50_000 + self.packets as u16;
        let flow = Flow::new(SocketAddr::new(at(INSIDE).ip(), free), at(PROXY));
        let id = self.hosts[CLIENT].connect(self.lab.now, flow).expect("room");
        let target = Target { host: host.to_owned(), port };
        self.hosts[CLIENT].write(id, target.request(), None);
        self.run();
        id
    }

    /// The same with a tunnel that is open: the client's connection and the server's.
    fn tunnel(&mut self) -> [ConnectionId; 2] {
        let ours = self.ask("turn.example.org", 443);
        assert_eq!(self.answer(), Some(Answer::Established));
        let [Event::Opened(theirs)] = self.take(FAR)[..] else { panic!("not opened") };
        [ours, theirs]
    }

    /// What the proxy has answered the client.
    fn answer(&mut self) -> Option<Answer> {
        let mut tunnel = Tunnel::default();
        let pieces = self.take(CLIENT).into_iter().filter_map(piece);
        pieces.filter_map(|piece| tunnel.receive(&piece)).last()
    }
}

fn piece(event: Event) -> Option<Piece> {
    if let Event::Data(_, piece) = event { Some(piece) } else { None }
}

#[test]
fn a_tunnel_carries_bytes_both_ways() {
    let mut office = Office::new();
    let ids = office.tunnel();
    for (from, to) in [(CLIENT, FAR), (FAR, CLIENT)] {
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        office.hosts[from].write(ids[from], bytes.clone(), None);
        office.run();
        let read: Vec<u8> =
            office.take(to).into_iter().filter_map(piece).flat_map(|piece| piece.bytes).collect();
        assert_eq!(read, bytes);
    }
}

#[test]
fn what_is_known_of_a_message_goes_through_the_tunnel_with_it() {
    let mut office = Office::new();
    let [ours, _] = office.tunnel();
    let relayed = Trail { source_rewrites: 2, destination_rewrites: 1, ..Trail::default() };
    for text in ["first", "second"] {
        let note = Note { message: format!("{text}, as it was").into(), trail: relayed, cause: None };
        office.hosts[CLIENT].write(ours, text, Some(note));
    }
    office.run();
    let pieces: Vec<Piece> = office.take(FAR).into_iter().filter_map(piece).collect();
    let told: Vec<_> =
        pieces.iter().map(|piece| (&piece.bytes[..], piece.message.as_deref(), piece.trail)).collect();
    let trail = Trail { source_rewrites: 4, ..relayed };
    let first = (&b"first"[..], Some(&b"first, as it was"[..]), trail);
    assert_eq!(told, [first, (b"second", Some(b"second, as it was"), trail)]);
}

#[test]
fn bytes_that_come_with_the_request_are_the_targets() {
    let mut office = Office::new();
    let flow = Flow::new(at(INSIDE), at(PROXY));
    let ours = office.hosts[CLIENT].connect(office.lab.now, flow).expect("room");
    let request = Target { host: at(SERVER).ip().to_string(), port: 443 }.request();
    office.hosts[CLIENT].write(ours, request + "early", Some(Note::of("early")));
    office.run();
    let [Event::Opened(_), Event::Data(_, piece)] = &office.take(FAR)[..] else { panic!("no bytes") };
    assert_eq!((&piece.bytes[..], piece.message.as_deref()), (&b"early"[..], Some(&b"early"[..])));
}

#[test]
fn what_the_proxy_does_not_open_it_answers_with_why() {
    let refusals = [
        ("turn.example.org", 3478, Answer::Forbidden),
        ("203.0.113.9", 443, Answer::Forbidden),
        ("other.example.org", 443, Answer::BadGateway),
        ("2001:db8::1", 443, Answer::BadGateway),
    ];
    for (host, port, answer) in refusals {
        let mut office = Office::new();
        let ours = office.ask(host, port);
        let told = office.take(CLIENT);
        assert!(told.contains(&Event::Ended(ours)), "{host}:{port}");
        office.heard[CLIENT] = told;
        assert_eq!(office.answer(), Some(answer), "{host}:{port}");
        assert_eq!(office.take(FAR), [], "nothing leaves");

        office.hosts[CLIENT].close(ours);
        office.run_for(SimDuration::from_secs(20));
        assert_eq!(office.lab.firewall.next_timeout(), None, "nothing is left of it");
    }
}

#[test]
fn a_server_that_refuses_is_a_bad_gateway() {
    let mut office = Office::new();
    office.hosts[FAR] = Sockets::new(Random::stream(1, "server", "tcp"), 1_500, 99);
    office.ask("turn.example.org", 443);
    assert_eq!(office.answer(), Some(Answer::BadGateway));
}

#[test]
fn what_is_no_request_for_a_tunnel_is_a_bad_request() {
    let mut office = Office::new();
    let flow = Flow::new(at(INSIDE), at(PROXY));
    let ours = office.hosts[CLIENT].connect(office.lab.now, flow).expect("room");
    office.hosts[CLIENT].write(ours, "GET / HTTP/1.1\r\n\r\n", None);
    office.run();
    assert_eq!(office.answer(), Some(Answer::BadRequest));
}

#[test]
fn either_side_may_finish_first_and_the_other_has_its_say() {
    for (first, second) in [(CLIENT, FAR), (FAR, CLIENT)] {
        let mut office = Office::new();
        let ids = office.tunnel();
        office.hosts[first].write(ids[first], "bye", None);
        office.hosts[first].close(ids[first]);
        office.run();
        let told = office.take(second);
        assert!(matches!(&told[..], [Event::Data(..), Event::Ended(_)]), "{told:?}");

        office.hosts[second].write(ids[second], "good bye", None);
        office.hosts[second].close(ids[second]);
        office.run_for(SimDuration::from_secs(20));
        let told = office.take(first);
        let finished = Event::Closed(ids[first], Reason::Finished);
        assert!(matches!(&told[..], [Event::Data(..), Event::Ended(_), _]), "{told:?}");
        assert_eq!(told[2], finished);
        assert_eq!(office.lab.firewall.next_timeout(), None, "nothing is left of it");
    }
}

#[test]
fn a_side_that_breaks_off_breaks_off_the_other() {
    for (first, second) in [(CLIENT, FAR), (FAR, CLIENT)] {
        let mut office = Office::new();
        let ids = office.tunnel();
        office.hosts[first].abort(ids[first]);
        office.run();
        assert_eq!(office.take(second), [Event::Closed(ids[second], Reason::Reset)]);
    }
}

#[test]
fn a_client_that_hangs_up_while_the_server_is_silent_leaves_nothing_behind() {
    let mut office = Office::new();
    let flow = Flow::new(at(INSIDE), at(PROXY));
    let ours = office.hosts[CLIENT].connect(office.lab.now, flow).expect("room");
    let request = Target { host: "192.0.2.77".to_owned(), port: 443 }.request();
    office.hosts[CLIENT].write(ours, request, None);
    office.hosts[CLIENT].close(ours);
    office.run_for(SimDuration::from_secs(20));
    assert_eq!(office.lab.firewall.next_timeout(), None);
}

#[test]
fn a_tunnel_is_broken_off_when_too_much_waits_for_one_side() {
    let mut office = Office::new();
    let [_, theirs] = office.tunnel();
    office.is_cut = true;
    office.hosts[FAR].write(theirs, vec![0; 1 << 20], None);
    office.run();
    assert_eq!(office.take(FAR), [], "so much may wait");
    office.hosts[FAR].write(theirs, vec![0; 1 << 17], None);
    office.run();
    assert_eq!(office.take(FAR), [Event::Closed(theirs, Reason::Reset)]);
}

#[test]
fn nobody_gets_to_the_proxy_from_outside() {
    let mut lab = Office::new().lab;
    let from_outside = lab.segment(PortId::UPLINK, SERVER, PROXY, SYN);
    assert_eq!(drop_of(from_outside).reason, DropReason::FirewallInbound);
    assert_eq!(drop_of(lab.receive(SERVER, PROXY)).reason, DropReason::FirewallInbound);
    assert!(lab.out.packets.is_empty());
}

#[test]
fn other_ports_of_the_proxy_are_closed() {
    let mut lab = Office::new().lab;
    let other = lab.segment(PortId::new(1), INSIDE, "203.0.113.9:80", SYN);
    assert_eq!(drop_of(other).reason, DropReason::HostPortClosed);
    assert_eq!(drop_of(lab.send(INSIDE, PROXY)).reason, DropReason::HostPortClosed);
    let [reset, error] = &lab.out.packets[..] else { panic!("{:?}", lab.out.packets) };
    assert!(matches!(&reset.packet.body, Body::Tcp(segment) if segment.flags.rst));
    assert!(matches!(&error.packet.body, Body::Icmp(error) if error.kind == IcmpKind::PortUnreachable));
}

#[test]
fn a_proxy_with_as_many_connections_as_it_may_have_opens_no_more() {
    let mut office = Office::new();
    for _ in 0..2 {
        office.tunnel();
    }
    let flow = |port| Flow::new(SocketAddr::new(at(INSIDE).ip(), port), at(PROXY));
    office.hosts[CLIENT].connect(office.lab.now, flow(1)).expect("room");
    office.ask("turn.example.org", 443);
    assert_eq!(office.answer(), Some(Answer::Other(503)), "there is no room for the other leg");

    let last = office.hosts[CLIENT].connect(office.lab.now, flow(2)).expect("room");
    office.run();
    assert_eq!(office.take(CLIENT), [Event::Closed(last, Reason::Refused)]);
}
