//! Where the boxes of a picture are: servers above the internet, sites and what is behind them below it.
//!
//! Every parent stands over the middle of its children. Children that would make the picture too wide stand in rows
//! under each other. Wires run along a bar over each row, so that none crosses a box. All numbers are whole: the same
//! plan gives the same picture on every machine.

use super::labels::{label_lines, link_lines, type_lines};
use crate::base::{LinkId, NodeId};
use crate::plan::{Element, Plan};
use crate::report::svg::{name_width, small_width};
use crate::report::text::length;

/// Around the picture.
const MARGIN: i32 = 24;
/// Between a parent and its children, and between two rows of them.
const DROP: i32 = 58;
/// From the bar over a row down to its boxes; what is written beside a wire stands here.
const STUB: i32 = 38;
/// Between neighbours.
const GAP: i32 = 24;
/// Left of children that stand in several rows: the wire to the lower ones.
const LANE: i32 = 20;
/// From a wire to what is written beside it.
pub(super) const BESIDE: i32 = 7;
/// How wide the children of a node may be before they stand in several rows.
const WIDEST_FAMILY: i32 = 720;
/// The same for the internet.
const WIDEST_INTERNET: i32 = 1_240;

/// Of a box: above its first and below its last line.
const PADDING: i32 = 9;
/// Of a box: left and right of its longest line.
const SIDE: i32 = 12;
/// How high the line with the name is.
pub(super) const NAME_LINE: i32 = 17;
/// How high the other lines are.
pub(super) const SMALL_LINE: i32 = 14;
/// How much higher a server's box is, which has a lid.
pub(super) const LID: i32 = 10;

/// A picture without its paint. The corner at the top left is 0, 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// How wide it is, with a margin.
    pub width: f64,
    /// How high it is, with a margin.
    pub height: f64,
    /// Where each node is, by the number of its id.
    pub boxes: Vec<Placed>,
    /// Where each link runs, by the number of its id: from the node it was added for to that node's parent.
    pub wires: Vec<Vec<(f64, f64)>>,
}

/// A box.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Placed {
    /// Its centre, from the left.
    pub x: f64,
    /// Its centre, from the top.
    pub y: f64,
    /// Its width.
    pub w: f64,
    /// Its height.
    pub h: f64,
}

/// Where everything is.
pub fn layout(plan: &Plan) -> Layout {
    let internet = NodeId::new(0);
    let (width, height) = size(plan, internet);
    let is_server = |node: &NodeId| matches!(plan.topology.node(*node).element, Element::Server(_));
    let (servers, sites): (Vec<NodeId>, Vec<NodeId>) =
        children(plan, internet).into_iter().partition(is_server);
    let mut above = hang(plan, &servers, WIDEST_INTERNET);
    above.shift(-above.anchor, 0);
    above.flip();
    let mut below = hang(plan, &sites, WIDEST_INTERNET);
    below.shift(-below.anchor, height);
    let mut all = Piece { boxes: vec![(internet, 0, height / 2)], ..Piece::default() };
    all.left = (-width / 2).min(above.left).min(below.left);
    all.right = (width / 2).max(above.right).max(below.right);
    all.bottom = height.max(below.bottom);
    let top = above.bottom.min(0);
    all.add(above);
    all.add(below);
    all.shift(MARGIN - all.left, MARGIN - top);
    painted(plan, &all)
}

fn painted(plan: &Plan, piece: &Piece) -> Layout {
    let mut layout = Layout {
        width: f64::from(piece.right + MARGIN),
        height: f64::from(piece.bottom + MARGIN),
        boxes: vec![Placed::default(); plan.topology.node_count()],
        wires: vec![Vec::new(); plan.topology.link_count()],
    };
    for (node, x, y) in &piece.boxes {
        let (w, h) = size(plan, *node);
        if let Some(place) = layout.boxes.get_mut(node.index()) {
            *place = Placed { x: f64::from(*x), y: f64::from(*y), w: f64::from(w), h: f64::from(h) };
        }
    }
    for (link, points) in &piece.wires {
        if let Some(wire) = layout.wires.get_mut(link.index()) {
            *wire = points.iter().map(|(x, y)| (f64::from(*x), f64::from(*y))).collect();
        }
    }
    layout
}

/// A part of the picture, while it is put together.
#[derive(Debug, Default)]
struct Piece {
    left: i32,
    right: i32,
    bottom: i32,
    /// Where the wire to its parent comes in, or where a parent should stand.
    anchor: i32,
    /// Nodes with the centres of their boxes, the topmost first.
    boxes: Vec<(NodeId, i32, i32)>,
    wires: Vec<(LinkId, Vec<(i32, i32)>)>,
}

impl Piece {
    fn shift(&mut self, dx: i32, dy: i32) {
        self.left += dx;
        self.right += dx;
        self.anchor += dx;
        self.bottom += dy;
        self.each_point(|point| *point = (point.0 + dx, point.1 + dy));
    }

    /// Turns it upside down around its top.
    fn flip(&mut self) {
        self.bottom = -self.bottom;
        self.each_point(|point| point.1 = -point.1);
    }

    /// Moves everything below `y` further down.
    fn lower(&mut self, y: i32, by: i32) {
        self.bottom += by;
        self.each_point(|point| {
            if point.1 > y {
                point.1 += by;
            }
        });
    }

    fn each_point(&mut self, mut change: impl FnMut(&mut (i32, i32))) {
        for (_, x, y) in &mut self.boxes {
            let mut point = (*x, *y);
            change(&mut point);
            (*x, *y) = point;
        }
        self.wires.iter_mut().flat_map(|(_, points)| points).for_each(change);
    }

    fn add(&mut self, other: Self) {
        self.boxes.extend(other.boxes);
        self.wires.extend(other.wires);
    }

    const fn width(&self) -> i32 {
        self.right - self.left
    }
}

/// A node and everything behind it; its box begins at height 0.
fn family(plan: &Plan, node: NodeId) -> Piece {
    let (width, height) = size(plan, node);
    let mut piece = hang(plan, &children(plan, node), WIDEST_FAMILY);
    piece.shift(0, height);
    piece.left = piece.left.min(piece.anchor - width / 2);
    piece.right = piece.right.max(piece.anchor + (width / 2).max(wire_text(plan, node)));
    piece.boxes.insert(0, (node, piece.anchor, height / 2));
    piece
}

/// Families under a parent whose box ends at height 0.
fn hang(plan: &Plan, nodes: &[NodeId], widest: i32) -> Piece {
    let rows = rows(nodes.iter().map(|node| family(plan, *node)).collect(), widest);
    let lane = if rows.len() > 1 { LANE } else { 0 };
    let mut hanging = Piece::default();
    let mut hooks = Vec::new();
    for row in rows {
        let (top, mut x) = (hanging.bottom + DROP, lane);
        let highest = row.iter().map(|piece| top_height(plan, piece)).max().unwrap_or_default();
        for mut piece in row {
            let height = top_height(plan, &piece);
            if piece.boxes.len() > 1 {
                piece.lower(height, highest - height);
            }
            piece.shift(x - piece.left, top);
            x = piece.right + GAP;
            hanging.right = hanging.right.max(piece.right);
            hanging.bottom = hanging.bottom.max(piece.bottom).max(top + highest);
            hooks.push((piece.boxes[0].0, piece.anchor, top));
            hanging.add(piece);
        }
    }
    hanging.anchor = match (lane, hooks.first(), hooks.last()) {
        (0, Some(first), Some(last)) => i32::midpoint(first.1, last.1),
        _ => hanging.right / 2,
    };
    wire(plan, &mut hanging, &hooks);
    hanging
}

/// The wires from the tops of boxes along the bars over their rows to the parent.
fn wire(plan: &Plan, hanging: &mut Piece, hooks: &[(NodeId, i32, i32)]) {
    let parent = hanging.anchor;
    let first_bar = DROP - STUB;
    for (node, x, top) in hooks {
        let Some(uplink) = plan.topology.node(*node).ports.first() else { continue };
        let mut points = vec![(*x, *top)];
        let bar = top - STUB;
        if bar == first_bar {
            points.extend([(*x, bar), (parent, bar)]);
        } else {
            let lane = LANE / 2;
            points.extend([(*x, bar), (lane, bar), (lane, first_bar), (parent, first_bar)]);
        }
        points.push((parent, 0));
        if *x == parent && bar == first_bar {
            points = vec![(*x, *top), (parent, 0)];
        }
        hanging.wires.push((uplink.link, points));
    }
}

/// `pieces` in rows that are about equally wide. Boxes without anything behind them stand in columns.
fn rows(mut pieces: Vec<Piece>, widest: i32) -> Vec<Vec<Piece>> {
    let total: i32 = pieces.iter().map(|piece| piece.width() + GAP).sum();
    let count = (total + widest - 1) / widest;
    if count <= 1 {
        return if pieces.is_empty() { Vec::new() } else { vec![pieces] };
    }
    if pieces.iter().all(|piece| piece.boxes.len() == 1) {
        let left = pieces.iter().map(|piece| piece.anchor - piece.left).max().unwrap_or_default();
        let right = pieces.iter().map(|piece| piece.right - piece.anchor).max().unwrap_or_default();
        for piece in &mut pieces {
            (piece.left, piece.right) = (piece.anchor - left, piece.anchor + right);
        }
    }
    let target = fair_width(&pieces, count);
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    let mut used = 0;
    for piece in pieces {
        used += piece.width() + GAP;
        match rows.last_mut() {
            Some(row) if used <= target => row.push(piece),
            _ => {
                used = piece.width() + GAP;
                rows.push(vec![piece]);
            }
        }
    }
    rows
}

/// How wide a row may be for `pieces` to fill `count` rows about equally.
fn fair_width(pieces: &[Piece], count: i32) -> i32 {
    let widths = || pieces.iter().map(|piece| piece.width() + GAP);
    let (widest, narrowest) = (widths().max().unwrap_or_default(), widths().min().unwrap_or_default());
    if widest == narrowest {
        let number = i32::try_from(pieces.len()).unwrap_or(i32::MAX);
        return (number + count - 1) / count * widest;
    }
    widths().sum::<i32>() / count + widest / 2
}

fn top_height(plan: &Plan, piece: &Piece) -> i32 {
    piece.boxes.first().map_or(0, |(node, ..)| size(plan, *node).1)
}

/// How wide what stands right of the wire over `node` is.
fn wire_text(plan: &Plan, node: NodeId) -> i32 {
    let Some(uplink) = plan.topology.node(node).ports.first() else { return 0 };
    let lines = link_lines(plan.topology.link(uplink.link));
    BESIDE + lines.iter().map(|line| small_width(length(line))).max().unwrap_or_default()
}

/// The size of a node's box. Both numbers are even, so that its centre is whole.
fn size(plan: &Plan, node: NodeId) -> (i32, i32) {
    let small = [type_lines(plan, node), label_lines(plan, node)].concat();
    let widest = small.iter().map(|line| small_width(length(line))).max().unwrap_or_default();
    let width = widest.max(name_width(length(plan.name_of(node)))) + 2 * SIDE;
    let height = NAME_LINE + SMALL_LINE * i32::try_from(small.len()).unwrap_or_default() + 2 * PADDING;
    let extra = match plan.topology.node(node).element {
        Element::Server(_) => LID,
        _ => 0,
    };
    // The internet is round, so its name needs room.
    if plan.topology.parent(node).is_none() { (144, 60) } else { (even(width.max(96)), even(height + extra)) }
}

const fn even(number: i32) -> i32 {
    number + number % 2
}

/// The nodes behind a node, in the order of the file.
fn children(plan: &Plan, node: NodeId) -> Vec<NodeId> {
    let ports = &plan.topology.node(node).ports;
    ports
        .iter()
        .map(|port| port.neighbor)
        .filter(|other| plan.topology.parent(*other) == Some(node))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn servers_are_above_the_internet_and_sites_below_it_with_their_peers_under_them() {
        let plan = Fixture::relay().plan;

        let layout = layout(&plan);

        let at = |name| layout.boxes[plan.topology.find(name).expect("a node").index()];
        assert!(at("stun").y < at("internet").y && at("turn").y < at("internet").y);
        assert!(at("internet").y < at("nat-a").y && at("nat-a").y < at("alice").y);
        assert_eq!(at("nat-a").x, at("alice").x);
        assert_eq!(at("nat-a").x + at("nat-b").x, 2.0 * at("internet").x);
    }

    #[test]
    fn a_wire_goes_from_the_edge_of_a_box_to_the_edge_of_its_parent() {
        let plan = Fixture::cgn().plan;

        let layout = layout(&plan);

        for link in plan.topology.link_ids() {
            let (child, parent) = plan.topology.ends(link);
            let (child, parent) = (layout.boxes[child.index()], layout.boxes[parent.index()]);
            let wire = &layout.wires[link.index()];
            let (start, end) = (wire.first().expect("a start"), wire.last().expect("an end"));
            assert_eq!((start.0, (start.1 - child.y).abs()), (child.x, child.h / 2.0));
            assert_eq!((end.0, (end.1 - parent.y).abs()), (parent.x, parent.h / 2.0));
        }
    }
}
