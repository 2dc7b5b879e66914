//! A call that is kept up for a day: consent checks, keepalives and, over a relay, refreshes of what the TURN server holds.
//!
//! `cargo bench --bench hours`. Nothing is recorded, as in a counterfactual: what is measured is how long virtual time takes.

use divan::Bencher;
use punchlab::base::Limits;
use punchlab::engine::{self, RunOptions};
use punchlab::plan::StackKind;
use punchlab::scenario::{self, Overrides, Source};

fn main() {
    divan::main();
}

/// The nickname of both sides' NATs: a punched hole, and a relay.
const NICKNAMES: [&str; 2] = ["port-restricted-cone", "symmetric"];

#[divan::bench(args = NICKNAMES, sample_count = 5)]
fn is(bencher: Bencher<'_, '_>, nickname: &str) {
    a_day(bencher, nickname, StackKind::Is);
}

#[cfg(feature = "rtc")]
#[divan::bench(args = NICKNAMES, sample_count = 5)]
fn rtc(bencher: Bencher<'_, '_>, nickname: &str) {
    a_day(bencher, nickname, StackKind::Rtc);
}

fn a_day(bencher: Bencher<'_, '_>, nickname: &str, stack: StackKind) {
    let text = format!(
        "duration: 24h
nats: {{ nat-a: {nickname}, nat-b: {nickname} }}
servers: {{ stun: {{ stun: [3478/udp] }}, turn: {{ turn: [3478/udp] }} }}
peers: {{ alice: {{ behind: nat-a, agent: {stack} }}, bob: {{ behind: nat-b, agent: {stack} }} }}
calls: [alice -> bob]
"
    );
    let source = Source { name: "bench".into(), text };
    let plan = scenario::load(&source, &Overrides::default(), &Limits::DEFAULT).expect("a valid scenario");
    bencher.bench(|| engine::run(&plan, &RunOptions::default()).expect("a finished run"));
}
