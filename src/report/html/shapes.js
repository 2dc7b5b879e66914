// How packets and nodes look. Every colour comes with a shape or a word.

const DOTS = {
  stun: "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0z",
  turn: "M-5.5-5.5h11v11h-11z",
  check: "M0-7.5 7 0 0 7.5-7 0z",
  data: "M-6-6.5 7 0-6 6.5z",
  icmp: "M-3.5-6h7L7 0 3.5 6h-7L-7 0z",
  tcp: "M0-7 6.7-2.2 4.1 5.7h-8.2L-6.7-2.2z",
  signal: "M-7-5H7V5H-7zM-7-5 0 1 7-5",
  event: "M0-5 4.5 0 0 5-4.5 0z",
};
const CROSS = "M-5.5-5.5 5.5 5.5M5.5-5.5-5.5 5.5";

/// The sign of a family, for texts and buttons.
function sign(family) {
  return svg(
    "svg",
    { viewBox: "-9 -9 18 18", class: `sign f-${family}`, "aria-hidden": "true" },
    svg("path", { d: DOTS[family] }),
  );
}

const CLOUD = "M22 58C3 58-1 35 15 31C11 12 34 3 45 14C55-3 84 3 82 25C101 25 102 58 80 58Z";

function nodeShape(node) {
  const { kind, w, h } = node,
    x = -w / 2,
    y = -h / 2;
  const box = radius => svg("rect", { class: "shape", x, y, width: w, height: h, rx: radius });
  if (kind === "internet") {
    return [
      svg("path", {
        class: "shape",
        d: CLOUD,
        "vector-effect": "non-scaling-stroke",
        transform: `translate(${x} ${y}) scale(${w / 100} ${h / 60})`,
      }),
    ];
  }
  if (kind === "peer") return [box(h / 2)];
  if (kind === "nat")
    return [box(3), svg("path", { class: "mark", d: `M${x + 4} ${y + 1}v${h - 2}M${-x - 4} ${y + 1}v${h - 2}` })];
  if (kind === "firewall")
    return [
      box(0),
      svg("path", { class: "mark", "stroke-dasharray": "9 2", d: `M${x} ${y + 3}h${w}M${x + 5} ${-y - 3}h${w - 5}` }),
    ];
  if (kind === "server") return [box(6), svg("path", { class: "mark", d: `M${x + 6} ${y + 4}h${w - 12}` })];
  return [box(12)];
}

/// Where the line from the middle of a node to `towards` leaves its box.
function edgeOf(node, towards) {
  const dx = towards.x - node.x,
    dy = towards.y - node.y;
  const share = Math.min((node.w / 2 + 5) / (Math.abs(dx) || 1e-9), (node.h / 2 + 5) / (Math.abs(dy) || 1e-9), 0.5);
  return { x: node.x + dx * share, y: node.y + dy * share };
}
