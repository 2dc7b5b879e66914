//! Which address families peers use.

use super::boxes::{Boxes, What};
use crate::plan::Family;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, File};
use crate::scenario::read::Reader;
use crate::scenario::source::Span;

/// The families of one interface of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Families {
    /// It has an IPv4 address.
    pub ipv4: bool,
    /// It has an IPv6 address.
    pub ipv6: bool,
}

/// The families of every interface of every peer: those it names, or else those its network offers. On the internet itself, which offers
/// both, IPv6 has to be asked for.
pub fn of_leaves(reader: &mut Reader<'_>, file: &File, boxes: &Boxes<'_>) -> Vec<Families> {
    check_nats(reader, file, boxes);
    let leaves = file.leaves().into_iter().enumerate();
    leaves.map(|(index, leaf)| of_leaf(reader, boxes, boxes.realm(boxes.leaf_parent(index)), leaf)).collect()
}

fn of_leaf(
    reader: &mut Reader<'_>,
    boxes: &Boxes<'_>,
    realm: Option<usize>,
    peer: file::Leaf<'_>,
) -> Families {
    let addresses = peer.body.address.as_deref().unwrap_or_default();
    let ipv6_address = addresses.iter().find(|address| address.value.is_ipv6());
    let offered = realm.is_some_and(|nat| boxes.all[nat].ipv6.is_some());
    let Some(given) = &peer.body.families else {
        if let (Some(nat), Some(address), false) = (realm, ipv6_address, offered) {
            reader.report(not_offered(boxes, nat, &peer.name.value, address.span, None));
        }
        return Families { ipv4: true, ipv6: offered || ipv6_address.is_some() };
    };
    let uses = |family| given.value.iter().find(|at| at.value == family);
    for address in addresses {
        let family = Family::from(address.value);
        if uses(family).is_none() {
            let message = format!(
                "`{}` has the address {}, but does not use its family",
                peer.name.value, address.value
            );
            reader.report(
                Diagnostic::new(Code::Contradiction, message)
                    .at(address.span, "never used")
                    .see(given.span, "its families")
                    .help(format!("add `{family}` to `families`, or remove the address")),
            );
        }
    }
    if let (Some(nat), Some(ipv6), false) = (realm, uses(Family::Ipv6), offered) {
        let without = uses(Family::Ipv4).map(|_| "write `families: [ipv4]`");
        reader.report(not_offered(boxes, nat, &peer.name.value, ipv6.span, without));
    }
    Families { ipv4: uses(Family::Ipv4).is_some(), ipv6: uses(Family::Ipv6).is_some() }
}

/// A peer wants IPv6 behind a NAT that has none.
fn not_offered(boxes: &Boxes<'_>, nat: usize, peer: &str, span: Span, instead: Option<&str>) -> Diagnostic {
    let name = boxes.all[nat].name;
    let all_above = boxes.realms_above(nat).into_iter().all(|above| boxes.all[above].ipv6.is_some());
    let too = if all_above { "" } else { ", and what that is behind," };
    Diagnostic::new(
        Code::Contradiction,
        format!("`{peer}` uses IPv6, but `{}`, which it is behind, carries IPv4 only", name.value),
    )
    .at(span, "no IPv6 there")
    .see(name.span, "has no `ipv6`")
    .help(format!(
        "give `{}`{too} an `ipv6: {{ prefix: 2001:db8:a::/64 }}`, or {}",
        name.value,
        instead.unwrap_or("leave IPv6 out")
    ))
}

/// What a NAT that carries IPv6 is behind has to carry it too.
fn check_nats(reader: &mut Reader<'_>, file: &File, boxes: &Boxes<'_>) {
    for index in 0..boxes.all.len() {
        let Some(inner) = boxes.all[index].ipv6 else { continue };
        let above = boxes.realms_above(index);
        let Some(outer) = above.into_iter().find(|above| boxes.all[*above].ipv6.is_none()) else { continue };
        let What::Translates(_, nat, _) = boxes.all[outer].what else { continue };
        if file.nats[nat].broken {
            continue;
        }
        let (inside, outside) = (boxes.all[index].name, boxes.all[outer].name);
        reader.report(
            Diagnostic::new(
                Code::Contradiction,
                format!(
                    "`{}` has `ipv6`, but `{}`, which it is behind, carries IPv4 only",
                    inside.value, outside.value
                ),
            )
            .at(inner.prefix.span, "cannot be reached")
            .see(outside.span, "has no `ipv6`")
            .help(format!("give `{}` an `ipv6` prefix too, or remove it here", outside.value)),
        );
    }
}
