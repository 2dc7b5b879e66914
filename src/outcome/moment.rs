//! What was expected at a moment of the run.

use super::{ExpectationOutcome, classify, drops_by_name, expect, media};
use crate::engine::Moment;
use crate::plan::{Action, Plan};

/// Judges what the plan expects at this moment by what was known then. Calls that have not begun are left out.
pub fn judge(plan: &Plan, moment: &Moment) -> Vec<ExpectationOutcome> {
    let Some(Action::Expect(expectations)) = plan.events.get(moment.event).map(|event| &event.action) else {
        return Vec::new();
    };
    let has_begun = |call: &usize| plan.calls.get(*call).is_some_and(|call| call.at <= moment.at);
    let calls: Vec<_> = (0..plan.calls.len())
        .filter(has_begun)
        .filter_map(|call| {
            let mut outcome = classify::classify(plan, &moment.sessions, call)?;
            media::add(&mut outcome, plan, &moment.sessions, call, moment.at);
            Some(outcome)
        })
        .collect();
    let drops = drops_by_name(plan, &moment.drops);
    let at_ms = Some(moment.at.as_millis_f64());
    let outcomes = expect::judge(plan, expectations, &calls, &drops);
    outcomes.into_iter().map(|outcome| ExpectationOutcome { at_ms, ..outcome }).collect()
}
