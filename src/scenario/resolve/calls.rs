//! Who calls whom.

use std::collections::BTreeSet;

use super::Above;
use super::names::{Names, Section};
use crate::base::{SimDuration, SimTime};
use crate::plan::{Call, Topology};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::File;
use crate::scenario::read::{At, Reader};
use crate::scenario::source::Span;

/// Calls that agree in all of this are the same: who calls whom, and when.
type Key<'f> = (&'f str, &'f str, SimDuration);

/// The calls of the file. Only where an endpoint drives some peer there may be none.
pub fn resolve(
    reader: &mut Reader<'_>,
    file: &File,
    names: &Names<'_>,
    topology: &Topology,
    above: Above<'_>,
) -> Vec<Call> {
    if file.peers.is_empty() && !names.is_incomplete() {
        reader.report(
            Diagnostic::new(Code::NothingToSimulate, "the scenario has no peers")
                .at(file.span, "no `peers`")
                .help("add `peers: { alice: {}, bob: {} }`"),
        );
        return Vec::new();
    }
    let Some(calls) = &file.calls else {
        if file.calls_at.is_none() && !above.has_endpoints() {
            reader.report(no_calls(file));
        }
        return Vec::new();
    };
    if calls.is_empty() && !above.has_endpoints() {
        reader.report(no_calls(file));
    }
    let mut seen: Vec<(Key<'_>, Span)> = Vec::new();
    // What stands once in a mesh is part of many calls, and is told of once.
    let (mut told, mut twice) = (BTreeSet::new(), BTreeSet::new());
    let mut resolved = Vec::new();
    for call in calls {
        for (name, what) in [(&call.from, "the caller is"), (&call.to, "the callee is")] {
            if told.insert((name.span, name.value.as_str())) {
                names.expect(reader, name, &[Section::Peer], what, "write the name of a peer");
            }
        }
        let at = call.at.as_ref().map_or(SimDuration::ZERO, |at| at.value);
        if call.from.value == call.to.value {
            reader.report(
                Diagnostic::new(Code::SelfCall, format!("`{}` calls itself", call.from.value))
                    .at(call.to.span, "the caller again")
                    .help("a call is between two peers"),
            );
            continue;
        }
        let key = (call.from.value.as_str(), call.to.value.as_str(), at);
        if let Some((_, first)) = seen.iter().find(|(known, _)| *known == key)
            && twice.insert((*first, call.span))
        {
            reader.report(
                Diagnostic::new(
                    Code::DuplicateCall,
                    format!("`{}` calls `{}` twice at the same time", key.0, key.1),
                )
                .at(call.span, "again here")
                .see(*first, "first here")
                .help("remove one of them, or give one another `at`"),
            );
        }
        seen.push((key, call.span));
        if let Some(start) = call.at.as_ref().filter(|start| told.insert((start.span, "at"))) {
            check_start(reader, file, start);
        }
        let node = |name: &str| topology.find_host(name);
        if let (Some(from), Some(to)) = (node(&call.from.value), node(&call.to.value)) {
            resolved.push(Call { from, to, at: SimTime::ZERO + at, media: call.media.clone() });
        }
    }
    resolved
}

/// A call begins while the run takes place.
fn check_start(reader: &mut Reader<'_>, file: &File, start: &At<SimDuration>) {
    let most = reader.limits.virtual_time;
    if start.value >= most {
        reader.report(
            Diagnostic::new(Code::Limit, format!("a run may take {most}, and the call begins after that"))
                .at(start.span, "too late")
                .help("let the call begin earlier, or raise the limit with `--limit virtual-time=SECONDS`"),
        );
    } else if let Some(duration) = &file.duration
        && start.value >= duration.value
        && !duration.value.is_zero()
    {
        reader.report(
            Diagnostic::new(Code::Contradiction, "the call would begin after the run has ended")
                .at(start.span, "begins here")
                .see(duration.span, "the run ends here")
                .help(format!("write `at` below {}, or a longer `duration`", duration.value)),
        );
    }
}

fn no_calls(file: &File) -> Diagnostic {
    let name = |index: usize, other: &'static str| {
        file.peers.get(index).map_or(other, |peer| peer.name.value.as_str())
    };
    Diagnostic::new(Code::NothingToSimulate, "the scenario has no calls")
        .at(file.calls_at.unwrap_or(file.span), if file.calls_at.is_some() { "empty" } else { "no `calls`" })
        .help(format!("write `calls: [{} -> {}]`", name(0, "alice"), name(1, "bob")))
}
