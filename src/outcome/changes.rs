//! What became of a call after the scenario changed something: each sentence names the latest change before it.

use super::classify::Sides;
use crate::base::{SessionId, SimTime};
use crate::engine::Run;
use crate::plan::{Action, Event, IceState, Plan};
use crate::trace::{AgentEvent, EventKind, Trace};

/// When a call lost contact, found it again, or moved to another pair after a change, and after which. Empty if it did
/// none of these, or without a trace.
pub fn explain(plan: &Plan, run: &Run, call: usize) -> String {
    if !plan.events.iter().any(|event| event.action.is_change()) {
        return String::new();
    }
    let (Some(trace), Some(sides)) = (&run.trace, Sides::of(run, call)) else { return String::new() };
    let lost = first_loss(trace, call);
    let found = lost.and_then(|lost| found_again(trace, sides, call, lost));
    let mut told: Vec<(SimTime, String)> =
        [("Contact was lost", lost), ("It was found again", found), ("The pair changed", last_move(sides))]
            .into_iter()
            .filter_map(|(what, at)| {
                let (at, cause) = (at?, latest_change(plan, at?)?);
                Some((at, format!("{what} at {at}, after `{}` at {}.", cause.text, cause.at)))
            })
            .collect();
    told.extend(hung_up(plan, sides));
    told.sort_by_key(|(at, _)| *at);
    told.into_iter().map(|(_, sentence)| sentence).collect::<Vec<_>>().join(" ")
}

/// The latest change before something happened; `None`: there was none, so nothing but the agents brought it about.
fn latest_change(plan: &Plan, at: SimTime) -> Option<&Event> {
    // An interface that comes up does nothing to a call by itself.
    let may_be_cause =
        |event: &&Event| event.action.is_change() && !matches!(event.action, Action::InterfaceUp(_));
    plan.events.iter().rfind(|event| may_be_cause(event) && event.at <= at)
}

/// What the agents of a call said, in order of time.
fn agents(trace: &Trace, call: usize) -> impl Iterator<Item = (SimTime, SessionId, &AgentEvent)> {
    trace.events.iter().filter_map(move |event| match &event.kind {
        EventKind::Agent { session, event: told } if session.index() / 2 == call => {
            Some((event.at, *session, told))
        }
        _ => None,
    })
}

/// When an agent of the call first said that its pair had died.
fn first_loss(trace: &Trace, call: usize) -> Option<SimTime> {
    let mut selected = Vec::new();
    for (at, session, told) in agents(trace, call) {
        match told {
            AgentEvent::Selected(_) => selected.push(session),
            AgentEvent::State(IceState::Disconnected | IceState::Failed) if selected.contains(&session) => {
                return Some(at);
            }
            _ => {}
        }
    }
    None
}

/// When the last agent was connected again, if both are at the end.
fn found_again(trace: &Trace, sides: Sides<'_>, call: usize, lost: SimTime) -> Option<SimTime> {
    if !(sides.caller.state.is_connected() && sides.callee.state.is_connected()) {
        return None;
    }
    let connected = agents(trace, call).filter(|(at, _, told)| {
        *at > lost && matches!(told, AgentEvent::State(state) if state.is_connected())
    });
    connected.map(|(at, ..)| at).last()
}

/// Who hung up first, and when.
fn hung_up(plan: &Plan, sides: Sides<'_>) -> Option<(SimTime, String)> {
    let ends = [sides.caller, sides.callee].into_iter().filter_map(|side| Some((side.ended_at?, side)));
    let (at, side) = ends.min_by_key(|(at, _)| *at)?;
    Some((at, format!("{} hung up at {at}.", plan.host_of(side.node))))
}

/// When the sides had the pair they kept, if it is not their first.
fn last_move(sides: Sides<'_>) -> Option<SimTime> {
    let moved = [sides.caller, sides.callee].into_iter().filter(|side| side.selections.len() > 1);
    moved.filter_map(|side| side.selections.last()).map(|(at, _)| *at).max()
}
