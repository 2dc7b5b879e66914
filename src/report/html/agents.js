// Candidates and pairs of the two ICE agents of the chosen call, at the current time.

const STATE_SIGNS = { frozen: "❄", waiting: "…", "in-progress": "↻", failed: "✕", succeeded: "✓" };

function startAgents() {
  const list = el("div", { class: "agents" });
  byId("agents").append(list);
  let places = [];
  on("tab", () => {
    const agents = data.agents.filter(agent => agent.tab === state.tab);
    places = agents.map(agent => ({ agent, place: el("div", { class: "agent" }) }));
    list.replaceChildren(...places.map(({ place }) => place));
    show(byId("agents"), agents.length > 0);
  });
  on("time", () => places.forEach(({ agent, place }) => repaint(place, agentNow(agent), drawAgent)));
}

function agentNow(agent) {
  const time = state.time,
    until = list => list.slice(0, countUntil(list, time, first));
  const selected = lastUntil(agent.selected, time, first);
  return {
    name: nodeName(agent.node),
    role: agent.role,
    stack: agent.stack,
    state: lastUntil(agent.states, time, first)?.[1] ?? "not begun",
    local: until(agent.candidates).map(entry => entry.slice(1)),
    remote: until(agent.remote).map(entry => entry.slice(1)),
    selected: selected ? selected[2] : null,
    pairs: agent.pairs
      .filter(pair => pair.states.length > 0 && pair.states[0][0] <= time)
      .map(pair => pairNow(pair, agent.pairs.indexOf(pair) === selected?.[1])),
  };
}

function pairNow(pair, chosen) {
  const time = state.time,
    [at, now] = lastUntil(pair.states, time, first);
  const sent = countUntil(pair.checks, time, startOf);
  // The note is about all checks of the pair; it would tell too much before they, or the call, are done.
  const last = pair.checks.at(-1);
  const done = Math.max(pair.states.at(-1)[0], last === undefined ? 0 : endOf(last));
  const toldAt = Math.min(tab().settled_ms ?? Infinity, done);
  return {
    local: pair.local,
    remote: pair.remote,
    now,
    sent,
    last: pair.checks[sent - 1],
    chosen,
    fresh: time - at <= linger(),
    note: time >= toldAt ? pair.note : "",
  };
}

function drawAgent({ name, role, stack, state: now, local, remote, selected, pairs }) {
  return [
    el(
      "h3",
      {},
      icon("peer"),
      isolated(name),
      el("small", {}, `${stack}, ${role}`),
      el("span", { class: `state s-${now}` }, now),
    ),
    el(
      "dl",
      { class: "candidates" },
      el("dt", {}, "own"),
      el("dd", {}, candidates(local)),
      el("dt", {}, "told"),
      el("dd", {}, candidates(remote)),
      selected
        ? [el("dt", {}, "chosen"), el("dd", {}, el("strong", { class: "chosen" }, "★ ", isolated(selected)))]
        : "",
    ),
    pairs.length === 0
      ? quiet("No pair yet.")
      : table(["own", "theirs", "state", "checks"], pairs.flatMap(pairLines), `Pairs of ${name}`),
  ];
}

function candidates(list) {
  if (list.length === 0) return el("span", { class: "quiet" }, "none yet");
  return list.map(([type, where]) => el("span", { class: "candidate" }, el("b", {}, type), " ", address(where)));
}

function pairLines(pair) {
  const end = text => {
    const blank = text.indexOf(" ");
    return blank < 0 ? address(text) : [el("b", {}, text.slice(0, blank)), " ", address(text.slice(blank + 1))];
  };
  const looks = `${pair.chosen ? "chosen" : ""} ${pair.fresh ? "hot" : ""}`;
  const line = el(
    "tr",
    { class: `${looks} ${pair.note ? "with-note" : ""}` },
    cells(
      [pair.chosen ? el("span", { title: "selected", "aria-label": "selected" }, "★ ") : "", end(pair.local)].flat(),
      end(pair.remote),
      el("span", { class: `state s-${pair.now}` }, STATE_SIGNS[pair.now] || "", " ", pair.now),
      pair.sent ? packetLink(pair.last, String(pair.sent)) : "–",
    ),
  );
  return pair.note
    ? [line, el("tr", { class: `note-line ${looks}` }, el("td", { colspan: 4 }, isolated(pair.note)))]
    : [line];
}
