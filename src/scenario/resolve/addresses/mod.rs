//! Who has which address. Explicit addresses are taken first; then every node without one gets the next free
//! address of its network, in the order of the file.
//!
//! This is IPv4, with a network for each NAT. IPv6 has one address space and is dealt out in [`ipv6`].

mod ipv6;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv4Net;
use rustc_hash::FxHashMap;

pub use self::ipv6::Ipv6Network;
use super::boxes::{Boxes, What};
use super::families::Families;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::File;
use crate::scenario::read::{At, Reader, text::unusable_v4};
use crate::scenario::source::Span;

/// The addresses of all nodes.
#[derive(Debug)]
pub struct Addresses {
    /// By number of the box; NATs alone have one.
    pub networks: Vec<Network>,
    /// By number of the box; NATs that carry IPv6 have one.
    pub ipv6: Vec<Option<Ipv6Network>>,
    /// By number of the server; IPv4 first.
    pub servers: Vec<Vec<IpAddr>>,
    /// By number of the peer's interface; IPv4 first.
    pub leaves: Vec<Vec<IpAddr>>,
    /// By number of the box; firewalls with a proxy alone have any.
    pub proxies: Vec<Vec<IpAddr>>,
    /// The IPv6 addresses of hosts' translators, by number of the peer's interface.
    pub clats: Vec<Option<Ipv6Addr>>,
}

/// The networks at both sides of a NAT.
#[derive(Debug, Clone)]
pub struct Network {
    /// The network inside.
    pub inside: Ipv4Net,
    /// Its own address inside.
    pub gateway: Ipv4Addr,
    /// Its addresses outside.
    pub outside: Vec<IpAddr>,
    /// True if the file does not give `inside`.
    pub inside_assumed: bool,
    /// True if the file does not give `outside`.
    pub outside_assumed: bool,
    /// False if `inside` is not a network anybody can be in.
    usable: bool,
    span: Span,
}

/// Where servers get their addresses from (RFC 5737).
const SERVERS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 0), 24);
/// Where everybody else on the internet gets theirs from, in turns (RFC 5737).
pub(super) const PUBLIC: [Ipv4Net; 2] = [
    Ipv4Net::new_assert(Ipv4Addr::new(203, 0, 113, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 51, 100, 0), 24),
];
/// Where both go when those are used up (RFC 2544).
pub(super) const OVERFLOW: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 0, 0), 15);

/// The number of a network: a NAT's for its inside, `None` for the internet.
type Realm = Option<usize>;

/// Somebody who has addresses.
struct Owner<'f> {
    name: &'f At<String>,
    realm: Realm,
    explicit: Option<Vec<At<IpAddr>>>,
    who: Who,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Nat(usize),
    Proxy(usize),
    Server(usize),
    Leaf(usize),
}

impl Addresses {
    /// Gives everybody an address.
    pub fn assign(reader: &mut Reader<'_>, file: &File, boxes: &Boxes<'_>, families: &[Families]) -> Self {
        let mut addresses = Self {
            networks: networks(reader, file, boxes),
            ipv6: Vec::new(),
            servers: vec![Vec::new(); file.servers.len()],
            leaves: vec![Vec::new(); families.len()],
            proxies: vec![Vec::new(); boxes.all.len()],
            clats: Vec::new(),
        };
        let owners = owners(file, boxes, families);
        let mut taken = Taken::default();
        for (index, network) in addresses.networks.iter().enumerate() {
            taken.gateway(Some(index), network.gateway);
        }
        for owner in &owners {
            for address in owner.explicit.iter().flatten() {
                addresses.check(reader, boxes, owner, address);
                taken.claim(reader, owner, address);
            }
        }
        let mut pools = Pools::default();
        for owner in &owners {
            let given = match &owner.explicit {
                Some(explicit) => explicit.iter().map(|at| at.value).collect(),
                None => vec![addresses.next(reader, boxes, owner, &mut pools, &mut taken)],
            };
            match owner.who {
                Who::Nat(index) => addresses.networks[index].outside = given,
                Who::Proxy(index) => addresses.proxies[index] = given,
                Who::Server(index) => addresses.servers[index] = given,
                Who::Leaf(index) => addresses.leaves[index] = given,
            }
        }
        addresses.check_networks(reader, boxes, &owners);
        let ipv6 = ipv6::assign(reader, file, boxes, families);
        addresses.ipv6 = ipv6.networks;
        for (all, more) in addresses.servers.iter_mut().zip(ipv6.servers) {
            all.extend(more);
        }
        for (all, more) in addresses.leaves.iter_mut().zip(ipv6.leaves) {
            all.extend(more);
        }
        addresses.clats = ipv6.clats;
        addresses
    }

    /// An explicit address has to be one of its network's.
    fn check(&self, reader: &mut Reader<'_>, boxes: &Boxes<'_>, owner: &Owner<'_>, address: &At<IpAddr>) {
        let IpAddr::V4(v4) = address.value else { return };
        let Some(realm) = owner.realm else {
            if let Some(space) = not_on_the_internet(v4) {
                reader.report(
                    Diagnostic::new(
                        Code::BadAddress,
                        format!("`{}` cannot have {v4}: it is on the internet, where {space} is not routed", owner.name.value),
                    )
                    .at(address.span, "not possible here")
                    .help("take a public address such as `203.0.113.10`, or put it behind a NAT with this inside network"),
                );
            }
            return;
        };
        let Network { inside, gateway, span, .. } = &self.networks[realm];
        let nat = &boxes.all[realm].name.value;
        let problem = match () {
            () if !inside.contains(&v4) => format!("is not in {inside}, the network behind `{nat}`"),
            () if v4 == inside.network() => format!("is the name of the network {inside}, not of a host"),
            () if v4 == inside.broadcast() => format!("is the broadcast address of {inside}"),
            () if v4 == *gateway => format!("is the address of `{nat}` itself"),
            () => return,
        };
        reader.report(
            Diagnostic::new(
                Code::BadAddress,
                format!("`{}` cannot have {v4}: it {problem}", owner.name.value),
            )
            .at(address.span, "not possible here")
            .see(*span, "the network is defined here")
            .help("take another address of the network, or leave it out to get one assigned"),
        );
    }

    /// The next free address for somebody without one.
    fn next(
        &self,
        reader: &mut Reader<'_>,
        boxes: &Boxes<'_>,
        owner: &Owner<'_>,
        pools: &mut Pools,
        taken: &mut Taken<'_>,
    ) -> IpAddr {
        let found = match owner.realm {
            None if matches!(owner.who, Who::Server(_)) => pools.server(taken),
            None => pools.public(taken),
            Some(realm) => pools.inside(realm, self.networks[realm].inside, taken),
        };
        found.unwrap_or_else(|| {
            if let Some(realm) = owner.realm.filter(|realm| self.networks[*realm].usable) {
                let Network { inside, span, .. } = &self.networks[realm];
                reader.report(
                    Diagnostic::new(
                        Code::NetworkFull,
                        format!("{inside} has no address left for `{}`", owner.name.value),
                    )
                    .at(*span, format!("too small for what is behind `{}`", boxes.all[realm].name.value))
                    .see(owner.name.span, "would be one too many")
                    .help("write a larger `inside`, such as `10.0.0.0/16`"),
                );
            }
            IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        })
    }

    /// RFC 4787 REQ-7 wants NATs to cope with equal networks at both sides; here they would only hide nodes.
    fn check_networks(&self, reader: &mut Reader<'_>, boxes: &Boxes<'_>, owners: &[Owner<'_>]) {
        for (index, network) in self.networks.iter().enumerate() {
            let What::Translates(..) = boxes.all[index].what else { continue };
            let name = &boxes.all[index].name.value;
            let overlapping = boxes
                .realms_above(index)
                .into_iter()
                .find(|above| overlap(self.networks[*above].inside, network.inside));
            if let Some(above) = overlapping {
                let outer = &self.networks[above];
                let relation = if outer.inside == network.inside { "equals" } else { "overlaps" };
                let message = format!(
                    "{}, the inside of `{name}`, {relation} {}, the inside of `{}` further out",
                    network.inside, outer.inside, boxes.all[above].name.value
                );
                reader.report(
                    Diagnostic::new(Code::OverlappingNetworks, message)
                        .at(network.span, "hides part of the network outside")
                        .see(outer.span, "the network outside")
                        .help("write another `inside`, such as `192.168.77.0/24`"),
                );
                continue;
            }
            let hidden = owners.iter().filter(|owner| owner.realm.is_none()).find_map(|owner| {
                self.of(owner.who)
                    .iter()
                    .find(|address| network.inside.contains(&v4(**address)))
                    .map(|address| (owner, *address))
            });
            if let Some((owner, address)) = hidden {
                let span = owner
                    .explicit
                    .iter()
                    .flatten()
                    .find(|at| at.value == address)
                    .map_or(owner.name.span, |at| at.span);
                let message = format!(
                    "{}, the inside of `{name}`, holds {address}, which belongs to `{}` on the internet",
                    network.inside, owner.name.value
                );
                reader.report(
                    Diagnostic::new(Code::OverlappingNetworks, message)
                        .at(network.span, "nobody in here could reach it")
                        .see(span, format!("{address} is on the internet"))
                        .help("write a private network, such as `192.168.77.0/24`"),
                );
            }
        }
    }

    fn of(&self, who: Who) -> &[IpAddr] {
        match who {
            Who::Nat(index) => &self.networks[index].outside,
            Who::Proxy(index) => &self.proxies[index],
            Who::Server(index) => &self.servers[index],
            Who::Leaf(index) => &self.leaves[index],
        }
    }
}

fn v4(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    }
}

fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

/// Everybody who has IPv4 addresses, in the order of the file.
fn owners<'f>(file: &'f File, boxes: &Boxes<'f>, families: &[Families]) -> Vec<Owner<'f>> {
    let mut owners = Vec::new();
    for (index, each) in boxes.all.iter().enumerate() {
        let (explicit, who) = match &each.what {
            What::Translates(_, nat, _) => (file.nats[*nat].body.outside.clone(), Who::Nat(index)),
            What::Filters(firewall) if firewall.proxy.is_some() => (None, Who::Proxy(index)),
            What::Filters(_) | What::Forwards => continue,
        };
        owners.push(Owner { name: each.name, realm: boxes.realm(each.parent), explicit, who });
    }
    for (index, server) in file.servers.iter().enumerate() {
        let explicit = of_family(server.body.addresses.as_deref(), IpAddr::is_ipv4);
        if explicit.is_some() || server.body.addresses.is_none() {
            owners.push(Owner { name: &server.name, realm: None, explicit, who: Who::Server(index) });
        }
    }
    let leaves = file.leaves().into_iter().enumerate();
    for (index, leaf) in leaves.filter(|(index, _)| families[*index].ipv4) {
        let explicit = of_family(leaf.body.address.as_deref(), IpAddr::is_ipv4);
        let realm = boxes.realm(boxes.leaf_parent(index));
        owners.push(Owner { name: leaf.name, realm, explicit, who: Who::Leaf(index) });
    }
    owners.sort_by_key(|owner| owner.name.span);
    owners
}

/// The addresses of one family; `None` if there is none.
fn of_family(addresses: Option<&[At<IpAddr>]>, is_wanted: fn(&IpAddr) -> bool) -> Option<Vec<At<IpAddr>>> {
    let wanted: Vec<At<IpAddr>> =
        addresses.unwrap_or_default().iter().filter(|address| is_wanted(&address.value)).cloned().collect();
    (!wanted.is_empty()).then_some(wanted)
}

/// The inside of every NAT; for other boxes a placeholder.
fn networks(reader: &mut Reader<'_>, file: &File, boxes: &Boxes<'_>) -> Vec<Network> {
    let explicit: Vec<Option<Ipv4Net>> = boxes
        .all
        .iter()
        .map(|each| match each.what {
            What::Translates(_, nat, _) => file.nats[nat].body.inside.as_ref().map(|at| at.value),
            What::Filters(_) | What::Forwards => None,
        })
        .collect();
    let mut related: Vec<Vec<Ipv4Net>> = vec![Vec::new(); boxes.all.len()];
    for (index, own) in explicit.iter().enumerate() {
        for above in boxes.realms_above(index) {
            related[index].extend(explicit[above]);
            related[above].extend(*own);
        }
    }
    let network = |index: usize| {
        let What::Translates(_, nat, _) = boxes.all[index].what else {
            return Network {
                inside: SERVERS,
                gateway: Ipv4Addr::UNSPECIFIED,
                outside: Vec::new(),
                inside_assumed: false,
                outside_assumed: false,
                usable: true,
                span: Span::default(),
            };
        };
        let body = &file.nats[nat].body;
        let inside = body.inside.as_ref();
        let usable = inside.is_none_or(|inside| check_inside(reader, inside));
        let network = inside.map_or_else(|| default_inside(nat + 1, &related[index]), |at| at.value);
        Network {
            inside: network,
            gateway: offset(network, 1).unwrap_or(network.network()),
            outside: Vec::new(),
            inside_assumed: inside.is_none(),
            outside_assumed: body.outside.is_none(),
            usable,
            span: inside.map_or(file.nats[nat].name.span, |at| at.span),
        }
    };
    (0..boxes.all.len()).map(network).collect()
}

/// The network behind the NAT with this number: the first of three that hides nothing the file names.
fn default_inside(number: usize, related: &[Ipv4Net]) -> Ipv4Net {
    let (high, low) = ((number / 256) as u8, (number % 256) as u8);
    let candidates = [
        Ipv4Addr::new(10, high, low, 0),
        Ipv4Addr::new(192, 168, low, 0),
        Ipv4Addr::new(172, 16 + high % 16, low, 0),
    ]
    .map(|address| Ipv4Net::new(address, 24).unwrap_or(SERVERS));
    let free = candidates.iter().find(|candidate| !related.iter().any(|other| overlap(*other, **candidate)));
    *free.unwrap_or(&candidates[0])
}

/// Says what is wrong with an explicit network. True if nothing is.
fn check_inside(reader: &mut Reader<'_>, inside: &At<Ipv4Net>) -> bool {
    let network = inside.value;
    let problem = match () {
        () if network.prefix_len() > 30 => "has no room for a gateway and a host",
        () if network.prefix_len() < 8 => "is larger than any network one runs",
        () => match unusable_v4(network.network()).or(unusable_v4(network.broadcast())) {
            Some(problem) => problem,
            None => return true,
        },
    };
    reader.report(
        Diagnostic::new(Code::BadAddress, format!("`inside: {network}` {problem}"))
            .at(inside.span, "not usable")
            .help("write a private network such as `192.168.1.0/24`"),
    );
    false
}

/// Who has an address explicitly, and where the file says so; `None` if nobody has it explicitly.
type Holder<'f> = Option<(&'f At<String>, Span)>;

/// Addresses that are in use, by network.
#[derive(Default)]
struct Taken<'f> {
    owners: FxHashMap<(Realm, Ipv4Addr), Holder<'f>>,
}

impl<'f> Taken<'f> {
    fn gateway(&mut self, realm: Realm, address: Ipv4Addr) {
        self.owners.insert((realm, address), None);
    }

    fn claim(&mut self, reader: &mut Reader<'_>, owner: &Owner<'f>, address: &At<IpAddr>) {
        let key = (owner.realm, v4(address.value));
        match self.owners.get(&key) {
            Some(Some((first, span))) => reader.report(twice(first, *span, owner.name, address)),
            Some(None) => {}
            None => {
                self.owners.insert(key, Some((owner.name, address.span)));
            }
        }
    }

    fn take(&mut self, realm: Realm, address: Ipv4Addr) -> bool {
        let free = !self.owners.contains_key(&(realm, address));
        if free {
            self.owners.insert((realm, address), None);
        }
        free
    }
}

/// An address that two nodes of one network are given.
fn twice(first: &At<String>, span: Span, second: &At<String>, address: &At<IpAddr>) -> Diagnostic {
    let message = format!("`{}` and `{}` have the same address {}", first.value, second.value, address.value);
    Diagnostic::new(Code::DuplicateAddress, message)
        .at(address.span, "again here")
        .see(span, "first here")
        .help("give one of them another address, or leave it out to get one assigned")
}

/// How far each network has been handed out.
#[derive(Default)]
struct Pools {
    next: FxHashMap<Ipv4Net, u32>,
    inside: FxHashMap<usize, u32>,
    turn: usize,
}

impl Pools {
    fn server(&mut self, taken: &mut Taken<'_>) -> Option<IpAddr> {
        self.shared(SERVERS, taken).or_else(|| self.shared(OVERFLOW, taken))
    }

    fn public(&mut self, taken: &mut Taken<'_>) -> Option<IpAddr> {
        let (first, second) = (PUBLIC[self.turn % 2], PUBLIC[(self.turn + 1) % 2]);
        self.turn += 1;
        self.shared(first, taken)
            .or_else(|| self.shared(second, taken))
            .or_else(|| self.shared(OVERFLOW, taken))
    }

    fn shared(&mut self, network: Ipv4Net, taken: &mut Taken<'_>) -> Option<IpAddr> {
        next_free(network, self.next.entry(network).or_insert(1), None, taken)
    }

    fn inside(&mut self, realm: usize, network: Ipv4Net, taken: &mut Taken<'_>) -> Option<IpAddr> {
        next_free(network, self.inside.entry(realm).or_insert(1), Some(realm), taken)
    }
}

fn next_free(network: Ipv4Net, next: &mut u32, realm: Realm, taken: &mut Taken<'_>) -> Option<IpAddr> {
    loop {
        let address = offset(network, *next).filter(|address| *address != network.broadcast())?;
        *next += 1;
        if taken.take(realm, address) {
            return Some(address.into());
        }
    }
}

/// The address this far into a network.
fn offset(network: Ipv4Net, by: u32) -> Option<Ipv4Addr> {
    let address = Ipv4Addr::from(u32::from(network.network()).checked_add(by)?);
    network.contains(&address).then_some(address)
}

/// The address space of RFC 1918 or RFC 6598 that an address belongs to, if any.
pub(super) fn not_on_the_internet(address: Ipv4Addr) -> Option<&'static str> {
    let [first, second, ..] = address.octets();
    match (first, second) {
        (10, _) => Some("10.0.0.0/8"),
        (172, 16..=31) => Some("172.16.0.0/12"),
        (192, 168) => Some("192.168.0.0/16"),
        (100, 64..=127) => Some("100.64.0.0/10"),
        _ => None,
    }
}
