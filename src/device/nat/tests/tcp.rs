//! RFC 5382, RFC 7857 §2.

use super::*;
use crate::plan::{Hairpinning, Protocol, TcpLifetimes, TcpPhase, Unsolicited};

const HOST: &str = "10.0.0.2:5000";
const REMOTE: &str = "192.0.2.1:443";

const SYN: TcpFlags = TcpFlags { syn: true, ack: false, fin: false, rst: false, psh: false };
const ACK: TcpFlags = TcpFlags { syn: false, ack: true, ..SYN };
const SYN_ACK: TcpFlags = TcpFlags { ack: true, ..SYN };
const FIN: TcpFlags = TcpFlags { fin: true, ..ACK };
const RST: TcpFlags = TcpFlags { rst: true, ..ACK };

fn segment(from: SocketAddr, to: SocketAddr, flags: TcpFlags) -> Packet {
    let segment = TcpSegment { sequence: 7, window: 1_024, flags, ..TcpSegment::default() };
    Packet::tcp(Flow::new(from, to), segment)
}

impl Lab {
    /// A segment from inside; the external endpoint it leaves from.
    fn send_tcp(&mut self, from: &str, to: SocketAddr, flags: TcpFlags) -> Result<SocketAddr, plan::Drop> {
        let mut packet = segment(at(from), to, flags);
        match self.handle(port_of(at(from)), &mut packet) {
            Verdict::Forward(_) => Ok(packet.flow.source),
            Verdict::Drop(drop) => Err(*drop),
            Verdict::Deliver => panic!("a NAT has nothing to take packets for"),
        }
    }

    /// A segment from outside; the internal endpoint it reaches.
    fn receive_tcp(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        flags: TcpFlags,
    ) -> Result<SocketAddr, DropReason> {
        let mut packet = segment(from, to, flags);
        match self.handle(PortId::UPLINK, &mut packet) {
            Verdict::Forward(_) => Ok(packet.flow.destination),
            Verdict::Drop(drop) => Err(drop.reason),
            Verdict::Deliver => panic!("a NAT has nothing to take packets for"),
        }
    }

    /// A connection to [`REMOTE`] that is established; its external endpoint.
    fn connected(&mut self) -> SocketAddr {
        let external = self.send_tcp(HOST, at(REMOTE), SYN).expect("a mapping");
        assert_eq!(self.receive_tcp(at(REMOTE), external, SYN_ACK), Ok(at(HOST)));
        assert_eq!(self.send_tcp(HOST, at(REMOTE), ACK), Ok(external));
        external
    }

    /// What the NAT sent by itself, once what is due has happened.
    fn sent_by_itself(&mut self) -> Vec<Packet> {
        self.nat.handle_timeout(self.now, &mut self.out);
        self.out.packets.drain(..).map(|emitted| emitted.packet).collect()
    }
}

/// A NAT that answers packets nobody asked for in this way.
fn answering(unsolicited: Unsolicited) -> NatBehavior {
    NatBehavior { unsolicited, ..port_restricted() }
}

#[test]
fn a_handshake_passes_every_kind_of_nat() {
    for mapping in MappingBehavior::ALL {
        for filtering in FilteringBehavior::ALL {
            let mut lab = Lab::new(behavior(*mapping, *filtering));
            let external = lab.connected();
            assert_eq!(lab.rows().len(), 1, "{mapping} {filtering}");
            assert_eq!(lab.receive_tcp(at(REMOTE), external, FIN), Ok(at(HOST)));
        }
    }
}

#[test]
fn mapping_and_filtering_rules_are_those_of_udp() {
    for mapping in MappingBehavior::ALL {
        for filtering in FilteringBehavior::ALL {
            let mut lab = Lab::new(behavior(*mapping, *filtering));
            let external = lab.connected();
            let other = lab.send_tcp(HOST, at("192.0.2.2:443"), SYN).expect("a mapping");
            assert_eq!(other == external, *mapping == MappingBehavior::EndpointIndependent);
            let stranger = lab.receive_tcp(at("192.0.2.9:443"), external, SYN);
            assert_eq!(stranger.is_ok(), *filtering == FilteringBehavior::EndpointIndependent);
        }
    }
}

/// Two hosts open a connection to each other at once, through a NAT each, and alice's SYN comes too early for bob's: what
/// becomes of it?
fn simultaneous_open(bobs: Unsolicited) -> Result<(), DropReason> {
    let mut alices = Lab::with(port_restricted(), &["198.51.100.1"], &Limits::DEFAULT);
    let mut bobs = Lab::with(answering(bobs), &["198.51.100.2"], &Limits::DEFAULT);
    let (alice, bob) = (at("198.51.100.1:5000"), at("198.51.100.2:5000"));
    // Each knows the other's external endpoint, from a connection to a server, say.
    alices.connected();
    bobs.connected();

    assert_eq!(alices.send_tcp(HOST, bob, SYN), Ok(alice));
    assert_eq!(bobs.receive_tcp(alice, bob, SYN), Err(DropReason::NatFiltered));
    if let Some(reset) = bobs.sent_by_itself().pop() {
        let Body::Tcp(segment) = reset.body else { panic!("no RST") };
        assert!(segment.flags.rst && segment.flags.ack && segment.acknowledgment == 8);
        assert_eq!(reset.flow, Flow::new(bob, alice));
        assert_eq!(
            alices.receive_tcp(bob, alice, segment.flags),
            Ok(at(HOST)),
            "a RST passes like any segment"
        );
        // The host gives up, and refuses bob's SYN.
        return Err(DropReason::HostPortClosed);
    }
    assert_eq!(bobs.send_tcp(HOST, alice, SYN), Ok(bob));
    alices.receive_tcp(bob, alice, SYN)?;
    alices.send_tcp(HOST, bob, SYN_ACK).expect("mapped");
    bobs.receive_tcp(alice, bob, SYN_ACK)?;
    bobs.send_tcp(HOST, alice, SYN_ACK).expect("mapped");
    alices.receive_tcp(bob, alice, SYN_ACK)?;
    for lab in [&mut alices, &mut bobs] {
        lab.wait(secs(7_439));
        assert_eq!(lab.rows().len(), 1, "the connection is established on both sides");
        lab.wait(secs(1));
        assert_eq!(lab.rows(), []);
    }
    Ok(())
}

#[test]
fn a_simultaneous_open_passes_nats_that_wait_with_their_answer() {
    assert_eq!(simultaneous_open(Unsolicited::Drop), Ok(()));
    assert_eq!(simultaneous_open(Unsolicited::Icmp), Ok(()));
}

#[test]
fn a_simultaneous_open_fails_at_a_nat_that_answers_with_a_reset() {
    assert_eq!(simultaneous_open(Unsolicited::Rst), Err(DropReason::HostPortClosed));
}

#[test]
fn an_unsolicited_syn_is_answered_after_six_seconds_and_not_before() {
    for mapped in [true, false] {
        let mut lab = Lab::new(answering(Unsolicited::Icmp));
        let external = if mapped { lab.connected() } else { at("198.51.100.1:5000") };
        assert!(lab.receive_tcp(at("192.0.2.9:9"), external, SYN).is_err());
        lab.wait(millis(5_999));
        assert_eq!(lab.sent_by_itself(), []);
        lab.wait(millis(1));
        assert!(lab.nat.next_timeout().is_some_and(|at| at <= lab.now), "the NAT wants to be woken");
        let answers = lab.sent_by_itself();
        assert_eq!(answers.len(), 1);
        let Body::Icmp(error) = &answers[0].body else { panic!("{answers:?}") };
        assert_eq!(error.kind, IcmpKind::PortUnreachable);
        assert_eq!(error.quoted, Flow::new(at("192.0.2.9:9"), external));
    }
}

#[test]
fn a_syn_of_the_same_connection_takes_the_answer_back() {
    for (pause, answers) in [(5_999, 0), (6_000, 1)] {
        let mut lab = Lab::new(answering(Unsolicited::Icmp));
        let external = lab.connected();
        assert_eq!(lab.receive_tcp(at("192.0.2.9:9"), external, SYN), Err(DropReason::NatFiltered));
        lab.send_tcp(HOST, at("192.0.2.8:8"), SYN).expect("another connection");
        lab.wait(millis(pause));
        lab.send_tcp(HOST, at("192.0.2.9:9"), SYN).expect("mapped");
        lab.wait(secs(6));
        assert_eq!(lab.sent_by_itself().len(), answers, "after {pause} ms");
    }
}

#[test]
fn a_repeated_syn_is_answered_once_and_what_is_no_syn_at_once() {
    let mut lab = Lab::new(answering(Unsolicited::Icmp));
    let external = lab.connected();
    for _ in 0..3 {
        assert!(lab.receive_tcp(at("192.0.2.9:9"), external, SYN).is_err());
        lab.wait(secs(1));
    }
    lab.wait(secs(3));
    assert_eq!(lab.sent_by_itself().len(), 1);
    lab.wait(secs(10));
    assert_eq!(lab.sent_by_itself(), []);
    assert!(lab.receive_tcp(at("192.0.2.9:9"), external, ACK).is_err());
    assert_eq!(lab.sent_by_itself().len(), 1);
}

#[test]
fn a_nat_waits_with_no_more_answers_than_its_limit() {
    let limits = Limits { mappings_per_nat: 2, ..Limits::DEFAULT };
    let mut lab = Lab::with(answering(Unsolicited::Icmp), &[OUTSIDE], &limits);
    for port in 1..=3 {
        let remote = SocketAddr::new(ip("192.0.2.9"), port);
        assert!(lab.receive_tcp(remote, at("198.51.100.1:5000"), SYN).is_err());
    }
    lab.wait(secs(6));
    assert_eq!(lab.sent_by_itself().len(), 2);
}

#[test]
fn a_syn_that_is_taken_by_the_nat_itself_takes_the_5_tuple() {
    let mut lab = Lab::new(answering(Unsolicited::Accept));
    let external = lab.connected();
    assert!(lab.receive_tcp(at("192.0.2.9:9"), external, SYN).is_err());
    lab.wait(secs(239));
    assert_ne!(lab.send_tcp(HOST, at("192.0.2.9:9"), SYN), Ok(external));
}

#[test]
fn an_established_connection_may_be_idle_for_two_hours_and_four_minutes() {
    for (idle, expected) in [(7_439, Ok(at(HOST))), (7_440, Err(DropReason::NatExpired))] {
        let mut lab = Lab::new(port_restricted());
        let external = lab.connected();
        lab.wait(secs(idle));
        assert_eq!(lab.receive_tcp(at(REMOTE), external, ACK), expected, "after {idle} s");
    }
}

#[test]
fn packets_of_both_directions_keep_a_connection_alive() {
    let mut lab = Lab::new(port_restricted());
    let external = lab.connected();
    for _ in 0..3 {
        lab.wait(secs(7_000));
        lab.receive_tcp(at(REMOTE), external, ACK).expect("alive");
    }
    lab.wait(secs(7_000));
    assert_eq!(lab.send_tcp(HOST, at(REMOTE), ACK), Ok(external));
}

#[test]
fn a_half_open_connection_is_forgotten_after_four_minutes() {
    for (idle, expected) in [(239, Ok(at(HOST))), (240, Err(DropReason::NatExpired))] {
        let mut lab = Lab::new(port_restricted());
        let external = lab.send_tcp(HOST, at(REMOTE), SYN).expect("mapped");
        lab.wait(secs(idle));
        assert_eq!(lab.receive_tcp(at(REMOTE), external, SYN_ACK), expected, "after {idle} s");
    }
}

#[test]
fn a_closed_connection_is_forgotten_after_four_minutes() {
    for (idle, alive) in [(239, true), (240, false)] {
        let mut lab = Lab::new(port_restricted());
        let external = lab.connected();
        lab.receive_tcp(at(REMOTE), external, FIN).expect("known");
        lab.send_tcp(HOST, at(REMOTE), FIN).expect("known");
        lab.wait(secs(idle));
        assert_eq!(lab.receive_tcp(at(REMOTE), external, ACK).is_ok(), alive, "after {idle} s");
    }
}

#[test]
fn a_reset_connection_is_forgotten_after_four_minutes_unless_it_goes_on() {
    for (idle, expected) in [(239, Ok(at(HOST))), (240, Err(DropReason::NatExpired))] {
        let mut lab = Lab::new(port_restricted());
        let external = lab.connected();
        assert_eq!(lab.receive_tcp(at(REMOTE), external, RST), Ok(at(HOST)), "a RST is translated");
        lab.wait(secs(idle));
        assert_eq!(lab.receive_tcp(at(REMOTE), external, ACK), expected, "after {idle} s");
        lab.wait(secs(1_000));
        assert_eq!(lab.rows().len(), usize::from(expected.is_ok()), "a forged RST ends nothing");
    }
}

#[test]
fn a_mapping_lives_as_long_as_the_last_of_its_connections() {
    let mut lab = Lab::new(port_restricted());
    let external = lab.connected();
    assert_eq!(lab.send_tcp(HOST, at("192.0.2.2:443"), SYN), Ok(external));
    lab.wait(secs(7_000));
    assert_eq!(lab.rows().len(), 1);
    lab.receive_tcp(at(REMOTE), external, RST).expect("known");
    assert_eq!(lab.rows()[0].expires, lab.now + secs(240), "now none is established");
}

#[test]
fn a_forgotten_connection_may_go_on_from_inside() {
    let mut lab = Lab::new(port_restricted());
    let external = lab.send_tcp(HOST, at(REMOTE), ACK).expect("a NAT that was rebooted knows nothing");
    assert_eq!(lab.receive_tcp(at(REMOTE), external, ACK), Ok(at(HOST)));
    assert_eq!(lab.rows()[0].expires, lab.now + secs(240));
}

#[test]
fn a_reset_from_a_stranger_changes_nothing() {
    let mut lab = Lab::new(full_cone());
    let external = lab.connected();
    let before = lab.rows();
    assert_eq!(lab.receive_tcp(at("192.0.2.9:9"), external, RST), Ok(at(HOST)));
    assert_eq!(lab.rows(), before);
}

#[test]
fn tcp_and_udp_have_mappings_and_filters_of_their_own() {
    let mut lab = Lab::new(port_restricted());
    let external = lab.connected();
    assert_eq!(lab.refused(REMOTE, external), DropReason::NatNoMapping);
    assert_eq!(lab.sent(HOST, "192.0.2.9:9"), external, "the port is free for UDP");
    assert_eq!(lab.receive_tcp(at("192.0.2.9:9"), external, SYN), Err(DropReason::NatFiltered));
}

#[test]
fn a_handshake_may_turn_round_at_the_nat() {
    let behavior = NatBehavior { hairpinning: Hairpinning::ExternalSource, ..full_cone() };
    let mut lab = Lab::new(behavior);
    let server = lab.send_tcp("10.0.0.3:80", at(REMOTE), SYN).expect("mapped");
    let client = lab.send_tcp(HOST, server, SYN).expect("hairpinned");
    assert_eq!(lab.send_tcp("10.0.0.3:80", client, SYN_ACK), Ok(server));
    assert_eq!(lab.send_tcp(HOST, server, ACK), Ok(client));
    lab.wait(secs(7_439));
    assert_eq!(lab.rows().len(), 2, "both mappings carry an established connection");
}

#[test]
fn a_row_tells_how_far_its_connection_has_come() {
    let mut lab = Lab::new(port_restricted());
    lab.sent(HOST, REMOTE);
    let external = lab.connected();
    lab.send_tcp(HOST, at(REMOTE), FIN).expect("known");
    lab.receive_tcp(at(REMOTE), external, FIN).expect("known");
    lab.receive_tcp(at(REMOTE), external, RST).expect("known");

    let phases: Vec<_> = lab.rows().iter().map(|row| (row.protocol, row.phase)).collect();
    assert_eq!(phases, [(Protocol::Udp, None), (Protocol::Tcp, Some(TcpPhase::Reset))]);
    let told = lab.out.changes.iter().filter_map(|change| match change {
        StateChange::MappingCreated(row) => row.phase,
        StateChange::MappingPhase { internal, external: outside, phase } => {
            assert_eq!((*internal, *outside), (at(HOST), external));
            Some(*phase)
        }
        _ => None,
    });
    let on_the_way = [TcpPhase::Opening, TcpPhase::Established, TcpPhase::Closing, TcpPhase::Reset];
    assert_eq!(told.collect::<Vec<_>>(), on_the_way);
}

#[test]
fn lifetimes_are_those_of_the_nat() {
    let mut behavior = port_restricted();
    behavior.lifetimes.tcp = TcpLifetimes { established: secs(350), transitory: secs(30) };
    for (open, lifetime) in [(false, 30), (true, 350)] {
        for (idle, alive) in [(lifetime - 1, true), (lifetime, false)] {
            let mut lab = Lab::new(behavior.clone());
            if open {
                lab.connected();
            } else {
                lab.send_tcp(HOST, at(REMOTE), SYN).expect("mapped");
            }
            lab.wait(secs(idle));
            assert_eq!(!lab.rows().is_empty(), alive, "after {idle} s");
        }
    }
}

#[test]
fn new_lifetimes_hold_from_a_connections_next_segment_on() {
    let mut lab = Lab::new(port_restricted());
    let external = lab.connected();
    let mut short = port_restricted();
    short.lifetimes.tcp = TcpLifetimes::established(secs(60));
    lab.nat.reconfigure(&short);
    lab.wait(secs(7_439));
    assert_eq!(lab.receive_tcp(at(REMOTE), external, ACK), Ok(at(HOST)));
    lab.wait(secs(60));
    assert_eq!(lab.receive_tcp(at(REMOTE), external, ACK), Err(DropReason::NatExpired));
}
