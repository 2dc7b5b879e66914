//! The truth tables come out of real runs, for every seed tried. No stack deviates from them in any cell; what stacks do
//! otherwise than the RFCs say is listed beside each adapter (`DEVIATIONS`).

use punchlab::matrix::{MatrixOptions, Site, cell, legacy_sites, rfc4787_sites};
use punchlab::plan::{FilterScope, Path, ReplyMapping, StackKind};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;

/// Rows call, columns answer; d direct, s stun, r relay, - failed. The order is that of `legacy_sites`. TURN speaks
/// UDP here, so behind a network that blocks UDP nothing works.
const LEGACY: [&str; 7] = [
    //           none full-c restr port-r symm firewall blocked
    /* none          */
    "d s s s s d -",
    /* full-cone     */ "s s s s s s -",
    /* restricted    */ "s s s s s s -",
    /* port-restr.   */ "s s s s r s -",
    /* symmetric     */ "s s s r r r -",
    /* sym. firewall */ "d s s s r d -",
    /* udp-blocked   */ "- - - - - - -",
];

/// eduP2P's kernel experiment over all RFC 4787 combinations, in the order of `rfc4787_sites`: mappings EIM, ADM, APDM,
/// each with filtering EIF, ADF, APDF. s: the peers reach each other; r: only a relay helps.
const RFC4787: [&str; 9] = [
    /* EIM-EIF   */ "s s s s s s s s s",
    /* EIM-ADF   */ "s s s s s s s s s",
    /* EIM-APDF  */ "s s s s r r s r r",
    /* ADM-EIF   */ "s s s s s s s s s",
    /* ADM-ADF   */ "s s r s r r s r r",
    /* ADM-APDF  */ "s s r s r r s r r",
    /* APDM-EIF  */ "s s s s s s s s s",
    /* APDM-ADF  */ "s s r s r r s r r",
    /* APDM-APDF */ "s s r s r r s r r",
];

#[test]
fn the_legacy_table_holds_for_every_seed() {
    for seed in SEEDS {
        assert_table(&legacy_sites(), &LEGACY, &MatrixOptions { seed, ..MatrixOptions::default() });
    }
}

#[test]
fn the_rfc_4787_table_holds_for_every_seed() {
    for seed in SEEDS {
        assert_table(&rfc4787_sites(), &RFC4787, &MatrixOptions { seed, ..MatrixOptions::default() });
    }
}

/// Filters that belong to the internal endpoint, as RFC 4787 §5 words it, let in 20 pairs more: all but those where both
/// sides filter by port and map per destination.
#[test]
fn filters_per_endpoint_leave_four_pairs_to_the_relay() {
    let table = RFC4787.map(|row| row.replace('r', "s"));
    let mut table = table.each_ref().map(|row| row.split(' ').collect::<Vec<_>>());
    for strict in [5, 8] {
        (table[strict][5], table[strict][8]) = ("r", "r");
    }
    let table = table.map(|row| row.join(" "));
    let options = MatrixOptions { filter_scope: FilterScope::Endpoint, ..MatrixOptions::default() };
    assert_table(&rfc4787_sites(), &table.each_ref().map(String::as_str), &options);
}

/// Replies that leave by the mapping rule instead of the admitting mapping: a NAT that lets anybody in but maps per
/// destination then answers from an address that strict filters do not know.
#[test]
fn replies_by_destination_lose_pairs_of_open_filters_behind_dependent_mappings() {
    let table = [
        "s s s s s s s s s",
        "s s s s s s s s s",
        "s s s r r r r r r",
        "s s r s s r s s r",
        "s s r s r r s r r",
        "s s r r r r r r r",
        "s s r s s r s s r",
        "s s r s r r s r r",
        "s s r r r r r r r",
    ];
    let options = MatrixOptions { reply_mapping: ReplyMapping::ByDestination, ..MatrixOptions::default() };
    assert_table(&rfc4787_sites(), &table, &options);
}

#[cfg(feature = "rtc")]
#[test]
fn the_tables_hold_for_the_other_stack_and_for_both_together() {
    use StackKind::{Is, Rtc};
    for (caller, callee) in [(Rtc, Rtc), (Is, Rtc), (Rtc, Is)] {
        for seed in 1..=5 {
            let options = MatrixOptions { caller, callee, seed, ..MatrixOptions::default() };
            assert_table(&legacy_sites(), &LEGACY, &options);
            assert_table(&rfc4787_sites(), &RFC4787, &options);
        }
    }
}

#[test]
fn without_turn_what_was_relayed_fails_and_nothing_else_changes() {
    let options = MatrixOptions { turn: false, ..MatrixOptions::default() };
    let table = LEGACY.map(|row| row.replace('r', "-"));
    assert_table(&legacy_sites(), &table.each_ref().map(String::as_str), &options);
}

/// Every cell that differs is reported, not only the first.
fn assert_table(sites: &[Site], table: &[&str], options: &MatrixOptions) {
    let mut wrong = Vec::new();
    for (caller, row) in sites.iter().zip(table) {
        for (callee, letter) in sites.iter().zip(row.split(' ')) {
            let wanted = path(letter);
            let got = cell(caller, callee, options).expect("a finished run");
            if got != wanted {
                wrong.push(format!("{} x {}: {got} instead of {wanted}", caller.name, callee.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{options:?}\n{}", wrong.join("\n"));
}

fn path(letter: &str) -> Path {
    match letter {
        "d" => Path::Direct,
        "s" => Path::Stun,
        "r" => Path::Relay,
        "-" => Path::Failed,
        other => panic!("no path is called {other}"),
    }
}
