//! Every file of a profile is whole, cites its sources and says what it has from memory.

use super::*;
use crate::plan::MappingBehavior;
use crate::scenario::keys;

/// What only a place in a topology has, and what a box may do without.
const NOT_OF_A_PROFILE: [&str; 5] = ["behind", "profile", "link", "inspect", "proxy"];

#[test]
fn every_nat_profile_spells_out_every_axis_and_reads_back() {
    for profile in of_kind(ProfileKind::Nat) {
        let behavior = profile.behavior().expect(profile.name);
        for (key, value) in axes_of(&behavior) {
            assert!(
                profile.text.contains(&format!("\n{key}: {value}\n")),
                "{}: {key}: {value}",
                profile.name
            );
        }
    }
}

#[test]
fn every_firewall_profile_has_every_key_of_a_firewall() {
    for profile in of_kind(ProfileKind::Firewall) {
        let firewall = profile.firewall().expect(profile.name);
        for key in keys::FIREWALL.keys.iter().filter(|key| !NOT_OF_A_PROFILE.contains(&key.name)) {
            assert!(profile.text.contains(&format!("\n{}:", key.name)), "{}: {}", profile.name, key.name);
        }
        if firewall.outbound.default == Access::Deny {
            assert!(
                profile.text.contains("\n  allow: ") && profile.text.contains("\n  action: "),
                "{}",
                profile.name
            );
        }
    }
}

/// Else `filtering` and `udp-timeout` beside it in a scenario would do nothing, and nobody would say so.
#[test]
fn no_firewall_profile_lets_everything_in() {
    for profile in of_kind(ProfileKind::Firewall) {
        assert_eq!(profile.firewall().expect(profile.name).inbound, InboundPolicy::Deny, "{}", profile.name);
    }
}

#[test]
fn every_profile_has_a_title_and_sources() {
    for profile in profiles() {
        let head: Vec<&str> = profile.text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(head[0].ends_with('.') && head[1] == "#", "{}: {}", profile.name, head[0]);
        assert_eq!(head.iter().filter(|line| line.starts_with("# Sources: ")).count(), 1, "{}", profile.name);
    }
}

#[test]
fn what_is_known_from_memory_only_is_a_key_of_the_file() {
    for profile in profiles() {
        let names_some = profile.text.contains("\n# Unverified: ");
        assert_eq!(profile.unverified().is_empty(), !names_some, "{}", profile.name);
        for key in profile.unverified() {
            let leaf = key.rsplit('.').next().unwrap_or(key);
            let stands = profile.text.lines().any(|line| line.trim_start().starts_with(&format!("{leaf}:")));
            assert!(stands, "{}: {key}", profile.name);
        }
    }
}

#[test]
fn names_are_unique_and_aliases_lead_to_files() {
    let names = profile_names();
    for (at, name) in names.iter().enumerate() {
        assert!(!names[..at].contains(name), "{name} twice");
        assert!(Nickname::from_alias(name).is_none(), "{name} is a nickname");
    }
    for (profile, alias) in profiles().filter_map(|profile| Some((profile, profile.alias?))) {
        let of = find(alias.of).expect(alias.of);
        assert!(of.alias.is_none() && of.kind == profile.kind && of.text == profile.text, "{}", profile.name);
        assert!(!alias.why.is_empty() && alias.why.lines().all(|line| line.len() <= 118), "{}", profile.name);
    }
}

#[test]
fn an_alias_prints_why_it_is_one_above_the_file() {
    let text = profile("docker-bridge").expect("a profile");
    assert!(
        text.starts_with("# docker-bridge: another name for linux-masquerade.\n# Docker's manual"),
        "{text}"
    );
    assert!(text.contains("#\n# Linux netfilter"), "{text}");
    assert!(text.ends_with("unsolicited: drop\n"), "{text}");
}

#[test]
fn a_summary_marks_what_is_known_from_memory_only() {
    let summary = find("windows-nat").and_then(Profile::summary).expect("a profile");
    assert_eq!((summary.what.as_str(), summary.timers.as_str()), ("EIM?-ADF", "120s"));
}

/// No two files say the same: one of them would be an alias.
#[test]
fn no_two_files_of_a_section_describe_the_same_device_under_the_same_title() {
    let files: Vec<&Profile> = profiles().filter(|profile| profile.alias.is_none()).collect();
    for (at, profile) in files.iter().enumerate() {
        let title = |profile: &Profile| profile.text.lines().next().map(str::to_owned);
        assert!(files[..at].iter().all(|other| title(other) != title(profile)), "{}", profile.name);
    }
    assert!(files.len() > 35, "{}", files.len());
    let symmetric = of_kind(ProfileKind::Nat)
        .filter_map(Profile::behavior)
        .filter(|nat| nat.mapping == MappingBehavior::AddressAndPortDependent);
    assert!(symmetric.count() > 5);
}
