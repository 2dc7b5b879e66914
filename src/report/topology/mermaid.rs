//! The topology as a Mermaid flowchart, which GitHub and many editors draw.

use std::fmt::Write as _;

use super::labels::{box_lines, ends_from_above, link_lines};
use crate::base::NodeId;
use crate::plan::{Element, Plan};
use crate::report::mermaid::quoted;

/// The border of each kind: colours that are seen on light and dark pages.
const CLASSES: &[(&str, &str)] = &[
    ("router", "stroke:#818b98"),
    ("nat", "stroke:#d55e00,stroke-width:2px"),
    ("firewall", "stroke:#b0568a,stroke-width:2px"),
    ("server", "stroke:#009e73,stroke-width:2px"),
    ("peer", "stroke:#0072b2,stroke-width:2px"),
];

/// The flowchart of a plan.
pub fn write(plan: &Plan) -> String {
    // Writing to a string does not fail.
    let mut out = String::from("flowchart TB\n");
    let _ = writeln!(out, "  accTitle: {}", quoted(&plan.name));
    for node in plan.topology.node_ids() {
        let (open, close) = shape(plan, node);
        let kind = plan.topology.node(node).element.kind();
        let _ = writeln!(out, "  n{}{open}\"{}\"{close}:::{kind}", node.index(), label(plan, node));
    }
    for link in plan.topology.link_ids() {
        // What stands on the left is drawn above.
        let [above, below] = ends_from_above(plan, link);
        let words = quoted(&link_lines(plan.topology.link(link)).join(" "));
        let _ = writeln!(out, "  n{} ---|\"{words}\"| n{}", above.index(), below.index());
    }
    for (kind, style) in CLASSES {
        let _ = writeln!(out, "  classDef {kind} {style}");
    }
    out
}

fn shape(plan: &Plan, node: NodeId) -> (&'static str, &'static str) {
    match plan.topology.node(node).element {
        Element::Router if plan.topology.parent(node).is_none() => ("((", "))"),
        Element::Router => ("(", ")"),
        Element::Nat(_) | Element::Clat(_) => ("{{", "}}"),
        Element::Firewall(_) => ("[[", "]]"),
        Element::Server(_) => ("[(", ")]"),
        Element::Peer(_) => ("([", "])"),
    }
}

fn label(plan: &Plan, node: NodeId) -> String {
    let lines = box_lines(plan, node);
    lines.iter().map(|line| quoted(line)).collect::<Vec<_>>().join("<br>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn servers_come_before_the_internet_and_sites_after_it() {
        insta::assert_snapshot!(write(&Fixture::relay().plan));
    }
}
