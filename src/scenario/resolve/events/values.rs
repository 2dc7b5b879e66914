//! New values: what an event leaves open is as it was.

use crate::plan::{Firewall, InboundPolicy, NatBehavior, NicknameMeaning};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, Start};
use crate::scenario::profiles::{self, Profile};
use crate::scenario::read::{At, Reader};
use crate::scenario::resolve::boxes::{check_blocks, check_inspection, check_nat64, nat64_lifetimes};

/// How a NAT translates after a change.
pub fn nat(
    reader: &mut Reader<'_>,
    name: &At<String>,
    change: &file::Nat,
    (now, is_nat64): (&NatBehavior, bool),
) -> Option<NatBehavior> {
    let mut behavior = match &change.start {
        None => now.clone(),
        Some(Start::Profile(profile)) => profiles::find(profile.value).and_then(Profile::behavior)?,
        Some(Start::Nickname(nickname)) => match nickname.value.meaning() {
            NicknameMeaning::Nat(mut behavior) => {
                if is_nat64 {
                    nat64_lifetimes(&mut behavior);
                }
                behavior
            }
            NicknameMeaning::Router | NicknameMeaning::Firewall(_) => {
                let message =
                    format!("`{}` cannot become `{}`, which translates nothing", name.value, nickname.value);
                reader.report(
                    Diagnostic::new(Code::Contradiction, message)
                        .at(nickname.span, "its inside would be in another network")
                        .help("take a nickname that translates, such as `symmetric`"),
                );
                return None;
            }
        },
    };
    change.axes.apply(&mut behavior);
    let (old, new) = (&now.ports, &behavior.ports);
    if old.block != new.block || (new.block.is_some() && old.range != new.range) {
        reader.report(
            Diagnostic::new(
                Code::Contradiction,
                format!("the port blocks of `{}` cannot change while hosts hold them", name.value),
            )
            .at(name.span, "would have other blocks")
            .help("leave `port-block-size` as it is, and the `port-range` of a NAT that has blocks"),
        );
        return None;
    }
    check_blocks(reader, change, &behavior);
    if is_nat64 {
        check_nat64(reader, name, change, &behavior);
    }
    Some(behavior)
}

/// The rules of a firewall after a change.
pub fn firewall(reader: &mut Reader<'_>, change: &file::Firewall, now: &Firewall) -> Firewall {
    let mut firewall = change.profiled().unwrap_or_else(|| now.clone());
    firewall.label = change.profile.as_ref().map(|profile| profile.value.to_owned());
    change.apply(&mut firewall);
    // A box stays what it is; only rules change.
    firewall.proxy.clone_from(&now.proxy);
    check_inspection(reader, change, &firewall);
    let idle = [
        ("filtering", change.filtering.as_ref().map(|at| at.span)),
        ("udp-timeout", change.udp_timeout.as_ref().map(|at| at.span)),
        ("tcp-timeout", change.tcp_timeout.as_ref().map(|at| at.span)),
    ];
    for (key, span) in idle {
        // Beside its own `inbound: allow` the reader has refused it already.
        if let Some(span) =
            span.filter(|_| firewall.inbound == InboundPolicy::Allow && change.inbound.is_none())
        {
            reader.report(
                Diagnostic::new(
                    Code::MeaninglessKey,
                    format!("`{key}` has no effect where everything may enter"),
                )
                .at(span, "no effect")
                .help("write `inbound: deny` beside it, or remove it"),
            );
        }
    }
    firewall
}
