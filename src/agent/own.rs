//! ICE stacks that users of the library bring along.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{AgentConfig, IceStack};

/// Which peers run an ICE stack of the user's own, and how each is built. A run builds it anew for every call of the
/// peer, and once more for every counterfactual.
#[derive(Clone, Default)]
pub struct OwnStacks(BTreeMap<String, Arc<Build>>);

type Build = dyn Fn(AgentConfig) -> Box<dyn IceStack> + Send + Sync;

impl OwnStacks {
    /// The peer runs what `build` makes from now on, instead of what was said before.
    pub fn insert(
        &mut self,
        peer: impl Into<String>,
        build: impl Fn(AgentConfig) -> Box<dyn IceStack> + Send + Sync + 'static,
    ) {
        self.0.insert(peer.into(), Arc::new(build));
    }

    /// How the stack of `peer` is built; `None`: it runs one of ours.
    pub fn of(&self, peer: &str) -> Option<&Build> {
        self.0.get(peer).map(|build| &**build)
    }
}

impl fmt::Debug for OwnStacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
