// Everything about one packet or moment.

function startDetails() {
  on("open", () => {
    const panel = byId("details");
    show(panel, state.open !== null);
    if (!state.open) return panel.replaceChildren();
    const [kind, index] = state.open;
    panel.replaceChildren(...(kind === "p" ? packetDetails(index) : momentDetails(data.moments[index])));
    panel.scrollTop = 0;
    panel.scrollIntoView({ block: "nearest" });
  });
}

function focusDetails() {
  requestAnimationFrame(() => byId("details-title")?.focus());
}

function closeDetails() {
  const inside = byId("details").contains(document.activeElement);
  setOpen(null);
  if (inside) ladder.tree.focus({ preventScroll: true });
}

function detailsHead(title, sign) {
  return el(
    "div",
    { class: "details-head" },
    sign,
    el("h2", { id: "details-title", tabindex: -1 }, isolated(title)),
    button(icon("close"), closeDetails, {
      class: "bare",
      id: "close-details",
      "aria-label": "Close details",
      title: "Close (Esc)",
    }),
  );
}

const fact = (name, ...content) => [el("dt", {}, name), el("dd", {}, ...content)];

function momentDetails(moment) {
  const signal = moment.kind === "signal";
  return [
    detailsHead(moment.label, sign(signal ? "signal" : "event")),
    el(
      "dl",
      { class: "facts" },
      fact("at", duration(moment.at)),
      signal
        ? [
            fact(
              "from",
              isolated(nodeName(moment.from)),
              " → ",
              isolated(nodeName(moment.to)),
              ", by the signalling server, outside the network shown here",
            ),
            fact(
              "arrives",
              moment.arrives === null
                ? "never: it was lost"
                : `${duration(moment.arrives)}, ${duration(moment.arrives - moment.at)} later`,
            ),
          ]
        : fact("where", moment.kind === "change" ? "in the scenario" : isolated(nodeName(moment.node))),
    ),
  ];
}

function packetDetails(packet) {
  const kind = kindOf(packet),
    attributes = attributesOf(packet),
    effects = causedBy(packet),
    cause = causeOf(packet);
  return [
    detailsHead(kind.label, sign(kind.family)),
    el(
      "div",
      { class: "details-body" },
      el(
        "div",
        {},
        el(
          "dl",
          { class: "facts" },
          fact("packet", `${packet}, ${kind.protocol.toUpperCase()}, ${plural(kind.bytes, "byte")}`),
          fact("sent", duration(startOf(packet)), " as ", address(kind.from), " → ", address(kind.to)),
          fact("fate", fateOf(packet, kind)),
          cause >= 0 ? fact("because of", packetReference(cause)) : "",
          effects.length
            ? fact(
                "led to",
                effects.slice(0, 6).map(packetReference),
                effects.length > 6 ? el("div", { class: "quiet" }, `and ${effects.length - 6} more`) : "",
              )
            : "",
        ),
        el("h3", {}, "The way"),
        wayOf(packet, kind),
      ),
      el(
        "div",
        {},
        el("h3", {}, "What it says"),
        attributes.length
          ? attributeList(attributes)
          : quiet(kind.family === "data" ? "Data; nothing to decode." : "Nothing to decode."),
      ),
    ),
  ];
}

function packetReference(packet) {
  return el(
    "div",
    {},
    button(
      `packet ${packet}`,
      () => {
        openPacket(packet);
        focusDetails();
      },
      { class: "link" },
    ),
    ` ${duration(startOf(packet))} `,
    isolated(kindOf(packet).label),
  );
}

function fateOf(packet, { fate, death, stops }) {
  if (!death)
    return [
      fate === "delivered" ? el("strong", { class: "good" }, "✓ delivered") : el("strong", {}, fate),
      ` ${fate === "delivered" ? "to" : "near"} `,
      isolated(nodeName(stops.at(-1))),
      ` at ${duration(endOf(packet))}`,
    ];
  return [
    el("strong", { class: "bad" }, "✕ died"),
    " at ",
    isolated(death.place),
    ` at ${duration(endOf(packet))}: `,
    el("code", {}, death.reason),
    death.rfc ? el("span", { class: "rfc" }, death.rfc) : "",
    death.rule ? el("div", { class: "rule" }, isolated(death.rule)) : "",
  ];
}

function wayOf(packet, kind) {
  const start = startOf(packet),
    timing = timingOf(packet),
    last = kind.stops.length - 1;
  return el(
    "ol",
    { class: "way" },
    kind.stops.map((stop, index) => {
      const at = start + (timing[index]?.[0] ?? 0),
        died = index === last && kind.death;
      return el(
        "li",
        { class: died ? "bad" : "" },
        el("span", { class: "time" }, duration(at)),
        icon(data.nodes[stop].kind),
        el("strong", {}, isolated(nodeName(stop))),
        index > 0 ? el("small", {}, ` +${duration(at - start - timing[index - 1][0])}`) : "",
        died
          ? el(
              "span",
              { class: "bad" },
              ` ✕ ${kind.death.place === nodeName(stop) ? "died here" : `died on ${kind.death.place}`}`,
            )
          : "",
        kind.rewrites.filter(rewrite => rewrite.stop === index).map(rewriteLine),
      );
    }),
  );
}

function rewriteLine(rewrite) {
  const [from, to] = changedPart(rewrite);
  const marked = (text, part) => {
    const at = text.indexOf(part);
    return at < 0 || part === text
      ? [isolated(text)]
      : [isolated(text.slice(0, at)), el("mark", {}, isolated(part)), isolated(text.slice(at + part.length))];
  };
  return el(
    "div",
    { class: "rewrite" },
    el("span", {}, marked(rewrite.before, from)),
    el("span", {}, "⇒ ", marked(rewrite.after, to)),
  );
}

function attributeList(attributes) {
  return el(
    "dl",
    { class: "attributes" },
    attributes.map(([name, value]) =>
      Array.isArray(value)
        ? el("div", { class: "nested" }, el("dt", {}, name), el("dd", {}, attributeList(value)))
        : el("div", {}, el("dt", {}, name), el("dd", {}, isolated(String(value)))),
    ),
  );
}
