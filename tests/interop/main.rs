//! Programs that nobody here wrote: coturn and aioice, over real sockets on loopback.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "other people's programs live in real time")]

mod bridge;
mod driver;
mod programs;

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bridge::Bridge;
use driver::relayed_call;
use programs::{bounded, is_here, output_of, with_modules};
use punchlab::base::{NodeId, PortRange};
use punchlab::plan::{CandidateType, Credentials, IceServer, IceServerKind, StackKind, Transport};
use punchlab::wire::stun::{Builder, TransactionId, method};

#[test]
fn the_client_of_coturn_gets_everything_back_from_our_server() {
    if !is_here("turnutils_uclient", &[]) {
        return;
    }
    let server = Bridge::serve(ports(20_000));
    for transport in [&[][..], &["-t"]] {
        // Two clients talk to each other. No RTCP ports, which need a reservation, and no channels: this client takes numbers
        // above 0x4FFF, which RFC 8656 §12 has a server refuse.
        let arguments = ["-y", "-c", "-s", "-n", "5", "-m", "2", "-u", "demo", "-w", "secret"];
        let port = server.address.port().to_string();
        let mut client = bounded("turnutils_uclient");
        client.args(arguments).args(transport).args(["-p", &port, "127.0.0.1"]);

        let said = output_of(&mut client);

        assert!(said.contains("Total lost packets 0"), "{client:?}\n{said}");
        assert!(said.contains("tot_recv_msgs=10"), "{client:?}\n{said}");
    }
}

#[test]
fn agents_of_aioice_call_each_other_through_our_server() {
    if !is_here("python3", &["-c", "import aioice"]) {
        return;
    }
    let server = Bridge::serve(ports(20_100));
    for transport in ["udp", "tcp"] {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/relayed_call.py");
        let mut call = bounded("python3");
        with_modules(&mut call).args([script, &server.address.port().to_string(), transport]);

        let said = output_of(&mut call);

        assert_eq!(said, "{'relay'}\nb'to the callee'\nb'to the caller'\n", "{transport}");
    }
}

#[test]
fn our_agents_call_each_other_through_coturn() {
    if !is_here("turnserver", &["--version"]) {
        return;
    }
    let host = own_address();
    let server = Coturn::start(host);
    for kind in StackKind::ALL {
        for transport in [Transport::Udp, Transport::Tcp] {
            let sides = relayed_call(*kind, host, &server.as_ice_server(transport));

            for side in sides {
                assert_eq!(side.heard, [b"Pdata"], "{kind} over {transport}: {:?}", side.troubles);
                let kinds: Vec<_> = side.gathered.iter().map(|candidate| candidate.kind).collect();
                assert!(kinds.contains(&CandidateType::Relayed), "{kind} over {transport}: {kinds:?}");
                assert_eq!(side.troubles, [] as [String; 0], "{kind} over {transport}");
            }
        }
    }
}

/// coturn, until it is dropped.
struct Coturn {
    process: Child,
    address: SocketAddr,
}

impl Coturn {
    /// Starts it at a free port of `host`, and waits until it listens.
    fn start(host: IpAddr) -> Self {
        let free = TcpListener::bind((host, 0)).expect("a free port").local_addr().expect("an address");
        let (port, host) = (free.port().to_string(), host.to_string());
        let mut command = Command::new("turnserver");
        command.args([
            "-n",
            "--lt-cred-mech",
            "--user",
            "demo:secret",
            "--realm",
            "punchlab.test",
            "--no-tls",
        ]);
        command.args(["--no-dtls", "--no-cli", "--log-file", "/dev/null", "--pidfile", "/dev/null"]);
        command.args(["-L", &host, "-E", &host, "-p", &port, "--min-port", "20300", "--max-port", "20399"]);
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("coturn starts");
        let server = Self { process, address: free };
        server.wait_until_it_listens();
        server
    }

    /// Its log is buffered, so it is asked: over UDP until it answers, and whether it takes connections.
    fn wait_until_it_listens(&self) {
        let socket = UdpSocket::bind((self.address.ip(), 0)).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a time-out");
        let request = Builder::request(method::BINDING, TransactionId::from(7)).finish();
        let began = Instant::now();
        let is_up = || {
            socket.send_to(&request, self.address).expect("sent");
            socket.recv(&mut [0; 512]).is_ok() && TcpStream::connect(self.address).is_ok()
        };
        while !is_up() {
            assert!(began.elapsed() < Duration::from_secs(20), "coturn does not answer");
        }
    }

    fn as_ice_server(&self, transport: Transport) -> IceServer {
        IceServer {
            node: NodeId::new(1),
            address: self.address,
            kind: IceServerKind::Turn,
            transport,
            host: None,
            credentials: Some(Credentials { username: "demo".into(), password: "secret".into() }),
        }
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address of this machine. Agents take no candidates with loopback addresses, which nobody else could reach.
fn own_address() -> IpAddr {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).expect("a socket");
    // Nothing is sent: the system only looks where it would leave.
    socket.connect(("192.0.2.1", 9)).expect("a network besides loopback");
    socket.local_addr().expect("an address").ip()
}

/// A hundred ports, below those that the system gives to clients.
fn ports(first: u16) -> PortRange {
    PortRange::new(first, first + 99).expect("a range")
}
