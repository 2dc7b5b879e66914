// The rows of the ladder as the filters leave them: packets, moments, and bands of repeats.

let rows = []; // { kind, index, at, level, band, text, open }
let steps = []; // the times to step through
const openBands = new Set(); // "tab/number of the band"

function matches(row) {
  const { node, families, text, dead } = state.filter;
  const [kind, index] = row;
  const packet = kind === "p" ? kindOf(index) : null;
  const moment = packet ? null : data.moments[index];
  if (families.size > 0 && !families.has(familyOf(row))) return false;
  if (dead && !(packet ? packet.death : moment.kind === "signal" && moment.arrives === null)) return false;
  if (node >= 0 && !(packet ? packet.stops.includes(node) : concerns(moment, node))) return false;
  return text === "" || textOf(row).includes(text.toLowerCase());
}

/// An event of the scenario concerns every node.
function concerns(moment, node) {
  return moment.kind === "change" || [moment.from, moment.to, moment.node].includes(node);
}

function textOf([kind, index]) {
  if (kind === "m") return data.moments[index].label.toLowerCase();
  const { label, from, to, rewrites, death, protocol } = kindOf(index);
  const way = rewrites.map(rewrite => rewrite.after);
  return [label, from, to, protocol, ...way, death?.reason, death?.place, death?.rule].join(" ").toLowerCase();
}

/// Visits every row of the tab, whether it stands in a band or not, and whatever the filters say.
function eachRow(visit) {
  (tab()?.rows || []).forEach(row => (row[0] === "b" ? row[1].forEach(member => visit(member)) : visit(row)));
}

function collectRows() {
  rows = [];
  const times = [];
  (tab()?.rows || []).forEach((row, number) => {
    if (row[0] !== "b") {
      if (matches(row)) addRow(row, 0, times);
      return;
    }
    const members = row[1].filter(matches);
    if (members.length === 0) return;
    if (members.length === 1) return addRow(members[0], 0, times);
    const band = `${state.tab}/${number}`,
      open = openBands.has(band);
    const text = members.length < row[1].length ? `${members.length} of these match: ${row[2]}` : row[2];
    rows.push({
      kind: "b",
      band,
      open,
      text,
      level: 0,
      at: timeOf(members[0]),
      until: timeOf(members.at(-1)),
      size: members.length,
    });
    if (open) members.forEach(member => addRow(member, 1, times));
    else members.forEach(member => times.push(timeOf(member)));
  });
  steps = [...new Set(times)].sort((a, b) => a - b);
}

function addRow(row, level, times) {
  const at = timeOf(row);
  rows.push({ kind: row[0], index: row[1], at, level });
  times.push(at);
}

const nextStep = time => steps[countUntil(steps, time)] ?? wholeEnd();
const stepBefore = time => steps[countUntil(steps, time - 1e-6) - 1] ?? 0;

function step(count) {
  pause();
  let time = state.time;
  for (let i = 0; i < Math.abs(count); i++) time = count > 0 ? nextStep(time) : stepBefore(time);
  seek(time);
}

/// Opens the bands that hide a packet or moment; says whether the tab has it at all.
function reveal([kind, index]) {
  const same = row => row[0] === kind && row[1] === index;
  return (tab()?.rows || []).some((row, number) => {
    if (row[0] !== "b") return same(row);
    if (!row[1].some(same)) return false;
    openBands.add(`${state.tab}/${number}`);
    return true;
  });
}

/// Shows a packet wherever it is: in its tab, out of its band, with the filters out of the way.
function openPacket(packet, move = true) {
  const owner = kindOf(packet).tab;
  if (owner !== null && owner !== state.tab) setTab(owner);
  const row = ["p", packet];
  if (!matches(row)) resetFilter();
  reveal(row);
  changed("filter");
  pause();
  if (move) seek(startOf(packet));
  setOpen(row);
}

function toggleBand(band) {
  if (!openBands.delete(band)) openBands.add(band);
  changed("filter");
}

/// How many rows of each family the tab has.
function familyCounts() {
  const counts = {};
  eachRow(row => (counts[familyOf(row)] = (counts[familyOf(row)] || 0) + 1));
  return counts;
}
