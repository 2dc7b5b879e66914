//! Messages between two hosts, whatever stands on TCP.

use super::*;
use crate::base::{PacketId, SimDuration};
use crate::wire::stun::{Builder, channel_data, method};
use crate::wire::{Body, Carried, Trail};

const PLAIN: Build = Build { framing: Framing::Stun, tls: None };

fn outwards() -> Flow {
    Flow::new(([10, 0, 1, 2], 50_000).into(), ([192, 0, 2, 4], 443).into())
}

fn tls() -> Build {
    Build { framing: Framing::Stun, tls: Some(Tls::Client("turn.example.org".to_owned())) }
}

fn message(number: u128) -> Vec<u8> {
    Builder::request(method::BINDING, number.into()).finish()
}

/// A client, a server, and a wire on which every packet takes 10 ms.
struct Hosts {
    hosts: [Streams; 2],
    news: [Vec<News>; 2],
    /// What reached which host, on its way.
    sent: Vec<(usize, Packet)>,
    now: SimTime,
    packets: u64,
}

impl Hosts {
    fn new(server: Option<Build>) -> Self {
        let host = |name| Streams::new(Random::stream(1, name, "tcp"), 1_500, 10);
        let mut hosts = [host("client"), host("server")];
        if let Some(build) = server {
            hosts[1].listen(outwards().destination, build);
        }
        Self { hosts, news: Default::default(), sent: Vec::new(), now: SimTime::ZERO, packets: 0 }
    }

    fn connect(&mut self, build: &Build) -> ConnectionId {
        self.hosts[0].connect(self.now, outwards(), build).expect("room")
    }

    fn opened(client: &Build, server: Build) -> (Self, ConnectionId, ConnectionId) {
        let mut hosts = Self::new(Some(server));
        let id = hosts.connect(client);
        hosts.run();
        assert_eq!(std::mem::take(&mut hosts.news), [vec![News::Opened], vec![News::Opened]]);
        let theirs = hosts.hosts[1].find(outwards().reversed()).expect("a stream");
        (hosts, id, theirs)
    }

    /// Lets everything happen that takes less than a second.
    fn run(&mut self) {
        let end = self.now + SimDuration::from_millis(999);
        loop {
            for host in [0, 1] {
                while let Some(event) = self.hosts[host].poll(self.now) {
                    match event {
                        StreamEvent::Send(mut packet, _) => {
                            packet.id = PacketId::new(self.packets);
                            self.packets += 1;
                            self.sent.push((1 - host, packet));
                        }
                        StreamEvent::News(_, _, news) => self.news[host].push(news),
                    }
                }
            }
            let arriving = std::mem::take(&mut self.sent);
            if arriving.is_empty() {
                let next = self.hosts.iter().filter_map(Streams::next_timeout).min();
                let Some(next) = next.filter(|next| *next <= end) else { break };
                self.now = self.now.max(next);
                self.hosts.iter_mut().for_each(|host| host.handle_timeout(next));
                continue;
            }
            self.now += SimDuration::from_millis(10);
            for (to, packet) in arriving {
                self.hosts[to].receive(self.now, &packet);
            }
        }
        self.now = end;
    }

    fn messages(&mut self, host: usize) -> Vec<Vec<u8>> {
        let read = std::mem::take(&mut self.news[host]).into_iter().map(|news| match news {
            News::Message(piece) => piece.bytes.to_vec(),
            other => panic!("{other:?}"),
        });
        read.collect()
    }
}

fn builds() -> [(Build, Build); 2] {
    [(PLAIN, PLAIN), (tls(), Build { tls: Some(Tls::Server), ..PLAIN })]
}

#[test]
fn messages_go_both_ways_whole_and_in_order() {
    for (client, server) in builds() {
        let (mut hosts, ours, theirs) = Hosts::opened(&client, server);
        let there = [message(1), channel_data(0x4001, b"5byte").expect("short"), message(2)];
        let back: Vec<_> = (10..400).map(message).collect();

        there.iter().for_each(|message| hosts.hosts[0].write(ours, Note::of(message.clone())).expect("fits"));
        back.iter()
            .for_each(|message| hosts.hosts[1].write(theirs, Note::of(message.clone())).expect("fits"));
        hosts.run();

        assert_eq!(hosts.messages(1), there);
        assert_eq!(hosts.messages(0), back);
    }
}

#[test]
fn what_is_written_before_a_stream_is_open_waits_for_it() {
    for (client, server) in builds() {
        let mut hosts = Hosts::new(Some(server));
        let id = hosts.connect(&client);
        hosts.hosts[0].write(id, Note::of(message(1))).expect("fits");
        hosts.run();
        let [News::Opened, News::Message(piece)] = &hosts.news[1][..] else { panic!("{:?}", hosts.news) };
        assert_eq!(piece.bytes, message(1));
    }
}

/// Inside TLS too, where a capture would not see it.
#[test]
fn a_segment_says_which_message_ends_in_it_and_the_reader_how_it_travelled() {
    for (client, server) in builds() {
        let (mut hosts, ours, _) = Hosts::opened(&client, server);
        let trail = Trail { source_rewrites: 2, ..Trail::default() };
        let cause = Some(PacketId::new(77));
        hosts.hosts[0].write(ours, Note { message: message(1).into(), trail, cause }).expect("fits");

        let Some(StreamEvent::Send(packet, sent_because)) = hosts.hosts[0].poll(hosts.now) else {
            panic!("nothing sent")
        };
        let Body::Tcp(segment) = &packet.body else { panic!("not TCP") };
        let [Carried { message: carried, .. }] = &segment.carried[..] else {
            panic!("{:?}", segment.carried)
        };
        assert_eq!((&carried[..], sent_because), (&message(1)[..], cause));
        let packet = Packet { trail: Trail { source_rewrites: 1, ..Trail::default() }, ..packet };
        hosts.hosts[1].receive(hosts.now, &packet);
        hosts.run();

        let [News::Message(piece)] = &hosts.news[1][..] else { panic!("{:?}", hosts.news) };
        assert_eq!(piece.trail.source_rewrites, 3);
    }
}

#[test]
fn closing_sends_what_was_written_and_tells_the_other_side_alone() {
    for (client, server) in builds() {
        let (mut hosts, ours, _) = Hosts::opened(&client, server);
        hosts.hosts[0].write(ours, Note::of(message(1))).expect("fits");
        hosts.hosts[0].close(ours);
        hosts.run();

        let [News::Message(_), News::Closed(end)] = &hosts.news[1][..] else { panic!("{:?}", hosts.news) };
        assert_eq!((*end, hosts.news[0].len()), (End::Connection(Reason::Finished), 0));
        assert_eq!(hosts.hosts[1].find(outwards().reversed()), None);
        hosts.now += SimDuration::from_secs(10);
        hosts.hosts[0].handle_timeout(hosts.now);
        hosts.run();
        assert_eq!(hosts.hosts.each_ref().map(Streams::next_timeout), [None; 2], "nothing is left");
    }
}

#[test]
fn closing_an_opening_stream_ends_it_at_once() {
    let mut hosts = Hosts::new(None);
    let id = hosts.connect(&tls());
    assert!(matches!(hosts.hosts[0].poll(hosts.now), Some(StreamEvent::Send(..))));
    hosts.hosts[0].close(id);
    assert_eq!((hosts.hosts[0].poll(hosts.now), hosts.hosts[0].next_timeout()), (None, None));
}

#[test]
fn a_port_that_is_closed_refuses() {
    for (client, _) in builds() {
        let mut hosts = Hosts::new(None);
        hosts.connect(&client);
        hosts.run();
        assert_eq!(hosts.news[0], [News::Closed(End::Connection(Reason::Refused))]);
    }
}

#[test]
fn tls_and_what_is_none_do_not_understand_each_other() {
    let [(plain, plain_server), (tls, tls_server)] = builds();
    for (client, server, why) in [(tls, plain_server, End::NotTls), (plain, tls_server, End::Malformed)] {
        let mut hosts = Hosts::new(Some(server));
        let id = hosts.connect(&client);
        hosts.hosts[0].write(id, Note::of(message(1))).expect("fits");
        hosts.run();
        let [client, server] = &hosts.news;
        assert_eq!(client.last(), Some(&News::Closed(why)));
        assert!(matches!(server.last(), Some(News::Closed(End::NotTls | End::Malformed))), "{server:?}");
        assert!(!client.iter().chain(server).any(|news| matches!(news, News::Message(_))));
    }
}

#[test]
fn a_message_that_is_too_long_for_its_framing_is_refused() {
    let (mut hosts, ours, _) = Hosts::opened(
        &Build { framing: Framing::Length, ..PLAIN },
        Build { framing: Framing::Length, ..PLAIN },
    );
    assert_eq!(hosts.hosts[0].write(ours, Note::of(vec![80; 65_536])), Err(TooLong(65_536)));
    hosts.hosts[0].write(ours, Note::of(vec![80; 65_535])).expect("fits");
    hosts.run();
    assert_eq!(hosts.messages(1), [vec![80; 65_535]]);
}

/// A stream through a proxy, which here is the listening host itself: what it answers is written by hand.
fn through(target: Target, client: &Build) -> (Sockets, Streams, ConnectionId) {
    let mut proxy = Sockets::new(Random::stream(1, "proxy", "tcp"), 1_500, 10);
    proxy.listen(outwards().destination);
    let mut host = Streams::new(Random::stream(1, "client", "tcp"), 1_500, 10);
    let id = host.connect_through(SimTime::ZERO, outwards(), target, client).expect("room");
    host.write(id, Note::of(message(1))).expect("fits");
    (proxy, host, id)
}

/// Carries segments until none is left: what the proxy read, and what the client heard.
fn carry(proxy: &mut Sockets, host: &mut Streams) -> (Vec<u8>, Vec<News>) {
    let (mut read, mut news) = (Vec::new(), Vec::new());
    loop {
        let (heard, seen) = (host.poll(SimTime::ZERO), proxy.poll(SimTime::ZERO));
        if heard.is_none() && seen.is_none() {
            return (read, news);
        }
        match heard {
            Some(StreamEvent::Send(packet, _)) => drop(proxy.receive(SimTime::ZERO, &packet)),
            Some(StreamEvent::News(_, _, what)) => news.push(what),
            None => {}
        }
        match seen {
            Some(Event::Send(packet, _)) => drop(host.receive(SimTime::ZERO, &packet)),
            Some(Event::Data(_, piece)) => read.extend(piece.bytes),
            _ => {}
        }
    }
}

fn named() -> Target {
    Target { host: "turn.example.org".to_owned(), port: 443 }
}

#[test]
fn a_stream_through_a_proxy_begins_with_a_request_and_is_open_once_the_tunnel_is() {
    for client in [PLAIN, tls()] {
        let (mut proxy, mut host, _) = through(named(), &client);
        let (read, news) = carry(&mut proxy, &mut host);
        assert_eq!((read, news), (named().request().into_bytes(), vec![]));

        let theirs = proxy.find(outwards().reversed()).expect("a connection");
        proxy.write(theirs, Answer::Established.to_text(), None);
        let (read, news) = carry(&mut proxy, &mut host);
        if client == PLAIN {
            assert_eq!((read, news), (message(1), vec![News::Opened]));
        } else {
            assert_eq!((read.first(), news), (Some(&22), vec![]), "a handshake comes first");
        }
    }
}

#[test]
fn what_comes_with_a_proxys_answer_is_a_message_of_the_other_end() {
    let (mut proxy, mut host, _) = through(named(), &PLAIN);
    carry(&mut proxy, &mut host);
    let theirs = proxy.find(outwards().reversed()).expect("a connection");
    let bytes = [Answer::Established.to_text().as_bytes(), &message(9)].concat();
    proxy.write(theirs, bytes, None);
    let (_, news) = carry(&mut proxy, &mut host);
    let [News::Opened, News::Message(piece)] = &news[..] else { panic!("{news:?}") };
    assert_eq!(piece.bytes, message(9));
}

#[test]
fn a_proxy_that_opens_no_tunnel_ends_the_stream_with_its_status() {
    for (answer, status) in [(Answer::Forbidden, 403), (Answer::BadGateway, 502), (Answer::Other(407), 407)] {
        let (mut proxy, mut host, id) = through(named(), &tls());
        carry(&mut proxy, &mut host);
        let theirs = proxy.find(outwards().reversed()).expect("a connection");
        proxy.write(theirs, answer.to_text(), None);
        proxy.close(theirs);
        let (_, news) = carry(&mut proxy, &mut host);
        assert_eq!(news, [News::Closed(End::NoTunnel(status))]);
        assert_eq!(host.write(id, Note::of(message(2))), Ok(()), "of no effect");
    }
}

#[test]
fn a_proxy_that_hangs_up_without_a_word_has_closed_the_stream() {
    let (mut proxy, mut host, _) = through(named(), &tls());
    carry(&mut proxy, &mut host);
    let theirs = proxy.find(outwards().reversed()).expect("a connection");
    proxy.close(theirs);
    let (_, news) = carry(&mut proxy, &mut host);
    assert_eq!(news, [News::Closed(End::Connection(Reason::Finished))]);
}
