//! Explanations: every single change to one call, and every pair of changes that do nothing alone, each a whole run.
//!
//! `cargo bench --bench explain` runs both on one core; the program spreads the runs over all cores.

use divan::Bencher;
use punchlab::base::Limits;
use punchlab::engine::RunOptions;
use punchlab::explain::{Depth, Experiment, explain};
use punchlab::outcome::simulate;
use punchlab::scenario::{self, Overrides, Source};

fn main() {
    divan::main();
}

const TEXT: &str = "
nats: { nat-a: symmetric, nat-b: port-restricted-cone }
servers: { stun: { stun: [3478/udp] }, turn: { turn: [3478/udp] } }
peers: { alice: { behind: nat-a }, bob: { behind: nat-b } }
calls: [alice -> bob]
";

#[divan::bench(sample_count = 20)]
fn singles(bencher: Bencher<'_, '_>) {
    explained(bencher, Depth::Singles);
}

#[divan::bench(sample_count = 5)]
fn pairs(bencher: Bencher<'_, '_>) {
    explained(bencher, Depth::Pairs);
}

fn explained(bencher: Bencher<'_, '_>, depth: Depth) {
    let (source, overrides, limits) = (Source::new("bench", TEXT), Overrides::default(), Limits::DEFAULT);
    let plan = scenario::load(&source, &overrides, &limits).expect("a valid scenario");
    let options = RunOptions { record: true, ..RunOptions::default() };
    let (run, outcome) = simulate(&plan, &options).expect("a finished run");
    let experiment = Experiment { source: &source, overrides: &overrides, limits: &limits };
    bencher.bench(|| explain(&plan, &run, &outcome, &experiment, depth).expect("an explanation"));
}
