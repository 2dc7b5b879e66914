//! What the page shows, as data: everything is final text and numbers, and the page only selects by time and draws.
//!
//! Times are milliseconds of virtual time, nodes are indexes into `nodes`. Packets that look alike share a `kind`, those
//! that also took as long share a `timing`, so that an hour of keepalives stays small.

mod agents;
mod downloads;
mod packets;
mod scene;
mod state;
mod tabs;
mod tells;

use serde::Serialize;

use crate::explain::Flips;
use crate::report::Report;
use crate::report::journey::{Journey, journeys};
use crate::scenario::Source;

pub use downloads::Download;

/// The version of the data's shape; the page and the data are always written together.
const VERSION: u32 = 1;

/// How many packets a page holds. The run's later ones are counted, and the page says so.
pub const MOST_PACKETS: usize = 20_000;

/// Everything.
#[derive(Debug, Serialize)]
pub struct Data {
    version: u32,
    program: &'static str,
    title: String,
    file: Option<String>,
    seed: u64,
    duration_ms: f64,
    packet_count: u64,
    missing: Option<String>,
    tabs: Vec<tabs::Tab>,
    topology: scene::Canvas,
    nodes: Vec<scene::Node>,
    links: Vec<scene::Link>,
    kinds: Vec<packets::Kind>,
    timings: Vec<packets::Timing>,
    packets: Vec<packets::Packet>,
    attributes: Vec<packets::Attributes>,
    moments: Vec<tabs::Moment>,
    nats: Vec<state::Nat>,
    turns: Vec<state::Turn>,
    agents: Vec<agents::Agent>,
    drops: Vec<tells::Drop>,
    expectations: Vec<tells::Expectation>,
    flips: Option<tells::FlipLists>,
    assumed: Vec<String>,
    scenario: downloads::Text,
    downloads: Vec<Download>,
    /// Which version of a watched page this is.
    pub(super) watch: Option<Watch>,
}

/// How a page finds out that there is a newer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Watch {
    /// The file name of the script that names the newest version, in the page's folder.
    pub script: String,
    /// The page's own version.
    pub stamp: String,
}

impl Data {
    /// The data of a report. `source` is the scenario's text.
    pub fn new(report: Report<'_>, source: &Source, flips: Option<&Flips>) -> Self {
        let all = journeys(report);
        let kept = &all[..all.len().min(MOST_PACKETS)];
        let book = packets::Book::new(report, kept);
        let (tabs, moments) = tabs::tabs(report, kept, &book);
        let scene = scene::Scene::new(report);
        Self {
            version: VERSION,
            program: concat!("punchlab ", env!("CARGO_PKG_VERSION")),
            title: report.outcome.scenario.clone(),
            file: report.outcome.file.clone(),
            seed: report.outcome.seed,
            duration_ms: report.outcome.virtual_ms,
            packet_count: report.run.packets,
            missing: missing(report, &all, &book),
            tabs,
            topology: scene.canvas,
            nodes: scene.nodes,
            links: scene.links,
            moments,
            nats: state::nats(report, kept, &book),
            turns: state::turns(report),
            agents: agents::agents(report, &book),
            drops: tells::drops(report, kept, &book),
            expectations: tells::expectations(report),
            flips: flips.map(tells::FlipLists::new),
            assumed: crate::report::human::assumed(report.plan),
            scenario: downloads::scenario(source),
            downloads: downloads::downloads(report, source),
            kinds: book.kinds,
            timings: book.timings,
            packets: book.packets,
            attributes: book.attributes,
            watch: None,
        }
    }
}

/// What the page does not hold, in words.
fn missing(report: Report<'_>, all: &[Journey<'_>], book: &packets::Book) -> Option<String> {
    let mut sentences = Vec::new();
    let truncated = report.run.trace.as_ref().is_some_and(|trace| trace.truncated > 0);
    if all.len() > MOST_PACKETS || truncated {
        let (shown, count) = (all.len().min(MOST_PACKETS), report.run.packets);
        sentences.push(format!("This page shows the first {shown} of the run's {count} packets."));
    }
    if let Some(rest) = report.run.trace.as_ref().map(|trace| trace.at_rest).filter(|rest| *rest > 0) {
        sentences.push(format!("It leaves out {rest} packets that calls at rest sent to stay alive."));
    }
    if !book.is_complete {
        let most = packets::MOST_MESSAGES;
        sentences.push(format!("The first {most} different messages are shown attribute by attribute."));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}
