// The ladder: a list of rows of one height, of which only the visible ones exist.

const HEADS = 46,
  OVERSCAN = 5,
  PRINTED_ROWS = 300,
  NARROWEST_COLUMN = 84,
  TIME_WIDTH = 66;

const ladder = {
  scroller: null,
  tree: null,
  head: null,
  nowLine: null,
  grid: null,
  drawn: new Map(),
  active: -1,
  follow: false,
  printing: false,
  top: 0,
  height: 0, // known without asking the browser, which would lay out the page to answer
};

function startLadder() {
  ladder.head = el("div", { class: "heads" });
  ladder.nowLine = el("div", { class: "now-line" });
  ladder.tree = el("div", {
    class: "rows",
    id: "rows",
    role: "tree",
    tabindex: 0,
    "aria-label": "Packets in the order they were sent. Up and down move, Enter opens.",
    onkeydown: ladderKeys,
    onclick: ladderClick,
    onfocus: () => ladder.active < 0 && rows.length && activate(currentRow(), false),
  });
  ladder.scroller = el(
    "div",
    {
      class: "scroller",
      onscroll: () => {
        ladder.top = ladder.scroller.scrollTop;
        drawVisible();
      },
      onwheel: unfollow,
      onpointerdown: unfollow,
      ontouchmove: unfollow,
    },
    ladder.head,
    ladder.tree,
  );
  ladder.empty = el("p", { class: "quiet none", hidden: true });
  byId("ladder").append(ladder.scroller, ladder.empty);
  new ResizeObserver(() => {
    ladder.height = ladder.scroller.clientHeight - HEADS;
    if (ladder.scroller.clientWidth === ladder.seenWidth) drawVisible();
    else rebuild();
    if (state.open && ladder.active >= 0) keepInSight(ladder.active, false);
    else followTime(); // a time from the address is set before the ladder has a height
  }).observe(ladder.scroller);
  for (const what of ["scroll", "resize"])
    addEventListener(what, () => requestAnimationFrame(fillWindow), { passive: true });
  for (const what of ["tab", "filter"]) on(what, () => requestAnimationFrame(fillWindow));
  const paper = matchMedia("print");
  paper.addEventListener("change", () => printRows(paper.matches));
  addEventListener("beforeprint", () => printRows(true));
  addEventListener("afterprint", () => printRows(paper.matches));
  on("tab", () => {
    ladder.active = -1;
    scrollLadder(0);
    refill();
  });
  on("filter", refill);
  on("open", () => {
    markRows();
    markOpen();
  });
  on("play", () => (ladder.follow = ladder.follow || state.playing));
  on("time", () => {
    markRows();
    followTime();
  });
}

/// The ladder reaches down to the end of the window, wherever it begins.
function fillWindow() {
  const side = byId("ladder-side");
  side.style.setProperty("--top", `${Math.max(side.getBoundingClientRect().top, 0)}px`);
}

function unfollow() {
  ladder.follow = false;
}

function refill() {
  const before = rows[ladder.active];
  collectRows();
  ladder.active = before
    ? rows.findIndex(row => row.kind === before.kind && row.index === before.index && row.band === before.band)
    : -1;
  show(ladder.scroller, rows.length > 0);
  show(ladder.empty, rows.length === 0);
  ladder.empty.textContent = isFiltered() ? "No packet matches the filters." : "No packets.";
  rebuild();
}

function rebuild() {
  ladder.seenWidth = ladder.scroller.clientWidth;
  if (ladder.seenWidth === 0) return;
  const columns = tab()?.columns || [];
  const wanted = Math.max(columns.length - 1, 1) * NARROWEST_COLUMN + 88;
  const room = (ladder.printing ? 680 : ladder.seenWidth) - TIME_WIDTH;
  ladder.grid = layOut(columns, Math.floor(ladder.printing ? room : Math.max(room, wanted)));
  ladder.tree.style.height = `${rows.length * ROW}px`;
  ladder.tree.style.width = ladder.head.style.width = `${ladder.grid.width + TIME_WIDTH}px`;
  ladder.drawn.clear();
  ladder.tree.replaceChildren(ladder.nowLine);
  drawHeads();
  if (ladder.printing) drawForPaper();
  else drawVisible();
  markRows();
}

function drawHeads() {
  const { columns, gap, x } = ladder.grid,
    room = Math.max(Math.min(gap, 150) - 6, 60);
  ladder.head.replaceChildren(
    el("span", { class: "time" }, "time"),
    ...columns.map(index => {
      const node = data.nodes[index];
      const head = button(
        [
          el("strong", {}, icon(node.kind), fitted(node.name, room - 18, 12, 600)),
          el("small", {}, fitted(node.lines[0] || "", room, 10)),
        ],
        () => setFilter({ node: state.filter.node === index ? -1 : index }),
        {
          class: `k-${node.kind}`,
          "aria-pressed": String(state.filter.node === index),
          title: `${[node.name, ...node.lines].join(" ")}: show only its packets`,
        },
      );
      head.style.left = `${TIME_WIDTH + x(index)}px`;
      return head;
    }),
  );
}

function drawVisible() {
  if (!ladder.grid || ladder.printing) return;
  const { drawn, top, height } = ladder;
  const from = Math.max(Math.floor(top / ROW) - OVERSCAN, 0);
  const to = Math.min(Math.ceil((top + height) / ROW) + OVERSCAN, rows.length);
  for (const [index, element] of drawn) {
    if ((index < from || index >= to) && index !== ladder.active) {
      element.remove();
      drawn.delete(index);
    }
  }
  for (let index = from; index < to; index++) drawAt(index);
}

function drawAt(index) {
  const known = ladder.drawn.get(index);
  if (known || !rows[index]) return known;
  const row = rows[index],
    band = row.kind === "b";
  const element = el(
    "div",
    {
      class: `row level-${row.level}${band ? " band" : ""}`,
      role: "treeitem",
      id: `row-${index}`,
      "data-row": index,
      "aria-level": row.level + 1,
      "aria-posinset": index + 1,
      "aria-setsize": rows.length,
      "aria-expanded": band ? String(row.open) : null,
      "aria-label": `${duration(row.at)}: ${spoken(row)}`,
    },
    el("span", { class: "time" }, duration(row.at)),
    band ? bandText(row) : drawRow(row, ladder.grid),
  );
  element.style.top = `${index * ROW}px`;
  ladder.drawn.set(index, element);
  ladder.tree.append(element);
  markRow(element, row, index);
  return element;
}

function bandText(row) {
  const text = el(
    "span",
    { class: "band-text" },
    el("span", { class: "fold" }, row.open ? "▾" : "▸"),
    el("span", { class: "clip" }, isolated(row.text)),
  );
  text.style.maxWidth = `${Math.min(ladder.grid.width, ladder.seenWidth - TIME_WIDTH) - 16}px`;
  return text;
}

function markRow(element, row, index) {
  const { classList } = element,
    open = state.open;
  classList.toggle("future", row.at > state.time);
  classList.toggle("moving", row.kind === "p" && row.at <= state.time && state.time < endOf(row.index));
  classList.toggle("open", Boolean(open) && open[0] === row.kind && open[1] === row.index);
  classList.toggle("active", index === ladder.active);
}

function markRows() {
  for (const [index, element] of ladder.drawn) markRow(element, rows[index], index);
  ladder.nowLine.style.top = `${countUntil(rows, state.time, row => row.at) * ROW}px`;
}

const currentRow = () => Math.max(countUntil(rows, state.time, row => row.at) - 1, 0);

/// While time plays, the current row stays in the middle; after a jump it is merely in sight.
function followTime() {
  if (!state.touched || (state.playing && !ladder.follow)) return;
  keepInSight(currentRow(), state.playing);
}

function keepInSight(index, middle) {
  const { height } = ladder,
    top = index * ROW;
  if (height <= 0) return;
  const above = top - ladder.top;
  if (above >= (middle ? 0 : ROW) && above <= height - (middle ? height * 0.4 : 2 * ROW)) return;
  scrollLadder(top - height * (middle ? 0.5 : above < 0 ? 0.25 : 0.6));
}

function scrollLadder(top) {
  const wanted = Math.round(Math.min(Math.max(top, 0), Math.max(rows.length * ROW - ladder.height, 0)));
  ladder.top = wanted;
  ladder.scroller.scrollTop = wanted;
  drawVisible();
}

/// The row from which Up and Down go on.
function setActive(index, move = true) {
  ladder.active = index;
  if (move) keepInSight(index, false);
  drawVisible();
  drawAt(index);
  ladder.tree.setAttribute("aria-activedescendant", `row-${index}`);
  markRows();
}

function activate(index, move = true) {
  setActive(Math.min(Math.max(index, 0), rows.length - 1), move);
  const row = rows[ladder.active];
  if (!byId("details").hidden && row.kind !== "b") chooseRow(row);
}

/// The open row is the active one.
function markOpen() {
  if (!state.open) return;
  const index = rows.findIndex(row => row.kind === state.open[0] && row.index === state.open[1]);
  if (index >= 0 && index !== ladder.active) setActive(index);
}

function ladderKeys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const page = Math.max(Math.floor(ladder.height / ROW) - 2, 1);
  const move = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page }[event.key];
  if (move) activate(ladder.active < 0 ? currentRow() : ladder.active + move);
  else if (event.key === "Enter" && rows[ladder.active]) useRow(ladder.active, true);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function ladderClick(event) {
  const element = event.target.closest("[data-row]");
  if (element && getSelection().isCollapsed) useRow(Number(element.dataset.row), false);
}

function useRow(index, byKey) {
  const row = rows[index];
  setActive(index, false);
  if (row.kind === "b") return toggleBand(row.band);
  chooseRow(row);
  if (byKey) focusDetails();
}

function chooseRow(row) {
  pause();
  seek(row.at);
  setOpen([row.kind, row.index]);
}

function printRows(printing) {
  if (ladder.printing === printing) return;
  ladder.printing = printing;
  rebuild();
}

/// Paper has no scroll bar: all rows at once, up to a limit.
function drawForPaper() {
  const count = Math.min(rows.length, PRINTED_ROWS),
    left = rows.length - count;
  for (let index = 0; index < count; index++) drawAt(index);
  ladder.tree.style.height = `${(count + (left ? 1 : 0)) * ROW}px`;
  if (left) {
    const note = el("p", { class: "cut" }, `… and ${plural(left, "more row")}`);
    note.style.top = `${count * ROW}px`;
    ladder.tree.append(note);
  }
}
