//! Discovery over real sockets, on loopback, against the server of the simulation. A NAT is played by the bridge between
//! the two: it tells the server another source, and drops answers.
#![cfg(all(feature = "discover", target_os = "linux"))]

mod common;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;

use common::program::{code, punchlab, stderr, stdout};
use punchlab::device::Outbox;
use punchlab::device::stun_server::StunServer;
use punchlab::suite::schema;
use punchlab::wire::{Flow, Packet};
use serde_json::Value;

/// What stands between client and server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    Nothing,
    /// A NAT that keeps ports and lets in answers from where was asked, as most home routers do.
    PortRestrictedCone,
}

const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// A STUN server on two ports of each address, for as long as the test runs. Returns where to ask it.
fn serve(addresses: &'static [IpAddr], between: Between) -> String {
    let sockets: Vec<UdpSocket> = addresses
        .iter()
        .flat_map(|address| (0..2).map(move |_| UdpSocket::bind((*address, 0)).expect("a socket")))
        .collect();
    let sockets = Arc::new(same_ports(addresses, sockets));
    let local = |socket: &UdpSocket| socket.local_addr().expect("an address");
    let ports = [local(&sockets[0]).port(), local(&sockets[1]).port()];
    let server = Arc::new(StunServer::new(&ports, addresses));
    let primary = local(&sockets[0]);
    for index in 0..sockets.len() {
        let (sockets, server) = (Arc::clone(&sockets), Arc::clone(&server));
        thread::spawn(move || answer_for_ever(&sockets, index, &server, between));
    }
    primary.to_string()
}

/// The first address's ports on all of them.
fn same_ports(addresses: &[IpAddr], mut sockets: Vec<UdpSocket>) -> Vec<UdpSocket> {
    sockets.truncate(2);
    let ports: Vec<u16> =
        sockets.iter().map(|socket| socket.local_addr().expect("an address").port()).collect();
    for address in &addresses[1..] {
        sockets.extend(ports.iter().map(|port| UdpSocket::bind((*address, *port)).expect("a socket")));
    }
    sockets
}

fn answer_for_ever(sockets: &[UdpSocket], index: usize, server: &StunServer, between: Between) {
    let mut buffer = [0; 2_048];
    let here = sockets[index].local_addr().expect("an address");
    while let Ok((length, client)) = sockets[index].recv_from(&mut buffer) {
        let seen = match between {
            Between::Nothing => client,
            Between::PortRestrictedCone => SocketAddr::new(OUTSIDE, client.port()),
        };
        let request = Packet::udp(Flow::new(seen, here), buffer[..length].to_vec());
        let mut out = Outbox::default();
        server.handle(&request, request.body.payload(), &mut out);
        for answer in out.packets.into_iter().map(|emitted| emitted.packet) {
            let origin = answer.flow.source;
            if between == Between::PortRestrictedCone && origin != here {
                continue;
            }
            let socket = sockets.iter().find(|socket| socket.local_addr().is_ok_and(|local| local == origin));
            let to = SocketAddr::new(client.ip(), answer.flow.destination.port());
            let _ = socket.expect("a socket of the server").send_to(answer.body.payload(), to);
        }
    }
}

const ONE: &[IpAddr] = &[IpAddr::V4(Ipv4Addr::LOCALHOST)];
const TWO: &[IpAddr] = &[IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))];

fn measured(arguments: &[&str]) -> Value {
    let output = punchlab(&[&["discover", "--timeout", "300ms", "--format", "json"], arguments].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let json = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert!(jsonschema::is_valid(&schema::of_measurement(), &json), "{json:#}");
    json
}

#[test]
fn with_two_addresses_and_nothing_between_there_is_no_nat_and_no_filter() {
    let json = measured(&["--server", &serve(TWO, Between::Nothing)]);
    assert_eq!(json["found"]["translated"], false);
    assert_eq!(json["found"]["fresh"]["filtering"], "endpoint-independent");
    assert_eq!(json["found"]["classic"], "open-internet");
    assert_eq!(json["found"]["local"], json["found"]["mapped"]);
}

#[test]
fn with_one_address_only_the_external_endpoint_is_known() {
    let json = measured(&["--server", &serve(ONE, Between::PortRestrictedCone)]);
    assert_eq!(json["found"]["translated"], true);
    assert_eq!(json["found"]["fresh"]["mapping"], Value::Null);
    assert!(json["found"]["notes"][0].as_str().expect("a note").starts_with("the server has one address"));
}

/// The profile of a measured network, as a scenario, is found to be what was measured.
#[test]
fn a_measured_nat_is_a_scenario() {
    let server = serve(TWO, Between::PortRestrictedCone);
    let output = punchlab(&["discover", "--server", &server, "--timeout", "300ms", "--profile"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let profile = stdout(&output);
    assert!(profile.contains("mapping: endpoint-independent\n"), "{profile}");
    assert!(profile.contains("filtering: address-and-port-dependent\n"), "{profile}");
    assert!(profile.contains("port-assignment: preservation\n"), "{profile}");
    let folder = common::program::Scratch::new("measured");
    let file = folder.path("measured.nat.yaml");
    let rest = "peers: { alice: { behind: measured }, bob: {} }\ncalls: [alice -> bob]\n";
    std::fs::write(&file, format!("{profile}{rest}")).expect("a file");
    let found = punchlab(&["discover", &file]);
    assert!(
        stdout(&found).contains("measured  EIM-APDF    EIM-APDF"),
        "{}{}",
        stdout(&found),
        stderr(&found)
    );
}

#[test]
fn a_server_that_does_not_answer_is_an_error_with_what_was_found() {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let address = silent.local_addr().expect("an address").to_string();
    let output = punchlab(&["discover", "--server", &address, "--timeout", "100ms"]);
    assert_eq!(code(&output), 3);
    assert!(stdout(&output).contains("udp-blocked"), "{}", stdout(&output));
    assert!(stderr(&output).contains("it is no STUN server"), "{}", stderr(&output));
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    const FILE: &str = "scenarios/same-lan.nat.yaml";
    for arguments in [
        &["discover"][..],
        &["discover", FILE, "--server", "127.0.0.1"],
        &["discover", "--server", "127.0.0.1", "--nat", "home"],
        &["discover", "--server", "127.0.0.1", "--set", "nats.home=full-cone"],
        &["discover", "--server", "127.0.0.1", "--seed", "2"],
        &["discover", "--server", "127.0.0.1", "--profile", "--format", "json"],
        &["discover", "--server", "127.0.0.1:0"],
        &["discover", "--server", "turn:127.0.0.1"],
        &["discover", FILE, "--profile"],
        &["discover", FILE, "--timeout", "1s"],
        &["discover", "--server", "127.0.0.1", "--timeout", "1"],
        &["discover", "--server", "127.0.0.1", "--timeout", "99ms"],
        &["discover", "--server", "127.0.0.1", "--timeout", "61s"],
        &["discover", FILE, "--ipv6"],
    ] {
        assert_eq!(code(&punchlab(arguments)), 2, "{arguments:?}");
    }
    let output = punchlab(&["discover", "--server", "127.0.0.1", "--ipv6"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("it has no IPv6 address; leave `--ipv6` out"), "{}", stderr(&output));
}
