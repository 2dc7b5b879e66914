//! A measured network as the section of a scenario that behaves like it.

use crate::discover::{Findings, Lifetime, Measurement};
use crate::plan::{FilteringBehavior, MappingBehavior, NatBehavior, Nickname};

/// What the box in it is called.
const NAME: &str = "measured";
/// Steps in which people choose timers, in seconds; the roundest that fits is taken.
const ROUND: [u64; 6] = [600, 300, 60, 30, 10, 5];

/// YAML to paste into a scenario. What could not be measured stands as a comment, with what is taken instead.
pub fn profile(measurement: &Measurement) -> String {
    let found = &measurement.found;
    let mut text = format!(
        "# Measured by punchlab with the STUN server {}.\n\
         # All boxes on the way to it, as if they were one. Other axes are left at their defaults.\n",
        measurement.address
    );
    text.extend(found.notes.iter().map(|note| format!("# {note}\n")));
    text += &match found.translated {
        Some(false) => without_nat(found.fresh.filtering),
        Some(true) => nat(found),
        None => "# Nothing could be measured, so there is nothing to paste.\n".into(),
    };
    text
}

fn without_nat(filtering: Option<FilteringBehavior>) -> String {
    let nickname = |nickname: Nickname| format!("nats:\n  {NAME}: {{ type: {nickname} }}\n");
    match filtering {
        Some(FilteringBehavior::EndpointIndependent) => {
            format!("# No NAT, and no firewall that filters.\n{}", nickname(Nickname::None))
        }
        Some(FilteringBehavior::AddressAndPortDependent) => {
            format!("# No NAT, but a firewall.\n{}", nickname(Nickname::SymmetricFirewall))
        }
        Some(FilteringBehavior::AddressDependent) => {
            let filtering = FilteringBehavior::AddressDependent;
            format!("# No NAT, but a firewall.\nfirewalls:\n  {NAME}: {{ filtering: {filtering} }}\n")
        }
        None => format!(
            "# No NAT. Whether there is a firewall was not measured; the stricter is taken.\n{}",
            nickname(Nickname::SymmetricFirewall)
        ),
    }
}

fn nat(found: &Findings) -> String {
    let defaults =
        NatBehavior::new(MappingBehavior::EndpointIndependent, FilteringBehavior::AddressAndPortDependent);
    let mut text = format!("nats:\n  {NAME}:\n");
    text += &required("mapping", found.fresh.mapping, defaults.mapping);
    text += &required("filtering", found.fresh.filtering, defaults.filtering);
    text += &optional("port-assignment", found.port_assignment, defaults.ports.assignment);
    text += &optional("hairpinning", found.hairpinning, defaults.hairpinning);
    text += &match found.lifetime {
        Some(found) => timers(found, &defaults),
        None => optional("udp-timeout", None, defaults.lifetimes.udp),
    };
    text
}

/// A key that a NAT has to have.
fn required<T: ToString>(key: &str, found: Option<T>, otherwise: T) -> String {
    match found {
        Some(value) => format!("    {key}: {}\n", value.to_string()),
        None => format!("    {key}: {}   # not measured\n", otherwise.to_string()),
    }
}

/// A key with a default, which is all that a comment has to tell.
fn optional<T: ToString>(key: &str, found: Option<T>, default: T) -> String {
    match found {
        Some(value) => format!("    {key}: {}\n", value.to_string()),
        None => format!("    # {key}: {}   (not measured; this is the default)\n", default.to_string()),
    }
}

/// The mapping's life, as round as people choose it, and one for unanswered mappings that is no longer.
fn timers(found: Lifetime, defaults: &NatBehavior) -> String {
    let seconds = |ms: f64| (ms / 1_000.0) as u64;
    let at_least = seconds(found.at_least_ms);
    let (timeout, bounds) = match found.below_ms.map(seconds) {
        None => (2 * at_least, format!("longer than {at_least}s; twice that is taken")),
        Some(below) => (roundest(at_least, below), format!("between {at_least}s and {below}s")),
    };
    let mut text = format!("    udp-timeout: {timeout}s   # {bounds}\n");
    if timeout * 1_000_000_000 < defaults.lifetimes.udp_unreplied.as_nanos() {
        text += &format!("    udp-timeout-unreplied: {timeout}s   # not measured\n");
    }
    text
}

/// A mapping that outlived a silence lives longer than that.
fn roundest(outlived: u64, below: u64) -> u64 {
    let shortest = outlived + 1;
    let multiple = |step: u64| shortest.next_multiple_of(step);
    ROUND.into_iter().map(multiple).find(|timeout| *timeout < below).unwrap_or(shortest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Limits;
    use crate::discover::lab;
    use crate::plan::Plan;
    use crate::report::human::Options;
    use crate::report::measurement::write;
    use crate::scenario::{self, Overrides, Source};

    fn plan(text: &str) -> Plan {
        let text = format!("{text}\npeers: {{ alice: {{}}, bob: {{}} }}\ncalls: [alice -> bob]\n");
        let source = Source::new("test", text);
        let loaded = scenario::load(&source, &Overrides::default(), &Limits::DEFAULT);
        loaded.unwrap_or_else(|rejection| panic!("{rejection}"))
    }

    fn measured(plan: &Plan, name: &str) -> Measurement {
        let node = plan.topology.find(name).expect("a node");
        let one = lab::discover(plan, node, true, &Limits::DEFAULT).expect("a finished run");
        Measurement::new("stun.example", "192.0.2.1:3478".parse().expect("an address"), one.found)
    }

    /// What is pasted behaves as what was measured.
    #[test]
    fn a_profile_is_measured_again_as_it_was() {
        for section in [
            "nats: { home: port-restricted-cone }",
            "nats: { home: { mapping: adm, filtering: adf, port-assignment: sequential, udp-timeout: 65s } }",
            "nats: { home: { type: symmetric, udp-timeout: 20s, udp-timeout-unreplied: 5s } }",
            "nats: { home: { type: full-cone, hairpinning: internal-source, udp-timeout: 1h } }",
            "nats: { home: { type: full-cone, udp-timeout: 4s, udp-timeout-unreplied: 4s } }",
            "nats: { home: none }",
            "nats: { home: symmetric-firewall }",
            "firewalls: { home: { filtering: address-dependent } }",
        ] {
            let first = measured(&plan(section), "home");
            let pasted = profile(&first);
            let again = measured(&plan(&pasted), NAME);
            assert_eq!(again.found.fresh, first.found.fresh, "{section}\n{pasted}");
            assert_eq!(again.found.port_assignment, first.found.port_assignment, "{section}\n{pasted}");
            assert_eq!(again.found.hairpinning, first.found.hairpinning, "{section}\n{pasted}");
            assert_eq!(again.found.lifetime, first.found.lifetime, "{section}\n{pasted}");
        }
    }

    #[test]
    fn a_measurement_reads_well_as_text_and_as_a_profile() {
        let plan = plan("nats: { home: { type: symmetric, udp-timeout: 30s } }");
        let measurement = measured(&plan, "home");
        insta::assert_snapshot!("text", write(&measurement, Options::default()));
        insta::assert_snapshot!("profile", profile(&measurement));
    }

    #[test]
    fn what_was_not_measured_is_taken_and_said_to_be() {
        let mut measurement = measured(&plan("nats: { home: full-cone }"), "home");
        measurement.found.fresh = Default::default();
        measurement.found.lifetime = None;
        measurement.found.hairpinning = None;
        let text = profile(&measurement);
        plan(&text);
        assert!(text.contains("mapping: endpoint-independent   # not measured"), "{text}");
        assert!(text.contains("# udp-timeout: 120s   (not measured; this is the default)"), "{text}");
        measurement.found.translated = None;
        assert!(profile(&measurement).contains("nothing to paste"));
    }

    #[test]
    fn timers_are_as_round_as_the_bounds_allow() {
        for (outlived, below, timeout) in [
            (115, 121, 120),
            (25, 31, 30),
            (60, 66, 65),
            (176, 182, 180),
            (0, 11, 10),
            (296, 302, 300),
            (61, 64, 62),
        ] {
            assert_eq!(roundest(outlived, below), timeout, "{outlived} to {below}");
        }
    }
}
