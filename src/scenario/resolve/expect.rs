//! What a file expects, and whether all of it can be true at once.

use super::names::{Names, Section};
use super::peers;
use crate::base::NodeId;
use crate::plan::{
    Call, CandidateType, DropExpectation, DropReason, Element, Expectation, ExpectedFact, Family, IceState,
    Inspect, Path, Topology,
};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, Fact, File};
use crate::scenario::read::{At, Reader};
use crate::scenario::source::Source;
use crate::scenario::source::Span;

/// The expectations of the file, or of one of its moments.
pub fn resolve(
    reader: &mut Reader<'_>,
    file: &File,
    expected: &[file::Expectation],
    names: &Names<'_>,
    (topology, calls): (&Topology, &[Call]),
    source: &Source,
) -> Vec<Expectation> {
    check_paths(reader, expected);
    check_time(reader, file, expected);
    check_failure(reader, expected);
    check_relay(reader, expected);
    check_media(reader, file, expected);
    check_family(reader, file, expected, (topology, calls));
    check_inspection(reader, file, expected, topology);
    let mut expectations = Vec::new();
    for expectation in expected {
        if let Some(fact) = fact(reader, &expectation.fact, names, topology) {
            expectations.push(Expectation { fact, line: line(source, expectation.key) });
        }
    }
    expectations
}

/// The line of a place in the file; 0 if it came from `--set`.
pub fn line(source: &Source, span: Span) -> u32 {
    match span.source {
        0 => source.line_and_column(span.start).0 as u32,
        _ => 0,
    }
}

fn fact(
    reader: &mut Reader<'_>,
    fact: &Fact,
    names: &Names<'_>,
    topology: &Topology,
) -> Option<ExpectedFact> {
    let plain = |paths: &[At<Path>]| paths.iter().map(|at| at.value).collect();
    Some(match fact {
        Fact::Path(paths) => ExpectedFact::Path(plain(paths)),
        Fact::Never(paths) => ExpectedFact::Never(plain(paths)),
        Fact::Needs(needs) => ExpectedFact::Needs(*needs),
        Fact::Within(within) => ExpectedFact::Within(*within),
        Fact::Selected(selection) => ExpectedFact::Selected(*selection),
        Fact::Family(family) => ExpectedFact::Family(*family),
        Fact::RelayProtocol(protocol) => ExpectedFact::RelayProtocol(*protocol),
        Fact::IceState(state) => ExpectedFact::IceState(*state),
        Fact::IceRestarts(count) => ExpectedFact::IceRestarts(*count),
        Fact::MediaGap(gap) => ExpectedFact::MediaGap { min: gap.min, max: gap.max },
        Fact::NatHops(hops) => {
            let mut found = Vec::new();
            for (peer, count) in hops {
                let place = names.expect(
                    reader,
                    peer,
                    &[Section::Peer],
                    "`nat-hops` counts for",
                    "write the name of a peer",
                );
                let node = place.and_then(|_| topology.find_host(&peer.value));
                found.extend(node.map(|node| (node, u32::try_from(count.value).unwrap_or(u32::MAX))));
            }
            ExpectedFact::NatHops(found)
        }
        Fact::Drops(drops) => ExpectedFact::Drops(DropExpectation {
            by: node(reader, drops, names, topology)?,
            reason: drops.reason.as_ref().map(|at| at.value),
            min: drops.min,
            max: drops.max,
        }),
    })
}

fn node(
    reader: &mut Reader<'_>,
    drops: &file::Drops,
    names: &Names<'_>,
    topology: &Topology,
) -> Option<NodeId> {
    if drops.by.value != Topology::INTERNET {
        let every = [Section::Nat, Section::Firewall, Section::Server, Section::Peer, Section::Interface];
        names.expect(
            reader,
            &drops.by,
            &every,
            "drops are expected at",
            "write the name of a node, or `internet`",
        )?;
    }
    peers::one_node(reader, topology, &drops.by, "drops are expected at")
}

/// The expectation of one kind, with where it stands.
fn find<'f, T>(
    expected: &'f [file::Expectation],
    pick: impl Fn(&'f Fact) -> Option<T>,
) -> Option<(T, Span, Span)> {
    expected.iter().find_map(|each| pick(&each.fact).map(|found| (found, each.key, each.value)))
}

fn paths(expected: &[file::Expectation]) -> Option<(&Vec<At<Path>>, Span, Span)> {
    find(expected, |fact| if let Fact::Path(paths) = fact { Some(paths) } else { None })
}

fn check_paths(reader: &mut Reader<'_>, expected: &[file::Expectation]) {
    let never = find(expected, |fact| if let Fact::Never(paths) = fact { Some(paths) } else { None });
    for (paths, ..) in paths(expected).into_iter().chain(never) {
        for (index, path) in paths.iter().enumerate() {
            if let Some(first) = paths[..index].iter().find(|first| first.value == path.value) {
                reader.report(
                    Diagnostic::new(Code::DuplicateKey, format!("`{}` stands twice in the list", path.value))
                        .at(path.span, "again here")
                        .see(first.span, "first here")
                        .help("remove one of them"),
                );
            }
        }
    }
    let Some((never, never_key, _)) = never else { return };
    let is_never = |path: Path| never.iter().any(|at| at.value == path);
    match paths(expected) {
        Some((wanted, key, _)) if wanted.iter().all(|at| is_never(at.value)) => reader.report(
            Diagnostic::new(Code::Contradiction, "`never` excludes every path that `path` allows")
                .at(never_key, "excludes all of them")
                .see(key, "these are expected")
                .help("remove one of the two"),
        ),
        None if Path::ALL.iter().all(|path| is_never(*path)) => reader.report(
            Diagnostic::new(Code::Contradiction, "`never` excludes every path there is")
                .at(never_key, "leaves nothing")
                .help("remove one of them"),
        ),
        _ => {}
    }
}

fn check_time(reader: &mut Reader<'_>, file: &File, expected: &[file::Expectation]) {
    let within = find(expected, |fact| if let Fact::Within(within) = fact { Some(*within) } else { None });
    if let (Some((within, _, span)), Some(duration)) = (within, &file.duration)
        && within > duration.value
        && !duration.value.is_zero()
    {
        reader.report(
            Diagnostic::new(Code::Contradiction, "`within` is longer than the whole run")
                .at(span, "longer than the run")
                .see(duration.span, "the run ends here")
                .help(format!("write `within: {}` or less, or a longer `duration`", duration.value)),
        );
    }
}

/// A call that fails has no pair about which anything could be expected.
fn check_failure(reader: &mut Reader<'_>, expected: &[file::Expectation]) {
    let Some((paths, path_key, _)) = paths(expected) else { return };
    let only_failed = paths.iter().all(|at| at.value == Path::Failed);
    let never_failed = paths.iter().all(|at| at.value != Path::Failed);
    for each in expected {
        let contradicts = match &each.fact {
            Fact::Needs(_)
            | Fact::Within(_)
            | Fact::Selected(_)
            | Fact::Family(_)
            | Fact::RelayProtocol(_)
            | Fact::NatHops(_) => only_failed,
            Fact::IceState(state) if state.is_connected() => only_failed,
            Fact::IceState(IceState::Failed) => never_failed,
            _ => false,
        };
        if contradicts {
            let why = if only_failed {
                "a call that fails has no such thing"
            } else {
                "a call that has a path has not failed"
            };
            reader.report(
                Diagnostic::new(Code::Contradiction, "this cannot hold together with `path`")
                    .at(each.key, why)
                    .see(path_key, "`path` is expected here")
                    .help("remove one of the two"),
            );
        }
    }
}

/// Only relayed paths have a relay.
fn check_relay(reader: &mut Reader<'_>, expected: &[file::Expectation]) {
    let Some((paths, path_key, _)) = paths(expected) else { return };
    let never_relay = paths.iter().all(|at| !matches!(at.value, Path::Relay | Path::Failed));
    for each in expected.iter().filter(|_| never_relay) {
        let relayed = match &each.fact {
            Fact::RelayProtocol(_) => true,
            Fact::Selected(selection) => {
                [selection.local, selection.remote].contains(&Some(CandidateType::Relayed))
            }
            _ => false,
        };
        if relayed {
            reader.report(
                Diagnostic::new(Code::Contradiction, "this expects a relay, but `path` does not")
                    .at(each.key, "only a relayed path has this")
                    .see(path_key, "`path` is expected here")
                    .help("add `relay` to `path`, or remove this"),
            );
        }
    }
}

/// A pair has the family of its ends, and expectations hold for every call.
fn check_family(
    reader: &mut Reader<'_>,
    file: &File,
    expected: &[file::Expectation],
    (topology, calls): (&Topology, &[Call]),
) {
    let wanted = find(expected, |fact| if let Fact::Family(family) = fact { Some(*family) } else { None });
    let Some((family, _, span)) = wanted.filter(|_| reader.mistakes() == 0) else { return };
    let lacks = |node: &NodeId| {
        let interfaces = topology.interfaces(*node);
        let mut addresses = interfaces.iter().flat_map(|node| &topology.node(*node).addresses);
        addresses.all(|address| Family::from(*address) != family)
    };
    // A NAT64 stands between two families; the caller's end is what counts.
    let translates =
        |call: &Call| [call.from, call.to].into_iter().any(|node| topology.nat64_prefix(node).is_some());
    let ends = calls
        .iter()
        .flat_map(|call| if translates(call) { vec![call.from] } else { vec![call.from, call.to] });
    let Some(node) = ends.into_iter().find(|node| lacks(node)) else { return };
    let node = topology.node(node);
    let name = node.interface.as_ref().map_or(&node.name, |interface| &interface.host);
    let mut diagnostic = Diagnostic::new(
        Code::Contradiction,
        format!("`family: {family}` cannot hold: `{name}` has no {family} address"),
    )
    .at(span, "not with these peers");
    if let Some(peer) = file.peers.iter().find(|peer| peer.name.value == *name) {
        diagnostic = diagnostic.see(peer.name.span, format!("no {family} here"));
    }
    reader.report(
        diagnostic.help(format!("expect the other family, or add `{family}` to the `families` of `{name}`")),
    );
}

/// Only calls with media have gaps in it.
fn check_media(reader: &mut Reader<'_>, file: &File, expected: &[file::Expectation]) {
    let Some(calls) = &file.calls else { return };
    if calls.iter().any(|call| call.media_at.is_some()) {
        return;
    }
    let gap = find(expected, |fact| if let Fact::MediaGap(_) = fact { Some(()) } else { None });
    if let Some(((), key, _)) = gap {
        reader.report(
            Diagnostic::new(Code::MeaninglessKey, "`media-gap` needs a call with `media`")
                .at(key, "no call carries media")
                .help(match calls.first() {
                    Some(call) => {
                        format!(
                            "write `- {} -> {}: {{ media: audio }}` under `calls`",
                            call.from.value, call.to.value
                        )
                    }
                    None => "remove it".into(),
                }),
        );
    }
}

/// Only a firewall that inspects, now or later, drops anything for what is inside.
fn check_inspection(
    reader: &mut Reader<'_>,
    file: &File,
    expected: &[file::Expectation],
    topology: &Topology,
) {
    let inspects = |name: &str| match topology.find(name).map(|node| &topology.node(node).element) {
        Some(Element::Firewall(firewall)) => {
            firewall.inspect == Inspect::Tls || begins_to_inspect(file, name)
        }
        Some(_) => false,
        // An unknown name is a mistake of its own.
        None => true,
    };
    for each in expected {
        let Fact::Drops(file::Drops { by, reason: Some(reason), .. }) = &each.fact else { continue };
        if reason.value == DropReason::FirewallInspect && !inspects(&by.value) {
            reader.report(
                Diagnostic::new(
                    Code::MeaninglessKey,
                    format!("`{}` does not inspect, so nothing dies of it there", by.value),
                )
                .at(reason.span, "cannot happen")
                .see(by.span, "does not look inside")
                .help("write `inspect: tls` in a firewall, and its name here"),
            );
        }
    }
}

fn begins_to_inspect(file: &File, name: &str) -> bool {
    let changes = file.events.iter().filter_map(|event| match &event.action.value {
        file::Action::SetFirewall(changes) => Some(changes),
        _ => None,
    });
    changes.flatten().any(|(changed, firewall)| {
        changed.value == name && firewall.inspect.as_ref().is_some_and(|at| at.value == Inspect::Tls)
    })
}
