//! How long TCP connections are remembered, by what the file says.

use super::*;

/// Each timer alone is a statement; the other one follows it.
#[test]
fn no_connection_lives_longer_before_it_is_established_than_after() {
    let seconds =
        |lifetimes: TcpLifetimes| (lifetimes.established.to_string(), lifetimes.transitory.to_string());
    for (keys, established, transitory) in [
        ("", "7440s", "240s"),
        (", tcp-timeout: 350s", "350s", "240s"),
        (", tcp-timeout: 1m", "60s", "60s"),
        (", tcp-timeout-transitory: 3h", "10800s", "10800s"),
        (", tcp-timeout: 5m, tcp-timeout-transitory: 30s", "300s", "30s"),
    ] {
        let plan = plan(&format!(
            "nats: {{ n: {{ type: symmetric{keys} }} }}\npeers: {{ a: {{ behind: n }}, b: {{}} }}\ncalls: [a -> b]"
        ));
        let Element::Nat(nat) = element(&plan, "n") else { panic!("a NAT") };
        let expected = (established.to_owned(), transitory.to_owned());
        assert_eq!(seconds(nat.behavior.lifetimes.tcp), expected, "{keys}");
    }
}

#[test]
fn firewalls_of_all_kinds_have_a_timer_for_tcp() {
    let plan = plan(
        "nats: { s: { type: symmetric-firewall, tcp-timeout: 60s },\n\
         \x20       n: { type: symmetric, ipv6: { prefix: \"2001:db8:a::/64\", tcp-timeout: 60s } } }\n\
         firewalls: { f: { tcp-timeout: 60s }, p: { profile: aws-security-group, tcp-timeout: 60s }, d: {} }\n\
         peers: { a: { behind: n }, b: {} }\ncalls: [a -> b]",
    );
    let lifetimes = |name: &str| match element(&plan, name) {
        Element::Firewall(firewall) => firewall.tcp,
        Element::Nat(nat) => nat.ipv6.as_ref().expect("an IPv6 side").tcp,
        other => panic!("{other:?}"),
    };
    for name in ["s", "n", "f", "p"] {
        assert_eq!(lifetimes(name), TcpLifetimes::established(SimDuration::from_secs(60)), "{name}");
    }
    assert_eq!(lifetimes("d"), TcpLifetimes::DEFAULT);
}
