//! Who can meet whom: hole punching with ICE's rules between all pairs of NATs, against the published 9 × 9
//! experiment of eduP2P (`test_suite/README.md`) and against the variants that RFC 4787 leaves open.

use super::*;
use crate::plan::{FilterScope, PortAssignment, ReplyMapping};

const SOCKET: &str = "10.0.0.2:5000";
const STUN_SERVER: &str = "192.0.2.1:3478";
/// Enough for every address learned on the way to be tried again.
const ROUNDS: usize = 4;

/// One side of a call.
struct Side {
    lab: Lab,
    /// What the other side may be reached at: its server-reflexive candidate, then what its checks came from.
    remotes: Vec<SocketAddr>,
}

/// What RFC 4787 leaves open.
#[derive(Clone, Copy)]
struct Semantics {
    filter_scope: FilterScope,
    reply_mapping: ReplyMapping,
}

const CONNECTION_TRACKER: Semantics =
    Semantics { filter_scope: FilterScope::Mapping, reply_mapping: ReplyMapping::Admitting };

type Kind = (MappingBehavior, FilteringBehavior);

fn kinds() -> impl Iterator<Item = Kind> {
    let with = |mapping: &MappingBehavior| {
        FilteringBehavior::ALL.iter().map({
            let m = *mapping;
            move |f| (m, *f)
        })
    };
    MappingBehavior::ALL.iter().flat_map(with)
}

/// Whether each kind can meet each other kind directly.
fn table(semantics: Semantics) -> Vec<bool> {
    kinds().flat_map(|a| kinds().map(move |b| meet(a, b, semantics))).collect()
}

fn meet(a: Kind, b: Kind, semantics: Semantics) -> bool {
    let (mut a, mut b) = (Side::new(a, "198.51.100.1", semantics), Side::new(b, "203.0.113.1", semantics));
    a.remotes.push(b.lab.sent(SOCKET, STUN_SERVER));
    b.remotes.push(a.lab.sent(SOCKET, STUN_SERVER));
    (0..ROUNDS).any(|_| check_all(&mut a, &mut b) | check_all(&mut b, &mut a))
}

/// One connectivity check to each remote address known; true if one succeeds.
fn check_all(from: &mut Side, to: &mut Side) -> bool {
    let remotes = from.remotes.clone();
    remotes.into_iter().fold(false, |succeeded, remote| succeeded | check(from, to, remote))
}

/// RFC 8445 §7.2.5.2.1: a check succeeds if its response comes from where the request went.
fn check(from: &mut Side, to: &mut Side, remote: SocketAddr) -> bool {
    let source = from.lab.sent(SOCKET, &remote.to_string());
    if to.lab.receive(&source.to_string(), remote).is_err() {
        return false;
    }
    if !to.remotes.contains(&source) {
        to.remotes.push(source);
    }
    let response_source = to.lab.sent(SOCKET, &source.to_string());
    from.lab.receive(&response_source.to_string(), source).is_ok() && response_source == remote
}

impl Side {
    fn new((mapping, filtering): Kind, outside: &str, semantics: Semantics) -> Self {
        let mut behavior = behavior(mapping, filtering);
        behavior.filter_scope = semantics.filter_scope;
        behavior.reply_mapping = semantics.reply_mapping;
        behavior.ports.assignment = PortAssignment::Random;
        Self { lab: Lab::with(behavior, &[outside], &Limits::DEFAULT), remotes: Vec::new() }
    }
}

/// The rule of the published table: one side filters nothing, or both map independently, or one maps independently
/// and filters by address alone.
fn published() -> Vec<bool> {
    use FilteringBehavior as F;
    use MappingBehavior as M;
    let open = |kind: Kind| kind.1 == F::EndpointIndependent;
    let stable = |kind: Kind| kind.0 == M::EndpointIndependent;
    let lenient = |kind: Kind| kind == (M::EndpointIndependent, F::AddressDependent);
    let cell = |a, b| open(a) || open(b) || stable(a) && stable(b) || lenient(a) || lenient(b);
    kinds().flat_map(|a| kinds().map(move |b| cell(a, b))).collect()
}

#[test]
fn nats_that_work_like_connection_trackers_reproduce_all_81_published_cells() {
    let draw = |cells: Vec<bool>| {
        let rows = cells.chunks(9).map(|row| row.iter().map(|x| if *x { 'X' } else { '.' }).collect());
        rows.collect::<Vec<String>>()
    };
    assert_eq!(draw(table(CONNECTION_TRACKER)), draw(published()));
}

#[test]
fn the_other_semantics_differ_from_the_published_table_in_as_many_cells_as_an_independent_model_found() {
    let differing = |filter_scope, reply_mapping| {
        let cells = table(Semantics { filter_scope, reply_mapping });
        cells.iter().zip(published()).filter(|(ours, theirs)| **ours != *theirs).count()
    };
    assert_eq!(differing(FilterScope::Mapping, ReplyMapping::ByDestination), 15);
    assert_eq!(differing(FilterScope::Endpoint, ReplyMapping::Admitting), 20);
    assert_eq!(differing(FilterScope::Endpoint, ReplyMapping::ByDestination), 18);
}
