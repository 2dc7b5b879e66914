//! The plan's events.

use super::{World, quiet};
use crate::base::SimTime;
use crate::engine::RunError;
use crate::engine::network::Ground;
use crate::engine::run::Moment;
use crate::plan::{AFTERMATH, Action, Event, Plan};
use crate::trace::EventKind;

/// Until when a run without `duration` goes on because of the plan's events.
pub(super) fn end(plan: &Plan) -> SimTime {
    let of_event = |event: &Event| if event.action.is_change() { event.at + AFTERMATH } else { event.at };
    plan.events.iter().map(of_event).max().unwrap_or(SimTime::ZERO)
}

impl World<'_, '_> {
    /// Lets the plan's event with this number happen.
    pub(super) fn scripted(&mut self, event: usize) -> Result<(), RunError> {
        let Some(Event { action, .. }) = self.plan.events.get(event) else { return Ok(()) };
        self.network.recorder.event(self.now, || EventKind::Scripted { event });
        if !action.is_change() {
            let sessions = self.sessions.iter().map(|session| session.diary.clone()).collect();
            let drops = self.network.recorder.drops();
            self.moments.push(Moment { event, at: self.now, sessions, drops });
            return Ok(());
        }
        let mut ground = Ground {
            topology: self.topology.to_mut(),
            seed: self.seed,
            limits: self.limits,
            starts: 1 + starts(&self.plan.events[..=event], action),
        };
        self.network.apply(self.now, action, &mut ground)?;
        self.quiet = quiet(&self.topology);
        self.tell_agents(action)
    }
}

/// How many of `events` start the server of `action`.
fn starts(events: &[Event], action: &Action) -> usize {
    let (Action::ServerUp(node) | Action::ServerRestart(node)) = action else { return 0 };
    let starts = |event: &&Event| matches!(&event.action, Action::ServerUp(other) | Action::ServerRestart(other) if other == node);
    events.iter().filter(starts).count()
}
