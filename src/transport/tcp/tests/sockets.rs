//! The table of a host: who listens, whose segment it is, what is refused.

use super::*;
use crate::plan::Protocol;
use crate::wire::{Flow, Icmp, IcmpKind, Packet};

const CLIENT: &str = "10.0.1.2:50000";
const SERVER: &str = "192.0.2.3:443";

fn flow(source: &str, destination: &str) -> Flow {
    Flow::new(source.parse().expect("an address"), destination.parse().expect("an address"))
}

fn outwards() -> Flow {
    flow(CLIENT, SERVER)
}

fn host(name: &str) -> Sockets {
    Sockets::new(Random::stream(1, name, "tcp"), 1_500, 3)
}

/// A client and a server that listens, with a wire that takes no time.
struct Hosts {
    hosts: [Sockets; 2],
    events: [Vec<Event>; 2],
    now: SimTime,
}

impl Hosts {
    fn new() -> Self {
        let mut hosts = [host("client"), host("server")];
        hosts[1].listen(outwards().destination);
        Self { hosts, events: [Vec::new(), Vec::new()], now: SimTime::ZERO }
    }

    fn connected() -> (Self, ConnectionId, ConnectionId) {
        let mut both = Self::new();
        let ours = both.hosts[0].connect(both.now, outwards()).expect("room");
        both.run();
        let [client, server] = both.take();
        assert_eq!(client, [Event::Opened(ours)]);
        let [Event::Opened(theirs)] = server[..] else { panic!("not opened: {server:?}") };
        (both, ours, theirs)
    }

    /// Carries packets until none is left, and lets timers of less than a second run out.
    fn run(&mut self) {
        let end = self.now + SimDuration::from_millis(999);
        loop {
            while self.carry() {}
            let next = self.hosts.iter().filter_map(Sockets::next_timeout).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = next;
            for host in &mut self.hosts {
                host.handle_timeout(self.now);
            }
        }
        self.now = end;
    }

    fn carry(&mut self) -> bool {
        let mut any = false;
        for from in [0, 1] {
            while let Some(event) = self.hosts[from].poll(self.now) {
                match event {
                    Event::Send(packet, _) => drop(self.hosts[1 - from].receive(self.now, &packet)),
                    event => self.events[from].push(event),
                }
                any = true;
            }
        }
        any
    }

    fn take(&mut self) -> [Vec<Event>; 2] {
        std::mem::take(&mut self.events)
    }
}

#[test]
fn a_connection_opens_carries_bytes_and_ends_on_both_hosts() {
    let (mut both, ours, theirs) = Hosts::connected();
    assert_eq!(both.hosts[1].flow(theirs), Some(outwards().reversed()));

    both.hosts[0].write(ours, "hello", None);
    both.hosts[0].close(ours);
    both.run();
    let [client, server] = both.take();
    let [Event::Data(from, piece), Event::Ended(ended)] = &server[..] else { panic!("{server:?}") };
    assert_eq!((*from, &piece.bytes[..], *ended), (theirs, &b"hello"[..], theirs));
    assert_eq!(client, []);

    both.hosts[1].close(theirs);
    both.run();
    let [client, server] = both.take();
    assert_eq!(client, [Event::Ended(ours), Event::Closed(ours, Reason::Finished)]);
    assert_eq!(server, [Event::Closed(theirs, Reason::Finished)]);

    both.now += SimDuration::from_secs(10);
    both.hosts[0].handle_timeout(both.now);
    both.run();
    assert_eq!(both.take(), [vec![], vec![]]);
    assert_eq!(both.hosts.each_ref().map(Sockets::next_timeout), [None; 2]);
    assert_eq!(both.hosts[0].flow(ours), None);
}

#[test]
fn a_port_where_nobody_listens_answers_with_a_reset() {
    let mut both = Hosts::new();
    let ours = both.hosts[0].connect(both.now, flow(CLIENT, "192.0.2.3:80")).expect("room");

    both.run();

    assert_eq!(both.take(), [vec![Event::Closed(ours, Reason::Refused)], vec![]]);
    assert_eq!(both.hosts[0].next_timeout(), None);
}

#[test]
fn a_reset_is_never_answered() {
    let mut server = host("server");
    let reset = TcpSegment { flags: TcpFlags { rst: true, ..TcpFlags::default() }, ..TcpSegment::default() };

    let taken = server.receive(SimTime::ZERO, &Packet::tcp(outwards(), reset));

    assert_eq!((taken, server.poll(SimTime::ZERO)), (Taken::Refused(Refusal::Unknown), None));
}

/// RFC 9293 §3.10.7.1.
#[test]
fn a_refusal_has_the_numbers_that_the_other_side_accepts() {
    let syn = TcpFlags { syn: true, ..TcpFlags::default() };
    let answer =
        refuse(&TcpSegment { sequence: u32::MAX, flags: syn, ..TcpSegment::default() }).expect("a reset");
    assert_eq!((answer.flags.ack, answer.acknowledgment, answer.sequence), (true, 0, 0));

    let ack = TcpFlags { ack: true, ..TcpFlags::default() };
    let data = TcpSegment { sequence: 5, acknowledgment: 70, flags: ack, ..TcpSegment::default() };
    let answer = refuse(&data).expect("a reset");
    assert_eq!((answer.flags.ack, answer.sequence), (false, 70));
}

/// RFC 9293 §3.5.1: one side has forgotten a connection, and the other finds out when it sends.
#[test]
fn a_half_open_connection_is_reset_when_it_is_used() {
    let (mut both, ours, _) = Hosts::connected();
    both.hosts[1] = host("server, after a restart");

    both.run();
    assert_eq!(both.take(), [vec![], vec![]], "nobody knows until something is sent");
    both.hosts[0].write(ours, "hello?", None);
    both.run();

    assert_eq!(both.take(), [vec![Event::Closed(ours, Reason::Reset)], vec![]]);
}

#[test]
fn both_hosts_may_open_the_same_connection_at_once() {
    let mut both = Hosts::new();
    both.hosts[1] = host("a peer that does not listen");

    let first = both.hosts[0].connect(both.now, outwards()).expect("room");
    let second = both.hosts[1].connect(both.now, outwards().reversed()).expect("room");
    let syns = both.hosts.each_mut().map(|host| host.poll(SimTime::ZERO));
    for (to, syn) in [1, 0].into_iter().zip(syns) {
        let Some(Event::Send(packet, None)) = syn else { panic!("no SYN") };
        both.hosts[to].receive(both.now, &packet);
    }
    both.run();

    assert_eq!(both.take(), [vec![Event::Opened(first)], vec![Event::Opened(second)]]);
}

#[test]
fn an_icmp_error_refuses_the_connection_that_it_quotes() {
    let icmp = |kind| Icmp { kind, quoted_protocol: Protocol::Tcp, quoted: outwards() };
    let mut client = host("client");
    let ours = client.connect(SimTime::ZERO, outwards()).expect("room");
    assert!(matches!(client.poll(SimTime::ZERO), Some(Event::Send(..))));

    client.icmp(&icmp(IcmpKind::TimeExceeded));
    assert_eq!(client.poll(SimTime::ZERO), None);
    client.icmp(&icmp(IcmpKind::AdministrativelyProhibited));

    assert_eq!(client.poll(SimTime::ZERO), Some(Event::Closed(ours, Reason::Refused)));
    let (mut both, ..) = Hosts::connected();
    both.hosts[0].icmp(&icmp(IcmpKind::AdministrativelyProhibited));
    both.run();
    assert_eq!(both.take(), [vec![], vec![]], "one that is open takes no notice");
}

#[test]
fn a_host_has_no_more_connections_than_it_may() {
    let mut both = Hosts::new();
    let from = |port: u16| {
        let mut flow = outwards();
        flow.source.set_port(port);
        flow
    };
    for port in 1..=3 {
        both.hosts[0].connect(both.now, from(port)).expect("room");
    }
    both.run();
    both.take();

    assert_eq!(both.hosts[0].connect(both.now, from(4)), Err(ConnectError::Full(3)));
    assert_eq!(both.hosts[0].connect(both.now, from(3)), Err(ConnectError::Taken(from(3))));
    let mut other = host("another client");
    let theirs = other.connect(both.now, flow("10.0.9.9:1", SERVER)).expect("room");
    both.hosts[0] = other;
    both.run();
    assert_eq!(both.take()[0], [Event::Closed(theirs, Reason::Refused)], "the server's fourth");
}
