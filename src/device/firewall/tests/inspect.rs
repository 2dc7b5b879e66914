//! Connections through a firewall that inspects: real ones, whose segments it lets pass or not.

use super::*;
use crate::base::Random;
use crate::transport::tcp::{Connection, ConnectionState, Reason, max_segment};
use crate::transport::tls::TlsEnd;
use crate::transport::{Note, Piece};

const WEB: &str = "192.0.2.1:443";
const MAX_SEGMENT: u16 = max_segment(1_500, true);

fn inspecting(config: &mut plan::Firewall) {
    config.inspect = Inspect::Tls;
}

fn rejecting(config: &mut plan::Firewall) {
    inspecting(config);
    config.outbound.default = Access::Deny;
    config.outbound.allow = vec![Inspect::TLS_PORT];
    config.outbound.action = DenyAction::Reject;
}

/// A client inside and a server outside, with a wire that takes no time.
struct Through {
    lab: Lab,
    remote: &'static str,
    client: Connection,
    server: Connection,
    /// What died of what was inside, and whether its sender was the client.
    died: Vec<(bool, String)>,
    read: [Vec<u8>; 2],
}

impl Through {
    fn new(change: impl FnOnce(&mut plan::Firewall), remote: &'static str) -> Self {
        let mut through = Self {
            lab: Lab::new(change),
            remote,
            client: Connection::connect(MAX_SEGMENT, 1, SimTime::ZERO),
            server: Connection::accept(MAX_SEGMENT, 2, SimTime::ZERO),
            died: Vec::new(),
            read: [Vec::new(), Vec::new()],
        };
        through.run();
        assert_eq!(through.states(), [ConnectionState::Open; 2]);
        through
    }

    fn states(&self) -> [ConnectionState; 2] {
        [self.client.state(), self.server.state()]
    }

    /// Carries segments, and lets ten seconds pass.
    fn run(&mut self) {
        let end = self.lab.now + SimDuration::from_secs(10);
        loop {
            while self.carry() {}
            let timeouts = [self.client.next_timeout(), self.server.next_timeout()];
            let Some(next) = timeouts.into_iter().flatten().min().filter(|next| *next <= end) else { break };
            self.lab.now = next;
            self.client.handle_timeout(next);
            self.server.handle_timeout(next);
        }
        self.lab.now = end;
    }

    fn carry(&mut self) -> bool {
        let now = self.lab.now;
        let mut any = false;
        while let Some(out) = self.client.poll_segment(now) {
            any = true;
            self.pass(true, out.segment);
        }
        while let Some(out) = self.server.poll_segment(now) {
            any = true;
            self.pass(false, out.segment);
        }
        for emitted in std::mem::take(&mut self.lab.out.packets) {
            assert_eq!(emitted.port, PortId::new(1), "only the client is told");
            self.arrive(false, &emitted.packet);
        }
        self.read[0].extend(std::iter::from_fn(|| self.client.read()).flat_map(|piece| piece.bytes));
        self.read[1].extend(std::iter::from_fn(|| self.server.read()).flat_map(|piece| piece.bytes));
        any
    }

    fn pass(&mut self, outbound: bool, segment: TcpSegment) {
        let flow = Flow::new(at(INSIDE), at(self.remote));
        let (port, flow) = if outbound { (PortId::new(1), flow) } else { (PortId::UPLINK, flow.reversed()) };
        let mut packet = Packet::tcp(flow, segment);
        match self.lab.handle(port, &mut packet) {
            Verdict::Forward(_) => self.arrive(outbound, &packet),
            verdict => {
                let drop = drop_of(verdict);
                assert_eq!(drop.reason, DropReason::FirewallInspect);
                self.died.push((outbound, drop.rule.to_string()));
            }
        }
    }

    fn arrive(&mut self, outbound: bool, packet: &Packet) {
        let Body::Tcp(segment) = &packet.body else { panic!("not TCP") };
        let receiver = if outbound { &mut self.server } else { &mut self.client };
        receiver.receive(self.lab.now, segment, packet.trail, packet.id);
    }

    /// The client writes and what comes of it happens.
    fn write(&mut self, bytes: &[u8]) {
        self.client.write(bytes.to_vec(), None);
        self.run();
    }

    fn reasons(&self) -> Vec<&str> {
        let mut reasons: Vec<&str> = self.died.iter().map(|(_, text)| text.as_str()).collect();
        reasons.dedup();
        reasons
    }
}

fn tls_ends() -> [TlsEnd; 2] {
    let random = |name| Random::stream(1, name, "tls");
    [TlsEnd::client("turn.example.org", random("client")), TlsEnd::server(random("server"))]
}

fn hello() -> Vec<u8> {
    let [mut client, _] = tls_ends();
    client.poll_write().expect("a hello").0.to_vec()
}

const STUN: &[u8] = &[0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

#[test]
fn a_whole_tls_session_passes() {
    let mut through = Through::new(inspecting, WEB);
    let [mut client, mut server] = tls_ends();
    client.write("hello", Some(Note::of("hello")));
    for _ in 0..4 {
        while let Some((bytes, note)) = client.poll_write() {
            through.client.write(bytes, note);
        }
        while let Some((bytes, note)) = server.poll_write() {
            through.server.write(bytes, note);
        }
        through.run();
        let [to_client, to_server] =
            std::mem::take(&mut through.read).map(|bytes| Piece { bytes: bytes.into(), ..Piece::default() });
        client.receive(&to_client).expect("TLS");
        server.receive(&to_server).expect("TLS");
    }
    assert_eq!(server.read().map(|piece| piece.bytes), Some("hello".into()));
    assert_eq!(through.reasons(), [""; 0]);
}

#[test]
fn what_begins_with_anything_but_tls_dies_for_good() {
    let text = |what| format!("443/tcp must begin with a TLS handshake; this begins with {what}");
    for (bytes, what) in [(STUN, "a STUN message"), (&b"GET / HTTP/1.1\r\n\r\n"[..], "an HTTP request")] {
        let mut through = Through::new(inspecting, WEB);
        through.write(bytes);
        assert_eq!(through.read[1], b"", "{what}");
        assert_eq!(through.reasons(), [text(what)]);
        let before = through.died.len();
        assert!(before > 2, "each repetition dies");

        through.server.write("answer", None);
        through.run();
        assert_eq!(through.read[0], b"", "nothing comes back either");
        assert!(through.died[before..].iter().any(|(outbound, _)| !outbound));
    }
}

#[test]
fn a_client_is_told_only_where_the_policy_rejects() {
    let mut silent = Through::new(inspecting, WEB);
    silent.write(STUN);
    assert_eq!(silent.states(), [ConnectionState::Open; 2]);

    let mut told = Through::new(rejecting, WEB);
    told.write(STUN);
    assert_eq!(told.states(), [ConnectionState::Closed(Reason::Reset), ConnectionState::Open]);
    assert_eq!(told.died.len(), 1, "it tries no more");
}

#[test]
fn a_beginning_in_parts_is_judged_when_there_is_enough_of_it() {
    for at in [1, 5, 6, 300] {
        let mut through = Through::new(inspecting, WEB);
        let hello = hello();
        through.write(&hello[..at]);
        through.write(&hello[at..]);
        assert_eq!(through.read[1], hello, "cut at {at}");
    }
    let mut through = Through::new(inspecting, WEB);
    through.write(&STUN[..5]);
    assert_eq!(through.read[1], &STUN[..5], "it could be anything");
    through.write(&STUN[5..]);
    assert_eq!(through.read[1].len(), 5);
    assert_eq!(through.reasons().len(), 1);
}

impl Lab {
    fn client_sends(&mut self, sequence: u32, flags: TcpFlags, payload: &[u8]) -> Verdict {
        let segment =
            TcpSegment { sequence, flags, payload: payload.to_vec().into(), ..TcpSegment::default() };
        self.handle(PortId::new(1), &mut Packet::tcp(Flow::new(at(INSIDE), at(WEB)), segment))
    }
}

#[test]
fn a_segment_out_of_order_passes_and_is_judged_with_what_was_missing() {
    let mut lab = Lab::new(inspecting);
    let syn = u32::MAX - 3;
    lab.client_sends(syn, SYN, b"");
    assert_eq!(lab.client_sends(syn.wrapping_add(5), ACK, &STUN[4..]), OUT);
    assert_eq!(lab.client_sends(syn.wrapping_add(1), ACK, &STUN[..4]), OUT, "four bytes tell nothing");
    assert_ne!(lab.client_sends(syn.wrapping_add(5), ACK, &STUN[4..]), OUT);
    assert_ne!(lab.client_sends(syn.wrapping_add(1), ACK, &STUN[..4]), OUT);
}

#[test]
fn a_repetition_that_brings_more_is_judged_with_it() {
    let mut lab = Lab::new(inspecting);
    let hello = hello();
    lab.client_sends(0, SYN, b"");
    assert_eq!(lab.client_sends(1, ACK, &hello[..4]), OUT);
    assert_eq!(lab.client_sends(0, ACK, b""), OUT, "a keepalive stands before the stream");
    assert_eq!(lab.client_sends(1, ACK, &hello[..100]), OUT);
    assert_eq!(lab.client_sends(101, ACK, STUN), OUT, "what has begun with TLS is looked into no more");
}

#[test]
fn only_connections_to_443_that_it_saw_begin_are_judged() {
    let mut elsewhere = Through::new(inspecting, "192.0.2.1:8443");
    elsewhere.write(STUN);
    assert_eq!(elsewhere.read[1], STUN);

    let mut later = Through::new(|_| (), WEB);
    let mut rules = later.lab.firewall.config.clone();
    inspecting(&mut rules);
    later.lab.firewall.set_rules(&rules);
    later.write(STUN);
    assert_eq!(later.read[1], STUN);
}

#[test]
fn a_refused_connection_goes_on_once_nothing_is_inspected_and_begins_anew_with_a_syn() {
    let mut through = Through::new(inspecting, WEB);
    let mut rules = through.lab.firewall.config.clone();
    through.write(STUN);
    rules.inspect = Inspect::Off;
    through.lab.firewall.set_rules(&rules);
    through.run();
    assert_eq!(through.read[1], STUN);

    let mut lab = Lab::new(inspecting);
    lab.client_sends(0, SYN, b"");
    assert_ne!(lab.client_sends(1, ACK, STUN), OUT);
    assert_eq!(lab.client_sends(99, SYN, b""), OUT);
    assert_eq!(lab.client_sends(100, ACK, &hello()), OUT);
}

#[test]
fn connections_are_watched_no_longer_than_they_are_remembered() {
    let limits = Limits { mappings_per_nat: 2, ..Limits::DEFAULT };
    let mut lab = Lab::with(inspecting, &limits);
    let syn =
        |lab: &mut Lab, port: u16| lab.segment(PortId::new(1), &format!("203.0.113.2:{port}"), WEB, SYN);
    assert_eq!([1, 2].map(|port| syn(&mut lab, port)), [OUT, OUT]);
    assert_ne!(syn(&mut lab, 3), OUT);
    lab.wait(240);
    assert_eq!(syn(&mut lab, 3), OUT);
    assert_eq!(lab.firewall.inspection.len(), 1);
}
