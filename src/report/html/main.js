// Starts everything.

function startTheme() {
  const theme = byId("theme"),
    dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const label = () => (theme.textContent = isDark() ? "Light" : "Dark");
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  dark.addEventListener("change", label);
  label();
}

function startSkip() {
  const skip = byId("skip");
  skip.addEventListener("click", () => ladder.tree.focus());
  show(skip, true);
}

function start() {
  ["bar", "main", "tools"].forEach(id => show(byId(id), true));
  startTheme();
  startSkip();
  startVerdict();
  startTimebar();
  startLadder(); // first of those that show rows: it collects them
  startTopology();
  startTables();
  startAgents();
  startDetails();
  startFilters();
  startExtras();
  startKeys();
  startWatch();
  state.speed = defaultSpeed();
  state.time = tab()?.settled_ms ?? rangeEnd();
  changed("tab", "filter", "range", "play", "time", "open");
  collectRows();
  addEventListener("hashchange", readAddress);
  readAddress();
}

start();
