//! The topology in the DOT language of Graphviz.

use std::fmt::Write as _;

use super::labels::{box_lines, ends_from_above, link_lines};
use crate::base::NodeId;
use crate::plan::{Element, Plan};
use crate::report::text::printable;

/// The graph of a plan.
pub fn write(plan: &Plan) -> String {
    // Writing to a string does not fail.
    let mut out = format!("graph {} {{\n", quoted(&plan.name));
    let _ = writeln!(out, "  label={}; labelloc=t;", quoted(&plan.name));
    out.push_str(
        "  node [fontname=\"monospace\", fontsize=11]; edge [fontname=\"monospace\", fontsize=10];\n",
    );
    for (id, node) in plan.topology.nodes() {
        let (shape, color) = look(plan, id);
        let label = multiline(&box_lines(plan, id));
        let name = quoted(&node.name);
        let _ = writeln!(out, "  {name} [label={label}, {shape}, color=\"{color}\"];");
    }
    for link in plan.topology.link_ids() {
        // What stands on the left is drawn above.
        let [above, below] = ends_from_above(plan, link).map(|node| quoted(plan.name_of(node)));
        let lines = link_lines(plan.topology.link(link));
        let _ = writeln!(out, "  {above} -- {below} [label={}];", multiline(&lines));
    }
    out.push_str("}\n");
    out
}

fn look(plan: &Plan, node: NodeId) -> (&'static str, &'static str) {
    match plan.topology.node(node).element {
        Element::Router if plan.topology.parent(node).is_none() => ("shape=ellipse", "#818b98"),
        Element::Router => ("shape=box", "#818b98"),
        Element::Nat(_) | Element::Clat(_) => ("shape=octagon", "#d55e00"),
        Element::Firewall(_) => ("shape=box, peripheries=2", "#b0568a"),
        Element::Server(_) => ("shape=cylinder", "#009e73"),
        Element::Peer(_) => ("shape=box, style=rounded", "#0072b2"),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn multiline(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    format!("\"{}\"", lines.join("\\n"))
}

/// In a quoted string of DOT only `"` ends it, and `\` begins an escape of its own.
fn escaped(text: &str) -> String {
    printable(text).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn every_node_and_every_link_is_a_line() {
        insta::assert_snapshot!(write(&Fixture::relay().plan));
    }

    #[test]
    fn a_name_cannot_end_its_quotes() {
        assert_eq!(quoted("a\"; b\\"), r#""a\"; b\\""#);
    }
}
