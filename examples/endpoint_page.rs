//! Pages of runs of a protocol of one's own: `hole_punching` through NATs that let it and through NATs that do not, and
//! beside a call.
//!
//! Write them with `cargo run --example endpoint_page -- FOLDER`.

use std::error::Error;
use std::path::PathBuf;

use punchlab::lab::Scenario;

#[allow(dead_code, reason = "its `main` prints, this one writes")]
#[path = "hole_punching.rs"]
mod hole_punching;

/// Two more peers, who call each other.
const CALL: [(&str, &str); 4] = [
    ("peers.carol", "{ behind: home }"),
    ("peers.dave", "{ behind: office }"),
    ("servers", "{ stun: { stun: [3478/udp] } }"),
    ("calls", "[carol -> dave]"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("name a folder to write the pages to")?);
    let through = Scenario::text("hole punching", hole_punching::NETWORK);
    let filtered = through.clone().set("nats.office", "symmetric");
    let beside = CALL.iter().fold(through.clone(), |network, (key, value)| network.set(*key, *value));
    for (name, network) in [("through", through), ("filtered", filtered), ("beside-a-call", beside)] {
        let (_, run) = hole_punching::punch(&network)?;
        std::fs::write(folder.join(format!("{name}.html")), run.html())?;
    }
    Ok(())
}
