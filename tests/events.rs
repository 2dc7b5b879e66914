//! What happens while a scenario runs: when, in which order, and what is seen of it.

mod common;

use punchlab::base::{Limits, NodeId, SimDuration, SimTime};
use punchlab::engine::{Run, RunOptions};
use punchlab::outcome::{Outcome, simulate};
use punchlab::plan::{Action, DropReason, Path, Plan, StateChange, TcpLifetimes, Unsolicited};
use punchlab::report::human::{self, Options, Part};
use punchlab::report::{Report, jsonl};
use punchlab::scenario::{self, Overrides, Source};
use punchlab::trace::{EventKind, Place};

/// Two homes with a STUN and a TURN server; `more` is what else the file says.
fn file(more: &str) -> Source {
    let text = format!(
        "nats: {{ home: port-restricted-cone, office: port-restricted-cone }}\n\
         servers: {{ stun: {{ stun: 3478/udp }}, turn: {{ turn: 3478/udp }} }}\n\
         peers: {{ alice: {{ behind: home }}, bob: {{ behind: office }} }}\n{more}"
    );
    Source::new("events.nat.yaml", text)
}

fn plan(source: &Source, overrides: &Overrides) -> Plan {
    scenario::load(source, overrides, &Limits::DEFAULT).unwrap_or_else(|rejection| panic!("{rejection}"))
}

fn simulated(more: &str) -> (Plan, Run, Outcome) {
    let plan = plan(&file(more), &Overrides::default());
    let options = RunOptions { record: true, ..RunOptions::default() };
    let (run, outcome) = simulate(&plan, &options).expect("a finished run");
    (plan, run, outcome)
}

fn secs(seconds: u64) -> SimTime {
    SimTime::from_millis(1_000 * seconds)
}

fn node(plan: &Plan, name: &str) -> NodeId {
    plan.topology.find(name).expect("a node")
}

#[test]
fn events_come_before_what_peers_do_at_the_same_moment() {
    let (plan, run, _) = simulated(
        "calls: [alice -> bob: { at: 5s }]\nevents: [{ at: 5s, set-link: { alice: { up: false } } }]\n",
    );

    let trace = run.trace.as_ref().expect("a trace");
    let uplink = plan.topology.node(node(&plan, "alice")).ports[0].link;
    let first = trace.events.iter().find_map(|event| match &event.kind {
        EventKind::Dropped { place, drop, .. } => Some((event.at, *place, drop.reason)),
        _ => None,
    });
    assert_eq!(first, Some((secs(5), Place::Link(uplink), DropReason::LinkDown)));
}

#[test]
fn what_arrives_at_a_moment_arrives_before_its_events() {
    // At 32 ms the answer of the STUN server is with alice.
    let (_, run, _) = simulated("calls: [alice -> bob]\nevents: [{ at: 32ms, nat-reboot: home }]\n");

    let trace = run.trace.as_ref().expect("a trace");
    let now: Vec<&EventKind> = trace
        .events
        .iter()
        .filter(|event| event.at == SimTime::from_millis(32))
        .map(|event| &event.kind)
        .collect();
    let scripted = now.iter().position(|kind| matches!(kind, EventKind::Scripted { .. })).expect("an event");
    let arrived = now.iter().rposition(|kind| matches!(kind, EventKind::Arrived(_))).expect("an arrival");
    assert!(arrived < scripted, "{now:?}");
}

#[test]
fn events_of_one_moment_happen_in_the_order_of_the_file() {
    let (_, _, outcome) = simulated(
        "calls: [alice -> bob]\nevents:\n\
         - { at: 10s, server-down: turn }\n- { at: 5s, nat-reboot: home }\n\
         - { at: 10s, server-up: turn }\n- { at: 10s, nat-reboot: office }\n",
    );

    let told: Vec<&str> = outcome.events.iter().map(|event| event.text.as_str()).collect();
    assert_eq!(told, ["nat-reboot: home", "server-down: turn", "server-up: turn", "nat-reboot: office"]);
}

#[test]
fn a_change_builds_on_those_before_it_in_time() {
    let plan = plan(
        &file(
            "calls: [alice -> bob]\nevents:\n\
             - { at: 20s, set-link: { alice: { jitter: 3ms } } }\n\
             - { at: 10s, set-link: { alice: { loss: 20% } } }\n",
        ),
        &Overrides::default(),
    );

    let Action::SetLink(links) = &plan.events[1].action else { panic!("{:?}", plan.events[1]) };
    let link = &links[0].1;
    assert_eq!((link.loss.to_string(), link.jitter.to_string()), ("20%".into(), "3ms".into()));
}

#[test]
fn an_option_changes_an_event_by_its_number() {
    let overrides = Overrides { set: vec![("events.0.at".into(), "7s".into())], ..Overrides::default() };

    let plan = plan(&file("calls: [alice -> bob]\nevents: [{ at: 5s, nat-reboot: home }]\n"), &overrides);

    assert_eq!(plan.events[0].at, secs(7));
}

#[test]
fn without_a_duration_a_run_goes_on_for_a_minute_after_the_last_change() {
    let ended_at = |event: &str| simulated(&format!("calls: [alice -> bob]\nevents: [{event}]\n")).1.ended_at;

    assert_eq!(ended_at("{ at: 20s, nat-reboot: home }"), secs(80));
    assert_eq!(ended_at("{ at: 20s, expect: { path: stun } }"), secs(20));
}

#[test]
fn a_moment_is_judged_by_what_was_known_then() {
    let (_, _, outcome) = simulated(
        "calls: [alice -> bob, bob -> alice: { at: 10s }]\nevents:\n\
         - { at: 100ms, expect: { path: failed } }\n- { at: 5s, expect: { path: stun, drops: { by: internet, max: 100 } } }\n\
         expect: { path: stun }\n",
    );

    let told: Vec<(Option<f64>, bool)> =
        outcome.expectations.iter().map(|expectation| (expectation.at_ms, expectation.ok)).collect();
    // The second call has not begun at either moment.
    assert_eq!(told, [(Some(100.0), true), (Some(5_000.0), true), (Some(5_000.0), true), (None, true)]);
}

#[test]
fn a_moment_that_disappoints_fails_the_scenario() {
    let (_, _, outcome) =
        simulated("calls: [alice -> bob]\nevents: [{ at: 10s, expect: { path: relay } }]\n");

    assert!(!outcome.ok);
    assert_eq!(outcome.calls[0].path, Path::Stun);
}

#[test]
fn a_partition_stops_packets_both_ways_and_nobody_elses() {
    let (plan, run, _) = simulated(
        "calls: [alice -> bob]\nevents: [{ at: 10s, partition: [alice, [bob, stun]] }]\nduration: 30s\n",
    );

    let trace = run.trace.as_ref().expect("a trace");
    let (mut cut, mut passed_to_turn) = ([false; 2], false);
    let home = plan.topology.node(node(&plan, "home")).addresses[0];
    for event in trace.events.iter().filter(|event| event.at > secs(11)) {
        match &event.kind {
            EventKind::Dropped { flow, drop, .. } if drop.reason == DropReason::Partition => {
                cut[usize::from(flow.source.ip() == home)] = true;
            }
            EventKind::Delivered { node: at, packet } if *at == node(&plan, "turn") => {
                let record = trace.packets.get(*packet).expect("a kept packet");
                passed_to_turn |= record.flow.source.ip().to_string() == "10.0.1.2";
            }
            _ => {}
        }
    }
    assert_eq!((cut, passed_to_turn), ([true; 2], true));
}

#[test]
fn after_a_restart_a_turn_server_gives_other_ports_and_nonces() {
    let symmetric = "{ at: 1ms, set-nat: { home: symmetric, office: symmetric } }";
    let relays = |more: &str| {
        let (_, run, _) =
            simulated(&format!("calls: [alice -> bob: {{ at: 10s }}]\nevents: [{symmetric}{more}]\n"));
        let trace = run.trace.expect("a trace");
        let created = trace.events.iter().filter_map(|event| match &event.kind {
            EventKind::State { change: StateChange::AllocationCreated { relayed, .. }, .. } => {
                Some(relayed.port())
            }
            _ => None,
        });
        created.collect::<Vec<_>>()
    };

    let (once, twice) = (relays(""), relays(", { at: 5s, server-restart: turn }"));
    assert_eq!((once.len(), twice.len()), (2, 2));
    assert_ne!(once, twice);
}

#[test]
fn packets_to_an_address_that_was_given_up_have_no_way() {
    let (plan, run, _) =
        simulated("calls: [alice -> bob]\nevents: [{ at: 20s, renumber: { home: 203.0.113.99 } }]\n");

    let old = plan.topology.node(node(&plan, "home")).addresses[0];
    let trace = run.trace.as_ref().expect("a trace");
    let lost = trace.events.iter().any(|event| {
        matches!(&event.kind, EventKind::Dropped { flow, drop, .. }
            if event.at > secs(20) && drop.reason == DropReason::NoRoute && flow.destination.ip() == old)
    });
    assert!(lost);
    let new_address = "203.0.113.99".parse().expect("an address");
    assert_eq!(plan.public_owner(new_address), Some(node(&plan, "home")));
    assert!(run.nat_tables.iter().flat_map(|(_, rows)| rows).any(|row| row.external.ip() == new_address));
}

#[test]
fn the_next_free_address_is_nobodys_at_any_time() {
    let plan = plan(
        &file(
            "calls: [alice -> bob]\nevents:\n- { at: 10s, renumber: home }\n\
             - { at: 20s, renumber: { office: 203.0.113.2 } }\n- { at: 30s, renumber: office }\n",
        ),
        &Overrides::default(),
    );

    let given: Vec<String> = plan
        .events
        .iter()
        .filter_map(|event| match &event.action {
            Action::Renumber(nats) => Some(nats[0].1[0].to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(given, ["203.0.113.3", "203.0.113.2", "203.0.113.4"]);
}

#[test]
fn reports_tell_every_event() {
    let (plan, run, outcome) = simulated(
        "calls: [alice -> bob]\nevents:\n- { at: 20s, nat-reboot: home }\n- { at: 21s, expect: { path: stun } }\n",
    );
    let report = Report { plan: &plan, run: &run, outcome: &outcome };

    let text = human::write_parts(report, &[Part::Events, Part::Ladder], Options::default());
    let mut lines = Vec::new();
    jsonl::write(&mut lines, report).expect("memory");
    let lines = String::from_utf8(lines).expect("UTF-8");

    assert!(text.contains("at 20 s, nat-reboot: home"), "{text}");
    for event in ["nat-reboot: home", "expect: { path: stun }"] {
        assert!(text.lines().any(|line| line.contains('╪') && line.ends_with(event)), "{event} in\n{text}");
        assert_eq!(
            lines.matches(&format!("\"text\":\"{event}\"")).count(),
            1 + usize::from(event.starts_with('n'))
        );
    }
    assert!(lines.contains(r#"{"event":"forgot","at_ms":20000.0,"node":"home"}"#));
}

#[test]
fn a_firewall_takes_all_that_a_profile_says() {
    let with = |firewall: &str| {
        let text = format!(
            "firewalls: {{ fw: {firewall} }}\npeers: {{ a: {{ behind: fw }}, b: {{}} }}\ncalls: [a -> b]\n\
             events: [{{ at: 5s, set-firewall: {{ fw: {{ profile: gcp-firewall }} }} }}]\n"
        );
        let plan = plan(&Source::new("fw.nat.yaml", text), &Overrides::default());
        match &plan.events[0].action {
            Action::SetFirewall(firewalls) => firewalls[0].1.clone(),
            other => panic!("{other:?}"),
        }
    };

    assert_eq!(with("{}"), with("{ udp-timeout: 7s, filtering: endpoint-independent }"));
}

#[test]
fn the_next_free_address_is_one_that_is_routed() {
    let text = "nats: { home: { type: symmetric, outside: 198.51.100.1, inside: 203.0.113.0/24 } }\n\
                peers: { alice: { behind: home }, bob: { address: 198.51.100.9 } }\n\
                calls: [alice -> bob]\nevents: [{ at: 2s, renumber: home }]\n";
    let plan = plan(&Source::new("inside.nat.yaml", text), &Overrides::default());

    let home = node(&plan, "home");
    let Action::Renumber(nats) = &plan.events[0].action else { panic!("{:?}", plan.events) };
    assert_eq!(nats[..], [(home, vec![[198, 51, 100, 2].into()])]);
}

#[test]
fn timers_of_tcp_and_the_answer_to_syns_may_change() {
    let text = "nats: { home: { type: symmetric, tcp-timeout: 5m } }\nfirewalls: { fw: { tcp-timeout: 5m } }\n\
                peers: { a: { behind: home }, b: { behind: fw } }\ncalls: [a -> b]\n\
                events:\n  - { at: 5s, set-nat: { home: { tcp-timeout: 1m, unsolicited: rst } } }\n  \
                - { at: 6s, set-firewall: { fw: { tcp-timeout: 1m } } }\n";
    let plan = plan(&Source::new("tcp.nat.yaml", text), &Overrides::default());
    let minute = TcpLifetimes::established(SimDuration::from_secs(60));
    let [nat, firewall] = [&plan.events[0].action, &plan.events[1].action];
    let Action::SetNat(nats) = nat else { panic!("{nat:?}") };
    assert_eq!((nats[0].1.lifetimes.tcp, nats[0].1.unsolicited), (minute, Unsolicited::Rst));
    let Action::SetFirewall(firewalls) = firewall else { panic!("{firewall:?}") };
    assert_eq!(firewalls[0].1.tcp, minute);
}
