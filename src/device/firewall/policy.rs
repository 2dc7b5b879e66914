//! The outbound rules: what may leave, and how the rest is refused.

use crate::base::PortId;
use crate::device::{Outbox, Verdict};
use crate::plan::{Access, DenyAction, DropReason, OutboundPolicy, Protocol, Rule, Service, ServiceProtocol};
use crate::transport::tcp;
use crate::wire::{IcmpKind, Packet, TcpSegment};

/// Why the rules forbid this service, if they do.
pub(super) fn forbidden(policy: &OutboundPolicy, protocol: Protocol, port: u16) -> Option<String> {
    let protocol = match protocol {
        Protocol::Tcp => ServiceProtocol::Tcp,
        Protocol::Udp | Protocol::Icmp => ServiceProtocol::Udp,
    };
    let service = Service { port, protocol };
    if policy.default == Access::Allow || policy.allow.contains(&service) {
        return None;
    }
    if policy.allow.is_empty() {
        return Some(format!("{service} may not leave, and nothing else may"));
    }
    let allowed: Vec<_> = policy.allow.iter().map(Service::to_string).collect();
    Some(format!("{service} is not among {}", allowed.join(", ")))
}

/// Refuses a packet that came in on `port`, for the reason in `text`.
pub(super) fn refuse(
    policy: &OutboundPolicy,
    text: String,
    port: PortId,
    packet: &Packet,
    out: &mut Outbox,
) -> Verdict {
    let forbidden = packet.flow.destination.ip();
    if policy.action == DenyAction::Reject
        && let Some(error) = packet.icmp_error(forbidden, IcmpKind::AdministrativelyProhibited)
    {
        out.emit(port, error, Some(packet.id));
    }
    Verdict::drop_by(DropReason::FirewallOutbound, Rule::PortPolicy { text })
}

/// Tells the client of a connection that it is over, if the policy tells anybody anything. The segment came in on `port`.
pub(super) fn reset(
    policy: &OutboundPolicy,
    port: PortId,
    packet: &Packet,
    segment: &TcpSegment,
    out: &mut Outbox,
) {
    if policy.action == DenyAction::Reject
        && let Some(reset) = tcp::refuse(segment)
    {
        out.emit(port, Packet::tcp(packet.flow.reversed(), reset), Some(packet.id));
    }
}
