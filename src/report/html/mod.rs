//! A run as one HTML file that needs nothing else: verdict, network, time bar, ladder, tables at every instant.
//!
//! The page's data stands in it as JSON; its script only draws. Nothing is fetched, and a content security policy that
//! names the script's hash keeps it so whatever a scenario is called.

mod data;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{Report, sentences};
use crate::explain::Flips;
use crate::outcome::CallOutcome;
use crate::scenario::Source;

pub use data::{Data, MOST_PACKETS};

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
    "main.js",
);

/// The page of a recorded run. `source` is the scenario's text, which the page shows and lets its reader save; `flips`
/// are the changes that would have given a call another path, if they were looked for.
pub fn write(report: Report<'_>, source: &Source, flips: Option<&Flips>) -> String {
    let data = serde_json::to_string(&Data::new(report, source, flips)).unwrap_or_default();
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    fill(&[
        ("{{TITLE}}", &escaped(&report.outcome.scenario)),
        ("{{VERDICT}}", &verdict(report)),
        ("{{STYLE}}", STYLE),
        ("{{SCRIPT}}", SCRIPT),
        ("{{CSP_HASH}}", &hash),
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
            escaped(&call.from),
            escaped(&call.to),
            escaped(&sentences::result(report.plan, call)),
            escaped(&call.why),
        )
    };
    report.outcome.calls.iter().map(call).collect()
}

/// Text as HTML shows it, in elements and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}
