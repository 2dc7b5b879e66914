//! Whatever happens, in whatever order, with whatever settings, these hold. The numbers are those of the
//! project's list of invariants.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::base::PortRange;
use crate::device::nat::{filtering, mapping};
use crate::plan::{
    ConflictBehavior, FilterScope, Hairpinning, MappingLifetimes, Pooling, PortAssignment, PortMapping,
    PortPolicy, RefreshDirection, ReplyMapping, Unsolicited,
};

const POOL: [&str; 2] = ["198.51.100.1", "198.51.100.2"];
const PORTS: (u16, u16) = (5_000, 5_009);

#[derive(Debug, Clone)]
enum Step {
    /// From an inside endpoint to a remote.
    Send(SocketAddr, SocketAddr),
    /// From a remote to an outside endpoint.
    Receive(SocketAddr, SocketAddr),
    /// From an inside endpoint to an outside endpoint.
    Hairpin(SocketAddr, SocketAddr),
    Wait(u64),
}

fn internal() -> impl Strategy<Value = SocketAddr> {
    (2u8..5, 5_000u16..5_004).prop_map(|(host, port)| SocketAddr::from(([10, 0, 0, host], port)))
}

fn remote() -> impl Strategy<Value = SocketAddr> {
    (1u8..4, 1u16..4).prop_map(|(host, port)| SocketAddr::from(([192, 0, 2, host], port)))
}

fn external() -> impl Strategy<Value = SocketAddr> {
    (1u8..3, PORTS.0..=PORTS.1).prop_map(|(host, port)| SocketAddr::from(([198, 51, 100, host], port)))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (internal(), remote()).prop_map(|(from, to)| Step::Send(from, to)),
        4 => (remote(), external()).prop_map(|(from, to)| Step::Receive(from, to)),
        1 => (internal(), external()).prop_map(|(from, to)| Step::Hairpin(from, to)),
        2 => (1u64..40_000).prop_map(Step::Wait),
    ]
}

fn any_port_policy() -> impl Strategy<Value = PortPolicy> {
    let assignment = select(PortAssignment::ALL);
    let on_conflict = select(ConflictBehavior::ALL);
    let quota = prop_oneof![Just(None), (1u16..6).prop_map(Some)];
    let block = prop_oneof![2 => Just(None), 1 => (1u16..6).prop_map(Some)];
    let quarantine = prop_oneof![Just(0), 1u64..60_000].prop_map(millis);
    (assignment, on_conflict, any::<bool>(), quota, block, quarantine).prop_map(
        |(assignment, on_conflict, parity, max_per_host, block, quarantine)| {
            let range = PortRange::new(PORTS.0, PORTS.1).expect("a range");
            let block = block.filter(|_| assignment != PortAssignment::Overloading);
            PortPolicy { assignment, on_conflict, range, parity, max_per_host, block, quarantine }
        },
    )
}

fn any_behavior() -> impl Strategy<Value = NatBehavior> {
    let rules = (
        select(MappingBehavior::ALL),
        select(FilteringBehavior::ALL),
        select(FilterScope::ALL),
        select(ReplyMapping::ALL),
    );
    let rest = (
        select(Pooling::ALL),
        select(Hairpinning::ALL),
        select(RefreshDirection::ALL),
        select(Unsolicited::ALL),
    );
    (rules, any_port_policy(), rest).prop_map(|(rules, ports, rest)| NatBehavior {
        mapping: rules.0,
        filtering: rules.1,
        filter_scope: rules.2,
        reply_mapping: rules.3,
        ports,
        pooling: rest.0,
        hairpinning: rest.1,
        lifetimes: MappingLifetimes { refresh: rest.2, ..port_restricted().lifetimes },
        unsolicited: rest.3,
        port_mapping: PortMapping::Off,
    })
}

/// A mapping's identity over its life.
type Identity = (SocketAddr, SocketAddr, SimTime);

fn identity(row: &MappingRow) -> Identity {
    (row.internal, row.external, row.created)
}

/// What an observer knows without looking into the NAT.
struct Observer {
    lab: Lab,
    behavior: NatBehavior,
    /// To whom packets went through each mapping.
    sent: BTreeMap<Identity, BTreeSet<SocketAddr>>,
    /// Whose packets came in through each mapping.
    admitted: BTreeMap<Identity, BTreeSet<SocketAddr>>,
    pairs: BTreeMap<IpAddr, BTreeSet<IpAddr>>,
    before: Vec<MappingRow>,
    /// When the last mapping at each external endpoint ended that has none now, and whose it was.
    left: BTreeMap<SocketAddr, (SimTime, IpAddr)>,
}

impl Observer {
    fn new(behavior: NatBehavior) -> Self {
        Self {
            lab: Lab::with(behavior.clone(), &POOL, &Limits::DEFAULT),
            behavior,
            sent: BTreeMap::new(),
            admitted: BTreeMap::new(),
            pairs: BTreeMap::new(),
            before: Vec::new(),
            left: BTreeMap::new(),
        }
    }

    fn watch(&mut self, step: &Step) {
        match *step {
            Step::Wait(ms) => self.lab.wait(millis(ms)),
            Step::Send(from, to) => self.send(from, to),
            Step::Receive(from, to) => self.receive(from, to),
            Step::Hairpin(from, to) => self.hairpin(from, to),
        }
        self.check_table();
        self.check_reuse();
        self.before = self.lab.rows();
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr) {
        let mut packet = Packet::udp(Flow::new(from, to), &b"out"[..]);
        match self.lab.handle(port_of(from), &mut packet) {
            Verdict::Forward(port) => {
                assert_eq!(port, PortId::UPLINK);
                self.note_sent(from, to, packet.flow.source);
            }
            Verdict::Drop(drop) => {
                let expected = [DropReason::NatPortsExhausted, DropReason::NatQuota];
                assert!(expected.contains(&drop.reason), "{drop:?}");
            }
            Verdict::Deliver => panic!("taken"),
        }
    }

    /// INV-08, INV-11, INV-14: the right mapping carried it, and lives on from now.
    fn note_sent(&mut self, from: SocketAddr, to: SocketAddr, source: SocketAddr) {
        assert!(POOL.contains(&source.ip().to_string().as_str()), "INV-14: {source} left");
        let rows = self.lab.rows();
        let row = rows.iter().find(|row| (row.internal, row.external) == (from, source)).expect("INV-08");
        let by_rule = row.for_remote == mapping::scope(self.behavior.mapping, to);
        let by_reply = self.behavior.reply_mapping == ReplyMapping::Admitting
            && self.admitted.get(&identity(row)).is_some_and(|remotes| remotes.contains(&to));
        assert!(by_rule || by_reply, "INV-08: {row:?} for {to}");
        if self.behavior.lifetimes.refresh != RefreshDirection::Inbound {
            let lifetimes = &self.behavior.lifetimes;
            let replied = self.admitted.contains_key(&identity(row));
            let lifetime = if replied { lifetimes.udp } else { lifetimes.udp_unreplied };
            assert_eq!(row.expires, self.lab.now + lifetime, "INV-11: outbound refreshes");
        }
        self.sent.entry(identity(row)).or_default().insert(to);
    }

    fn receive(&mut self, from: SocketAddr, to: SocketAddr) {
        let live = self.lab.rows();
        let mut packet = Packet::udp(Flow::new(from, to), &b"in"[..]);
        match self.lab.handle(PortId::UPLINK, &mut packet) {
            Verdict::Forward(port) => {
                assert_eq!(port, port_of(packet.flow.destination));
                self.note_admitted(&live, from, to, packet.flow.destination);
            }
            Verdict::Drop(drop) => {
                let mapped = live.iter().any(|row| row.external == to);
                assert_eq!(drop.reason == DropReason::NatFiltered, mapped, "{drop:?}");
            }
            Verdict::Deliver => panic!("taken"),
        }
    }

    /// INV-10: only through a live mapping, and only from whom its filter admits.
    fn note_admitted(&mut self, live: &[MappingRow], from: SocketAddr, to: SocketAddr, reached: SocketAddr) {
        let row = live.iter().find(|row| (row.internal, row.external) == (reached, to)).expect("INV-10");
        let entry = filtering::entry(self.behavior.filtering, from);
        let asked = live.iter().filter(|other| match self.behavior.filter_scope {
            FilterScope::Mapping => identity(other) == identity(row),
            FilterScope::Endpoint => other.internal == row.internal,
        });
        let mut remotes = asked.filter_map(|row| self.sent.get(&identity(row))).flatten();
        let opened = remotes.any(|remote| filtering::entry(self.behavior.filtering, *remote) == entry);
        assert!(entry.is_none() || opened, "INV-10: {from} came in through {row:?}");
        self.admitted.entry(identity(row)).or_default().insert(from);
    }

    /// INV-10, INV-13. The remotes of [`Step::Send`] and [`Step::Receive`] are elsewhere, so who hairpinned to whom
    /// matters to no other check but that an admitted packet makes a mapping a replied one.
    fn hairpin(&mut self, from: SocketAddr, to: SocketAddr) {
        let mut packet = Packet::udp(Flow::new(from, to), &b"round"[..]);
        let verdict = self.lab.handle(port_of(from), &mut packet);
        let style = self.behavior.hairpinning;
        if style == Hairpinning::Off {
            assert_eq!(verdict, Verdict::drop(DropReason::NatHairpinOff), "INV-13");
        } else if let Verdict::Forward(port) = verdict {
            let Flow { source, destination } = packet.flow;
            assert_eq!(port, port_of(destination));
            let rows = self.lab.rows();
            let holds = |internal, external| {
                rows.iter().find(|row| (row.internal, row.external) == (internal, external))
            };
            match style {
                Hairpinning::ExternalSource => assert!(holds(from, source).is_some(), "INV-13: {source}"),
                _ => assert_eq!(source, from, "INV-13"),
            }
            let row = holds(destination, to).expect("INV-10");
            self.admitted.entry(identity(row)).or_default().insert(source);
        }
    }

    fn check_table(&mut self) {
        let rows = self.lab.rows();
        let ports = &self.behavior.ports;
        let shares = ports.assignment == PortAssignment::Overloading;
        for row in &rows {
            assert!(row.expires > self.lab.now, "INV-11: {row:?} outlived its life");
            assert!(ports.range.contains(row.external.port()), "INV-12: {row:?}");
            assert!(!ports.parity || row.external.port() % 2 == row.internal.port() % 2, "INV-12: {row:?}");
            self.pairs.entry(row.internal.ip()).or_default().insert(row.external.ip());
            let of_host = rows.iter().filter(|other| other.internal.ip() == row.internal.ip()).count();
            assert!(ports.max_per_host.is_none_or(|quota| of_host <= usize::from(quota)), "quota");
        }
        for (index, a) in rows.iter().enumerate() {
            for b in &rows[index + 1..] {
                self.check_pair(a, b, shares);
            }
        }
        for gone in self.before.iter().filter(|old| !rows.iter().any(|row| identity(row) == identity(old))) {
            assert!(gone.expires <= self.lab.now, "INV-11, INV-12: {gone:?} died before its time");
        }
        if self.behavior.pooling == Pooling::Paired {
            assert!(self.pairs.values().all(|addresses| addresses.len() == 1), "INV-09: {:?}", self.pairs);
        }
    }

    /// INV-12: no port serves again before its quarantine is over, and a block serves one host until all of its ports
    /// have rested.
    fn check_reuse(&mut self) {
        let rows = self.lab.rows();
        let ports = &self.behavior.ports;
        for gone in self.before.iter().filter(|old| rows.iter().all(|row| row.external != old.external)) {
            let last = self.left.entry(gone.external).or_insert((gone.expires, gone.internal.ip()));
            *last = (last.0.max(gone.expires), gone.internal.ip());
        }
        for row in rows.iter().filter(|row| self.before.iter().all(|old| identity(old) != identity(row))) {
            if self.before.iter().all(|old| old.external != row.external)
                && let Some((ended, _)) = self.left.remove(&row.external)
            {
                assert!(row.created >= ended + ports.quarantine, "INV-12: {row:?} too soon after {ended:?}");
            }
        }
        let Some(size) = ports.block else { return };
        let block = |external: SocketAddr| (external.ip(), (external.port() - PORTS.0) / size);
        for row in &rows {
            let last = PORTS.0 + (block(row.external).1 + 1) * size - 1;
            assert!(last <= PORTS.1, "INV-12: {row:?} is in a block that is cut short");
            let others = rows.iter().filter(|other| block(other.external) == block(row.external));
            let here = self.left.iter().filter(|(external, _)| block(**external) == block(row.external));
            let resting = here.filter(|(_, (ended, _))| *ended + ports.quarantine > self.lab.now);
            let mut hosts =
                others.map(|other| other.internal.ip()).chain(resting.map(|(_, (_, host))| *host));
            assert!(hosts.all(|host| host == row.internal.ip()), "INV-12: two hosts share a block: {rows:?}");
        }
    }

    fn check_pair(&self, a: &MappingRow, b: &MappingRow, shares: bool) {
        if a.external == b.external {
            assert!(shares && a.internal != b.internal, "INV-07: {a:?} and {b:?}");
            let (to_a, to_b) = (self.sent.get(&identity(a)), self.sent.get(&identity(b)));
            let both = to_a.into_iter().flatten().find(|remote| to_b.is_some_and(|b| b.contains(remote)));
            assert_eq!(both, None, "INV-07: {a:?} and {b:?} share a remote");
        }
        // Only where a 5-tuple can be taken does an internal endpoint need a second mapping.
        if !shares && self.behavior.unsolicited != Unsolicited::Accept {
            assert!(a.internal != b.internal || a.for_remote != b.for_remote, "INV-08: {a:?} and {b:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_nat_keeps_its_promises(
        behavior in any_behavior(),
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let mut observer = Observer::new(behavior);
        for step in &steps {
            observer.watch(step);
        }
    }
}
