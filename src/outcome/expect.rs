//! Which expectations held.

use super::{CallOutcome, DropOutcome, ExpectationOutcome};
use crate::base::SimDuration;
use crate::plan::{DropExpectation, Expectation, ExpectedFact, Path, Plan};

/// What is looked at.
#[derive(Clone, Copy)]
struct Seen<'a> {
    calls: &'a [CallOutcome],
    drops: &'a [DropOutcome],
}

/// Judges these expectations of the plan against what became of the calls, and of packets that died.
pub fn judge(
    plan: &Plan,
    expectations: &[Expectation],
    calls: &[CallOutcome],
    drops: &[DropOutcome],
) -> Vec<ExpectationOutcome> {
    let seen = Seen { calls, drops };
    expectations.iter().map(|expectation| judge_one(plan, seen, expectation)).collect()
}

fn judge_one(plan: &Plan, seen: Seen<'_>, expectation: &Expectation) -> ExpectationOutcome {
    let (wanted, (got, ok)) = match &expectation.fact {
        ExpectedFact::Path(paths) => {
            (list(paths), each_call(seen, |call| (word(Some(call.path)), paths.contains(&call.path))))
        }
        ExpectedFact::Never(paths) => {
            let paths_of = |call: &CallOutcome| [Some(call.path), call.first_path];
            let never =
                |call: &CallOutcome| !paths_of(call).iter().flatten().any(|path| paths.contains(path));
            (list(paths), each_call(seen, |call| (path_history(call), never(call))))
        }
        ExpectedFact::Needs(needs) => {
            (needs.to_string(), each_call(seen, |call| (word(call.needs), call.needs == Some(*needs))))
        }
        ExpectedFact::Within(limit) => (limit.to_string(), each_call(seen, |call| within(call, *limit))),
        ExpectedFact::Selected(selection) => {
            let fits = |call: &CallOutcome| {
                call.selected.get(&call.from).is_some_and(|pair| {
                    selection.local.is_none_or(|kind| kind == pair.local.kind)
                        && selection.remote.is_none_or(|kind| kind == pair.remote.kind)
                })
            };
            let wanted = format!("{} / {}", word_or_any(selection.local), word_or_any(selection.remote));
            (wanted, each_call(seen, |call| (selected_words(call), fits(call))))
        }
        ExpectedFact::Family(family) => {
            (family.to_string(), each_call(seen, |call| (word(call.family), call.family == Some(*family))))
        }
        ExpectedFact::RelayProtocol(protocol) => {
            let fits = |call: &CallOutcome| call.relay_protocol == Some(*protocol);
            (protocol.to_string(), each_call(seen, |call| (word(call.relay_protocol), fits(call))))
        }
        ExpectedFact::NatHops(wanted) => {
            let wanted: Vec<_> = wanted.iter().map(|(node, hops)| (plan.host_of(*node), *hops)).collect();
            let got = |name: &str| seen.calls.iter().find_map(|call| call.nat_hops.get(name)).copied();
            let ok = wanted.iter().all(|(name, hops)| got(name) == Some(*hops));
            let text = |hops: &dyn Fn(&str, u32) -> String| {
                wanted.iter().map(|(name, count)| hops(name, *count)).collect::<Vec<_>>().join(", ")
            };
            let found = text(&|name, _| format!("{name}: {}", word(got(name))));
            (text(&|name, count| format!("{name}: {count}")), (found, ok))
        }
        ExpectedFact::IceState(state) => {
            (state.to_string(), each_call(seen, |call| (word(Some(call.state)), call.state == *state)))
        }
        ExpectedFact::IceRestarts(wanted) => {
            let judge = |call: &CallOutcome| (call.ice_restarts.to_string(), call.ice_restarts == *wanted);
            (wanted.to_string(), each_call(seen, judge))
        }
        ExpectedFact::Drops(drops) => judge_drops(plan, seen, drops),
        ExpectedFact::MediaGap { min, max } => judge_gap(seen, *min, *max),
    };
    ExpectationOutcome {
        expect: expectation.fact.key(),
        wanted,
        got,
        ok,
        at_ms: None,
        line: expectation.line,
    }
}

/// Judges a fact about calls: it must hold for each of them. With several, the first that breaks it is shown.
fn each_call(seen: Seen<'_>, judge: impl Fn(&CallOutcome) -> (String, bool)) -> (String, bool) {
    each_of(&seen.calls.iter().collect::<Vec<_>>(), judge)
}

fn each_of(calls: &[&CallOutcome], judge: impl Fn(&CallOutcome) -> (String, bool)) -> (String, bool) {
    let mut judged = calls.iter().map(|call| (call, judge(call)));
    match judged.clone().find(|(_, (_, ok))| !ok) {
        Some((call, (got, _))) if calls.len() > 1 => (format!("{} -> {}: {got}", call.from, call.to), false),
        Some((_, broken)) => broken,
        None => judged.next().map_or(("no call".into(), false), |(_, held)| held),
    }
}

fn within(call: &CallOutcome, limit: SimDuration) -> (String, bool) {
    match call.connected_ms {
        Some(ms) => (duration(ms).to_string(), ms <= limit.as_millis_f64()),
        None => ("never connected".into(), false),
    }
}

fn judge_drops(plan: &Plan, seen: Seen<'_>, wanted: &DropExpectation) -> (String, (String, bool)) {
    let by = plan.name_of(wanted.by);
    let fits =
        |drop: &&DropOutcome| drop.by == by && wanted.reason.is_none_or(|reason| reason == drop.reason);
    let count: u64 = seen.drops.iter().filter(fits).map(|drop| drop.count).sum();
    let ok = count >= wanted.min && wanted.max.is_none_or(|max| count <= max);
    let bounds = match wanted.max {
        Some(max) if max == wanted.min => format!("exactly {max}"),
        Some(max) => format!("{} to {max}", wanted.min),
        None => format!("at least {}", wanted.min),
    };
    (format!("{bounds} by {by}, {}", word_or_any(wanted.reason)), (count.to_string(), ok))
}

/// Of calls with media: the others have none that could be gone.
fn judge_gap(seen: Seen<'_>, min: Option<SimDuration>, max: Option<SimDuration>) -> (String, (String, bool)) {
    let wanted = match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any".into(),
    };
    let fits = |gap: SimDuration| min.is_none_or(|min| gap >= min) && max.is_none_or(|max| gap <= max);
    let judge = |call: &CallOutcome| match call.media_gap_ms {
        Some(ms) => {
            let gap = duration(ms);
            (gap.to_string(), fits(gap))
        }
        None => ("no media".into(), false),
    };
    let calls: Vec<&CallOutcome> = seen.calls.iter().filter(|call| !call.media.is_empty()).collect();
    (wanted, each_of(&calls, judge))
}

fn duration(ms: f64) -> SimDuration {
    SimDuration::from_nanos((ms * 1e6).round() as u64)
}

fn path_history(call: &CallOutcome) -> String {
    match call.first_path {
        Some(first) => format!("{first}, then {}", call.path),
        None => call.path.to_string(),
    }
}

fn selected_words(call: &CallOutcome) -> String {
    match call.selected.get(&call.from) {
        Some(pair) => format!("{} / {}", pair.local.kind, pair.remote.kind),
        None => "nothing".into(),
    }
}

fn list(paths: &[Path]) -> String {
    paths.iter().map(|path| path.word()).collect::<Vec<_>>().join(" or ")
}

fn word(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| "nothing".into(), |value| value.to_string())
}

fn word_or_any(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| "any".into(), |value| value.to_string())
}
