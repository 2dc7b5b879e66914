//! What a NAT that has forgotten its mappings tells the hosts inside, unasked (RFC 6886 §3.2.1, RFC 6887 §14.1).

use std::net::{IpAddr, SocketAddr};

use crate::base::{PortId, SimDuration, SimTime};
use crate::device::Outbox;
use crate::device::nat::Nat;
use crate::plan::PortMapping;
use crate::wire::port_mapping::{ANNOUNCED_AT, SERVER_PORT, nat_pmp, pcp};
use crate::wire::{Flow, Packet};

/// How often it is told, since nobody says that it has been heard.
const TIMES: u32 = 10;
/// The time between the first and the second; each further one is twice as long.
const FIRST_PAUSE: SimDuration = SimDuration::from_millis(250);

/// Announcements that are yet to be made.
#[derive(Debug, Clone, Copy)]
pub(in crate::device::nat) struct Announcements {
    made: u32,
    due: SimTime,
}

impl Announcements {
    /// All of them, from `now` on.
    pub(in crate::device::nat) const fn from(now: SimTime) -> Self {
        Self { made: 0, due: now }
    }

    /// When the next one is due.
    pub(in crate::device::nat) const fn due(self) -> SimTime {
        self.due
    }

    fn next(self) -> Option<Self> {
        let made = self.made + 1;
        (made < TIMES).then(|| Self { made, due: self.due + FIRST_PAUSE.times(1 << self.made) })
    }
}

impl Nat {
    /// Tells everybody inside what is due.
    pub(in crate::device::nat) fn announce(&mut self, now: SimTime, out: &mut Outbox) {
        while let Some(announcement) = self.announcements.filter(|one| one.due <= now) {
            self.announcements = announcement.next();
            let Some(payload) = self.announcement(now) else { continue };
            let flow = Flow::new(SocketAddr::new(self.gateway, SERVER_PORT), ANNOUNCED_AT);
            for port in self.routes.ports().filter(|port| *port != PortId::UPLINK) {
                out.emit(port, Packet::udp(flow, payload.clone()), None);
            }
        }
    }

    /// NAT-PMP's is the answer to a question for the address, PCP's one of its own.
    fn announcement(&self, now: SimTime) -> Option<Vec<u8>> {
        let epoch = self.epoch(now);
        match self.behavior.port_mapping {
            PortMapping::Off => None,
            PortMapping::NatPmp => {
                let mut addresses = self.pool.addresses().iter();
                let address = addresses.find_map(|address| match address {
                    IpAddr::V4(address) => Some(*address),
                    IpAddr::V6(_) => None,
                })?;
                let (result, answer) =
                    (nat_pmp::ResultCode::Success, nat_pmp::Answer::ExternalAddress(address));
                Some(nat_pmp::Response { result, epoch, answer }.to_bytes())
            }
            PortMapping::Pcp => {
                let (result, asked) = (pcp::ResultCode::Success, pcp::Asked::Announce);
                Some(pcp::Response { result, lifetime: 0, epoch, asked }.to_bytes())
            }
        }
    }
}
