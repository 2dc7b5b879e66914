//! `profile:`, and the files it names, read as the NAT or firewall they describe.

use super::{firewall, nat};
use crate::base::Limits;
use crate::plan::{FilteringBehavior, Firewall, NatBehavior, Nickname};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::profiles::{self, FIREWALL_LIFETIME, Profile, ProfileKind};
use crate::scenario::read::words::unlisted_word;
use crate::scenario::read::{At, Reader};
use crate::scenario::source::Source;
use crate::scenario::tree::{self, Node};

/// The name of a profile of this kind.
pub fn name(reader: &mut Reader<'_>, kind: ProfileKind, node: &Node) -> Option<At<&'static str>> {
    let text = reader.text("profile", node, "a profile such as `linux-masquerade`")?;
    let diagnostic = match profiles::find(text.value) {
        Some(profile) if profile.kind == kind => return Some(At::new(profile.name, text.span)),
        Some(other) => {
            let (its, here) = (other.kind.section(), kind.section());
            let message = format!("`{}` is a profile of `{its}`, not of `{here}`", other.name);
            Diagnostic::new(Code::UnknownWord, message).help(format!("write a node below `{its}:` for it"))
        }
        None if Nickname::from_alias(text.value).is_some() => {
            let help = match kind {
                ProfileKind::Nat => format!("write `type: {}`", text.value),
                ProfileKind::Firewall => format!("write a node below `nats:` with `type: {}`", text.value),
            };
            let message = format!("`{}` is a nickname, not a profile", text.value);
            Diagnostic::new(Code::UnknownWord, message).help(help)
        }
        None => {
            unlisted_word("profile", text.value, &kind.words()).help("`punchlab profiles` lists them all")
        }
    };
    reader.report(diagnostic.at(text.span, "no profile here is called that"));
    None
}

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
