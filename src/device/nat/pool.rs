//! The outside addresses, and which of them an inside host gets (RFC 4787 §4.1, RFC 6888).

use std::net::{IpAddr, Ipv4Addr};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::base::Random;
use crate::plan::Pooling;

/// The outside addresses of a NAT and what each inside host holds of them.
#[derive(Debug)]
pub(super) struct Pool {
    addresses: Vec<IpAddr>,
    pooling: Pooling,
    hosts: FxHashMap<IpAddr, Host>,
    /// How many hosts have been paired.
    paired: usize,
}

#[derive(Debug, Default)]
struct Host {
    ports: u32,
    /// Kept for ever, so that a host that comes back after a silence finds its address again.
    outside: Option<IpAddr>,
}

impl Pool {
    pub(super) fn new(addresses: &[IpAddr], pooling: Pooling) -> Self {
        Self { addresses: addresses.to_vec(), pooling, hosts: FxHashMap::default(), paired: 0 }
    }

    /// The outside addresses.
    pub(super) fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// New mappings get their addresses like this from now on.
    pub(super) fn set_pooling(&mut self, pooling: Pooling) {
        self.pooling = pooling;
    }

    /// True for an outside address of this NAT.
    #[inline]
    pub(super) fn owns(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address)
    }

    /// How many external ports a host holds.
    pub(super) fn ports_of(&self, host: IpAddr) -> u32 {
        self.hosts.get(&host).map_or(0, |host| host.ports)
    }

    pub(super) fn take_port(&mut self, host: IpAddr) {
        self.hosts.entry(host).or_default().ports += 1;
    }

    pub(super) fn give_port_back(&mut self, host: IpAddr) {
        if let Some(host) = self.hosts.get_mut(&host) {
            host.ports = host.ports.saturating_sub(1);
        }
    }

    /// The outside address of all mappings that `host` asks for: with NAT-PMP it asks for the address and for the mapping,
    /// each for itself, so both must speak of one address (RFC 6886 §3.2).
    pub(super) fn told(&mut self, host: IpAddr, random: &mut Random) -> Option<IpAddr> {
        match self.pooling {
            Pooling::Paired => self.choices(host, Ipv4Addr::UNSPECIFIED.into(), random).first().copied(),
            Pooling::Arbitrary => self.addresses.iter().copied().find(|address| address.is_ipv4()),
        }
    }

    /// The outside addresses a new mapping of `host` may get that sends to `remote`, in the order in which to try them.
    /// Paired hosts get one, in turn as they come (RFC 7857 §4: no other, even if it has no ports left).
    pub(super) fn choices(
        &mut self,
        host: IpAddr,
        remote: IpAddr,
        random: &mut Random,
    ) -> SmallVec<[IpAddr; 4]> {
        let same_family = self.addresses.iter().filter(|address| address.is_ipv4() == remote.is_ipv4());
        let mut choices: SmallVec<[IpAddr; 4]> = same_family.copied().collect();
        if choices.len() < 2 {
            return choices;
        }
        match self.pooling {
            Pooling::Arbitrary => {
                let first = random.below(choices.len() as u64) as usize;
                choices.rotate_left(first);
            }
            Pooling::Paired => {
                let pair = &mut self.hosts.entry(host).or_default().outside;
                let address = *pair.get_or_insert_with(|| {
                    self.paired += 1;
                    choices[(self.paired - 1) % choices.len()]
                });
                choices.clear();
                choices.push(address);
            }
        }
        choices
    }
}
