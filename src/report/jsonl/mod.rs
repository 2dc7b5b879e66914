//! A run as JSON Lines: one object a line, every event of the trace in order.
//!
//! Each object has an `event`. The first line is the `run`, the last the `outcome`. Times are virtual milliseconds,
//! nodes go by their names, transport addresses are strings, packets are numbers. A key that has no value is `null`.
//!
//! | `event` | further keys |
//! |---|---|
//! | `run` | `version` of this format, `scenario`, `seed` |
//! | `packet`: before the first event of each packet | `at_ms packet origin cause protocol from to bytes label`; `cause` is the packet it answers, relays or copies |
//! | `departed`, `arrived` | `at_ms packet node port from to hop_limit`; `port` as in captures: `0`, `outside`, `inside-1` |
//! | `delivered` | `at_ms packet node` |
//! | `dropped` | `at_ms packet by on from to reason rule`; `on` is `node`, or `link` for the uplink of `by` |
//! | `duplicated` | `at_ms packet copy link`; `link` is the node whose uplink it is |
//! | `mapping-created` | `at_ms node protocol phase inside outside for accepts accepts_more expires_ms`; `phase` is `null` unless it is TCP's; `for` and `accepts` are `null` for anybody, an address without a port stands for all its ports, `accepts_more` counts senders that are not listed |
//! | `filter-opened` | `at_ms node protocol outside remote` |
//! | `mapping-granted` | `at_ms node protocol inside outside lifetime_ms`; a host had asked for it by NAT-PMP or PCP, for the first time or again |
//! | `mapping-phase`: the connection that keeps a TCP mapping alive the longest has come to another phase | `at_ms node protocol phase inside outside`; `phase` is `opening`, `established`, `closing` or `reset` |
//! | `mapping-expired` | `at_ms node protocol inside outside` |
//! | `port-block-given` | `at_ms node host outside first_port last_port` |
//! | `port-block-returned` | `at_ms node host outside first_port last_port` |
//! | `forgot` | `at_ms node`; a NAT or TURN server lost all of its mappings or allocations |
//! | `allocation-created` | `at_ms node relayed client username lifetime_ms` |
//! | `allocation-refreshed` | `at_ms node relayed lifetime_ms` |
//! | `allocation-gone` | `at_ms node relayed` |
//! | `permission-installed` | `at_ms node relayed peer lifetime_ms` |
//! | `channel-bound` | `at_ms node relayed channel peer lifetime_ms` |
//! | `scripted`: an entry of `events` | `at_ms action text line`; `action` is its key, `text` the entry as the file writes it |
//! | `signalled` | `at_ms call node to message candidates arrives_ms`; `arrives_ms` is `null` if it was lost |
//! | `signal-arrived` | `at_ms call node message` |
//! | `agent-started` | `at_ms call node` |
//! | `candidate-gathered` | `at_ms call node candidate`, and `name` where an mDNS name is signalled instead of the address |
//! | `name-asked` | `at_ms call node name address`; what came of a question for an mDNS name: `address` is `null` if nobody answered |
//! | `ice-state` | `at_ms call node state` |
//! | `pair-selected` | `at_ms call node local remote`, each with `type` and `address` |
//! | `trouble` | `at_ms call node text` |
//! | `truncated` | `events`: how many later ones are missing because the trace was full |
//! | `outcome` | `outcome`: the object of `--format json` |

mod events;

use std::io;

use rustc_hash::FxHashSet;
use serde_json::{Map, Value, json};

use super::Report;
use super::json::{self, Layout};
use crate::trace::Trace;

/// The version of this format.
pub const VERSION: u32 = 1;

/// All lines.
pub fn text(report: Report<'_>) -> String {
    let mut lines = Vec::new();
    // Writing to memory cannot fail.
    let _ = write(&mut lines, report);
    String::from_utf8_lossy(&lines).into_owned()
}

/// Writes all lines. Without a trace there are only the first and the last. `out` should be buffered.
///
/// # Errors
/// Those of `out`.
pub fn write(mut out: impl io::Write, report: Report<'_>) -> io::Result<()> {
    let outcome = report.outcome;
    let run = Line::new("run").with("version", VERSION).with("scenario", outcome.scenario.as_str());
    run.with("seed", outcome.seed).write(&mut out)?;
    if let Some(trace) = &report.run.trace {
        events(&mut out, report, trace)?;
    }
    Line::new("outcome").with("outcome", serde_json::to_value(outcome)?).write(&mut out)?;
    out.flush()
}

fn events(out: &mut impl io::Write, report: Report<'_>, trace: &Trace) -> io::Result<()> {
    let mut known = FxHashSet::default();
    for event in &trace.events {
        if let Some(id) = event.kind.packet()
            && known.insert(id)
            && let Some(record) = trace.packets.get(id)
        {
            events::packet(report.plan, event.at, id, record).write(out)?;
        }
        events::event(report, event).write(out)?;
    }
    if trace.truncated > 0 {
        Line::new("truncated").with("events", trace.truncated).write(out)?;
    }
    Ok(())
}

/// A line under construction; its keys stand in the order in which they were given.
struct Line(Map<String, Value>);

impl Line {
    fn new(event: &str) -> Self {
        Self(Map::from_iter([("event".to_owned(), json!(event))]))
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    fn write(self, out: &mut impl io::Write) -> io::Result<()> {
        out.write_all(json::text(&self.0, Layout::Compact).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SimTime;
    use crate::plan::{StateChange, TcpPhase};
    use crate::report::fixture::Fixture;
    use crate::trace::{Event, EventKind};

    fn lines(fixture: &Fixture) -> String {
        let mut bytes = Vec::new();
        write(&mut bytes, fixture.report()).expect("memory");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn every_event_is_a_line_between_the_run_and_its_outcome() {
        let mut fixture = Fixture::relay();
        if let Some(trace) = &mut fixture.run.trace {
            trace.truncated = 7;
        }

        insta::assert_snapshot!(lines(&fixture));
    }

    #[test]
    fn every_event_of_the_trace_is_written_once() {
        let fixture = Fixture::relay();
        let trace = fixture.run.trace.as_ref().expect("a trace");

        let count = lines(&fixture).lines().count();

        assert_eq!(count, trace.events.len() + trace.packets.len() + 2);
    }

    #[test]
    fn blocks_of_ports_are_told_as_a_carrier_logs_them() {
        let text = lines(&Fixture::cgn());
        let given: Vec<&str> = text.lines().filter(|line| line.contains("port-block-given")).collect();
        let expected = r#"{"event":"port-block-given","at_ms":150200.0,"node":"carrier-grade","host":"100.64.0.2","outside":"203.0.113.10","first_port":50000,"last_port":50511}"#;
        assert_eq!(given, [expected]);
    }

    #[test]
    fn phases_of_tcp_mappings_are_told() {
        let text = lines(&with_phase());
        let told: Vec<&str> = text.lines().filter(|line| line.contains("mapping-phase")).collect();
        let expected = r#"{"event":"mapping-phase","at_ms":0.0,"node":"nat-a","protocol":"tcp","phase":"established","inside":"10.0.1.2:50000","outside":"203.0.113.1:40001"}"#;
        assert_eq!(told, [expected]);
    }

    fn with_phase() -> Fixture {
        let mut fixture = Fixture::relay();
        let node = fixture.plan.topology.find("nat-a").expect("a NAT");
        let [internal, external] =
            ["10.0.1.2:50000", "203.0.113.1:40001"].map(|text| text.parse().expect("an address"));
        let change = StateChange::MappingPhase { internal, external, phase: TcpPhase::Established };
        let event = Event { at: SimTime::ZERO, kind: EventKind::State { node, change } };
        fixture.run.trace.as_mut().expect("a trace").events.push(event);
        fixture
    }

    #[test]
    fn the_documentation_names_every_event_and_key_that_is_written() {
        let documented: String =
            include_str!("mod.rs").lines().take_while(|line| line.starts_with("//!")).collect();
        let texts = [lines(&with_phase()), lines(&Fixture::cgn())];
        for line in texts.iter().flat_map(|text| text.lines()) {
            let object: Map<String, Value> = serde_json::from_str(line).expect("an object");
            let event = object["event"].as_str().expect("a word");
            assert!(documented.contains(&format!("`{event}`")), "{event}");
            for key in object.keys().filter(|key| *key != "event") {
                assert!(documented.contains(key.as_str()), "{event}: {key}");
            }
        }
    }
}
