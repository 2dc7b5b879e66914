//! Mappings that hosts ask for (RFC 6886, RFC 6887).

use super::*;
use crate::base::PortRange;
use crate::plan::{FilterScope, PortAssignment, PortMapping, Protocol};
use crate::wire::port_mapping::{ANNOUNCED_AT, SERVER_PORT, nat_pmp, pcp};

const NONCE: pcp::Nonce = [7; 12];

/// A NAT that speaks PCP.
fn pcp_lab(behavior: NatBehavior) -> Lab {
    Lab::new(NatBehavior { port_mapping: PortMapping::Pcp, ..behavior })
}

fn nat_pmp_lab(behavior: NatBehavior) -> Lab {
    Lab::new(NatBehavior { port_mapping: PortMapping::NatPmp, ..behavior })
}

fn symmetric() -> NatBehavior {
    let mut behavior =
        behavior(MappingBehavior::AddressAndPortDependent, FilteringBehavior::AddressAndPortDependent);
    behavior.ports.assignment = PortAssignment::Random;
    behavior
}

impl Lab {
    /// A datagram from a host to the NAT itself, and what it answers.
    fn ask(&mut self, from: &str, payload: Vec<u8>) -> Option<Vec<u8>> {
        let flow = Flow::new(at(from), at("10.0.0.1:5351"));
        let mut packet = Packet::udp(flow, payload);
        self.out.packets.clear();
        assert_eq!(self.handle(port_of(at(from)), &mut packet), Verdict::Deliver);
        let answer = self.out.packets.iter().find(|emitted| emitted.packet.flow == flow.reversed())?;
        assert_eq!(answer.port, port_of(at(from)));
        Some(answer.packet.body.payload().to_vec())
    }

    /// Asks for a mapping by PCP.
    fn pcp(&mut self, from: &str, lifetime: u32, suggested_port: u16, nonce: pcp::Nonce) -> pcp::Response {
        let internal = at(from);
        let map = pcp::Map {
            nonce,
            protocol: 17,
            internal_port: internal.port(),
            external_port: suggested_port,
            external: pcp::ANY_IPV4,
        };
        let request = pcp::Request { lifetime, client: internal.ip(), asked: pcp::Asked::Map(map) };
        let answer = self.ask(from, request.to_bytes()).expect("an answer");
        pcp::Response::parse(&answer).expect("a PCP response")
    }

    /// The external endpoint that PCP grants for two hours.
    fn granted(&mut self, from: &str) -> SocketAddr {
        let response = self.pcp(from, 7_200, 0, NONCE);
        assert_eq!((response.result, response.lifetime), (pcp::ResultCode::Success, 7_200));
        external(&response)
    }

    fn nat_pmp(&mut self, from: &str, lifetime: u32) -> nat_pmp::Response {
        let map = nat_pmp::Map {
            protocol: Protocol::Udp,
            internal_port: at(from).port(),
            suggested_port: 0,
            lifetime,
        };
        let answer = self.ask(from, nat_pmp::Request::Map(map).to_bytes()).expect("an answer");
        nat_pmp::Response::parse(&answer).expect("a NAT-PMP response")
    }
}

fn external(response: &pcp::Response) -> SocketAddr {
    let pcp::Asked::Map(map) = response.asked else { panic!("no mapping in {response:?}") };
    SocketAddr::new(map.external, map.external_port)
}

#[test]
fn a_granted_mapping_is_endpoint_independent_and_open_to_anybody_whatever_the_nat_does_else() {
    let mut lab = pcp_lab(symmetric());

    let external = lab.granted("10.0.0.2:5000");

    assert_eq!(lab.receive("192.0.2.9:9", external), Ok(at("10.0.0.2:5000")));
    assert_eq!(lab.sent("10.0.0.2:5000", "192.0.2.1:1000"), external);
    assert_eq!(lab.sent("10.0.0.2:5000", "192.0.2.2:2000"), external);
    assert_ne!(lab.sent("10.0.0.2:5001", "192.0.2.1:1000"), external);
}

#[test]
fn the_table_shows_a_granted_mapping_as_explicit_and_for_all() {
    let mut lab = pcp_lab(symmetric());
    let external = lab.granted("10.0.0.2:5000");

    let [row] = lab.rows().try_into().expect("one mapping");
    assert_eq!((row.external, row.explicit, row.for_remote, row.accepts), (external, true, None, None));
    assert_eq!(row.expires, lab.now + secs(7_200));
}

#[test]
fn traffic_neither_prolongs_a_granted_mapping_nor_cuts_it_short() {
    let mut lab = pcp_lab(port_restricted());
    let external = lab.granted("10.0.0.2:5000");

    lab.wait(secs(7_199));
    assert_eq!(lab.sent("10.0.0.2:5000", "192.0.2.1:1000"), external);
    assert_eq!(lab.receive("192.0.2.9:9", external), Ok(at("10.0.0.2:5000")));
    lab.wait(secs(1));
    assert_eq!(lab.refused("192.0.2.9:9", external), DropReason::NatExpired);
}

#[test]
fn asking_again_prolongs_it() {
    let mut lab = pcp_lab(symmetric());
    let external = lab.granted("10.0.0.2:5000");
    for _ in 0..48 {
        lab.wait(secs(3_600));
        assert_eq!(lab.granted("10.0.0.2:5000"), external);
    }
    assert_eq!(lab.rows().len(), 1);
}

#[test]
fn a_mapping_that_a_packet_made_for_all_remotes_becomes_the_hosts() {
    let mut lab = pcp_lab(port_restricted());
    let external = lab.sent("10.0.0.2:5000", "192.0.2.1:1000");
    assert_eq!(lab.refused("192.0.2.9:9", external), DropReason::NatFiltered);

    assert_eq!(lab.granted("10.0.0.2:5000"), external);

    assert_eq!(lab.receive("192.0.2.9:9", external), Ok(at("10.0.0.2:5000")));
    assert_eq!(lab.rows().len(), 1);
}

#[test]
fn a_mapping_for_one_remote_stays_beside_it_and_serves_its_flow() {
    let mut lab = pcp_lab(symmetric());
    let first = lab.sent("10.0.0.2:5000", "192.0.2.1:1000");

    let external = lab.granted("10.0.0.2:5000");

    assert_ne!(external, first);
    assert_eq!(lab.sent("10.0.0.2:5000", "192.0.2.1:1000"), first);
    assert_eq!(lab.sent("10.0.0.2:5000", "192.0.2.2:2000"), external);
}

#[test]
fn a_filter_that_belongs_to_the_endpoint_is_open_through_the_granted_mapping_only() {
    let mut lab = pcp_lab(NatBehavior { filter_scope: FilterScope::Endpoint, ..symmetric() });
    let first = lab.sent("10.0.0.2:5000", "192.0.2.1:1000");
    let external = lab.granted("10.0.0.2:5000");

    assert_eq!(lab.receive("192.0.2.9:9", external), Ok(at("10.0.0.2:5000")));
    assert_eq!(lab.refused("192.0.2.9:9", first), DropReason::NatFiltered);
}

#[test]
fn the_suggested_port_is_given_if_it_is_free() {
    let mut lab = pcp_lab(symmetric());
    let ask = |lab: &mut Lab, from| external(&lab.pcp(from, 7_200, 40_000, NONCE)).port();

    assert_eq!(ask(&mut lab, "10.0.0.2:5000"), 40_000);
    assert_ne!(ask(&mut lab, "10.0.0.3:5000"), 40_000);
}

#[test]
fn nobody_shares_a_granted_port_even_where_ports_are_overloaded() {
    let mut behavior = symmetric();
    behavior.ports.assignment = PortAssignment::Overloading;
    let mut lab = pcp_lab(behavior);
    let external = lab.granted("10.0.0.2:5000");
    assert_eq!(external.port(), 5_000);

    assert_ne!(lab.sent("10.0.0.3:5000", "192.0.2.1:1000"), external);
}

#[test]
fn what_is_asked_for_counts_against_the_quota_of_the_host() {
    let mut behavior = symmetric();
    behavior.ports.max_per_host = Some(2);
    let mut lab = pcp_lab(behavior);
    lab.sent("10.0.0.2:5000", "192.0.2.1:1000");
    lab.granted("10.0.0.2:6000");

    let refused = lab.pcp("10.0.0.2:7000", 7_200, 0, NONCE);

    assert_eq!(refused.result, pcp::ResultCode::UserExceededQuota);
    assert_eq!(
        lab.send("10.0.0.2:7000", "192.0.2.1:1000").expect_err("over quota").reason,
        DropReason::NatQuota
    );
    // What it has may be asked for again.
    lab.granted("10.0.0.2:6000");
}

#[test]
fn without_a_free_port_there_are_no_resources() {
    let mut behavior = symmetric();
    behavior.ports.range = PortRange::new(40_000, 40_000).expect("a range");
    let mut lab = pcp_lab(behavior);
    lab.granted("10.0.0.2:5000");

    assert_eq!(lab.pcp("10.0.0.3:5000", 7_200, 0, NONCE).result, pcp::ResultCode::NoResources);
}

#[test]
fn a_mapping_is_its_owners_whose_nonce_shows_it() {
    let mut lab = pcp_lab(symmetric());
    let external = lab.granted("10.0.0.2:5000");

    for lifetime in [7_200, 0] {
        let refused = lab.pcp("10.0.0.2:5000", lifetime, 0, [8; 12]);
        assert_eq!(refused.result, pcp::ResultCode::NotAuthorized);
    }
    assert_eq!(lab.receive("192.0.2.9:9", external), Ok(at("10.0.0.2:5000")));
}

#[test]
fn a_lifetime_of_zero_ends_the_mapping_at_once() {
    let mut lab = pcp_lab(symmetric());
    let external = lab.granted("10.0.0.2:5000");

    let response = lab.pcp("10.0.0.2:5000", 0, 0, NONCE);

    assert_eq!((response.result, response.lifetime), (pcp::ResultCode::Success, 0));
    assert_eq!(lab.rows(), []);
    assert_eq!(lab.refused("192.0.2.9:9", external), DropReason::NatExpired);
}

#[test]
fn a_host_may_give_back_all_that_it_asked_for() {
    let mut lab = nat_pmp_lab(symmetric());
    lab.nat_pmp("10.0.0.2:5000", 7_200);
    lab.nat_pmp("10.0.0.2:6000", 7_200);
    lab.nat_pmp("10.0.0.3:5000", 7_200);

    lab.nat_pmp("10.0.0.2:0", 0);

    let left: Vec<_> = lab.rows().iter().map(|row| row.internal).collect();
    assert_eq!(left, [at("10.0.0.3:5000")]);
}

#[test]
fn lifetimes_are_cut_to_what_the_rfcs_allow() {
    let mut lab = pcp_lab(symmetric());
    let granted = [1, 120, 7_200, u32::MAX].map(|asked| lab.pcp("10.0.0.2:5000", asked, 0, NONCE).lifetime);
    assert_eq!(granted, [120, 120, 7_200, 86_400]);

    let mut lab = nat_pmp_lab(symmetric());
    let granted = [1, 7_200, u32::MAX].map(|asked| match lab.nat_pmp("10.0.0.2:5000", asked).answer {
        nat_pmp::Answer::Mapped { lifetime, .. } => lifetime,
        other => panic!("unexpected {other:?}"),
    });
    assert_eq!(granted, [1, 7_200, 7_200]);
}

#[test]
fn nat_pmp_tells_the_address_and_the_mapping_each_for_itself() {
    let mut lab = nat_pmp_lab(symmetric());
    let answer = lab.ask("10.0.0.2:5000", nat_pmp::Request::ExternalAddress.to_bytes()).expect("an answer");
    let told = nat_pmp::Response::parse(&answer).expect("a response").answer;
    assert_eq!(told, nat_pmp::Answer::ExternalAddress("198.51.100.1".parse().expect("an address")));

    let nat_pmp::Answer::Mapped { external_port, .. } = lab.nat_pmp("10.0.0.2:5000", 7_200).answer else {
        panic!("no mapping")
    };
    let external = SocketAddr::new(ip(OUTSIDE), external_port);
    assert_eq!(lab.receive("192.0.2.9:9", external), Ok(at("10.0.0.2:5000")));
}

#[test]
fn the_other_protocol_is_answered_in_ones_own() {
    let mut lab = nat_pmp_lab(symmetric());
    let pcp = pcp::Request { lifetime: 0, client: ip("10.0.0.2"), asked: pcp::Asked::Announce };
    assert_eq!(lab.ask("10.0.0.2:9", pcp.to_bytes()).as_deref(), Some(&[0, 128, 0, 1, 0, 0, 0, 0][..]));

    let mut lab = pcp_lab(symmetric());
    let answer = lab.ask("10.0.0.2:9", vec![0, 0]).expect("an answer");
    let result = pcp::Response::parse(&answer).map(|response| response.result);
    assert_eq!(result, Some(pcp::ResultCode::UnsupportedVersion));
}

#[test]
fn a_request_that_was_translated_on_its_way_is_refused() {
    let mut lab = pcp_lab(symmetric());
    let request = pcp::Request { lifetime: 0, client: ip("10.9.9.9"), asked: pcp::Asked::Announce };
    let answer = lab.ask("10.0.0.2:9", request.to_bytes()).expect("an answer");
    let result = pcp::Response::parse(&answer).map(|response| response.result);
    assert_eq!(result, Some(pcp::ResultCode::AddressMismatch));
}

#[test]
fn a_reboot_ends_every_mapping_and_begins_a_new_epoch() {
    let mut lab = pcp_lab(symmetric());
    lab.wait(secs(100));
    let first = lab.pcp("10.0.0.2:5000", 7_200, 0, NONCE);
    assert_eq!(first.epoch, 100);

    lab.nat.reboot(lab.now, &mut lab.out);
    assert_eq!(lab.rows(), []);
    lab.wait(secs(5));

    let again = lab.pcp("10.0.0.2:5000", 7_200, external(&first).port(), NONCE);
    assert_eq!((again.epoch, external(&again)), (5, external(&first)));
}

#[test]
fn a_reboot_is_told_ten_times_to_everybody_inside_and_to_nobody_else() {
    for mut lab in [pcp_lab(symmetric()), nat_pmp_lab(symmetric())] {
        lab.nat.reboot(lab.now, &mut lab.out);
        let mut told_at = Vec::new();
        while let Some(at) = lab.nat.next_timeout() {
            lab.now = at;
            lab.nat.handle_timeout(at, &mut lab.out);
            let told = lab.out.packets.drain(..).map(|emitted| {
                assert_eq!(emitted.packet.flow, Flow::new(super::at("10.0.0.1:5351"), ANNOUNCED_AT));
                emitted.port
            });
            let ports: Vec<_> = told.collect();
            assert_eq!(ports, (1..=HOSTS).map(PortId::new).collect::<Vec<_>>());
            told_at.push(at.as_nanos() / 1_000_000);
        }
        assert_eq!(told_at, [0, 250, 750, 1_750, 3_750, 7_750, 15_750, 31_750, 63_750, 127_750]);
    }
}

#[test]
fn a_nat_that_offers_nothing_tells_nobody_that_it_has_rebooted() {
    let mut lab = Lab::new(symmetric());
    lab.nat.reboot(lab.now, &mut lab.out);
    assert_eq!((lab.nat.next_timeout(), lab.out.packets.len()), (None, 0));
}

#[test]
fn a_nat_that_offers_nothing_and_the_outside_of_one_that_does_answer_nothing() {
    let mut lab = Lab::new(symmetric());
    let mut packet = udp("10.0.0.2:9", "10.0.0.1:5351");
    let Verdict::Drop(drop) = lab.handle(PortId::new(1), &mut packet) else { panic!("it was taken") };
    assert_eq!(drop.reason, DropReason::HostPortClosed);

    let mut lab = pcp_lab(symmetric());
    let own = SocketAddr::new(ip(OUTSIDE), SERVER_PORT);
    assert_eq!(lab.refused("192.0.2.9:9", own), DropReason::NatNoMapping);
    assert!(lab.out.packets.is_empty());
}

#[test]
fn datagrams_of_any_length_are_taken() {
    for mut lab in [pcp_lab(symmetric()), nat_pmp_lab(symmetric())] {
        for version in 0..=3 {
            for len in 0..=128 {
                let mut bytes = vec![version; len];
                if let Some(opcode) = bytes.get_mut(1) {
                    *opcode = (len % 4) as u8;
                }
                let _ = lab.ask("10.0.0.2:9", bytes);
            }
        }
    }
}
