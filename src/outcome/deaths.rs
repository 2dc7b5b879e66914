//! Connectivity checks, and answers to them, that died on their way: the evidence behind `why`.

use std::net::SocketAddr;

use crate::base::SimTime;
use crate::engine::SessionRun;
use crate::plan::{Drop, DropReason};
use crate::trace::{EventKind, PacketRecord, Place, Trace};
use crate::wire::{Flow, stun};

/// A check, or the answer to one, that a side sent straight to the other (not through its own relay) and that died.
#[derive(Debug, Clone, Copy)]
pub struct CheckDeath<'a> {
    /// True for an answer.
    pub is_answer: bool,
    /// When it died.
    pub at: SimTime,
    /// Where it died.
    pub place: Place,
    /// Its flow there: NATs on the way had rewritten it.
    pub flow: Flow,
    /// Which socket it left.
    pub left: SocketAddr,
    /// Where its sender had addressed it to.
    pub aimed_at: SocketAddr,
    /// Why it died.
    pub drop: &'a Drop,
}

/// All checks and answers of `sender` that died, in order.
pub fn of_checks<'a>(trace: &'a Trace, sender: &'a SessionRun) -> impl Iterator<Item = CheckDeath<'a>> {
    of_packets(trace, sender).filter_map(|(record, mut death)| {
        // A peer is no STUN server: what it answers to a Binding request is an answer to a check.
        let is_answer =
            |message: &stun::Described<'_>| message.is(stun::Class::Success, stun::method::BINDING);
        let telling = record.described().find(|message| message.is_ice_check || is_answer(message))?;
        death.is_answer = is_answer(&telling);
        Some(death)
    })
}

/// The death that tells most about why `sender` does not get through: the last of the most telling kind, because by
/// then the other side's filters know all they will ever know.
pub fn most_telling<'a>(trace: &'a Trace, sender: &'a SessionRun) -> Option<CheckDeath<'a>> {
    let telling = of_checks(trace, sender).filter(|death| weight(death.drop.reason) > 0);
    // `max_by_key` keeps the last of equals.
    telling.max_by_key(|death| weight(death.drop.reason))
}

/// The last check that died because no router knew its destination: it tells nothing of NATs, but where nothing else died
/// it is all there is to tell.
pub fn without_route<'a>(trace: &'a Trace, sender: &'a SessionRun) -> Option<CheckDeath<'a>> {
    of_checks(trace, sender).filter(|death| death.drop.reason == DropReason::NoRoute).last()
}

/// The first packet of `sender`, of any kind, that died for `reason`.
pub fn first_for<'a>(trace: &'a Trace, sender: &'a SessionRun, reason: DropReason) -> Option<CheckDeath<'a>> {
    of_packets(trace, sender).map(|(_, death)| death).find(|death| death.drop.reason == reason)
}

/// The first segment of `sender`'s host that a firewall looked into and refused.
pub fn first_inspected<'a>(trace: &'a Trace, sender: &'a SessionRun) -> Option<CheckDeath<'a>> {
    let mut deaths = of_packets_that(trace, |record| record.origin == sender.node).map(|(_, death)| death);
    deaths.find(|death| death.drop.reason == DropReason::FirewallInspect)
}

fn of_packets<'a>(
    trace: &'a Trace,
    sender: &'a SessionRun,
) -> impl Iterator<Item = (&'a PacketRecord, CheckDeath<'a>)> {
    of_packets_that(trace, |record| sender.holds(record.origin, record.flow.source))
}

fn of_packets_that<'a>(
    trace: &'a Trace,
    count: impl Fn(&PacketRecord) -> bool,
) -> impl Iterator<Item = (&'a PacketRecord, CheckDeath<'a>)> {
    trace.events.iter().filter_map(move |event| {
        let EventKind::Dropped { packet, place, flow, drop } = &event.kind else { return None };
        let record = trace.packets.get(*packet)?;
        let death = CheckDeath {
            is_answer: false,
            at: event.at,
            place: *place,
            flow: *flow,
            left: record.flow.source,
            aimed_at: record.flow.destination,
            drop,
        };
        count(record).then_some((record, death))
    })
}

/// How much a reason says about the two boxes in the middle. A check to a private address that no router knows says
/// nothing about NATs, and bad luck on a link says nothing at all.
const fn weight(reason: DropReason) -> u8 {
    match reason {
        DropReason::NatFiltered => 9,
        DropReason::NatNoMapping | DropReason::NatExpired => 8,
        DropReason::FirewallInbound => 7,
        DropReason::NatHairpinOff => 6,
        DropReason::FirewallOutbound | DropReason::FirewallInspect => 5,
        DropReason::NatPortsExhausted | DropReason::NatQuota => 4,
        DropReason::LinkDown | DropReason::TtlExpired | DropReason::MtuExceeded => 3,
        _ => 0,
    }
}
