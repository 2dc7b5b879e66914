//! Discovery in the network this program runs in: the client of [`crate::discover`] over real sockets.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use clap::Args;
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::Format;
use crate::base::{Random, SimDuration, SimTime};
use crate::cli::Exit;
use crate::cli::console::Console;
use crate::discover::{Discovery, Findings, Measurement, Options, Patience, SocketId, Want};
use crate::report::human;
use crate::report::json::{self, Layout};
use crate::report::measurement::{profile, write};
use crate::report::text::printable;
use crate::scenario;

/// The port of STUN over UDP (RFC 8489 §8.1).
const STUN_PORT: u16 = 3478;
/// The shortest time to wait for an answer, and the longest.
const SHORTEST: SimDuration = SimDuration::from_millis(100);
const LONGEST: SimDuration = SimDuration::from_secs(60);
/// The largest datagram that is read; answers are far smaller.
const LARGEST: usize = 2_048;
/// How many datagrams wait to be looked at.
const WAITING: usize = 64;

/// How to ask in a real network.
#[derive(Debug, Args)]
pub struct RealArguments {
    /// Find out about the network this program runs in, with the help of this STUN server. Packets go to it and to the
    /// other address it names, to nobody else; one that has a second address (RFC 5780) tells most.
    #[arg(long, value_name = "HOST[:PORT]", value_parser = parse_server)]
    #[arg(conflicts_with_all = ["file", "set", "seed", "limit", "nat"])]
    server: Option<Server>,

    /// Print it as a section of a scenario: a NAT or firewall that behaves as this network does.
    #[arg(long, requires = "server", conflicts_with_all = ["file", "format"])]
    profile: bool,

    /// How long to wait for each answer, from 100ms to 60s. Where packets are lost, RFC 8489's 39.5s is better.
    #[arg(long, value_name = "TIME", default_value = "2.5s", value_parser = parse_timeout)]
    #[arg(requires = "server", conflicts_with = "file")]
    timeout: SimDuration,

    /// Ask over IPv6.
    #[arg(long, short = '6', requires = "server", conflicts_with = "file")]
    ipv6: bool,
}

/// A server as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    host: String,
    port: u16,
}

/// Asks, and prints what was found out.
pub fn execute(arguments: &RealArguments, lifetime: bool, format: Format, console: &mut Console) -> Exit {
    let Some(server) = &arguments.server else { return Exit::Rejected };
    let patience = Patience::within(arguments.timeout);
    let measurement = match measure(server, arguments.ipv6, Options { patience, lifetime }) {
        Ok(measurement) => measurement,
        Err(error) => {
            let name = printable(&server.host).into_owned();
            console.complain(&format!("error: {name}: {error}"));
            return Exit::CouldNotRun;
        }
    };
    if arguments.profile {
        console.print(&profile(&measurement));
    } else {
        match format {
            Format::Human => {
                let options = human::Options { style: console.style(), ..human::Options::default() };
                console.print(&write(&measurement, options));
            }
            Format::Json => console.print(&json::text(&measurement, Layout::Pretty)),
        }
    }
    if measurement.found.mapped.is_some() {
        return Exit::Ok;
    }
    console.complain(&format!(
        "error: {} told nothing: UDP to it is blocked, or it is no STUN server",
        measurement.address
    ));
    Exit::CouldNotRun
}

fn measure(server: &Server, ipv6: bool, options: Options) -> io::Result<Measurement> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let measurement = runtime.block_on(async {
        let address = resolve(server, ipv6).await?;
        let found = Client::new(address, options).await?.run().await?;
        Ok(Measurement::new(&server.to_string(), address, found))
    });
    // A name that is still being looked up need not be waited for.
    runtime.shutdown_background();
    measurement
}

async fn resolve(server: &Server, ipv6: bool) -> io::Result<SocketAddr> {
    let mut addresses = lookup_host((server.host.as_str(), server.port)).await?;
    addresses.find(|address| address.is_ipv6() == ipv6).ok_or_else(|| {
        let (family, help) =
            if ipv6 { ("IPv6", "leave `--ipv6` out") } else { ("IPv4", "ask with `--ipv6`") };
        io::Error::new(io::ErrorKind::NotFound, format!("it has no {family} address; {help}"))
    })
}

/// A [`Discovery`] with its sockets.
struct Client {
    discovery: Discovery,
    /// The address of this host that leads to the server.
    local: SocketAddr,
    begun: Instant,
    sockets: Vec<(SocketId, Arc<UdpSocket>)>,
    arrivals: mpsc::Receiver<Arrival>,
    arrive: mpsc::Sender<Arrival>,
    /// The first thing that went wrong in sending.
    trouble: Option<String>,
}

struct Arrival {
    socket: SocketId,
    from: SocketAddr,
    payload: Vec<u8>,
}

impl Client {
    async fn new(server: SocketAddr, options: Options) -> io::Result<Self> {
        let unspecified = match server {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        // Nothing is sent: connecting makes the system choose the way there, and with it the address.
        let way = UdpSocket::bind(unspecified).await?;
        way.connect(server).await?;
        let local = SocketAddr::new(way.local_addr()?.ip(), 0);
        let (arrive, arrivals) = mpsc::channel(WAITING);
        let random = Random::stream(unpredictable(), "client", "discovery");
        Ok(Self {
            discovery: Discovery::new(server, options, random),
            local,
            begun: Instant::now(),
            sockets: Vec::new(),
            arrivals,
            arrive,
            trouble: None,
        })
    }

    async fn run(mut self) -> io::Result<Findings> {
        self.discovery.handle_timeout(SimTime::ZERO);
        loop {
            self.fulfil().await?;
            if let Some(findings) = self.discovery.findings() {
                let mut findings = findings.clone();
                findings.notes.extend(self.trouble);
                return Ok(findings);
            }
            let due = self.discovery.next_timeout().unwrap_or(self.now());
            let due = self.begun + std::time::Duration::from(due.since(SimTime::ZERO));
            match timeout_at(due, self.arrivals.recv()).await {
                Ok(Some(Arrival { socket, from, payload })) => {
                    self.discovery.datagram(self.now(), socket, from, &payload);
                }
                Ok(None) | Err(_) => self.discovery.handle_timeout(self.now()),
            }
        }
    }

    async fn fulfil(&mut self) -> io::Result<()> {
        while let Some(want) = self.discovery.poll() {
            match want {
                Want::Open(id) => {
                    let socket = Arc::new(UdpSocket::bind(self.local).await?);
                    let address = socket.local_addr()?;
                    tokio::spawn(listen(id, Arc::clone(&socket), self.arrive.clone()));
                    self.sockets.push((id, socket));
                    self.discovery.opened(self.now(), id, address);
                }
                Want::Send { socket, to, payload } => {
                    let Some((_, socket)) = self.sockets.iter().find(|(id, _)| *id == socket) else {
                        continue;
                    };
                    // To the tests it is a packet that was lost.
                    if let Err(error) = socket.send_to(&payload, to).await {
                        self.trouble.get_or_insert(format!("a packet to {to} could not be sent: {error}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// The time that has passed since the beginning.
    fn now(&self) -> SimTime {
        SimTime::ZERO + SimDuration::from(self.begun.elapsed())
    }
}

/// Hands on what comes to a socket. Errors are those of packets sent before, which some systems report here.
async fn listen(id: SocketId, socket: Arc<UdpSocket>, arrive: mpsc::Sender<Arrival>) {
    let mut buffer = [0; LARGEST];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, from)) => {
                let payload = buffer[..length].to_vec();
                if arrive.send(Arrival { socket: id, from, payload }).await.is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(_) => return,
        }
    }
}

/// A seed that nobody knows: answers are told from forgeries by transaction ids made from it.
fn unpredictable() -> u64 {
    RandomState::new().build_hasher().finish()
}

impl std::fmt::Display for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads a time that makes sense to wait for.
fn parse_timeout(text: &str) -> Result<SimDuration, String> {
    let timeout = scenario::duration(text)?;
    if (SHORTEST..=LONGEST).contains(&timeout) {
        Ok(timeout)
    } else {
        Err(format!("write a time from {SHORTEST} to {LONGEST}"))
    }
}

/// Reads `host`, `host:port`, an address of either family, or a `stun:` URI (RFC 7064).
fn parse_server(text: &str) -> Result<Server, String> {
    const HELP: &str = "write HOST or HOST:PORT, for instance stun.example.org:3478";
    if ["turn:", "turns:", "stuns:"].iter().any(|scheme| text.starts_with(scheme)) {
        return Err(format!("discovery asks a STUN server over UDP; {HELP}"));
    }
    let text = text.strip_prefix("stun:").unwrap_or(text);
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Ok(Server { host: address.to_string(), port: STUN_PORT });
    }
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => {
            host.parse::<Ipv6Addr>().map_err(|_| format!("`{host}` is no IPv6 address; {HELP}"))?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or(HELP)?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(is_host) {
        return Err(HELP.into());
    }
    let port = match port {
        None => STUN_PORT,
        Some(port) => match port.parse() {
            Ok(port) if port != 0 => port,
            _ => return Err(format!("`{port}` is no port from 1 to 65535; {HELP}")),
        },
    };
    Ok(Server { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_name_or_an_address_with_or_without_a_port() {
        for (text, server) in [
            ("stun.example.org", "stun.example.org:3478"),
            ("stun.example.org:19302", "stun.example.org:19302"),
            ("stun:stun.example.org:19302", "stun.example.org:19302"),
            ("198.51.100.1", "198.51.100.1:3478"),
            ("2001:db8::1", "[2001:db8::1]:3478"),
            ("[2001:db8::1]", "[2001:db8::1]:3478"),
            ("[2001:db8::1]:5000", "[2001:db8::1]:5000"),
        ] {
            assert_eq!(parse_server(text).map(|server| server.to_string()), Ok(server.into()), "{text}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused_and_said_how_to_write_it() {
        for text in [
            "",
            ":3478",
            "host:",
            "host:0",
            "host:65536",
            "host:+1x",
            "a b",
            "[2001:db8::1",
            "[host]:1",
            "[::1]1",
            "turn:host",
            "a:b:c",
            "http://host",
            "host\u{1b}[2J",
        ] {
            assert!(parse_server(text).is_err_and(|why| why.contains("HOST:PORT")), "{text}");
        }
    }
}
