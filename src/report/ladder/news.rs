//! What a row cannot say: how addresses changed, and by which rule a packet died. Each is told where it first appears.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::base::NodeId;
use crate::plan::{DropReason, Rule};
use crate::report::journey::{Fate, Journey, Rewrite};
use crate::trace::Place;

/// What was told so far.
#[derive(Debug, Default)]
pub struct News {
    rewrites: BTreeSet<(NodeId, SocketAddr, SocketAddr)>,
    rules: BTreeSet<(Place, DropReason)>,
}

impl News {
    /// The changes of addresses nobody was told of yet: where, from what, to what. Those of a mapping that was told of
    /// are no news in either direction.
    pub fn rewrites(&mut self, journey: &Journey<'_>) -> Vec<(NodeId, SocketAddr, SocketAddr)> {
        let mut news = Vec::new();
        for Rewrite { node, before, after } in &journey.rewrites {
            for (inside, outside, change) in [
                (before.source, after.source, (*node, before.source, after.source)),
                (after.destination, before.destination, (*node, before.destination, after.destination)),
            ] {
                if inside != outside && self.rewrites.insert((*node, inside, outside)) {
                    news.push(change);
                }
            }
        }
        news
    }

    /// The rule by which the packet died, if there is one and nobody was told of its like at this place yet.
    pub fn rule<'a>(&mut self, journey: &Journey<'a>) -> Option<&'a Rule> {
        let Fate::Dropped { place, drop, .. } = journey.fate else { return None };
        (drop.rule != Rule::Plain && self.rules.insert((place, drop.reason))).then_some(&drop.rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;
    use crate::report::journey::journeys;

    #[test]
    fn a_mapping_and_a_rule_are_news_once() {
        let fixture = Fixture::relay();
        let journeys = journeys(fixture.report());
        let mut news = News::default();

        let told: Vec<_> = journeys.iter().flat_map(|journey| news.rewrites(journey)).collect();
        let rules = journeys.iter().filter_map(|journey| news.rule(journey)).count();

        assert_eq!(told.len(), 5, "{told:?}");
        assert_eq!(rules, 1);
    }
}
