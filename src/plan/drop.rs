//! Why a packet died: a reason from the contract's closed list, and the rule that decided it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::behavior::{FilteringBehavior, words};
use crate::base::SimTime;

words! {
    /// Why a packet died. The list is closed: names are added, never changed.
    DropReason {
        /// It came to an outside address of a NAT where nothing is mapped.
        NatNoMapping = "nat-no-mapping",
        /// A mapping exists, but its filter does not admit the sender.
        NatFiltered = "nat-filtered",
        /// The mapping it was meant for had expired.
        NatExpired = "nat-expired",
        /// The NAT had no external port left.
        NatPortsExhausted = "nat-ports-exhausted",
        /// Its host already held as many external ports as it may.
        NatQuota = "nat-quota",
        /// It went from inside to an outside address of the NAT, which does not hairpin.
        NatHairpinOff = "nat-hairpin-off",
        /// A firewall does not let it out.
        FirewallOutbound = "firewall-outbound",
        /// A firewall does not let it in.
        FirewallInbound = "firewall-inbound",
        /// A firewall looked inside and did not find what the port promises.
        FirewallInspect = "firewall-inspect",
        /// The link lost it.
        LinkLoss = "link-loss",
        /// The link was down.
        LinkDown = "link-down",
        /// The queue it had to wait in was full: a link's, or a TURN server's for a client that reads too slowly.
        QueueFull = "queue-full",
        /// It was larger than the link carries.
        MtuExceeded = "mtu-exceeded",
        /// It passed too many routers.
        TtlExpired = "ttl-expired",
        /// A router knows no way to its destination.
        NoRoute = "no-route",
        /// A TURN server has no permission from its client for the sender or receiver.
        TurnNoPermission = "turn-no-permission",
        /// It named a TURN channel that is not bound.
        TurnNoChannel = "turn-no-channel",
        /// It came to, or asked for, a TURN allocation that does not exist.
        TurnNoAllocation = "turn-no-allocation",
        /// The host is not listening on this port, or knows of no such connection.
        HostPortClosed = "host-port-closed",
        /// The server is down.
        ServerDown = "server-down",
        /// The two parts of the internet cannot reach each other.
        Partition = "partition",
    }
}

/// A death with its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drop {
    /// The contract's word for it.
    pub reason: DropReason,
    /// The rule that decided, with the values it looked at.
    pub rule: Rule,
}

impl Drop {
    /// A death that its reason explains completely.
    pub const fn plain(reason: DropReason) -> Self {
        Self { reason, rule: Rule::Plain }
    }

    /// The section that describes the rule, as `RFC 4787 §5`; `None` where a box's owner decides and no RFC does.
    pub fn rfc(&self) -> Option<&'static str> {
        match (&self.rule, self.reason) {
            (Rule::NoRoute { destination: IpAddr::V4(address) }, _) if address.is_private() => {
                Some("RFC 1918 §3")
            }
            (
                Rule::NoRoute { destination: IpAddr::V6(_) }
                | Rule::PortClosed { destination: SocketAddr::V6(_) },
                _,
            ) => Some("RFC 4443 §3.1"),
            (Rule::Connection { .. }, _) => Some("RFC 9293 §3.10.7.1"),
            (_, reason) => reason.rfc(),
        }
    }
}

impl DropReason {
    /// The section that describes packets dying for this reason, as `RFC 4787 §5`; `None` where no RFC does.
    pub const fn rfc(self) -> Option<&'static str> {
        match self {
            Self::NatNoMapping => Some("RFC 4787 §4.1"),
            Self::NatFiltered => Some("RFC 4787 §5"),
            Self::NatExpired => Some("RFC 4787 §4.3"),
            Self::NatPortsExhausted => Some("RFC 4787 §4.2.1"),
            Self::NatQuota => Some("RFC 6888 §3"),
            Self::NatHairpinOff => Some("RFC 4787 §6"),
            Self::FirewallInbound => Some("RFC 6092 §3.2.3"),
            Self::TtlExpired => Some("RFC 1812 §5.3.1"),
            Self::NoRoute => Some("RFC 1812 §5.2.7.1"),
            Self::TurnNoPermission => Some("RFC 8656 §9"),
            Self::TurnNoChannel => Some("RFC 8656 §12.6"),
            Self::TurnNoAllocation => Some("RFC 8656 §6"),
            Self::HostPortClosed => Some("RFC 1122 §4.1.3.1"),
            Self::FirewallOutbound
            | Self::FirewallInspect
            | Self::LinkLoss
            | Self::LinkDown
            | Self::QueueFull
            | Self::MtuExceeded
            | Self::ServerDown
            | Self::Partition => None,
        }
    }
}

/// The rule behind a [`Drop`]. Displayed, it ends the sentence "`nat-b` dropped it: …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The reason says it all.
    Plain,
    /// A mapping's filter did not admit the sender.
    Filter {
        /// The filtering behaviour that decided.
        filtering: FilteringBehavior,
        /// The external endpoint the packet came to.
        external: SocketAddr,
        /// What the filter would have admitted at this moment.
        accepts: Accepts,
    },
    /// Nothing is mapped at this external endpoint.
    NoMapping {
        /// The external endpoint the packet came to.
        external: SocketAddr,
    },
    /// A mapping stood here until its lifetime ran out.
    Expired {
        /// The external endpoint the packet came to.
        external: SocketAddr,
        /// How long ago it expired.
        ago: crate::base::SimDuration,
    },
    /// A port policy forbids what the packet tried.
    PortPolicy {
        /// The policy in a few words: `443/udp is not among 53/udp, 80/tcp`.
        text: String,
    },
    /// A firewall is stateful and saw nothing go out to this sender.
    Unsolicited {
        /// The filtering behaviour that decided.
        filtering: FilteringBehavior,
        /// What the firewall would have admitted for this inside endpoint at this moment.
        accepts: Accepts,
    },
    /// No route leads to this address.
    NoRoute {
        /// The destination.
        destination: IpAddr,
    },
    /// A host has no socket on this port.
    PortClosed {
        /// The destination.
        destination: SocketAddr,
    },
    /// A TCP segment belongs to no connection of the host.
    Connection {
        /// What the host knows: `nothing listens on 192.0.2.4:443 for TCP`.
        text: String,
    },
    /// No way leads from one part of the internet to the other.
    Partition {
        /// The node at which one part hangs on the internet.
        from: String,
        /// That of the other part.
        to: String,
        /// Since when.
        since: SimTime,
    },
    /// A TURN server's state forbids it.
    Turn {
        /// What was missing: `no permission for 198.51.100.1`.
        text: String,
    },
}

/// What a filter would have admitted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepts {
    /// Senders it knows, oldest first, at most [`Accepts::SHOWN`]. With address-dependent filtering the port is 0.
    pub remotes: Vec<SocketAddr>,
    /// How many more there are.
    pub more: usize,
}

impl Accepts {
    /// How many senders are listed before the rest is counted.
    pub const SHOWN: usize = 4;

    /// Keeps the first few of `remotes` and counts the rest.
    pub fn from_remotes(remotes: impl IntoIterator<Item = SocketAddr>) -> Self {
        let mut remotes = remotes.into_iter();
        let shown = remotes.by_ref().take(Self::SHOWN).collect();
        Self { remotes: shown, more: remotes.count() }
    }
}

impl fmt::Display for Accepts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.remotes.is_empty() {
            return f.write_str("nobody");
        }
        for (index, remote) in self.remotes.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match remote.port() {
                0 => write!(f, "{}", remote.ip())?,
                _ => write!(f, "{remote}")?,
            }
        }
        if self.more > 0 {
            write!(f, " and {} more", self.more)?;
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => Ok(()),
            Self::Filter { filtering, external, accepts } => {
                write!(f, "{external} accepts only {accepts} (filtering: {filtering})")
            }
            Self::NoMapping { external } => write!(f, "nothing is mapped at {external}"),
            Self::Expired { external, ago } => write!(f, "the mapping at {external} expired {ago} ago"),
            Self::Unsolicited { filtering, accepts } => {
                write!(f, "only answers come in, from {accepts} (filtering: {filtering})")
            }
            Self::NoRoute { destination } => write!(f, "no route to {destination}"),
            Self::PortClosed { destination } => write!(f, "nothing listens on {destination}"),
            Self::Partition { from, to, since } => {
                write!(f, "{from} and {to} cannot reach each other since {since}")
            }
            Self::PortPolicy { text } | Self::Connection { text } | Self::Turn { text } => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_says_what_it_would_have_admitted() {
        let rule = Rule::Filter {
            filtering: FilteringBehavior::AddressAndPortDependent,
            external: "198.51.100.1:41001".parse().expect("address"),
            accepts: Accepts::from_remotes(["192.0.2.3:3478".parse().expect("address")]),
        };
        assert_eq!(
            rule.to_string(),
            "198.51.100.1:41001 accepts only 192.0.2.3:3478 (filtering: address-and-port-dependent)"
        );
    }

    #[test]
    fn long_lists_of_senders_are_cut_and_counted() {
        let remotes = (1..=11).map(|n| SocketAddr::from(([192, 0, 2, n], 0)));
        let text = Accepts::from_remotes(remotes).to_string();
        assert!(text.ends_with("192.0.2.4 and 7 more"), "{text}");
    }
}
