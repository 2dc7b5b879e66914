//! A stateful firewall: lets packets pass, or not, without translating them. In the spirit of RFC 6092.
//!
//! It is a bridge with rules and has no address of its own; a rejection therefore bears the address of the
//! forbidden destination, as a bridge's does. What goes from one inside port to another is switched without rules.
//!
//! Unlike RFC 6092 it filters by address and port unless told otherwise (REC-17 has endpoint-independent filtering as
//! the default; boxes in the field do not), drops an unsolicited SYN in silence (REC-34 answers it after 6 seconds),
//! and where everything may leave lets ICMP errors about unknown flows out, though not in (REC-10).

use std::net::SocketAddr;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::{Device, Outbox, Verdict};
use crate::base::{Limits, PortId, SimDuration, SimTime};
use crate::plan::graph::RouteTable;
use crate::plan::{
    self, Accepts, Access, DenyAction, DropReason, FilteringBehavior, InboundPolicy, Protocol, Rule, Service,
    ServiceProtocol, StateChange,
};
use crate::wire::{Body, Flow, Icmp, IcmpKind, Packet};

/// A firewall. Port 0 is its outside, all others are its inside.
#[derive(Debug)]
pub struct Firewall {
    config: plan::Firewall,
    routes: RouteTable,
    /// What inside endpoints have sent to.
    asked: States,
    /// Who from outside was let in unasked; their answers may leave whatever the outbound rules say.
    entered: States,
}

/// RFC 6092 REC-35: an established TCP connection may be idle for 2 hours and 4 minutes.
const TCP_LIFETIME: SimDuration = SimDuration::from_secs(7_440);

impl Firewall {
    /// A firewall with these rules.
    pub fn new(config: &plan::Firewall, routes: RouteTable, limits: &Limits) -> Self {
        Self {
            config: config.clone(),
            routes,
            asked: States::new(limits.mappings_per_nat),
            entered: States::new(limits.mappings_per_nat),
        }
    }

    fn outbound(&mut self, now: SimTime, port: PortId, packet: &Packet, out: &mut Outbox) -> Option<Verdict> {
        match &packet.body {
            Body::Icmp(error) => {
                let known = self.config.outbound.default == Access::Allow || self.tracks(now, error);
                (!known).then(|| {
                    let text = "an ICMP error about a flow the firewall does not know".into();
                    Verdict::drop_by(DropReason::FirewallOutbound, Rule::PortPolicy { text })
                })
            }
            _ => self.outbound_flow(now, port, packet, out),
        }
    }

    fn outbound_flow(
        &mut self,
        now: SimTime,
        port: PortId,
        packet: &Packet,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        let Flow { source: inside, destination: remote } = packet.flow;
        let (protocol, lifetime) = (packet.protocol(), self.lifetime(packet.protocol()));
        if !self.entered.refresh(now, (protocol, inside), remote, lifetime)
            && let Some(text) = self.forbidden(protocol, remote.port())
        {
            if self.config.outbound.action == DenyAction::Reject
                && let Some(error) = packet.icmp_error(remote.ip(), IcmpKind::AdministrativelyProhibited)
            {
                out.emit(port, error, Some(packet.id));
            }
            return Some(Verdict::drop_by(DropReason::FirewallOutbound, Rule::PortPolicy { text }));
        }
        let entry = filter_entry(self.config.filtering, remote);
        match self.asked.note(now, (protocol, inside), entry, lifetime) {
            Noted::Refreshed => None,
            Noted::New => {
                if self.config.filtering != FilteringBehavior::EndpointIndependent {
                    out.note(|| StateChange::FilterOpened { protocol, external: inside, remote: entry });
                }
                None
            }
            Noted::Full => {
                let text = "the firewall tracks as many flows as it can".into();
                Some(Verdict::drop_by(DropReason::FirewallOutbound, Rule::PortPolicy { text }))
            }
        }
    }

    /// Why the outbound rules forbid this service, if they do.
    fn forbidden(&self, protocol: Protocol, port: u16) -> Option<String> {
        let policy = &self.config.outbound;
        let protocol = match protocol {
            Protocol::Tcp => ServiceProtocol::Tcp,
            Protocol::Udp | Protocol::Icmp => ServiceProtocol::Udp,
        };
        let service = Service { port, protocol };
        if policy.default == Access::Allow || policy.allow.contains(&service) {
            return None;
        }
        if policy.allow.is_empty() {
            return Some(format!("{service} may not leave, and nothing else may"));
        }
        let allowed: Vec<_> = policy.allow.iter().map(Service::to_string).collect();
        Some(format!("{service} is not among {}", allowed.join(", ")))
    }

    fn inbound(&mut self, now: SimTime, packet: &Packet) -> Option<Verdict> {
        let (key, remote) = match &packet.body {
            Body::Icmp(error) if self.tracks(now, error) => return None,
            Body::Icmp(error) => ((error.quoted_protocol, error.quoted.source), error.quoted.destination),
            _ => ((packet.protocol(), packet.flow.destination), packet.flow.source),
        };
        let entry = filter_entry(self.config.filtering, remote);
        if self.asked.holds(now, key, entry) {
            return None;
        }
        if self.config.inbound == InboundPolicy::Allow {
            if !matches!(packet.body, Body::Icmp(_)) {
                self.entered.note(now, key, remote, self.lifetime(key.0));
            }
            return None;
        }
        let accepts = self.asked.accepts(now, key);
        let rule = Rule::Unsolicited { filtering: self.config.filtering, accepts };
        Some(Verdict::drop_by(DropReason::FirewallInbound, rule))
    }

    /// True if the flow an ICMP error quotes is one of ours, in either direction.
    fn tracks(&self, now: SimTime, error: &Icmp) -> bool {
        let known = |flow: Flow| {
            let key = (error.quoted_protocol, flow.source);
            self.asked.holds(now, key, filter_entry(self.config.filtering, flow.destination))
                || self.entered.holds(now, key, flow.destination)
        };
        known(error.quoted) || known(error.quoted.reversed())
    }

    fn lifetime(&self, protocol: Protocol) -> SimDuration {
        match protocol {
            Protocol::Tcp => TCP_LIFETIME,
            Protocol::Udp | Protocol::Icmp => self.config.udp_lifetime,
        }
    }
}

impl Device for Firewall {
    fn handle(&mut self, now: SimTime, port: PortId, packet: &mut Packet, out: &mut Outbox) -> Verdict {
        let destination = packet.flow.destination.ip();
        let to = match self.routes.port_for(destination) {
            Some(to) if to != port => to,
            _ => return Verdict::drop_by(DropReason::NoRoute, Rule::NoRoute { destination }),
        };
        if port != PortId::UPLINK && to != PortId::UPLINK {
            return Verdict::Forward(to);
        }
        if packet.hop_limit <= 1 {
            return Verdict::drop(DropReason::TtlExpired);
        }
        let refused = if port == PortId::UPLINK {
            self.inbound(now, packet)
        } else {
            self.outbound(now, port, packet, out)
        };
        refused.unwrap_or_else(|| {
            packet.hop_limit -= 1;
            Verdict::Forward(to)
        })
    }
}

/// What the firewall remembers of `remote`: with address-dependent filtering all its ports (0), with
/// endpoint-independent filtering only that something was sent.
fn filter_entry(filtering: FilteringBehavior, remote: SocketAddr) -> SocketAddr {
    match filtering {
        FilteringBehavior::EndpointIndependent => SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), 0),
        FilteringBehavior::AddressDependent => SocketAddr::new(remote.ip(), 0),
        FilteringBehavior::AddressAndPortDependent => remote,
    }
}

/// A protocol and an inside endpoint.
type Inside = (Protocol, SocketAddr);

/// Remotes remembered for each inside endpoint, each until its time is up.
#[derive(Debug)]
struct States {
    endpoints: FxHashMap<Inside, IndexMap<SocketAddr, SimTime, FxBuildHasher>>,
    count: usize,
    capacity: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Noted {
    New,
    Refreshed,
    Full,
}

impl States {
    fn new(capacity: usize) -> Self {
        Self { endpoints: FxHashMap::default(), count: 0, capacity }
    }

    /// Remembers `remote`, or remembers it for longer.
    fn note(&mut self, now: SimTime, inside: Inside, remote: SocketAddr, lifetime: SimDuration) -> Noted {
        if self.refresh(now, inside, remote, lifetime) {
            return Noted::Refreshed;
        }
        if self.count >= self.capacity {
            self.forget_expired(now);
        }
        if self.count >= self.capacity {
            return Noted::Full;
        }
        let remotes = self.endpoints.entry(inside).or_default();
        // One that had expired comes back as the newest.
        if remotes.shift_remove(&remote).is_none() {
            self.count += 1;
        }
        remotes.insert(remote, now + lifetime);
        Noted::New
    }

    /// Remembers `remote` for longer; false if it is not remembered at all.
    fn refresh(&mut self, now: SimTime, inside: Inside, remote: SocketAddr, lifetime: SimDuration) -> bool {
        let expires = self.endpoints.get_mut(&inside).and_then(|remotes| remotes.get_mut(&remote));
        match expires {
            Some(expires) if *expires > now => {
                *expires = now + lifetime;
                true
            }
            _ => false,
        }
    }

    fn holds(&self, now: SimTime, inside: Inside, remote: SocketAddr) -> bool {
        let expires = self.endpoints.get(&inside).and_then(|remotes| remotes.get(&remote));
        expires.is_some_and(|expires| *expires > now)
    }

    fn accepts(&self, now: SimTime, inside: Inside) -> Accepts {
        let remotes = self.endpoints.get(&inside).into_iter().flatten();
        Accepts::from_remotes(remotes.filter(|(_, expires)| **expires > now).map(|(remote, _)| *remote))
    }

    fn forget_expired(&mut self, now: SimTime) {
        self.endpoints.retain(|_, remotes| {
            remotes.retain(|_, expires| *expires > now);
            !remotes.is_empty()
        });
        self.count = self.endpoints.values().map(IndexMap::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::NodeId;
    use crate::plan::{Element, Link, OutboundPolicy, Topology};

    const REMOTE: &str = "192.0.2.1:3478";
    const INSIDE: &str = "203.0.113.2:5000";

    /// A firewall with 203.0.113.2 and 203.0.113.3 behind it, on its ports 1 and 2.
    struct Lab {
        firewall: Firewall,
        now: SimTime,
        out: Outbox,
    }

    impl Lab {
        fn new(change: impl FnOnce(&mut plan::Firewall)) -> Self {
            Self::with(change, &Limits::DEFAULT)
        }

        fn with(change: impl FnOnce(&mut plan::Firewall), limits: &Limits) -> Self {
            let mut config = plan::Firewall {
                outbound: OutboundPolicy {
                    default: Access::Allow,
                    allow: Vec::new(),
                    action: DenyAction::Drop,
                },
                inbound: InboundPolicy::Deny,
                filtering: FilteringBehavior::AddressAndPortDependent,
                udp_lifetime: SimDuration::from_secs(300),
                label: None,
            };
            change(&mut config);
            let mut topology = Topology::new();
            let link = || Link::with_delay(SimDuration::from_millis(1));
            let element = Element::Firewall(config.clone());
            let id = topology.add(NodeId::new(0), "firewall", element, Vec::new(), link());
            for host in ["203.0.113.2", "203.0.113.3"] {
                topology.add(id, host, Element::Router, vec![host.parse().expect("address")], link());
            }
            let firewall = Firewall::new(&config, topology.routes(id), limits);
            Self { firewall, now: SimTime::ZERO, out: Outbox::new(true) }
        }

        fn handle(&mut self, port: PortId, packet: &mut Packet) -> Verdict {
            self.firewall.handle(self.now, port, packet, &mut self.out)
        }

        fn send(&mut self, from: &str, to: &str) -> Verdict {
            self.handle(PortId::new(1), &mut udp(from, to))
        }

        fn receive(&mut self, from: &str, to: &str) -> Verdict {
            self.handle(PortId::UPLINK, &mut udp(from, to))
        }
    }

    const OUT: Verdict = Verdict::Forward(PortId::UPLINK);
    const IN: Verdict = Verdict::Forward(PortId::new(1));

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("a transport address")
    }

    fn udp(from: &str, to: &str) -> Packet {
        Packet::udp(Flow::new(at(from), at(to)), &b"x"[..])
    }

    fn drop_of(verdict: Verdict) -> plan::Drop {
        match verdict {
            Verdict::Drop(drop) => *drop,
            other => panic!("{other:?}"),
        }
    }

    fn deny_all_but_dns(config: &mut plan::Firewall) {
        config.outbound.default = Access::Deny;
        config.outbound.allow = vec![Service { port: 53, protocol: ServiceProtocol::Udp }];
    }

    #[test]
    fn only_answers_come_in_by_the_filtering_behaviour() {
        use FilteringBehavior as F;
        let remotes = [REMOTE, "192.0.2.1:9", "192.0.2.9:3478"];
        for (filtering, expected) in [
            (F::EndpointIndependent, [true, true, true]),
            (F::AddressDependent, [true, true, false]),
            (F::AddressAndPortDependent, [true, false, false]),
        ] {
            let mut lab = Lab::new(|config| config.filtering = filtering);
            assert!(remotes.iter().all(|remote| lab.receive(remote, INSIDE) != IN), "nothing was asked for");
            assert_eq!(lab.send(INSIDE, REMOTE), OUT);
            assert_eq!(remotes.map(|remote| lab.receive(remote, INSIDE) == IN), expected, "{filtering}");
            let other = lab.receive(REMOTE, "203.0.113.2:5001");
            assert_eq!(drop_of(other).reason, DropReason::FirewallInbound, "another endpoint");
        }
    }

    #[test]
    fn a_refused_packet_is_told_what_would_have_come_in() {
        let mut lab = Lab::new(|_| ());
        lab.send(INSIDE, REMOTE);
        let accepts = Accepts::from_remotes([at(REMOTE)]);
        let filtering = FilteringBehavior::AddressAndPortDependent;
        let drop = drop_of(lab.receive("192.0.2.9:1", INSIDE));
        assert_eq!(drop.rule, Rule::Unsolicited { filtering, accepts });
        let opened =
            StateChange::FilterOpened { protocol: Protocol::Udp, external: at(INSIDE), remote: at(REMOTE) };
        assert_eq!(lab.out.changes, [opened]);
    }

    #[test]
    fn a_flow_lives_from_its_last_outbound_packet() {
        let mut lab = Lab::new(|_| ());
        lab.send(INSIDE, REMOTE);
        lab.now += SimDuration::from_secs(200);
        lab.send(INSIDE, REMOTE);
        lab.now += SimDuration::from_millis(299_999);
        assert_eq!(lab.receive(REMOTE, INSIDE), IN);
        lab.now += SimDuration::from_millis(1);
        let drop = drop_of(lab.receive(REMOTE, INSIDE));
        let nobody = Accepts::default();
        let filtering = FilteringBehavior::AddressAndPortDependent;
        assert_eq!(drop.rule, Rule::Unsolicited { filtering, accepts: nobody }, "inbound refreshes nothing");
    }

    #[test]
    fn inbound_packets_enter_where_the_rules_open_it_and_their_answers_leave() {
        let mut lab = Lab::new(|config| {
            config.inbound = InboundPolicy::Allow;
            deny_all_but_dns(config);
        });
        assert_eq!(drop_of(lab.send(INSIDE, REMOTE)).reason, DropReason::FirewallOutbound);
        assert_eq!(lab.receive(REMOTE, INSIDE), IN);
        assert_eq!(lab.send(INSIDE, REMOTE), OUT);
        lab.now += SimDuration::from_secs(301);
        assert_eq!(drop_of(lab.send(INSIDE, REMOTE)).reason, DropReason::FirewallOutbound);
    }

    #[test]
    fn only_allowed_services_are_sent_to_where_the_default_is_deny() {
        let mut lab = Lab::new(deny_all_but_dns);
        assert_eq!(lab.send(INSIDE, "192.0.2.1:53"), OUT);
        let drop = drop_of(lab.send(INSIDE, REMOTE));
        assert_eq!(drop.reason, DropReason::FirewallOutbound);
        assert_eq!(drop.rule.to_string(), "3478/udp is not among 53/udp");
        assert!(lab.out.packets.is_empty(), "in silence");
    }

    #[test]
    fn a_rejected_packet_is_answered_with_administratively_prohibited() {
        let mut lab = Lab::new(|config| {
            config.outbound.default = Access::Deny;
            config.outbound.action = DenyAction::Reject;
        });
        let drop = drop_of(lab.send(INSIDE, REMOTE));
        assert_eq!(drop.rule.to_string(), "3478/udp may not leave, and nothing else may");
        let [emitted] = &lab.out.packets[..] else { panic!("{:?}", lab.out.packets) };
        assert_eq!(emitted.port, PortId::new(1));
        assert_eq!(emitted.packet.flow, Flow::new(at("192.0.2.1:0"), at("203.0.113.2:0")));
        let Body::Icmp(error) = &emitted.packet.body else { panic!("not ICMP") };
        assert_eq!(error.kind, IcmpKind::AdministrativelyProhibited);
    }

    #[test]
    fn icmp_errors_about_tracked_flows_come_in_and_others_do_not() {
        let mut lab = Lab::new(|_| ());
        lab.send(INSIDE, REMOTE);
        let error = |packet: Packet| {
            packet.icmp_error(at("198.51.100.9:0").ip(), IcmpKind::TimeExceeded).expect("an error")
        };
        assert_eq!(lab.handle(PortId::UPLINK, &mut error(udp(INSIDE, REMOTE))), IN);
        let unknown = lab.handle(PortId::UPLINK, &mut error(udp(INSIDE, "192.0.2.9:1")));
        assert_eq!(drop_of(unknown).reason, DropReason::FirewallInbound);
    }

    #[test]
    fn an_icmp_error_neither_refreshes_nor_terminates_a_flow() {
        let mut lab = Lab::new(|_| ());
        lab.send(INSIDE, REMOTE);
        lab.now += SimDuration::from_secs(299);
        let error = udp(INSIDE, REMOTE).icmp_error(at(REMOTE).ip(), IcmpKind::PortUnreachable);
        assert_eq!(lab.handle(PortId::UPLINK, &mut error.expect("an error")), IN);
        assert_eq!(lab.receive(REMOTE, INSIDE), IN);
        lab.now += SimDuration::from_secs(1);
        assert_ne!(lab.receive(REMOTE, INSIDE), IN);
    }

    #[test]
    fn icmp_errors_about_tracked_flows_leave_even_where_the_default_is_deny() {
        let mut lab = Lab::new(deny_all_but_dns);
        lab.send(INSIDE, "192.0.2.1:53");
        let error =
            |packet: Packet| packet.icmp_error(at(INSIDE).ip(), IcmpKind::PortUnreachable).expect("an error");
        assert_eq!(lab.handle(PortId::new(1), &mut error(udp("192.0.2.1:53", INSIDE))), OUT);
        let unknown = lab.handle(PortId::new(1), &mut error(udp(REMOTE, INSIDE)));
        assert_eq!(drop_of(unknown).reason, DropReason::FirewallOutbound);
    }

    #[test]
    fn what_stays_inside_is_switched_without_rules() {
        let mut lab = Lab::new(deny_all_but_dns);
        let mut packet = udp(INSIDE, "203.0.113.3:1");
        let before = packet.clone();
        assert_eq!(lab.handle(PortId::new(1), &mut packet), Verdict::Forward(PortId::new(2)));
        assert_eq!(packet, before);
    }

    #[test]
    fn passing_costs_a_hop_and_the_last_hop_changes_no_state() {
        let mut lab = Lab::new(|_| ());
        let mut last = Packet { hop_limit: 1, ..udp(INSIDE, REMOTE) };
        assert_eq!(lab.handle(PortId::new(1), &mut last), Verdict::drop(DropReason::TtlExpired));
        assert_eq!(drop_of(lab.receive(REMOTE, INSIDE)).reason, DropReason::FirewallInbound);
        let mut packet = udp(INSIDE, REMOTE);
        assert_eq!(lab.handle(PortId::new(1), &mut packet), OUT);
        assert_eq!(packet.hop_limit, 63);
    }

    #[test]
    fn a_full_tracker_lets_no_new_flow_out_until_old_ones_expire() {
        let limits = Limits { mappings_per_nat: 2, ..Limits::DEFAULT };
        let mut lab = Lab::with(|_| (), &limits);
        assert_eq!([1, 2].map(|port| lab.send(INSIDE, &format!("192.0.2.1:{port}"))), [OUT, OUT]);
        assert_eq!(drop_of(lab.send(INSIDE, "192.0.2.1:3")).reason, DropReason::FirewallOutbound);
        assert_eq!(lab.send(INSIDE, "192.0.2.1:1"), OUT, "known flows go on");
        lab.now += SimDuration::from_secs(301);
        assert_eq!(lab.send(INSIDE, "192.0.2.1:3"), OUT);
    }
}
