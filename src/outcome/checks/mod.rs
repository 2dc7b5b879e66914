//! Connectivity checks as the wire saw them: which pair each belonged to, how it ended, and what state that leaves the
//! pair in. No agent is asked.

mod follow;
mod pairs;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use crate::base::{PacketId, SessionId, SimTime};
use crate::engine::{Run, SessionRun};
use crate::plan::{Drop, Element, IceTransportPolicy, Plan};
use crate::trace::{Place, Trace};
use crate::wire::Flow;

pub use pairs::{LocalEnd, Pair};

use follow::{End, Follower, Message};

/// A connectivity check of one side (RFC 8445 §7.2): one Binding request, through whatever relays.
#[derive(Debug, Clone)]
pub struct Check<'a> {
    /// The packet, as it left its sender.
    pub packet: PacketId,
    /// When it left.
    pub sent_at: SimTime,
    /// From where.
    pub local: LocalEnd,
    /// To where: through a relay the address it was to be passed on to.
    pub remote: SocketAddr,
    /// How it ended.
    pub end: CheckEnd<'a>,
}

/// How a check ended.
#[derive(Debug, Clone)]
pub enum CheckEnd<'a> {
    /// Its answer came back from where the check had gone.
    Answered {
        /// When.
        at: SimTime,
    },
    /// An answer came back from another address, which RFC 8445 §7.2.5.2.1 counts as a failure.
    AnsweredFromElsewhere {
        /// When.
        at: SimTime,
    },
    /// The peer refused it.
    Refused {
        /// When its answer came back.
        at: SimTime,
    },
    /// It died on its way.
    Died(Death<'a>),
    /// It arrived, but its answer died on the way back.
    AnswerDied(Death<'a>),
    /// It arrived, and the peer did not answer.
    Unanswered {
        /// When it arrived.
        at: SimTime,
    },
    /// It, or its answer, was still on its way when the run ended.
    Underway,
}

/// The death of a check or of its answer.
#[derive(Debug, Clone, Copy)]
pub struct Death<'a> {
    /// The packet that died: the check, its answer, or what a relay made of either.
    pub packet: PacketId,
    /// When.
    pub at: SimTime,
    /// Where.
    pub place: Place,
    /// Its flow there: NATs on the way had rewritten it.
    pub flow: Flow,
    /// Why.
    pub drop: &'a Drop,
}

impl CheckEnd<'_> {
    /// When it ended; `None` if it was still under way.
    pub const fn at(&self) -> Option<SimTime> {
        match self {
            Self::Answered { at }
            | Self::AnsweredFromElsewhere { at, .. }
            | Self::Refused { at, .. }
            | Self::Unanswered { at } => Some(*at),
            Self::Died(death) | Self::AnswerDied(death) => Some(death.at),
            Self::Underway => None,
        }
    }
}

/// All checks of a run. Reading a trace costs a look at every packet, so it is read once for all sides.
pub struct Checks<'a> {
    plan: &'a Plan,
    run: &'a Run,
    trace: &'a Trace,
    follower: Follower<'a>,
}

impl<'a> Checks<'a> {
    /// Reads the trace of a run; `None` if it kept none.
    pub fn read(plan: &'a Plan, run: &'a Run) -> Option<Self> {
        let trace = run.trace.as_ref()?;
        Some(Self { plan, run, trace, follower: Follower::new(trace) })
    }

    /// All candidate pairs of one side with their checks, in the order in which RFC 8445 would try them: the side's
    /// own sockets before its relays, the peer's own addresses before reflexive and relayed ones.
    ///
    /// A pair stands here as soon as both its ends are known, whether it was ever checked or not.
    pub fn pairs(&self, session: SessionId) -> Vec<Pair<'a>> {
        let sessions = &self.run.sessions;
        let Some(side) = sessions.get(session.index()) else { return Vec::new() };
        let Some(peer) = sessions.get(side.counterpart.index()) else { return Vec::new() };
        let checks = checks_of(&self.follower, side, peer);
        let mut pairs = pairs::grouped(self.trace, session, side, checks);
        if is_relay_only(self.plan, side) {
            pairs.retain(|pair| matches!(pair.local, LocalEnd::Relay(_)) || !pair.checks.is_empty());
        }
        pairs
    }

    /// The candidates that signalling brought to one side, and when.
    #[cfg(feature = "html")]
    pub fn signalled_to(&self, side: &SessionRun) -> Vec<(crate::wire::Candidate, SimTime)> {
        pairs::signalled_to(self.trace, side)
    }
}

/// True if the side may use its relays only (WebRTC's `iceTransportPolicy`).
fn is_relay_only(plan: &Plan, side: &SessionRun) -> bool {
    matches!(&plan.topology.node(side.node).element,
        Element::Peer(peer) if peer.ice_transport_policy == IceTransportPolicy::Relay)
}

/// All checks that `side` sent, in order.
fn checks_of<'a>(follower: &Follower<'a>, side: &SessionRun, peer: &SessionRun) -> Vec<Check<'a>> {
    let mut answers = follower.answers_of(peer);
    let mut checks = Vec::new();
    for packet in follower.sent_by(side) {
        for request in follower.messages(packet) {
            let Message::Request { transaction } = *request else { continue };
            let Some((local, remote)) = follower.ends_of_check(packet, *request, side) else { continue };
            let end = match follower.end(packet, *request) {
                End::Died(death) => CheckEnd::Died(death),
                End::Underway => CheckEnd::Underway,
                // What a relay lets fall without dropping it, and what reaches somebody else, is not answered either.
                End::Arrived { at, node, .. } if node != peer.node => CheckEnd::Unanswered { at },
                End::Arrived { at, .. } => match answers.take(transaction, at) {
                    None => CheckEnd::Unanswered { at },
                    Some((packet, answer)) => end_of_answer(follower, packet, answer, side, local, remote),
                },
            };
            let sent_at = follower.started(packet);
            checks.push(Check { packet, sent_at, local, remote, end });
        }
    }
    checks
}

fn end_of_answer<'a>(
    follower: &Follower<'a>,
    packet: PacketId,
    answer: Message,
    side: &SessionRun,
    local: LocalEnd,
    remote: SocketAddr,
) -> CheckEnd<'a> {
    match follower.end(packet, answer) {
        End::Died(death) => CheckEnd::AnswerDied(death),
        End::Underway => CheckEnd::Underway,
        End::Arrived { at, node, .. } if !side.is_at(node) => CheckEnd::Unanswered { at },
        End::Arrived { at, source, .. } => match answer {
            Message::Error { .. } => CheckEnd::Refused { at },
            _ if matches!(local, LocalEnd::Socket(_)) && source != remote => {
                CheckEnd::AnsweredFromElsewhere { at }
            }
            _ => CheckEnd::Answered { at },
        },
    }
}
