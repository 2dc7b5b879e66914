//! The TURN server of the simulation on real sockets. It speaks in messages; here they become datagrams and streams.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use punchlab::base::{PortRange, Random, SimDuration, SimTime};
use punchlab::device::Outbox;
use punchlab::device::turn::{ClientId, Handled, Said, TurnServer};
use punchlab::plan::{Credentials, Listen, StateChange, Transport, Turn};
use punchlab::transport::Piece;
use punchlab::transport::framing::{Framing, Messages};
use punchlab::wire::Flow;
use rustc_hash::FxHashMap;

/// A server on a UDP and a TCP port of the same number, for as long as the test runs.
pub struct Bridge {
    began: Instant,
    /// Where clients reach it.
    pub address: SocketAddr,
    udp: UdpSocket,
    state: Mutex<State>,
}

struct State {
    server: TurnServer,
    outbox: Outbox,
    /// The sockets of relayed transport addresses.
    relays: FxHashMap<SocketAddr, UdpSocket>,
    streams: FxHashMap<ClientId, TcpStream>,
}

impl Bridge {
    /// Begins to serve `demo`, whose password is `secret`, and relays from ports of `relay_ports`, which must be free.
    pub fn serve(relay_ports: PortRange) -> Arc<Self> {
        let (udp, tcp) = sockets();
        let address = udp.local_addr().expect("an address");
        let listen =
            [Transport::Udp, Transport::Tcp].map(|transport| Listen { port: address.port(), transport });
        let config = config(listen.to_vec(), relay_ports);
        let random = Random::stream(1, "turn", "server");
        let server = TurnServer::new(&config, &[address.ip()], vec![address.port()], 64, random);
        let state = State {
            server,
            outbox: Outbox::new(true),
            relays: FxHashMap::default(),
            streams: FxHashMap::default(),
        };
        let bridge = Arc::new(Self { began: Instant::now(), address, udp, state: Mutex::new(state) });
        let (datagrams, streams) = (Arc::clone(&bridge), Arc::clone(&bridge));
        thread::spawn(move || datagrams.take_datagrams());
        thread::spawn(move || streams.take_streams(&tcp));
        bridge
    }

    fn take_datagrams(self: &Arc<Self>) {
        let mut buffer = [0; 65_536];
        while let Ok((length, client)) = self.udp.recv_from(&mut buffer) {
            let client = ClientId { flow: Flow::new(client, self.address), transport: Transport::Udp };
            self.client(client, &Bytes::copy_from_slice(&buffer[..length]));
        }
    }

    fn take_streams(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((stream, client)) = listener.accept() {
            let client = ClientId { flow: Flow::new(client, self.address), transport: Transport::Tcp };
            let bridge = Arc::clone(self);
            thread::spawn(move || bridge.take_messages(stream, client));
        }
    }

    fn take_messages(self: &Arc<Self>, mut stream: TcpStream, client: ClientId) {
        let writer = stream.try_clone().expect("a second handle");
        self.state.lock().expect("no panic").streams.insert(client, writer);
        let mut messages = Messages::new(Framing::Stun);
        let mut buffer = [0; 65_536];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            messages.push(&Piece { bytes: Bytes::copy_from_slice(&buffer[..length]), ..Piece::default() });
            while let Some(message) = messages.poll().expect("STUN or ChannelData") {
                self.client(client, &message.bytes);
            }
        }
        let mut state = self.state.lock().expect("no panic");
        state.streams.remove(&client);
        let State { server, outbox, .. } = &mut *state;
        server.client_gone(&client, outbox);
        self.follow(&mut state);
    }

    fn client(self: &Arc<Self>, client: ClientId, message: &Bytes) {
        let mut state = self.state.lock().expect("no panic");
        let State { server, outbox, .. } = &mut *state;
        let handled = server.handle_client(self.now(), client, message, outbox);
        self.follow(&mut state);
        self.say(&mut state, handled);
    }

    fn peer(self: &Arc<Self>, flow: Flow, payload: &Bytes) {
        let mut state = self.state.lock().expect("no panic");
        let State { server, outbox, .. } = &mut *state;
        let handled = server.handle_peer(self.now(), flow, payload, outbox);
        self.follow(&mut state);
        self.say(&mut state, handled);
    }

    /// Opens the sockets of allocations. They stay open, for whoever is given the port next.
    fn follow(self: &Arc<Self>, state: &mut State) {
        for change in std::mem::take(&mut state.outbox.changes) {
            if let StateChange::AllocationCreated { relayed, .. } = change {
                state.relays.entry(relayed).or_insert_with(|| {
                    let socket = UdpSocket::bind(relayed).expect("a free relay port");
                    let (reader, bridge) = (socket.try_clone().expect("a second handle"), Arc::clone(self));
                    thread::spawn(move || bridge.take_from_peers(&reader, relayed));
                    socket
                });
            }
        }
    }

    fn take_from_peers(self: &Arc<Self>, relay: &UdpSocket, relayed: SocketAddr) {
        let mut buffer = [0; 65_536];
        while let Ok((length, peer)) = relay.recv_from(&mut buffer) {
            self.peer(Flow::new(peer, relayed), &Bytes::copy_from_slice(&buffer[..length]));
        }
    }

    fn say(&self, state: &mut State, handled: Handled) {
        let Ok(Some(said)) = handled else { return };
        match said {
            Said::Answer { client, bytes } | Said::ToClient { client, bytes } => match client.transport {
                Transport::Udp => {
                    self.udp.send_to(&bytes, client.flow.source).expect("sent");
                }
                Transport::Tcp | Transport::Tls => {
                    let framed = Framing::Stun.frame(&bytes).expect("a message that fits");
                    if let Some(stream) = state.streams.get_mut(&client)
                        && stream.write_all(&framed).is_err()
                    {
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                }
            },
            Said::ToPeer { flow, payload, .. } => {
                let relay = &state.relays[&flow.source];
                relay.send_to(&payload, flow.destination).expect("sent");
            }
        }
    }

    fn now(&self) -> SimTime {
        SimTime::ZERO + SimDuration::from_nanos(self.began.elapsed().as_nanos() as u64)
    }
}

/// A UDP socket and a TCP listener on one port.
fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().expect("an address")) {
            return (udp, tcp);
        }
    }
}

fn config(listen: Vec<Listen>, relay_ports: PortRange) -> Turn {
    Turn {
        listen,
        realm: "punchlab.test".into(),
        users: vec![Credentials { username: "demo".into(), password: "secret".into() }],
        relay_ports,
        quota_per_user: 32,
        allocation_lifetime: SimDuration::from_secs(600),
        max_allocation_lifetime: SimDuration::from_secs(3_600),
        permission_lifetime: SimDuration::from_secs(300),
        channel_lifetime: SimDuration::from_secs(600),
        channel_cooldown: SimDuration::from_secs(300),
        nonce_lifetime: SimDuration::from_secs(3_600),
    }
}
