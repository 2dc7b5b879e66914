//! What else a client can find out: hairpinning, ports, lifetimes.

use std::net::SocketAddr;

use super::dialog::{Dialog, Known, Reply, Server};
use super::findings::Lifetime;
use crate::base::SimDuration;
use crate::plan::{Hairpinning, MappingBehavior, PortAssignment};

/// How many sockets in a row tell how ports are assigned.
const SAMPLES: usize = 5;
/// The largest step between two external ports that counts as one after the other. Others may ask in between.
const LARGEST_STEP: i32 = 8;
/// The shortest silence that is tried, and the longest.
const SHORTEST: SimDuration = SimDuration::from_secs(10);
const LONGEST: SimDuration = SimDuration::from_secs(600);
/// How exactly a lifetime is found.
const TOLERANCE: SimDuration = SimDuration::from_secs(5);
/// What the way of question and answer adds to a silence at most.
const WAY: SimDuration = SimDuration::from_secs(1);

/// RFC 5780 §4.5, from two sockets in both directions, so that each opens its filter for the other. Where mapping depends
/// on the destination, silence tells nothing: the packet may have come from an endpoint that nobody knows.
pub(super) fn hairpinning(
    dialog: &mut Dialog<'_>,
    server: Server,
    mapping: Option<MappingBehavior>,
) -> Known<Option<Hairpinning>> {
    let sockets = [dialog.socket(), dialog.socket()];
    let [Some(first), Some(second)] =
        [dialog.mapped(sockets[0], server.primary)?, dialog.mapped(sockets[1], server.primary)?]
    else {
        return Ok(None);
    };
    Ok(match dialog.cross(sockets, [first, second])? {
        Some(from) if from == first || from == second => Some(Hairpinning::ExternalSource),
        // A NAT that maps per destination has given the packet another external endpoint of the same address.
        Some(from) if from.ip() == first.ip() => Some(Hairpinning::ExternalSource),
        Some(_) => Some(Hairpinning::InternalSource),
        None if mapping == Some(MappingBehavior::EndpointIndependent) => Some(Hairpinning::Off),
        None => None,
    })
}

/// How the external ports of a few sockets relate to each other and to the inside.
pub(super) fn port_assignment(dialog: &mut Dialog<'_>, to: SocketAddr) -> Known<Option<PortAssignment>> {
    let mut ports = Vec::new();
    for _ in 0..SAMPLES {
        let socket = dialog.socket();
        let Reply::Mapped { local, mapped, .. } = dialog.ask(socket, to)? else { return Ok(None) };
        ports.push((local.port(), mapped.port()));
    }
    Ok(Some(assignment_of(&ports)))
}

fn assignment_of(ports: &[(u16, u16)]) -> PortAssignment {
    if ports.iter().all(|(internal, external)| internal == external) {
        return PortAssignment::Preservation;
    }
    let steps = ports.windows(2).map(|pair| i32::from(pair[1].1) - i32::from(pair[0].1));
    // At the end of the range it begins again, once.
    let odd = steps.filter(|step| !(1..=LARGEST_STEP).contains(step)).count();
    if odd <= 1 { PortAssignment::Sequential } else { PortAssignment::Random }
}

/// RFC 5780 §4.6: an answer that was asked for from another socket finds the mapping, or it is gone. Each silence is tried
/// on a fresh socket, longer and longer until one is too long, then between the last two.
///
/// The error is a sentence that says why it cannot be told.
pub(super) fn lifetime(dialog: &mut Dialog<'_>, server: Server) -> Known<Result<Lifetime, &'static str>> {
    let (mut alive, mut gone) = (SimDuration::ZERO, None);
    let mut silence = SimDuration::ZERO;
    loop {
        match survives(dialog, server, silence)? {
            Ok(true) => alive = silence,
            Ok(false) if silence.is_zero() => {
                return Ok(Err(
                    "the lifetime cannot be told: an answer that one socket asks for does not reach another",
                ));
            }
            Ok(false) => gone = Some(silence),
            Err(why) => return Ok(Err(why)),
        }
        silence = match gone {
            None if alive >= LONGEST => break,
            None => alive.times(2).clamp(SHORTEST, LONGEST),
            Some(gone) if gone - alive <= TOLERANCE || gone <= SHORTEST => break,
            Some(gone) => SimDuration::from_nanos((alive.as_nanos() + gone.as_nanos()) / 2),
        };
    }
    let below_ms = gone.map(|gone| (gone + WAY).as_millis_f64());
    Ok(Ok(Lifetime { at_least_ms: alive.as_millis_f64(), below_ms }))
}

/// Whether a mapping outlives this silence, or why that cannot be told.
fn survives(
    dialog: &mut Dialog<'_>,
    server: Server,
    silence: SimDuration,
) -> Known<Result<bool, &'static str>> {
    let (silent, asking) = (dialog.socket(), dialog.socket());
    let Some(mapped) = dialog.mapped(silent, server.primary)? else {
        return Ok(Err("the lifetime cannot be told: the server no longer answered"));
    };
    if !silence.is_zero() {
        dialog.wait(silence)?;
    }
    Ok(match dialog.ask_for(asking, server.primary, mapped.port(), silent)? {
        Reply::Mapped { .. } => Ok(true),
        Reply::Silence => Ok(false),
        Reply::Unchanged | Reply::Refused(_) => {
            Err("the lifetime cannot be told: the server does not know RESPONSE-PORT")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_kept_or_follow_each_other_or_do_neither() {
        let of = |external: [u16; 5]| assignment_of(&external.map(|port| (50_000, port)));
        assert_eq!(of([50_000; 5]), PortAssignment::Preservation);
        assert_eq!(of([1_024, 1_025, 1_026, 1_027, 1_028]), PortAssignment::Sequential);
        assert_eq!(of([1_024, 1_026, 1_028, 1_031, 1_032]), PortAssignment::Sequential);
        assert_eq!(of([65_534, 65_535, 1_024, 1_025, 1_026]), PortAssignment::Sequential);
        assert_eq!(of([4_001, 29_538, 1_024, 61_000, 33_333]), PortAssignment::Random);
    }
}
