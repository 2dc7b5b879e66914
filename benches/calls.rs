//! Whole two-peer calls: gathering, signalling, checks, data, verdict. One iteration is one call, from a plan to a run.
//!
//! `cargo bench --bench calls` runs all of them, `cargo bench --bench calls -- is::symmetric` one. Read the fastest
//! sample: calls do the same work each time, so everything above it is the machine's noise. `is` and `rtc` are the two
//! stacks, and most of a call's time is theirs; `is_recorded` less `is` is what recording costs; `scenario` is reading
//! the file, which a run does once and a matrix does for each pair of NATs.
//!
//! A clock too noisy to compare two versions by? Count instructions:
//! `valgrind --tool=callgrind --toggle-collect='punchlab::engine::run_with' <the binary> --bench is::port
//! --sample-count 50 --sample-size 1`. Valgrind knows no SHA instructions, so hashing looks several times as dear there.

use divan::Bencher;
use punchlab::base::Limits;
use punchlab::engine::{self, RunOptions};
use punchlab::plan::{Plan, StackKind};
use punchlab::scenario::{self, Overrides, Source};

fn main() {
    divan::main();
}

/// The nickname of both sides' NATs.
const NICKNAMES: [&str; 3] = ["none", "port-restricted-cone", "symmetric"];

#[divan::bench(args = NICKNAMES)]
fn is(bencher: Bencher<'_, '_>, nickname: &str) {
    calls(bencher, nickname, StackKind::Is);
}

#[cfg(feature = "rtc")]
#[divan::bench(args = NICKNAMES)]
fn rtc(bencher: Bencher<'_, '_>, nickname: &str) {
    calls(bencher, nickname, StackKind::Rtc);
}

/// The same call with every packet recorded.
#[divan::bench(args = NICKNAMES)]
fn is_recorded(bencher: Bencher<'_, '_>, nickname: &str) {
    let plan = plan(nickname, StackKind::Is);
    let options = RunOptions { record: true, ..RunOptions::default() };
    bencher.bench(|| engine::run(&plan, &options).expect("a finished run"));
}

/// Reading and validating the scenario of one call.
#[divan::bench]
fn scenario(bencher: Bencher<'_, '_>) {
    bencher.bench(|| plan("symmetric", StackKind::Is));
}

fn calls(bencher: Bencher<'_, '_>, nickname: &str, stack: StackKind) {
    let plan = plan(nickname, stack);
    let options = RunOptions::default();
    bencher
        .counter(divan::counter::ItemsCount::new(1u32))
        .bench(|| engine::run(&plan, &options).expect("a finished run"));
}

fn plan(nickname: &str, stack: StackKind) -> Plan {
    let text = format!(
        "nats: {{ nat-a: {nickname}, nat-b: {nickname} }}
servers: {{ stun: {{ stun: [3478/udp] }}, turn: {{ turn: [3478/udp] }} }}
peers: {{ alice: {{ behind: nat-a, agent: {stack} }}, bob: {{ behind: nat-b, agent: {stack} }} }}
calls: [alice -> bob]
"
    );
    let source = Source { name: "bench".into(), text };
    scenario::load(&source, &Overrides::default(), &Limits::DEFAULT).expect("a valid scenario")
}
