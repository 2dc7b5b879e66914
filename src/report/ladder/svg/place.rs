//! Where the columns and rows of the picture are.

use super::MARGIN;
use crate::base::NodeId;
use crate::report::journey::Journey;
use crate::report::ladder::{Ladder, Line, News, Row, Shape, Side, Spot, Track};
use crate::report::names;
use crate::report::svg::{name_width, small_width};
use crate::report::text::{length, wrap};
use crate::report::topology::label_lines;

/// Left of the first column: the time.
const TIME: f64 = 62.0;
/// Lifelines are at least this far from each other.
const STEP: f64 = 124.0;
/// Left and right of the words in the head of a column.
const SIDE: i32 = 10;
/// Between the heads of two columns.
const GAP: f64 = 14.0;
/// How high a line of a column's head is.
pub(super) const HEAD_LINE: f64 = 15.0;

/// From the top of a packet's row to its arrow; its label stands in between.
pub(super) const ARROW: f64 = 20.0;
/// From the arrow to the end of its row.
const UNDER: f64 = 9.0;
/// How much lower an arrow goes back that turned.
pub(super) const TURN: f64 = 7.0;
/// How high a line of small print is.
pub(super) const SMALL: f64 = 14.0;
/// How high a row is that is no packet's.
pub(super) const PLAIN: f64 = 26.0;
/// How many characters of small print stand on one line.
const SMALL_PRINT: usize = 52;

/// The columns of a picture.
#[derive(Debug)]
pub(super) struct Columns {
    xs: Vec<f64>,
    heads: Vec<Head>,
    step: f64,
    width: f64,
}

/// What stands over a column.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) node: NodeId,
    pub(super) addresses: Vec<String>,
    pub(super) width: f64,
}

impl Columns {
    pub(super) fn new(ladder: &Ladder<'_>) -> Self {
        let heads: Vec<Head> = ladder.columns.iter().map(|node| head(ladder, *node)).collect();
        let pairs = heads.windows(2).map(|pair| f64::midpoint(pair[0].width, pair[1].width) + GAP);
        let step = pairs.fold(STEP, f64::max);
        let first = TIME + heads.first().map_or(0.0, |head| head.width / 2.0);
        let xs: Vec<f64> = (0..heads.len()).map(|index| first + step * index as f64).collect();
        let last = heads.last().map_or(0.0, |head| head.width / 2.0);
        let width = xs.last().map_or(TIME, |x| x + last) + MARGIN;
        Self { xs, heads, step, width: width.max(560.0) }
    }

    pub(super) const fn width(&self) -> f64 {
        self.width
    }

    /// The lifelines with what stands over them, from left to right.
    pub(super) fn iter(&self) -> impl Iterator<Item = (f64, &Head)> {
        self.xs.iter().copied().zip(&self.heads)
    }

    pub(super) fn x(&self, column: usize) -> f64 {
        self.xs.get(column).copied().unwrap_or(TIME)
    }

    /// Where a place on a packet's line is.
    pub(super) fn spot(&self, spot: Spot) -> f64 {
        let x = self.x(spot.column);
        match spot.side {
            Side::Left => (x - self.step / 2.0).max(TIME - 8.0),
            Side::On => x,
            Side::Right => (x + self.step / 2.0).min(self.width - 10.0),
        }
    }

    /// Where the middle of a text stands that should be at `x` and must not leave the page.
    pub(super) fn inside(&self, x: f64, text: &str) -> f64 {
        let half = f64::from(small_width(length(text))) / 2.0 + 6.0;
        x.min(self.width - half).max(TIME - 12.0 + half)
    }

    /// The left and the right end of what has no column.
    pub(super) fn span(&self) -> (f64, f64) {
        (TIME - 8.0, self.width - MARGIN / 2.0)
    }

    pub(super) fn head_height(&self) -> f64 {
        let lines = self.heads.iter().map(|head| head.addresses.len()).max().unwrap_or_default();
        HEAD_LINE * (lines as f64 + 1.0) + 12.0
    }

    pub(super) const fn foot_height(&self) -> f64 {
        HEAD_LINE + 12.0
    }
}

fn head(ladder: &Ladder<'_>, node: NodeId) -> Head {
    let plan = ladder.report.plan;
    // The network inside a NAT is told by the addresses of the packets.
    let mut addresses = label_lines(plan, node);
    addresses.retain(|line| !line.starts_with("inside "));
    let widest = addresses.iter().map(|line| small_width(length(line))).max().unwrap_or_default();
    let width = widest.max(name_width(length(plan.name_of(node)))) + 2 * SIDE;
    Head { node, addresses, width: f64::from(width) }
}

/// A line of the ladder on the page.
#[derive(Debug)]
pub(super) struct PlacedLine<'a> {
    /// Its upper edge.
    pub(super) y: f64,
    pub(super) line: &'a Line<'a>,
    pub(super) track: Option<Track>,
    pub(super) small: Vec<Small>,
}

/// Small print under an arrow.
#[derive(Debug)]
pub(super) struct Small {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// The lines from `top` on, and where they end.
pub(super) fn placed<'a>(
    ladder: &Ladder<'_>,
    columns: &Columns,
    lines: &'a [Line<'a>],
    top: f64,
) -> (Vec<PlacedLine<'a>>, f64) {
    let mut news = News::default();
    let mut y = top;
    let mut placed = Vec::new();
    for line in lines {
        let (mut height, mut track, mut small) = (PLAIN, None, Vec::new());
        if let Line::Row(Row { shape: Shape::Packet(journey), .. }) = line {
            let of_packet = Track::new(ladder, journey);
            let arrow = ARROW + TURN * turns(&of_packet) as f64;
            small = small_print(ladder, columns, &mut news, journey, &of_packet);
            let lines = stack(&mut small, y + arrow);
            height = arrow + SMALL * lines as f64 + if lines == 0 { UNDER } else { UNDER - 2.0 };
            track = Some(of_packet);
        }
        placed.push(PlacedLine { y, line, track, small });
        y += height;
    }
    (placed, y)
}

/// Puts small print under an arrow at height `y`, side by side where there is room; on how many lines it stands.
fn stack(small: &mut [Small], y: f64) -> usize {
    let mut lines: Vec<Vec<(f64, f64)>> = Vec::new();
    for print in small {
        let half = f64::from(small_width(length(&print.text))) / 2.0 + 6.0;
        let (left, right) = (print.x - half, print.x + half);
        let is_free = |line: &Vec<(f64, f64)>| line.iter().all(|taken| right < taken.0 || taken.1 < left);
        // A rule of several lines stays together: whatever comes later is never further up.
        let line = lines.iter().rposition(|line| !is_free(line)).map_or(0, |line| line + 1);
        if line == lines.len() {
            lines.push(Vec::new());
        }
        lines[line].push((left, right));
        print.y = y + SMALL * (line as f64 + 1.0);
    }
    lines.len()
}

/// How often a packet's line turns back.
pub(super) fn turns(track: &Track) -> usize {
    let columns: Vec<usize> = track.points.iter().map(|(spot, _)| spot.column).collect();
    let steps: Vec<bool> =
        columns.windows(2).filter(|pair| pair[0] != pair[1]).map(|pair| pair[0] < pair[1]).collect();
    steps.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

/// What is new about a packet: the addresses it got, and the rule by which it died.
fn small_print(
    ladder: &Ladder<'_>,
    columns: &Columns,
    news: &mut News,
    journey: &Journey<'_>,
    track: &Track,
) -> Vec<Small> {
    let mut small = Vec::new();
    for (node, _, after) in news.rewrites(journey) {
        if let Some(column) = ladder.column(node) {
            let text = format!("⇒ {}", names::endpoint(after));
            let x = columns.inside(columns.x(column), &text);
            small.push(Small { x, y: 0.0, class: "dim halo", text });
        }
    }
    if let Some(rule) = news.rule(journey) {
        let at = track.points.last().map_or(0.0, |(spot, _)| columns.spot(*spot));
        for text in wrap(&rule.to_string(), SMALL_PRINT) {
            small.push(Small { x: columns.inside(at, &text), y: 0.0, class: "bad halo", text });
        }
    }
    small
}
