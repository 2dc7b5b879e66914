// The header: what became of each call, and why; and of the endpoints.

const STAMPS = {
  direct: "no NAT rewrote the packets",
  stun: "a hole was punched through the NATs",
  relay: "through a TURN relay",
  failed: "no way was found",
  endpoints: "peers with programs of their own",
};

const MOST_ENDS = 4; // how many names a tab has room for

/// Sentences end with a full stop and a blank; addresses hold full stops but no blanks.
const sentences = text => text.split(/(?<=[.!?])\s+/).filter(sentence => sentence !== "");

function startVerdict() {
  const place = byId("verdict");
  place.replaceChildren();
  if (data.missing) place.append(el("p", { class: "note" }, data.missing));
  if (data.tabs.length === 0) return place.append(el("p", { class: "note" }, "This scenario makes no call."));
  const panels = data.tabs.map(verdictCard);
  if (data.tabs.length > 1) place.append(tabList(panels));
  place.append(...panels);
  on("tab", () => panels.forEach((panel, index) => show(panel, index === state.tab)));
}

function verdictCard(oneTab, index) {
  const several = data.tabs.length > 1;
  const role = several ? { role: "tabpanel", "aria-labelledby": `tab-${index}` } : {};
  return el(
    "article",
    { class: "verdict", id: `verdict-${index}`, "data-path": oneTab.stamp, ...role },
    el(
      "p",
      { class: "stamp" },
      icon(oneTab.stamp),
      el("strong", {}, oneTab.stamp),
      el("small", {}, STAMPS[oneTab.stamp]),
    ),
    el(
      "div",
      {},
      el("p", { class: "headline" }, isolated(oneTab.headline)),
      oneTab.facts && el("p", { class: "facts" }, isolated(oneTab.facts)),
      oneTab.media?.map(line => el("p", { class: "facts" }, isolated(line))),
      oneTab.why &&
        el(
          "ul",
          { class: "why" },
          sentences(oneTab.why).map(sentence => el("li", {}, isolated(sentence))),
        ),
      flipsOf(index),
    ),
  );
}

function tabList(panels) {
  const tabs = data.tabs.map((oneTab, index) =>
    button(
      [icon(oneTab.stamp), el("strong", {}, oneTab.stamp), " ", el("span", {}, endsOf(oneTab))],
      () => setTab(index),
      {
        role: "tab",
        id: `tab-${index}`,
        "aria-controls": panels[index].id,
        "data-path": oneTab.stamp,
        onkeydown: event => moveTab(event, index),
      },
    ),
  );
  on("tab", () =>
    tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === state.tab));
      tab.tabIndex = index === state.tab ? 0 : -1;
    }),
  );

  function moveTab(event, index) {
    const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const wanted = (to + tabs.length) % tabs.length;
    setTab(wanted);
    tabs[wanted].focus();
  }
  return el("div", { class: "tabs", role: "tablist", "aria-label": "Verdicts" }, tabs);
}

/// Who calls whom, or who has an endpoint.
function endsOf({ stamp, ends }) {
  const between = stamp === "endpoints" ? ", " : " → ",
    more = ends.length - MOST_ENDS;
  return [
    ends.slice(0, MOST_ENDS).map((node, index) => [index ? between : "", isolated(nodeName(node))]),
    more > 0 ? ` and ${more} more` : "",
  ].flat(2);
}
