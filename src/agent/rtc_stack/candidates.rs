//! Candidates as rtc wants them, and as it tells them.

use std::net::SocketAddr;

use rtc_ice::candidate::candidate_host::CandidateHostConfig;
use rtc_ice::candidate::candidate_peer_reflexive::CandidatePeerReflexiveConfig;
use rtc_ice::candidate::candidate_relay::CandidateRelayConfig;
use rtc_ice::candidate::candidate_server_reflexive::CandidateServerReflexiveConfig;
use rtc_ice::candidate::{Candidate as RtcCandidate, CandidateConfig, CandidateType as RtcType};

use super::super::gatherer::highest;
use crate::plan::{CandidateType, Transport};
use crate::wire::{Candidate, PairEnd};

/// Our candidate of this kind; `None` for an address rtc refuses. `base` is where a reflexive one sends from, and
/// `transport` what the server it was found through is spoken to over.
pub(super) fn local(
    kind: CandidateType,
    address: SocketAddr,
    base: SocketAddr,
    transport: Transport,
) -> Option<RtcCandidate> {
    let base = (kind == CandidateType::ServerReflexive).then_some(base);
    let mut config = common(address);
    if transport != Transport::Udp {
        // rtc ranks all relays alike. What it has no number for it takes from its user.
        config.priority = Candidate::priority_of(Candidate::type_preference(kind), highest(transport));
    }
    make(kind, base, config)
}

/// The peer's candidate as it was signalled; `None` for one rtc refuses.
pub(super) fn remote(candidate: &Candidate) -> Option<RtcCandidate> {
    let mut config = common(candidate.address);
    config.priority = candidate.priority;
    config.foundation.clone_from(&candidate.foundation);
    make(candidate.kind, candidate.related, config)
}

/// What rtc says of its own candidate, with `related` for `raddr` and `rport`.
pub(super) fn described(candidate: &RtcCandidate, related: Option<SocketAddr>) -> Candidate {
    let PairEnd { kind, address, .. } = end(candidate);
    Candidate {
        foundation: candidate.foundation(),
        priority: candidate.priority(),
        address,
        name: None,
        kind,
        related,
    }
}

/// One end of a pair in rtc's words.
pub(super) fn end(candidate: &RtcCandidate) -> PairEnd {
    let kind = match candidate.candidate_type() {
        RtcType::ServerReflexive => CandidateType::ServerReflexive,
        RtcType::PeerReflexive => CandidateType::PeerReflexive,
        RtcType::Relay => CandidateType::Relayed,
        _ => CandidateType::Host,
    };
    PairEnd { kind, address: candidate.addr(), relay: None }
}

fn common(address: SocketAddr) -> CandidateConfig {
    CandidateConfig {
        // rtc would draw a random one.
        candidate_id: address.to_string(),
        network: "udp".to_owned(),
        address: address.ip().to_string(),
        port: address.port(),
        component: 1,
        ..CandidateConfig::default()
    }
}

fn make(
    kind: CandidateType,
    related: Option<SocketAddr>,
    base_config: CandidateConfig,
) -> Option<RtcCandidate> {
    let rel_addr = related.map(|related| related.ip().to_string()).unwrap_or_default();
    let rel_port = related.map_or(0, |related| related.port());
    match kind {
        CandidateType::Host => {
            CandidateHostConfig { base_config, ..CandidateHostConfig::default() }.new_candidate_host()
        }
        CandidateType::ServerReflexive => {
            CandidateServerReflexiveConfig { base_config, rel_addr, rel_port, url: None }
                .new_candidate_server_reflexive()
        }
        CandidateType::PeerReflexive => {
            CandidatePeerReflexiveConfig { base_config, rel_addr, rel_port }.new_candidate_peer_reflexive()
        }
        CandidateType::Relayed => {
            CandidateRelayConfig { base_config, rel_addr, rel_port, url: None }.new_candidate_relay()
        }
    }
    .ok()
}
