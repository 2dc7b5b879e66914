//! The mapping of one socket: asked for, held, renewed.

use std::net::{Ipv4Addr, SocketAddr};

use super::Speaks;
use crate::base::{SimDuration, SimTime};
use crate::plan::Protocol;
use crate::wire::port_mapping::{nat_pmp, pcp};

/// The lifetime that is asked for, in seconds: the one RFC 6886 §3.3 recommends.
const LIFETIME: u32 = 7_200;
/// How long the first answer is waited for: as long as that of a STUN server. The RFCs know no haste; a call does.
const PATIENCE: SimDuration = SimDuration::from_millis(39_500);
/// The first wait for an answer, which doubles each time: RFC 6886 §3.1, and RFC 6887 §8.1.1 without its random tenth.
const NAT_PMP_WAIT: SimDuration = SimDuration::from_millis(250);
const PCP_WAIT: SimDuration = SimDuration::from_secs(3);
/// Renewals that are not answered come no closer to each other (RFC 6887 §11.2.1).
const RENEWAL_FLOOR: SimDuration = SimDuration::from_secs(4);

/// What we have, or want, of the NAT for one socket.
#[derive(Debug)]
pub(super) struct Lease {
    base: SocketAddr,
    /// Our number for the mapping, in PCP.
    nonce: pcp::Nonce,
    /// The endpoint we had last: wished for again.
    external: Option<SocketAddr>,
    state: State,
}

#[derive(Debug)]
enum State {
    Asking {
        since: SimTime,
        sent: u32,
        due: SimTime,
    },
    Held {
        expires: SimTime,
        renew_at: SimTime,
    },
    /// We were refused, or not answered.
    Ended,
}

/// What a lease wants at a given time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet.
    Wait,
    /// Ask the NAT, for the first time or again.
    Ask,
    /// Nothing more: it was never answered.
    Fail,
}

impl Lease {
    /// A mapping of `base` that is first asked for at `start`.
    pub(super) fn new(base: SocketAddr, nonce: pcp::Nonce, start: SimTime) -> Self {
        Self { base, nonce, external: None, state: asking(start) }
    }

    /// The socket.
    pub(super) fn base(&self) -> SocketAddr {
        self.base
    }

    /// True once there has been a mapping, or is known never to be one.
    pub(super) fn is_known(&self) -> bool {
        self.external.is_some() || matches!(self.state, State::Ended)
    }

    /// True if a message is about this mapping.
    pub(super) fn is_about(&self, map: &pcp::Map) -> bool {
        (map.nonce, map.internal_port, map.protocol) == (self.nonce, self.base.port(), UDP)
    }

    /// Asks at `now`, with the whole patience; nothing brings an ended one back.
    pub(super) fn ask(&mut self, now: SimTime) {
        if !matches!(self.state, State::Ended) {
            self.state = asking(now);
        }
    }

    /// The NAT told what has to be known before a mapping can be asked for.
    pub(super) fn go_on(&mut self, now: SimTime) {
        if matches!(self.state, State::Asking { .. }) {
            self.state = asking(now);
        }
    }

    /// We were refused.
    pub(super) fn end(&mut self) {
        self.state = State::Ended;
    }

    /// The NAT promised this. True if it is another endpoint than before.
    pub(super) fn hold(&mut self, now: SimTime, external: SocketAddr, lifetime: SimDuration) -> bool {
        self.state = State::Held { expires: now + lifetime, renew_at: now + half(lifetime) };
        self.external.replace(external) != Some(external)
    }

    /// When it wants [`Lease::step`].
    pub(super) fn due(&self) -> Option<SimTime> {
        match self.state {
            State::Asking { due, .. } => Some(due),
            State::Held { renew_at, .. } => Some(renew_at),
            State::Ended => None,
        }
    }

    /// What to do at `now`.
    pub(super) fn step(&mut self, now: SimTime, speaks: Speaks) -> Step {
        if self.due().is_none_or(|due| now < due) {
            return Step::Wait;
        }
        if let State::Held { expires, .. } = self.state
            && expires <= now
        {
            self.state = asking(now);
        }
        match &mut self.state {
            State::Asking { since, .. } if *since + PATIENCE <= now => {
                self.state = State::Ended;
                return Step::Fail;
            }
            State::Asking { since, sent, due } => {
                let wait = match speaks {
                    Speaks::NatPmp => NAT_PMP_WAIT,
                    Speaks::Pcp => PCP_WAIT,
                };
                *due = (now + wait.times(1 << *sent)).min(*since + PATIENCE);
                *sent += 1;
            }
            State::Held { expires, renew_at } => {
                *renew_at = (now + half(expires.since(now)).max(RENEWAL_FLOOR)).min(*expires);
            }
            State::Ended => return Step::Wait,
        }
        Step::Ask
    }

    /// What is asked next. With NAT-PMP the NAT's address comes first, unless it is known to be `external`.
    pub(super) fn request(&self, speaks: Speaks, external: Option<Ipv4Addr>) -> Vec<u8> {
        let (internal_port, suggested_port) =
            (self.base.port(), self.external.map_or(0, |external| external.port()));
        match (speaks, external) {
            (Speaks::NatPmp, None) => nat_pmp::Request::ExternalAddress.to_bytes(),
            (Speaks::NatPmp, Some(_)) => {
                let (protocol, lifetime) = (Protocol::Udp, LIFETIME);
                let map = nat_pmp::Map { protocol, internal_port, suggested_port, lifetime };
                nat_pmp::Request::Map(map).to_bytes()
            }
            (Speaks::Pcp, _) => {
                let map = pcp::Map {
                    nonce: self.nonce,
                    protocol: UDP,
                    internal_port,
                    external_port: suggested_port,
                    external: self.external.map_or(pcp::ANY_IPV4, |external| external.ip()),
                };
                let (client, asked) = (self.base.ip(), pcp::Asked::Map(map));
                pcp::Request { lifetime: LIFETIME, client, asked }.to_bytes()
            }
        }
    }
}

/// UDP's number in IP headers.
const UDP: u8 = 17;

fn asking(start: SimTime) -> State {
    State::Asking { since: start, sent: 0, due: start }
}

fn half(duration: SimDuration) -> SimDuration {
    SimDuration::from_nanos(duration.as_nanos() / 2)
}
