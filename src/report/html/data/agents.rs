//! What each agent knew, tried and chose.

use serde::Serialize;

use super::packets::Book;
use crate::base::SessionId;
use crate::engine::SessionRun;
use crate::explain::account::{self, names_pair};
use crate::outcome::checks::{Checks, Pair};
use crate::report::{Report, sentences};
use crate::trace::{AgentEvent, EventKind};
use crate::wire::Candidate;

/// One side of a call.
#[derive(Debug, Serialize)]
pub struct Agent {
    tab: usize,
    node: usize,
    stack: &'static str,
    role: &'static str,
    states: Vec<(f64, &'static str)>,
    /// When, type, address.
    candidates: Vec<(f64, &'static str, String)>,
    remote: Vec<(f64, &'static str, String)>,
    pairs: Vec<PairData>,
    /// When, which pair or -1, and the agent's own words.
    selected: Vec<(f64, i64, String)>,
}

#[derive(Debug, Serialize)]
struct PairData {
    local: String,
    remote: String,
    states: Vec<(f64, &'static str)>,
    checks: Vec<usize>,
    note: String,
}

/// Both sides of every call.
pub fn agents(report: Report<'_>, book: &Book) -> Vec<Agent> {
    let Some(checks) = Checks::read(report.plan, report.run) else { return Vec::new() };
    let sessions = report.run.sessions.iter().enumerate();
    sessions.map(|(number, side)| agent(report, &checks, book, number, side)).collect()
}

fn agent(report: Report<'_>, checks: &Checks<'_>, book: &Book, number: usize, side: &SessionRun) -> Agent {
    let session = SessionId::new(number as u32);
    let pairs = checks.pairs(session);
    let selected = side.selections.iter().map(|(at, chosen)| {
        let pair = pairs.iter().position(|pair| names_pair(side, chosen, pair));
        let words = format!("{} / {}", chosen.local.kind, chosen.remote.kind);
        (at.as_millis_f64(), pair.map_or(-1, |pair| pair as i64), words)
    });
    let told = checks.signalled_to(side).into_iter();
    let remote = told.map(|(one, at)| (at.as_millis_f64(), one.kind.word(), shown(&one)));
    let mut agent = Agent {
        tab: number / 2,
        node: side.node.index(),
        stack: side.stack,
        // As they start; a conflict may change it (RFC 8445 §7.2.5.1).
        role: if number.is_multiple_of(2) { "controlling" } else { "controlled" },
        states: side.started_at.map(|at| (at.as_millis_f64(), "new")).into_iter().collect(),
        candidates: Vec::new(),
        remote: remote.collect(),
        selected: selected.collect(),
        pairs: pairs.iter().map(|pair| pair_data(report, book, side, pair)).collect(),
    };
    agent.note_events(report, session);
    agent
}

impl Agent {
    fn note_events(&mut self, report: Report<'_>, session: SessionId) {
        for event in report.run.trace.iter().flat_map(|trace| &trace.events) {
            let at = event.at.as_millis_f64();
            let EventKind::Agent { session: of, event } = &event.kind else { continue };
            if *of != session {
                continue;
            }
            match event {
                AgentEvent::State(state) => self.states.push((at, state.word())),
                AgentEvent::Gathered(one) => {
                    self.candidates.push((at, one.kind.word(), shown(one)));
                }
                _ => {}
            }
        }
    }
}

/// A candidate's address, and the name that is told instead.
fn shown(candidate: &Candidate) -> String {
    match &candidate.name {
        Some(name) if candidate.is_unresolved() => format!("{name}:{}", candidate.address.port()),
        Some(name) => format!("{} as {name}", candidate.address),
        None => candidate.address.to_string(),
    }
}

fn pair_data(report: Report<'_>, book: &Book, side: &SessionRun, pair: &Pair<'_>) -> PairData {
    let account = account::pair(report.plan, side, pair);
    PairData {
        local: account.local.to_string(),
        remote: account.remote.to_string(),
        states: pair.states().into_iter().map(|(at, state)| (at.as_millis_f64(), state.word())).collect(),
        checks: pair.checks.iter().filter_map(|check| book.index_of(check.packet)).collect(),
        note: sentences::attempt(&account).join("; "),
    }
}
