//! Protocols of the user's own on peers: when they are called, what they may do, how their runs end, and that the same
//! seed gives the same bytes.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use punchlab::base::{SimDuration, SimTime};
use punchlab::endpoint::{Endpoint, Failure, Host, Input};
use punchlab::engine::RunError;
use punchlab::lab::{Error, Finished, Scenario};
use punchlab::plan::{DropReason, Path};
use punchlab::report::human::{self, Options};

const NETWORK: &str = "
nats: { home: port-restricted-cone }
peers: { server: { address: 192.0.2.9 }, alice: { behind: home } }
";
const SERVER: ([u8; 4], u16) = ([192, 0, 2, 9], 7000);

/// Sends back what it gets, for ever.
#[derive(Default)]
struct Echo {
    seen: Vec<SocketAddr>,
}

impl Endpoint for Echo {
    fn handle(&mut self, _now: SimTime, input: Input<'_>, host: &mut Host) -> Result<(), Failure> {
        match input {
            Input::Start => drop(host.bind(SERVER.1)?),
            Input::Datagram { socket, from, payload } => {
                self.seen.push(from);
                host.send(socket, from, payload)?;
            }
            Input::Timeout => {}
        }
        Ok(())
    }

    fn next_timeout(&self) -> Option<SimTime> {
        None
    }

    fn is_done(&self) -> bool {
        true
    }
}

/// Sends as many datagrams as it was told to, one every 20 ms, and waits for as many answers.
#[derive(Default)]
struct Client {
    wanted: usize,
    sent: usize,
    answers: Vec<SimTime>,
    socket: Option<SocketAddr>,
    next_at: Option<SimTime>,
}

impl Endpoint for Client {
    fn handle(&mut self, now: SimTime, input: Input<'_>, host: &mut Host) -> Result<(), Failure> {
        match input {
            Input::Start => self.socket = Some(host.bind(0)?),
            Input::Timeout => assert_eq!(Some(now), self.next_at, "a timeout comes when it was asked for"),
            Input::Datagram { .. } => {
                self.answers.push(now);
                return Ok(());
            }
        }
        if self.sent < self.wanted {
            host.send(self.socket.ok_or("no socket")?, SERVER.into(), format!("number {}", self.sent))?;
            self.sent += 1;
        }
        self.next_at = (self.sent < self.wanted).then_some(now + SimDuration::from_millis(20));
        Ok(())
    }

    fn next_timeout(&self) -> Option<SimTime> {
        self.next_at
    }

    fn is_done(&self) -> bool {
        self.answers.len() == self.wanted
    }
}

/// Does one thing when the run begins, and is called again at the moments it names.
struct Once<F>(F, Option<SimTime>);

impl<F: FnMut(SimTime, &mut Host) -> Result<(), Failure>> Endpoint for Once<F> {
    fn handle(&mut self, now: SimTime, _input: Input<'_>, host: &mut Host) -> Result<(), Failure> {
        self.0(now, host)
    }

    fn next_timeout(&self) -> Option<SimTime> {
        self.1
    }

    fn is_done(&self) -> bool {
        false
    }
}

fn network() -> Scenario {
    Scenario::text("network", NETWORK)
}

/// The same network with a call of two more peers.
fn beside_a_call() -> Scenario {
    network()
        .set("peers.bob", "{ behind: home }")
        .set("peers.carol", "{}")
        .set("servers", "{ stun: { stun: [3478/udp] } }")
        .set("calls", "[bob -> carol]")
}

fn echoed(network: &Scenario, wanted: usize) -> (Echo, Client, Finished) {
    let (mut server, mut client) = (Echo::default(), Client { wanted, ..Client::default() });
    let run = network.with_endpoint("server", &mut server).with_endpoint("alice", &mut client).run();
    (server, client, run.unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn datagrams_pass_the_nat_both_ways_and_the_run_ends_when_all_are_done() {
    let (server, client, run) = echoed(&network(), 3);

    run.assert_done();
    let mapped = server.seen[0];
    assert_eq!(mapped.ip().to_string(), "203.0.113.1");
    assert!(server.seen.iter().all(|seen| *seen == mapped), "one mapping: {:?}", server.seen);
    assert_eq!(run.run().ended_at, *client.answers.last().expect("answers"));
    assert_eq!(run.run().endpoints[1].sockets, [client.socket.expect("a socket")]);
    assert_eq!(run.run().nat_tables[0].1[0].external, mapped);
}

#[test]
fn a_run_of_endpoints_reads_well() {
    let run = echoed(&network(), 2).2;
    insta::assert_snapshot!("a_run_of_endpoints", run);
    insta::assert_snapshot!("the_report_of_endpoints", human::write(run.report(), Options::default()));
}

#[cfg(feature = "html")]
#[test]
fn the_page_has_a_tab_for_endpoints_after_those_of_calls() {
    let alone = page_data(&echoed(&network(), 2).2);
    let beside = page_data(&echoed(&beside_a_call(), 2).2);

    insta::assert_snapshot!("the_tab_of_endpoints", told_tab(&alone, 0));
    let stamps: Vec<_> = beside["tabs"].as_array().expect("tabs").iter().map(|tab| &tab["stamp"]).collect();
    assert_eq!(stamps, ["stun", "endpoints"]);
    assert_eq!(told_tab(&beside, 1).matches("data, 8 bytes").count(), 4);
    assert!(!told_tab(&beside, 1).contains("Binding"), "{}", told_tab(&beside, 1));
    assert!(!told_tab(&beside, 0).contains("data, 8 bytes"), "{}", told_tab(&beside, 0));
}

#[cfg(feature = "html")]
#[test]
fn a_page_shows_each_packet_in_the_network_of_its_own_tab() {
    let data = page_data(&echoed(&beside_a_call(), 2).2);

    for kind in data["kinds"].as_array().expect("kinds") {
        let is_data = kind["label"] == "data, 8 bytes";
        assert_eq!(kind["tab"], u64::from(is_data), "{kind}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_other_ports() {
    let written = |seed| {
        let run = echoed(&network().seed(seed), 3).2;
        (run.to_string(), run.ladder(), run.jsonl(), run.capture())
    };
    assert_eq!(written(1), written(1));
    assert_ne!(written(1).0, written(2).0);
}

#[test]
fn the_packets_of_endpoints_have_a_ladder_and_their_drops_a_reason() {
    let closed = network().set("peers.server.behind", "wall").set("firewalls", "{ wall: { inbound: deny } }");
    let (_, client, run) = echoed(&closed, 1);

    assert!(client.answers.is_empty());
    assert_eq!(run.outcome().drops[0].reason, DropReason::FirewallInbound);
    let message = panic_of(&|| run.assert_done());
    for told in
        ["not done after", "`alice`", "Packets of server, alice", "firewall-inbound", "again: this test"]
    {
        assert!(message.contains(told), "{told}\n{message}");
    }
}

#[test]
fn a_closed_socket_refuses_what_comes_to_it() {
    let mut server = Once(
        |_, host: &mut Host| {
            let socket = host.bind(SERVER.1)?;
            host.close(socket);
            Ok(())
        },
        None,
    );
    let mut client = Client { wanted: 1, ..Client::default() };
    let staged = network().with_endpoint("server", &mut server).with_endpoint("alice", &mut client);
    let run = staged.run().expect("a run");

    assert_eq!(run.outcome().drops[0].reason, DropReason::HostPortClosed);
}

#[test]
fn endpoints_and_calls_share_a_network_and_have_ladders_of_their_own() {
    let (_, _, run) = echoed(&beside_a_call(), 3);

    run.assert_done();
    run.assert_path("bob -> carol", Path::Stun);
    assert_eq!(run.call("bob -> carol").needs, None, "endpoints run once, so the call is not run again");
    let message = panic_of(&|| run.assert_path("bob -> carol", Path::Relay));
    let (call, endpoints) = message.split_once("Packets of server, alice").expect("two ladders");
    assert!(call.contains("Binding request") && !call.contains("data, 8 bytes"), "{message}");
    assert!(endpoints.contains("data, 8 bytes") && !endpoints.contains("Binding request"), "{message}");
}

#[test]
fn an_endpoint_that_fails_ends_the_run_with_its_own_words() {
    let mut broken = Once(|_, _: &mut Host| Err("the dog ate it".into()), None);
    let error = network().with_endpoint("alice", &mut broken).run().expect_err("a failure");
    assert!(matches!(error, Error::Run(RunError::Endpoint(_))));
    assert_eq!(error.to_string(), "the endpoint of `alice` failed: the dog ate it");
}

#[test]
fn an_endpoint_that_never_lets_time_pass_meets_a_limit() {
    let mut restless = Once(|_, _: &mut Host| Ok(()), Some(SimTime::ZERO));
    let error = network().with_endpoint("alice", &mut restless).run().expect_err("a limit");
    assert!(error.to_string().contains("events at one instant"), "{error}");
}

#[test]
fn an_endpoint_needs_a_peer_of_its_own() {
    let rejected = |network: &Scenario, peers: &[&str]| {
        let mut endpoints: Vec<Echo> = peers.iter().map(|_| Echo::default()).collect();
        let (first, rest) = endpoints.split_first_mut().expect("one");
        let mut staged = network.with_endpoint(peers[0], first);
        for (peer, endpoint) in peers[1..].iter().zip(rest) {
            staged = staged.with_endpoint(*peer, endpoint);
        }
        staged.run().expect_err("a mistake").to_string()
    };
    insta::assert_snapshot!("an_endpoint_on_nobody", rejected(&network(), &["alcie"]));
    insta::assert_snapshot!("an_endpoint_on_a_NAT", rejected(&network(), &["home"]));
    insta::assert_snapshot!("two_endpoints_on_one_peer", rejected(&network(), &["alice", "alice"]));
    let call = network().set("calls", "[alice -> server]");
    insta::assert_snapshot!("an_endpoint_beside_an_agent", rejected(&call, &["alice"]));
}

#[test]
fn an_own_stack_needs_a_peer_with_a_call() {
    let build = |config| punchlab::agent::build(punchlab::plan::StackKind::Is, config).expect("a stack");
    let call = network().set("calls", "[alice -> server]").set("peers.bob", "{}");
    let rejected =
        |peer: &str| call.clone().with_stack(peer, build).run().expect_err("a mistake").to_string();
    insta::assert_snapshot!("a_stack_on_nobody", rejected("alcie"));
    insta::assert_snapshot!("a_stack_that_would_never_run", rejected("bob"));
    call.clone().with_stack("alice", build).run().expect("a run").assert_path("alice -> server", Path::Stun);
}

#[test]
fn without_endpoints_a_scenario_still_needs_a_call() {
    assert!(network().run().expect_err("a mistake").to_string().contains("the scenario has no calls"));
}

fn panic_of(doing: &dyn Fn()) -> String {
    let caught = catch_unwind(AssertUnwindSafe(doing)).expect_err("a panic");
    caught.downcast_ref::<String>().expect("a message").clone()
}

/// What a page shows, as it stands in it.
#[cfg(feature = "html")]
fn page_data(run: &Finished) -> serde_json::Value {
    let page = run.html();
    let (_, rest) = page.split_once(r#"id="report-data">"#).expect("data");
    serde_json::from_str(rest.split_once("</script>").expect("its end").0).expect("JSON")
}

/// A tab of a page in lines: what became of it, its columns, and its rows.
#[cfg(feature = "html")]
fn told_tab(data: &serde_json::Value, tab: usize) -> String {
    let tab = &data["tabs"][tab];
    let node = |index: &serde_json::Value| {
        data["nodes"][index.as_u64().expect("a node") as usize]["name"].as_str().expect("a name").to_owned()
    };
    let names =
        |nodes: &serde_json::Value| nodes.as_array().expect("nodes").iter().map(node).collect::<Vec<_>>();
    let mut lines = vec![
        format!("stamp: {}", tab["stamp"]),
        format!("ends: {}", names(&tab["ends"]).join(", ")),
        format!("headline: {}", tab["headline"]),
        format!("why: {}", tab["why"]),
        format!("settled_ms: {}", tab["settled_ms"]),
        format!("columns: {}", names(&tab["columns"]).join(", ")),
    ];
    let mut rows: Vec<_> = tab["rows"].as_array().expect("rows").iter().rev().collect();
    while let Some(row) = rows.pop() {
        let index = row[1].as_u64().unwrap_or_default() as usize;
        match row[0].as_str() {
            Some("p") => {
                let (packet, at) = (&data["packets"][index], &data["packets"][index][1]);
                let kind = &data["kinds"][packet[0].as_u64().expect("a kind") as usize];
                lines.push(format!("{at} ms: {}, over {}", kind["label"], names(&kind["stops"]).join(", ")));
            }
            Some("m") => lines
                .push(format!("{} ms: {}", data["moments"][index]["at"], data["moments"][index]["label"])),
            _ => rows.extend(row[1].as_array().expect("a band").iter().rev()),
        }
    }
    lines.join("\n")
}
