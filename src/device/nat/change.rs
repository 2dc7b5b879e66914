//! What may change about a NAT while it runs.

use std::net::IpAddr;

use super::filtering::EndpointFilters;
use super::pool::Pool;
use super::port_mapping::Announcements;
use super::ports::Ports;
use super::table::Table;
use super::unsolicited::{Graveyard, HeldSyns, OwnFlows};
use super::{Nat, Outbox};
use crate::base::SimTime;
use crate::plan::graph::RouteTable;
use crate::plan::{NatBehavior, PortMapping, StateChange};

impl Nat {
    /// It translates like this from now on. Its mappings stay, with their external endpoints and the filter entries they
    /// have; what refreshes them from now on gives them the new lifetimes.
    pub fn reconfigure(&mut self, behavior: &NatBehavior) {
        self.ports.set_policy(behavior.ports.clone());
        self.pool.set_pooling(behavior.pooling);
        self.behavior = behavior.clone();
    }

    /// It forgets everything, at once and without a word.
    pub fn reboot(&mut self, now: SimTime, out: &mut Outbox) {
        let outside = self.pool.addresses().to_vec();
        self.renumber(now, &outside, out);
    }

    /// It has these outside addresses from now on, and forgets everything.
    pub fn renumber(&mut self, now: SimTime, outside: &[IpAddr], out: &mut Outbox) {
        let most = self.most_mappings;
        self.table = Table::new(most);
        self.ports = Ports::new(self.behavior.ports.clone());
        self.pool = Pool::new(outside, self.behavior.pooling);
        self.endpoint_filters = EndpointFilters::default();
        self.own_flows = OwnFlows::new(most);
        self.held_syns = HeldSyns::new(most);
        self.graveyard = Graveyard::new(most);
        self.started = now;
        self.announcements =
            (self.behavior.port_mapping != PortMapping::Off).then_some(Announcements::from(now));
        if let Some(ipv6) = &mut self.ipv6 {
            ipv6.forget();
        }
        out.note(|| StateChange::Forgot);
    }

    /// These are its routes from now on.
    pub fn set_routes(&mut self, routes: RouteTable) {
        if let Some(ipv6) = &mut self.ipv6 {
            ipv6.set_routes(routes.clone());
        }
        self.routes = routes;
    }
}
