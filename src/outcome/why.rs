//! Why a call took the path it took: sentences, each of them backed by what the trace shows.

mod families;

use std::net::SocketAddr;

use super::addresses::{addresses_of, own_address, reflexive_of};
use super::admission;
use super::classify::Sides;
use super::deaths::{self, CheckDeath};
use super::hidden;
use super::passage;
use crate::base::{NodeId, SessionId, SimTime};
use crate::engine::{Run, SessionRun};
use crate::plan::{
    CandidateType, DropReason, Element, IceServerKind, IceState, IceTransportPolicy, Needs, Path, Peer, Plan,
    Rule,
};
use crate::trace::{EventKind, Place, Trace};
use crate::wire::Signal;

/// One call of a run, ready to be explained.
struct Case<'a> {
    plan: &'a Plan,
    trace: &'a Trace,
    sides: Sides<'a>,
    ended_at: SimTime,
}

/// The cause of a call's path. Without a trace there is nothing to say.
pub fn explain(plan: &Plan, run: &Run, call: usize, path: Path, needs: Option<Needs>) -> String {
    let (Some(trace), Some(sides)) = (&run.trace, Sides::of(run, call)) else { return String::new() };
    let case = Case { plan, trace, sides, ended_at: run.ended_at };
    let sentences = match path {
        Path::Direct => case.direct(),
        Path::Stun => case.stun(needs),
        Path::Relay => case.relay(needs),
        Path::Failed => case.failed(),
    };
    sentences.join(" ")
}

impl Case<'_> {
    fn direct(&self) -> Vec<String> {
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        let shared = self.plan.topology.parent(caller.node);
        let sentence = match shared {
            Some(parent) if shared == self.plan.topology.parent(callee.node) && !self.is_internet(parent) => {
                format!(
                    "{} and {} share the network behind {}, so they reach each other at their own addresses, {} and {}.",
                    self.name(caller),
                    self.name(callee),
                    self.plan.name_of(parent),
                    own_address(caller),
                    own_address(callee),
                )
            }
            _ if self.crosses_nats_by_ipv6() => {
                let sentence = format!(
                    "IPv6 is not translated between {} and {}: they reach each other at their own addresses, {} and {}.",
                    self.name(caller),
                    self.name(callee),
                    own_address(caller),
                    own_address(callee),
                );
                return std::iter::once(sentence)
                    .chain(self.admissions())
                    .chain(self.opened_by_a_lost_check())
                    .collect();
            }
            _ => format!(
                "No NAT stands between {} and {}: they reach each other at their own addresses, {} and {}.",
                self.name(caller),
                self.name(callee),
                own_address(caller),
                own_address(callee),
            ),
        };
        std::iter::once(sentence).chain(self.opened_by_a_lost_check()).collect()
    }

    /// True if the settled pair's packets are IPv6 and pass NAT boxes, which translate IPv4 only.
    fn crosses_nats_by_ipv6(&self) -> bool {
        let pair = self.sides.caller.selections.last();
        if pair.is_none_or(|(_, pair)| pair.local.address.is_ipv4()) {
            return false;
        }
        let passage = passage::of_last_data(self.trace, self.sides.caller, self.sides.callee);
        let element = |node| &self.plan.topology.node(node).element;
        passage.iter().any(|stop| matches!(element(stop.node), Element::Nat(_)))
    }

    fn stun(&self, needs: Option<Needs>) -> Vec<String> {
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        let mut sentences = vec![format!(
            "{} sends to {} and {} sends to {}; {} on the way.",
            self.name(caller),
            self.remote_words(caller, callee),
            self.name(callee),
            self.remote_words(callee, caller),
            self.rewriters(),
        )];
        sentences.extend(self.admissions());
        sentences.extend(self.opened_by_a_lost_check());
        if needs == Some(Needs::None) {
            sentences.push(
                "It would have worked without STUN as well: one side can be reached at an address it knows."
                    .into(),
            );
        }
        sentences
    }

    /// Which filters let the other side in, and what had opened them.
    fn admissions(&self) -> Vec<String> {
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        let passage = passage::of_last_data(self.trace, caller, callee);
        let mut sentences = Vec::new();
        for (side, other) in [(caller, callee), (callee, caller)] {
            let admissions = admission::of(self.plan, self.trace, side, &passage);
            if !admissions.opened.is_empty() {
                sentences.push(format!(
                    "What {} sent opened {} for {}.",
                    self.name(side),
                    self.names(&admissions.opened),
                    self.name(other),
                ));
            }
            for nat in &admissions.granted {
                sentences.push(format!(
                    "In front of {}, {} lets anybody in through the mapping that {0} asked it for.",
                    self.name(side),
                    self.plan.name_of(*nat),
                ));
            }
            if !admissions.open_to_all.is_empty() {
                let open = &admissions.open_to_all;
                let verb = if open.len() == 1 { "lets" } else { "let" };
                sentences.push(format!(
                    "In front of {}, {} {verb} anybody in (filtering: endpoint-independent).",
                    self.name(side),
                    self.names(open),
                ));
            }
        }
        sentences
    }

    fn relay(&self, needs: Option<Needs>) -> Vec<String> {
        let mut sentences = self.policies();
        if sentences.is_empty() {
            sentences = self.obstacles();
            sentences.extend(self.without_ipv4());
            // Where nothing but a relay would do it makes no difference.
            sentences.extend(self.relay_in_disguise().filter(|_| needs != Some(Needs::Turn)));
        }
        sentences.extend(hidden::sentences(self.plan, self.trace, self.sides));
        // Whoever has lost contact may have selected a pair since that never carried anything.
        if [self.sides.caller, self.sides.callee].iter().all(|side| side.state.is_connected()) {
            sentences.push(format!("So the call goes through {}.", self.relays()));
        }
        sentences
    }

    fn failed(&self) -> Vec<String> {
        let mut sentences = self.lost_signals();
        sentences.extend(self.families_apart());
        if let Some(too_early) = self.ended_too_early().filter(|_| sentences.is_empty()) {
            return vec![too_early];
        }
        sentences.extend(self.policies());
        sentences.extend(self.inspections());
        sentences.extend(self.obstacles());
        sentences.extend(self.without_ipv4());
        sentences.extend(hidden::sentences(self.plan, self.trace, self.sides));
        sentences.extend(self.missing_relay());
        if let Some(one_sided) = self.one_sided() {
            sentences.push(one_sided);
        }
        if sentences.is_empty() {
            sentences.push("No check ever got an answer.".into());
        }
        sentences
    }

    /// What kept each side's checks from reaching the other.
    fn obstacles(&self) -> Vec<String> {
        let telling = self.obstacles_among(deaths::most_telling);
        if telling.is_empty() { self.obstacles_among(deaths::without_route) } else { telling }
    }

    fn obstacles_among(
        &self,
        find: for<'t> fn(&'t Trace, &'t SessionRun) -> Option<CheckDeath<'t>>,
    ) -> Vec<String> {
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        let mut sentences = Vec::new();
        for (sender, receiver) in [(caller, callee), (callee, caller)] {
            let Some(death) = find(self.trace, sender) else { continue };
            sentences.push(self.death_sentence(sender, receiver, &death));
            sentences.extend(self.changed_port(sender, receiver, &death));
        }
        sentences
    }

    fn death_sentence(&self, sender: &SessionRun, receiver: &SessionRun, death: &CheckDeath<'_>) -> String {
        let rule = match &death.drop.rule {
            Rule::Plain => String::new(),
            rule => format!(": {rule}"),
        };
        format!(
            "{}'s {} to {} died at {} ({}), where it came from {}{rule}.",
            self.name(sender),
            if death.is_answer { "answer to a check" } else { "check" },
            self.seen_words(sender, receiver, death.aimed_at),
            self.place_name(death.place),
            death.drop.reason,
            death.flow.source,
        )
    }

    /// If a NAT gave the check another external endpoint than the one the peer was told of, that is half the story.
    fn changed_port(
        &self,
        sender: &SessionRun,
        receiver: &SessionRun,
        death: &CheckDeath<'_>,
    ) -> Option<String> {
        let seen = death.flow.source;
        let reflexive: Vec<_> = addresses_of(sender, CandidateType::ServerReflexive).collect();
        // What the nearest NAT granted says nothing of one further out.
        let is_seen = |address: &_| admission::granted_by(self.plan, self.trace, sender, *address).is_none();
        let told = reflexive_of(sender, death.left).find(is_seen)?;
        if sender.sockets.contains(&seen) || reflexive.contains(&seen) {
            return None;
        }
        let (nat, mapping) = self.plan.maps_per_destination(sender.place(), death.at)?;
        Some(format!(
            "{} maps per destination (mapping: {mapping}): {} was told {told}, but the check came from {seen}.",
            self.plan.name_of(nat),
            self.name(receiver)
        ))
    }

    /// A check that died at the far side has still opened the near side's filter for the answer.
    fn opened_by_a_lost_check(&self) -> Option<String> {
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        [(caller, callee), (callee, caller)].into_iter().find_map(|(sender, receiver)| {
            let target = sender.selections.last()?.1.remote.address;
            let death = deaths::of_checks(self.trace, sender).find(|death| {
                death.aimed_at == target
                    && matches!(
                        death.drop.reason,
                        DropReason::NatFiltered | DropReason::NatNoMapping | DropReason::FirewallInbound
                    )
            })?;
            Some(format!(
                "{}'s first check died at {} ({}), but on its way out it had told {}'s own side to let {} in.",
                self.name(sender),
                self.place_name(death.place),
                death.drop.reason,
                self.name(sender),
                self.name(receiver),
            ))
        })
    }

    fn policies(&self) -> Vec<String> {
        let both = [self.sides.caller, self.sides.callee].into_iter();
        both.filter(|side| {
            self.peer(side).is_some_and(|peer| peer.ice_transport_policy == IceTransportPolicy::Relay)
        })
        .map(|side| {
            format!("{} may use relayed candidates only (ice-transport-policy: relay).", self.name(side))
        })
        .collect()
    }

    /// Connections that a firewall looked into and refused, of a side without a relay.
    fn inspections(&self) -> Vec<String> {
        let sides = [self.sides.caller, self.sides.callee].into_iter();
        sides
            .filter(|side| addresses_of(side, CandidateType::Relayed).next().is_none())
            .filter_map(|side| {
                let death = deaths::first_inspected(self.trace, side)?;
                Some(format!(
                    "{}'s connection to {} died at {} ({}): {}.",
                    self.name(side),
                    death.aimed_at,
                    self.place_name(death.place),
                    death.drop.reason,
                    death.drop.rule,
                ))
            })
            .collect()
    }

    /// Why there was no relay to fall back on.
    fn missing_relay(&self) -> Vec<String> {
        let sides = [self.sides.caller, self.sides.callee];
        let has_relay = |side: &SessionRun| addresses_of(side, CandidateType::Relayed).next().is_some();
        if sides.iter().any(|side| has_relay(side)) {
            return Vec::new();
        }
        let told = |side: &SessionRun| {
            self.peer(side).is_some_and(|peer| peer.ice_servers.iter().any(|s| s.kind == IceServerKind::Turn))
        };
        if !sides.iter().any(|side| told(side)) {
            return vec!["Neither side has a TURN server to fall back on.".into()];
        }
        let mut sentences = Vec::new();
        for side in sides.into_iter().filter(|side| told(side)) {
            match deaths::first_for(self.trace, side, DropReason::ServerDown)
                .or_else(|| deaths::first_for(self.trace, side, DropReason::FirewallOutbound))
                .or_else(|| deaths::first_for(self.trace, side, DropReason::NatPortsExhausted))
            {
                Some(death) => sentences.push(format!(
                    "{} got no relay: its packet to {} died at {} ({}).",
                    self.name(side),
                    death.aimed_at,
                    self.place_name(death.place),
                    death.drop.reason,
                )),
                None if self.can_ask_for_relay(side) => {
                    sentences.push(format!("{} got no relay from its TURN server.", self.name(side)));
                }
                // What follows says why it could not even ask.
                None => {}
            }
            sentences.extend(side.troubles.iter().map(|trouble| format!("{}: {trouble}.", self.name(side))));
        }
        sentences
    }

    /// A run that was cut short says nothing about NATs.
    fn ended_too_early(&self) -> Option<String> {
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        // It was not the run that ended.
        if self.sides.ended_at().is_some() {
            return None;
        }
        let what = if caller.started_at.is_none() {
            "before the call began".to_owned()
        } else if callee.started_at.is_none() {
            format!("before {} heard of the call", self.name(callee))
        } else if [caller, callee].iter().all(|side| side.state == IceState::New) {
            "before the first check".to_owned()
        } else if [caller, callee]
            .iter()
            .all(|side| side.state != IceState::Failed && side.selections.is_empty())
        {
            "while checks were still going on".to_owned()
        } else {
            return None;
        };
        Some(format!("The run ended {what}, after {} of virtual time.", self.ended_at.since(SimTime::ZERO)))
    }

    fn lost_signals(&self) -> Vec<String> {
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        // A session is known by its counterpart's entry.
        let side_of = |session: SessionId| match session {
            id if id == callee.counterpart => Some(caller),
            id if id == caller.counterpart => Some(callee),
            _ => None,
        };
        let lost = self.trace.events.iter().filter_map(|event| match &event.kind {
            EventKind::Signalled {
                from,
                signal: signal @ (Signal::Offer(_) | Signal::Answer(_)),
                arrives: None,
            } => {
                let sender = side_of(*from)?;
                Some(format!("Signalling lost the {} of {}.", signal.name(), self.name(sender)))
            }
            _ => None,
        });
        lost.collect()
    }

    fn one_sided(&self) -> Option<String> {
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        let (with, without) = match (caller.selections.is_empty(), callee.selections.is_empty()) {
            (false, true) => (caller, callee),
            (true, false) => (callee, caller),
            _ => return None,
        };
        Some(format!("{} selected a pair, but {} never did.", self.name(with), self.name(without)))
    }

    /// The relays on the way. Usually it is one; with two, they carry the call in a row, or one each way.
    fn relays(&self) -> String {
        let (caller, callee) = (self.sides.caller, self.sides.callee);
        let mut own = Vec::new();
        let mut far = Vec::new();
        for (side, other) in [(caller, callee), (callee, caller)] {
            let Some((_, pair)) = side.selections.last() else { continue };
            if pair.local.kind == CandidateType::Relayed {
                own.push(self.relay_of(side, pair.local.address));
            }
            // Stacks differ in what they call the far end; the address tells.
            if addresses_of(other, CandidateType::Relayed).any(|relay| relay == pair.remote.address) {
                far.push(self.relay_of(other, pair.remote.address));
            }
        }
        match (own.as_slice(), far.as_slice()) {
            ([], [there, back]) => format!("a relay each way, {there} and {back}"),
            ([first, second], _) => format!("{first} and {second}"),
            ([one], _) | (_, [one]) => one.clone(),
            _ => "a relay".into(),
        }
    }

    fn relay_of(&self, side: &SessionRun, relay: SocketAddr) -> String {
        format!("{}'s relay {relay}", self.name(side))
    }

    fn rewriters(&self) -> String {
        let passage = passage::of_last_data(self.trace, self.sides.caller, self.sides.callee);
        let mut nodes: Vec<NodeId> = Vec::new();
        for stop in passage.iter().filter(|stop| stop.rewrote) {
            if !nodes.contains(&stop.node) {
                nodes.push(stop.node);
            }
        }
        match nodes.len() {
            0 => "a NAT rewrites the addresses".into(),
            1 => format!("{} rewrites the addresses", self.names(&nodes)),
            _ => format!("{} rewrite the addresses", self.names(&nodes)),
        }
    }

    fn names(&self, nodes: &[NodeId]) -> String {
        let names: Vec<&str> = nodes.iter().map(|node| self.plan.name_of(*node)).collect();
        listed(&names)
    }

    /// Where `side` sends to, in words.
    fn remote_words(&self, side: &SessionRun, other: &SessionRun) -> String {
        match side.selections.last() {
            Some((_, pair)) => self.seen_words(side, other, pair.remote.address),
            None => "nobody".into(),
        }
    }

    /// An address of `owner`, with what kind of address it is.
    fn aim_words(&self, owner: &SessionRun, address: SocketAddr) -> String {
        if let Some(nat) = admission::granted_by(self.plan, self.trace, owner, address) {
            let (owner, nat) = (self.name(owner), self.plan.name_of(nat));
            return format!("{owner}'s address as {nat} granted it {address}");
        }
        let kind = owner.local_candidates.iter().find(|candidate| candidate.address == address);
        let what = match kind.map(|candidate| candidate.kind) {
            Some(CandidateType::Host) => "own address",
            Some(CandidateType::ServerReflexive) => "address as STUN saw it",
            Some(CandidateType::Relayed) => "relayed address",
            _ => "address as a check revealed it",
        };
        format!("{}'s {what} {address}", self.name(owner))
    }

    fn place_name(&self, place: Place) -> String {
        match place {
            Place::Node(node) => self.plan.name_of(node).to_owned(),
            Place::Link(link) => format!("the uplink of {}", self.plan.topology.link_name(link)),
        }
    }

    fn name(&self, side: &SessionRun) -> &str {
        self.plan.host_of(side.node)
    }

    fn peer(&self, side: &SessionRun) -> Option<&Peer> {
        match &self.plan.topology.node(side.node).element {
            Element::Peer(peer) => Some(peer),
            _ => None,
        }
    }

    fn is_internet(&self, node: NodeId) -> bool {
        self.plan.topology.parent(node).is_none()
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
