// The header: what became of each call, and why.

const PATHS = {
  direct: "no NAT rewrote the packets",
  stun: "a hole was punched through the NATs",
  relay: "through a TURN relay",
  failed: "no way was found",
};

/// Sentences end with a full stop and a blank; addresses hold full stops but no blanks.
const sentences = text => text.split(/(?<=[.!?])\s+/).filter(sentence => sentence !== "");

function startVerdict() {
  const place = byId("verdict");
  place.replaceChildren();
  if (data.missing) place.append(el("p", { class: "note" }, data.missing));
  if (data.calls.length === 0) return place.append(el("p", { class: "note" }, "This scenario makes no call."));
  const panels = data.calls.map(verdictCard);
  if (data.calls.length > 1) place.append(callTabs(panels));
  place.append(...panels);
  on("call", () => panels.forEach((panel, index) => show(panel, index === state.call)));
}

function verdictCard(oneCall, index) {
  const several = data.calls.length > 1;
  const role = several ? { role: "tabpanel", "aria-labelledby": `tab-${index}` } : {};
  return el(
    "article",
    { class: "verdict", id: `verdict-${index}`, "data-path": oneCall.path, ...role },
    el(
      "p",
      { class: "stamp" },
      icon(oneCall.path),
      el("strong", {}, oneCall.path),
      el("small", {}, PATHS[oneCall.path]),
    ),
    el(
      "div",
      {},
      el("p", { class: "headline" }, isolated(oneCall.headline)),
      oneCall.facts && el("p", { class: "facts" }, isolated(oneCall.facts)),
      oneCall.why &&
        el(
          "ul",
          { class: "why" },
          sentences(oneCall.why).map(sentence => el("li", {}, isolated(sentence))),
        ),
      flipsOf(index),
    ),
  );
}

function callTabs(panels) {
  const tabs = data.calls.map((oneCall, index) =>
    button(
      [
        icon(oneCall.path),
        el("strong", {}, oneCall.path),
        " ",
        isolated(nodeName(oneCall.from)),
        " → ",
        isolated(nodeName(oneCall.to)),
      ],
      () => setCall(index),
      {
        role: "tab",
        id: `tab-${index}`,
        "aria-controls": panels[index].id,
        "data-path": oneCall.path,
        onkeydown: event => moveTab(event, index),
      },
    ),
  );
  on("call", () =>
    tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === state.call));
      tab.tabIndex = index === state.call ? 0 : -1;
    }),
  );

  function moveTab(event, index) {
    const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const wanted = (to + tabs.length) % tabs.length;
    setCall(wanted);
    tabs[wanted].focus();
  }
  return el("div", { class: "tabs", role: "tablist", "aria-label": "Calls" }, tabs);
}
