// NAT tables and TURN relays as they are at the current time. A table is built anew only when its content changes.

const MOST_ROWS = 60,
  MOST_SENDERS = 5;

/// Paints `place` if what it is to show differs from what it shows.
function repaint(place, content, draw) {
  const key = JSON.stringify(content);
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.replaceChildren(...[draw(content)].flat());
}

function table(heads, lines, label) {
  return el(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": label },
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heads.map(head => el("th", { scope: "col" }, head)),
        ),
      ),
      el("tbody", {}, lines),
    ),
  );
}

const cells = (...contents) => contents.map(content => el("td", {}, ...[content].flat()));
const quiet = text => el("p", { class: "quiet" }, text);
const packetLink = (packet, text) => button(text, () => openPacket(packet), { class: "link" });

function startTables() {
  const nats = data.nats.map(nat => {
    const place = el("div", { class: "table" }),
      node = data.nodes[nat.node];
    byId("nats").append(
      el("h3", {}, icon(node.kind), isolated(node.name), node.type ? el("small", {}, node.type) : ""),
      place,
    );
    return { nat, place };
  });
  const turns = data.turns.map(turn => {
    const place = el("div", { class: "table" });
    byId("turns").append(el("h3", {}, icon("server"), isolated(nodeName(turn.node))), place);
    return { turn, place };
  });
  show(byId("nats"), nats.length > 0);
  show(byId("turns"), turns.length > 0);
  on("time", () => {
    nats.forEach(({ nat, place }) => repaint(place, natNow(nat), natTable));
    turns.forEach(({ turn, place }) => repaint(place, turnNow(turn), turnTable));
  });
}

function natNow(nat) {
  const time = state.time,
    recent = linger();
  const living = nat.mappings.filter(
    mapping => mapping.from <= time && (mapping.until === null || time < mapping.until),
  );
  const lines = living.slice(-MOST_ROWS).map(mapping => {
    const used = lastUntil(mapping.used, time, packet => reached(packet, nat.node));
    const usedAt = used === undefined ? null : reached(used, nat.node);
    const accepts =
      mapping.accepts && mapping.accepts.slice(0, countUntil(mapping.accepts, time, first)).map(entry => entry[1]);
    const opened = lastUntil(mapping.accepts || [], time, first);
    return {
      inside: mapping.inside,
      outside: mapping.outside,
      for: mapping.for,
      protocol: [mapping.protocol, lastUntil(mapping.phases || [], time, first)?.[1]].filter(Boolean).join(" "),
      explicit: mapping.explicit === true,
      accepts,
      used,
      usedAt,
      fresh: time - mapping.from <= recent,
      opened: opened !== undefined && time - opened[0] <= recent,
      hot: usedAt !== null && time - usedAt <= recent,
    };
  });
  return {
    name: nodeName(nat.node),
    lines,
    more: living.length - lines.length,
    was: nat.mappings.length > 0,
    perDestination: nat.mappings.some(mapping => mapping.for !== "anybody"),
    protocols: nat.mappings.some(mapping => mapping.protocol !== "udp"),
  };
}

function natTable({ name, lines, more, was, perDestination, protocols }) {
  if (lines.length === 0) return quiet(was ? "No mapping at this instant." : "It never made a mapping.");
  const heads = ["inside", "outside", perDestination && "only towards", "lets in", "last used"].filter(Boolean);
  const body = lines.map(line =>
    el(
      "tr",
      { class: line.fresh ? "fresh" : line.hot ? "hot" : "" },
      cells(
        address(line.inside),
        [
          address(line.outside),
          protocols ? el("small", {}, ` ${line.protocol}`) : "",
          line.explicit ? el("small", { title: "its host asked the NAT for it" }, " explicit") : "",
          line.fresh ? el("em", { class: "flag" }, "new") : "",
        ],
        ...(perDestination ? [address(line.for)] : []),
        senders(line.accepts, line.opened),
        line.used === undefined ? "–" : packetLink(line.used, duration(line.usedAt)),
      ),
    ),
  );
  return [table(heads, body, `Mappings of ${name}`), more > 0 ? quiet(`and ${more} older mappings`) : ""];
}

function senders(accepts, opened) {
  if (accepts === null) return "anybody";
  if (accepts.length === 0) return "nobody yet";
  const shown = accepts.slice(-MOST_SENDERS),
    hidden = accepts.slice(0, -MOST_SENDERS);
  return [
    hidden.length ? el("div", { class: "quiet", title: hidden.join(", ") }, `${hidden.length} earlier`) : "",
    ...shown.map((one, index) =>
      el("div", { class: opened && index === shown.length - 1 ? "opened" : "" }, address(one)),
    ),
  ];
}

function turnNow(turn) {
  const time = state.time;
  return turn.allocations
    .filter(one => one.from <= time && (one.until === null || time < one.until))
    .map(one => ({
      relayed: one.relayed,
      client: one.client,
      user: one.user,
      from: one.from,
      permissions: grants(one.permissions, time),
      channels: grants(one.channels, time),
    }));
}

/// What holds at `time`. A refresh is a later entry with the same words; the last one counts.
function grants(entries, time) {
  const holding = new Map();
  entries.slice(0, countUntil(entries, time, first)).forEach(entry => {
    const words = entry.slice(1, -1).join(" → ");
    holding.set(words, { words, fresh: time - entry[0] <= linger(), left: entry.at(-1) > time });
  });
  return [...holding.values()].filter(grant => grant.left);
}

function turnTable(allocations) {
  if (allocations.length === 0) return quiet("No allocation at this instant.");
  const list = (grants, none) =>
    grants.length
      ? grants.map(grant => el("div", { class: grant.fresh ? "opened" : "" }, address(grant.words)))
      : el("span", { class: "quiet" }, none);
  return table(
    ["relayed address", "for the client", "permissions", "channels"],
    allocations.map(one =>
      el(
        "tr",
        {},
        cells(
          address(one.relayed),
          [address(one.client), el("small", {}, " ", isolated(one.user))],
          list(one.permissions, "none"),
          list(one.channels, "none"),
        ),
      ),
    ),
    "Allocations",
  );
}
