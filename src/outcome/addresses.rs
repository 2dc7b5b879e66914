//! The addresses of a side of a call.

use std::net::SocketAddr;

use crate::engine::SessionRun;
use crate::plan::CandidateType;

/// Those of its candidates of this kind.
pub fn addresses_of(side: &SessionRun, kind: CandidateType) -> impl Iterator<Item = SocketAddr> {
    side.local_candidates
        .iter()
        .filter(move |candidate| candidate.kind == kind)
        .map(|candidate| candidate.address)
}

/// What its server-reflexive candidates of this base tell of its address outside.
pub fn reflexive_of(side: &SessionRun, base: SocketAddr) -> impl Iterator<Item = SocketAddr> {
    let candidates = side.local_candidates.iter();
    candidates
        .filter(move |each| each.kind == CandidateType::ServerReflexive && each.related == Some(base))
        .map(|each| each.address)
}

/// The address of the socket that the settled pair uses, or else of the preferred one.
pub fn own_address(side: &SessionRun) -> String {
    let used = side.selections.last().map(|(_, pair)| pair.local.address);
    let socket =
        used.filter(|address| side.sockets.contains(address)).or(side.present_sockets().first().copied());
    socket.map(|socket| socket.to_string()).unwrap_or_default()
}
