// One row of the ladder: an arrow between columns, or a mark on one.

const ROW = 42,
  LABEL_Y = 13,
  LINE_Y = 21,
  TURN = 5,
  NOTE_Y = 36,
  LABEL_SIZE = 12,
  NOTE_SIZE = 10.5;

/// Where the columns stand: `x(node)`, or null for nodes that have none.
function layOut(columns, width) {
  const margin = 44,
    gap = columns.length > 1 ? (width - 2 * margin) / (columns.length - 1) : 0;
  const places = new Map(columns.map((node, index) => [node, margin + index * gap]));
  return { columns, width, gap, x: node => places.get(node) ?? null };
}

function drawRow(row, grid) {
  const picture = svg(
    "svg",
    { width: grid.width, height: ROW, viewBox: `0 0 ${grid.width} ${ROW}`, "aria-hidden": "true" },
    svg("path", { class: "life", d: grid.columns.map(node => `M${grid.x(node)} 0v${ROW}`).join("") }),
  );
  if (row.kind === "p") drawPacket(picture, row.index, grid);
  else drawMoment(picture, data.moments[row.index], grid);
  return picture;
}

function drawMoment(picture, moment, grid) {
  if (moment.kind === "signal") {
    const from = grid.x(moment.from),
      to = grid.x(moment.to);
    if (from === null || to === null) return;
    const lost = moment.arrives === null,
      way = Math.sign(to - from) || 1,
      end = lost ? (from + to) / 2 : to;
    picture.setAttribute("class", "f-signal");
    picture.append(
      svg("path", { class: "line signal", d: `M${from} ${LINE_Y}H${end - way * 3}` }),
      lost ? cross(end) : head(to, way, LINE_Y),
    );
    placeLabel(picture, moment.label + (lost ? " (lost)" : ""), (from + to) / 2, grid);
    return;
  }
  if (moment.kind === "change") {
    picture.setAttribute("class", "f-change");
    picture.append(svg("path", { class: "line", d: `M0 ${LINE_Y}H${grid.width}` }));
    placeLabel(picture, moment.label, grid.width / 2, grid);
    return;
  }
  const x = grid.x(moment.node);
  if (x === null) return;
  picture.setAttribute("class", "f-event");
  picture.append(svg("path", { class: "fill", d: DOTS.event, transform: `translate(${x} ${LINE_Y})` }));
  const right = x < grid.width / 2,
    room = (right ? grid.width - x : x) - 14;
  picture.append(
    svg(
      "text",
      { class: "label", x: x + (right ? 11 : -11), y: LINE_Y + 4, "text-anchor": right ? "start" : "end" },
      fitted(moment.label, room, LABEL_SIZE),
    ),
  );
}

function drawPacket(picture, packet, grid) {
  const kind = kindOf(packet),
    stops = shownStops(kind, grid);
  if (stops.length === 0) return;
  const xs = stops.map(grid.x);
  const ends = endOfLine(kind, stops, grid);
  const { path, last, way } = linePath(ends === null ? xs : [...xs, ends]);
  const family = kind.death ? "dead" : kind.family;
  picture.setAttribute("class", `f-${family}`);
  picture.append(svg("path", { class: "line", d: path, "stroke-dasharray": kind.death ? "5 3.5" : null }));
  xs.slice(1, -1).forEach((x, index) =>
    picture.append(svg("circle", { class: "fill", cx: x, cy: levelOf(xs, index + 1), r: 1.8 })),
  );
  if (kind.death) picture.append(cross(last.x - (ends === null ? way * 5 : 0), last.y));
  else if (kind.fate === "delivered") picture.append(head(last.x, way, last.y));
  const rings = kind.rewrites
    .map(rewrite => ({ rewrite, x: grid.x(kind.stops[rewrite.stop]) }))
    .filter(ring => ring.x !== null);
  rings.forEach(({ rewrite, x }) => {
    const ring = svg("circle", {
      class: "ring",
      cx: x,
      cy: levelOf(xs, stops.indexOf(kind.stops[rewrite.stop])),
      r: 4,
    });
    ring.append(svg("title", {}, `${rewrite.before} ⇒ ${rewrite.after}`));
    picture.append(ring);
  });
  placeLabel(picture, kind.label, (Math.min(...xs) + Math.max(...xs, last.x)) / 2, grid);
  placeNotes(picture, kind, rings, last, grid);
}

/// The stops that have a column. One where the line would turn back is left out, unless something happened there.
function shownStops(kind, grid) {
  const rewritten = new Set(kind.rewrites.map(rewrite => kind.stops[rewrite.stop]));
  const stops = kind.stops.filter(stop => grid.x(stop) !== null);
  return stops.filter((stop, index) => {
    if (index === 0 || index === stops.length - 1 || rewritten.has(stop)) return true;
    const x = grid.x(stop);
    return x > grid.x(stops[index - 1]) === grid.x(stops[index + 1]) > x;
  });
}

/// Where a packet that died on a link ended: half a column further.
function endOfLine(kind, stops, grid) {
  if (!kind.death || !kind.death.place.startsWith("the uplink")) return null;
  const x = grid.x(stops.at(-1)),
    before = stops.length > 1 ? grid.x(stops.at(-2)) : null;
  const way = before === null ? (x < grid.width / 2 ? 1 : -1) : Math.sign(x - before) || 1;
  return x + (way * grid.gap) / 2;
}

/// A line through all stops. Where it turns back it goes on a little lower.
function linePath(xs) {
  let path = `M${xs[0]} ${LINE_Y}`,
    way = 0,
    y = LINE_Y;
  for (let i = 1; i < xs.length; i++) {
    const now = Math.sign(xs[i] - xs[i - 1]);
    if (way !== 0 && now !== 0 && now !== way && y === LINE_Y) path += `v${(y += TURN) - LINE_Y}`;
    way = now || way;
    path += `H${i === xs.length - 1 ? xs[i] - way * 3 : xs[i]}`;
  }
  if (xs.length === 1) path += "h14";
  return { path, way: way || 1, last: { x: xs.length === 1 ? xs[0] + 18 : xs.at(-1), y } };
}

function levelOf(xs, index) {
  const first = Math.sign(xs[1] - xs[0]);
  return xs.slice(1, index + 1).some((x, i) => Math.sign(x - xs[i]) === -first) ? LINE_Y + TURN : LINE_Y;
}

const cross = (x, y = LINE_Y) => svg("path", { class: "cross", d: CROSS, transform: `translate(${x} ${y})` });
const head = (x, way, y) => svg("path", { class: "fill", d: `M${x} ${y}l${-way * 9}-4.5v9z` });

function placeLabel(picture, text, middle, grid) {
  const shown = fitted(text, grid.width - 8, LABEL_SIZE),
    half = textWidth(shown, LABEL_SIZE) / 2 + 3;
  const x = Math.min(Math.max(middle, half), grid.width - half);
  picture.append(svg("text", { class: "label", x, y: LABEL_Y, "text-anchor": "middle" }, shown));
}

/// Under the line: the new address at each ring, and at a cross the reason with as much of the rule as there is room for.
function placeNotes(picture, kind, rings, last, grid) {
  const deathX = last.x,
    y = NOTE_Y + (last.y > LINE_Y ? 3 : 0);
  const taken = [];
  let death = null;
  if (kind.death) {
    const right = deathX < grid.width / 2,
      width = textWidth(kind.death.reason, NOTE_SIZE, 600) + 6;
    const edge = right ? Math.max(deathX - 12, 3) : Math.min(deathX + 12, grid.width - 3);
    death = { right, edge, width };
    taken.push(right ? [edge, edge + width] : [edge - width, edge]);
  }
  const notes = placedRewrites(rings, taken, grid);
  notes.forEach(note =>
    picture.append(svg("text", { class: "note", x: note.x, y, "text-anchor": "middle" }, note.text)),
  );
  if (!death) return;
  const walls = notes.flatMap(note => note.box);
  const room = death.right
    ? Math.min(grid.width, ...walls.filter(wall => wall > death.edge)) - death.edge
    : death.edge - Math.max(0, ...walls.filter(wall => wall < death.edge));
  const rule = kind.death.rule ? fitted(" " + kind.death.rule, room - death.width - 8, NOTE_SIZE) : "";
  picture.append(
    svg(
      "text",
      { class: "reason", x: death.edge, y, "text-anchor": death.right ? "start" : "end" },
      svg("tspan", {}, kind.death.reason),
      rule.length > 5 ? svg("tspan", {}, rule) : "",
    ),
  );
}

/// Each new address in full where there is room, otherwise its port, otherwise nothing: the details have it.
function placedRewrites(rings, taken, grid) {
  const placed = [];
  const overlaps = (box, except) =>
    [...taken, ...placed.filter(note => note !== except).map(note => note.box)].some(
      ([from, to]) => box[0] < to && from < box[1],
    );
  const boxed = (text, x) => {
    const half = textWidth(text, NOTE_SIZE) / 2 + 4,
      middle = Math.min(Math.max(x, half), grid.width - half);
    return { text, x: middle, box: [middle - half, middle + half] };
  };
  for (const { rewrite, x } of rings) {
    const after = changedPart(rewrite)[1];
    const note = boxed("⇒ " + after.slice(after.lastIndexOf(":")), x);
    if (!overlaps(note.box)) placed.push(Object.assign(note, { full: boxed("⇒ " + after, x) }));
  }
  placed.forEach(note => !overlaps(note.full.box, note) && Object.assign(note, note.full));
  return placed;
}

/// A row in words, for those who hear it.
function spoken(row) {
  if (row.kind === "b") return `${row.text}, until ${duration(row.until)}`;
  if (row.kind === "m") {
    const moment = data.moments[row.index];
    if (moment.kind !== "signal") return moment.label;
    return `Signalling from ${nodeName(moment.from)} to ${nodeName(moment.to)}: ${moment.label}`;
  }
  const kind = kindOf(row.index),
    last = kind.stops.at(-1);
  const fate = kind.death ? `died at ${kind.death.place}: ${kind.death.reason}` : kind.fate;
  return `${kind.label}, from ${nodeName(kind.stops[0])} towards ${nodeName(last)}, ${fate}${kind.rewrites.length ? `, rewritten ${plural(kind.rewrites.length, "time")}` : ""}`;
}
