//! What an ICE-lite agent needs (RFC 8445 §2.5): a public address, and a peer that checks.

use super::boxes::Boxes;
use super::families::Families;
use crate::plan::{HostCandidates, IceTransportPolicy};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, Call, File, Named};
use crate::scenario::read::Reader;
use crate::scenario::source::Span;

/// True if the file makes this peer's agent a lite one.
pub fn is_lite(peer: &file::Peer) -> bool {
    peer.ice_lite.as_ref().is_some_and(|lite| lite.value)
}

/// Holds every lite agent to what it can do: it answers, and has nothing but its own public addresses.
pub fn check(reader: &mut Reader<'_>, file: &File, boxes: &Boxes<'_>, families: &[Families]) {
    let mut next = 0;
    for peer in &file.peers {
        let leaves = next..next + peer.leaves().len();
        next = leaves.end;
        let Some(lite) = peer.body.ice_lite.as_ref().filter(|lite| lite.value).map(|lite| lite.span) else {
            continue;
        };
        let nat_of = |leaf: usize| boxes.realm(boxes.leaf_parent(leaf)).filter(|_| !families[leaf].ipv6);
        if let Some(nat) = leaves.filter_map(nat_of).next() {
            reader.report(behind_nat(boxes, nat, &peer.name.value, lite));
        }
        check_keys(reader, peer, lite);
        check_calls(reader, file, peer, lite);
    }
}

fn behind_nat(boxes: &Boxes<'_>, nat: usize, peer: &str, lite: Span) -> Diagnostic {
    let name = boxes.all[nat].name;
    let message = format!(
        "`{peer}` is behind `{}` and has no public address, and an ICE-lite agent tells nothing but its own addresses",
        name.value
    );
    Diagnostic::new(Code::Contradiction, message)
        .at(lite, "cannot be reached")
        .see(name.span, "it is behind this NAT")
        .help(format!("write `{peer}` on the internet, without `behind`, or remove `ice-lite`"))
}

/// What would have no effect, or would leave it without a candidate.
fn check_keys(reader: &mut Reader<'_>, peer: &Named<file::Peer>, lite: Span) {
    let name = &peer.name.value;
    let asked =
        peer.body.ice_servers.as_ref().and_then(|servers| servers.first()).map(|first| first.uri.span);
    let login = peer.body.turn_credentials.as_ref().map(|credentials| credentials.span);
    for (key, span) in [("ice-servers", asked), ("turn-credentials", login)] {
        let Some(span) = span else { continue };
        reader.report(
            Diagnostic::new(
                Code::MeaninglessKey,
                format!("`{key}` has no effect: `{name}` is an ICE-lite agent, which asks no servers"),
            )
            .at(span, "no effect")
            .see(lite, "a lite agent")
            .help(format!("remove `{key}`, or `ice-lite`")),
        );
    }
    let mode = peer.body.host_candidates.as_ref();
    if let Some(mode) =
        mode.filter(|mode| [HostCandidates::Mdns, HostCandidates::Hidden].contains(&mode.value))
    {
        reader.report(
            Diagnostic::new(
                Code::Contradiction,
                format!("`{name}` would have nothing to tell: an ICE-lite agent has host candidates only"),
            )
            .at(mode.span, "hides them")
            .see(lite, "a lite agent")
            .help("remove `host-candidates`, or `ice-lite`"),
        );
    }
    let policy = peer.body.ice_transport_policy.as_ref();
    if let Some(policy) = policy.filter(|policy| policy.value == IceTransportPolicy::Relay) {
        reader.report(
            Diagnostic::new(
                Code::Contradiction,
                format!("`{name}` would have no candidate: an ICE-lite agent has no relayed ones"),
            )
            .at(policy.span, "relayed candidates only")
            .see(lite, "a lite agent")
            .help("remove `ice-transport-policy`, or `ice-lite`"),
        );
    }
}

/// It answers the calls of full agents.
fn check_calls(reader: &mut Reader<'_>, file: &File, peer: &Named<file::Peer>, lite: Span) {
    let name = &peer.name.value;
    let other = |call: &Call| file.peers.iter().find(|peer| peer.name.value == call.to.value);
    let calls = || file.calls.iter().flatten().filter(|call| call.from.value == *name);
    let is_between_lites = |call: &&Call| other(call).is_some_and(|other| is_lite(&other.body));
    if let Some(call) = calls().find(is_between_lites) {
        reader.report(
            Diagnostic::new(
                Code::Contradiction,
                format!(
                    "`{name}` and `{}` are both ICE-lite agents: neither would check anything",
                    call.to.value
                ),
            )
            .at(call.span, "nobody checks here")
            .see(lite, "a lite agent")
            .help("remove `ice-lite` at one of them"),
        );
    } else if let Some(call) = calls().next() {
        let help = if call.is_of_mesh {
            format!("put `{name}` at the end of `mesh`, where it is called by all others")
        } else {
            format!("write `{} -> {name}`", call.to.value)
        };
        reader.report(
            Diagnostic::new(
                Code::Contradiction,
                format!("`{name}` is an ICE-lite agent, which is controlled and answers (RFC 8445 §6.1.1)"),
            )
            .at(call.from.span, "calls here")
            .see(lite, "a lite agent")
            .help(help),
        );
    }
}
