//! Packets through two NATs, without agents: what the network itself costs. One item is one packet, end to end: four
//! links, two translations, one router, one delivery.
//!
//! `cargo bench --bench packets` runs all of them, `cargo bench --bench packets -- symmetric` one. Read the items per
//! second of the fastest sample: the work is the same each time, so everything above it is the machine's noise.
//! To compare two versions, count instructions, of which a noisy clock knows nothing:
//! `valgrind --tool=callgrind --toggle-collect='*Network::handle_timeout*' <the binary> --bench port-restricted
//! --sample-count 5 --sample-size 1`, divided by the 50,000 packets of five samples.

use divan::Bencher;
use divan::counter::ItemsCount;
use punchlab::base::{Limits, SimDuration, SimTime};
use punchlab::engine::{Network, Recorder};
use punchlab::plan::{Element, Plan};
use punchlab::scenario::{self, Overrides, Source};
use punchlab::wire::{Flow, Packet};

fn main() {
    divan::main();
}

const PACKETS: u64 = 10_000;

/// Packets that follow each other every 100 µs, so that about two hundred are on their way at a time.
#[divan::bench(args = ["full-cone", "port-restricted-cone", "symmetric"])]
fn through_two_nats(bencher: Bencher<'_, '_>, nickname: &str) {
    let plan = plan(nickname);
    bencher
        .counter(ItemsCount::new(PACKETS))
        .with_inputs(|| prepared(&plan))
        .bench_values(|(network, flow)| carry(network, &plan, flow));
}

/// A network where each peer has punched a hole towards the other's server-facing mapping.
fn prepared(plan: &Plan) -> (Network, Flow) {
    let mut network = Network::new(plan, 1, &Limits::DEFAULT, Recorder::new(None));
    let alice = plan.topology.find("alice").expect("alice");
    let target = plan.topology.find("target").expect("target");
    let address = |node| plan.topology.node(node).addresses[0];
    let flow = Flow::new((address(alice), 50_000).into(), (address(target), 9).into());
    network.open_socket(target, flow.destination);
    (network, flow)
}

fn carry(mut network: Network, plan: &Plan, flow: Flow) -> u64 {
    let alice = plan.topology.find("alice").expect("alice");
    let mut now = SimTime::ZERO;
    let mut arrived = 0;
    for _ in 0..PACKETS {
        network.send(now, alice, Packet::udp(flow, &b"0123456789abcdef"[..])).expect("room");
        now += SimDuration::from_micros(100);
        arrived += run_until(&mut network, now);
    }
    arrived += run_until(&mut network, SimTime::from_millis(60_000));
    assert_eq!(arrived, PACKETS);
    arrived
}

fn run_until(network: &mut Network, end: SimTime) -> u64 {
    let mut arrived = 0;
    while let Some(at) = network.next_timeout().filter(|at| *at <= end) {
        network.handle_timeout(at).expect("within limits");
        while network.poll_delivery().is_some() {
            arrived += 1;
        }
    }
    arrived
}

/// Two NATs in series, as behind a carrier's, and a public host that answers to nobody.
fn plan(nickname: &str) -> Plan {
    let text = format!(
        "nats: {{ carrier: {nickname}, home: {{ behind: carrier, type: {nickname} }} }}
peers: {{ alice: {{ behind: home }}, target: {{}} }}
calls: [alice -> target]
"
    );
    let source = Source { name: "bench".into(), text };
    let plan = scenario::load(&source, &Overrides::default(), &Limits::DEFAULT).expect("a valid scenario");
    assert_eq!(plan.topology.nodes().filter(|(_, node)| matches!(node.element, Element::Nat(_))).count(), 2);
    plan
}
