//! `docs/stacks.md` is what the adapters say of their stacks.
#![cfg(feature = "rtc")]

use punchlab::agent::{Deviation, is_stack, rtc_stack};

const FILE: &str = "docs/stacks.md";

#[test]
fn the_page_about_the_stacks_is_what_the_adapters_say() {
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(FILE, &page).expect("a writable file");
    }
    let stands = std::fs::read_to_string(FILE).expect("the page");
    assert!(stands == page, "{FILE} is stale; refresh it with UPDATE_DOCS=1 cargo test --test stacks_doc");
}

#[test]
fn every_deviation_has_a_name_of_its_own() {
    for deviations in [is_stack::DEVIATIONS, rtc_stack::DEVIATIONS] {
        let mut ids: Vec<_> = deviations.iter().map(|deviation| deviation.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), deviations.len());
    }
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page += &section("`is`: str0m's agent, the default", is_stack::DEVIATIONS);
    page += &section("`rtc`: `rtc-ice` with `rtc-turn` of webrtc-rs", rtc_stack::DEVIATIONS);
    page
}

const INTRODUCTION: &str = "\
# The ICE stacks, and where they depart from the RFCs

<!-- Generated from src/agent. To refresh: UPDATE_DOCS=1 cargo test --test stacks_doc -->

punchlab runs real stacks, so it shows what they do and not what the RFCs ask for. None of the departures below changes a
cell of the truth tables: direct, stun and relay come out alike for every pair of NAT types, with either stack on either side.
They change when a call connects, how many packets it takes, and which of several relays carries it. The tables are taken
over links of a few milliseconds: over long ones two *different* stacks may keep a relay where either of them alone finds the
direct path. `is` behind a restricted cone that calls `rtc` behind a symmetric NAT over a geostationary satellite does so.
";

fn section(title: &str, deviations: &[Deviation]) -> String {
    let mut section =
        format!("\n## {title}\n\n| name | text | what it does | what follows |\n|---|---|---|---|\n");
    for Deviation { id, rfc, what, effect } in deviations {
        section += &format!("| `{id}` | {rfc} | {what} | {effect} |\n");
    }
    section
}
