//! PCP requests and what the NAT answers (RFC 6887 §8.3, §11.3).

use std::net::{IpAddr, SocketAddr};

use super::{Denied, Wanted};
use crate::base::{SimDuration, SimTime};
use crate::device::Outbox;
use crate::device::nat::Nat;
use crate::device::nat::key::EndpointKey;
use crate::device::nat::mapping::Grant;
use crate::wire::port_mapping::pcp::{Asked, Map, Request, Response, ResultCode, Unreadable, protocol_of};

/// The lifetimes that are granted, in seconds (§15).
const SHORTEST: u32 = 120;
const LONGEST: u32 = 86_400;
/// For how long an error holds that may be gone soon, and one that is there to stay, in seconds (§7.4).
const SOON: u32 = 30;
const LATER: u32 = 1_800;

impl Nat {
    /// The answer to a datagram of `client`, if it is worth one.
    pub(super) fn answer_pcp(
        &mut self,
        now: SimTime,
        client: IpAddr,
        payload: &[u8],
        out: &mut Outbox,
    ) -> Option<Vec<u8>> {
        let (result, lifetime, asked) = match Request::read(payload) {
            Ok(request) if request.client != client => (ResultCode::AddressMismatch, LATER, request.asked),
            Ok(Request { lifetime, asked: Asked::Map(map), .. }) => {
                self.map_by_pcp(now, client, lifetime, map, out)
            }
            Ok(Request { asked: Asked::Announce, .. }) => (ResultCode::Success, 0, Asked::Announce),
            Ok(Request { asked, .. }) => (ResultCode::UnsupportedOpcode, LATER, asked),
            Err(Unreadable::Refused(result, opcode)) => (result, LATER, Asked::Other(opcode)),
            Err(Unreadable::Ignored) => return None,
        };
        Some(Response { result, lifetime, epoch: self.epoch(now), asked }.to_bytes())
    }

    fn map_by_pcp(
        &mut self,
        now: SimTime,
        client: IpAddr,
        lifetime: u32,
        map: Map,
        out: &mut Outbox,
    ) -> (ResultCode, u32, Asked) {
        let answer = |result, lifetime, map| (result, lifetime, Asked::Map(map));
        let Some(protocol) = protocol_of(map.protocol) else {
            return answer(ResultCode::UnsupportedProtocol, LATER, map);
        };
        let internal = EndpointKey { protocol, address: SocketAddr::new(client, map.internal_port) };
        let grant = Grant { nonce: Some(map.nonce) };
        if lifetime == 0 {
            return match self.withdraw(now, internal, grant, out) {
                Ok(()) => answer(ResultCode::Success, 0, map),
                Err(denied) => answer(code_of(denied), LATER, map),
            };
        }
        // All ports of a host at once: only a NAT with an address for each host could do that (§11.1).
        if map.internal_port == 0 {
            return answer(ResultCode::UnsupportedProtocol, LATER, map);
        }
        let granted = lifetime.clamp(SHORTEST, LONGEST);
        let lifetime = SimDuration::from_secs(granted.into());
        match self.grant(now, Wanted { internal, suggested_port: map.external_port, lifetime, grant }, out) {
            Ok(external) => {
                let map = Map { external_port: external.port(), external: external.ip(), ..map };
                answer(ResultCode::Success, granted, map)
            }
            Err(Denied::NotAuthorized) => answer(ResultCode::NotAuthorized, LATER, map),
            Err(denied) => answer(code_of(denied), SOON, map),
        }
    }
}

fn code_of(denied: Denied) -> ResultCode {
    match denied {
        Denied::Resources => ResultCode::NoResources,
        Denied::Quota => ResultCode::UserExceededQuota,
        Denied::NotAuthorized => ResultCode::NotAuthorized,
    }
}
