//! A device profile, read as the NAT it describes.

use super::nat;
use crate::base::Limits;
use crate::plan::NatBehavior;
use crate::scenario::profiles::Profile;
use crate::scenario::read::Reader;
use crate::scenario::source::Source;
use crate::scenario::tree;

impl Profile {
    /// What it says. `None` if its file is not one: a test reads them all.
    pub fn behavior(&self) -> Option<NatBehavior> {
        let limits = Limits::DEFAULT;
        let source = Source::new(self.name, self.text);
        let tree = tree::parse(&source, 0, 0, &limits).ok()?;
        let mut reader = Reader::new(&limits);
        let axes = nat::read(&mut reader, &tree)?.axes;
        if reader.mistakes() > 0 {
            return None;
        }
        let mut behavior = NatBehavior::new(axes.mapping.as_ref()?.value, axes.filtering.as_ref()?.value);
        axes.apply(&mut behavior);
        Some(behavior)
    }
}
