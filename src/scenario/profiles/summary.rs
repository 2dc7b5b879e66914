//! A profile in one line of a list.

use super::{Profile, ProfileKind};
use crate::plan::{Access, Firewall, NatBehavior};

/// What tells one profile from the next.
#[derive(Debug, PartialEq, Eq)]
pub struct Summary {
    /// `EIM-APDF`, with `?` after what its file has from memory only; what a firewall lets out.
    pub what: String,
    /// How ports are chosen; how a firewall filters.
    pub how: String,
    /// The timers of UDP.
    pub timers: String,
}

impl Profile {
    /// It in one line. `None` if its file is not a profile: a test reads them all.
    pub fn summary(&self) -> Option<Summary> {
        match self.kind {
            ProfileKind::Nat => self.behavior().map(|behavior| self.of_nat(&behavior)),
            ProfileKind::Firewall => self.firewall().map(|firewall| self.of_firewall(&firewall)),
        }
    }

    fn of_nat(&self, behavior: &NatBehavior) -> Summary {
        let (mapping, filtering) = (behavior.mapping.abbreviation(), behavior.filtering.abbreviation());
        let lifetimes = &behavior.lifetimes;
        let timers = if lifetimes.udp == lifetimes.udp_unreplied {
            lifetimes.udp.to_string()
        } else {
            format!("{}, unreplied {}", lifetimes.udp, lifetimes.udp_unreplied)
        };
        Summary {
            what: format!(
                "{}-{}",
                self.marked("mapping", mapping.into()),
                self.marked("filtering", filtering.into())
            ),
            how: self.marked("port-assignment", behavior.ports.assignment.to_string()),
            timers: self.marked("udp-timeout", timers),
        }
    }

    fn of_firewall(&self, firewall: &Firewall) -> Summary {
        let allowed: Vec<String> = firewall.outbound.allow.iter().map(ToString::to_string).collect();
        let what = match firewall.outbound.default {
            Access::Allow => "everything".to_owned(),
            Access::Deny if allowed.is_empty() => "nothing".to_owned(),
            Access::Deny => allowed.join(", "),
        };
        Summary {
            what,
            how: self.marked("filtering", firewall.filtering.abbreviation().into()),
            timers: self.marked("udp-timeout", firewall.udp_lifetime.to_string()),
        }
    }

    fn marked(&self, key: &str, value: String) -> String {
        if self.unverified().contains(&key) { value + "?" } else { value }
    }
}
