//! Clients of STUN and TURN servers over TCP and TLS, through NATs, firewalls and lossy links.

#[path = "../common/mod.rs"]
mod common;

mod client;

use std::net::{IpAddr, SocketAddr};

use punchlab::agent::{OwnStacks, Security, StreamEnd};
use punchlab::base::{Limits, NodeId, SimDuration, SimTime};
use punchlab::engine::{Run, RunOptions, run};
use punchlab::outcome;
use punchlab::plan::{Action, DropReason, Element, Event, Listen, Plan, StateChange, Transport};
use punchlab::report::{Report, jsonl};
use punchlab::trace::EventKind;

use self::client::{Client, Echo, Heard, Log, Script};

/// A client behind a NAT whose link loses some packets, and a peer on the internet that sends everything back.
const HOME: &str = "
nats: { home: port-restricted-cone }
servers: { turn: { turn: [3478/udp], users: { demo: secret } } }
peers: { alice: { behind: home, link: { delay: 10ms, loss: LOSS } }, bob: {} }
calls: [alice -> bob]
duration: 60s
";

const PORTS: [(Security, u16); 2] = [(Security::Plain, 3478), (Security::Tls, 443)];

/// A world with a TURN server on 3478/tcp and 443/tls as well.
struct Stage {
    plan: Plan,
    limits: Limits,
}

impl Stage {
    fn new(text: &str) -> Self {
        let mut plan = common::plan_of_text(text, 1);
        for node in plan.topology.nodes_mut() {
            if let Element::Server(server) = &mut node.element
                && let Some(turn) = &mut server.turn
            {
                let tcp = |port, transport| Listen { port, transport };
                turn.listen.extend([tcp(3478, Transport::Tcp), tcp(443, Transport::Tls)]);
            }
        }
        Self { plan, limits: Limits::DEFAULT }
    }

    fn home(loss: &str) -> Self {
        Self::new(&HOME.replace("LOSS", loss))
    }

    fn node(&self, name: &str) -> NodeId {
        self.plan.topology.find(name).expect("a node")
    }

    fn address(&self, name: &str) -> IpAddr {
        self.plan.topology.node(self.node(name)).addresses[0]
    }

    fn script(&self, security: Security, port: u16) -> Script {
        Script::new(SocketAddr::new(self.address("turn"), port), security)
    }

    fn at(&mut self, seconds: u64, action: Action) {
        let at = SimTime::ZERO + SimDuration::from_secs(seconds);
        self.plan.events.push(Event { at, action, line: 1, text: String::new() });
    }

    /// Where bob's socket is: drawn like that of any agent.
    fn socket_of_bob(&self) -> SocketAddr {
        let heard = self.run(&self.script(Security::Plain, 3478));
        heard.run.sessions[1].sockets[0]
    }

    fn run(&self, script: &Script) -> Played {
        let log = Log::default();
        let (of_alice, script) = (log.clone(), script.clone());
        let mut stacks = OwnStacks::default();
        stacks.insert("alice", move |config| Box::new(Client::new(config, script.clone(), of_alice.clone())));
        stacks.insert("bob", |_| Box::<Echo>::default());
        let options =
            RunOptions { record: true, limits: self.limits.clone(), stacks, ..RunOptions::default() };
        let run = run(&self.plan, &options).expect("a run");
        let heard = std::mem::take(&mut *log.lock().expect("a log"));
        Played { run, heard }
    }
}

struct Played {
    run: Run,
    heard: Vec<(SimTime, Heard)>,
}

impl Played {
    fn only(&self) -> Vec<Heard> {
        self.heard.iter().map(|(_, heard)| heard.clone()).collect()
    }

    /// When the client heard that its stream is gone, and why.
    fn end(&self) -> Option<(SimTime, StreamEnd)> {
        match self.heard.last() {
            Some((at, Heard::Closed(why))) => Some((*at, *why)),
            _ => None,
        }
    }

    fn drops(&self, reason: DropReason) -> u64 {
        self.run.drops.iter().filter(|drop| drop.reason == reason).map(|drop| drop.count).sum()
    }

    fn changes(&self) -> impl Iterator<Item = (SimTime, &StateChange)> {
        let trace = self.run.trace.as_ref().expect("a trace");
        trace.events.iter().filter_map(|event| match &event.kind {
            EventKind::State { change, .. } => Some((event.at, change)),
            _ => None,
        })
    }
}

fn seconds(count: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs(count)
}

#[test]
fn a_binding_over_a_stream_tells_the_mapping_of_the_connection() {
    for (security, port) in PORTS {
        let stage = Stage::home("5%");
        let bindings = (0..20).map(|tenth| SimTime::from_millis(tenth * 100)).collect();
        let played = stage.run(&Script { bindings, ..stage.script(security, port) });

        let heard = played.only();
        let (Heard::Opened(local), Heard::Mapped(mapped)) = (&heard[0], &heard[1]) else {
            panic!("{heard:?}")
        };
        assert_eq!(local.ip(), stage.address("alice"));
        assert_eq!(mapped.ip(), stage.address("home"), "behind its NAT");
        assert_eq!(
            heard[1..],
            vec![Heard::Mapped(*mapped); 20],
            "{security:?}: each is answered, whatever is lost"
        );
        assert!(played.drops(DropReason::LinkLoss) > 0);
    }
}

#[test]
fn tls_takes_one_round_trip_more_than_tcp() {
    let opened = PORTS.map(|(security, port)| {
        let stage = Stage::home("0%");
        let played = stage.run(&stage.script(security, port));
        played.heard[0].0.since(SimTime::ZERO)
    });
    assert_eq!(opened[1], opened[0].times(2), "{opened:?}");
}

#[test]
fn a_thousand_messages_are_relayed_both_ways_in_order_whatever_is_lost() {
    for ((security, port), transport) in PORTS.into_iter().zip([Transport::Tcp, Transport::Tls]) {
        let stage = Stage::home("5%");
        let peer = Some(stage.socket_of_bob());
        let played = stage.run(&Script { peer, pings: 1_000, ..stage.script(security, port) });

        let data: Vec<_> =
            played.only().into_iter().filter(|heard| matches!(heard, Heard::Data(_))).collect();
        assert_eq!(data, (0..1_000).map(|number| Heard::Data(format!("ping {number}"))).collect::<Vec<_>>());
        assert!(played.drops(DropReason::LinkLoss) > 50);
        // The wire says it, and not the agent: through one NAT, and a relay whose client speaks this.
        let [alice, bob] = [0, 1].map(|side| played.run.sessions[side].observed.expect("data").trail);
        assert_eq!([alice.relayed, bob.relayed], [Some(transport); 2]);
        assert_eq!([alice.destination_rewrites, bob.source_rewrites], [1, 1]);
    }
}

#[test]
fn a_port_that_is_closed_refuses_at_once() {
    let stage = Stage::home("0%");
    for security in [Security::Plain, Security::Tls] {
        let played = stage.run(&stage.script(security, 80));
        let (at, why) = played.end().expect("closed");
        assert_eq!(why, StreamEnd::Refused);
        assert!(at < SimTime::from_millis(200), "{at}");
        assert_eq!(played.heard.len(), 1);
        assert_eq!(played.drops(DropReason::HostPortClosed), 1);
    }
}

fn office(action: &str) -> Stage {
    Stage::new(&format!(
        "
firewalls: {{ office: {{ outbound: {{ allow: [80/tcp], action: {action} }} }} }}
servers: {{ turn: {{ turn: [3478/udp], users: {{ demo: secret }} }} }}
peers: {{ alice: {{ behind: office }}, bob: {{}} }}
calls: [alice -> bob]
duration: 60s
"
    ))
}

#[test]
fn a_firewall_that_rejects_refuses() {
    let stage = office("reject");
    let played = stage.run(&stage.script(Security::Tls, 443));
    assert_eq!(played.end().map(|(_, why)| why), Some(StreamEnd::Refused));
    assert_eq!(played.drops(DropReason::FirewallOutbound), 1);
}

/// SYNs are repeated after 1, 2, 4 … seconds, until the client wants no more.
#[test]
fn a_firewall_that_drops_leaves_it_to_the_client_to_give_up() {
    let stage = office("drop");
    let closes = Some(SimTime::from_millis(39_500));
    let played = stage.run(&Script { closes, ..stage.script(Security::Tls, 443) });
    assert_eq!(played.only(), [], "nothing is heard of a stream after it was closed");
    assert_eq!(played.drops(DropReason::FirewallOutbound), 6);
}

#[test]
fn a_server_that_is_down_answers_no_syn() {
    let mut stage = Stage::home("0%");
    stage.at(0, Action::ServerDown(stage.node("turn")));
    stage.at(2, Action::ServerUp(stage.node("turn")));
    let played = stage.run(&stage.script(Security::Plain, 3478));
    assert_eq!(played.drops(DropReason::ServerDown), 2);
    let [(at, Heard::Opened(_))] = &played.heard[..] else { panic!("{:?}", played.heard) };
    assert!((seconds(3)..seconds(4)).contains(at), "{at}: with the third SYN");
}

#[test]
fn a_server_that_was_restarted_resets_the_connections_it_forgot() {
    let mut stage = Stage::home("0%");
    stage.at(5, Action::ServerRestart(stage.node("turn")));
    let bindings = vec![seconds(1), seconds(10)];
    let played = stage.run(&Script { bindings, ..stage.script(Security::Tls, 443) });

    assert!(matches!(
        played.only()[..],
        [Heard::Opened(_), Heard::Mapped(_), Heard::Closed(StreamEnd::Reset)]
    ));
    let (at, _) = played.end().expect("closed");
    assert!(at >= seconds(10), "{at}: not before it writes");
    let trace = played.run.trace.expect("a trace");
    let rule = trace.events.iter().find_map(|event| match &event.kind {
        EventKind::Dropped { drop, .. } => Some(drop.rule.to_string()),
        _ => None,
    });
    assert!(rule.expect("a drop").contains("knows of no TCP connection from"));
}

#[test]
fn tls_to_a_port_without_it_and_the_reverse_come_to_an_end() {
    let stage = Stage::home("0%");
    for (security, port, why) in
        [(Security::Tls, 3478, StreamEnd::NotTls), (Security::Plain, 443, StreamEnd::Malformed)]
    {
        let bindings = vec![SimTime::ZERO];
        let played = stage.run(&Script { bindings, ..stage.script(security, port) });
        assert_eq!(played.end().map(|(_, why)| why), Some(why));
    }
}

#[test]
fn an_allocation_ends_with_its_connection() {
    for (security, port) in PORTS {
        let stage = Stage::home("0%");
        let peer = Some(stage.socket_of_bob());
        let closes = Some(seconds(20));
        let played = stage.run(&Script { peer, pings: 1, closes, ..stage.script(security, port) });
        let gone = played.changes().find(|(_, change)| matches!(change, StateChange::AllocationGone { .. }));
        let (at, _) = gone.expect("it ended");
        assert!((seconds(20)..SimTime::from_millis(20_100)).contains(&at), "{at}");
    }
}

/// ChannelData has 4 bytes before 100 bytes of audio, TCP's header is 12 bytes longer than UDP's, TLS adds 22.
#[test]
fn media_over_a_stream_cost_what_stands_around_them() {
    for ((security, port), more) in PORTS.into_iter().zip([4 + 12, 4 + 12 + 22]) {
        let text = HOME
            .replace("LOSS", "0%")
            .replace("[alice -> bob]", "[alice -> bob: { media: { audio: 40kbps } }]");
        let stage = Stage::new(&text);
        let peer = Some(stage.socket_of_bob());
        let played = stage.run(&Script { peer, selects: true, ..stage.script(security, port) });

        let flow = &played.run.sessions[0].media[0];
        assert!(flow.sent.sent > 2_900 && flow.sent.unsent == 0, "{:?}", flow.sent);
        // What bob sends back comes over the relay as well.
        let packets = flow.sent.sent + flow.received.received;
        assert_eq!(
            (flow.relay_leg.bare_bytes, flow.relay_leg.bytes),
            (128 * packets, (128 + more) * packets)
        );
    }
}

#[test]
fn a_link_that_carries_little_makes_segments_small() {
    let mut stage = Stage::home("0%");
    let links: Vec<_> = stage.plan.topology.link_ids().collect();
    stage.plan.topology.link_mut(links[0]).mtu = 576;
    // The server's flight has 2,400 bytes of certificates.
    let played = stage.run(&stage.script(Security::Tls, 443));
    assert!(matches!(played.only()[..], [Heard::Opened(_)]), "{:?}", played.heard);
    assert_eq!(played.drops(DropReason::MtuExceeded), 0);
}

#[test]
fn a_host_without_room_says_so() {
    let mut stage = Stage::home("0%");
    stage.limits.tcp_connections = 0;
    let played = stage.run(&stage.script(Security::Plain, 3478));
    assert_eq!(played.only(), [Heard::Closed(StreamEnd::NoRoom)]);
    assert_eq!(played.heard[0].0, SimTime::ZERO);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let lines = || {
        let stage = Stage::home("5%");
        let peer = Some(stage.socket_of_bob());
        let played = stage.run(&Script { peer, pings: 100, ..stage.script(Security::Tls, 443) });
        let outcome = outcome::judge(&stage.plan, &played.run, &[]);
        jsonl::text(Report { plan: &stage.plan, run: &played.run, outcome: &outcome })
    };
    assert_eq!(lines(), lines());
}
