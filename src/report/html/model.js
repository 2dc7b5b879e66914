// What the run recorded, and quick ways to ask it. Nothing here changes after loading.

const data = JSON.parse(byId("report-data").textContent);

const kindOf = packet => data.kinds[data.packets[packet][0]];
const startOf = packet => data.packets[packet][1];
const timingOf = packet => data.timings[data.packets[packet][2]];
const attributesOf = packet => data.attributes[data.packets[packet][3]] || [];
const causeOf = packet => data.packets[packet][4];
const endOf = packet => startOf(packet) + (timingOf(packet).at(-1)?.[1] ?? 0);
const isDead = packet => kindOf(packet).death !== null;
const nodeName = node => data.nodes[node]?.name ?? "?";

/// How many of a list that is sorted by time come at `time` or before.
function countUntil(list, time, timeOf = item => item) {
  let low = 0,
    high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(list[middle]) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

const lastUntil = (list, time, timeOf) => list[countUntil(list, time, timeOf) - 1];
const first = item => item[0];

/// When a packet came to a node.
function reached(packet, node) {
  const stop = kindOf(packet).stops.indexOf(node);
  return startOf(packet) + (timingOf(packet)[Math.max(stop, 0)]?.[0] ?? 0);
}

const longestWay = data.packets.reduce((longest, _, packet) => Math.max(longest, endOf(packet) - startOf(packet)), 0);
const longestSignal = data.moments.reduce(
  (longest, moment) => Math.max(longest, (moment.arrives ?? moment.at) - moment.at),
  0,
);

/// Packets that are on their way at `time`, or died less than `linger` before it.
function packetsAround(time, linger, tab) {
  const found = [];
  const from = countUntil(data.packets, time - longestWay - linger - 1e-9, packet => packet[1]);
  for (let packet = from; packet < data.packets.length && startOf(packet) <= time; packet++) {
    const kind = kindOf(packet);
    if (kind.tab !== null && kind.tab !== tab) continue;
    if (time < endOf(packet) || (kind.death && time <= endOf(packet) + linger)) found.push(packet);
  }
  return found;
}

function signalsAround(time, tab) {
  const found = [];
  const from = countUntil(data.moments, time - longestSignal - 1e-9, moment => moment.at);
  for (let index = from; index < data.moments.length && data.moments[index].at <= time; index++) {
    const moment = data.moments[index];
    if (moment.kind === "signal" && moment.tab === tab && time < (moment.arrives ?? moment.at)) found.push(moment);
  }
  return found;
}

let effects = null;

/// The packets that answer, relay or copy this one.
function causedBy(packet) {
  if (!effects) {
    effects = new Map();
    data.packets.forEach(([, , , , cause], index) => {
      if (cause >= 0) effects.set(cause, [...(effects.get(cause) || []), index]);
    });
  }
  return effects.get(packet) || [];
}

/// Which part of "a → b" a rewrite changed: [text before, text after] of that part.
function changedPart({ before, after }) {
  const old = before.split(" → "),
    fresh = after.split(" → ");
  if (old.length !== 2 || fresh.length !== 2 || (old[0] !== fresh[0] && old[1] !== fresh[1])) return [before, after];
  return old[0] !== fresh[0] ? [old[0], fresh[0]] : [old[1], fresh[1]];
}

const FAMILIES = {
  check: "Checks",
  stun: "STUN",
  turn: "TURN",
  data: "Data",
  icmp: "ICMP",
  tcp: "TCP",
  signal: "Signalling",
  event: "Events",
};

/// The family of a row that is not a band: packets have one, moments are signalling or events.
function familyOf([kind, index]) {
  if (kind === "p") return kindOf(index).family;
  return data.moments[index].kind === "signal" ? "signal" : "event";
}

const timeOf = ([kind, index]) =>
  kind === "p" ? startOf(index) : kind === "m" ? data.moments[index].at : timeOf(index[0]);
