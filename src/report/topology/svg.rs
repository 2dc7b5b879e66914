//! The topology as an SVG picture: the kind of each node shows in the shape of its box, in its colour and in words.

use super::labels::{call_line, label_lines, link_lines, type_line, type_lines};
use super::layout::{BESIDE, LID, Layout, NAME_LINE, Placed, SMALL_LINE, layout};
use crate::base::{LinkId, NodeId};
use crate::plan::{Element, Plan};
use crate::report::svg::{Anchor, Picture, number};
use crate::report::text::{shorten, wrap};

/// Above the picture, for each line of its title.
const TITLE_LINE: f64 = 22.0;
/// How wide a character of the title is, at most.
const TITLE_CHARACTER: f64 = 10.0;
/// Left and right of the title.
const TITLE_MARGIN: f64 = 24.0;
/// How far from a box the words beside its wire stand.
const WORDS: f64 = 18.0;

/// The picture of a plan.
pub fn write(plan: &Plan) -> String {
    let layout = layout(plan);
    let width = layout.width.max(420.0);
    let title = title(plan, width);
    let head = 14.0 + TITLE_LINE * title.len() as f64;
    let mut picture = Picture::new(width, layout.height + head, &plan.name, &description(plan));
    for (index, line) in title.iter().enumerate() {
        let y = 32.0 + TITLE_LINE * index as f64;
        picture.text("title", [TITLE_MARGIN, y], Anchor::Start, line);
    }
    let mut drawing = Drawing { plan, layout: &layout, picture, dx: (width - layout.width) / 2.0, dy: head };
    for link in plan.topology.link_ids() {
        drawing.wire(link);
    }
    for link in plan.topology.link_ids() {
        drawing.words(link);
    }
    for node in plan.topology.node_ids() {
        drawing.node(node);
    }
    drawing.picture.finish()
}

fn title(plan: &Plan, width: f64) -> Vec<String> {
    let room = ((width - 2.0 * TITLE_MARGIN) / TITLE_CHARACTER) as usize;
    wrap(&plan.name, room).iter().map(|line| shorten(line, room)).collect()
}

/// Everything the picture says, for those who cannot see it.
fn description(plan: &Plan) -> String {
    let nodes = plan.topology.nodes().filter_map(|(id, node)| {
        let parent = plan.topology.parent(id)?;
        Some(format!("{} ({}) behind {}", node.name, type_line(plan, id), plan.name_of(parent)))
    });
    let calls = plan.calls.iter().map(|call| call_line(plan, call));
    format!("{}. Calls: {}.", nodes.collect::<Vec<_>>().join("; "), calls.collect::<Vec<_>>().join(", "))
}

struct Drawing<'a> {
    plan: &'a Plan,
    layout: &'a Layout,
    picture: Picture,
    dx: f64,
    dy: f64,
}

impl Drawing<'_> {
    fn wire(&mut self, link: LinkId) {
        let points: Vec<(f64, f64)> =
            self.layout.wires[link.index()].iter().map(|(x, y)| (x + self.dx, y + self.dy)).collect();
        let class = if self.plan.topology.link(link).up { "wire" } else { "wire down" };
        self.picture.line(class, &points);
    }

    /// What a link is like, beside its wire, near the node it was added for.
    fn words(&mut self, link: LinkId) {
        let [(x, y), (_, next), ..] = self.layout.wires[link.index()][..] else { return };
        let lines = link_lines(self.plan.topology.link(link));
        let height = f64::from(SMALL_LINE);
        let middle = if next < y { y - WORDS } else { y + WORDS };
        let first = middle - height * (lines.len() as f64 - 1.0) / 2.0 + 4.0;
        for (index, line) in lines.iter().enumerate() {
            let at = [x + f64::from(BESIDE) + self.dx, first + height * index as f64 + self.dy];
            self.picture.text("dim", at, Anchor::Start, line);
        }
    }

    fn node(&mut self, node: NodeId) {
        let Placed { x, y, w, h } = self.layout.boxes[node.index()];
        let (x, y) = (x + self.dx, y + self.dy);
        let lid = match self.plan.topology.node(node).element {
            Element::Router if self.plan.topology.parent(node).is_none() => {
                self.picture.ellipse("router", [x, y], [w / 2.0, h / 2.0]);
                0.0
            }
            Element::Router => {
                self.picture.rectangle("router", [x, y], [w, h], 3.0);
                0.0
            }
            Element::Nat(_) | Element::Clat(_) => {
                self.picture.polygon("nat", &chamfered(x, y, w, h));
                0.0
            }
            Element::Firewall(_) => {
                self.picture.rectangle("firewall", [x, y], [w, h], 0.0);
                self.picture.rectangle("firewall", [x, y], [w - 6.0, h - 6.0], 0.0);
                0.0
            }
            Element::Server(_) => {
                self.cylinder(x, y, w, h);
                f64::from(LID)
            }
            Element::Peer(_) => {
                self.picture.rectangle("peer", [x, y], [w, h], 18.0);
                0.0
            }
        };
        self.lines(node, x, y + lid / 2.0);
    }

    fn lines(&mut self, node: NodeId, x: f64, middle: f64) {
        let kinds = type_lines(self.plan, node);
        let addresses = label_lines(self.plan, node);
        let (name_line, small_line) = (f64::from(NAME_LINE), f64::from(SMALL_LINE));
        let height = name_line + small_line * (kinds.len() + addresses.len()) as f64;
        let mut y = middle - height / 2.0 + 13.0;
        self.picture.text("name", [x, y], Anchor::Middle, self.plan.name_of(node));
        y += name_line - 1.0;
        for (class, line) in
            kinds.iter().map(|line| ("dim", line)).chain(addresses.iter().map(|line| ("", line)))
        {
            self.picture.text(class, [x, y], Anchor::Middle, line);
            y += small_line;
        }
    }

    /// A drum, as servers are drawn since there were drums.
    fn cylinder(&mut self, x: f64, y: f64, w: f64, h: f64) {
        let (rx, ry) = (number(w / 2.0), number(f64::from(LID) / 2.0));
        let (left, top) = (number(x - w / 2.0), number(y - h / 2.0 + f64::from(LID) / 2.0));
        let (w, side) = (number(w), number(h - f64::from(LID)));
        let body = format!(
            "M{left},{top}a{rx},{ry} 0 0 1 {w},0v{side}a{rx},{ry} 0 0 1 -{w},0zm0,0a{rx},{ry} 0 0 0 {w},0"
        );
        self.picture.path("server", &body);
    }
}

/// The corners of a box without corners.
fn chamfered(x: f64, y: f64, w: f64, h: f64) -> [(f64, f64); 8] {
    let (right, bottom, cut) = (w / 2.0, h / 2.0, 9.0);
    [
        (x - right + cut, y - bottom),
        (x + right - cut, y - bottom),
        (x + right, y - bottom + cut),
        (x + right, y + bottom - cut),
        (x + right - cut, y + bottom),
        (x - right + cut, y + bottom),
        (x - right, y + bottom - cut),
        (x - right, y - bottom + cut),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn the_picture_has_a_box_for_every_node_and_a_wire_for_every_link() {
        insta::assert_snapshot!(write(&Fixture::relay().plan));
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let mut plan = Fixture::relay().plan;
        plan.name = "</title><script>alert(1)</script>\u{202e}".into();

        let picture = write(&plan);

        assert!(!picture.contains("<script") && !picture.contains('\u{202e}'), "{picture}");
    }
}
