//! The one run loop: network, agents and signalling under one virtual clock.

mod calls;
mod deliver;
mod names;
mod roaming;
mod script;
mod streams;

use std::borrow::Cow;
use std::net::SocketAddr;

use rustc_hash::FxHashMap;

use self::deliver::Receiver;
use self::streams::Streams;
use super::mdns::Mdns;
use super::network::{Delivery, Network};
use super::queue::EventQueue;
use super::recorder::Recorder;
use super::run::{Moment, Run};
use super::seat::{Guest, Seat};
use super::session::{Request, Session};
use super::settle::{CallProgress, Quiet};
use super::signalling::SignallingService;
use super::{RunError, RunOptions};
use crate::agent::{self, Input, StreamId};
use crate::base::{LimitReached, Limits, NodeId, SessionId, SimDuration, SimTime};
use crate::endpoint;
use crate::plan::{CallSide, Link, MEDIA_TIME, Plan, Topology};
use crate::trace::EventKind;
use crate::wire::Signal;

/// How long a run without `duration` waits for its calls to settle.
pub const DEFAULT_DURATION: SimDuration = SimDuration::from_secs(60);

/// How long a run without `duration` may take: from the start of its last call, the offer's and the answer's way, the
/// default duration, and without trickle also what two sides wait for servers that do not answer.
fn longest(plan: &Plan) -> SimDuration {
    let last_call = plan.calls.iter().map(|call| call.at).max().unwrap_or_default().since(SimTime::ZERO);
    let gathering = if plan.signalling.trickle { SimDuration::ZERO } else { agent::PATIENCE.times(2) };
    let has_media = plan.calls.iter().any(|call| !call.media.is_empty());
    let media = if has_media { MEDIA_TIME } else { SimDuration::ZERO };
    let calls = last_call + plan.signalling.delay.times(2) + gathering + DEFAULT_DURATION + media;
    calls.max(script::end(plan).since(SimTime::ZERO))
}

/// Everything that moves during a run.
pub struct World<'a, 'e> {
    plan: &'a Plan,
    /// The network as it is at the moment: the plan's, until an event changes it.
    topology: Cow<'a, Topology>,
    limits: &'a Limits,
    seed: u64,
    now: SimTime,
    network: Network,
    sessions: Vec<Session>,
    /// Whose socket it is. Two homes may use the same private addresses, so the address alone does not tell.
    receivers: FxHashMap<(NodeId, SocketAddr), Receiver>,
    streams: Streams,
    seats: Vec<Seat<'e>>,
    /// How far each call is: two sessions make one.
    calls: Vec<CallProgress>,
    open_calls: usize,
    signalling: SignallingService,
    queue: EventQueue<WorldEvent>,
    mdns: Mdns,
    requests: Vec<Request>,
    events: u64,
    events_at_this_instant: u64,
    quiet: Quiet,
    moments: Vec<Moment>,
}

enum WorldEvent {
    /// The plan's event with this number.
    Scripted(usize),
    EndpointBegins(usize),
    EndpointTimer {
        seat: usize,
        at: SimTime,
    },
    CallBegins(SessionId),
    /// The question for a name with this number is to be asked again, or given up.
    NameIsDue(usize),
    SignalArrives {
        to: SessionId,
        signal: Signal,
    },
    SessionTimer {
        session: SessionId,
        at: SimTime,
    },
    NoRoomForStream {
        session: SessionId,
        stream: StreamId,
    },
}

impl<'a, 'e> World<'a, 'e> {
    /// The plan's world at time zero.
    pub fn new(plan: &'a Plan, options: &'a RunOptions, guests: Vec<Guest<'e>>) -> Result<Self, RunError> {
        let seed = options.seed.unwrap_or(plan.seed);
        let limits = &options.limits;
        let recorder = Recorder::new(options.record.then_some(limits.trace_bytes));
        let recorder = if options.skip_rest { recorder.skipping_rest() } else { recorder };
        let mut network = Network::new(plan, seed, limits, recorder);
        let mdns = Mdns::new(plan, seed);
        let sessions = calls::open_sessions(plan, seed, options, &mdns, &mut network)?;
        let seats: Vec<_> = guests.into_iter().filter_map(|guest| Seat::new(plan, seed, guest)).collect();
        let mut queue = EventQueue::default();
        // Before everything else, so that they come first among what is due at a moment.
        for (index, event) in plan.events.iter().enumerate() {
            queue.push(event.at, WorldEvent::Scripted(index));
        }
        for seat in 0..seats.len() {
            queue.push(SimTime::ZERO, WorldEvent::EndpointBegins(seat));
        }
        for (index, call) in plan.calls.iter().enumerate() {
            queue.push(call.at, WorldEvent::CallBegins(SessionId::new(2 * index as u32)));
        }
        let signalling = SignallingService::new(&plan.signalling, seed, sessions.len());
        let receivers = receivers(&sessions).collect();
        let calls = vec![CallProgress::Open; sessions.len() / 2];
        Ok(Self {
            plan,
            topology: Cow::Borrowed(&plan.topology),
            limits,
            seed,
            now: SimTime::ZERO,
            network,
            sessions,
            receivers,
            streams: Streams::default(),
            seats,
            open_calls: calls.len(),
            calls,
            signalling,
            queue,
            mdns,
            requests: Vec::new(),
            events: 0,
            events_at_this_instant: 0,
            quiet: quiet(&plan.topology),
            moments: Vec::new(),
        })
    }

    /// The moment at which the run ends at the latest.
    pub fn end(&self) -> SimTime {
        SimTime::ZERO + self.plan.duration.unwrap_or_else(|| longest(self.plan))
    }

    /// Lets everything happen that is due by `until`, or until the run is over.
    pub fn run_until(&mut self, until: SimTime) -> Result<(), RunError> {
        let until = until.min(self.end());
        while let Some(next) = self.next_event_at() {
            if next > until || self.is_over_before(next) {
                break;
            }
            self.advance_to(next)?;
            self.step()?;
        }
        Ok(())
    }

    /// Lets the endpoint with this index act at `now`, by which everything else that was due must have happened.
    pub fn wake(&mut self, seat: usize, now: SimTime) -> Result<(), RunError> {
        self.advance_to(now)?;
        self.seat(seat, endpoint::Input::Timeout)
    }

    /// What happens in the network comes before the plan's events, and those before what the peers do at the same moment.
    fn step(&mut self) -> Result<(), RunError> {
        if self.network.handle_timeout(self.now)? {
            while let Some(delivery) = self.network.poll_delivery() {
                match delivery {
                    Delivery::Datagram { node, packet } => self.deliver(node, packet)?,
                    Delivery::Stream { node, news } => self.deliver_news(node, news)?,
                }
            }
            return Ok(());
        }
        match self.queue.pop_due(self.now) {
            None => Ok(()),
            Some(WorldEvent::Scripted(event)) => self.scripted(event),
            Some(WorldEvent::EndpointBegins(seat)) => self.seat(seat, endpoint::Input::Start),
            Some(WorldEvent::EndpointTimer { seat, at }) => {
                if self.seats[seat].timer != Some(at) {
                    return Ok(());
                }
                self.seats[seat].timer = None;
                self.seat(seat, endpoint::Input::Timeout)
            }
            Some(WorldEvent::NameIsDue(question)) => self.name_is_due(question),
            Some(WorldEvent::CallBegins(session)) => self.input(session, Input::Start),
            Some(WorldEvent::SignalArrives { to, signal }) => {
                let name = signal.name();
                self.network.recorder.event(self.now, || EventKind::SignalArrived { to, name });
                match &signal {
                    // What would begin a call that has begun restarts it (RFC 8839 §4.4.1.1.1).
                    Signal::Offer(offer) if self.sessions[to.index()].diary.started_at.is_some() => {
                        self.restart(to, Some(offer))
                    }
                    _ => self.input(to, Input::Signal(&signal)),
                }
            }
            Some(WorldEvent::NoRoomForStream { session, stream }) => self.no_room_for_stream(session, stream),
            Some(WorldEvent::SessionTimer { session, at }) => {
                if self.sessions[session.index()].timer != Some(at) {
                    return Ok(());
                }
                self.sessions[session.index()].timer = None;
                self.sessions[session.index()].handle_timeout(self.now, &mut self.requests)?;
                self.fulfil(session)
            }
        }
    }

    /// When something happens next, were the run to go on for ever.
    pub fn next_event_at(&self) -> Option<SimTime> {
        self.network.next_timeout().into_iter().chain(self.queue.next_at()).min()
    }

    /// True if every call will have settled or failed before `next`, every endpoint is done, what events bring about has
    /// had its time, and the file does not say how long the run takes.
    pub fn is_over_before(&self, next: SimTime) -> bool {
        self.plan.duration.is_none()
            && self.open_calls == 0
            && self.calls.iter().all(|call| match call {
                CallProgress::Open => false,
                CallProgress::SettlesAt(at) => *at < next,
                CallProgress::Failed | CallProgress::Ended => true,
            })
            && !self.seats.iter().any(Seat::is_open)
            && script::end(self.plan) < next
    }

    /// The moment a run is over: when the file says so, or when its last call settled.
    fn ended_at(&self) -> SimTime {
        let end = self.end();
        if self.plan.duration.is_some() {
            return end;
        }
        let settled = self.calls.iter().map(|call| match call {
            CallProgress::SettlesAt(at) => (*at).min(end),
            CallProgress::Open | CallProgress::Failed | CallProgress::Ended => self.now,
        });
        settled.max().unwrap_or(self.now).max(self.now).max(script::end(self.plan))
    }

    fn advance_to(&mut self, next: SimTime) -> Result<(), LimitReached> {
        self.events += 1;
        self.events_at_this_instant = if next > self.now { 0 } else { self.events_at_this_instant + 1 };
        self.now = self.now.max(next);
        let limits = self.limits;
        let reached = |key, name, value| Err(LimitReached { key, name, value });
        if self.events > limits.events {
            return reached("events", "events", limits.events);
        }
        if self.events_at_this_instant > limits.events_at_one_instant {
            return reached("events-at-one-instant", "events at one instant", limits.events_at_one_instant);
        }
        if self.now > SimTime::ZERO + limits.virtual_time {
            let seconds = limits.virtual_time.as_nanos() / 1_000_000_000;
            return reached("virtual-time", "seconds of virtual time", seconds);
        }
        Ok(())
    }

    /// What happened.
    pub fn finish(mut self) -> Run {
        self.now = self.ended_at();
        let nat_tables = self.network.nat_tables(self.now);
        let packets = self.network.packet_count();
        let (drops, trace) = self.network.recorder.finish();
        Run {
            seed: self.seed,
            ended_at: self.now,
            sessions: self.sessions.into_iter().map(|session| session.diary).collect(),
            endpoints: self.seats.into_iter().map(|seat| seat.diary).collect(),
            moments: self.moments,
            drops,
            nat_tables,
            packets,
            events: self.events,
            trace,
        }
    }
}

/// Who has which socket when a run begins.
fn receivers(sessions: &[Session]) -> impl Iterator<Item = ((NodeId, SocketAddr), Receiver)> {
    let numbered = (0..).map(SessionId::new).zip(sessions);
    numbered.flat_map(|(id, Session { diary, .. })| {
        let places = diary.places.iter().zip(&diary.sockets);
        places.map(move |(place, socket)| ((*place, *socket), Receiver::Session(id)))
    })
}

fn quiet(topology: &Topology) -> Quiet {
    let mut links = topology.link_ids().map(|id| topology.link(id));
    if links.any(Link::may_lose) { Quiet::LOSSY } else { Quiet::LOSSLESS }
}
