//! Clients that speak TCP: what a connection carries, what it holds, and what ends with it.

use super::*;
use crate::plan::StateChange;
use crate::transport::Piece;
use crate::transport::framing::Framing;
use crate::transport::streams::{Build, End, News, StreamEvent, Streams};
use crate::transport::tcp::{ConnectionId, Reason};
use crate::wire::stun::{MAX_DATAGRAM, channel_data, parse_channel_data};

const TURN: &str = "192.0.2.4:3478";
const PEER: &str = "198.51.100.1:41001";
const CHANNEL: u16 = 0x4000;

/// A server that speaks UDP and TCP on port 3478.
fn server_with(limits: &Limits, is_turn: bool) -> Server {
    let listen = vec![Listen::udp(3478), Listen { port: 3478, transport: Transport::Tcp }];
    let mut config = config(&[], if is_turn { &[3478] } else { &[] });
    match &mut config.turn {
        Some(turn) => turn.listen = listen,
        None => config.stun = listen,
    }
    Server::new(&config, &[address(TURN).ip()], limits, 1_500, Random::stream(1, "turn", "server"))
}

/// A server and its clients, with wires that take no time.
struct Rig {
    server: Server,
    clients: Vec<Client>,
    /// Datagrams that the server sent.
    datagrams: Vec<Packet>,
    changes: Vec<StateChange>,
    now: SimTime,
    packets: u64,
}

struct Client {
    streams: Streams,
    id: ConnectionId,
    at: SocketAddr,
    news: Vec<News>,
    /// What became of its segments at the server.
    verdicts: Vec<Verdict>,
}

impl Rig {
    fn new(server: Server) -> Self {
        let (clients, datagrams, changes) = (Vec::new(), Vec::new(), Vec::new());
        Self { server, clients, datagrams, changes, now: SimTime::ZERO, packets: 0 }
    }

    /// With one more connection, from this address.
    fn connected(mut self, from: &str) -> Self {
        let flow = Flow::new(address(from), address(TURN));
        let mut streams = Streams::new(Random::stream(1, from, "tcp"), 1_500, 10);
        let build = Build { framing: Framing::Stun, tls: None };
        let id = streams.connect(self.now, flow, &build).expect("room");
        let (news, verdicts) = (Vec::new(), Vec::new());
        self.clients.push(Client { streams, id, at: flow.source, news, verdicts });
        self.run();
        self
    }

    fn handle(&mut self, mut packet: Packet) -> Verdict {
        packet.id = PacketId::new(self.packets);
        self.packets += 1;
        let mut out = Outbox::new(true);
        let verdict = self.server.handle(self.now, PortId::UPLINK, &mut packet, &mut out);
        self.take(out);
        verdict
    }

    fn take(&mut self, out: Outbox) {
        self.changes.extend(out.changes);
        for emitted in out.packets {
            let to = emitted.packet.flow.destination;
            match self.clients.iter_mut().find(|client| client.at == to) {
                Some(client) if emitted.packet.protocol() == Protocol::Tcp => {
                    client.streams.receive(self.now, &emitted.packet);
                }
                _ => self.datagrams.push(emitted.packet),
            }
        }
    }

    /// Carries segments until there are none, and lets 999 ms pass.
    fn run(&mut self) {
        let end = self.now + SimDuration::from_millis(999);
        loop {
            while self.carry() {}
            let clients = self.clients.iter().filter_map(|client| client.streams.next_timeout());
            let next = clients.chain(self.server.next_timeout()).min().filter(|next| *next <= end);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            self.clients.iter_mut().for_each(|client| client.streams.handle_timeout(next));
            let mut out = Outbox::new(true);
            self.server.handle_timeout(next, &mut out);
            self.take(out);
        }
        self.now = end;
    }

    fn carry(&mut self) -> bool {
        let mut any = false;
        for client in 0..self.clients.len() {
            while let Some(event) = self.clients[client].streams.poll(self.now) {
                any = true;
                match event {
                    StreamEvent::Send(packet, _) => {
                        let verdict = self.handle(packet);
                        self.clients[client].verdicts.push(verdict);
                    }
                    StreamEvent::News(_, _, news) => self.clients[client].news.push(news),
                }
            }
        }
        any
    }

    fn write(&mut self, client: usize, message: Vec<u8>) {
        let Client { streams, id, .. } = &mut self.clients[client];
        streams.write(*id, Note::of(message)).expect("short enough");
    }

    /// Messages that came to a client since it was last asked.
    fn read(&mut self, client: usize) -> Vec<Piece> {
        let news = std::mem::take(&mut self.clients[client].news).into_iter();
        let messages = news.filter_map(|news| match news {
            News::Message(piece) => Some(piece),
            _ => None,
        });
        messages.collect()
    }

    /// The answer to a request of `demo`.
    fn request(&mut self, client: usize, request: impl Fn() -> Builder) -> Vec<u8> {
        let ask = |rig: &mut Self, message| {
            rig.write(client, message);
            rig.run();
            rig.read(client).remove(0).bytes.to_vec()
        };
        let challenge = ask(self, request().finish());
        let nonce =
            Message::parse(&challenge).expect("a message").nonce().expect("well-formed").expect("one");
        let key = Key::long_term("demo", "example.org", "secret");
        let signed = request().username("demo").realm("example.org").nonce(nonce);
        ask(self, signed.finish_with(Some(&key), false))
    }

    /// Makes an allocation and gives its relayed transport address.
    fn allocate(&mut self, client: usize) -> SocketAddr {
        relayed(&self.request(client, allocate))
    }

    fn bind(&mut self, client: usize, peer: SocketAddr) {
        let bind = || {
            let request = Builder::request(method::CHANNEL_BIND, 8_u128.into());
            request.channel_number(CHANNEL).xor_peer_address(peer)
        };
        let answer = self.request(client, bind);
        assert_eq!(Message::parse(&answer).expect("a message").class(), Class::Success);
    }

    fn send(&mut self, client: usize, data: &[u8]) {
        self.write(client, channel_data(CHANNEL, data).expect("short enough"));
    }
}

fn allocate() -> Builder {
    Builder::request(method::ALLOCATE, 7_u128.into()).requested_transport(TRANSPORT_UDP)
}

fn relayed(answer: &[u8]) -> SocketAddr {
    let message = Message::parse(answer).expect("a message");
    message.relayed_address().expect("well-formed").expect("an address")
}

fn turn() -> Rig {
    Rig::new(server_with(&Limits::DEFAULT, true))
}

#[test]
fn a_stun_server_answers_bindings_over_tcp_and_nothing_else() {
    let mut rig = Rig::new(server_with(&Limits::DEFAULT, false)).connected(CLIENT);
    rig.write(0, allocate().finish());
    rig.write(0, binding().finish());
    rig.run();
    let [answer] = &rig.read(0)[..] else { panic!("not one answer") };
    let message = Message::parse(&answer.bytes).expect("a message");
    assert_eq!(message.mapped_address(), Ok(Some(address(CLIENT))));
}

#[test]
fn what_is_no_message_ends_the_connection() {
    let mut rig = Rig::new(server_with(&Limits::DEFAULT, false)).connected(CLIENT);
    rig.write(0, b"POST / HTTP/1.1".to_vec());
    rig.run();
    assert_eq!(rig.clients[0].news, [News::Opened, News::Closed(End::Connection(Reason::Finished))]);
}

/// RFC 8656 §3.2: the 5-tuple has the protocol in it.
#[test]
fn equal_ports_on_udp_and_tcp_are_two_clients() {
    let mut rig = turn().connected(CLIENT);
    let over_tcp = rig.allocate(0);
    let over_udp = relayed(&request(&mut rig.server, |bytes| bytes, <[u8]>::to_vec, allocate));

    assert_ne!(over_tcp, over_udp);
    let id = rig.clients[0].id;
    rig.clients[0].streams.close(id);
    rig.run();
    let gone = |relayed| rig.changes.contains(&StateChange::AllocationGone { relayed });
    assert!(gone(over_tcp) && !gone(over_udp), "one ends with its connection");
}

#[test]
fn data_is_relayed_between_streams_and_datagrams_with_its_trail() {
    let mut rig = turn().connected(CLIENT);
    let relayed = rig.allocate(0);
    rig.bind(0, address(PEER));
    rig.send(0, b"out");
    rig.run();

    let [out] = &rig.datagrams[..] else { panic!("{:?}", rig.datagrams) };
    assert_eq!((out.flow, out.body.payload()), (Flow::new(relayed, address(PEER)), &b"out"[..]));
    assert_eq!(out.trail, Trail { relayed: Some(Transport::Tcp), ..Trail::default() });

    let mut back = Packet::udp(out.flow.reversed(), &b"back"[..]);
    back.trail = Trail { source_rewrites: 2, ..Trail::default() };
    assert_eq!(rig.handle(back), Verdict::Deliver);
    rig.run();
    let [piece] = &rig.read(0)[..] else { panic!("not one message") };
    assert_eq!(parse_channel_data(&piece.bytes), Some((CHANNEL, &b"back"[..])));
    let trail = Trail { source_rewrites: 2, relayed: Some(Transport::Tcp), ..Trail::default() };
    assert_eq!(piece.trail, trail);
}

#[test]
fn a_message_that_dies_is_the_death_of_the_segment_that_brought_it() {
    let mut rig = turn().connected(CLIENT);
    rig.allocate(0);
    rig.clients[0].verdicts.clear();
    rig.send(0, b"no channel");
    rig.write(0, binding().finish());
    rig.run();
    let reasons: Vec<_> = rig.clients[0].verdicts.iter().filter_map(reason).collect();
    assert_eq!(reasons, [DropReason::TurnNoChannel]);
    assert_eq!(rig.read(0).len(), 1, "what came after it is answered");
}

#[test]
fn two_clients_of_one_server_relay_to_each_other() {
    let mut rig = turn().connected(CLIENT).connected("203.0.113.2:40002");
    let relayed = [rig.allocate(0), rig.allocate(1)];
    rig.bind(0, relayed[1]);
    rig.bind(1, relayed[0]);
    rig.send(0, b"hello");
    rig.run();
    let [piece] = &rig.read(1)[..] else { panic!("not one message") };
    assert_eq!(parse_channel_data(&piece.bytes), Some((CHANNEL, &b"hello"[..])));
    assert_eq!(piece.trail.relayed, Some(Transport::Tcp));
    assert_eq!(rig.datagrams, [], "nothing left the server");
}

#[test]
fn a_stream_takes_from_a_peer_what_would_fill_a_datagram() {
    let mut rig = turn().connected(CLIENT);
    let relayed = rig.allocate(0);
    rig.bind(0, address(PEER));
    let full = vec![80; MAX_DATAGRAM];
    let packet = Packet::udp(Flow::new(address(PEER), relayed), full.clone());
    assert_eq!(rig.handle(packet), Verdict::Deliver);
    rig.run();
    let [piece] = &rig.read(0)[..] else { panic!("not one message") };
    assert_eq!(parse_channel_data(&piece.bytes), Some((CHANNEL, &full[..])));
}

/// 64 KiB in the server's send buffer, and as much that waits for room in it.
#[test]
fn what_a_slow_client_does_not_read_dies() {
    let mut rig = turn().connected(CLIENT);
    let relayed = rig.allocate(0);
    rig.bind(0, address(PEER));
    // From now on nothing reaches the client.
    rig.clients[0].at.set_port(1);
    let packet = || Packet::udp(Flow::new(address(PEER), relayed), vec![80; 1_000]);
    let mut verdicts: Vec<_> = (0..200).map(|_| rig.handle(packet())).collect();

    let first = verdicts.iter().position(|verdict| *verdict != Verdict::Deliver).expect("a death");
    assert_eq!(first, 2 * 65_536 / 1_004 + 1);
    assert!(verdicts[first..].iter().all(|verdict| reason(verdict) == Some(DropReason::QueueFull)));
    let Verdict::Drop(drop) = verdicts.remove(first) else { panic!("not dropped") };
    let rule = drop.rule.to_string();
    assert!(rule.ends_with("wait for 203.0.113.1:40001 already, which reads too slowly"), "{rule}");
}

#[test]
fn a_server_has_no_more_connections_than_it_may() {
    let limits = Limits { tcp_connections: 1, ..Limits::DEFAULT };
    let rig = Rig::new(server_with(&limits, true)).connected(CLIENT).connected("203.0.113.2:40002");
    assert_eq!(rig.clients[1].news, [News::Closed(End::Connection(Reason::Refused))]);
    let Some(Verdict::Drop(drop)) = rig.clients[1].verdicts.last() else { panic!("not dropped") };
    assert_eq!(drop.reason, DropReason::HostPortClosed);
    assert_eq!(drop.rule.to_string(), "192.0.2.4 has as many TCP connections as it may have");
}

#[test]
fn a_connection_without_use_keeps_no_timer() {
    let mut rig = Rig::new(server_with(&Limits::DEFAULT, false)).connected(CLIENT);
    rig.run();
    assert_eq!(rig.server.next_timeout(), None);
}
