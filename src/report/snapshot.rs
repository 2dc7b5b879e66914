//! A run as a text to keep beside its scenario and to compare with: what matters about it, a line a fact, so that a
//! difference reads well in review.
//!
//! Times, numbers of packets and the order of events are left out: they change with every detail of a stack. Addresses
//! and ports stand in it, since they are what NATs decide; for a seed they are the same in every patch version.

use super::text::{Style, Text};
use super::{Report, names};
use crate::outcome::{CallOutcome, EndOutcome};
use crate::plan::{Element, MappingRow};

/// What a snapshot begins with. The number grows if the same run would be told differently.
const HEADER: &str = "# punchlab snapshot 1";
/// What follows it where times are told too.
const WITH_TIMES: &str = ", with times";
/// How many columns the cause keeps to.
const WIDTH: usize = 100;

/// The text of a run, with times if they are wanted.
pub fn write(report: Report<'_>, times: bool) -> String {
    let mut text = Text::new(Style::Plain);
    line(&mut text, &format!("{HEADER}{}", if times { WITH_TIMES } else { "" }));
    line(&mut text, &format!("scenario: {}", report.outcome.scenario));
    for call in &report.outcome.calls {
        text.end_line();
        self::call(&mut text, call, times);
    }
    endpoints(&mut text, report, times);
    nat_tables(&mut text, report);
    drops(&mut text, report);
    text.finish()
}

/// True if a snapshot tells times, so that what it is compared with has to tell them too.
pub fn has_times(snapshot: &str) -> bool {
    snapshot.lines().next().is_some_and(|first| first.ends_with(WITH_TIMES))
}

fn call(text: &mut Text, call: &CallOutcome, times: bool) {
    line(text, &format!("{} → {}: {}", call.from, call.to, call.path));
    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            line(text, &format!("  {name}: {value}"));
        }
    };
    fact("first path", call.first_path.map(|path| path.to_string()));
    fact("state", Some(call.state.to_string()));
    fact("needs", call.needs.map(|needs| needs.to_string()));
    fact("family", call.family.map(|family| family.to_string()));
    fact("relay protocol", call.relay_protocol.map(|protocol| protocol.to_string()));
    for (peer, hops) in &call.nat_hops {
        fact(&format!("NATs of {peer}"), Some(hops.to_string()));
    }
    if times {
        let ms = |ms: Option<f64>| ms.map(super::text::milliseconds);
        fact("connected after", ms(call.connected_ms));
        fact("settled after", ms(call.settled_ms));
        fact("round trip", ms(call.rtt_ms));
        fact("media gap", ms(call.media_gap_ms));
    }
    let end = |end: &EndOutcome| format!("{} {}", end.kind, end.address);
    for (peer, pair) in &call.selected {
        let stack = call.agents.get(peer).map_or("?", String::as_str);
        fact(&format!("{peer} ({stack})"), Some(format!("{} ↔ {}", end(&pair.local), end(&pair.remote))));
    }
    text.wrapped(super::text::Role::Normal, &format!("why: {}", call.why), 2, WIDTH);
}

fn endpoints(text: &mut Text, report: Report<'_>, times: bool) {
    for endpoint in &report.run.endpoints {
        text.end_line();
        let done = match endpoint.done_at {
            None => "not done".into(),
            Some(at) if times => format!("done after {}", super::text::milliseconds(at.as_millis_f64())),
            Some(_) => "done".into(),
        };
        line(text, &format!("{}: {done}", report.plan.name_of(endpoint.node)));
        for socket in &endpoint.sockets {
            line(text, &format!("  socket: {socket}"));
        }
    }
}

fn nat_tables(text: &mut Text, report: Report<'_>) {
    for (node, mappings) in &report.run.nat_tables {
        let node = report.plan.topology.node(*node);
        let Element::Nat(nat) = &node.element else { continue };
        text.end_line();
        let label = nat.label.as_ref().map(|label| format!("{label}, ")).unwrap_or_default();
        line(text, &format!("{}: {label}{}", node.name, nat.behavior));
        for mapping in mappings {
            line(text, &format!("  {}", row(mapping)));
        }
    }
}

/// `udp 10.0.1.2:56221 ⇒ 203.0.113.1:12035 for 192.0.2.1:3478, accepts 192.0.2.1:3478`.
fn row(mapping: &MappingRow) -> String {
    let MappingRow { protocol, internal, external, .. } = mapping;
    let remote = mapping.for_remote.map_or("anybody".into(), names::endpoint);
    let explicit = if mapping.explicit { " explicit" } else { "" };
    let accepts = mapping.accepts.as_ref().map_or("anybody".into(), ToString::to_string);
    format!("{protocol}{explicit} {internal} ⇒ {external} for {remote}, accepts {accepts}")
}

fn drops(text: &mut Text, report: Report<'_>) {
    if report.outcome.drops.is_empty() {
        return;
    }
    text.end_line();
    line(text, "drops");
    for drop in &report.outcome.drops {
        line(text, &format!("  {}: {}", drop.by, drop.reason));
    }
}

fn line(text: &mut Text, line: &str) {
    text.push(line);
    text.end_line();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn a_snapshot_tells_what_matters_a_line_a_fact() {
        insta::assert_snapshot!(write(Fixture::relay().report(), false));
    }

    #[test]
    fn times_are_told_only_if_asked_for_and_the_first_line_says_so() {
        let fixture = Fixture::relay();
        let (without, with) = (write(fixture.report(), false), write(fixture.report(), true));
        assert!(!without.contains(" ms") && with.contains("connected after: 280 ms"), "{with}");
        assert_eq!((has_times(&without), has_times(&with)), (false, true));
    }
}
