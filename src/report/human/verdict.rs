//! How each call went, in one line and a cause.

use super::table::more;
use super::{Options, calls};
use crate::outcome::CallOutcome;
use crate::report::text::{Role, Text, milliseconds, path_role};
use crate::report::{Report, sentences};

/// Where `why` begins.
const INDENT: usize = 7;

pub(super) fn write(text: &mut Text, report: Report<'_>, options: Options) {
    if calls::are_many(report, options) {
        calls::write(text, report, options);
        let examples: Vec<_> = calls::examples(&report.outcome.calls).collect();
        examples.iter().for_each(|call| one(text, report, call, options));
        more(text, report.outcome.calls.len() - examples.len(), "cause");
    } else {
        report.outcome.calls.iter().for_each(|call| one(text, report, call, options));
    }
    for endpoint in &report.run.endpoints {
        let (word, role, when) = match endpoint.done_at {
            Some(at) => ("DONE", Role::Good, format!(" after {}", milliseconds(at.as_millis_f64()))),
            None => ("WAITS", Role::Bad, " when the run ends".into()),
        };
        text.paint(role, word).push(&" ".repeat(INDENT - word.len()));
        text.paint(Role::Strong, report.plan.name_of(endpoint.node)).push(&when);
        text.end_line();
    }
}

fn one(text: &mut Text, report: Report<'_>, call: &CallOutcome, options: Options) {
    text.paint(path_role(call.path), &call.path.word().to_uppercase());
    let word = call.path.word().len();
    text.push(&" ".repeat(INDENT.saturating_sub(word).max(1)));
    text.paint(Role::Strong, &format!("{} → {}", call.from, call.to));
    text.push(&format!(" {}", sentences::result(report.plan, call)));
    text.end_line();
    text.wrapped(Role::Normal, &sentences::facts(call), INDENT, options.width);
    for line in sentences::media(call) {
        text.wrapped(Role::Normal, &line, INDENT, options.width);
    }
    text.wrapped(Role::Dim, &call.why, INDENT, options.width);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Family, IceState, Path};
    use crate::report::fixture::Fixture;

    /// The verdict on the fixture's call after `change`, without pair, facts and cause.
    fn verdict(change: impl FnOnce(&mut CallOutcome)) -> String {
        let mut fixture = Fixture::relay();
        change(&mut fixture.outcome.calls[0]);
        let mut text = Text::default();
        write(&mut text, fixture.report(), Options::default());
        text.finish().lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_direct_call_says_its_family_only_if_it_is_ipv6() {
        let direct = |family| verdict(|call| (call.path, call.family) = (Path::Direct, Some(family)));

        assert_eq!(direct(Family::Ipv4), "DIRECT alice → bob connected after 280 ms.");
        assert_eq!(direct(Family::Ipv6), "DIRECT alice → bob connected after 280 ms over IPv6.");
    }

    #[test]
    fn a_call_that_changed_its_pair_tells_both_times_and_where_it_began() {
        let line = verdict(|call| {
            call.path = Path::Stun;
            (call.first_path, call.settled_ms) = (Some(Path::Relay), Some(1_200.5));
        });

        assert_eq!(
            line,
            "STUN   alice → bob connected after 280 ms, settled after 1200.5 ms (first path: relay)."
        );
    }

    #[test]
    fn a_failed_call_tells_the_state_it_ended_in() {
        let failed = |connected| {
            verdict(|call| {
                (call.path, call.state) = (Path::Failed, IceState::Failed);
                (call.connected_ms, call.settled_ms) = (connected, None);
            })
        };

        assert_eq!(failed(None), "FAILED alice → bob did not connect (state: failed).");
        assert_eq!(
            failed(Some(90.0)),
            "FAILED alice → bob connected after 90 ms, but did not stay so (state: failed)."
        );
    }

    #[test]
    fn a_relay_nobody_owns_is_still_a_relay() {
        let line = verdict(|call| call.selected.clear());

        assert_eq!(line, "RELAY  alice → bob connected after 280 ms through a relay (UDP).");
    }
}
