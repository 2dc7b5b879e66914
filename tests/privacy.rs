//! Peers that keep their addresses to themselves: names that mean something on one link only, and hidden hosts.

use punchlab::base::SimDuration;
use punchlab::lab::build::{Draft, Ipv6, Nat, Peer, Server};
use punchlab::lab::{Finished, Scenario};
use punchlab::plan::{CandidateType, DropReason, Hairpinning, HostCandidates, Nickname, Path, StackKind};
use punchlab::trace::{AgentEvent, EventKind};
use punchlab::wire::stun::{self, method};
use punchlab::wire::{Candidate, MdnsMessage, Signal};

const EVERY_MODE: &[HostCandidates] = HostCandidates::ALL;

fn cone(hairpinning: Hairpinning) -> Nat {
    Nat::nickname(Nickname::PortRestrictedCone).hairpinning(hairpinning)
}

/// Alice and Bob in one home.
fn one_home(hairpinning: Hairpinning, [alice, bob]: [HostCandidates; 2], stack: StackKind) -> Draft {
    Scenario::build("one home")
        .nat("home", cone(hairpinning))
        .server("stun", Server::stun(3478))
        .peer("alice", Peer::behind("home").host_candidates(alice).agent(stack))
        .peer("bob", Peer::behind("home").host_candidates(bob).agent(stack))
        .call("alice", "bob")
}

/// Alice and Bob in homes of their own.
fn two_homes(mode: HostCandidates, stack: StackKind) -> Draft {
    Scenario::build("two homes")
        .nat("home-a", cone(Hairpinning::Off))
        .nat("home-b", cone(Hairpinning::Off))
        .server("turn", Server::turn(3478).stun_ports([3478]))
        .peer("alice", Peer::behind("home-a").host_candidates(mode).agent(stack))
        .peer("bob", Peer::behind("home-b").host_candidates(mode).agent(stack))
        .call("alice", "bob")
}

fn run(draft: Draft) -> Finished {
    draft.scenario().run().unwrap_or_else(|error| panic!("{error}"))
}

/// Every candidate that was signalled.
fn signalled(finished: &Finished) -> Vec<Candidate> {
    let trace = finished.run().trace.as_ref().expect("a trace");
    let signals = trace.events.iter().filter_map(|event| match &event.kind {
        EventKind::Signalled { signal, .. } => Some(signal),
        _ => None,
    });
    let candidates = signals.flat_map(|signal| match signal {
        Signal::Offer(description) | Signal::Answer(description) => description.candidates.clone(),
        Signal::Candidate { candidate, .. } => vec![candidate.clone()],
        Signal::EndOfCandidates | Signal::Bye => Vec::new(),
    });
    candidates.collect()
}

/// What came of every name that was asked for: true if its address was learned.
fn learned(finished: &Finished) -> Vec<bool> {
    let trace = finished.run().trace.as_ref().expect("a trace");
    let events = trace.events.iter().filter_map(|event| match &event.kind {
        EventKind::Agent { event: AgentEvent::Resolved { address, .. }, .. } => Some(address.is_some()),
        _ => None,
    });
    events.collect()
}

#[test]
fn names_are_resolved_on_ones_own_link_and_make_calls_direct() {
    for stack in StackKind::ALL {
        let finished = run(one_home(Hairpinning::Off, [HostCandidates::Mdns; 2], *stack));
        finished.assert_path("alice -> bob", Path::Direct);
        assert_eq!(learned(&finished), [true, true], "{stack}");
    }
}

#[test]
fn whoever_has_a_name_reveals_itself_to_whoever_has_none() {
    for stack in StackKind::ALL {
        for modes in
            [[HostCandidates::Mdns, HostCandidates::Visible], [HostCandidates::Visible, HostCandidates::Mdns]]
        {
            run(one_home(Hairpinning::Off, modes, *stack)).assert_path("alice -> bob", Path::Direct);
        }
    }
}

#[test]
fn names_mean_nothing_on_another_link() {
    for stack in StackKind::ALL {
        let finished = run(two_homes(HostCandidates::Mdns, *stack));
        finished.assert_path("alice -> bob", Path::Stun);
        assert!(!learned(&finished).contains(&true), "{stack}");
    }
}

#[test]
fn what_is_signalled_tells_no_private_address_unless_the_peer_is_visible() {
    for stack in StackKind::ALL {
        for mode in EVERY_MODE {
            let candidates = signalled(&run(two_homes(*mode, *stack)));
            let tells = candidates.iter().any(|candidate| candidate.to_string().contains("10.0."));
            let is_visible = [HostCandidates::Visible, HostCandidates::DefaultRoute].contains(mode);
            assert_eq!(tells, is_visible, "{stack} {mode}: {candidates:?}");
            let named = candidates.iter().filter(|candidate| candidate.is_unresolved()).count();
            assert_eq!(named, if *mode == HostCandidates::Mdns { 2 } else { 0 }, "{stack} {mode}");
            let others = candidates.iter().filter(|candidate| candidate.kind != CandidateType::Host);
            let related: Vec<_> = others.filter_map(|candidate| candidate.related).collect();
            assert!(!related.is_empty());
            assert!(
                is_visible || related.iter().all(|related| related.to_string() == "0.0.0.0:9"),
                "{related:?}"
            );
        }
    }
}

#[test]
fn hidden_hosts_of_one_nat_meet_only_if_it_hairpins() {
    for stack in StackKind::ALL {
        let modes = [HostCandidates::Hidden; 2];
        run(one_home(Hairpinning::Off, modes, *stack)).assert_path("alice -> bob", Path::Failed);
        run(one_home(Hairpinning::ExternalSource, modes, *stack)).assert_path("alice -> bob", Path::Stun);
    }
}

/// How many messages ask the relay to let a private address through, or to send something there.
fn relay_is_told_of_private_addresses(mode: HostCandidates, stack: StackKind) -> usize {
    let draft = one_home(Hairpinning::Off, [mode; 2], stack).server("turn", Server::turn(3478));
    let finished = run(draft);
    finished.assert_path("alice -> bob", Path::Direct);
    let trace = finished.run().trace.as_ref().expect("a trace");
    let is_told = |message: &[u8]| {
        stun::describe(message).is_some_and(|message| {
            let asks = [method::CREATE_PERMISSION, method::SEND].map(Some).contains(&message.method);
            asks && message.peers.iter().any(|peer| peer.to_string().starts_with("10.0.1."))
        })
    };
    trace.packets.iter().filter(|(_, packet)| packet.messages().any(|message| is_told(message))).count()
}

#[test]
fn relays_are_not_paired_with_names() {
    for stack in StackKind::ALL {
        assert!(relay_is_told_of_private_addresses(HostCandidates::Visible, *stack) > 0, "{stack}");
        assert_eq!(relay_is_told_of_private_addresses(HostCandidates::Mdns, *stack), 0, "{stack}");
    }
}

#[test]
fn a_name_nobody_has_is_asked_for_three_times_a_second_apart() {
    let finished = run(two_homes(HostCandidates::Mdns, StackKind::Is).duration(SimDuration::from_secs(10)));
    let trace = finished.run().trace.as_ref().expect("a trace");
    let asked_at = |node| {
        let departed = trace.events.iter().filter_map(move |event| match &event.kind {
            EventKind::Departed(hop) if hop.node == node && hop.flow.destination.port() == 5353 => {
                Some(event.at)
            }
            _ => None,
        });
        departed.collect::<Vec<_>>()
    };
    for session in &finished.run().sessions {
        let asked = asked_at(session.node);
        assert_eq!(asked.len(), 3);
        assert!(asked.windows(2).all(|two| two[1].since(two[0]) == SimDuration::from_secs(1)));
    }
    assert_eq!(learned(&finished), [false, false]);
    let left = trace.events.iter().any(|event| match &event.kind {
        EventKind::Arrived(hop) => hop.node.index() == 0 && hop.flow.destination.ip().is_multicast(),
        _ => false,
    });
    assert!(!left, "no question leaves a home");
}

/// The internet is no link: what is asked there dies, and a host with a name is met by its own checks only.
#[test]
fn peers_on_the_internet_share_no_link() {
    let peer = || Peer::new().host_candidates(HostCandidates::Mdns);
    let draft = Scenario::build("public").peer("alice", peer()).peer("bob", peer()).call("alice", "bob");
    let finished = run(draft);
    finished.assert_path("alice -> bob", Path::Failed);
    assert!(
        finished
            .outcome()
            .drops
            .iter()
            .any(|drop| drop.by == "internet" && drop.reason == DropReason::NoRoute)
    );
    assert!(finished.call("alice -> bob").why.contains("resolve only on its own link"));
}

#[test]
fn names_have_addresses_of_both_families() {
    let draft = one_home(Hairpinning::Off, [HostCandidates::Mdns; 2], StackKind::Is);
    let home = cone(Hairpinning::Off).ipv6(Ipv6::prefix("2001:db8:1::/64"));
    let finished = run(draft.nat("home", home));
    let answers = finished.run().trace.as_ref().expect("a trace").packets.iter().filter(|(_, packet)| {
        packet.cause.is_none()
            && matches!(MdnsMessage::parse(packet.body.payload()), Some(MdnsMessage::Answer { .. }))
    });
    let families: Vec<bool> = answers.map(|(_, packet)| packet.flow.source.is_ipv4()).collect();
    assert_eq!(families.iter().filter(|ipv4| **ipv4).count(), 2);
    assert_eq!(families.iter().filter(|ipv4| !**ipv4).count(), 2);
    assert_eq!(finished.call("alice -> bob").path, Path::Direct);
}

#[test]
fn names_are_drawn_from_the_seed() {
    let names = |seed| {
        let finished = run(two_homes(HostCandidates::Mdns, StackKind::Is).seed(seed));
        signalled(&finished).into_iter().filter_map(|candidate| candidate.name).collect::<Vec<_>>()
    };
    assert_eq!(names(1), names(1));
    assert_ne!(names(1), names(2));
}

#[test]
fn messages_of_names_have_the_hop_limit_of_their_rfc() {
    let finished = run(one_home(Hairpinning::Off, [HostCandidates::Mdns; 2], StackKind::Is));
    let trace = finished.run().trace.as_ref().expect("a trace");
    let hops = trace.events.iter().filter_map(|event| match &event.kind {
        EventKind::Arrived(hop) if hop.flow.destination.ip().is_multicast() => Some(hop.hop_limit),
        _ => None,
    });
    assert!(hops.clone().count() > 0);
    assert!(hops.into_iter().all(|limit| limit == 255));
}
