//! Which address families peers use.

use super::boxes::{Boxes, What};
use crate::plan::{Clat, Family, Nat64Prefix};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, File};
use crate::scenario::read::{At, Reader};
use crate::scenario::source::Span;

/// The families of one interface of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Families {
    /// It has an IPv4 address.
    pub ipv4: bool,
    /// It has an IPv6 address.
    pub ipv6: bool,
    /// The prefix of the NAT64 that is its way to IPv4; `None`: it has another, or none.
    pub nat64: Option<Nat64Prefix>,
    /// True: it has an IPv4 address by a translator of its own.
    pub clat: bool,
}

/// The families of every interface of every peer: those it names, or else those its network offers. On the internet itself, which offers
/// both, IPv6 has to be asked for.
pub fn of_leaves(reader: &mut Reader<'_>, file: &File, boxes: &Boxes<'_>) -> Vec<Families> {
    check_nats(reader, file, boxes);
    let leaves = file.leaves().into_iter().enumerate();
    leaves
        .map(|(index, leaf)| {
            let parent = boxes.leaf_parent(index);
            let Families { ipv4, ipv6, .. } = of_leaf(reader, boxes, boxes.realm(parent), leaf);
            let nat64 = boxes.nat64_prefix(parent).filter(|_| ipv6 && !ipv4);
            let clat = leaf.body.clat.as_ref().filter(|clat| clat.value);
            if let Some(clat) = clat.filter(|_| nat64.is_none()) {
                reader.report(idle_clat(leaf.name, clat, boxes.nat64_prefix(parent)));
            }
            Families { ipv4, ipv6, nat64, clat: clat.is_some() && nat64.is_some() }
        })
        .collect()
}

/// Nothing is left for a translator to do.
fn idle_clat(name: &At<String>, clat: &At<bool>, nat64: Option<Nat64Prefix>) -> Diagnostic {
    let name = &name.value;
    let (code, message, help) = match nat64 {
        None => (
            Code::MeaninglessKey,
            format!("`clat` has no effect: no NAT64 stands before `{name}`"),
            "put it behind a NAT with `nat64`, or remove the key",
        ),
        Some(_) => (
            Code::Contradiction,
            format!("`{name}` has no use for `clat`: it does not have IPv6 alone"),
            "remove `clat`, or leave IPv4 out of its network and its `families`",
        ),
    };
    Diagnostic::new(code, message).at(clat.span, "nothing to translate").help(help)
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
    let without_ipv4 = realm.filter(|nat| boxes.all[*nat].ipv6_only);
    let of = |ipv4, ipv6| Families { ipv4, ipv6, nat64: None, clat: false };
    let Some(given) = &peer.body.families else {
        if let (Some(nat), Some(address), false) = (realm, ipv6_address, offered) {
            reader.report(not_offered(boxes, nat, &peer.name.value, address.span, None));
        }
        let ipv4_address = addresses.iter().find(|address| address.value.is_ipv4());
        if let (Some(nat), Some(address)) = (without_ipv4, ipv4_address) {
            reader.report(no_ipv4(boxes, nat, &peer.name.value, address.span));
        }
        return of(without_ipv4.is_none(), offered || ipv6_address.is_some());
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
    if let (Some(nat), Some(ipv4)) = (without_ipv4, uses(Family::Ipv4)) {
        reader.report(no_ipv4(boxes, nat, &peer.name.value, ipv4.span));
    }
    of(uses(Family::Ipv4).is_some() && without_ipv4.is_none(), uses(Family::Ipv6).is_some())
}

/// A peer wants IPv4 behind a NAT64 that leaves it IPv6 alone.
fn no_ipv4(boxes: &Boxes<'_>, nat: usize, peer: &str, span: Span) -> Diagnostic {
    let name = boxes.all[nat].name;
    let nat64 = boxes.all[nat].nat64.map_or(name.span, |nat64| nat64.span);
    Diagnostic::new(
        Code::Contradiction,
        format!("`{peer}` uses IPv4, but behind `{}` there is IPv6 alone", name.value),
    )
    .at(span, "no IPv4 there")
    .see(nat64, "a NAT64 without `inside`")
    .help(format!(
        "write `clat: true` to have {} by 464XLAT, give `{}` an `inside: 10.0.0.0/24`, or leave IPv4 out",
        Clat::HOST,
        name.value
    ))
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

/// What a NAT that carries IPv6 is behind has to carry it too, and a NAT has an IPv4 address outside.
fn check_nats(reader: &mut Reader<'_>, file: &File, boxes: &Boxes<'_>) {
    for each in boxes.all.iter().filter(|each| matches!(each.what, What::Translates(..))) {
        let Some(outer) = boxes.realm(each.parent).filter(|outer| boxes.all[*outer].ipv6_only) else {
            continue;
        };
        let (inside, outside) = (each.name, boxes.all[outer].name);
        let message =
            format!("`{}` translates IPv4, but behind `{}` there is IPv6 alone", inside.value, outside.value);
        reader.report(
            Diagnostic::new(Code::Contradiction, message)
                .at(each.behind.map_or(inside.span, |behind| behind.span), "no IPv4 address for its outside")
                .see(outside.span, "a NAT64 without `inside`")
                .help(format!("give `{}` an `inside: 10.0.0.0/24`, or take a firewall", outside.value)),
        );
    }
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
