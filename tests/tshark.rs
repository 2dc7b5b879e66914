//! Captures are read by the real Wireshark, if it is here.

mod common;

use common::tshark::{tshark, tshark_is_here};
use punchlab::engine::{Run, RunOptions};
use punchlab::plan::Plan;
use punchlab::report::capture;
// The names the fixture knows the crate's parts by.
use punchlab::{base, engine, outcome, plan, report, trace, wire};

#[allow(dead_code, reason = "a capture needs only a part of the fixture")]
#[path = "../src/report/fixture/mod.rs"]
mod fixture;

#[test]
fn tshark_finds_nothing_malformed_in_a_capture() {
    if !tshark_is_here() {
        return;
    }
    let text = tshark(capture_of_the_fixture(), &CHECKED);
    for expected in ["Session Traversal Utilities for NAT", "Channel", "Checksum Status: Good"] {
        assert!(text.contains(expected), "no {expected}");
    }
    assert_nothing_is_malformed(&text);
}

/// Real runs: relays with channels, hairpins, ICMP errors, both stacks.
#[test]
fn tshark_finds_nothing_malformed_in_real_runs() {
    if !tshark_is_here() {
        return;
    }
    let names = [
        "symmetric-x-symmetric",
        "cgn-hairpin",
        "host-quota",
        "relay-only-policy",
        "two-stacks",
        "dual-stack-ipv6-firewall",
        "ipv6-only-phone-464xlat",
        "ipv6-only-phone-nat64",
        "mdns-two-homes",
    ];
    for name in names {
        let text = tshark(capture_of_a_scenario(name), &CHECKED);
        assert!(text.contains("Session Traversal Utilities for NAT"), "{name}");
        assert_nothing_is_malformed(&text);
    }
}

/// Decode everything, and check all checksums.
const CHECKED: [&str; 5] = ["-V", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"];

fn assert_nothing_is_malformed(text: &str) {
    let complaints = ["[Malformed", "_ws.malformed", "Checksum Status: Bad", "[Expert Info (Error"];
    let is_complaint = |line: &&str| complaints.iter().any(|complaint| line.contains(complaint));
    assert_eq!(text.lines().filter(is_complaint).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn tshark_reads_names_that_are_asked_for_and_answered() {
    if !tshark_is_here() {
        return;
    }
    let text = tshark(capture_of_a_scenario("mdns-same-lan"), &CHECKED);
    for expected in [
        "Multicast Domain Name System (query)",
        "Multicast Domain Name System (response)",
        "type A, class IN, cache flush, addr 10.0.1.2",
    ] {
        assert!(text.contains(expected), "no {expected}");
    }
    assert_nothing_is_malformed(&text);
}

#[test]
fn tshark_shows_interfaces_directions_names_and_comments() {
    if !tshark_is_here() {
        return;
    }

    let fields = ["frame.interface_name", "frame.packet_flags_direction", "frame.time_epoch", "ip.src_host"];
    let mut arguments = vec!["-N", "dn", "-T", "fields", "-e", "frame.comment"];
    arguments.extend(fields.iter().flat_map(|field| ["-e", field]));
    let text = tshark(capture_of_the_fixture(), &arguments);

    let first = text.lines().next().unwrap_or_default();
    assert!(first.starts_with("\talice:0\t"), "{first}");
    assert!(first.contains("946684800.000000000"), "{first}");
    assert!(first.ends_with("alice"), "{first}");
    assert!(text.contains("dropped by nat-b: nat-filtered: 198.51.100.1:41001 accepts only"), "{text}");
}

fn capture_of_the_fixture() -> Vec<u8> {
    let fixture::Fixture { plan, run, .. } = fixture::Fixture::relay();
    captured(&plan, &run)
}

fn capture_of_a_scenario(name: &str) -> Vec<u8> {
    let plan = common::plan_of_file(format!("scenarios/{name}.nat.yaml").as_ref(), 1);
    let run =
        engine::run(&plan, &RunOptions { record: true, ..RunOptions::default() }).expect("a finished run");
    captured(&plan, &run)
}

fn captured(plan: &Plan, run: &Run) -> Vec<u8> {
    let mut bytes = Vec::new();
    capture::write(&mut bytes, plan, run.seed, run.trace.as_ref().expect("a trace")).expect("memory");
    bytes
}
