//! What one side of a call tells its peer and hears from it (RFC 8445 §5.3, RFC 8838), whatever its stack.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use super::gatherer::is_usable;
use super::privacy::Privacy;
use super::{AgentConfig, Output, PATIENCE};
use crate::base::SimTime;
use crate::plan::{CandidateType, IceTransportPolicy};
use crate::wire::signal::Description;
use crate::wire::{Candidate, MdnsName, Signal};

/// The signalling of one side of one call: each thing is told and done once, as soon as it can be.
#[derive(Debug)]
pub(super) struct Conversation {
    caller: bool,
    /// True if the present description of ours is an offer, false if it is an answer.
    offers: bool,
    trickle: bool,
    lite: bool,
    privacy: Privacy,
    policy: IceTransportPolicy,
    max_candidates: usize,
    ours: IceCredentials,
    /// How many ICE restarts there were, one that is under way included.
    generation: u32,
    started: bool,
    over: bool,
    /// Our offer or answer has been sent.
    described: bool,
    /// How many of our candidates the peer has been told of.
    told: usize,
    end_of_candidates: bool,
    theirs: Option<IceCredentials>,
    /// Each with the user name fragment it belongs to.
    their_candidates: Vec<(String, Candidate)>,
    /// Those whose names are being asked for, likewise.
    unresolved: Vec<(String, Candidate)>,
    /// How many of them the stack has been told of.
    handed_over: usize,
    /// Both descriptions are known: checks have begun.
    checking: bool,
    /// When to give up, once checks have begun.
    deadline: Option<SimTime>,
}

/// What checks are signed with: a user name fragment and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IceCredentials {
    pub(super) ufrag: String,
    pub(super) password: String,
}

impl Conversation {
    /// A conversation that has not begun.
    pub(super) fn new(config: &AgentConfig, ours: IceCredentials) -> Self {
        Self {
            caller: config.caller,
            offers: config.caller,
            trickle: config.trickle,
            lite: config.lite,
            privacy: Privacy::of(config),
            policy: config.policy,
            max_candidates: config.max_candidates,
            ours,
            generation: 0,
            started: false,
            over: false,
            described: false,
            told: 0,
            end_of_candidates: false,
            theirs: None,
            their_candidates: Vec::new(),
            unresolved: Vec::new(),
            handed_over: 0,
            checking: false,
            deadline: None,
        }
    }

    /// The call begins for this side. True the first time.
    pub(super) fn start(&mut self) -> bool {
        !self.over && !std::mem::replace(&mut self.started, true)
    }

    pub(super) fn has_started(&self) -> bool {
        self.started
    }

    /// The number of the ICE restart that is to happen: because the application wants it, or because of the peer's
    /// `offer`. `None`: it must not, since the call has not begun or is over, or the offer is not of use.
    ///
    /// Where both sides restart at once, the caller's offer counts and the callee gives up its own.
    pub(super) fn next_generation(&self, offer: Option<&Description>) -> Option<u32> {
        if !self.started || self.over {
            return None;
        }
        let Some(offer) = offer else { return Some(self.generation + 1) };
        let is_waiting = self.offers && self.theirs.is_none();
        let is_newer = offer.generation > self.generation;
        let gives_way = offer.generation == self.generation && is_waiting && !self.caller;
        (is_newer || gives_way).then_some(offer.generation)
    }

    /// Begins anew with these credentials (RFC 8445 §9): nothing has been told, and nothing heard but the peer's `offer`.
    pub(super) fn restart(
        &mut self,
        now: SimTime,
        generation: u32,
        ours: IceCredentials,
        offer: Option<&Description>,
        out: &mut VecDeque<Output>,
    ) {
        self.generation = generation;
        self.ours = ours;
        self.offers = offer.is_none();
        self.described = false;
        self.told = 0;
        self.end_of_candidates = false;
        self.theirs = None;
        self.their_candidates.clear();
        self.unresolved.clear();
        self.handed_over = 0;
        self.checking = false;
        // The peer may never hear of it, or never answer.
        self.deadline = Some(now + PATIENCE);
        if let Some(offer) = offer {
            self.take_description(offer, out);
        }
    }

    /// The call is over: nothing is told or heard any more. `tell`: the peer does not know yet. True the first time.
    pub(super) fn end(&mut self, tell: bool, out: &mut VecDeque<Output>) -> bool {
        if tell && self.started && !self.over {
            out.push_back(Output::Signal(Signal::Bye));
        }
        self.deadline = None;
        !std::mem::replace(&mut self.over, true)
    }

    pub(super) fn is_ended(&self) -> bool {
        self.over
    }

    /// Remembers what the peer signals. `refuses` says what is wrong with a description the stack cannot use.
    pub(super) fn take(
        &mut self,
        signal: &Signal,
        refuses: impl FnOnce(&Description) -> Option<String>,
        out: &mut VecDeque<Output>,
    ) {
        if self.over {
            return;
        }
        match signal {
            Signal::Offer(description) | Signal::Answer(description) => match refuses(description) {
                Some(trouble) => out.push_back(Output::Trouble(trouble)),
                None => self.take_description(description, out),
            },
            Signal::Candidate { candidate, ufrag } => self.take_candidate(ufrag, candidate, out),
            // More candidates are always welcome to the stacks, and only `PATIENCE` ends the wait.
            Signal::EndOfCandidates => {}
            // The agent hangs up.
            Signal::Bye => {}
        }
    }

    fn take_description(&mut self, description: &Description, out: &mut VecDeque<Output>) {
        let Description { ufrag, password, candidates, generation, .. } = description;
        // An answer to an offer of before the last restart.
        if *generation < self.generation {
            return;
        }
        let credentials = IceCredentials { ufrag: ufrag.clone(), password: password.clone() };
        if *self.theirs.get_or_insert_with(|| credentials.clone()) != credentials {
            out.push_back(Output::Trouble("new credentials without an ICE restart".to_owned()));
            return;
        }
        self.their_candidates.retain(|(of, _)| of == ufrag);
        for candidate in candidates {
            self.take_candidate(ufrag, candidate, out);
        }
    }

    fn take_candidate(&mut self, ufrag: &str, candidate: &Candidate, out: &mut VecDeque<Output>) {
        match &candidate.name {
            Some(name) if candidate.is_unresolved() => {
                let is_known =
                    self.unresolved.iter().any(|(of, known)| (of.as_str(), known) == (ufrag, candidate));
                if !is_known && self.unresolved.len() < self.max_candidates {
                    out.push_back(Output::Resolve(name.clone()));
                    self.unresolved.push((ufrag.to_owned(), candidate.clone()));
                }
            }
            _ => self.add_candidate(ufrag, candidate),
        }
    }

    /// The peer's candidates with this name have this address; without one nothing becomes of them
    /// (draft-ietf-mmusic-mdns-ice-candidates §3.2).
    pub(super) fn resolved(&mut self, name: &MdnsName, address: Option<IpAddr>) {
        let waiting = std::mem::take(&mut self.unresolved);
        let (of_name, others) = waiting
            .into_iter()
            .partition::<Vec<_>, _>(|(_, candidate)| candidate.name.as_ref() == Some(name));
        self.unresolved = others;
        for (ufrag, mut candidate) in of_name {
            if let Some(address) = address {
                candidate.address.set_ip(address);
                self.add_candidate(&ufrag, &candidate);
            }
        }
    }

    /// True if the peer's candidate with this address hides behind a name.
    pub(super) fn is_named(&self, address: SocketAddr) -> bool {
        self.their_candidates.iter().any(|(_, known)| known.address == address && known.name.is_some())
    }

    /// Takes a candidate of the peer's, unless it is of another description than the one that counts.
    fn add_candidate(&mut self, ufrag: &str, candidate: &Candidate) {
        let is_stale = self.theirs.as_ref().is_some_and(|theirs| theirs.ufrag != ufrag);
        let candidates = &mut self.their_candidates;
        let known = candidates.iter().any(|(of, known)| {
            of == ufrag && known.address == candidate.address && known.kind == candidate.kind
        });
        let has_room = candidates.len() < self.max_candidates;
        if !is_stale && !known && has_room && is_usable(candidate.address) {
            candidates.push((ufrag.to_owned(), candidate.clone()));
        }
    }

    /// Tells the peer what there is to tell: our offer or answer, at once if we trickle, else when all candidates are
    /// known; then each further candidate; then that there are no more. `ours` are our candidates in the order in
    /// which they were found, all of them if they are `complete`.
    pub(super) fn tell(
        &mut self,
        ours: &[Candidate],
        complete: impl Fn() -> bool,
        out: &mut VecDeque<Output>,
    ) {
        if self.over {
            return;
        }
        if !self.described {
            if !self.started || !(self.trickle || complete()) {
                return;
            }
            self.describe_ourselves(ours, out);
        }
        for candidate in ours.iter().skip(self.told) {
            if let Some(candidate) = self.told(candidate) {
                let ufrag = self.ours.ufrag.clone();
                out.push_back(Output::Signal(Signal::Candidate { candidate, ufrag }));
            }
        }
        self.told = ours.len();
        if self.trickle && !self.end_of_candidates && complete() {
            self.end_of_candidates = true;
            out.push_back(Output::Signal(Signal::EndOfCandidates));
        }
    }

    fn describe_ourselves(&mut self, ours: &[Candidate], out: &mut VecDeque<Output>) {
        let description = Description {
            ufrag: self.ours.ufrag.clone(),
            password: self.ours.password.clone(),
            candidates: ours.iter().filter_map(|candidate| self.told(candidate)).collect(),
            trickle: self.trickle,
            generation: self.generation,
            lite: self.lite,
        };
        self.described = true;
        self.told = ours.len();
        let signal = if self.offers { Signal::Offer(description) } else { Signal::Answer(description) };
        out.push_back(Output::Signal(signal));
    }

    /// WebRTC's `iceTransportPolicy`: true for a candidate that may be used and told.
    pub(super) fn allows(&self, candidate: &Candidate) -> bool {
        self.policy == IceTransportPolicy::All || candidate.kind == CandidateType::Relayed
    }

    /// A candidate as the peer is told of it; `None`: it is not.
    fn told(&self, candidate: &Candidate) -> Option<Candidate> {
        if self.allows(candidate) { self.privacy.told(candidate) } else { None }
    }

    /// Checks begin when both sides' descriptions are out, and with them the wait of RFC 8863. Gives the peer's
    /// credentials when that has just happened.
    pub(super) fn begin_checks(&mut self, now: SimTime) -> Option<&IceCredentials> {
        if self.checking || !self.described {
            return None;
        }
        let theirs = self.theirs.as_ref()?;
        self.checking = true;
        self.deadline = Some(now + PATIENCE);
        Some(theirs)
    }

    pub(super) fn is_checking(&self) -> bool {
        self.checking
    }

    /// The peer's next candidate that the stack has not been told of, once checks have begun.
    pub(super) fn hand_over(&mut self) -> Option<&Candidate> {
        let next = self.their_candidates.get(self.handed_over).filter(|_| self.checking)?;
        self.handed_over += 1;
        Some(&next.1)
    }

    /// The type of the peer's candidate with this address, if it was signalled.
    pub(super) fn signalled_type(&self, address: SocketAddr) -> Option<CandidateType> {
        let mut candidates = self.their_candidates.iter().map(|(_, candidate)| candidate);
        candidates.find(|candidate| candidate.address == address).map(|found| found.kind)
    }

    /// When to give up, if ever.
    pub(super) fn deadline(&self) -> Option<SimTime> {
        self.deadline
    }

    /// Sets another time to give up; `None` while there is no reason to.
    pub(super) fn wait_until(&mut self, deadline: Option<SimTime>) {
        self.deadline = deadline;
    }

    /// True if it is time to give up.
    pub(super) fn is_over(&self, now: SimTime) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}
