//! How nodes are connected.

use super::assumed::Assumed;
use crate::base::SimDuration;
use crate::plan::Link;
use crate::scenario::file::LinkSpec;
use crate::scenario::links;
use crate::scenario::read::Reader;

/// The link a node is connected by.
pub fn link(
    reader: &mut Reader<'_>,
    given: Option<&LinkSpec>,
    default: Link,
    key: &str,
    assumed: &mut Assumed,
) -> Link {
    match given {
        Some(given) => given.resolve(&default, reader),
        None => {
            let value = default.label.clone().unwrap_or_else(|| format!("{{ delay: {} }}", default.delay));
            assumed.note(key, "link", value);
            default
        }
    }
}

/// The named link a place has by default.
pub fn named_link(name: &str) -> Link {
    links::find(name).unwrap_or_else(|| Link::with_delay(SimDuration::from_millis(1)))
}
