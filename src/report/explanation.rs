//! An [`Explanation`] to read: what each side tried and how it ended, the run again without servers, and the smallest
//! changes that would have given the call another path.

use super::human::Options;
use super::sentences;
use super::text::{Role, Text, counted, length, milliseconds, path_role};
use crate::explain::{
    CallAccount, Change, Explanation, Flip, Flips, PairAccount, SideAccount, Trial, TrialCall,
};
use crate::plan::{PairState, Path};

const BETTER: &str = "What would make it better";
const WORSE: &str = "What would make it worse";
const MIXED: &str = "What would help one call and harm another";

/// How many sets of changes a list shows, unless all are wanted.
const MOST_FLIPS: usize = 8;
/// How wide the column of outcomes is: `relay after 1234.5 ms`.
const OUTCOME_WIDTH: usize = 22;

/// The whole explanation.
pub fn write(explanation: &Explanation, options: Options) -> String {
    let mut text = Text::new(options.style);
    text.paint(Role::Strong, &explanation.scenario);
    text.paint(Role::Dim, &format!("  seed {}", explanation.seed));
    text.end_line();
    for call in &explanation.calls {
        verdict(&mut text, call, options);
    }
    let several = explanation.calls.len() > 1;
    for call in &explanation.calls {
        for side in &call.sides {
            attempts(&mut text, call, side, several, options);
        }
    }
    run_again(&mut text, explanation);
    flips(&mut text, explanation, options);
    text.finish()
}

fn verdict(text: &mut Text, call: &CallAccount, options: Options) {
    text.paint(path_role(call.path), &format!("{:<6}", call.path.word().to_uppercase()));
    text.push(" ").paint(Role::Strong, &format!("{} → {}", call.from, call.to));
    let outcome = match call.settled_ms {
        Some(ms) => format!(" settled after {}.", milliseconds(ms)),
        None => " did not connect.".into(),
    };
    text.push(&outcome);
    text.end_line();
    text.wrapped(Role::Normal, &call.why, 7, options.width);
}

fn attempts(text: &mut Text, call: &CallAccount, side: &SideAccount, several: bool, options: Options) {
    let of_call = if several { format!(" in {} → {}", call.from, call.to) } else { String::new() };
    text.heading(&format!("What {} tried{of_call}", side.peer));
    if side.pairs.is_empty() {
        text.push("  nothing: it had no pair of candidates");
        text.end_line();
    }
    for pair in &side.pairs {
        attempt(text, pair, options);
    }
}

fn attempt(text: &mut Text, pair: &PairAccount, options: Options) {
    let role = match pair.state {
        PairState::Succeeded => Role::Good,
        PairState::Failed => Role::Bad,
        PairState::Frozen | PairState::Waiting | PairState::InProgress => Role::Dim,
    };
    text.paint(role, if pair.selected { "  * " } else { "    " });
    text.push(&format!("{} → {}  ", pair.local, pair.remote));
    text.paint(role, pair.state.word());
    if pair.selected {
        text.paint(role, ", selected");
    }
    text.end_line();
    for line in sentences::attempt(pair) {
        text.wrapped(Role::Dim, &line, 8, options.width);
    }
}

fn run_again(text: &mut Text, explanation: &Explanation) {
    if explanation.counterfactuals.is_empty() {
        return;
    }
    text.heading("Run again");
    let as_it_is: Vec<TrialCall> = explanation
        .calls
        .iter()
        .map(|call| TrialCall { path: call.path, settled_ms: call.settled_ms })
        .collect();
    let rows = explanation.counterfactuals.iter().map(|one| (one.what.as_str(), &one.trial));
    let as_it_is = Trial { calls: as_it_is };
    for (what, trial) in std::iter::once(("as it is", &as_it_is)).chain(rows) {
        text.push(&format!("  {what:<24}"));
        outcome(text, trial);
        text.end_line();
    }
}

/// `stun after 210 ms`, one for each call. Returns how wide it was.
fn outcome(text: &mut Text, trial: &Trial) -> usize {
    let mut width = 0;
    for (index, call) in trial.calls.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let after = call.settled_ms.map(|ms| format!(" after {}", milliseconds(ms))).unwrap_or_default();
        text.push(comma).paint(path_role(call.path), call.path.word()).push(&after);
        width += length(comma) + length(call.path.word()) + length(&after);
    }
    width
}

fn flips(text: &mut Text, explanation: &Explanation, options: Options) {
    let Flips { better, worse, mixed, tried, untried } = &explanation.flips;
    // A call that needs a relay, or fails, has something to hope for.
    let could_be_better = explanation.calls.iter().any(|call| call.path > Path::Stun);
    if better.is_empty() && could_be_better {
        text.heading(BETTER);
        text.push("  nothing that was tried");
        text.end_line();
    }
    for (heading, list) in [(BETTER, better), (WORSE, worse), (MIXED, mixed)] {
        if list.is_empty() {
            continue;
        }
        text.heading(heading);
        for size in [1, 2] {
            of_size(text, list, size, options);
        }
    }
    text.end_line();
    let mut note =
        format!("{} tried, each by running the changed scenario.", counted(*tried as u64, "change"));
    if *untried > 0 {
        note.push_str(&format!(" {untried} pairs of changes were not: there are too many."));
    }
    text.wrapped(Role::Dim, &note, 0, options.width);
}

fn of_size(text: &mut Text, flips: &[Flip], size: usize, options: Options) {
    let flips: Vec<&Flip> = flips.iter().filter(|flip| flip.changes.len() == size).collect();
    if size > 1 && !flips.is_empty() {
        text.paint(Role::Dim, "  two changes, neither of which does it alone");
        text.end_line();
    }
    let shown = if options.full { flips.len() } else { flips.len().min(MOST_FLIPS) };
    for flip in &flips[..shown] {
        text.push("  ");
        let width = outcome(text, &flip.trial);
        if width + 2 > OUTCOME_WIDTH {
            // Several calls have a line of their own.
            text.end_line();
            text.push(&" ".repeat(OUTCOME_WIDTH + 2));
        } else {
            text.push(&" ".repeat(OUTCOME_WIDTH - width));
        }
        for (index, change) in flip.changes.iter().enumerate() {
            if index > 0 {
                text.push(&" ".repeat(OUTCOME_WIDTH)).push("and ");
            }
            text.push(&change.what);
            text.end_line();
            text.wrapped(Role::Dim, &assignments(change), OUTCOME_WIDTH + 4, usize::MAX);
        }
    }
    if flips.len() > shown {
        let hidden = flips.len() - shown;
        let note = format!("  … {}; --full shows all of them", counted(hidden as u64, "more such change"));
        text.paint(Role::Dim, &note);
        text.end_line();
    }
}

fn assignments(change: &Change) -> String {
    let words: Vec<String> = change.set.iter().map(ToString::to_string).collect();
    words.join(" ")
}
