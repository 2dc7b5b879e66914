//! A run as one HTML file that needs nothing else: verdict, network, time bar, ladder, tables at every instant.
//!
//! The page's data stands in it as JSON; its script only draws. Nothing is fetched, and a content security policy that
//! names the script's hash keeps it so whatever a scenario is called.

mod data;
mod endpoints;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::svg::escape;
use super::{Report, sentences};
use crate::explain::Flips;
use crate::outcome::CallOutcome;
use crate::scenario::Source;

pub use data::{Data, MOST_PACKETS, Watch};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");

macro_rules! scripts {
    ($($file:literal),+ $(,)?) => {
        concat!("\"use strict\";(() => {\n", $(include_str!($file), "\n",)+ "})();\n")
    };
}

/// The page's script. Each file uses what stands in those before it; the last one starts everything.
const SCRIPT: &str = scripts!(
    "dom.js",
    "model.js",
    "state.js",
    "rows.js",
    "flips.js",
    "verdict.js",
    "timebar.js",
    "shapes.js",
    "topology.js",
    "ladder-row.js",
    "ladder.js",
    "tables.js",
    "agents.js",
    "details.js",
    "filters.js",
    "extras.js",
    "keys.js",
    "watch.js",
    "main.js",
);

/// The page of a recorded run. `source` is the scenario's text, which the page shows and lets its reader save; `flips`
/// are the changes that would have given a call another path, if they were looked for.
pub fn write(report: Report<'_>, source: &Source, flips: Option<&Flips>) -> String {
    page(&Data::new(report, source, flips), report, "")
}

/// The same page, which looks for a new version of itself while it is open: in the script beside it that
/// [`stamp_script`] makes.
pub fn write_watched(report: Report<'_>, source: &Source, flips: Option<&Flips>, watch: Watch) -> String {
    let mut data = Data::new(report, source, flips);
    data.watch = Some(watch);
    // The one thing such a page loads is a script from the same disk.
    page(&data, report, " file:")
}

/// The script that tells an open page which version is the newest.
pub fn stamp_script(stamp: &str) -> String {
    format!("punchlabStamp({});\n", serde_json::Value::from(stamp))
}

fn page(data: &Data, report: Report<'_>, more_scripts: &str) -> String {
    let data = serde_json::to_string(data).unwrap_or_default();
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    fill(&[
        ("{{TITLE}}", &escape(&report.outcome.scenario)),
        ("{{VERDICT}}", &verdict(report)),
        ("{{STYLE}}", STYLE),
        ("{{SCRIPT}}", SCRIPT),
        ("{{CSP_HASH}}", &hash),
        ("{{CSP_WATCH}}", more_scripts),
        // Inside a script element only `<` could end it or begin a comment.
        ("{{DATA}}", &data.replace('<', "\\u003c")),
    ])
}

/// The page with its placeholders filled, each in one pass: what fills one is never searched for another.
fn fill(values: &[(&str, &str)]) -> String {
    let mut page =
        String::with_capacity(PAGE.len() + values.iter().map(|(_, value)| value.len()).sum::<usize>());
    let mut rest = PAGE;
    while let Some(start) = rest.find("{{") {
        let (before, at) = rest.split_at(start);
        page.push_str(before);
        match values.iter().find(|(name, _)| at.starts_with(name)) {
            Some((name, value)) => {
                page.push_str(value);
                rest = &at[name.len()..];
            }
            None => {
                page.push_str("{{");
                rest = &at[2..];
            }
        }
    }
    page.push_str(rest);
    page
}

/// The verdict for readers without JavaScript; the script puts its own in its place.
fn verdict(report: Report<'_>) -> String {
    let call = |call: &CallOutcome| {
        format!(
            "<p><strong>{}</strong> <bdi>{} → {}</bdi> {}</p>\n<p>{}</p>\n",
            call.path.word().to_uppercase(),
            escape(&call.from),
            escape(&call.to),
            escape(&sentences::result(report.plan, call)),
            escape(&call.why),
        )
    };
    let mut verdict: String = report.outcome.calls.iter().map(call).collect();
    if !report.run.endpoints.is_empty() {
        verdict.push_str(&format!(
            "<p><strong>ENDPOINTS</strong> {}</p>\n<p>{}</p>\n",
            escape(&endpoints::in_one_sentence(report)),
            escape(&endpoints::one_by_one(report)),
        ));
    }
    verdict
}
