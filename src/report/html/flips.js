// The smallest changes that would have given a call another path. Each was run; the page only lists what came of it.

const PATH_ORDER = ["direct", "stun", "relay", "failed"];

/// What would have made this call better or worse, behind a line that names the best; nothing if nothing would.
function flipsOf(index) {
  const now = PATH_ORDER.indexOf(data.tabs[index].stamp);
  if (!data.flips || now < 0) return "";
  const { better, worse, mixed } = data.flips;
  const gain = flip => now - PATH_ORDER.indexOf(flip.calls[index][0]);
  const all = [...better, ...worse, ...mixed];
  const gains = all.filter(flip => gain(flip) > 0),
    losses = all.filter(flip => gain(flip) < 0);
  if (gains.length + losses.length === 0) return "";
  const lists = el(
    "div",
    { class: "flips" },
    flipList("Better", gains, index),
    flipList("Worse", losses, index),
    el(
      "p",
      { class: "quiet" },
      `${plural(data.flips.tried, "single change")} tried, each by running the changed scenario. ` +
        "Pairs of changes: punchlab explain.",
    ),
  );
  return el("details", { class: "what-if" }, el("summary", {}, flipSummary(gains, losses, index)), lists);
}

function flipSummary(gains, losses, index) {
  const best = gains[0];
  if (!best) return `What would make it worse: ${plural(losses.length, "single change")}`;
  const more = gains.length > 1 ? `, or ${plural(gains.length - 1, "other change")}` : "";
  return ["What would make it better: ", isolated(best.what.join(" and ")), " gives ", outcome(best, index), more];
}

function flipList(title, flips, index) {
  if (flips.length === 0) return "";
  return [
    el("h3", {}, title),
    el(
      "ul",
      {},
      flips.map(flip =>
        el(
          "li",
          {},
          outcome(flip, index),
          " ",
          isolated(flip.what.join(" and ")),
          el("code", { class: "set" }, isolated(flip.set)),
        ),
      ),
    ),
  ];
}

function outcome(flip, index) {
  const [path, settled] = flip.calls[index];
  const after = settled === null ? "" : ` after ${duration(settled)}`;
  return el("span", { class: "flip-path", "data-path": path }, icon(path), el("strong", {}, path), after);
}
