//! Every profile in a call, judged by a rule that knows its axes only: the one that was read off the published table of
//! all RFC 4787 combinations, and off RFC 3489's for networks that let no UDP out.

use punchlab::base::Limits;
use punchlab::discover::Behaviors;
use punchlab::discover::lab::discover;
use punchlab::lab::Scenario;
use punchlab::plan::{Access, FilteringBehavior, MappingBehavior, Path, PortAssignment};
use punchlab::scenario::profiles::{Profile, ProfileKind, of_kind};

/// How a site maps and filters; a firewall maps nothing.
type Axes = (MappingBehavior, FilteringBehavior);

const PORT_RESTRICTED: Axes =
    (MappingBehavior::EndpointIndependent, FilteringBehavior::AddressAndPortDependent);

#[test]
fn nat_profiles_meet_a_port_restricted_cone_as_their_axes_say() {
    for profile in files(ProfileKind::Nat) {
        let found = path(&format!("home: {{ profile: {} }}\n  far: port-restricted-cone", profile.name), "");
        assert_eq!(found, direct_or_relay(axes(profile), PORT_RESTRICTED), "{}", profile.name);
    }
}

#[test]
fn nat_profiles_meet_their_own_kind_as_their_axes_say() {
    for profile in files(ProfileKind::Nat) {
        let nats = format!("home: {{ profile: {0} }}\n  far: {{ profile: {0} }}", profile.name);
        assert_eq!(path(&nats, ""), direct_or_relay(axes(profile), axes(profile)), "{}", profile.name);
    }
}

/// A firewall is a NAT that keeps everything as it is. One that lets out no UDP but DNS reaches nobody here, since the
/// TURN server speaks UDP on port 3478.
#[test]
fn firewall_profiles_meet_symmetric_nats_and_cones_as_their_axes_say() {
    for profile in files(ProfileKind::Firewall) {
        let firewall = profile.firewall().expect("a firewall");
        let own = (MappingBehavior::EndpointIndependent, firewall.filtering);
        let symmetric =
            (MappingBehavior::AddressAndPortDependent, FilteringBehavior::AddressAndPortDependent);
        for (nickname, other) in [("port-restricted-cone", PORT_RESTRICTED), ("symmetric", symmetric)] {
            let wanted = match firewall.outbound.default {
                Access::Deny => Path::Failed,
                Access::Allow => direct_or_relay(own, other),
            };
            let firewalls = format!("firewalls:\n  home: {{ profile: {} }}\n", profile.name);
            assert_eq!(
                path(&format!("far: {nickname}"), &firewalls),
                wanted,
                "{} x {nickname}",
                profile.name
            );
        }
    }
}

#[test]
fn a_key_beside_a_profile_overrides_it_and_the_rest_stays() {
    let opened = "firewalls:\n  home: { profile: corporate, outbound: { default: allow } }\n";
    assert_eq!(path("far: port-restricted-cone", opened), Path::Stun);
    let opened = "firewalls:\n  home: { profile: linux-stateful, filtering: endpoint-independent }\n";
    assert_eq!(path("far: symmetric", opened), Path::Stun);
}

#[test]
fn what_an_alias_stands_for_is_what_runs() {
    for profile in [ProfileKind::Nat, ProfileKind::Firewall].into_iter().flat_map(of_kind) {
        let Some(alias) = profile.alias else { continue };
        let of = punchlab::scenario::profiles::find(alias.of).expect("a profile");
        assert_eq!(profile.behavior(), of.behavior(), "{}", profile.name);
        assert_eq!(profile.firewall(), of.firewall(), "{}", profile.name);
    }
}

/// The client of RFC 5780 stands behind the NAT and knows nothing of its file.
#[test]
fn what_stun_finds_out_about_a_nat_profile_is_what_its_file_says() {
    for profile in files(ProfileKind::Nat) {
        let behavior = profile.behavior().expect("a NAT");
        let text = format!(
            "nats: {{ home: {{ profile: {} }} }}\npeers: {{ alice: {{ behind: home }}, bob: {{}} }}\ncalls: [alice -> bob]\n",
            profile.name
        );
        let plan = Scenario::text("profile.nat.yaml", text).plan().unwrap_or_else(|error| panic!("{error}"));
        let node = plan.topology.find("home").expect("the NAT");

        let found = discover(&plan, node, true, &Limits::DEFAULT).expect("a discovery").found;

        let said = Behaviors { mapping: Some(behavior.mapping), filtering: Some(behavior.filtering) };
        assert_eq!(found.fresh, said, "{}", profile.name);
        // What maps per destination has no endpoint to send to oneself.
        if let Some(hairpinning) = found.hairpinning {
            assert_eq!(hairpinning, behavior.hairpinning, "{}", profile.name);
        }
        let ports = match behavior.ports.assignment {
            PortAssignment::Overloading => PortAssignment::Preservation,
            other => other,
        };
        assert_eq!(found.port_assignment, Some(ports), "{}", profile.name);
        let lifetime = found.lifetime.expect("a lifetime");
        let bounds = lifetime.at_least_ms..=lifetime.below_ms.unwrap_or(f64::MAX);
        assert!(bounds.contains(&behavior.lifetimes.udp.as_millis_f64()), "{}: {bounds:?}", profile.name);
    }
}

fn files(kind: ProfileKind) -> impl Iterator<Item = &'static Profile> {
    of_kind(kind).filter(|profile| profile.alias.is_none())
}

fn axes(profile: &Profile) -> Axes {
    let behavior = profile.behavior().expect("a NAT");
    (behavior.mapping, behavior.filtering)
}

/// Direct if some side lets everybody in, or both map alike for all; or if one side filters by address only, since the
/// other one has a single address.
fn direct_or_relay(one: Axes, other: Axes) -> Path {
    let is_open = |axes: Axes| axes.1 == FilteringBehavior::EndpointIndependent;
    let is_stable = |axes: Axes| axes.0 == MappingBehavior::EndpointIndependent;
    let knows_hosts = |axes: Axes| is_stable(axes) && axes.1 == FilteringBehavior::AddressDependent;
    let (any, all) = (|is: &dyn Fn(Axes) -> bool| is(one) || is(other), is_stable(one) && is_stable(other));
    if any(&is_open) || all || any(&knows_hosts) { Path::Stun } else { Path::Relay }
}

/// The path of a call between a peer behind `home` and one behind `far`.
fn path(nats: &str, firewalls: &str) -> Path {
    let text = format!(
        "nats:\n  {nats}\n{firewalls}servers:\n  stun: {{ stun: [3478/udp] }}\n  turn: {{ turn: [3478/udp] }}\n\
         peers:\n  alice: {{ behind: home }}\n  bob: {{ behind: far }}\ncalls: [alice -> bob]\n"
    );
    let finished = Scenario::text("profile.nat.yaml", text).run().unwrap_or_else(|error| panic!("{error}"));
    finished.call("alice->bob").path
}
