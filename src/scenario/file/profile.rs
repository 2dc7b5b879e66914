//! `profile:`.

use crate::plan::Nickname;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::profiles::{self, ProfileKind};
use crate::scenario::read::words::unlisted_word;
use crate::scenario::read::{At, Reader};
use crate::scenario::tree::Node;

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
