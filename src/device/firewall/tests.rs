//! A firewall under test: packets from inside and outside, and what becomes of them.

mod inspect;
mod proxy;

use super::*;
use crate::base::{NodeId, SimDuration};
use crate::plan::{
    Accepts, DenyAction, Element, Link, OutboundPolicy, Protocol, Service, ServiceProtocol, TcpLifetimes,
    Topology,
};
use crate::wire::{IcmpKind, TcpFlags, TcpSegment};

const REMOTE: &str = "192.0.2.1:3478";
const INSIDE: &str = "203.0.113.2:5000";

/// A firewall with 203.0.113.2 and 203.0.113.3 behind it, on its ports 1 and 2.
struct Lab {
    firewall: Firewall,
    now: SimTime,
    out: Outbox,
}

impl Lab {
    fn new(change: impl FnOnce(&mut plan::Firewall)) -> Self {
        Self::with(change, &Limits::DEFAULT)
    }

    fn with(change: impl FnOnce(&mut plan::Firewall), limits: &Limits) -> Self {
        let mut config = plan::Firewall {
            outbound: OutboundPolicy { default: Access::Allow, allow: Vec::new(), action: DenyAction::Drop },
            inbound: InboundPolicy::Deny,
            filtering: FilteringBehavior::AddressAndPortDependent,
            udp_lifetime: SimDuration::from_secs(300),
            tcp: TcpLifetimes::DEFAULT,
            inspect: plan::Inspect::Off,
            proxy: None,
            label: None,
        };
        change(&mut config);
        let mut topology = Topology::new();
        let link = || Link::with_delay(SimDuration::from_millis(1));
        let element = Element::Firewall(config.clone());
        let id = topology.add(NodeId::new(0), "firewall", element, Vec::new(), link());
        for host in ["203.0.113.2", "203.0.113.3"] {
            topology.add(id, host, Element::Router, vec![host.parse().expect("address")], link());
        }
        let firewall = Firewall::new(&config, topology.routes(id), limits);
        Self { firewall, now: SimTime::ZERO, out: Outbox::new(true) }
    }

    fn handle(&mut self, port: PortId, packet: &mut Packet) -> Verdict {
        self.firewall.handle(self.now, port, packet, &mut self.out)
    }

    fn send(&mut self, from: &str, to: &str) -> Verdict {
        self.handle(PortId::new(1), &mut udp(from, to))
    }

    fn receive(&mut self, from: &str, to: &str) -> Verdict {
        self.handle(PortId::UPLINK, &mut udp(from, to))
    }
}

const OUT: Verdict = Verdict::Forward(PortId::UPLINK);
const IN: Verdict = Verdict::Forward(PortId::new(1));

fn at(text: &str) -> SocketAddr {
    text.parse().expect("a transport address")
}

fn udp(from: &str, to: &str) -> Packet {
    Packet::udp(Flow::new(at(from), at(to)), &b"x"[..])
}

fn drop_of(verdict: Verdict) -> plan::Drop {
    match verdict {
        Verdict::Drop(drop) => *drop,
        other => panic!("{other:?}"),
    }
}

fn deny_all_but_dns(config: &mut plan::Firewall) {
    config.outbound.default = Access::Deny;
    config.outbound.allow = vec![Service { port: 53, protocol: ServiceProtocol::Udp }];
}

#[test]
fn only_answers_come_in_by_the_filtering_behaviour() {
    use FilteringBehavior as F;
    let remotes = [REMOTE, "192.0.2.1:9", "192.0.2.9:3478"];
    for (filtering, expected) in [
        (F::EndpointIndependent, [true, true, true]),
        (F::AddressDependent, [true, true, false]),
        (F::AddressAndPortDependent, [true, false, false]),
    ] {
        let mut lab = Lab::new(|config| config.filtering = filtering);
        assert!(remotes.iter().all(|remote| lab.receive(remote, INSIDE) != IN), "nothing was asked for");
        assert_eq!(lab.send(INSIDE, REMOTE), OUT);
        assert_eq!(remotes.map(|remote| lab.receive(remote, INSIDE) == IN), expected, "{filtering}");
        let other = lab.receive(REMOTE, "203.0.113.2:5001");
        assert_eq!(drop_of(other).reason, DropReason::FirewallInbound, "another endpoint");
    }
}

#[test]
fn a_refused_packet_is_told_what_would_have_come_in() {
    let mut lab = Lab::new(|_| ());
    lab.send(INSIDE, REMOTE);
    let accepts = Accepts::from_remotes([at(REMOTE)]);
    let filtering = FilteringBehavior::AddressAndPortDependent;
    let drop = drop_of(lab.receive("192.0.2.9:1", INSIDE));
    assert_eq!(drop.rule, Rule::Unsolicited { filtering, accepts });
    let opened =
        StateChange::FilterOpened { protocol: Protocol::Udp, external: at(INSIDE), remote: at(REMOTE) };
    assert_eq!(lab.out.changes, [opened]);
}

#[test]
fn a_flow_lives_from_its_last_outbound_packet() {
    let mut lab = Lab::new(|_| ());
    lab.send(INSIDE, REMOTE);
    lab.now += SimDuration::from_secs(200);
    lab.send(INSIDE, REMOTE);
    lab.now += SimDuration::from_millis(299_999);
    assert_eq!(lab.receive(REMOTE, INSIDE), IN);
    lab.now += SimDuration::from_millis(1);
    let drop = drop_of(lab.receive(REMOTE, INSIDE));
    let nobody = Accepts::default();
    let filtering = FilteringBehavior::AddressAndPortDependent;
    assert_eq!(drop.rule, Rule::Unsolicited { filtering, accepts: nobody }, "inbound refreshes nothing");
}

#[test]
fn inbound_packets_enter_where_the_rules_open_it_and_their_answers_leave() {
    let mut lab = Lab::new(|config| {
        config.inbound = InboundPolicy::Allow;
        deny_all_but_dns(config);
    });
    assert_eq!(drop_of(lab.send(INSIDE, REMOTE)).reason, DropReason::FirewallOutbound);
    assert_eq!(lab.receive(REMOTE, INSIDE), IN);
    assert_eq!(lab.send(INSIDE, REMOTE), OUT);
    lab.now += SimDuration::from_secs(301);
    assert_eq!(drop_of(lab.send(INSIDE, REMOTE)).reason, DropReason::FirewallOutbound);
}

#[test]
fn only_allowed_services_are_sent_to_where_the_default_is_deny() {
    let mut lab = Lab::new(deny_all_but_dns);
    assert_eq!(lab.send(INSIDE, "192.0.2.1:53"), OUT);
    let drop = drop_of(lab.send(INSIDE, REMOTE));
    assert_eq!(drop.reason, DropReason::FirewallOutbound);
    assert_eq!(drop.rule.to_string(), "3478/udp is not among 53/udp");
    assert!(lab.out.packets.is_empty(), "in silence");
}

#[test]
fn a_rejected_packet_is_answered_with_administratively_prohibited() {
    let mut lab = Lab::new(|config| {
        config.outbound.default = Access::Deny;
        config.outbound.action = DenyAction::Reject;
    });
    let drop = drop_of(lab.send(INSIDE, REMOTE));
    assert_eq!(drop.rule.to_string(), "3478/udp may not leave, and nothing else may");
    let [emitted] = &lab.out.packets[..] else { panic!("{:?}", lab.out.packets) };
    assert_eq!(emitted.port, PortId::new(1));
    assert_eq!(emitted.packet.flow, Flow::new(at("192.0.2.1:0"), at("203.0.113.2:0")));
    let Body::Icmp(error) = &emitted.packet.body else { panic!("not ICMP") };
    assert_eq!(error.kind, IcmpKind::AdministrativelyProhibited);
}

#[test]
fn icmp_errors_about_tracked_flows_come_in_and_others_do_not() {
    let mut lab = Lab::new(|_| ());
    lab.send(INSIDE, REMOTE);
    let error = |packet: Packet| {
        packet.icmp_error(at("198.51.100.9:0").ip(), IcmpKind::TimeExceeded).expect("an error")
    };
    assert_eq!(lab.handle(PortId::UPLINK, &mut error(udp(INSIDE, REMOTE))), IN);
    let unknown = lab.handle(PortId::UPLINK, &mut error(udp(INSIDE, "192.0.2.9:1")));
    assert_eq!(drop_of(unknown).reason, DropReason::FirewallInbound);
}

#[test]
fn an_icmp_error_neither_refreshes_nor_terminates_a_flow() {
    let mut lab = Lab::new(|_| ());
    lab.send(INSIDE, REMOTE);
    lab.now += SimDuration::from_secs(299);
    let error = udp(INSIDE, REMOTE).icmp_error(at(REMOTE).ip(), IcmpKind::PortUnreachable);
    assert_eq!(lab.handle(PortId::UPLINK, &mut error.expect("an error")), IN);
    assert_eq!(lab.receive(REMOTE, INSIDE), IN);
    lab.now += SimDuration::from_secs(1);
    assert_ne!(lab.receive(REMOTE, INSIDE), IN);
}

#[test]
fn icmp_errors_about_tracked_flows_leave_even_where_the_default_is_deny() {
    let mut lab = Lab::new(deny_all_but_dns);
    lab.send(INSIDE, "192.0.2.1:53");
    let error =
        |packet: Packet| packet.icmp_error(at(INSIDE).ip(), IcmpKind::PortUnreachable).expect("an error");
    assert_eq!(lab.handle(PortId::new(1), &mut error(udp("192.0.2.1:53", INSIDE))), OUT);
    let unknown = lab.handle(PortId::new(1), &mut error(udp(REMOTE, INSIDE)));
    assert_eq!(drop_of(unknown).reason, DropReason::FirewallOutbound);
}

#[test]
fn what_stays_inside_is_switched_without_rules() {
    let mut lab = Lab::new(deny_all_but_dns);
    let mut packet = udp(INSIDE, "203.0.113.3:1");
    let before = packet.clone();
    assert_eq!(lab.handle(PortId::new(1), &mut packet), Verdict::Forward(PortId::new(2)));
    assert_eq!(packet, before);
}

#[test]
fn passing_costs_a_hop_and_the_last_hop_changes_no_state() {
    let mut lab = Lab::new(|_| ());
    let mut last = Packet { hop_limit: 1, ..udp(INSIDE, REMOTE) };
    assert_eq!(lab.handle(PortId::new(1), &mut last), Verdict::drop(DropReason::TtlExpired));
    assert_eq!(drop_of(lab.receive(REMOTE, INSIDE)).reason, DropReason::FirewallInbound);
    let mut packet = udp(INSIDE, REMOTE);
    assert_eq!(lab.handle(PortId::new(1), &mut packet), OUT);
    assert_eq!(packet.hop_limit, 63);
}

#[test]
fn a_full_tracker_lets_no_new_flow_out_until_old_ones_expire() {
    let limits = Limits { mappings_per_nat: 2, ..Limits::DEFAULT };
    let mut lab = Lab::with(|_| (), &limits);
    assert_eq!([1, 2].map(|port| lab.send(INSIDE, &format!("192.0.2.1:{port}"))), [OUT, OUT]);
    assert_eq!(drop_of(lab.send(INSIDE, "192.0.2.1:3")).reason, DropReason::FirewallOutbound);
    assert_eq!(lab.send(INSIDE, "192.0.2.1:1"), OUT, "known flows go on");
    lab.now += SimDuration::from_secs(301);
    assert_eq!(lab.send(INSIDE, "192.0.2.1:3"), OUT);
}

const SYN: TcpFlags = TcpFlags { syn: true, ack: false, fin: false, rst: false, psh: false };
const ACK: TcpFlags = TcpFlags { syn: false, ack: true, ..SYN };
const SYN_ACK: TcpFlags = TcpFlags { ack: true, ..SYN };
const RST: TcpFlags = TcpFlags { rst: true, ..ACK };

impl Lab {
    fn segment(&mut self, port: PortId, from: &str, to: &str, flags: TcpFlags) -> Verdict {
        let segment = TcpSegment { flags, ..TcpSegment::default() };
        self.handle(port, &mut Packet::tcp(Flow::new(at(from), at(to)), segment))
    }

    fn send_tcp(&mut self, flags: TcpFlags) -> Verdict {
        self.segment(PortId::new(1), INSIDE, REMOTE, flags)
    }

    fn receive_tcp(&mut self, flags: TcpFlags) -> Verdict {
        self.segment(PortId::UPLINK, REMOTE, INSIDE, flags)
    }

    fn wait(&mut self, seconds: u64) {
        self.now += SimDuration::from_secs(seconds);
    }
}

#[test]
fn an_established_connection_outlives_one_that_opens_or_was_reset() {
    let handshake = [(true, SYN), (false, SYN_ACK), (true, ACK)];
    let reset = [&handshake[..], &[(false, RST)]].concat();
    for (segments, lifetime) in [(&handshake[..1], 240), (&handshake, 7_440), (&reset, 240)] {
        for filtering in FilteringBehavior::ALL {
            for (idle, alive) in [(lifetime - 1, true), (lifetime, false)] {
                let mut lab = Lab::new(|config| config.filtering = *filtering);
                for (outbound, flags) in segments {
                    let verdict = if *outbound { lab.send_tcp(*flags) } else { lab.receive_tcp(*flags) };
                    assert_eq!(verdict, if *outbound { OUT } else { IN });
                }
                lab.wait(idle);
                assert_eq!(lab.receive_tcp(ACK) == IN, alive, "{filtering}, after {idle} s");
            }
        }
    }
}

#[test]
fn both_directions_keep_a_connection_alive() {
    let mut lab = Lab::new(|_| ());
    lab.send_tcp(SYN);
    lab.receive_tcp(SYN_ACK);
    lab.send_tcp(ACK);
    for _ in 0..3 {
        lab.wait(7_000);
        assert_eq!(lab.receive_tcp(ACK), IN);
    }
}

#[test]
fn a_connection_that_was_let_in_is_followed_as_well() {
    let mut lab = Lab::new(|config| {
        config.inbound = InboundPolicy::Allow;
        deny_all_but_dns(config);
    });
    assert_eq!(lab.receive_tcp(SYN), IN);
    assert_eq!(lab.send_tcp(SYN_ACK), OUT);
    assert_eq!(lab.receive_tcp(ACK), IN);
    lab.wait(7_439);
    assert_eq!(lab.send_tcp(ACK), OUT, "its answers may leave, whatever the rules say");
    lab.wait(7_440);
    assert_eq!(drop_of(lab.send_tcp(ACK)).reason, DropReason::FirewallOutbound);
}

#[test]
fn a_simultaneous_open_passes_and_an_unsolicited_syn_does_not() {
    let mut lab = Lab::new(|_| ());
    assert_eq!(drop_of(lab.receive_tcp(SYN)).reason, DropReason::FirewallInbound);
    for (outbound, flags) in [(true, SYN), (false, SYN), (true, SYN_ACK), (false, SYN_ACK)] {
        let verdict = if outbound { lab.send_tcp(flags) } else { lab.receive_tcp(flags) };
        assert_eq!(verdict, if outbound { OUT } else { IN });
    }
    lab.wait(7_439);
    assert_eq!(lab.receive_tcp(ACK), IN);
}

#[test]
fn a_forgotten_connection_goes_on_from_inside_only() {
    let mut lab = Lab::new(|_| ());
    assert_eq!(drop_of(lab.receive_tcp(ACK)).reason, DropReason::FirewallInbound);
    assert_eq!(lab.send_tcp(ACK), OUT);
    assert_eq!(lab.receive_tcp(ACK), IN);
    lab.wait(240);
    assert_ne!(lab.receive_tcp(ACK), IN, "its beginning was not seen, so it counts as opening");
}

#[test]
fn one_connection_of_many_that_ends_takes_no_other_with_it() {
    let mut lab = Lab::new(|config| config.filtering = FilteringBehavior::AddressDependent);
    for port in ["192.0.2.1:1", "192.0.2.1:2"] {
        for (way, flags) in [(PortId::new(1), SYN), (PortId::UPLINK, SYN_ACK), (PortId::new(1), ACK)] {
            let (from, to) = if way == PortId::UPLINK { (port, INSIDE) } else { (INSIDE, port) };
            lab.segment(way, from, to, flags);
        }
    }
    lab.segment(PortId::UPLINK, "192.0.2.1:1", INSIDE, RST);
    lab.wait(7_439);
    assert_eq!(lab.segment(PortId::UPLINK, "192.0.2.1:2", INSIDE, ACK), IN);
}

#[test]
fn no_more_connections_are_followed_than_there_is_room_for() {
    let limits = Limits { mappings_per_nat: 1, ..Limits::DEFAULT };
    let open = |config: &mut plan::Firewall| config.filtering = FilteringBehavior::EndpointIndependent;
    let mut lab = Lab::with(open, &limits);
    lab.send_tcp(SYN);
    for port in 1..100 {
        assert_eq!(lab.segment(PortId::UPLINK, &format!("192.0.2.9:{port}"), INSIDE, SYN), IN);
    }
    lab.wait(239);
    assert_eq!(lab.segment(PortId::UPLINK, "192.0.2.9:99", INSIDE, SYN), IN);
    lab.wait(1);
    assert_ne!(lab.receive_tcp(SYN_ACK), IN, "what is not followed keeps nothing alive");
}

#[test]
fn forgotten_connections_leave_their_room_to_new_ones() {
    let limits = Limits { mappings_per_nat: 1, ..Limits::DEFAULT };
    let mut lab = Lab::with(|_| (), &limits);
    for _ in 0..100 {
        lab.send_tcp(SYN);
        lab.firewall.forget();
    }
    lab.send_tcp(SYN);
    assert_eq!(lab.receive_tcp(SYN_ACK), IN);
    lab.send_tcp(ACK);
    lab.wait(7_439);
    assert_eq!(lab.receive_tcp(ACK), IN, "it is followed as an established one");
}

#[test]
fn a_group_of_the_link_is_the_inside_s_own() {
    let mut lab = Lab::new(|_| {});
    assert_eq!(lab.send(INSIDE, "224.0.0.251:5353"), Verdict::Deliver);
    let ports: Vec<PortId> = lab.out.packets.drain(..).map(|copy| copy.port).collect();
    assert_eq!(ports, [PortId::new(2)]);
    assert_eq!(lab.receive(REMOTE, "224.0.0.251:5353"), Verdict::Deliver);
    assert!(lab.out.packets.is_empty());
}

#[test]
fn lifetimes_of_connections_are_those_of_the_rules() {
    for segments in [1, 3] {
        for (idle, alive) in [(29, true), (30, false)] {
            let mut lab =
                Lab::new(|config| config.tcp = TcpLifetimes::established(SimDuration::from_secs(30)));
            for (outbound, flags) in [(true, SYN), (false, SYN_ACK), (true, ACK)].into_iter().take(segments) {
                if outbound {
                    lab.send_tcp(flags)
                } else {
                    lab.receive_tcp(flags)
                };
            }
            lab.wait(idle);
            assert_eq!(lab.receive_tcp(ACK) == IN, alive, "{segments} segments, after {idle} s");
        }
    }
}
