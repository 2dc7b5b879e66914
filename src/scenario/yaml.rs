//! How the YAML parser is asked, and where it says that things stand.

use serde_yaml::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Location, Options};

use crate::base::Limits;

/// What the parser is to accept, and how much of it.
pub fn options(limits: &Limits) -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: limits.yaml_depth,
            flow_nesting_limit: limits.yaml_depth.saturating_mul(2),
            max_anchors: 0,
            max_aliases: 0,
            max_documents: 1,
            max_nodes: most_values(limits),
            max_events: most_values(limits).saturating_mul(3),
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

/// How many values a text may hold: far more than the largest scenario of [`Limits::nodes`] nodes needs.
pub fn most_values(limits: &Limits) -> usize {
    limits.nodes.saturating_mul(50)
}

/// The bytes of `text` a location speaks of; it counts bytes where it can and characters where it cannot.
pub fn byte_range(location: Location, text: &str) -> std::ops::Range<usize> {
    if location == Location::UNKNOWN {
        return 0..0;
    }
    let span = location.span();
    let (start, end) = match (span.byte_offset(), span.byte_len()) {
        (Some(start), Some(length)) => (start as usize, (start + length) as usize),
        _ => {
            let byte_of =
                |chars: u64| text.char_indices().nth(chars as usize).map_or(text.len(), |(at, _)| at);
            (byte_of(span.offset()), byte_of(span.offset() + span.len()))
        }
    };
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    floor(start)..floor(end).max(floor(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_without_a_span_still_point_somewhere() {
        assert_eq!(byte_range(Location::UNKNOWN, "abc"), 0..0);
    }
}
