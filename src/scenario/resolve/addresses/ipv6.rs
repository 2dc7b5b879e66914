//! IPv6 addresses. Nothing translates them, so all networks have prefixes of their own.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::Ipv6Net;
use rustc_hash::FxHashMap;

use super::{Boxes, Families, of_family, twice};
use crate::plan::Nat64Prefix;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::File;
use crate::scenario::read::{At, Reader};
use crate::scenario::source::Span;

/// The IPv6 network behind a NAT.
#[derive(Debug, Clone, Copy)]
pub struct Ipv6Network {
    /// Its prefix.
    pub prefix: Ipv6Net,
    /// The NAT's own address in it.
    pub gateway: Ipv6Addr,
    span: Span,
}

/// What was dealt out.
pub struct Assigned {
    /// By number of the box.
    pub networks: Vec<Option<Ipv6Network>>,
    /// By number of the server.
    pub servers: Vec<Vec<IpAddr>>,
    /// By number of the peer's interface.
    pub leaves: Vec<Vec<IpAddr>>,
    /// The translators' own, by number of the peer's interface.
    pub clats: Vec<Option<Ipv6Addr>>,
}

/// Where servers get their addresses from, and where they do if the file has a network there (RFC 3849, RFC 9637).
const SERVERS: [Ipv6Net; 2] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 5, 0, 0, 0, 0, 0), 64),
    Ipv6Net::new_assert(Ipv6Addr::new(0x3fff, 0x5, 0, 0, 0, 0, 0, 0), 64),
];
/// The same of peers on the internet.
const PUBLIC: [Ipv6Net; 2] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0), 64),
    Ipv6Net::new_assert(Ipv6Addr::new(0x3fff, 0x1, 0, 0, 0, 0, 0, 0), 64),
];
/// The number of the first host behind a NAT.
const FIRST_HOST: u128 = 0x10;
/// The number of the first host's translator, as one reads it: `::464:10`.
const FIRST_CLAT: u128 = 0x464_0010;

/// Somebody who has IPv6 addresses.
struct Owner<'f> {
    name: &'f At<String>,
    /// The NAT it is behind.
    nat: Option<usize>,
    explicit: Option<Vec<At<IpAddr>>>,
    who: Who,
}

#[derive(Clone, Copy)]
enum Who {
    Server(usize),
    Leaf(usize),
}

/// Deals out addresses to everybody who has IPv6.
pub fn assign(reader: &mut Reader<'_>, file: &File, boxes: &Boxes<'_>, families: &[Families]) -> Assigned {
    let mut assigned = Assigned {
        networks: networks(boxes),
        servers: vec![Vec::new(); file.servers.len()],
        leaves: vec![Vec::new(); families.len()],
        clats: vec![None; families.len()],
    };
    check_networks(reader, boxes, &assigned.networks);
    let owners = owners(file, boxes, families);
    let mut taken: FxHashMap<Ipv6Addr, Option<(&At<String>, Span)>> = FxHashMap::default();
    for owner in &owners {
        for address in owner.explicit.iter().flatten() {
            let IpAddr::V6(value) = address.value else { continue };
            check(reader, boxes, &assigned.networks, owner, value, address.span);
            match taken.get(&value) {
                Some(Some((first, span))) => reader.report(twice(first, *span, owner.name, address)),
                _ => {
                    taken.insert(value, Some((owner.name, address.span)));
                }
            }
        }
    }
    for owner in &owners {
        let addresses = match &owner.explicit {
            Some(explicit) => explicit.iter().map(|address| address.value).collect(),
            None => vec![next(&assigned.networks, owner, FIRST_HOST, &mut taken).into()],
        };
        match owner.who {
            Who::Server(index) => assigned.servers[index] = addresses,
            Who::Leaf(index) => assigned.leaves[index] = addresses,
        }
    }
    for owner in &owners {
        if let Who::Leaf(index) = owner.who
            && families[index].clat
        {
            assigned.clats[index] = Some(next(&assigned.networks, owner, FIRST_CLAT, &mut taken));
        }
    }
    check_servers(reader, file);
    check_nat64(reader, boxes, &assigned);
    assigned
}

/// The IPv6 network of every NAT that has one.
fn networks(boxes: &Boxes<'_>) -> Vec<Option<Ipv6Network>> {
    let network = |index: usize| {
        let At { value: prefix, span } = boxes.all[index].ipv6?.prefix;
        Some(Ipv6Network { prefix, gateway: host(prefix, 1), span })
    };
    (0..boxes.all.len()).map(network).collect()
}

fn host(network: Ipv6Net, number: u128) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(network.network()) | number)
}

fn overlap(a: Ipv6Net, b: Ipv6Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

/// Everybody who has IPv6 addresses, in the order of the file.
fn owners<'f>(file: &'f File, boxes: &Boxes<'f>, families: &[Families]) -> Vec<Owner<'f>> {
    let mut owners = Vec::new();
    for (index, server) in file.servers.iter().enumerate() {
        let explicit = of_family(server.body.addresses.as_deref(), IpAddr::is_ipv6);
        if explicit.is_some() || server.body.ipv6.as_ref().is_some_and(|ipv6| ipv6.value) {
            owners.push(Owner { name: &server.name, nat: None, explicit, who: Who::Server(index) });
        }
    }
    let leaves = file.leaves().into_iter().enumerate();
    for (index, leaf) in leaves.filter(|(index, _)| families[*index].ipv6) {
        let explicit = of_family(leaf.body.address.as_deref(), IpAddr::is_ipv6);
        let nat = boxes.realm(boxes.leaf_parent(index));
        owners.push(Owner { name: leaf.name, nat, explicit, who: Who::Leaf(index) });
    }
    owners.sort_by_key(|owner| owner.name.span);
    owners
}

/// Two networks with one prefix could not be told apart: nothing translates between them.
fn check_networks(reader: &mut Reader<'_>, boxes: &Boxes<'_>, networks: &[Option<Ipv6Network>]) {
    let all: Vec<(usize, &Ipv6Network)> =
        networks.iter().enumerate().filter_map(|(index, network)| Some((index, network.as_ref()?))).collect();
    for (number, (index, network)) in all.iter().enumerate() {
        let Some((other, first)) =
            all[..number].iter().find(|(_, other)| overlap(other.prefix, network.prefix))
        else {
            continue;
        };
        let relation = if first.prefix == network.prefix { "equals" } else { "overlaps" };
        let message = format!(
            "{}, the IPv6 network behind `{}`, {relation} {}, the one behind `{}`",
            network.prefix, boxes.all[*index].name.value, first.prefix, boxes.all[*other].name.value
        );
        reader.report(
            Diagnostic::new(Code::OverlappingNetworks, message)
                .at(network.span, "again here")
                .see(first.span, "first here")
                .help("IPv6 is not translated, so every network has a prefix of its own: write another one"),
        );
    }
}

/// An explicit address has to be one of its network's.
fn check(
    reader: &mut Reader<'_>,
    boxes: &Boxes<'_>,
    networks: &[Option<Ipv6Network>],
    owner: &Owner<'_>,
    address: Ipv6Addr,
    span: Span,
) {
    let behind = |index: usize| format!("the network behind `{}`", boxes.all[index].name.value);
    let elsewhere = networks.iter().enumerate().find_map(|(index, network)| {
        let network = network.as_ref().filter(|network| network.prefix.contains(&address))?;
        Some((index, network))
    });
    let own = owner.nat.and_then(|nat| networks[nat].as_ref().map(|network| (nat, network)));
    let (problem, see) = match own {
        _ if address.is_unique_local() => {
            ("is a unique local address, which the internet does not route (RFC 4193)".to_owned(), None)
        }
        // It was said already that there is no IPv6.
        None if owner.nat.is_some() => return,
        None => match elsewhere {
            Some((index, network)) => {
                let problem = format!("is in {}, {}", network.prefix, behind(index));
                (problem, Some(network.span))
            }
            None => return,
        },
        Some((nat, network)) => {
            let prefix = network.prefix;
            let problem = match () {
                () if !prefix.contains(&address) => format!("is not in {prefix}, {}", behind(nat)),
                () if address == prefix.network() => {
                    format!("means any router of {prefix}, not a host (RFC 4291 section 2.6.1)")
                }
                () if address == network.gateway => {
                    format!("is the address of `{}` itself", boxes.all[nat].name.value)
                }
                () => return,
            };
            (problem, Some(network.span))
        }
    };
    let message = format!("`{}` cannot have `{address}`: it {problem}", owner.name.value);
    let mut diagnostic = Diagnostic::new(Code::BadAddress, message).at(span, "not possible here");
    if let Some(see) = see {
        diagnostic = diagnostic.see(see, "the network is defined here");
    }
    reader.report(diagnostic.help("take another address, or leave it out to get one assigned"));
}

/// The next free address for somebody without one.
fn next(
    networks: &[Option<Ipv6Network>],
    owner: &Owner<'_>,
    first: u128,
    taken: &mut FxHashMap<Ipv6Addr, Option<(&At<String>, Span)>>,
) -> Ipv6Addr {
    let own = owner.nat.and_then(|nat| networks[nat].as_ref());
    let (network, mut number) = match (own, owner.who) {
        (Some(network), _) => (network.prefix, first),
        (None, Who::Server(_)) => (free(networks, SERVERS), 1),
        (None, Who::Leaf(_)) => (free(networks, PUBLIC), 1),
    };
    // A network has more addresses than a file has nodes.
    while taken.contains_key(&host(network, number)) {
        number += 1;
    }
    taken.insert(host(network, number), None);
    host(network, number)
}

/// The first of these in which the file has no network.
fn free(networks: &[Option<Ipv6Network>], of: [Ipv6Net; 2]) -> Ipv6Net {
    let is_free = |net: &Ipv6Net| !networks.iter().flatten().any(|network| overlap(network.prefix, *net));
    of.into_iter().find(is_free).unwrap_or(of[0])
}

/// An address that stands for another belongs to nobody.
fn check_nat64(reader: &mut Reader<'_>, boxes: &Boxes<'_>, assigned: &Assigned) {
    let everybody = || assigned.servers.iter().chain(&assigned.leaves).flatten();
    for nat64 in boxes.all.iter().filter_map(|each| each.nat64) {
        let prefix = nat64.value;
        let network = assigned.networks.iter().flatten().find(|own| overlap(own.prefix, prefix.network()));
        let address = everybody().find(|address| prefix.embedded(**address).is_some());
        let (whose, see) = match (network, address) {
            (Some(network), _) => (format!("{}, which hosts have", network.prefix), Some(network.span)),
            (None, Some(address)) => (format!("{address}, which somebody has"), None),
            (None, None) => continue,
        };
        let message = format!("the NAT64 prefix {prefix} would hide {whose}");
        let mut diagnostic =
            Diagnostic::new(Code::OverlappingNetworks, message).at(nat64.span, "means IPv4 addresses");
        if let Some(see) = see {
            diagnostic = diagnostic.see(see, "a network with hosts");
        }
        reader.report(diagnostic.help(format!("write `\"{}\"`", Nat64Prefix::WELL_KNOWN)));
    }
}

fn check_servers(reader: &mut Reader<'_>, file: &File) {
    for server in &file.servers {
        let ipv6 = of_family(server.body.addresses.as_deref(), IpAddr::is_ipv6);
        if let (Some(no), Some(address)) =
            (server.body.ipv6.as_ref().filter(|ipv6| !ipv6.value), ipv6.iter().flatten().next())
        {
            reader.report(
                Diagnostic::new(
                    Code::Contradiction,
                    format!("`{}` has no IPv6, but an IPv6 address", server.name.value),
                )
                .at(no.span, "no IPv6")
                .see(address.span, "an IPv6 address")
                .help("remove one of them"),
            );
        }
    }
}
