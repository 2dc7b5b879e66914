// The network, with the packets that are on their way at the current time.

const BROAD = 700; // a picture wider than this gets the whole width of the page
const SMALL_LINE = 13;
const LINGER = 1.6; // seconds a cross stays, in the reader's time

const linger = () => Math.max(LINGER * 1000 * state.speed, 1);

function startTopology() {
  const { x, y, width, height } = frame();
  const links = svg("g", { class: "links" }),
    moving = svg("g", { "aria-hidden": "true" });
  const picture = svg("svg", {
    class: "network",
    viewBox: `${x} ${y} ${width} ${height}`,
    role: "group",
    "aria-label": "Nodes of the network",
  });
  const nodes = data.nodes.map(drawNode);
  data.links.forEach(link => links.append(...drawLink(link)));
  picture.append(links, ...nodes, moving);
  picture.style.setProperty("--w", `${width}px`);
  byId("main").classList.toggle("broad", width > BROAD);
  const flying = el("ul", { class: "flying", "aria-label": "On the way now" });
  const info = el("div", { id: "node-info", class: "info", hidden: true });
  byId("topology").append(el("div", { class: "wide" }, picture), flying, info);

  const dots = [];
  on("time", () => {
    const packets = packetsAround(state.time, linger(), state.tab).filter(packet => matches(["p", packet]));
    const signals = signalsAround(state.time, state.tab);
    const drawn = [...signals.map(signalDot), ...packets.slice(-150).map(packetDot)].filter(dot => dot !== null);
    while (dots.length < drawn.length) {
      const path = svg("path", {}),
        dot = svg("g", {}, path);
      moving.append(dot);
      dots.push({ dot, path, family: "" });
    }
    dots.forEach((slot, index) => placeDot(slot, drawn[index]));
    listFlying(flying, packets, signals);
  });
  on("filter", () => {
    nodes.forEach((node, index) => node.setAttribute("aria-pressed", String(index === state.filter.node)));
    picture.classList.toggle("narrowed", state.filter.node >= 0);
    showNode(info);
  });
}

/// The part of the picture that is drawn on.
function frame() {
  const edges = data.nodes.map(({ x, y, w, h }) => [x - w / 2 - 12, y - h / 2 - 12, x + w / 2 + 12, y + h / 2 + 12]);
  for (const words of data.links.map(linkWords).filter(Boolean)) {
    const { before, x, y, width } = words;
    edges.push([before ? x - width - 4 : x, y, before ? x : x + width + 4, y]);
  }
  if (edges.length === 0) return { x: 0, y: 0, ...data.topology };
  const [left, top, right, bottom] = [Math.min, Math.min, Math.max, Math.max].map((pick, side) =>
    pick(...edges.map(edge => edge[side])),
  );
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function placeDot(slot, wanted) {
  slot.dot.style.display = wanted ? "" : "none";
  if (!wanted) return;
  if (slot.family !== wanted.family) {
    slot.family = wanted.family;
    slot.path.setAttribute("d", wanted.family === "dead" ? CROSS : DOTS[wanted.family]);
    slot.dot.setAttribute("class", `dot f-${wanted.family}`);
  }
  slot.dot.setAttribute(
    "transform",
    `translate(${wanted.x.toFixed(1)} ${wanted.y.toFixed(1)})${wanted.turn ? ` rotate(${wanted.turn.toFixed(0)})` : ""}`,
  );
}

function packetDot(packet) {
  const kind = kindOf(packet),
    timing = timingOf(packet),
    since = state.time - startOf(packet);
  const stops = kind.stops.map(stop => data.nodes[stop]);
  if (since >= timing.at(-1)[1]) {
    return kind.death && { family: "dead", ...deathPlace(kind, stops) };
  }
  let at = 0;
  while (at + 1 < stops.length && since >= timing[at + 1][0]) at++;
  const here = stops[at],
    next = stops[at + 1];
  if (!next) {
    const before = stops[at - 1];
    return { family: kind.family, ...(before ? beginOfWay(here, before) : { x: here.x, y: here.y }) };
  }
  const left = timing[at][1],
    share = (since - left) / Math.max(timing[at + 1][0] - left, 1e-6);
  return { family: kind.family, ...along(here, next, Math.min(Math.max(share, 0), 1), 5) };
}

/// The corners of the way from one node to the other: those of their link, or straight if they have none.
function wayBetween(from, to) {
  for (const { a, b, points } of data.links) {
    if (data.nodes[a] === from && data.nodes[b] === to) return points;
    if (data.nodes[b] === from && data.nodes[a] === to) return points.toReversed();
  }
  const { x: x1, y: y1 } = edgeOf(from, to),
    { x: x2, y: y2 } = edgeOf(to, from);
  return [
    [x1, y1],
    [x2, y2],
  ];
}

/// A point on the way; each direction keeps to its own side so that two that meet are both seen.
function along(from, to, share, aside) {
  const way = wayBetween(from, to);
  const lengths = way.slice(1).map(([x, y], corner) => Math.hypot(x - way[corner][0], y - way[corner][1]));
  let rest = lengths.reduce((sum, length) => sum + length, 0) * share,
    piece = 0;
  while (piece < lengths.length - 1 && rest > lengths[piece]) rest -= lengths[piece++];
  const [[ax, ay], [bx, by]] = [way[piece], way[piece + 1]];
  const length = lengths[piece] || 1,
    [dx, dy] = [(bx - ax) / length, (by - ay) / length];
  return {
    x: ax + dx * rest - dy * aside,
    y: ay + dy * rest + dx * aside,
    turn: aside ? (Math.atan2(dy, dx) * 180) / Math.PI : 0,
  };
}

/// Where the way from a node to another begins.
const beginOfWay = (from, to) => along(from, to, 0, 0);

function deathPlace(kind, stops) {
  const last = stops.at(-1),
    before = stops.at(-2);
  const uplink = data.nodes.find(node => kind.death.place === `the uplink of ${node.name}`);
  if (uplink) {
    const other = uplink === last ? parentOf(uplink) : last;
    return { ...along(uplink, other || uplink, 0.5, 0), turn: 0 };
  }
  return before ? beginOfWay(last, before) : { x: last.x, y: last.y - last.h / 2 - 6 };
}

let parents = null;

/// The next node on the way to the internet.
function parentOf(node) {
  if (!parents) {
    const root = data.nodes.find(one => one.kind === "internet"),
      queue = root ? [root] : [];
    parents = new Map(queue.map(one => [one, null]));
    for (const one of queue) {
      for (const { a, b } of data.links) {
        const other = data.nodes[a] === one ? data.nodes[b] : data.nodes[b] === one ? data.nodes[a] : null;
        if (other && !parents.has(other)) {
          parents.set(other, one);
          queue.push(other);
        }
      }
    }
  }
  return parents.get(node);
}

function signalDot(moment) {
  const share = (state.time - moment.at) / Math.max(moment.arrives - moment.at, 1e-6);
  return { family: "signal", ...along(data.nodes[moment.from], data.nodes[moment.to], share, 0), turn: 0 };
}

/// The same in words, one line each, newest first.
function listFlying(list, packets, signals) {
  const lines = [
    ...packets
      .slice(-12)
      .reverse()
      .map(packet => [packet, state.time >= endOf(packet)]),
    ...signals.map(moment => [moment, false]),
  ];
  const key = lines.map(([one, dead]) => `${typeof one === "number" ? one : "s" + one.at + one.label}${dead}`).join();
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  const shown = lines
    .slice(0, 3)
    .map(([one, dead]) =>
      typeof one === "number"
        ? flyingPacket(one, dead)
        : el(
            "li",
            {},
            sign("signal"),
            `${one.label}, from `,
            isolated(nodeName(one.from)),
            " to ",
            isolated(nodeName(one.to)),
          ),
    );
  const hidden = packets.length + signals.length - shown.length;
  list.replaceChildren(
    ...shown,
    hidden > 0 ? el("li", { class: "quiet" }, `and ${hidden} more`) : "",
    shown.length === 0 ? el("li", { class: "quiet" }, "Nothing is on its way at this instant.") : "",
  );
}

function flyingPacket(packet, dead) {
  const kind = kindOf(packet);
  return el(
    "li",
    { class: dead ? "dead" : "" },
    sign(kind.family),
    button(kind.label, () => openPacket(packet, false), { class: "link" }),
    dead
      ? ` ✕ ${kind.death.reason} at ${kind.death.place}`
      : el("span", { class: "quiet" }, ` ${kind.from} → ${kind.to}`),
  );
}

function drawLink(link) {
  const line = svg("polyline", { points: link.points.map(point => point.join(",")).join(" ") });
  const words = linkWords(link);
  if (!words) return [line];
  return [line, svg("text", { x: words.x, y: words.y, class: words.before ? "before" : null }, link.about)];
}

/// Where the words beside a link stand: at the child's end, which is its own; nearer to the parent siblings share the
/// way. Nothing if there is no room for them.
function linkWords({ a, points, about }) {
  const [[x1, y1], [x2, y2]] = points;
  if (!about || Math.hypot(x2 - x1, y2 - y1) < 14) return null;
  const before = x1 < data.topology.width / 2 - 1 && data.nodes[a].x === x1;
  return { before, x: x1 + (before ? -9 : 9), y: (y1 + y2) / 2 + 3, width: textWidth(about, 10.5) };
}

function drawNode(node, index) {
  const toggle = () => setFilter({ node: state.filter.node === index ? -1 : index });
  const group = svg(
    "g",
    {
      class: `node k-${node.kind}`,
      transform: `translate(${node.x} ${node.y})`,
      role: "button",
      tabindex: 0,
      "aria-label": [node.kind === node.name ? node.name : `${node.kind} ${node.name}`, node.type, ...node.lines]
        .filter(Boolean)
        .join(", "),
      onclick: toggle,
      onkeydown: event => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        toggle();
      },
    },
    svg("title", {}, `${node.name}: show only its packets`),
    nodeShape(node),
  );
  const lines = nodeLines(node),
    top = -(lines.length * SMALL_LINE) / 2;
  // Where a name needs the whole box the icon gives way: the shape tells the kind too.
  const plain = node.kind === "internet" || textWidth(node.name, 13, 600) > node.w - 34,
    name = fitted(node.name, node.w - (plain ? 12 : 34), 13, 600);
  if (!plain)
    group.append(icon(node.kind, { x: -textWidth(name, 13, 600) / 2 - 10, y: top - 8, width: 13, height: 13 }));
  group.append(svg("text", { class: "name", x: plain ? 0 : 8, y: top + 4 }, name));
  lines.forEach((line, row) =>
    group.append(svg("text", { y: top + 17 + row * SMALL_LINE }, fitted(line, node.w - 14, 10.5))),
  );
  return group;
}

/// The type and the addresses, as many lines as there is room for.
function nodeLines(node) {
  const room = Math.max(Math.floor((node.h - 20) / SMALL_LINE), node.lines.length ? 1 : 0),
    type = node.type ?? "";
  const types = textWidth(type, 10.5) <= node.w - 14 ? [type] : type.split(", ");
  const all = [...types, ...node.lines].filter(line => line !== "");
  if (all.length <= room) return all;
  return [node.lines[0], ...types, ...node.lines.slice(1)].filter(Boolean).slice(0, room);
}

function showNode(info) {
  const node = data.nodes[state.filter.node];
  show(info, Boolean(node));
  if (!node) return info.replaceChildren();
  info.replaceChildren(
    el(
      "h3",
      {},
      icon(node.kind),
      isolated(node.name),
      node.type ? el("small", {}, node.type) : "",
      button(icon("close"), () => setFilter({ node: -1 }), {
        class: "bare",
        "aria-label": `Show all packets, not only those of ${node.name}`,
      }),
    ),
    node.lines.length
      ? el(
          "p",
          {},
          node.lines.map((line, i) => [i ? ", " : "", address(line)]),
        )
      : "",
    el(
      "ul",
      {},
      node.about.map(line => el("li", {}, isolated(line))),
    ),
  );
}
