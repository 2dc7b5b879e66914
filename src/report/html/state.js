// What the reader looks at: the time, the tab, the filters, the open row. Views subscribe to changes and are
// painted at most once a frame.

const SPEEDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 25, 50, 100];

const state = {
  time: 0,
  tab: 0,
  playing: false,
  speed: 1,
  touched: false,
  whole: false, // whether the slider covers the whole run, or only the set-up
  open: null, // the row whose details are shown: ["p", 12] or ["m", 3]
  filter: { node: -1, families: new Set(), text: "", dead: false },
};

const subscribers = { time: [], tab: [], filter: [], open: [], play: [], range: [] };
const dirty = new Set();

function on(what, painter) {
  subscribers[what].push(painter);
}

function changed(...what) {
  if (dirty.size === 0) requestAnimationFrame(paint);
  what.forEach(one => dirty.add(one));
}

function paint() {
  const painters = new Set([...dirty].flatMap(what => subscribers[what]));
  dirty.clear();
  painters.forEach(painter => painter());
}

const tab = () => data.tabs[state.tab];
const wholeEnd = () => Math.max(data.duration_ms, 1);

/// The end of the set-up: a round time soon after all was settled, or null if there is nothing much after it.
function setupEnd() {
  const settled = tab()?.settled_ms;
  if (!settled || settled * 2.5 > wholeEnd()) return null;
  const step = 10 ** Math.floor(Math.log10(settled)) / 2;
  return Math.ceil((settled * 1.2) / step) * step;
}

const rangeEnd = () => (!state.whole && setupEnd()) || wholeEnd();

/// About ten seconds for the part that matters, twenty for all.
function defaultSpeed() {
  const wanted = state.whole ? wholeEnd() / 20000 : (tab()?.settled_ms || wholeEnd()) / 10000;
  return SPEEDS.reduce((best, speed) =>
    Math.abs(Math.log(speed / wanted)) < Math.abs(Math.log(best / wanted)) ? speed : best,
  );
}

function setTime(time) {
  state.time = Math.min(Math.max(time, 0), wholeEnd());
  if (state.time > rangeEnd()) setWhole(true);
  changed("time");
}

/// A jump the reader asked for.
function seek(time) {
  state.touched = true;
  setTime(time);
  writeAddress();
}

function setWhole(whole) {
  state.whole = whole;
  if (state.time > rangeEnd()) state.time = rangeEnd();
  changed("range", "time");
}

function setTab(index) {
  if (!data.tabs[index]) return;
  state.tab = index;
  state.speed = defaultSpeed();
  changed("tab", "range", "time");
  writeAddress();
}

function setFilter(change) {
  Object.assign(state.filter, change);
  changed("filter", "time");
}

const isFiltered = () =>
  state.filter.node >= 0 || state.filter.families.size > 0 || state.filter.text !== "" || state.filter.dead;

function resetFilter() {
  setFilter({ node: -1, families: new Set(), text: "", dead: false });
}

function setOpen(row) {
  state.open = row;
  changed("open");
  writeAddress();
}

let lastFrame = 0;

function play() {
  if (state.time >= rangeEnd() || !state.touched) state.time = 0;
  state.touched = true;
  state.playing = true;
  lastFrame = performance.now();
  changed("play", "time");
  requestAnimationFrame(advance);
}

function pause() {
  if (!state.playing) return;
  state.playing = false;
  changed("play", "time");
  writeAddress();
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

function advance(now) {
  if (!state.playing) return;
  const passed = now - lastFrame;
  if (calm.matches && passed < 600) return requestAnimationFrame(advance);
  lastFrame = now;
  // Who wants no motion sees one event after the other.
  const next = calm.matches ? nextStep(state.time) : state.time + Math.min(passed, 250) * state.speed;
  if (next >= rangeEnd()) {
    setTime(rangeEnd());
    return pause();
  }
  setTime(next);
  requestAnimationFrame(advance);
}

let addressTimer = 0;

/// The address follows, so that it can be sent to somebody. Browsers limit how often it may change.
function writeAddress() {
  clearTimeout(addressTimer);
  if (state.playing) return;
  addressTimer = setTimeout(() => {
    const parts = [`t=${rounded(state.time, 3)}`];
    if (state.tab > 0) parts.push(`c=${state.tab}`);
    if (state.open?.[0] === "p") parts.push(`p=${state.open[1]}`);
    try {
      history.replaceState(null, "", "#" + parts.join("&"));
    } catch {
      /* some browsers forbid it for files */
    }
  }, 80);
}

function readAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const number = key =>
    wanted.has(key) && wanted.get(key) !== "" && Number.isFinite(Number(wanted.get(key)))
      ? Number(wanted.get(key))
      : null;
  const time = number("t"),
    packet = number("p"),
    tabIndex = number("c");
  if (tabIndex !== null) setTab(tabIndex);
  if (packet !== null && data.packets[packet]) openPacket(packet, time === null);
  if (time !== null) seek(time);
  return time !== null || packet !== null;
}
