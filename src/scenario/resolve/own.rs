//! Peers that run a program of the user's own.

use super::Above;
use super::names::{Names, Section};
use crate::scenario::Own;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{Call, File};
use crate::scenario::read::{At, Reader};

/// Endpoints drive peers that take part in no call, each another one; own stacks run on peers that do.
pub fn check(reader: &mut Reader<'_>, file: &File, names: &Names<'_>, above: Above<'_>) {
    for (index, (name, own)) in above.own.iter().enumerate() {
        let what = match own {
            Own::Endpoint => "an endpoint is to drive",
            Own::Stack => "an ICE stack is to run on",
        };
        if names.expect(reader, name, &[Section::Peer], what, "write the name of a peer").is_none() {
            continue;
        }
        match own {
            Own::Endpoint => {
                let first =
                    above.own[..index].iter().find(|first| first.0.value == name.value && first.1 == *own);
                check_endpoint(reader, file, name, first.map(|(first, _)| first));
            }
            Own::Stack => check_stack(reader, file, name),
        }
    }
}

fn check_endpoint(reader: &mut Reader<'_>, file: &File, name: &At<String>, first: Option<&At<String>>) {
    if let Some(first) = first {
        reader.report(
            Diagnostic::new(Code::DuplicateKey, format!("two endpoints are to drive `{}`", name.value))
                .at(name.span, "again here")
                .see(first.span, "first here")
                .help("give the peer one endpoint that speaks both protocols, or write a second peer"),
        );
    }
    let peer = file.peers.iter().find(|peer| peer.name.value == name.value);
    if let Some(interface) = peer.and_then(|peer| peer.body.interfaces.first()) {
        reader.report(
            Diagnostic::new(
                Code::Contradiction,
                format!("an endpoint is to drive `{}`, which has `interfaces`", name.value),
            )
            .at(name.span, "would not know which to use")
            .see(interface.name.span, "the first one")
            .help("write a peer with one `behind` for the endpoint"),
        );
    }
    if let Some(call) = call_of(file, &name.value) {
        reader.report(
            Diagnostic::new(
                Code::Contradiction,
                format!("an endpoint is to drive `{}`, which takes part in a call", name.value),
            )
            .at(name.span, "has an ICE agent already")
            .see(call.span, "in this call")
            .help("write another peer behind the same node for the endpoint, or remove the call"),
        );
    }
}

fn check_stack(reader: &mut Reader<'_>, file: &File, name: &At<String>) {
    if file.calls.is_some() && call_of(file, &name.value).is_none() {
        reader.report(
            Diagnostic::new(
                Code::MeaninglessKey,
                format!("an ICE stack is to run on `{}`, which takes part in no call", name.value),
            )
            .at(name.span, "would never run")
            .help("add a call of this peer to `calls`"),
        );
    }
}

fn call_of<'f>(file: &'f File, peer: &str) -> Option<&'f Call> {
    let calls = file.calls.as_deref().unwrap_or_default();
    calls.iter().find(|call| call.from.value == peer || call.to.value == peer)
}
