//! TCP and the model of TLS are read by the real Wireshark, if it is here.

mod common;

use common::tshark::{tshark, tshark_is_here};
use punchlab::base::{Random, SimDuration, SimTime};
use punchlab::transport::tcp::{Event, Sockets};
use punchlab::transport::tls::TlsEnd;
use punchlab::wire::pcapng::{Captured, Direction, Writer};
use punchlab::wire::{Flow, Packet};

#[test]
fn tshark_reads_a_handshake_and_finds_no_segment_out_of_place() {
    if !tshark_is_here() {
        return;
    }
    let capture = capture_of_a_connection();

    let text =
        tshark(capture.clone(), &["-V", "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]);
    assert!(text.contains("[Checksum Status: Good]"), "{text}");
    let complaints = ["[Malformed", "Checksum Status: Bad", "[Expert Info (Error", "Ignored Unknown Record"];
    assert_eq!(complaints.map(|complaint| text.contains(complaint)), [false; 4], "{text}");
    let name = fields(&capture, "tls.handshake.type == 1", "tls.handshake.extensions_server_name");
    assert_eq!(name, "turn.example.org");
    let version = fields(&capture, "tls.handshake.type == 2", "tls.handshake.extensions.supported_version");
    assert_eq!(version, "0x0304");
    assert_eq!(fields(&capture, "tcp.analysis.flags", "frame.number"), "");
}

/// A client that says one thing, and a server that answers and closes, both over TLS.
fn capture_of_a_connection() -> Vec<u8> {
    let flow = Flow::new(
        "10.0.1.2:50000".parse().expect("an address"),
        "192.0.2.3:443".parse().expect("an address"),
    );
    let random = |name, purpose| Random::stream(1, name, purpose);
    let mut client = Host::new(
        Sockets::new(random("client", "tcp"), 1_500, 8),
        TlsEnd::client("turn.example.org", random("c", "tls")),
    );
    let mut server =
        Host::new(Sockets::new(random("server", "tcp"), 1_500, 8), TlsEnd::server(random("s", "tls")));
    server.sockets.listen(flow.destination);
    client.sockets.connect(SimTime::ZERO, flow).expect("room");
    client.tls.write("a message", None);

    let mut now = SimTime::ZERO;
    let mut sent = Vec::new();
    loop {
        let (from_client, from_server) = (client.act(now, "thanks"), server.act(now, "an answer"));
        let is_quiet = from_client.is_empty() && from_server.is_empty();
        sent.extend(from_client.iter().chain(&from_server).map(|packet| (now, packet.to_bytes())));
        now += SimDuration::from_millis(10);
        if is_quiet {
            let next = [&client, &server].into_iter().filter_map(|host| host.sockets.next_timeout()).min();
            let Some(next) = next else { break };
            now = now.max(next);
        }
        for (host, packets) in [(&mut server, from_client), (&mut client, from_server)] {
            for packet in packets {
                host.sockets.receive(now, &packet);
            }
            host.sockets.handle_timeout(now);
        }
    }
    written(&sent)
}

struct Host {
    sockets: Sockets,
    tls: TlsEnd,
}

impl Host {
    fn new(sockets: Sockets, tls: TlsEnd) -> Self {
        Self { sockets, tls }
    }

    /// Does what is to be done, answers what comes with `answer` and closes. Gives what is to be sent.
    fn act(&mut self, now: SimTime, answer: &'static str) -> Vec<Packet> {
        let mut packets = Vec::new();
        while let Some(event) = self.sockets.poll(now) {
            let id = match event {
                Event::Send(packet, _) => {
                    packets.push(packet);
                    continue;
                }
                Event::Closed(..) => continue,
                Event::Opened(id) | Event::Ended(id) => id,
                Event::Data(id, piece) => {
                    self.tls.receive(&piece).expect("TLS");
                    id
                }
            };
            let is_asked = self.tls.read().is_some();
            if is_asked {
                self.tls.write(answer, None);
                self.tls.close();
            }
            while let Some((bytes, note)) = self.tls.poll_write() {
                self.sockets.write(id, bytes, note);
            }
            if is_asked {
                self.sockets.close(id);
            }
        }
        packets
    }
}

fn written(sent: &[(SimTime, Vec<u8>)]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), "punchlab", "").expect("memory");
    let interface = writer.interface("wire", "").expect("memory");
    for (at, bytes) in sent {
        let at_ns = at.as_nanos();
        let packet = Captured { interface, at_ns, direction: Direction::Outbound, bytes, comment: None };
        writer.packet(&packet).expect("memory");
    }
    writer.finish().expect("memory")
}

fn fields(capture: &[u8], filter: &str, field: &str) -> String {
    tshark(capture.to_vec(), &["-Y", filter, "-T", "fields", "-e", field]).trim().to_owned()
}
