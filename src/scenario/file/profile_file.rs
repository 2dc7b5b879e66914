//! The files that profiles name, read as the NAT or firewall they describe.

use super::{firewall, nat};
use crate::base::Limits;
use crate::plan::{FilteringBehavior, Firewall, NatBehavior};
use crate::scenario::profiles::{self, FIREWALL_LIFETIME, Profile, ProfileKind};
use crate::scenario::read::Reader;
use crate::scenario::source::Source;
use crate::scenario::tree::{self, Node};

impl Profile {
    /// What it says of a NAT. `None` if it is none, or if its file is not one: a test reads them all.
    pub fn behavior(&self) -> Option<NatBehavior> {
        let axes = self.read(ProfileKind::Nat, nat::read)?.axes;
        let mut behavior = NatBehavior::new(axes.mapping.as_ref()?.value, axes.filtering.as_ref()?.value);
        axes.apply(&mut behavior);
        Some(behavior)
    }

    /// What it says of a firewall. `None` if it is none, or if its file is not one: a test reads them all.
    pub fn firewall(&self) -> Option<Firewall> {
        let body = self.read(ProfileKind::Firewall, firewall::read)?;
        let mut firewall = profiles::stateful(FilteringBehavior::AddressAndPortDependent, FIREWALL_LIFETIME);
        body.apply(&mut firewall);
        Some(firewall)
    }

    fn read<T>(
        &self,
        kind: ProfileKind,
        body: impl FnOnce(&mut Reader<'_>, &Node) -> Option<T>,
    ) -> Option<T> {
        if self.kind != kind {
            return None;
        }
        let limits = Limits::DEFAULT;
        let source = Source::new(self.name, self.text);
        let tree = tree::parse(&source, 0, 0, &limits).ok()?;
        let mut reader = Reader::new(&limits);
        body(&mut reader, &tree).filter(|_| reader.mistakes() == 0)
    }
}
