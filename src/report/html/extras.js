// What does not change with time: drops, expectations, assumptions, the scenario, downloads.

function startExtras() {
  drawDrops(byId("drops"));
  byId("about").append(
    ...[
      data.file && isolated(data.file),
      `seed ${data.seed}`,
      `${duration(data.duration_ms)} of virtual time`,
      plural(data.packet_count, "packet"),
    ]
      .filter(Boolean)
      .flatMap((part, index) => [index ? " · " : "", part]),
  );
  byId("extras").append(
    data.expectations.length ? expectations() : "",
    el(
      "details",
      { id: "scenario-text" },
      el("summary", {}, "Scenario ", el("small", {}, isolated(data.scenario.name))),
      el("pre", { tabindex: 0 }, data.scenario.text),
    ),
    data.assumed.length
      ? el(
          "details",
          {},
          el(
            "summary",
            {},
            "Assumed ",
            el("small", {}, plural(data.assumed.length, "value") + " the scenario left open"),
          ),
          el(
            "ul",
            { class: "assumed" },
            data.assumed.map(line => el("li", {}, isolated(line))),
          ),
        )
      : "",
    downloads(),
  );
  byId("foot").append(`${data.program}. Virtual time; no packet left this computer.`);
}

function drawDrops(place) {
  if (data.drops.length === 0) return place.append(quiet("No packet died."));
  place.append(
    el(
      "ul",
      { class: "drops" },
      data.drops.map(drop => {
        const soFar = el("small", {});
        on("time", () => {
          const text = `${countUntil(drop.packets, state.time, endOf)} so far`;
          if (soFar.textContent !== text) soFar.textContent = text;
        });
        return el(
          "li",
          {},
          el(
            "button",
            {
              type: "button",
              onclick: () => openNext(drop.packets),
              title: "Go to the next of these packets",
              disabled: drop.packets.length === 0,
            },
            el("strong", {}, `${drop.count} ×`),
            el("span", {}, el("code", {}, drop.reason), " at ", isolated(drop.by)),
            drop.rfc ? el("span", { class: "rfc" }, drop.rfc) : "",
            soFar,
          ),
          drop.example ? el("p", { class: "rule" }, isolated(drop.example)) : "",
        );
      }),
    ),
  );
}

/// Pressed again and again, it goes from one to the next and begins again at the end.
function openNext(packets) {
  const open = state.open?.[0] === "p" ? packets.indexOf(state.open[1]) : -1;
  openPacket(packets[(open + 1) % packets.length]);
}

function expectations() {
  const held = data.expectations.filter(one => one.ok).length,
    all = data.expectations.length;
  return el(
    "details",
    { open: held < all },
    el(
      "summary",
      {},
      "Expectations ",
      el(
        "small",
        { class: held < all ? "bad" : "good" },
        held < all ? `✕ ${all - held} of ${all} failed` : `✓ all ${all} hold`,
      ),
    ),
    el(
      "ul",
      { class: "expectations" },
      data.expectations.map(one =>
        el(
          "li",
          { class: one.ok ? "good" : "bad" },
          icon(one.ok ? "yes" : "failed", {
            role: "img",
            "aria-hidden": null,
            "aria-label": one.ok ? "holds" : "failed",
          }),
          el("span", {}, isolated(one.text)),
          el("small", {}, `line ${one.line}`),
        ),
      ),
    ),
  );
}

function downloads() {
  const status = el("p", { class: "quiet", role: "status" });
  const scenario = { label: "Scenario", name: data.scenario.name, mime: "text/yaml", text: data.scenario.text };
  return el(
    "div",
    { class: "downloads" },
    el("h3", {}, "Downloads"),
    [scenario, ...data.downloads].map(file =>
      file.instead
        ? el("p", { class: "quiet" }, `${file.label}: ${file.instead}`)
        : button(
            `${file.label}`,
            () => save(file).catch(() => (status.textContent = `This browser cannot unpack ${file.name}.`)),
            { title: file.name },
          ),
    ),
    status,
  );
}

async function save(file) {
  const content = file.text ?? (await unpacked(file.gzip));
  const url = URL.createObjectURL(new Blob([content], { type: file.mime }));
  el("a", { href: url, download: file.name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function unpacked(base64) {
  const packed = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
