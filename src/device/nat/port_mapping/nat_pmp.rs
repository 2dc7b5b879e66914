//! NAT-PMP requests and what the NAT answers (RFC 6886 §3).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{Denied, Wanted};
use crate::base::{SimDuration, SimTime};
use crate::device::Outbox;
use crate::device::nat::Nat;
use crate::device::nat::key::EndpointKey;
use crate::device::nat::mapping::Grant;
use crate::wire::port_mapping::nat_pmp::{Answer, Map, Request, Response, ResultCode, VERSION};

/// The longest lifetime that is granted, in seconds (§3.3).
const LONGEST: u32 = 7_200;

/// There is nothing in the protocol by which a host could be known again.
const ANYBODY: Grant = Grant { nonce: None };

impl Nat {
    /// The answer to a datagram of `client`, if it is worth one.
    pub(super) fn answer_nat_pmp(
        &mut self,
        now: SimTime,
        client: IpAddr,
        payload: &[u8],
        out: &mut Outbox,
    ) -> Option<Vec<u8>> {
        let epoch = self.epoch(now);
        let (result, answer) = match Request::parse(payload) {
            Some(Request::ExternalAddress) => self.tell_address(client),
            Some(Request::Map(map)) => self.map_by_nat_pmp(now, client, map, out),
            None => refuse(payload)?,
        };
        Some(Response { result, epoch, answer }.to_bytes())
    }

    fn tell_address(&mut self, client: IpAddr) -> (ResultCode, Answer) {
        match self.pool.told(client, &mut self.random) {
            Some(IpAddr::V4(address)) => (ResultCode::Success, Answer::ExternalAddress(address)),
            _ => (ResultCode::NetworkFailure, Answer::ExternalAddress(Ipv4Addr::UNSPECIFIED)),
        }
    }

    fn map_by_nat_pmp(
        &mut self,
        now: SimTime,
        client: IpAddr,
        map: Map,
        out: &mut Outbox,
    ) -> (ResultCode, Answer) {
        let Map { protocol, internal_port, suggested_port, lifetime } = map;
        let mapped =
            |external_port, lifetime| Answer::Mapped { protocol, internal_port, external_port, lifetime };
        let internal = EndpointKey { protocol, address: SocketAddr::new(client, internal_port) };
        if lifetime == 0 {
            let result =
                self.withdraw(now, internal, ANYBODY, out).map_or_else(code_of, |()| ResultCode::Success);
            return (result, mapped(0, 0));
        }
        if internal_port == 0 {
            return (ResultCode::NotAuthorized, mapped(0, 0));
        }
        let granted = lifetime.min(LONGEST);
        let lifetime = SimDuration::from_secs(granted.into());
        match self.grant(now, Wanted { internal, suggested_port, lifetime, grant: ANYBODY }, out) {
            Ok(external) => (ResultCode::Success, mapped(external.port(), granted)),
            Err(denied) => (code_of(denied), mapped(0, 0)),
        }
    }
}

/// NAT-PMP has one number for everything that has run out.
fn code_of(denied: Denied) -> ResultCode {
    match denied {
        Denied::Resources | Denied::Quota => ResultCode::OutOfResources,
        Denied::NotAuthorized => ResultCode::NotAuthorized,
    }
}

/// The bit of the opcode that makes a response.
const RESPONSE: u8 = 128;

/// §3.5: what is told of a datagram that is no request; nothing of a response, or of one that is too short.
fn refuse(payload: &[u8]) -> Option<(ResultCode, Answer)> {
    match *payload {
        [_, opcode, ..] if opcode >= RESPONSE => None,
        // A client learns from this that it is not PCP that is spoken here (RFC 6887 appendix A).
        [version, ..] if version != VERSION => {
            Some((ResultCode::UnsupportedVersion, Answer::NotUnderstood(0)))
        }
        [_, opcode, ..] if opcode > 2 => Some((ResultCode::UnsupportedOpcode, Answer::NotUnderstood(opcode))),
        _ => None,
    }
}
