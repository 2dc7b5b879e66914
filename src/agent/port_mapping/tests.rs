//! Leases over hours, against a NAT that is scripted.

use std::net::{Ipv4Addr, SocketAddr};

use super::*;
use crate::agent::AgentConfig;
use crate::agent::world::{ALICE, config};
use crate::plan::Protocol;

const GATEWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 254));
const EXTERNAL: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

/// A client with a NAT that answers at once, unless it is silent.
struct Lab {
    now: SimTime,
    mapper: PortMapper,
    out: VecDeque<Output>,
    nat: Nat,
    /// When requests were sent, in seconds, and what they were called.
    requests: Vec<(u64, String)>,
    mapped: Vec<(u64, Mapped)>,
}

struct Nat {
    speaks: Speaks,
    silent: bool,
    started: SimTime,
    external: Ipv4Addr,
    refuses: bool,
}

impl Lab {
    fn new(speaks: Speaks, sockets: &[&str]) -> Self {
        let sockets: Vec<SocketAddr> = sockets.iter().map(|text| text.parse().expect("a socket")).collect();
        let port_mapping = ["10.0.0.1", "2001:db8::1"].map(|own| (own.parse().expect("an address"), GATEWAY));
        let port_mapping = port_mapping.into();
        let config = AgentConfig { port_mapping, sockets, ..config(ALICE) };
        let mut mappers = PortMappers::new(&config, SimTime::ZERO, SimDuration::from_millis(50));
        let nat = Nat { speaks, silent: false, started: SimTime::ZERO, external: EXTERNAL, refuses: false };
        Self {
            now: SimTime::ZERO,
            mapper: mappers.0.remove(0),
            out: VecDeque::new(),
            nat,
            requests: Vec::new(),
            mapped: Vec::new(),
        }
    }

    fn run_until(&mut self, seconds: u64) {
        let end = SimTime::from_millis(1_000 * seconds);
        while let Some(due) = self.mapper.due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.mapper.step(self.now, &mut self.out);
            self.answer_all();
        }
        self.now = end;
    }

    fn seconds(&self) -> u64 {
        self.now.as_nanos() / 1_000_000_000
    }

    fn answer_all(&mut self) {
        while let Some(at) = self.out.iter().position(|output| matches!(output, Output::Transmit { .. })) {
            let Some(Output::Transmit { from, to, payload }) = self.out.remove(at) else { return };
            let flow = crate::wire::Flow::new(from, to);
            let name = crate::wire::port_mapping::describe(&flow, &payload).expect("a request");
            self.requests.push((self.seconds(), name));
            if self.nat.silent {
                continue;
            }
            let answer = self.nat.answer(self.now, &payload);
            assert!(self.mapper.is_way_of(from, to));
            if let Some(mapped) = self.mapper.take(self.now, from, &answer, &mut self.out) {
                self.mapped.push((self.seconds(), mapped));
            }
        }
    }

    fn troubles(&self) -> Vec<&str> {
        let troubles = self.out.iter().filter_map(|output| match output {
            Output::Trouble(trouble) => Some(trouble.as_str()),
            _ => None,
        });
        troubles.collect()
    }

    fn request_times(&self) -> Vec<u64> {
        self.requests.iter().map(|(at, _)| *at).collect()
    }
}

impl Nat {
    /// Every port is mapped to itself plus 10,000.
    fn answer(&self, now: SimTime, payload: &[u8]) -> Vec<u8> {
        let epoch = (now.since(self.started).as_nanos() / 1_000_000_000) as u32;
        match self.speaks {
            Speaks::Pcp => match pcp::Request::parse(payload) {
                Some(pcp::Request { lifetime, asked: pcp::Asked::Map(map), .. }) => {
                    let result =
                        if self.refuses { pcp::ResultCode::NoResources } else { pcp::ResultCode::Success };
                    let (external, external_port) = (self.external.into(), map.internal_port + 10_000);
                    let asked = pcp::Asked::Map(pcp::Map { external, external_port, ..map });
                    pcp::Response { result, lifetime, epoch, asked }.to_bytes()
                }
                _ => {
                    let (result, asked) = (pcp::ResultCode::UnsupportedVersion, pcp::Asked::Other(0));
                    pcp::Response { result, lifetime: 0, epoch, asked }.to_bytes()
                }
            },
            Speaks::NatPmp => {
                let (result, answer) = match nat_pmp::Request::parse(payload) {
                    Some(nat_pmp::Request::ExternalAddress) => {
                        (nat_pmp::ResultCode::Success, nat_pmp::Answer::ExternalAddress(self.external))
                    }
                    Some(nat_pmp::Request::Map(nat_pmp::Map { internal_port, lifetime, .. })) => {
                        let (protocol, external_port) = (Protocol::Udp, internal_port + 10_000);
                        let answer =
                            nat_pmp::Answer::Mapped { protocol, internal_port, external_port, lifetime };
                        (nat_pmp::ResultCode::Success, answer)
                    }
                    None => (nat_pmp::ResultCode::UnsupportedVersion, nat_pmp::Answer::NotUnderstood(0)),
                };
                nat_pmp::Response { result, epoch, answer }.to_bytes()
            }
        }
    }
}

fn mapped(base: &str, external: &str) -> Mapped {
    let parse = |text: &str| -> SocketAddr { text.parse().expect("an address") };
    Mapped { base: parse(base), external: parse(external) }
}

#[test]
fn pcp_is_spoken_first_and_one_answer_is_enough() {
    let mut lab = Lab::new(Speaks::Pcp, &["10.0.0.1:5000"]);
    assert!(!lab.mapper.has_ended());
    lab.run_until(1);
    assert_eq!(lab.requests, [(0, "PCP MAP request udp 5000".to_owned())]);
    assert_eq!(lab.mapped, [(0, mapped("10.0.0.1:5000", "203.0.113.1:15000"))]);
    assert!(lab.mapper.has_ended());
}

#[test]
fn a_nat_that_knows_only_nat_pmp_is_asked_by_nat_pmp() {
    let mut lab = Lab::new(Speaks::NatPmp, &["10.0.0.1:5000"]);
    lab.run_until(1);
    let names: Vec<_> = lab.requests.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(
        names,
        ["PCP MAP request udp 5000", "NAT-PMP external address request", "NAT-PMP map udp 5000"]
    );
    assert_eq!(lab.mapped, [(0, mapped("10.0.0.1:5000", "203.0.113.1:15000"))]);
}

#[test]
fn a_mapping_is_renewed_at_half_its_lifetime_for_as_long_as_it_takes() {
    for speaks in [Speaks::Pcp, Speaks::NatPmp] {
        let mut lab = Lab::new(speaks, &["10.0.0.1:5000"]);
        lab.run_until(1);
        let first = lab.requests.len();
        lab.run_until(86_400);
        let renewals: Vec<_> = (1..=24).map(|hour| 3_600 * hour).collect();
        assert_eq!(lab.request_times()[first..], renewals, "{speaks:?}");
        assert_eq!(lab.mapped.len(), 1, "it stays the same");
        assert_eq!(lab.troubles(), [""; 0]);
    }
}

#[test]
fn a_renewal_that_is_not_answered_is_repeated_ever_sooner_until_the_mapping_is_gone() {
    let mut lab = Lab::new(Speaks::Pcp, &["10.0.0.1:5000"]);
    lab.run_until(1);
    lab.nat.silent = true;
    lab.run_until(7_200);
    let times = lab.request_times();
    assert_eq!(times[1..5], [3_600, 5_400, 6_300, 6_750]);
    assert!(times[1..].windows(2).all(|pair| pair[1] - pair[0] >= 3), "{times:?}");
    assert_eq!(times.last(), Some(&7_200), "it is asked for anew");
    assert_eq!(lab.troubles(), [""; 0]);

    lab.run_until(7_240);
    assert_eq!(lab.troubles(), ["port mapping by 10.0.0.254: no answer"]);
}

#[test]
fn a_nat_that_never_answers_is_given_up_after_39_5_seconds() {
    let mut lab = Lab::new(Speaks::Pcp, &["10.0.0.1:5000"]);
    lab.nat.silent = true;
    lab.run_until(39);
    assert_eq!(lab.request_times(), [0, 3, 9, 21]);
    assert!(!lab.mapper.has_ended());
    lab.run_until(40);
    assert!(lab.mapper.has_ended());
    assert_eq!(lab.troubles(), ["port mapping by 10.0.0.254: no answer"]);
}

#[test]
fn a_refusal_is_trouble_and_the_end() {
    let mut lab = Lab::new(Speaks::Pcp, &["10.0.0.1:5000"]);
    lab.nat.refuses = true;
    lab.run_until(3_600);
    assert!(lab.mapper.has_ended());
    assert_eq!(lab.requests.len(), 1);
    assert_eq!(lab.troubles(), ["port mapping by 10.0.0.254: NO_RESOURCES"]);
}

#[test]
fn a_nat_that_has_forgotten_everything_is_asked_for_every_mapping_again() {
    let mut lab = Lab::new(Speaks::Pcp, &["10.0.0.1:5000", "10.0.0.1:6000"]);
    lab.run_until(1_000);
    assert_eq!(lab.requests.len(), 2);

    lab.nat.started = lab.now;
    lab.run_until(3_600);

    // One renewal is answered with a new epoch; the other would have been due 50 ms later.
    assert_eq!(lab.request_times()[2..], [3_600, 3_600]);
    lab.run_until(3_601);
    assert_eq!(lab.requests.len(), 4, "that was its renewal");
}

#[test]
fn an_announcement_of_a_new_epoch_is_enough_to_ask_again() {
    for speaks in [Speaks::Pcp, Speaks::NatPmp] {
        let mut lab = Lab::new(speaks, &["10.0.0.1:5000"]);
        lab.run_until(1_000);
        lab.requests.clear();
        for (epoch, asks) in [(1_000, false), (0, true)] {
            let announced = match speaks {
                Speaks::Pcp => {
                    let (result, asked) = (pcp::ResultCode::Success, pcp::Asked::Announce);
                    pcp::Response { result, lifetime: 0, epoch, asked }.to_bytes()
                }
                Speaks::NatPmp => {
                    let (result, answer) =
                        (nat_pmp::ResultCode::Success, nat_pmp::Answer::ExternalAddress(EXTERNAL));
                    nat_pmp::Response { result, epoch, answer }.to_bytes()
                }
            };
            lab.nat.started = SimTime::from_millis(1_000 * (1_000 - u64::from(epoch)));
            assert!(lab.mapper.is_way_of(ANNOUNCED_AT, SocketAddr::new(GATEWAY, SERVER_PORT)));
            assert_eq!(lab.mapper.take(lab.now, ANNOUNCED_AT, &announced, &mut lab.out), None);
            lab.run_until(1_000);
            assert_eq!(!lab.requests.is_empty(), asks, "{speaks:?}, epoch {epoch}");
        }
    }
}

#[test]
fn with_nat_pmp_the_address_is_asked_again_after_a_reboot() {
    let mut lab = Lab::new(Speaks::NatPmp, &["10.0.0.1:5000"]);
    lab.run_until(1_000);
    lab.nat.started = lab.now;
    lab.nat.external = Ipv4Addr::new(203, 0, 113, 9);
    lab.run_until(3_600);
    let renumbered = (3_600, mapped("10.0.0.1:5000", "203.0.113.9:15000"));
    assert_eq!(lab.mapped.last(), Some(&renumbered));
}

#[test]
fn a_nat_that_takes_to_the_other_protocol_is_followed() {
    for (before, after) in [(Speaks::Pcp, Speaks::NatPmp), (Speaks::NatPmp, Speaks::Pcp)] {
        let mut lab = Lab::new(before, &["10.0.0.1:5000"]);
        lab.run_until(100);
        lab.nat.speaks = after;
        lab.run_until(3_700);
        let (at, name) = lab.requests.last().expect("a request");
        assert_eq!((*at, name.starts_with("PCP")), (3_600, after == Speaks::Pcp));
        assert_eq!(lab.mapped.len(), 1);
    }
}

#[test]
fn an_answer_to_somebody_elses_request_is_none_of_ours() {
    let mut lab = Lab::new(Speaks::Pcp, &["10.0.0.1:5000"]);
    let map = pcp::Map {
        nonce: [9; 12],
        protocol: 17,
        internal_port: 5_000,
        external_port: 15_000,
        external: EXTERNAL.into(),
    };
    let (result, asked) = (pcp::ResultCode::Success, pcp::Asked::Map(map));
    let forged = pcp::Response { result, lifetime: 7_200, epoch: 0, asked }.to_bytes();
    let socket = "10.0.0.1:5000".parse().expect("a socket");
    assert_eq!(lab.mapper.take(lab.now, socket, &forged, &mut lab.out), None);
    assert!(!lab.mapper.has_ended());
}

#[test]
fn ipv6_sockets_are_not_asked_for() {
    let lab = Lab::new(Speaks::Pcp, &["10.0.0.1:5000", "[2001:db8::1]:5000"]);
    assert_eq!(lab.mapper.leases.len(), 1);
}

/// The sockets that ask at their time, and whom.
fn asked(mappers: &mut PortMappers) -> Vec<(String, String)> {
    let mut out = VecDeque::new();
    mappers.step(SimTime::from_millis(100), &mut out);
    let requests = out.into_iter().filter_map(|output| match output {
        Output::Transmit { from, to, .. } => Some((from.to_string(), to.to_string())),
        _ => None,
    });
    requests.collect()
}

fn two_interfaces() -> PortMappers {
    let address = |text: &str| text.parse().expect("an address");
    let sockets = ["10.0.0.1:5000", "10.0.9.1:6000", "192.0.2.7:7000"];
    let config = AgentConfig {
        port_mapping: vec![(address("10.0.0.1"), GATEWAY), (address("10.0.9.1"), address("10.0.9.254"))],
        sockets: sockets.iter().map(|text| text.parse().expect("a socket")).collect(),
        ..config(ALICE)
    };
    PortMappers::new(&config, SimTime::ZERO, SimDuration::from_millis(50))
}

#[test]
fn each_socket_asks_the_nat_of_its_interface() {
    let mut mappers = two_interfaces();
    assert_eq!(mappers.len(), 2);
    let pairs = [("10.0.0.1:5000", "10.0.0.254:5351"), ("10.0.9.1:6000", "10.0.9.254:5351")];
    assert_eq!(asked(&mut mappers), pairs.map(|(from, to)| (from.to_owned(), to.to_owned())));
}

#[test]
fn for_a_lost_socket_nothing_more_is_asked() {
    let mut mappers = two_interfaces();
    mappers.lose_base("10.0.0.1:5000".parse().expect("a socket"));
    assert_eq!(asked(&mut mappers), [("10.0.9.1:6000".to_owned(), "10.0.9.254:5351".to_owned())]);
    mappers.lose_base("10.0.9.1:6000".parse().expect("a socket"));
    assert_eq!((mappers.due(), mappers.have_ended()), (None, true));
}
