//! Who calls whom.

use super::Above;
use super::names::{Names, Section};
use crate::base::{SimDuration, SimTime};
use crate::plan::{Call, Topology};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::File;
use crate::scenario::read::{At, Reader};

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
    let mut seen: Vec<(&str, &str, SimDuration, crate::scenario::source::Span)> = Vec::new();
    let mut resolved = Vec::new();
    for call in calls {
        let from = peer(reader, names, &call.from, "the caller is");
        let to = peer(reader, names, &call.to, "the callee is");
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
        if let Some((.., first)) = seen.iter().find(|(from, to, at, _)| (*from, *to, *at) == key) {
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
        seen.push((key.0, key.1, at, call.span));
        if let Some(start) = call.at.as_ref().filter(|start| start.value >= reader.limits.virtual_time) {
            let most = reader.limits.virtual_time;
            reader.report(
                Diagnostic::new(
                    Code::Limit,
                    format!("a run may take {most}, and the call begins after that"),
                )
                .at(start.span, "too late")
                .help("let the call begin earlier, or raise the limit with `--limit virtual-time=SECONDS`"),
            );
        } else if let (Some(duration), Some(start)) = (&file.duration, &call.at)
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
        let node = |name: &str| topology.find_host(name);
        if let (Some(()), Some(()), Some(from), Some(to)) =
            (from, to, node(&call.from.value), node(&call.to.value))
        {
            resolved.push(Call { from, to, at: SimTime::ZERO + at, media: call.media.clone() });
        }
    }
    resolved
}

fn peer(reader: &mut Reader<'_>, names: &Names<'_>, name: &At<String>, what: &str) -> Option<()> {
    names.expect(reader, name, &[Section::Peer], what, "write the name of a peer").map(|_| ())
}

fn no_calls(file: &File) -> Diagnostic {
    let name = |index: usize, other: &'static str| {
        file.peers.get(index).map_or(other, |peer| peer.name.value.as_str())
    };
    Diagnostic::new(Code::NothingToSimulate, "the scenario has no calls")
        .at(file.calls_at.unwrap_or(file.span), if file.calls_at.is_some() { "empty" } else { "no `calls`" })
        .help(format!("write `calls: [{} -> {}]`", name(0, "alice"), name(1, "bob")))
}
