//! Typed calls can say all that a file can.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::base::{Bandwidth, PortRange, Probability};
use crate::lab::Error;
use crate::plan::{
    CandidateType, ConflictBehavior, DenyAction, DropReason, Family, FilterScope, FilteringBehavior,
    Hairpinning, HostCandidates, IceState, IceTransportPolicy, InboundPolicy, Inspect, MappingBehavior,
    MediaKind, Needs, Nickname, Path, Pooling, PortAssignment, PortMapping, ProxyUse, RefreshDirection,
    ReplyMapping, Service, ServiceProtocol, StackKind, Transport, Unsolicited,
};

fn second() -> SimDuration {
    SimDuration::from_secs(1)
}

fn nat() -> Nat {
    Nat::new(MappingBehavior::AddressDependent, FilteringBehavior::AddressDependent)
        .behind("cgn")
        .filter_scope(FilterScope::Endpoint)
        .reply_mapping(ReplyMapping::ByDestination)
        .port_assignment(PortAssignment::Preservation)
        .on_conflict(ConflictBehavior::Sequential)
        .port_range(PortRange::UNPRIVILEGED)
        .port_parity(true)
        .ip_pooling(Pooling::Paired)
        .max_ports_per_host(64)
        .port_block_size(32)
        .port_quarantine(second())
        .hairpinning(Hairpinning::ExternalSource)
        .udp_timeout(second())
        .udp_timeout_unreplied(second())
        .timeout_refresh(RefreshDirection::Both)
        .tcp_timeout(second())
        .tcp_timeout_transitory(second())
        .unsolicited(Unsolicited::Icmp)
        .port_mapping(PortMapping::Pcp)
        .outside([[10, 9, 0, 7]])
        .inside("192.168.7.0/24")
        .ipv6(ipv6())
        .link(link())
}

fn ipv6() -> Ipv6 {
    Ipv6::prefix("2001:db8:7::/64")
        .filtering(FilteringBehavior::EndpointIndependent)
        .udp_timeout(second())
        .tcp_timeout(second())
}

fn carrier() -> Nat {
    Nat::nickname(Nickname::RestrictedCone).ipv6(Ipv6::prefix("2001:db8:6::/64")).nat64("64:ff9b::/96")
}

fn phone() -> Peer {
    Peer::behind("carrier").clat(true)
}

fn link() -> Link {
    Link::named("wifi")
        .delay(second())
        .jitter(SimDuration::from_micros(1_500))
        .loss(Probability::from_percent(1))
        .duplicate(Probability::ZERO)
        .reorder(Probability::ZERO)
        .rate(Bandwidth::from_bits_per_second(1_200_000).expect("a bandwidth"))
        .queue(9)
        .mtu(1_400)
        .up(true)
}

fn outbound() -> Outbound {
    Outbound::only([Service { port: 3478, protocol: ServiceProtocol::Udp }]).action(DenyAction::Reject)
}

fn firewall() -> Firewall {
    Firewall::new()
        .behind("home")
        .outbound(outbound())
        .inbound(InboundPolicy::Deny)
        .filtering(FilteringBehavior::AddressDependent)
        .udp_timeout(second())
        .tcp_timeout(second())
        .inspect(Inspect::Off)
        .proxy(proxy())
        .link(link())
}

fn proxy() -> Proxy {
    Proxy::port(8080).allow([Service { port: 443, protocol: ServiceProtocol::Tcp }])
}

fn server() -> Server {
    Server::stun(3478)
        .turn_ports([3478, 443])
        .addresses([Ipv4Addr::new(192, 0, 2, 8), Ipv4Addr::new(192, 0, 2, 9)])
        .host("turn.example.org")
        .up(true)
        .ipv6(true)
        .link(Link::with_delay(second()))
        .user("ann # lee", "5e3")
        .realm("example.org")
        .quota_per_user(3)
        .relay_port_range(PortRange::DYNAMIC)
        .allocation_lifetime(SimDuration::from_secs(600))
        .max_allocation_lifetime(SimDuration::from_secs(700))
        .permission_lifetime(SimDuration::from_secs(300))
        .channel_lifetime(SimDuration::from_secs(600))
        .channel_cooldown(second())
        .nonce_lifetime(second())
}

fn peer() -> Peer {
    Peer::behind("firewall")
        .addresses([IpAddr::from([192, 168, 7, 5]), "2001:db8:7::5".parse().expect("an address")])
        .families([Family::Ipv4, Family::Ipv6])
        .link(link())
        .ice_servers([
            IceServer::new("turn:turn.example.org:443?transport=udp").credentials("ann # lee", "5e3")
        ])
        .ice_transport_policy(IceTransportPolicy::Relay)
        .port_mapping(true)
        .agent(StackKind::Is)
        .proxy(ProxyUse::Auto)
        .ice_lite(false)
        .host_candidates(HostCandidates::Mdns)
}

fn interface() -> Interface {
    Interface::behind("linux")
        .addresses([IpAddr::from([10, 0, 3, 77])])
        .families([Family::Ipv4])
        .link(link())
        .up(true)
}

fn roamer() -> Peer {
    Peer::new().interface("wlan0", interface()).interface("rmnet0", Interface::new().up(false))
}

fn call() -> Call {
    Call::new()
        .at(SimDuration::from_secs(2))
        .media(MediaKind::Audio, MediaKind::Audio.usual_rate())
        .media(MediaKind::Video, Bandwidth::from_bits_per_second(300_000).expect("a bandwidth"))
        .media(MediaKind::Data, MediaKind::Data.usual_rate())
}

fn expect() -> Expect {
    Expect::new()
        .path([Path::Relay])
        .never([Path::Direct, Path::Stun])
        .needs(Needs::Turn)
        .within(SimDuration::from_secs(60))
        .selected_local(CandidateType::Relayed)
        .selected_remote(CandidateType::Host)
        .family(Family::Ipv4)
        .relay_protocol(Transport::Udp)
        .nat_hops("alice", 0)
        .ice_state(IceState::Completed)
        .ice_restarts(1)
        .media_gap_min(second())
        .media_gap_max(SimDuration::from_secs(10))
        .drops(Drops::by("home").reason(DropReason::LinkLoss).min(0).max(1_000))
}

fn draft() -> Draft {
    Scenario::build("everything: \"at once\"")
        .seed(7)
        .duration(SimDuration::from_secs(90))
        .nat(
            "cgn",
            Nat::nickname(Nickname::FullCone).inside("10.9.0.0/24").ipv6(Ipv6::prefix("2001:db8:9::/64")),
        )
        .nat("home", nat())
        .nat("linux", Nat::profile("linux-masquerade"))
        .nat("carrier", carrier())
        .firewall("firewall", firewall())
        .firewall("guests", Firewall::profile("guest-wifi").behind("linux"))
        .server("coturn", server())
        .peer("alice", peer())
        .peer("bob", Peer::behind("linux").turn_credentials("ann # lee", "wrong"))
        .peer("phone", phone())
        .peer("carol", roamer())
        .signalling(Signalling::new().delay(second()).loss(Probability::ZERO).trickle(false))
        .call("alice", "bob")
        .call_at("bob", "alice", second())
        .call_with("bob", "alice", call())
        .call("carol", "bob")
        .mesh_with(["alice", "bob"], Call::new().at(SimDuration::from_secs(3)))
        .event(SimDuration::from_secs(20), Event::set_link("alice", Link::as_it_is().up(false)))
        .event(SimDuration::from_secs(21), Event::expect(Expect::new().ice_state(IceState::Connected)))
        .expect(expect())
}

#[test]
fn every_typed_call_becomes_a_line_of_the_file() {
    insta::assert_snapshot!(draft().scenario().yaml());
}

#[test]
fn what_typed_calls_say_is_a_scenario() {
    let plan = draft().scenario().plan().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plan.name, "everything: \"at once\"");
    assert_eq!(plan.calls.len(), 5);
    assert_eq!(plan.calls[2].media.len(), MediaKind::ALL.len());
}

fn events() -> Vec<Event> {
    vec![
        Event::set_link("home", Link::as_it_is().loss(Probability::from_percent(20))),
        Event::set_link("home", Link::named("wifi")),
        Event::set_nat("home", Nat::as_it_is().filtering(FilteringBehavior::EndpointIndependent)),
        Event::set_firewall("firewall", Firewall::new().inbound(InboundPolicy::Allow)),
        Event::nat_reboot("home"),
        Event::renumber("cgn"),
        Event::renumber_to("home", [[10, 9, 0, 9]]),
        Event::server_down("coturn"),
        Event::server_up("coturn"),
        Event::server_restart("coturn"),
        Event::partition("bob", "coturn"),
        Event::heal("bob", "coturn"),
        Event::partition("alice", "coturn"),
        Event::heal_all(),
        Event::interface_down("carol.wlan0"),
        Event::interface_up("carol.rmnet0"),
        Event::ice_restart("carol -> bob"),
        Event::hang_up("carol"),
        Event::expect(Expect::new().path([Path::Relay, Path::Failed])),
    ]
}

#[test]
fn events_happen_in_the_order_in_which_they_are_given() {
    let draft =
        events().into_iter().fold(draft(), |draft, event| draft.event(SimDuration::from_secs(3), event));
    let plan = draft.scenario().plan().unwrap_or_else(|error| panic!("{error}"));
    let told: Vec<&str> = plan.events.iter().map(|event| event.text.as_str()).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn there_is_a_typed_call_for_every_key() {
    let with = |keys: &Map, more: &[&'static str]| -> BTreeSet<String> {
        keys.keys().chain(more.iter().copied()).map(str::to_owned).collect()
    };
    // What has one value only needs no call; matrix, tags and version are for files.
    let said = [
        ("nats", with(&nat().keys, &["type", "profile", "nat64"])),
        ("ipv6", with(&ipv6().keys, &[])),
        ("nat64", BTreeSet::from(["prefix".to_owned()])),
        ("firewalls", with(&firewall().keys, &["profile"])),
        ("outbound", with(&outbound().keys, &[])),
        ("proxy", with(&proxy().keys, &[])),
        ("servers", with(&server().keys, &["address"])),
        ("peers", with(&peer().keys, &["turn-credentials", "interfaces", "clat"])),
        ("interfaces", with(&interface().keys, &[])),
        ("link", with(&link().keys, &[])),
        (
            "signalling",
            with(&Signalling::new().delay(second()).loss(Probability::ZERO).trickle(true).keys, &[]),
        ),
        ("calls", with(&call().keys, &[])),
        ("mesh", with(&call().keys, &["mesh"])),
        ("media", with(&call().media, &[])),
        ("expect", with(&expect().keys, &[])),
        ("media-gap", with(&expect().media_gap, &[])),
        ("events", {
            let mut all = Map::default();
            events().into_iter().for_each(|event| all.append(event.keys));
            with(&all, &["at"])
        }),
        ("drops", with(&Drops::by("home").reason(DropReason::LinkLoss).min(0).max(1).keys, &[])),
    ];
    let schema = crate::scenario::schema();
    for (section, said) in said {
        let keys = schema["definitions"][section]["properties"].as_object().expect("keys");
        let keys: BTreeSet<String> =
            keys.keys().filter(|key| !key.contains(char::is_uppercase)).cloned().collect();
        assert_eq!(said, keys, "{section}");
    }
}

#[test]
fn a_setting_that_is_given_twice_has_its_last_value() {
    let nat = Nat::nickname(Nickname::Symmetric).udp_timeout(second()).udp_timeout(SimDuration::from_secs(2));
    assert_eq!(nat.keys.to_string(), "{ type: symmetric, udp-timeout: 2s }");
}

#[test]
fn names_that_no_file_could_have_are_refused_when_it_runs() {
    for name in ["", "a: b", "x\ny", "${{ matrix.a }}", "\u{7f}", "é"] {
        let error = Scenario::build(name)
            .peer(name, Peer::new())
            .peer("bob", Peer::new())
            .call(name, "bob")
            .scenario()
            .run();
        assert!(matches!(error, Err(Error::Rejected(_))), "{name:?}: {error:?}");
    }
}

#[test]
fn passwords_stay_what_they_are() {
    for password in ["5e3", "true", "a: b # c", "\"quoted\"", "${{ matrix.a }}"] {
        let draft = Scenario::build("passwords")
            .server("turn", Server::turn(3478).user("ann", password))
            .peer("alice", Peer::new().turn_credentials("ann", password))
            .peer("bob", Peer::new())
            .call("alice", "bob");
        match draft.scenario().plan() {
            Ok(plan) => assert!(format!("{plan:?}").contains(&format!("{password:?}")), "{password}"),
            Err(error) => assert!(password.contains("${{"), "{password}: {error}"),
        }
    }
}
