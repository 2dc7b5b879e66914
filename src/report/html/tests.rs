//! What stands in a page, what it leaves out, and that nothing in it can run but its own script.

use super::*;
use crate::base::{Limits, PacketId, SimDuration, SimTime};
use crate::engine::{Run, RunOptions};
use crate::outcome::{Outcome, judge, simulate};
use crate::plan::{Plan, Protocol, StateChange, TcpPhase};
use crate::scenario::{Overrides, load};
use crate::trace::{Event, EventKind};

struct Recorded {
    source: Source,
    plan: Plan,
    run: Run,
    outcome: Outcome,
}

impl Recorded {
    fn new(name: &str, duration: &str) -> Self {
        Self::of(format!(
            "name: {name}
duration: {duration}
nats: {{ nat-a: symmetric, nat-b: port-restricted-cone }}
servers: {{ stun: {{ stun: [3478/udp] }}, turn: {{ turn: [3478/udp] }} }}
peers: {{ alice: {{ behind: nat-a }}, bob: {{ behind: nat-b }} }}
calls: [alice -> bob]
"
        ))
    }

    /// Alice's NAT is far from the internet and Bob's is near, so that packets overtake each other.
    fn far_and_near() -> Self {
        Self::of(
            "nats: { nat-a: { type: full-cone, link: { delay: 200ms } }, nat-b: full-cone }
servers: { stun: { stun: [3478/udp] } }
peers: { alice: { behind: nat-a }, bob: { behind: nat-b } }
calls: [alice -> bob]
"
            .into(),
        )
    }

    fn of(text: String) -> Self {
        let source = Source::new("a folder/call.nat.yaml", text);
        let plan = load(&source, &Overrides::default(), &Limits::DEFAULT).expect("a plan");
        let options = RunOptions { record: true, ..RunOptions::default() };
        let (run, outcome) = simulate(&plan, &options).expect("a run");
        Self { source, plan, run, outcome }
    }

    fn report(&self) -> Report<'_> {
        Report { plan: &self.plan, run: &self.run, outcome: &self.outcome }
    }

    fn page(&self) -> String {
        write(self.report(), &self.source, None)
    }

    fn data(&self) -> serde_json::Value {
        serde_json::to_value(Data::new(self.report(), &self.source, None)).expect("JSON")
    }

    /// Repeats the last packet that went all the way, data of the settled pair, as a call's media would.
    fn add_media(&mut self, count: u64) {
        let trace = self.run.trace.as_mut().expect("a trace");
        let is_data = |id: &PacketId| trace.packets.get(*id).is_some_and(|record| record.len < 60);
        let delivered = trace.events.iter().rev().find_map(|event| match &event.kind {
            EventKind::Delivered { packet, .. } => Some(*packet).filter(is_data),
            _ => None,
        });
        let media = delivered.expect("data");
        let way: Vec<Event> =
            trace.events.iter().filter(|event| event.kind.packet() == Some(media)).cloned().collect();
        let record = trace.packets.get(media).expect("a kept packet").clone();
        for number in 1..=count {
            let id = PacketId::new(trace.packets.len() as u64);
            trace.packets.keep(id, record.clone());
            for event in &way {
                let mut event = event.clone();
                event.at += SimDuration::from_micros(5_500 * number);
                match &mut event.kind {
                    EventKind::Departed(hop) | EventKind::Arrived(hop) => hop.packet = id,
                    EventKind::Delivered { packet, .. } => *packet = id,
                    _ => {}
                }
                trace.events.push(event);
            }
        }
        trace.events.sort_by_key(|event| event.at);
        self.outcome = judge(&self.plan, &self.run, &[]);
    }
}

#[test]
fn every_row_and_table_points_at_something_that_is_there() {
    let data = Recorded::new("call", "3s").data();
    let list = |key: &str| data[key].as_array().expect("a list").clone();
    let (packets, kinds, moments) = (list("packets"), list("kinds"), list("moments"));
    let below =
        |value: &serde_json::Value, count: usize| (value.as_u64().expect("a number") as usize) < count;

    for packet in &packets {
        assert!(below(&packet[0], kinds.len()) && below(&packet[2], list("timings").len()), "{packet}");
        assert!(packet[3].as_i64().expect("a number") < list("attributes").len() as i64, "{packet}");
    }
    for kind in &kinds {
        let stops = kind["stops"].as_array().expect("stops");
        assert!(stops.iter().all(|stop| below(stop, list("nodes").len())), "{kind}");
        let rewrites = kind["rewrites"].as_array().expect("rewrites");
        assert!(rewrites.iter().all(|rewrite| below(&rewrite["stop"], stops.len())), "{kind}");
        assert_eq!(kind["fate"] == "dropped", kind["death"].is_object(), "{kind}");
    }
    let mut rows = list("tabs")[0]["rows"].as_array().expect("rows").clone();
    assert!(rows.len() > 50);
    while let Some(row) = rows.pop() {
        match row[0].as_str() {
            Some("p") => assert!(below(&row[1], packets.len()), "{row}"),
            Some("m") => assert!(below(&row[1], moments.len()), "{row}"),
            Some("b") => rows.extend(row[1].as_array().expect("a band").iter().cloned()),
            _ => panic!("{row}"),
        }
    }
    assert!(moments.is_sorted_by_key(|moment| moment["at"].as_f64()));
    assert!(packets.is_sorted_by_key(|packet| packet[1].as_f64()));
}

#[test]
fn packets_that_died_are_listed_in_the_order_of_their_deaths() {
    let data = Recorded::far_and_near().data();
    for drop in data["drops"].as_array().expect("drops") {
        let packets = drop["packets"].as_array().expect("packets").iter();
        let end = |packet| start_of(&data, packet) + number(&stays(&data, packet).last().expect("a stay")[1]);
        let ends: Vec<f64> = packets.map(end).collect();
        assert!(ends.is_sorted(), "{}: {ends:?}", drop["reason"]);
    }
}

#[test]
fn packets_of_a_mapping_are_listed_in_the_order_in_which_they_came() {
    let data = Recorded::far_and_near().data();
    for nat in data["nats"].as_array().expect("NATs") {
        for mapping in nat["mappings"].as_array().expect("mappings") {
            let came = |packet| start_of(&data, packet) + arrival_at(&data, packet, &nat["node"]);
            let times: Vec<f64> = mapping["used"].as_array().expect("packets").iter().map(came).collect();
            assert!(times.is_sorted(), "{}: {times:?}", mapping["inside"]);
        }
    }
}

#[test]
fn every_packet_of_the_call_is_a_row_or_in_a_band() {
    let data = Recorded::new("call", "3s").data();
    let mut seen = 0;
    let mut rows = data["tabs"][0]["rows"].as_array().expect("rows").clone();
    while let Some(row) = rows.pop() {
        match row[0].as_str() {
            Some("p") => seen += 1,
            Some("b") => rows.extend(row[1].as_array().expect("a band").iter().cloned()),
            _ => {}
        }
    }
    assert_eq!(seen, data["packets"].as_array().expect("packets").len());
}

#[test]
fn tables_at_the_end_are_those_of_the_devices() {
    let recorded = Recorded::new("call", "3s");
    let data = recorded.data();
    for (node, rows) in &recorded.run.nat_tables {
        let nats = data["nats"].as_array().expect("NATs");
        let nat = nats.iter().find(|nat| nat["node"] == node.index()).expect("the NAT");
        let live: Vec<(String, String)> = nat["mappings"]
            .as_array()
            .expect("mappings")
            .iter()
            .filter(|mapping| mapping["until"].is_null())
            .map(|mapping| (text(&mapping["inside"]), text(&mapping["outside"])))
            .collect();
        let expected: Vec<(String, String)> =
            rows.iter().map(|row| (row.internal.to_string(), row.external.to_string())).collect();
        assert_eq!(live, expected);
    }
}

#[test]
fn a_minute_of_media_fits_in_two_megabytes_and_becomes_bands() {
    let mut recorded = Recorded::new("call", "60s");
    recorded.add_media(10_800);

    let (page, data) = (recorded.page(), recorded.data());

    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(data["packets"].as_array().expect("packets").len() > 10_800);
    assert!(data["tabs"][0]["rows"].as_array().expect("rows").len() < 400);
}

#[test]
fn what_a_page_leaves_out_it_says() {
    let mut recorded = Recorded::new("call", "3s");
    assert_eq!(recorded.data()["missing"], serde_json::Value::Null);

    recorded.add_media(MOST_PACKETS as u64);
    let data = recorded.data();

    assert_eq!(data["packets"].as_array().expect("packets").len(), MOST_PACKETS);
    assert!(text(&data["missing"]).starts_with("This page shows the first 20000 of"), "{}", data["missing"]);
    let downloads = data["downloads"].as_array().expect("downloads");
    assert!(
        downloads.iter().any(|one| text(&one["instead"]).contains("punchlab run 'a folder/call.nat.yaml'"))
    );
}

#[test]
fn a_hostile_name_stays_text() {
    let name = r#""</script><script>alert(1)</script><!-- {{SCRIPT}} & 'x'""#;
    let page = Recorded::new(name, "1s").page();

    assert_eq!(page.matches("<script").count(), 2, "the data and the program");
    assert_eq!(page.matches("</script>").count(), 2);
    assert_eq!(page.matches("<!--").count(), PAGE.matches("<!--").count());
    assert!(page.contains("&lt;script&gt;alert(1)"), "the title shows it");
}

#[test]
fn the_policy_names_the_hash_of_the_script_that_stands_in_the_page() {
    let page = Recorded::new("call", "1s").page();
    let script = page.rsplit_once("<script>").and_then(|(_, rest)| rest.split_once("</script>"));
    let hash = STANDARD.encode(Sha256::digest(script.expect("a script").0));

    assert!(page.contains(&format!("script-src 'sha256-{hash}'")));
    // The only address a page names is that of the SVG namespace.
    assert_eq!(page.matches("://").count(), page.matches("http://www.w3.org/2000/svg").count());
    assert!(!SCRIPT.contains("innerHTML") && !SCRIPT.contains("eval(") && !SCRIPT.contains("fetch("));
}

#[test]
fn the_same_run_gives_the_same_page() {
    let [one, two] = [(); 2].map(|()| Recorded::new("call", "3s").page());
    assert!(one == two);
}

/// When a packet was sent.
fn start_of(data: &serde_json::Value, packet: &serde_json::Value) -> f64 {
    number(&data["packets"][index(packet)][1])
}

/// How long after its start a packet came to a node.
fn arrival_at(data: &serde_json::Value, packet: &serde_json::Value, node: &serde_json::Value) -> f64 {
    let kind = &data["kinds"][index(&data["packets"][index(packet)][0])];
    let stops = kind["stops"].as_array().expect("stops");
    let stop = stops.iter().position(|stop| stop == node).expect("the node is on its way");
    number(&stays(data, packet)[stop][0])
}

/// How long after its start a packet came to each of its stops, and left or ended there.
fn stays<'d>(data: &'d serde_json::Value, packet: &serde_json::Value) -> &'d [serde_json::Value] {
    data["timings"][index(&data["packets"][index(packet)][2])].as_array().expect("stays")
}

fn index(value: &serde_json::Value) -> usize {
    value.as_u64().expect("a number") as usize
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().expect("a number")
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_tcp_mapping_has_its_phases_and_a_udp_one_has_none() {
    let mut recorded = Recorded::new("call", "3s");
    let trace = recorded.run.trace.as_mut().expect("a trace");
    let mut created = trace.events.iter_mut().filter_map(|event| match &mut event.kind {
        EventKind::State { node, change: StateChange::MappingCreated(row) } => Some((*node, row)),
        _ => None,
    });
    let (node, row) = created.next().expect("a mapping");
    (row.protocol, row.phase) = (Protocol::Tcp, Some(TcpPhase::Opening));
    let (internal, external) = (row.internal, row.external);
    let change = StateChange::MappingPhase { internal, external, phase: TcpPhase::Established };
    trace.events.push(Event { at: SimTime::from_millis(2_500), kind: EventKind::State { node, change } });

    let data = recorded.data();

    let mappings = data["nats"][0]["mappings"].as_array().expect("mappings");
    let phases = mappings[0]["phases"].as_array().expect("phases");
    assert_eq!(phases.iter().map(|phase| text(&phase[1])).collect::<Vec<_>>(), ["opening", "established"]);
    assert_eq!(phases[1][0], 2_500.0);
    assert!(mappings[1..].iter().all(|mapping| mapping.get("phases").is_none()));
}
